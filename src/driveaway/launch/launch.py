"""A launch, opened: what ``driveaway.open`` returns and every door works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec

from driveaway import catalogue
from driveaway.book import writer
from driveaway.book.book import Book
from driveaway.book.state.state import State
from driveaway.book.store import WriteTransaction
from driveaway.book.view import View
from driveaway.book.when import When
from driveaway.book.writer import Outcome as Outcome
from driveaway.facts import Draft, Fact, kind_named
from driveaway.facts.description import Description, read_description
from driveaway.facts.keys import BUYER
from driveaway.figures.answer import Answer
from driveaway.figures.compute import compute
from driveaway.figures.figure import Figure
from driveaway.fleet.ledger.ledger import Ledger
from driveaway.fleet.residency import check_residency
from driveaway.launch.applying import apply_drafts
from driveaway.launch.checking import check_drafts
from driveaway.launch.decide import LaunchDecider
from driveaway.launch.erasing import erase_subjects, finish_begun
from driveaway.launch.own import own_figures
from driveaway.launch.settings import find_folder, read_settings
from driveaway.values.clock import now, parse_as_of, parse_instant, zone
from driveaway.values.errors import BadValue, NotFound, Refused
from driveaway.values.money import check_currency

FAR_FUTURE: Final = 2**62
_START: Final = -2_208_902_400_000_000
"""2 January 1900 UTC: before it no fact can have happened, in any zone."""
_EARLY: Final = 10**13
"""In April 1970; an instant before it is in another unit than microseconds."""


class Launch:
    """A launch folder and its book.

    Attributes:
        folder: the launch folder.
        description: what ``launch.toml`` says now.
        book: its book.
        book_url: where that is, with its password: not for people.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = dict(settings)
        self.file = folder / "launch.toml"
        self.text = self.file.read_text(encoding="utf-8")
        self.description = read_description(self.text, str(self.file))
        self.zone = zone(self.description.zone)
        try:
            check_currency(self.description.currency)
        except BadValue as error:
            raise error.at(str(self.file)) from None
        self.data = folder / settings["data"]
        check_residency(self.data / "fleet", self.description.fleet.residency)
        self.book_url = settings["book_url"] or f"sqlite:///{self.data / 'book.sqlite'}"
        self.book = Book(
            self.book_url,
            self.data,
            self.zone,
            lambda mirror: Ledger(self.data / "fleet", mirror),
            settings["engine"],
        )
        self._decider = LaunchDecider(self.description)

    def __enter__(self) -> Launch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the book."""
        self.book.close()

    # --- record ---

    def append(
        self,
        drafts: Sequence[Draft],
        *,
        atomic: bool = True,
        patient: bool = False,
        clock: Callable[[Draft], int] | None = None,
        salts: Callable[[int], bytes] | None = None,
        checked: bool = False,
    ) -> list[Outcome]:
        """Decide and append; an outcome for every draft.

        Args:
            drafts: what is asked to be recorded.
            atomic: all or nothing, the first error raised; else each draft by itself.
            patient: let others take the write lock first.
            clock: transaction time of a draft, for simulations only.
            salts: that many random bytes, for simulations only.
            checked: the bodies were read from text, or made by the demo, and need no check of their form.

        Raises:
            Refused, Conflict, BadValue, NotFound: with ``atomic``.
            Unavailable: the store cannot be written; nothing was accepted.
        """
        if not checked:
            check_drafts(drafts)
        extra: dict[str, Any] = {} if salts is None else {"salts": salts}
        outcomes = writer.append(
            self.book.store,
            drafts,
            self._decider,
            atomic=atomic,
            patient=patient,
            clock=clock,
            **extra,
        )
        if any(outcome.added for outcome in outcomes):
            self.book.log_head()
        return outcomes

    @cached_property
    def state(self) -> State:
        """Operational tables beside the facts; a change of them may append facts in its transaction."""
        return State(self.book.store, self._append_within)

    def _append_within(self, transaction: WriteTransaction, drafts: Sequence[Draft]) -> Sequence[int]:
        return writer.append_within(transaction, drafts, LaunchDecider(self.description))

    @property
    def gives_way(self) -> bool:
        """Whether an import of this process gives way to somebody else who writes."""
        return writer.is_courteous(self.book.store)

    def apply(self, *, happened: int | None = None) -> Sequence[Outcome]:
        """Take launch.toml, its targets, functions.toml, claims.csv, events.csv and tests.csv into the book.

        What the book holds in this form already is not added again; an edited line of a record file is
        a correction.

        Args:
            happened: when the description and changed functions begin to hold; default: now, and for the
                first description the start of all time, so that every as-of finds one.
        """
        # What the files of the launch's own define is checked before anything is recorded.
        _ = self.figures
        first = self.described() is None
        view = None if first else self.book.at(When(FAR_FUTURE, self.book.edge().size))
        at = now() if happened is None else happened
        earlier = happened
        if happened is None and first:
            happened = _START
        drafts = apply_drafts(self, view, at, begins=happened, earlier=earlier)
        if happened is not None:
            drafts = [
                msgspec.structs.replace(d, happened=happened) if d.kind == "launch.described" else d
                for d in drafts
            ]
        outcomes = self.append(drafts)
        self.book.log_head(force=True)
        return [outcome for outcome in outcomes if outcome.added]

    def erase(self, subject: str, reason: str) -> tuple[int, list[str]]:
        """Shred what is personal about an order, a car, or everything of one buyer (a pseudonym).

        A car is taken out of the files of trips, the quarantine and the operational tables as well; the
        fact of its erasure counts them.

        Returns:
            (facts shredded, subjects erased).

        Raises:
            NotFound: nothing is known of the subject.
            Refused: it is under a legal hold, or a report about it is still to be made (``erase.held``).
        """
        known = self.book.about(subject)
        if any(kind_named(fact.kind).subject == "slug" for fact in known if fact.subject == subject):
            raise Refused(
                f"{subject} is public, nothing about it is personal",
                code="erase.public",
                remedy="orders, cars and buyers are erased",
            )
        subjects = [subject]
        found = {fact.subject for fact in self.book.about(BUYER + subject)}
        if found:
            subjects = sorted(found)
        fleet = self.data / "fleet"
        shredded = erase_subjects(self.book, self.state, self._append_within, fleet, subjects, reason)
        self.book.log_head(force=True)
        self.book.mirror.catch_up()
        return shredded, subjects

    def finish_erasing(self) -> str | None:
        """Finish the erasure of a car that was stopped on the way, if there is one; its VIN."""
        return finish_begun(self.book, self.state, self._append_within, self.data / "fleet")

    # --- ask ---

    def described(self) -> Fact | None:
        """The last ``launch.described`` in the book."""
        about = self.book.about(self.description.launch)
        gone = {fact.replaces for fact in about}
        facts = [f for f in about if f.kind == "launch.described" and f.seq not in gone]
        return facts[-1] if facts else None

    @property
    def differs(self) -> bool:
        """Whether ``launch.toml`` differs from what was last taken into the book."""
        last = self.described()
        return last is None or last.body.text != self.text  # type: ignore[attr-defined]

    def when(
        self, as_of: str | int | None = None, mark: int | None = None, known_at: str | None = None
    ) -> When:
        """The cut that a door's options mean.

        Args:
            as_of: a local day, an ISO 8601 time, or an instant; default: ``today`` of launch.toml, else now.
            mark: last seq to be seen; default: the newest.
            known_at: the mark as it was at this time, instead of ``mark``.

        Raises:
            BadValue: not a time, or both ``mark`` and ``known_at``.
        """
        if mark is not None and known_at is not None:
            raise BadValue(
                "give a mark or a known-at time, not both", code="mark.twice", remedy="leave one of them out"
            )
        if known_at is not None:
            mark = self.book.mark_at(parse_as_of(known_at, self.zone))
        if mark is None:
            mark = self.book.edge().size
        if as_of is None:
            as_of = self.description.today
        if as_of is None:
            at: int = now()
        else:
            at = self._instant(as_of)
        return When(at, mark)

    def _instant(self, as_of: str | int) -> int:
        if isinstance(as_of, str):
            return parse_as_of(as_of, self.zone)
        if as_of < _EARLY:
            # Seconds and milliseconds since 1970 would be answered as the beginning of that year.
            raise BadValue(
                f"{as_of!r} is not an as-of",
                code="time.as_of",
                remedy='a day such as "2024-04-24", an ISO 8601 time, or microseconds since 1970',
            )
        return as_of

    def at(
        self, as_of: str | int | None = None, *, mark: int | None = None, known_at: str | None = None
    ) -> Cut:
        """The launch as of a date: ``launch.at("2024-04-24").figure("orders.locked").value``."""
        return Cut(self, self.when(as_of, mark, known_at))

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure that can be asked: the built-in ones, and those of the launch's own files.

        Raises:
            BadValue: a file of the launch's own is missing or fails.
        """
        return (*catalogue.FIGURES, *own_figures(self.folder, self.description))

    def definition(self, name: str) -> Figure:
        """A figure's definition. Files of the launch's own run only when one of theirs is asked for.

        Raises:
            NotFound: there is none; the nearest names are given.
            BadValue: a file of the launch's own is missing or fails.
        """
        try:
            return catalogue.figure_named(name)
        except NotFound:
            if not self.description.figures:
                raise
            return catalogue.figure_named(name, self.figures)

    def parse_time(self, text: str) -> int:
        """Read a time given at a door; one without an offset is in the launch's zone."""
        return parse_instant(text, self.zone)


class Cut:
    """A launch as of a date and a mark: asks figures. Satisfies what the briefing needs."""

    def __init__(self, launch: Launch, when: When) -> None:
        self._launch = launch
        self.when = when

    @cached_property
    def view(self) -> View:
        """The book's View."""
        return self._launch.book.at(self.when)

    @property
    def as_of(self) -> int:
        """Instant of the as-of."""
        return self.when.as_of

    @property
    def mark(self) -> int:
        """Last seq seen."""
        return self.when.mark

    @cached_property
    def description(self) -> Description:
        """The description that held; the folder's own where none had been taken into the book."""
        try:
            return self.view.description
        except NotFound:
            return self._launch.description

    @property
    def launch_dir_label(self) -> str:
        """The launch folder as it was named, for commands that people can repeat."""
        return str(self._launch.folder)

    def figure(
        self, name: str, *, by: Sequence[str] = (), as_of: int | None = None, **arguments: str
    ) -> Answer:
        """A figure's answer; arguments are its parameters, and dimensions as filters.

        Raises:
            NotFound: no such figure.
            BadValue: an argument or dimension that it does not have.
        """
        return self.ask(name, arguments, by=by, as_of=as_of)

    def ask(
        self, name: str, arguments: Mapping[str, str], *, by: Sequence[str] = (), as_of: int | None = None
    ) -> Answer:
        """The same, its arguments in a mapping."""
        definition = self._launch.definition(name)
        at = self.as_of if as_of is None else as_of
        view = self.view if at == self.as_of else self._launch.book.at(When(at, self.when.mark))
        return compute(definition, view, _Beside(self, at), by=by, arguments=arguments)

    def facts(self, kind: str) -> Sequence[Fact]:
        """Live facts of one kind in the cut, in order of valid time."""
        return self.view.facts(kind)

    def definition(self, name: str) -> Figure:
        """A figure's definition."""
        return self._launch.definition(name)


@dataclass(frozen=True)
class _Beside:
    """How one figure asks others: at the same mark, by default at the same as-of."""

    cut: Cut
    as_of: int

    def __call__(
        self, name: str, *, as_of: int | None = None, by: Sequence[str] = (), **arguments: str
    ) -> Answer:
        return self.cut.ask(name, arguments, by=by, as_of=self.as_of if as_of is None else as_of)

    def definition(self, name: str) -> Figure:
        return self.cut.definition(name)


def open_launch(folder: str | Path | None = None, **options: str | None) -> Launch:
    """Open a launch folder (default: the one stood in). ``options`` override settings.

    Raises:
        NotFound: it is not a launch folder.
        BadValue: its launch.toml or settings cannot be read.
    """
    found = find_folder(None if folder is None else str(folder))
    return Launch(found, read_settings(found, options))
