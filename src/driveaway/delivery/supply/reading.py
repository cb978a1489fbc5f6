"""Days and names of ``launch.toml`` read with care: what makes no sense is noted, and the rest is planned."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.planning.problem import Flags
from driveaway.values.clock import parse_day
from driveaway.values.errors import BadValue

_EPOCH = date(1970, 1, 1)
ALWAYS_FROM, ALWAYS_UNTIL = -(10**9), 10**9
"""Stand for a first and a last day that are not given."""


@dataclass
class Notes:
    """What was wrong and how the plan goes on without it, each an error that was not raised.

    Attributes:
        root: beginning of every place.
        problems: in the order in which they were found.
    """

    root: str = "launch.toml"
    problems: list[BadValue] = field(default_factory=list)

    def add(self, problem: BadValue) -> None:
        """Keep a problem, once; the root is set before its place."""
        problem.place = f"{self.root} {problem.place}".strip()
        if str(problem) not in map(str, self.problems):
            self.problems.append(problem)

    def day(self, text: str, place: str) -> int | None:
        """Days since 1 January 1970, or None and a problem."""
        try:
            return number_of(parse_day(text))
        except BadValue:
            self.add(
                BadValue(
                    f"{text!r} is not a day",
                    code="delivery.day",
                    place=place,
                    remedy="write YYYY-MM-DD; what rests on it is left out of the plan",
                )
            )
            return None

    def span(self, first: str | None, last: str | None, place: str) -> tuple[int, int] | None:
        """First and last day of a time in which something holds, or None and a problem."""
        start = ALWAYS_FROM if first is None else self.day(first, f"{place}.from_day")
        end = ALWAYS_UNTIL if last is None else self.day(last, f"{place}.until_day")
        if start is None or end is None:
            return None
        if end < start:
            self.add(
                BadValue(
                    f"its last day {last} is before its first {first}",
                    code="delivery.days",
                    place=place,
                    remedy="from_day ≤ until_day; until then it is left out of the plan",
                )
            )
            return None
        return start, end

    def share(self, value: float, place: str) -> float:
        """A share cut to 0 … 1, with a problem where it was not."""
        if 0 <= value <= 1:
            return value
        held = min(max(value, 0.0), 1.0) if value == value else 0.0
        self.add(
            BadValue(
                f"{value:g} is no share between 0 and 1",
                code="delivery.share",
                place=place,
                remedy=f"write 0.85 for 85%; planned with {held:g}",
            )
        )
        return held

    def spread(self, value: float, place: str) -> float:
        """A spread that is not below 0, with a problem where it was."""
        if 0 <= value < np.inf:
            return value
        self.add(
            BadValue(
                f"{value:g} is no spread",
                code="delivery.spread",
                place=place,
                remedy="0 or more; planned with 0",
            )
        )
        return 0.0

    def known(self, names: Iterable[str], among: Sequence[str], place: str, what: str) -> tuple[str, ...]:
        """Those of the names that are listed (all, where nothing is listed); a problem for each other."""
        found = []
        for name in names:
            if not among or name in among:
                found.append(name)
                continue
            near = difflib.get_close_matches(name, among, 1)
            self.add(
                BadValue(
                    f"there is no {what} {name!r}",
                    code="delivery.name",
                    place=place,
                    remedy=f"did you mean {near[0]!r}?" if near else f"one of {', '.join(among)}",
                )
            )
        return tuple(found)


@dataclass(frozen=True)
class Days:
    """The days of a horizon.

    Attributes:
        first: day 0, in days since 1 January 1970.
        count: how many.
        weekday: of each day, 0 Monday … 6 Sunday, shape (count,).
        holiday, makeup: whether the calendar has it off, or worked in exchange, shape (count,).
    """

    first: int
    count: int
    weekday: NDArray[np.int64]
    holiday: Flags
    makeup: Flags

    def within(self, span: tuple[int, int]) -> Flags:
        """Which days lie in a span, both ends included, shape (count,)."""
        numbers = self.first + np.arange(self.count)
        return np.asarray((numbers >= span[0]) & (numbers <= span[1]))


def number_of(day: date) -> int:
    """Days since 1 January 1970."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day that lies so many days after 1 January 1970."""
    return _EPOCH + timedelta(days=number)
