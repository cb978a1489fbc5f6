"""How likely targets are, and what to expect by day and week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from driveaway.delivery.planning.capacity import Calendar
from driveaway.delivery.planning.problem import Amounts
from driveaway.delivery.planning.simulate import Singles
from driveaway.figures.answer import Interval
from driveaway.figures.statistics import wilson

BANDS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Shares of the paths that lie below each band."""


@dataclass(frozen=True, slots=True)
class Target:
    """So many cars between two days, both included.

    Attributes:
        name: as it is told to people.
        measure: "handed" over, or "built".
        from_day: in days of the horizon; what lies before day 0 stands in ``already``.
        until_day: in days of the horizon.
        amount: to be reached; with ``strictly`` to be exceeded.
        strictly: whether more than the amount is needed.
        already: cars that count and were built or handed over before day 0.
    """

    name: str
    measure: Literal["built", "handed"]
    from_day: int
    until_day: int
    amount: float
    strictly: bool = False
    already: int = 0


@dataclass(frozen=True, slots=True)
class Odds:
    """Chance that a target is met.

    Attributes:
        target: which.
        share: of the paths on which it is met; None where it is not known.
        interval: what the number of paths leaves open about the share (Wilson, 95%).
        expected: mean count over the paths.
        bands: counts that shares ``BANDS`` of the paths lie below, shape (bands,).
        unknown: why it is not known.
    """

    target: Target
    share: float | None
    interval: Interval | None
    expected: float | None
    bands: Amounts | None
    unknown: str | None = None


def odds(target: Target, built: Singles, handed: Singles) -> Odds:
    """Chance of one target from the cars on each day and path, shapes (days, paths)."""
    cars = built if target.measure == "built" else handed
    days, paths = cars.shape
    if target.until_day >= days:
        why = f"the plan ends {target.until_day - days + 1} days before the target does"
        return Odds(target, None, None, None, None, why)
    if target.until_day < target.from_day:
        return Odds(target, None, None, None, None, "its last day lies before its first")
    # Cars are counted whole: a part of a car has not been built.
    counted = cars[max(target.from_day, 0) : target.until_day + 1].sum(axis=0, dtype=np.float64)
    counts = np.floor(counted + 1e-3) + target.already
    met = int(((counts > target.amount) if target.strictly else (counts >= target.amount)).sum())
    return Odds(target, met / paths, wilson(met, paths), float(counts.mean()), np.quantile(counts, BANDS))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Distribution of counts over the paths.

    Attributes:
        mean: of each day, shape (days,).
        bands: shares ``BANDS`` of the paths lie below, shape (bands, days).
        weekly_mean: of each week, shape (weeks,).
        weekly_bands: shape (bands, weeks).
        total_bands: of what has been counted since day 0 by the end of each day, shape (bands, days).
    """

    mean: Amounts
    bands: Amounts
    weekly_mean: Amounts
    weekly_bands: Amounts
    total_bands: Amounts


def outlook(cars: Singles, cal: Calendar) -> Outlook:
    """Bands of the cars on each day and path, shape (days, paths)."""
    weekly = np.add.reduceat(cars, cal.first, axis=0)
    total = np.cumsum(cars, axis=0, dtype=np.float64)
    return Outlook(cars.mean(axis=1, dtype=np.float64), _bands(cars), weekly.mean(axis=1, dtype=np.float64),
                   _bands(weekly), _bands(total))  # fmt: skip


def _bands(cars: Amounts | Singles) -> Amounts:
    """Order statistics of each row, shape (bands, rows)."""
    ranks = np.clip(np.ceil(np.array(BANDS) * cars.shape[1]).astype(int) - 1, 0, None)
    return np.sort(cars, axis=1)[:, ranks].T.astype(np.float64)
