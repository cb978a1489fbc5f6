"""How cars are driven: the day's rhythm, distances, speeds. Nothing public says it: assumptions."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WEEKDAY: Final = (2, 1, 1, 1, 2, 8, 35, 85, 80, 45, 40, 45, 45, 40, 40, 45, 55, 85, 90, 60, 40, 30, 18, 8)
WEEKEND: Final = (4, 2, 1, 1, 1, 4, 12, 25, 45, 65, 75, 70, 60, 60, 65, 65, 65, 65, 60, 50, 40, 30, 20, 10)
"""How many trips begin in each local hour, midnight first."""
_QUARTER: Final = 900
_DRAWS: Final = 65_536
HIGHWAY_KM: Final = 25.0
"""Trips beyond this are mostly on a highway."""
LONGEST_KM: Final = 350.0


def quarters(hours: tuple[int, ...]) -> Ints:
    """Seconds of the day at which quarters of hours begin, as often as they are driven in.

    An array of 65,536 to draw from.
    """
    weights = np.repeat(np.array(hours, float), 4)
    share = np.cumsum(weights) / weights.sum()
    drawn = np.searchsorted(share, (np.arange(_DRAWS) + 0.5) / _DRAWS)
    return np.asarray(drawn * _QUARTER, np.int64)


def draw_seconds(rng: Generator, rhythm: Ints, count: int) -> Ints:
    """Seconds of the day by a rhythm."""
    drawn = rhythm[rng.integers(0, len(rhythm), count)] + rng.integers(0, _QUARTER, count)
    return np.asarray(drawn, np.int64)


def town_speed(km: Floats) -> Floats:
    """Mean km/h of a drive in town: 15 and up, the faster the farther, at most 55."""
    return np.asarray(np.clip(14.0 + 13.0 * np.log1p(km), 10.0, 55.0))


def one_after_another(car: Ints, wanted: Ints, seconds: Ints, gap: Ints) -> Ints:
    """When drives begin, so that none of a car begins before the one before it has ended.

    The rows are in order of car and wanted time. With D the time that the drives before it and the gaps
    take, a drive begins at D plus the largest wanted time less D so far: one running maximum for all cars.

    Args:
        car: numbers from 0, ascending.
        wanted: seconds since 1970.
        seconds: how long each drive takes.
        gap: seconds before each drive after the one before.
    """
    if not len(car):
        return wanted
    taken = np.cumsum(seconds + gap) - seconds
    origin = int(wanted.min())
    # The origins of two cars lie farther apart than any time within one, so that the maximum begins anew.
    span = int(wanted.max()) - origin + int(taken[-1]) + 1
    base = car * span - origin
    return np.asarray(np.maximum.accumulate(wanted - taken + base) - base + taken, np.int64)
