"""When people act: the day's rhythm, and times that follow it exactly in number."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Hours = NDArray[np.float64]
Milliseconds = NDArray[np.int64]

MS_PER_HOUR: Final = 3_600_000

# How busy each local hour is, midnight first; an assumption, with its mean taken to 1.
_BUSY = np.array(
    [
        *(0.3, 0.15, 0.08, 0.05, 0.05, 0.1, 0.25, 0.5, 0.85, 1.1, 1.35, 1.4),
        *(1.2, 1.1, 1.2, 1.25, 1.25, 1.2, 1.2, 1.35, 1.6, 1.7, 1.4, 0.8),
    ]
)
_EDGES = np.arange(25.0)
_DONE = np.concatenate(([0.0], np.cumsum(_BUSY / _BUSY.mean())))


class Rhythm:
    """Maps hours since orders opened to *active hours*, which pass quickly when people are awake.

    24 hours are 24 active hours from any moment on, so a limit in hours is kept by both.
    """

    def __init__(self, opening_hour: float) -> None:
        """``opening_hour``: the local hour of day at which orders opened."""
        self._opening = opening_hour

    def active(self, hours: Hours) -> Hours:
        """Active hours of these hours."""
        days, rest = np.divmod(hours + self._opening, 24.0)
        return np.asarray(days * 24.0 + np.interp(rest, _EDGES, _DONE), np.float64)

    def clock(self, active: Hours) -> Hours:
        """The hours of these active hours."""
        days, rest = np.divmod(active, 24.0)
        return np.asarray(days * 24.0 + np.interp(rest, _DONE, _EDGES) - self._opening, np.float64)

    def spread(self, rng: Generator, count: int, start: float, end: float) -> Milliseconds:
        """``count`` times after ``start`` and not after ``end`` (hours), in the day's rhythm.

        Whole milliseconds since orders opened, unsorted.
        """
        low, high = self.active(np.array([start, end]))
        hours = self.clock(low + (high - low) * rng.random(count))
        first, last = round(start * MS_PER_HOUR) + 1, round(end * MS_PER_HOUR)
        whole = np.ceil(hours * MS_PER_HOUR).astype(np.int64)
        kept: Milliseconds = np.clip(whole, first, last)
        return kept

    def later(self, since: Milliseconds, delay: Hours, limit: float) -> Milliseconds:
        """Times at a delay in active hours; later than ``since`` and before ``since`` + ``limit`` hours."""
        hours = self.clock(self.active(since / MS_PER_HOUR) + delay)
        whole = np.ceil(hours * MS_PER_HOUR).astype(np.int64)
        kept: Milliseconds = np.clip(whole, since + 1000, since + round(limit * MS_PER_HOUR) - 1000)
        return kept


def apportion(count: int, weights: Hours) -> NDArray[np.int64]:
    """Shares of a count by the method of the largest remainder: whole numbers that sum to it."""
    exact = count * weights / weights.sum()
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - whole), kind="stable")
    whole[largest[: count - int(whole.sum())]] += 1
    return whole
