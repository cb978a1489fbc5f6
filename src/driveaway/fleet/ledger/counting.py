"""How many rows of LEDGER each car has on each day: what bounds the length of days that nobody added up."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np

from driveaway.fleet.ledger.folding import Folded
from driveaway.fleet.ledger.loops.days import count_rows
from driveaway.fleet.ledger.manifest import Counts

_BLOCK: Final = 64
"""Days that stand in one file."""
MANY: Final = 255
"""Rows from which a car's day is not counted further."""


class RowCounts:
    """Rows of each car by day, in blocks of 64 days; a block is read when one of its days comes up.

    Rows that are taken back are not subtracted: a count is what there were at the most.
    """

    def __init__(self, folder: Path, files: tuple[Counts, ...]) -> None:
        self._folder = folder
        self._files = {file.block: file for file in files}
        self._blocks: dict[int, np.ndarray] = {}
        self._dirty: set[int] = set()

    def count(self, folded: Folded, cars: int) -> dict[str, np.ndarray]:
        """Count rows that came; the columns of DAYS but ``seq``, and ``event`` in its place, sorted by day.

        Raises:
            ValueError: a file is damaged.
        """
        first, last = int(folded.day.min()), int(folded.day.max())
        shape = (int(folded.event.max()) + 1, last - first + 1)
        most = np.zeros(shape, np.int32)
        longest = np.zeros((2, *shape), np.int64)
        for block in range(first // _BLOCK, last // _BLOCK + 1):
            counts = self._block(block, cars)
            rows = (folded.event, folded.car, folded.day, block, first, folded.measures[1:3])
            count_rows(*rows, counts, most, longest)
            self._dirty.add(block)
        day, event = np.nonzero(most.T)
        return {
            "event": event,
            "day": (day + first).astype(np.int32),
            "most_rows": most[event, day],
            "longest_m": longest[0, event, day],
            "longest_assisted_m": longest[1, event, day],
            "taken_back": np.zeros(len(day), np.bool_),
        }

    def save(self, stem: str, cars: int) -> tuple[Counts, ...]:
        """Write the blocks that were counted in since the last time, and let go of them; every file."""
        for block in sorted(self._dirty):
            counts = self._blocks[block]
            file = f"{stem}-{block}.u8"
            content = counts[:cars].tobytes()
            (self._folder / file).write_bytes(content)
            self._files[block] = Counts(block, file, cars, crc32(content))
        self._dirty.clear()
        newest = max(self._blocks, default=None)
        # Trips of the newest days go on coming; of others a few.
        self._blocks = {block: counts for block, counts in self._blocks.items() if block == newest}
        return tuple(self._files.values())

    def _block(self, block: int, cars: int) -> np.ndarray:
        counts = self._blocks.get(block)
        if counts is None:
            counts = self._read(block)
        if len(counts) < cars:
            grown = np.zeros((max(cars, len(counts) + len(counts) // 4, 1024), _BLOCK), np.uint8)
            grown[: len(counts)] = counts
            counts = grown
        self._blocks[block] = counts
        return counts

    def _read(self, block: int) -> np.ndarray:
        file = self._files.get(block)
        if file is None:
            return np.zeros((0, _BLOCK), np.uint8)
        content = (self._folder / file.file).read_bytes()
        if crc32(content) != file.crc:
            raise ValueError(f"{file.file} is damaged")
        return np.frombuffer(bytearray(content), np.uint8).reshape(file.cars, _BLOCK)


def taken_back(folded: Folded) -> dict[str, np.ndarray]:
    """The columns of DAYS of rows that were taken back, as ``RowCounts.count`` gives them."""
    both = np.unique(np.stack([folded.day, folded.event]), axis=1)
    none = np.zeros(both.shape[1], np.int64)
    return {
        "event": both[1],
        "day": both[0].astype(np.int32),
        "most_rows": none.astype(np.int32),
        "longest_m": none,
        "longest_assisted_m": none,
        "taken_back": np.ones(both.shape[1], np.bool_),
    }
