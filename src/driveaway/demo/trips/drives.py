"""The simulated cars' trips in columns, before anything is assisted: when, how far, how fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.random import Generator

from driveaway.demo.facts_of_cars import Handovers
from driveaway.demo.trips import habits
from driveaway.demo.trips.habits import HIGHWAY_KM, LONGEST_KM, Floats, Ints
from driveaway.facts.planning import Calendar

_DAY: Final = 86_400
_SECOND: Final = 1_000_000
_TRIPS: Final = 2.5
"""A day and car."""
_KM: Final = (6.5, 0.9)
"""Of a trip in town, median and spread of the logarithm."""
_OWNER: Final = 0.4
"""Spread of the logarithm of owners' distances."""
_LONG: Final = (0.05, 0.10)
"""Share of trips that are ten times as long: on working days, on free ones."""
_FIRST: Final = (1_800, 6_000)
"""Seconds from the handover until the car is driven home."""
_GAP: Final = 300
_AWAY: Final = 0.04
"""Days on which a car is in another city."""


@dataclass
class Drives:
    """Trips in order of car and start; each row is one.

    Attributes:
        car: index of the car.
        start: seconds since 1970 UTC.
        town_m, highway_m: metres at first in town, then on a highway (0: none).
        town_s, highway_s: seconds that these take.
        city: index where it begins.
    """

    car: Ints
    start: Ints
    town_m: Ints
    highway_m: Ints
    town_s: Ints
    highway_s: Ints
    city: Ints

    @property
    def end(self) -> Ints:
        """Seconds since 1970 UTC."""
        return self.start + self.town_s + self.highway_s

    def only(self, rows: Ints) -> Drives:
        """Some rows, in the order given."""
        return Drives(**{name: column[rows] for name, column in vars(self).items()})

    def joined(self, other: Drives) -> Drives:
        """Both, in order of car and start."""
        both = Drives(
            **{name: np.concatenate((column, vars(other)[name])) for name, column in vars(self).items()}
        )
        return both.only(np.lexsort((both.start, both.car)))


def make_drives(
    rng: Generator, handovers: Handovers, weights: Floats, midnight: Ints, days: list[date], free: list[bool]
) -> Drives:
    """Every trip from the handovers to the last day.

    Args:
        rng: what is drawn from.
        handovers: the cars.
        weights: of the cities, for cars that are elsewhere.
        midnight: seconds since 1970 UTC at which each local day begins.
        days: the local days.
        free: whether each is a day off work.
    """
    cars = len(handovers.vins)
    handed = handovers.at // _SECOND
    handed_day = np.searchsorted(midnight, handed, "right") - 1
    owner = rng.lognormal(0.0, _OWNER, cars)
    busy = rng.gamma(6.0, 1 / 6.0, cars)

    # One row for each car and day, then one for each trip; the drive home comes first.
    per_car = len(days) - handed_day
    of = np.repeat(np.arange(cars), per_car)
    day = np.arange(len(of)) - np.repeat(np.cumsum(per_car) - per_car - handed_day, per_car)
    home = day == handed_day[of]
    left = np.where(home, (midnight[day] + _DAY - handed[of]) / _DAY * 0.6, 1.0)
    count = rng.poisson(_TRIPS * busy[of] * left) + home
    away = rng.random(len(of)) < _AWAY
    city = np.where(away & ~home, rng.choice(len(weights), len(of), p=weights), handovers.cities[of])

    rows = np.repeat(np.arange(len(of)), count)
    car, at = of[rows], day[rows]
    place = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    off = np.array(free)[at]
    rhythms = [habits.quarters(hours) for hours in (habits.WEEKDAY, habits.WEEKEND)]
    drawn = [habits.draw_seconds(rng, rhythm, len(rows)) for rhythm in rhythms]
    second = np.where(off, drawn[1], drawn[0])
    first = handed[car] - midnight[at] + rng.integers(*_FIRST, len(rows))
    # What would begin before the drive home is driven after it, in the evening.
    later = first + (rng.random(len(rows)) * np.maximum(_DAY - 1_800 - first, 1)).astype(np.int64)
    second = np.where(home[rows], np.where(place == 0, first, np.maximum(second, later)), second)

    km = rng.lognormal(np.log(_KM[0]), _KM[1], len(rows)) * owner[car]
    km *= np.where(rng.random(len(rows)) < np.array(_LONG)[off.astype(int)], 10.0, 1.0)
    metres = (np.clip(km, 0.3, LONGEST_KM) * 1000).astype(np.int64)
    long = metres > HIGHWAY_KM * 1000
    approach = (rng.uniform(2.5, 9.0, len(rows)) * 1000).astype(np.int64)
    town = np.where(long, approach, metres)
    highway = metres - town
    town_s = town / 1000 / habits.town_speed(town / 1000) * 3600 * rng.uniform(0.85, 1.2, len(rows))
    highway_s = highway / 1000 / rng.uniform(78.0, 108.0, len(rows)) * 3600

    wanted = midnight[at] + second
    order = np.lexsort((wanted, car))
    drives = Drives(
        car=car,
        start=wanted,
        town_m=town,
        highway_m=highway,
        town_s=np.maximum(30, town_s.astype(np.int64)),
        highway_s=highway_s.astype(np.int64),
        city=city[rows],
    ).only(order)
    taken = drives.town_s + drives.highway_s
    gap = np.full(len(order), _GAP)
    drives.start = habits.one_after_another(drives.car, drives.start, taken, gap)
    return drives


def day_off(day: date, calendar: Calendar) -> bool:
    """Whether people do not work: weekends and holidays, less the days worked in exchange."""
    if day.isoformat() in calendar.working_days:
        return False
    if day.weekday() >= 5:
        return True
    text = day.isoformat()
    return any(h.from_day <= text <= (h.until_day or h.from_day) for h in calendar.holidays)


def day_range(first: date, last: date) -> list[date]:
    """Both and all between."""
    return [first + timedelta(days) for days in range((last - first).days + 1)]
