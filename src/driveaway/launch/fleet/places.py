"""City of a position, for landing: the position itself goes no further."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.launch.functions import folder_places
from driveaway.updates.places.index import PlaceIndex
from driveaway.updates.places.packaged import packaged_places
from driveaway.updates.places.place import SCALE, kind_of


class Cities:
    """Names of the cities that positions lie in, by the packaged places and those of the launch.

    The places are read when the first position is asked about.

    Args:
        folder: the launch folder, whose functions.toml may give places.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _index(self) -> PlaceIndex:
        places = {**packaged_places(), **folder_places(self._folder)}
        return PlaceIndex(place for code, place in sorted(places.items()) if kind_of(code) == "city")

    def __call__(self, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> pa.Array:
        """The city of each position in degrees, WGS-84; null outside of all. Of two the first by code."""
        index = self._index
        x, y = (np.rint(degrees * SCALE).astype(np.int64) for degrees in (longitude, latitude))
        found = index.locate(x, y)
        rows, first = np.unique(found.positions, return_index=True)
        city = np.full(len(latitude), -1, np.int32)
        city[rows] = found.places[first]
        names = pa.array([place.name or place.code.partition(":")[2] for place in index.places], pa.string())
        return names.take(pa.array(city, mask=city < 0))
