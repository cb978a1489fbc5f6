"""Every car that was seen: a number, and what it said last."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.fleet.landing.loops.cars import Last
from driveaway.fleet.landing.loops.rows import NEVER
from driveaway.fleet.landing.loops.vins import fill_slots, number_cars

NONE: Final = -(2**63)
"""A number that is not known."""
STATE: Final = np.dtype([
    ("high", "<u8"), ("low", "<u8"), ("last_trip", "<i8"), ("last_segment", "<i4"), ("last_end", "<i8"),
    ("odometer", "<i8"), ("odometer_at", "<i8"),
    ("latitude", "<i2"), ("longitude", "<i2"), ("place_at", "<i8"),
])  # fmt: skip
"""What the index keeps of a car on disk. Places are in tenths of a degree."""
_FIRST: Final = {"last_trip": -1, "last_segment": -1, "last_end": NONE, "odometer": NONE, "odometer_at": NONE,
                 "latitude": 0, "longitude": 0, "place_at": NONE}  # fmt: skip


class Cars:
    """Numbers of cars, and one array for each thing that is known of them.

    Attributes:
        count: how many.
        high, low: their VINs.
        handover: microseconds since 1970 UTC; ``NEVER`` where none is known.
        rank: place of each car in the order of VINs.
        (the others as in ``STATE``)
    """

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    last_trip: NDArray[np.int64]
    last_segment: NDArray[np.int32]
    last_end: NDArray[np.int64]
    odometer: NDArray[np.int64]
    odometer_at: NDArray[np.int64]
    latitude: NDArray[np.int16]
    longitude: NDArray[np.int16]
    place_at: NDArray[np.int64]
    handover: NDArray[np.int64]

    def __init__(self, stored: NDArray[np.void] | None = None) -> None:
        self.count = 0 if stored is None else len(stored)
        room = max(1024, 2 * self.count)
        for name in STATE.names or ():
            column = np.full(room, _FIRST.get(name, 0), STATE[name])
            if stored is not None:
                column[: self.count] = stored[name]
            setattr(self, name, column)
        self.handover = np.full(room, NEVER, np.int64)
        self._slots = self._filled(4 * room)
        self._rank = np.empty(0, np.int32)

    def _filled(self, slots: int) -> NDArray[np.int32]:
        table = np.full(1 << (slots - 1).bit_length(), -1, np.int32)
        fill_slots(self.high, self.low, self.count, table)
        return table

    def numbers(
        self, high: NDArray[np.uint64], low: NDArray[np.uint64], code: NDArray[np.uint8], *, add: bool = True
    ) -> NDArray[np.int32]:
        """The number of each row's car; -1 for rows with a code, and for unknown cars without ``add``."""
        out = np.empty(len(high), np.int32)
        done = 0
        while done < len(high):
            part, self.count = number_cars(
                high[done:], low[done:], code[done:], self._slots, self.high, self.low, self.count,
                out[done:], add,
            )  # fmt: skip
            done += part
            if done < len(high):
                self._grow()
        return out

    def _grow(self) -> None:
        room = 2 * len(self.high)
        for name in (*(STATE.names or ()), "handover"):
            old = getattr(self, name)
            new = np.full(room, _FIRST.get(name, NEVER if name == "handover" else 0), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
        self._slots = self._filled(4 * room)

    @property
    def rank(self) -> NDArray[np.int32]:
        """Place of each car in the order of VINs."""
        if len(self._rank) != self.count:
            order = np.lexsort((self.low[: self.count], self.high[: self.count]))
            self._rank = np.empty(self.count, np.int32)
            self._rank[order] = np.arange(self.count, dtype=np.int32)
        return self._rank

    def arrays(self) -> Last:
        """What every car said last, for compiled loops."""
        return Last(
            self.last_trip, self.last_segment, self.last_end, self.odometer, self.odometer_at,
            self.latitude, self.longitude, self.place_at,
        )  # fmt: skip

    def stored(self) -> NDArray[np.void]:
        """What is kept on disk."""
        out = np.empty(self.count, STATE)
        for name in STATE.names or ():
            out[name] = getattr(self, name)[: self.count]
        return out


def text_buffers(texts: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of an array of strings, as they lie in memory.

    Returns:
        (offsets, shape (n + 1,); bytes), neither writable.
    """
    _, offsets, data = texts.buffers()
    first = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    bytes_ = np.frombuffer(data, np.uint8) if data is not None else np.frombuffer(b"", np.uint8)
    return first, bytes_
