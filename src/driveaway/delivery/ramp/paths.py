"""Paths of cumulative handovers, and what is asked of them: bands, odds, factors on a line's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from driveaway.delivery.ramp.record import Record
from driveaway.delivery.ramp.types import Amounts
from driveaway.values.errors import BadValue


class Band(NamedTuple):
    """A central interval."""

    level: float
    low: float
    high: float


def quantiles(values: Amounts, at: Sequence[float]) -> Amounts:
    """Quantiles over paths (first axis): shape (len(at), …)."""
    found: Amounts = np.quantile(values, np.asarray(at, dtype=float), axis=0)
    return found


def bands(values: Amounts, levels: Sequence[float] = (0.5, 0.8, 0.95)) -> list[Band]:
    """Central intervals of one value per path, shape (paths,)."""
    return [Band(level, *quantiles(values, (0.5 - level / 2, 0.5 + level / 2)).tolist()) for level in levels]


@dataclass(frozen=True, slots=True)
class Paths:
    """Possible courses of a launch, equally likely. Simulated by construction.

    Attributes:
        record: what was known.
        first_day: of column 0, the day after the as-of.
        cumulative: cars handed over since the launch by the end of each day, shape (paths, days).
        before: cars handed over by the end of the day before `first_day`, shape (paths,); the same in all
            paths when the record reaches to that day.
        expected: capacity that the paths were made with, cars on each day, shape (days,).
    """

    record: Record
    first_day: date
    cumulative: Amounts
    before: Amounts
    expected: Amounts

    @property
    def last_day(self) -> date:
        """Day of the last column."""
        return self.first_day + timedelta(self.cumulative.shape[1] - 1)

    def daily(self) -> Amounts:
        """Cars handed over on each day, shape (paths, days)."""
        changes: Amounts = np.diff(self.cumulative, axis=1, prepend=self.before[:, None])
        return changes

    def by(self, day: date) -> Amounts:
        """Cars handed over since the launch by the end of a day, shape (paths,).

        Raises:
            BadValue: the day lies after the horizon (`delivery.beyond_horizon`), or before it where the
                record has no count (`delivery.record_silent`).
        """
        column = (day - self.first_day).days
        if column >= self.cumulative.shape[1]:
            raise BadValue(
                f"{day} lies after the horizon, which ends on {self.last_day}",
                code="delivery.beyond_horizon",
                place="forecast of handovers",
                remedy="give the capacity of more days",
            )
        if column >= 0:
            values: Amounts = self.cumulative[:, column]
            return values
        if column == -1:
            return self.before
        known = self.record.by(day)
        if known is None:
            raise BadValue(
                f"the record has no count for the end of {day}",
                code="delivery.record_silent",
                place="forecast of handovers",
                remedy="add that day's running total, or ask from the first handover on",
            )
        return np.full(len(self.cumulative), float(known))

    def between(self, first: date, last: date) -> Amounts:
        """Cars handed over from one day to another, both included, shape (paths,)."""
        return self.by(last) - self.by(first - timedelta(1))

    def odds(self, first: date, last: date, amount: float, *, strict: bool = False) -> float:
        """Share of paths with at least (strict: more than) an amount handed over from first to last."""
        cars = self.between(first, last)
        return float(np.mean(cars > amount if strict else cars >= amount))

    def factors(
        self, paths: int | None = None, days: int | None = None, *, expected: Amounts | None = None
    ) -> Amounts:
        """Each path's output relative to the expected output, shape (paths, days).

        Args:
            paths: how many paths (the first ones); None: all.
            days: how many days from `first_day`; None: all.
            expected: cars expected on each day; None: the capacity that the paths were made with. Where it
                is 0 the factor is 1.

        Raises:
            BadValue: more paths or days than there are (`delivery.beyond_horizon`).
        """
        held = self.cumulative.shape
        rows, columns = paths or held[0], days or held[1]
        base = self.expected if expected is None else expected
        if rows > held[0] or columns > min(held[1], len(base)):
            raise BadValue(
                f"{rows} paths over {columns} days asked for, {held[0]} over {min(held[1], len(base))} held",
                code="delivery.beyond_horizon",
                place="forecast of handovers",
                remedy="make more paths, or give the capacity of more days",
            )
        base = base[:columns]
        factors = np.ones((rows, columns))
        np.divide(self.daily()[:rows, :columns], base, out=factors, where=base > 0)
        return factors

    def usual(self) -> Amounts:
        """The middle path's output on each day relative to the capacity, shape (days,)."""
        found: Amounts = np.median(self.factors(), axis=0)
        return found
