"""A simulated fleet's drives, one local day at a time, in the columns of ``fleet.columns.TRIPS``.

Every part is an assumption: hours by a daily rhythm of weekdays and weekends, metres lognormal, speed that
grows with distance, functions by trim, energy near what the trims declare. No two segments of a car
overlap, odometers agree with the metres, and the same seed makes the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from bench.fleet.cars import WH_PER_KM, Cars, make_cars, texts
from driveaway.demo.places import read_places
from driveaway.demo.trips import habits
from driveaway.fleet.columns import TRIPS

Ints = NDArray[np.int64]

FUNCTIONS: Final = ("lane_centring", "highway_pilot", "city_navigation", "parking")
LEVEL: Final = 2
_PARKING: Final = 3
SOFTWARE: Final = ("2024.6.1", "2024.7.1", "2024.8.1", "2024.9.1")
_RELEASED: Final = (-1_000, 7, 35, 63)
"""Days from the first one on."""
MOST: Final = 14
"""Segments of one car in one day."""
_CONTINUES: Final = 0.18
_AWAY: Final = 0.05
_GAP: Final = 90
"""Seconds between trips, at least."""
_BUSY: Final = (1.0, 1.0, 1.0, 1.02, 1.1, 1.0, 0.85)
"""By weekday from Monday."""


class Fleet:
    """Makes drives; days must be asked for in order, since odometers and clocks go on.

    Args:
        rows: in all, met exactly.
        cars, days: how many.
        first: local day of the first drive.
    """

    def __init__(
        self, rows: int, cars: int, days: int, first: date, seed: int = 1, zone: str = "Asia/Shanghai"
    ) -> None:
        streams = SeedSequence(seed).spawn(2)
        places = read_places()
        self.cities = [city.name for city in places.cities]
        self.cars: Cars = make_cars(Generator(PCG64(streams[0])), cars, days, places.weights(), first.year)
        self.days, self.first, self._zone = days, first, ZoneInfo(zone)
        self._rng = Generator(np.random.SFC64(streams[1]))
        weights = np.array([self._weight(day) for day in range(days)])
        upto = np.round(np.cumsum(weights) / weights.sum() * rows).astype(np.int64)
        self.rows = np.diff(upto, prepend=0)
        """By day."""
        self._free = np.zeros(cars, np.int64)
        self._trips = np.zeros(cars, np.int64)
        self._odometer = self.cars.odometer.copy()
        self._hours = [habits.quarters(hours) for hours in (habits.WEEKDAY, habits.WEEKEND)]

    def _weight(self, day: int) -> float:
        on_road = self.cars.handed < day
        return float(self.cars.rate[on_road].sum()) * _BUSY[(self.first + timedelta(day)).weekday()]

    def day(self, day: int) -> pa.Table:
        """The drives that begin on one day (a few at its end are pushed past midnight), by car and start."""
        return self.encoded(day).cast(TRIPS)

    def encoded(self, day: int) -> pa.Table:
        """The same with names as Arrow dictionaries, which is faster to write."""
        rng, cars = self._rng, self.cars
        counts = self._counts(day)
        car = np.repeat(np.arange(len(cars)), counts)
        total = len(car)
        first = np.cumsum(counts) - counts
        place = np.arange(total) - first[car]
        trim = cars.trim[car]

        follows = (place > 0) & (rng.random(total, np.float32) < _CONTINUES)
        engaged = rng.random(total, np.float32) < cars.uses[car]
        metres = self._metres(total)
        kinds = _functions(rng.random(total, np.float32), trim, metres)
        parks = engaged & (kinds == _PARKING)
        metres[parks] = 15 + metres[parks] % 60
        function = np.where(engaged, kinds, -1).astype(np.int8)
        part = 0.3 + 0.65 * rng.random(total, np.float32)
        part[parks] = 1.0
        assisted = np.where(engaged, (metres * part).astype(np.int64), 0)
        seconds = _seconds(metres, parks, rng.random(total, np.float32))

        start = self._starts(day, car, follows, seconds, counts, first)
        segment, trip = self._numbers(car, follows, counts, first)
        odometer = self._odometers(car, metres, counts)
        away = rng.random(total, np.float32) < _AWAY
        city = np.where(away, rng.integers(0, len(self.cities), total, np.int16), cars.city[car])
        wh = metres * (WH_PER_KM[trim] * (0.8 + 0.5 * rng.random(total, np.float32))) / 1000
        late = np.zeros(total, np.int8)
        for release in _RELEASED[1:]:
            late += day >= release + cars.upgraded[car]
        overrides, deactivations = self._interventions(assisted)
        return self._table(
            car, trip, segment, start, start + seconds, metres, assisted, function,
            overrides, deactivations, wh.astype(np.int64), odometer, late, city,
        )  # fmt: skip

    def _counts(self, day: int) -> Ints:
        rng, cars = self._rng, self.cars
        wanted = int(self.rows[day])
        rate = np.where(cars.handed < day, cars.rate, np.float32(0))
        counts = np.minimum(rng.poisson(rate * (wanted / max(1e-9, float(rate.sum())))), MOST)
        while (missing := wanted - int(counts.sum())) != 0:
            able = np.flatnonzero((rate > 0) & (counts < MOST) if missing > 0 else counts > 0)
            if not len(able):
                raise ValueError(f"{wanted} segments a day are too many for {len(cars)} cars")
            chosen = rng.choice(able, min(abs(missing), len(able)), replace=False)
            counts[chosen] += np.sign(missing)
        return counts

    def _metres(self, total: int) -> Ints:
        """A median of 6.5 km; one in twenty-five is ten times as long; at most 400 km."""
        rng = self._rng
        size = np.exp(np.float32(0.9) * rng.standard_normal(total, np.float32) + np.float32(np.log(6_500)))
        size[rng.random(total, np.float32) < 0.04] *= 10
        return np.clip(size, 150, 400_000).astype(np.int64)

    def _starts(
        self, day: int, car: Ints, follows: NDArray[np.bool_], seconds: Ints, counts: Ints, first: Ints
    ) -> Ints:
        """Seconds since 1970 at which segments begin: by the rhythm, each after the one before."""
        rng = self._rng
        local = self.first + timedelta(day)
        midnight = int(datetime(local.year, local.month, local.day, tzinfo=self._zone).timestamp())
        hours = self._hours[local.weekday() >= 5]
        drawn = hours[rng.integers(0, len(hours), len(car), np.uint16)] + rng.integers(0, 900, len(car))
        start = (np.sort((car << 20) | drawn) & 0xFFFFF) + midnight
        busy = np.flatnonzero(counts)
        start[follows] = midnight
        opening = first[busy]
        start[opening] = np.maximum(start[opening], self._free[busy] + _GAP)
        start = habits.one_after_another(car, start, seconds, np.where(follows, 0, _GAP))
        closing = opening + counts[busy] - 1
        self._free[busy] = start[closing] + seconds[closing]
        return start

    def _numbers(self, car: Ints, follows: NDArray[np.bool_], counts: Ints, first: Ints) -> tuple[Ints, Ints]:
        """Segment within the trip, and the car's counter of trips."""
        rows = np.arange(len(car))
        opened = np.maximum.accumulate(np.where(follows, 0, rows))
        begun = np.cumsum(~follows)
        busy = np.flatnonzero(counts)
        trip = begun - (begun[first[busy]] - 1).repeat(counts[busy]) + self._trips[car]
        self._trips[busy] = trip[first[busy] + counts[busy] - 1]
        return rows - opened, trip

    def _odometers(self, car: Ints, metres: Ints, counts: Ints) -> Ints:
        run = np.cumsum(metres)
        ends = np.cumsum(counts)
        before = np.concatenate((np.zeros(1, np.int64), run))[ends - counts]
        out = self._odometer[car] + run - before[car]
        self._odometer += np.concatenate((np.zeros(1, np.int64), run))[ends] - before
        return out

    def _interventions(self, assisted: Ints) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Driver overrides and system deactivations: 2 and 0.4 in 100 km with a function engaged."""
        out = np.zeros((2, len(assisted)), np.int32)
        rows = np.flatnonzero(assisted)
        for column, rate in enumerate((2e-5, 4e-6)):
            out[column, rows] = self._rng.poisson(assisted[rows] * rate)
        return out[0], out[1]

    def _table(
        self, car: Ints, trip: Ints, segment: Ints, start: Ints, end: Ints, metres: Ints, assisted: Ints,
        function: NDArray[np.int8], overrides: NDArray[np.int32], deactivations: NDArray[np.int32],
        energy: Ints, odometer: Ints, software: NDArray[np.int8], city: NDArray[np.int16],
    ) -> pa.Table:  # fmt: skip
        total = len(car)
        none = function < 0
        columns: dict[str, pa.Array] = {
            "vin": texts(self.cars.vins[car]),
            "trip": pa.array(trip),
            "segment": pa.array(segment.astype(np.int32)),
            "start": pa.array(start * 1_000_000),
            "end": pa.array(end * 1_000_000),
            "distance_m": pa.array(metres),
            "assisted_m": pa.array(assisted),
            "function": _named(function, FUNCTIONS, none),
            "level": pa.array(np.full(total, LEVEL, np.int8), mask=none),
            "driver_overrides": pa.array(overrides),
            "system_deactivations": pa.array(deactivations),
            "energy_wh": pa.array(energy),
            "odometer_m": pa.array(odometer),
            "software": _named(software, SOFTWARE),
            "city": _named(city, self.cities),
            "cell": pa.nulls(total, pa.string()),
            "simulated": pa.array(np.ones(total, np.bool_)),
        }
        fields = [TRIPS.field(name).with_type(column.type) for name, column in columns.items()]
        return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields))


def _functions(drawn: NDArray[np.float32], trim: NDArray[np.int8], metres: Ints) -> NDArray[np.int8]:
    """Parking in one of eight; on long drives the highway pilot; in town what the trim offers."""
    town = np.where((trim > 0) & (drawn > 0.5), 2, 0)
    return np.where(drawn < 0.125, _PARKING, np.where(metres > 25_000, 1, town)).astype(np.int8)


def _seconds(metres: Ints, parks: NDArray[np.bool_], drawn: NDArray[np.float32]) -> Ints:
    """At 15 km/h and up, the faster the farther, at most 115 km/h; parking at 4 km/h."""
    km = (metres / 1000).astype(np.float32)
    speed = np.clip((14 + 16 * np.log1p(km)) * (0.8 + 0.4 * drawn), 10, 115)
    speed[parks] = 4
    return np.maximum(5, km / speed * 3600).astype(np.int64)


def _named(codes: NDArray[np.integer], names: Sequence[str], none: object = None) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=none), pa.array(list(names), pa.string()))
