"""Drives as rows of trips: a stretch in town, one on the highway, and the parking at the end."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo.facts_of_cars import Handovers
from driveaway.demo.places import Places
from driveaway.demo.trips import assisting
from driveaway.demo.trips.drives import Drives
from driveaway.demo.trips.habits import Flags, Floats, Ints
from driveaway.demo.updates.builds import AS_BUILT
from driveaway.facts.description import Description
from driveaway.fleet.columns import TRIPS

FUNCTIONS: Final = ("lane_centring", "highway_pilot", "parking")
"""Those that the cars had at the handover, as ``launch.toml`` names them; by kind of segment."""
_LEVEL: Final = 2
_TOWN, _HIGHWAY, _PARKING = 0, 1, 2
_CONSUMPTION: Final = (1.15, 1.40, 2.0)
"""Times what the trim declares. By tests in the public record 1.24 on a mixed route (Max) and 1.41 on the
highway (Standard)."""
_NOT_REPORTED: Final = 0.004
"""Segments without energy."""
_OVERRIDES: Final = (4e-5, 1.2e-5, 0.0)
_DEACTIVATIONS: Final = (8e-6, 2.5e-6, 0.0)
"""A metre with assistance."""
_DELIVERED_AT_M: Final = (12_000, 55_000)
"""Odometer at the handover."""


class Known:
    """What is known of the cars.

    Attributes:
        vins: by car.
        declared: Wh/km that the trim declares, by car.
        cities: names.
    """

    def __init__(self, description: Description, handovers: Handovers, places: Places) -> None:
        self.vins = handovers.vins
        declared = [
            trim.battery_wh / trim.range_m * 1000 if trim.battery_wh and trim.range_m else 130.0
            for trim in description.trims
        ]
        self.declared: Floats = np.array(declared)[handovers.trims]
        self.cities = [city.name for city in places.cities]


def segments_of(
    rng: Generator,
    drives: Drives,
    users: Flags,
    arrived: Flags,
    longest: Ints,
    known: Known,
    scale: float,
) -> tuple[pa.Table, Ints]:
    """Rows in order of car and start, and which drive each belongs to.

    Args:
        rng: what is drawn from.
        drives: in order of car and start.
        users: by car.
        arrived: which drives are known at the end.
        longest: metres with assistance of the drives of the longest day, else 0.
        known: of the cars.
        scale: size of the demo.
    """
    count = len(drives.car)
    in_town, on_highway, parked = assisting.engage(rng, drives, users, arrived)
    of_record = longest > 0
    in_town &= ~of_record
    on_highway |= of_record
    parked[of_record] = 0
    parking_s = np.where(parked > 0, rng.integers(*assisting.PARKING_SECONDS, count), 0)

    # Shape (drives, 3): in town, on the highway, parking.
    metres = np.column_stack((drives.town_m, drives.highway_m, parked))
    seconds = np.column_stack((drives.town_s, drives.highway_s, parking_s))
    engaged = np.column_stack((in_town, on_highway, parked > 0))
    starts = drives.start[:, None] + np.cumsum(seconds, axis=1) - seconds
    number = np.cumsum(metres > 0, axis=1) - 1
    drive, kind = np.nonzero(metres > 0)
    metres, seconds, start = metres[drive, kind], seconds[drive, kind], starts[drive, kind]
    engaged, car = engaged[drive, kind], drives.car[drive]
    fixed = np.where(kind == _HIGHWAY, longest[drive], 0) + np.where(kind == _PARKING, metres, 0)
    assisted = assisting.assisted_metres(rng, metres, engaged, kind == _HIGHWAY, fixed, arrived[drive], scale)
    noise = rng.uniform(0.85, 1.15, len(car))
    energy = (metres * known.declared[car] * np.array(_CONSUMPTION)[kind] * noise / 1000).astype(np.int64)
    columns: dict[str, pa.Array] = {
        "vin": pa.array(known.vins, pa.string()).take(pa.array(car)),
        "trip": pa.array(_counters(drives.car)[drive]),
        "segment": pa.array(number[drive, kind].astype(np.int32)),
        "start": pa.array(start * 1_000_000),
        "end": pa.array((start + seconds) * 1_000_000),
        "distance_m": pa.array(metres),
        "assisted_m": pa.array(assisted),
        "function": pa.array(FUNCTIONS, pa.string()).take(pa.array(kind, mask=~engaged)),
        "level": pa.array(np.full(len(car), _LEVEL, np.int8), mask=~engaged),
        "driver_overrides": pa.array(_events(rng, assisted, kind, _OVERRIDES)),
        "system_deactivations": pa.array(_events(rng, assisted, kind, _DEACTIVATIONS)),
        "energy_wh": pa.array(energy, mask=rng.random(len(car)) < _NOT_REPORTED),
        "odometer_m": pa.array(_odometers(rng, car, metres, len(known.vins))),
        "software": pa.array([AS_BUILT], pa.string()).take(pa.array(np.zeros(len(car), np.int8))),
        "city": pa.array(known.cities, pa.string()).take(pa.array(drives.city[drive])),
        "cell": pa.nulls(len(car), pa.string()),
        "simulated": pa.array(np.ones(len(car), np.bool_)),
    }
    return pa.table(columns, schema=TRIPS), drive


def _counters(car: Ints) -> Ints:
    """Each car's own count of trips, from 1; rows in order of car."""
    rows = np.arange(len(car))
    first = np.append(True, np.diff(car) > 0)[: len(car)]
    return np.asarray(rows - np.maximum.accumulate(np.where(first, rows, 0)) + 1, np.int64)


def _odometers(rng: Generator, car: Ints, metres: Ints, cars: int) -> Ints:
    """Metres in the car's life at the end of each row."""
    run = np.cumsum(metres)
    first = np.searchsorted(car, np.arange(cars), "left")
    before = np.append(0, run)[first]
    return np.asarray(rng.integers(*_DELIVERED_AT_M, cars)[car] + run - before[car], np.int64)


def _events(rng: Generator, assisted: Ints, kind: Ints, rates: tuple[float, ...]) -> NDArray[np.int32]:
    return np.asarray(rng.poisson(assisted * np.array(rates)[kind]), np.int32)
