"""What was handed over so far, and the horizon ahead of it, cut into calendar months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from driveaway.delivery.ramp.types import DAYS_PER_MONTH
from driveaway.values.errors import BadValue

Span = tuple[date, date]
"""First and last day, both included."""


@dataclass(frozen=True, slots=True)
class Record:
    """Cars handed over so far.

    Attributes:
        first_delivery: day of the first handover; may lie ahead when nothing was handed over yet.
        counts: days and the cars handed over up to and including each, ascending: daily, monthly, or
            whenever the number was made known.
    """

    first_delivery: date
    counts: tuple[tuple[date, int], ...] = ()

    def __post_init__(self) -> None:
        for (day, count), (later, more) in pairwise(((self.first_delivery - _DAY, 0), *self.counts)):
            if later <= day:
                raise BadValue(
                    f"{later} does not come after {day}",
                    code="delivery.record_order",
                    place="record of handovers",
                    remedy="give days in ascending order, none before the first handover",
                )
            if more < count:
                raise BadValue(
                    f"{more} handed over by {later}, fewer than the {count} by {day}",
                    code="delivery.record_falls",
                    place="record of handovers",
                    remedy="give running totals of handovers; returns are counted elsewhere",
                )

    def until(self, as_of: date) -> Record:
        """What of it was known by the end of a day."""
        return Record(self.first_delivery, tuple(count for count in self.counts if count[0] <= as_of))

    @property
    def last_day(self) -> date:
        """The last day that is counted; the day before the first handover when none is."""
        return self.counts[-1][0] if self.counts else self.first_delivery - _DAY

    @property
    def total(self) -> int:
        """Cars handed over by `last_day`."""
        return self.counts[-1][1] if self.counts else 0

    def by(self, day: date) -> int | None:
        """Cars handed over by the end of a day; None where the record does not say."""
        if day < self.first_delivery:
            return 0
        return next((count for counted, count in self.counts if counted == day), None)

    def observed(self) -> list[tuple[Span, int]]:
        """Spans of days between counts, at most one a calendar month, with the cars handed over in each."""
        last_of_month = {(day.year, day.month): (day, count) for day, count in self.counts}
        spans: list[tuple[Span, int]] = []
        start, before = self.first_delivery, 0
        for day, count in last_of_month.values():
            spans.append(((start, day), count - before))
            start, before = day + _DAY, count
        return spans

    def age(self, span: Span) -> float:
        """Months from the first handover to the middle of a span."""
        return ((span[0] - self.first_delivery).days + ((span[1] - span[0]).days + 1) / 2) / DAYS_PER_MONTH


def months(first: date, last: date) -> list[Span]:
    """The days from first to last, cut at the ends of calendar months."""
    spans = []
    while first <= last:
        end = min((first.replace(day=1) + timedelta(31)).replace(day=1) - _DAY, last)
        spans.append((first, end))
        first = end + _DAY
    return spans


def lengths(spans: Sequence[Span]) -> list[int]:
    """Days in each span."""
    return [(last - first).days + 1 for first, last in spans]


_DAY = timedelta(1)
