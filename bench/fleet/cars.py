"""The cars of a simulated fleet in columns: VINs with check digits, trims, cities, handovers, habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.values.ids import _VIN_VALUE, _VIN_WEIGHT, VIN_YEARS

TRIMS: Final = ("Standard", "Pro", "Max")
_TRIM_SHARES: Final = (0.35, 0.3, 0.35)
WH_PER_KM: Final = np.array([128.0, 134.0, 146.0], np.float32)
"""By trim, at city speed."""
_MANUFACTURER: Final = "L00"
_PLANT: Final = "0"
_BEFORE: Final = 0.8
"""Cars handed over before the first day; the others follow in the first two thirds of the days."""
USERS: Final = 0.8
"""Owners who ever use assistance."""

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cars:
    """Cars in order of VIN; every array has a row for each.

    Attributes:
        vins: ASCII codes, shape (cars, 17).
        trim, city: indexes.
        handed: local day of the handover, counted from the first day of trips; below 0: before it.
        upgraded: days by which an update reaches it after it was released.
        rate: segments a day, before scaling.
        uses: the part of segments in which the owner engages a function.
        odometer: metres at the beginning.
    """

    vins: NDArray[np.uint8]
    trim: NDArray[np.int8]
    city: NDArray[np.int16]
    handed: NDArray[np.int32]
    upgraded: NDArray[np.int32]
    rate: NDArray[np.float32]
    uses: NDArray[np.float32]
    odometer: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.trim)


def make_cars(rng: Generator, count: int, days: int, cities: NDArray[np.float64], year: int) -> Cars:
    """A fleet of so many cars; ``cities`` are their weights."""
    trim = np.sort(rng.choice(len(TRIMS), count, p=_TRIM_SHARES).astype(np.int8))
    vins = _vins(trim, year)
    order = np.argsort(vins.view("S17").ravel(), kind="stable")
    late = rng.random(count) >= _BEFORE
    handed = np.where(late, rng.integers(0, max(1, 2 * days // 3), count), -rng.integers(1, 400, count))
    uses = np.where(rng.random(count) < USERS, rng.beta(2.0, 2.5, count), 0.0)
    return Cars(
        vins=vins[order],
        trim=trim[order],
        city=rng.choice(len(cities), count, p=cities / cities.sum()).astype(np.int16),
        handed=handed.astype(np.int32),
        upgraded=np.minimum(rng.exponential(4.0, count), 60).astype(np.int32),
        rate=rng.gamma(4.0, 0.25, count).astype(np.float32),
        uses=uses.astype(np.float32),
        odometer=np.where(late, 20_000, -handed * 38_000).astype(np.int64),
    )


def _vins(trim: NDArray[np.int8], year: int) -> NDArray[np.uint8]:
    """Numbers as the demo makes them: maker, ``DEM``, millions, trim, check digit, year, plant, serial."""
    count = len(trim)
    serial = np.arange(1, count + 1, dtype=np.int64)
    out = np.empty((count, 17), np.uint8)
    out[:, :6] = np.frombuffer(f"{_MANUFACTURER}DEM".encode(), np.uint8)
    out[:, 6] = serial // 1_000_000 + ord("0")
    out[:, 7] = trim + ord("0")
    out[:, 9] = ord(VIN_YEARS[(year - 2010) % 30])
    out[:, 10] = ord(_PLANT)
    for place in range(6):
        out[:, 16 - place] = serial // 10**place % 10 + ord("0")
    value = np.zeros(256, np.int64)
    for character, number in _VIN_VALUE.items():
        value[ord(character)] = number
    out[:, 8] = ord("0")
    check = (value[out] * np.array(_VIN_WEIGHT)).sum(axis=1) % 11
    out[:, 8] = np.frombuffer(b"0123456789X", np.uint8)[check]
    return out


def texts(characters: NDArray[np.uint8]) -> pa.Array:
    """Arrow strings of rows of ASCII codes, without a Python object for each."""
    count, width = characters.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    data = np.ascontiguousarray(characters)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))
