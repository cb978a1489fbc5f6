"""What a briefing needs of a cut book: figures, a few facts, definitions. Nothing is written."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from driveaway.briefing.fleet import Fleet
from driveaway.facts.base import Fact
from driveaway.facts.description import Description
from driveaway.figures.answer import Answer, Interval, Value
from driveaway.values import clock
from driveaway.values.errors import BadValue, NotFound, Refused

_STALE: Final = timedelta(days=7)


class FigureInfo(Protocol):
    """What is public about a figure: its definition is the first paragraph of its docstring."""

    @property
    def name(self) -> str:
        """Dotted name."""

    @property
    def title(self) -> str:
        """Short public name."""

    @property
    def title_zh(self) -> str:
        """The same in Chinese."""

    @property
    def unit(self) -> str:
        """Unit of its value."""

    @property
    def definition(self) -> str:
        """First paragraph of its docstring."""

    @property
    def version(self) -> int:
        """Version of the definition."""


class Asker(Protocol):
    """A book cut at an as-of and a mark, ready to be asked."""

    @property
    def description(self) -> Description:
        """The launch as it was described at the cut."""

    @property
    def as_of(self) -> int:
        """The instant up to which events count, microseconds since 1970 UTC."""

    @property
    def mark(self) -> int:
        """The last ``seq`` that is seen."""

    @property
    def launch_dir_label(self) -> str:
        """The launch folder as a person types it, such as ``launches/su7``."""

    def figure(
        self, name: str, *, by: Sequence[str] = (), as_of: int | None = None, **arguments: str
    ) -> Answer:
        """A figure as of the cut, or as of another instant at the same mark."""

    def facts(self, kind: str) -> Sequence[Fact]:
        """Live facts of one kind, in order of ``happened``."""

    def definition(self, name: str) -> FigureInfo:
        """What is public about a figure."""


@dataclass(frozen=True)
class Evidence:
    """What one statement rests on, enough to compute it again.

    Attributes:
        figure: name of the figure; ``title``, ``title_zh`` and ``definition`` are its public words.
        version: version of the definition.
        arguments: parameters and filters given; ``by`` the dimensions.
        value: the single value, None when there are rows or it is unknown.
        as_of: ISO 8601 time in the launch's zone; ``mark`` the last ``seq`` seen.
        recompute: the command line that gives the same answer.
    """

    figure: str
    title: str
    title_zh: str
    definition: str
    version: int
    unit: str
    arguments: Mapping[str, str]
    by: tuple[str, ...]
    value: Value
    interval: Interval | None
    unknown: str | None
    note: str | None
    as_of: str
    mark: int
    simulated: bool
    recompute: str

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "figure": self.figure,
            "title": self.title,
            "title_zh": self.title_zh,
            "definition": self.definition,
            "definition_version": self.version,
            "unit": self.unit,
            "arguments": dict(self.arguments),
            "by": list(self.by),
            "value": self.value,
            "interval": None
            if self.interval is None
            else {"low": self.interval.low, "high": self.interval.high, "level": self.interval.level},
            "unknown": self.unknown,
            "note": self.note,
            "as_of": self.as_of,
            "mark": self.mark,
            "simulated": self.simulated,
            "recompute": self.recompute,
        }


@dataclass(frozen=True)
class Asked:
    """An answer with its evidence."""

    answer: Answer
    evidence: Evidence

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The answer's rows, empty when it is unknown or a single value."""
        return self.answer.rows or ()

    @property
    def unknown(self) -> str | None:
        """Why there is no value, else None."""
        return self.answer.unknown

    def evidence_of(self, asker: Asker, row: Mapping[str, Any], dimension: str) -> Evidence:
        """The evidence of one row alone: its value, and the command that gives just this row."""
        evidence = self.evidence
        arguments = {**evidence.arguments, dimension: str(row[dimension])}
        value = row.get("value")
        at = clock.parse_as_of(evidence.as_of, clock.zone(asker.description.zone))
        return replace(
            evidence,
            arguments=arguments,
            value=value,
            unknown=None if value is not None else row.get("unknown"),
            simulated=bool(row.get("simulated", self.answer.simulated)),
            recompute=recompute(asker, evidence.figure, evidence.by, arguments, at),
        )


class Desk:
    """Asks each question once and keeps its evidence."""

    def __init__(self, asker: Asker, fleet: Fleet | None = None) -> None:
        """``fleet``: what is told of delivered cars beyond figures; None: nothing."""
        self.asker = asker
        self.fleet = fleet
        self.zone = clock.zone(asker.description.zone)
        self._asked: dict[tuple[Any, ...], Asked] = {}
        self._facts: dict[str, Sequence[Fact]] = {}

    @property
    def today(self) -> date:
        """The local day of the as-of."""
        return clock.local_day(self.asker.as_of, self.zone)

    @property
    def known_until(self) -> date | None:
        """The last day with a lock or a handover, where that is more than a week ago; None: it is not.

        A book that was kept up to a day says nothing about the days after it.
        """
        days = [
            str(row["day"])
            for name in ("orders.locked_per_day", "cars.delivered_per_day")
            for row in self.ask(name).rows
            if row["value"]
        ]
        if not days or self.today - date.fromisoformat(max(days)) <= _STALE:
            return None
        return date.fromisoformat(max(days))

    @property
    def as_of_text(self) -> str:
        """The as-of as ``--as-of`` takes it."""
        return as_of_text(self.asker.as_of, self.asker)

    @property
    def simulated(self) -> bool:
        """Whether any answer so far counts simulated rows."""
        return any(asked.answer.simulated for asked in self._asked.values())

    @property
    def unknowns(self) -> list[Asked]:
        """The questions so far that have no answer."""
        return [asked for asked in self._asked.values() if asked.unknown is not None]

    def facts(self, kind: str) -> Sequence[Fact]:
        """Live facts of one kind, in order of ``happened``."""
        if kind not in self._facts:
            self._facts[kind] = self.asker.facts(kind)
        return self._facts[kind]

    def ask(self, name: str, *, by: Sequence[str] = (), as_of: int | None = None, **arguments: str) -> Asked:
        """Ask a figure; one that does not exist or refuses is unknown, with its reason."""
        return self.ask_with(name, arguments, by=by, as_of=as_of)

    def ask_with(
        self, name: str, arguments: Mapping[str, str], *, by: Sequence[str] = (), as_of: int | None = None
    ) -> Asked:
        """The same, its arguments in a mapping."""
        at = self.asker.as_of if as_of is None else as_of
        key = (name, tuple(by), at, tuple(sorted(arguments.items())))
        if key not in self._asked:
            self._asked[key] = self._ask(name, tuple(by), at, dict(arguments))
        return self._asked[key]

    def _ask(self, name: str, by: tuple[str, ...], at: int, arguments: dict[str, str]) -> Asked:
        asker = self.asker
        try:
            answer = asker.figure(name, by=by, as_of=None if at == asker.as_of else at, **arguments)
        except (NotFound, BadValue, Refused) as error:
            answer = Answer(
                name=name,
                unit="",
                as_of=clock.show(at, self.zone),
                mark=asker.mark,
                definition=0,
                unknown=error.message,
                parameters=arguments,
            )
        try:
            info = asker.definition(name)
            title, title_zh = info.title, info.title_zh
            # Documents show words, not the markup of a docstring.
            definition = info.definition.replace("``", "")
        except (NotFound, BadValue):
            title, title_zh, definition = answer.title or name, answer.title or name, ""
        return Asked(
            answer,
            Evidence(
                figure=name,
                title=title,
                title_zh=title_zh,
                definition=definition,
                version=answer.definition,
                unit=answer.unit,
                arguments=dict(arguments),
                by=by,
                value=answer.value if answer.unknown is None else None,
                interval=answer.interval,
                unknown=answer.unknown,
                note=answer.note,
                as_of=clock.show(at, self.zone),
                mark=answer.mark,
                simulated=answer.simulated,
                recompute=recompute(asker, name, by, arguments, at),
            ),
        )


def as_of_text(at: int, asker: Asker) -> str:
    """An instant as ``--as-of`` takes it: the day alone where it is the end of a local day."""
    tz = clock.zone(asker.description.zone)
    day = clock.local_day(at, tz)
    return day.isoformat() if at == clock.end_of_day(day, tz) else clock.show(at, tz)


def launch_label(asker: Asker) -> str:
    """The launch folder for a command in a document.

    A folder that the environment names by an absolute path is given from the current folder where it
    lies below, else by its name: where things lie on one machine is no part of a document.
    """
    label = asker.launch_dir_label
    named = os.environ.get("DRIVEAWAY_LAUNCH")
    folder = Path(label)
    if not named or Path(named) != folder or not folder.is_absolute():
        return label
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return folder.name


def recompute(asker: Asker, name: str, by: Sequence[str], arguments: Mapping[str, str], at: int) -> str:
    """The command line that computes a figure again, safe to paste into a shell."""
    words = ["driveaway", "figure", name]
    words += [f"{parameter}={value}" for parameter, value in arguments.items()]
    if by:
        words += ["--by", ",".join(by)]
    words += ["--as-of", as_of_text(at, asker), "--mark", str(asker.mark)]
    words += ["--launch", launch_label(asker)]
    return shlex.join(words)


def recompute_functions(asker: Asker, name: str, by: str | None) -> str:
    """The command line that counts the cars of a function again."""
    words = ["driveaway", "functions", "show", name]
    if by is not None:
        words += ["--by", by]
    words += ["--as-of", as_of_text(asker.as_of, asker), "--mark", str(asker.mark)]
    words += ["--launch", launch_label(asker)]
    return shlex.join(words)
