"""What every car said last: one record a car, so that a look at a car is one look into memory."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled
from driveaway.fleet.landing.loops.rows import Rows

UNKNOWN: Final = -(2**63)
"""A time or a number that no car said."""
NOWHERE: Final = -(2**15)
"""A latitude that no car said."""
NEVER: Final = 2**63 - 1
"""Handover of a car that was not handed over."""

CAR: Final = np.dtype([
    ("high", "<u8"), ("low", "<u8"), ("handover", "<i8"), ("end", "<i8"), ("trip", "<i8"),
    ("odometer", "<i8"), ("odometer_at", "<i8"), ("place_at", "<i8"),
    ("segment", "<i4"), ("latitude", "<i2"), ("longitude", "<i2"),
])  # fmt: skip
"""A car: its VIN as two integers; the day of its handover; the latest end, the highest trip and segment, the
latest odometer and place of what it landed. Times in microseconds since 1970 UTC, places in tenths of a
degree."""
Cars = NDArray[Any]


@compiled
def new_car(cars: Cars, number: int, high: np.uint64, low: np.uint64) -> None:
    """Begin a record."""
    car = cars[number]
    car.high, car.low = high, low
    car.handover = NEVER
    car.end = car.odometer = car.odometer_at = car.place_at = UNKNOWN
    car.trip, car.segment = -1, -1
    car.latitude, car.longitude = NOWHERE, 0


@compiled
def absorb(
    which: NDArray[np.int64],
    numbers: NDArray[np.int32],
    of: Rows,
    latitude: NDArray[np.int16],
    longitude: NDArray[np.int16],
    cars: Cars,
) -> None:
    """Take over what landed rows say last, in whatever order they come."""
    for row in which:
        car = cars[numbers[row]]
        trip, segment, end = of.trip[row], of.segment[row], of.end[row]
        if trip > car.trip or (trip == car.trip and segment > car.segment):
            car.trip, car.segment = trip, segment
        if end > car.end:
            car.end = end
        if of.has_odometer[row] and end > car.odometer_at:
            car.odometer_at, car.odometer = end, of.odometer[row]
        if latitude[row] != NOWHERE and of.start[row] > car.place_at:
            car.place_at = of.start[row]
            car.latitude, car.longitude = latitude[row], longitude[row]


@compiled
def hand_over(numbers: NDArray[np.int32], at: NDArray[np.int64], cars: Cars, known: int) -> None:
    """Enter the handovers of cars; of two the first counts, and who is not named has none."""
    for number in range(known):
        cars[number].handover = NEVER
    for entry in range(len(numbers)):
        if numbers[entry] >= 0:
            car = cars[numbers[entry]]
            car.handover = min(car.handover, at[entry])
