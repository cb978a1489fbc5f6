"""What every car said last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.landing.loops.compiled import compiled
from driveaway.fleet.landing.loops.rows import Rows


class Last(NamedTuple):
    """One entry for each car; places are in tenths of a degree."""

    trip: NDArray[np.int64]
    segment: NDArray[np.int32]
    end: NDArray[np.int64]
    odometer: NDArray[np.int64]
    odometer_at: NDArray[np.int64]
    latitude: NDArray[np.int16]
    longitude: NDArray[np.int16]
    place_at: NDArray[np.int64]


@compiled
def absorb(which: NDArray[np.int64], car: NDArray[np.int32], of: Rows, last: Last) -> None:
    """Take over what landed rows say last, in whatever order they come."""
    for row in which:
        number = car[row]
        trip, segment, end = of.trip[row], of.segment[row], of.end[row]
        if trip > last.trip[number] or (trip == last.trip[number] and segment > last.segment[number]):
            last.trip[number], last.segment[number] = trip, segment
        if end > last.end[number]:
            last.end[number] = end
        if of.has_odometer[row] and end > last.odometer_at[number]:
            last.odometer_at[number], last.odometer[number] = end, of.odometer[row]
