"""Numbers instead of VINs: dense from 0, in the order of first landing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.fleet.ledger.loops.texts import insert, look_up


class Numbers:
    """The cars' numbers, in a hash table beside the texts of all VINs."""

    def __init__(self, vins: pa.Array) -> None:
        self._size = 0
        self._offsets = np.zeros(1025, np.int64)
        self._data = np.zeros(1024 * 17, np.uint8)
        self._table = np.full(4096, -1, np.int32)
        self._add(vins)

    def __len__(self) -> int:
        return self._size

    def take_in(self, vins: pa.Array, event: np.ndarray) -> tuple[np.ndarray, pa.Array, np.ndarray]:
        """Number the cars of some rows; new ones by event, then VIN.

        Args:
            vins: of each row, as texts.
            event: of each row.

        Returns:
            (number of each row, VINs that are new, event that brought each of these).
        """
        offsets, data = _buffers(vins)
        number = look_up(offsets, data, self._table, self._offsets[: self._size + 1], self._data)
        unknown = np.flatnonzero(number < 0)
        if not len(unknown):
            return number, vins.slice(0, 0), unknown
        codes = vins.take(pa.array(unknown)).dictionary_encode()
        places = codes.indices.to_numpy()
        first = np.full(len(codes.dictionary), np.iinfo(np.int32).max, np.int32)
        np.minimum.at(first, places, event[unknown])
        table = pa.table({"event": first, "vin": codes.dictionary})
        order = pc.sort_indices(table, [("event", "ascending"), ("vin", "ascending")]).to_numpy()
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(self._size, self._size + len(order), dtype=np.int32)
        number[unknown] = rank[places]
        added = codes.dictionary.take(pa.array(order))
        self._add(added)
        return number, added, first[order]

    def _add(self, vins: pa.Array) -> None:
        if not len(vins):
            return
        offsets, data = _buffers(vins)
        size = self._size + len(vins)
        used = int(self._offsets[self._size])
        if size >= len(self._offsets):
            self._offsets = np.resize(self._offsets, 2 * size)
        if used + len(data) > len(self._data):
            self._data = np.resize(self._data, 2 * (used + len(data)))
        self._data[used : used + len(data)] = data
        self._offsets[self._size : size + 1] = offsets + used
        first = self._size
        if 2 * size > len(self._table):
            self._table = np.full(1 << (4 * size).bit_length(), -1, np.int32)
            first = 0
        insert(self._table, self._offsets, self._data, first, size)
        self._size = size


def _buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from 0, and the bytes of all texts."""
    if len(texts) == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    _, offsets, data = texts.cast(pa.large_string()).buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    whole = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return ends - ends[0], whole[ends[0] : ends[-1]]
