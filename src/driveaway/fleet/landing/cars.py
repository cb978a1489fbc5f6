"""Every car that was seen: a number, and what it said last."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.fleet.landing.loops.cars import CAR
from driveaway.fleet.landing.loops.cars import Cars as Records
from driveaway.fleet.landing.loops.vins import fill_slots, merge_cars, number_cars


class Cars:
    """Numbers of cars, and a record of each.

    Attributes:
        count: how many.
        records: see ``CAR``; room for more behind ``count``.
    """

    def __init__(self, stored: Records | None = None) -> None:
        self.count = 0 if stored is None else len(stored)
        self.records: Records = np.zeros(max(1024, 2 * self.count), CAR)
        if stored is not None:
            self.records[: self.count] = stored
        self._slots = self._filled()
        self._rank = self._order = np.empty(0, np.int32)

    def _filled(self) -> NDArray[np.int32]:
        slots = np.full(1 << (4 * len(self.records) - 1).bit_length(), -1, np.int32)
        fill_slots(self.records, self.count, slots)
        return slots

    def numbers(
        self, high: NDArray[np.uint64], low: NDArray[np.uint64], code: NDArray[np.uint8], *, add: bool = True
    ) -> NDArray[np.int32]:
        """The number of each row's car; -1 for rows with a code, and for unknown cars without ``add``."""
        out = np.empty(len(high), np.int32)
        done = 0
        while done < len(high):
            part, self.count = number_cars(
                high[done:], low[done:], code[done:], self._slots, self.records, self.count, out[done:], add
            )
            done += part
            if done < len(high):
                grown = np.zeros(2 * len(self.records), CAR)
                grown[: self.count] = self.records[: self.count]
                self.records = grown
                self._slots = self._filled()
        return out

    @property
    def rank(self) -> NDArray[np.int32]:
        """Place of each car in the order of VINs."""
        known = len(self._order)
        if known != self.count:
            new = self.records[known : self.count]
            order = (np.lexsort((new["low"], new["high"])) + known).astype(np.int32)
            self._order = merge_cars(self.records, self._order, order)
            self._rank = np.empty(self.count, np.int32)
            self._rank[self._order] = np.arange(self.count, dtype=np.int32)
        return self._rank

    def ranks_of(self, numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], int]:
        """For each number its place in the order of VINs, among all cars or among these.

        Returns:
            (places, how many there are).
        """
        if len(numbers) > self.count // 4:
            return self.rank[numbers], self.count
        some, place = np.unique(numbers, return_inverse=True)
        known = self.records[some]
        ranks = np.empty(len(some), np.int32)
        ranks[np.lexsort((known["low"], known["high"]))] = np.arange(len(some), dtype=np.int32)
        return ranks[place], len(some)


def text_buffers(texts: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of an array of strings, as they lie in memory.

    Returns:
        (offsets, shape (n + 1,); bytes), neither writable.
    """
    _, offsets, data = texts.buffers()
    first = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    bytes_ = np.frombuffer(data, np.uint8) if data is not None else np.frombuffer(b"", np.uint8)
    return first, bytes_
