"""Who drives with assistance, and how far: drawn so that it passes through the public record.

By 24 April 2024 more than 79% of the owners used it, more than 600,000 km had been driven with it, and one
car had driven 1,400 km with it in a day (China Securities Journal, 25 April 2024). Everything else about it
is an assumption: which functions, on which trips, how often drivers or systems end it.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo.trips.drives import Drives
from driveaway.demo.trips.habits import Flags, Floats, Ints

USERS: Final = 0.7925
"""Of the cars that were delivered; said: more than 79%."""
ASSISTED_KM: Final = 621_000
"""Since the first handover, at scale 1; said: more than 600,000."""
MOST_M: Final = 1_400_000
"""Of one car in one day; said: 1,400 km."""
HIGHEST_SHARE: Final = 0.97
_LEAST_M: Final = 40
_TOWN, _HIGHWAY = 0.5, (0.5, 0.45)
_PARKS: Final = 0.3
_PARKING_M: Final = (12, 45)
PARKING_SECONDS: Final = (25, 70)
_LEGS: Final = 5
_BREAK: Final = (1_700, 2_200)
"""Seconds: as long as it takes to charge some 50 kWh."""
_LEAVES: Final = 5 * 3_600 + 1_200
"""20 minutes past five."""


def choose_users(rng: Generator, arrived: Drives, cars: int) -> Flags:
    """Just as many cars as it takes; whoever drives more is likelier to be one of them.

    Args:
        rng: what is drawn from.
        arrived: the drives that are known at the end of the record.
        cars: how many were delivered.
    """
    metres = np.bincount(arrived.car, arrived.town_m + arrived.highway_m, cars)
    weight = np.sqrt(metres)
    wanted = min(ceil(USERS * cars), int((weight > 0).sum()))
    chosen = np.zeros(cars, np.bool_)
    chosen[rng.choice(cars, wanted, replace=False, p=weight / weight.sum())] = True
    return chosen


def engage(rng: Generator, drives: Drives, users: Flags, arrived: Flags) -> tuple[Flags, Flags, Ints]:
    """Where users engage a function: in town, on the highway, and metres of parking (0: parked by hand).

    Every user does so on one drive at least of those that have arrived.
    """
    count, user = len(drives.car), users[drives.car]
    keen = rng.beta(2.2, 1.6, len(users))[drives.car]
    town = user & (rng.random(count) < _TOWN * keen)
    highway = user & (drives.highway_m > 0) & (rng.random(count) < _HIGHWAY[0] + _HIGHWAY[1] * keen)
    parking = np.where(user & (rng.random(count) < _PARKS * keen), rng.integers(*_PARKING_M, count), 0)
    idle = users & (np.bincount(drives.car, (town | highway) & arrived, len(users)) == 0)
    # Of those who did not, the longest drive that has arrived.
    rows = np.flatnonzero(idle[drives.car] & arrived)
    rows = rows[np.lexsort((drives.town_m[rows] + drives.highway_m[rows], drives.car[rows]))]
    last = np.append(np.diff(drives.car[rows]) > 0, True)[: len(rows)]
    town[rows[last]] = True
    return town, highway, parking


def assisted_metres(
    rng: Generator, metres: Ints, engaged: Flags, highway: Flags, fixed: Ints, counted: Flags, scale: float
) -> Ints:
    """Metres of each segment with its function engaged; those that count sum to the record's number.

    Args:
        rng: what is drawn from.
        metres: of each segment.
        engaged: where a function was used.
        highway: which segments are on a highway.
        fixed: assisted metres that are known already, else 0.
        counted: which are known at the end of the record.
        scale: size of the demo.
    """
    drawn = np.where(highway, rng.beta(6.0, 1.6, len(metres)), rng.beta(2.0, 2.4, len(metres)))
    free = engaged & (fixed == 0)
    weights = np.where(free, metres, 0).astype(np.float64)
    wanted = ASSISTED_KM * 1000 * scale - float(fixed[counted].sum())

    def shares(factor: float) -> Floats:
        return np.minimum(drawn * factor, HIGHEST_SHARE)

    low, high = 0.0, 64.0
    for _ in range(60):
        middle = (low + high) / 2
        if float((weights * shares(middle))[counted].sum()) < wanted:
            low = middle
        else:
            high = middle
    out = np.maximum((weights * shares(high)).astype(np.int64), np.minimum(_LEAST_M, metres))
    return np.where(free, out, fixed)


def longest_day(
    rng: Generator, drives: Drives, users: Flags, able: Flags, midnight: int
) -> tuple[Drives, Drives, NDArray[np.int64]] | None:
    """One car's day with 1,400 km of assistance: five legs on highways, with breaks to charge between them.

    Args:
        rng: what is drawn from.
        drives: all drives.
        users: who uses assistance.
        able: cars that may be chosen.
        midnight: seconds since 1970 at which the local day begins.

    Returns:
        The drives without the others of that car and day, its legs, and the legs' assisted metres; None
        where no car can be chosen.
    """
    # A car that is nowhere else around the day.
    end = drives.end
    near = (drives.start < midnight + 86_400) & (end > midnight - 6 * 3_600)
    outside = near & ((drives.start < midnight) | (end > midnight + 86_400))
    able = able & users
    able[drives.car[outside]] = False
    if not able.any():
        return None
    car = int(rng.choice(np.flatnonzero(able)))
    share = rng.uniform(0.97, 1.03, _LEGS)
    assisted = np.floor(share / share.sum() * MOST_M).astype(np.int64)
    assisted[-1] += MOST_M - int(assisted.sum())
    highway = (assisted / rng.uniform(0.975, 0.99, _LEGS)).astype(np.int64)
    town = rng.integers(2_500, 5_500, _LEGS)
    town_s = (town / 1000 / rng.uniform(30, 42, _LEGS) * 3600).astype(np.int64)
    highway_s = (highway / 1000 / rng.uniform(106, 112, _LEGS) * 3600).astype(np.int64)
    pause = rng.integers(*_BREAK, _LEGS)
    start = midnight + _LEAVES + np.cumsum(town_s + highway_s + pause) - (town_s + highway_s + pause)
    own = drives.car == car
    cities = drives.city[own][:1].repeat(_LEGS)
    legs = Drives(np.full(_LEGS, car), start, town, highway, town_s, highway_s, cities)
    return drives.only(np.flatnonzero(~(own & near))), legs, assisted
