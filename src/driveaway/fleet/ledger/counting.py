"""Rows of LEDGER that each car has on each day, and whether one is long: it bounds the length of days."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np

from driveaway.fleet.ledger.folding import Folded
from driveaway.fleet.ledger.loops.days import count_rows, long_rows
from driveaway.fleet.ledger.manifest import Counts

_BLOCK: Final = 64
"""Days that stand in one file."""
MANY: Final = 127
"""Rows from which a car's day is not counted further."""
LONG_M: Final = {"distance_m": 96_000, "assisted_m": 48_000}
"""Metres from which a row is long, one of the two: few are."""


class RowCounts:
    """Rows of each car by day, in blocks of 64 days; a block is read when one of its days comes up.

    Rows that are taken back are not subtracted: a count is what there were at the most.
    """

    def __init__(self, folder: Path, files: tuple[Counts, ...]) -> None:
        self._folder = folder
        self._files = {file.block: file for file in files}
        self._blocks: dict[int, np.ndarray] = {}
        self._dirty: set[int] = set()

    def count(self, folded: Folded, cars: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Count rows that came.

        Returns:
            (the columns of DAYS but ``seq``, with ``event`` in its place, sorted by day; of each row what
            LONG has in ``before``, -1 where it is none of LONG's).

        Raises:
            ValueError: a file is damaged.
        """
        first, last = int(folded.day.min()), int(folded.day.max())
        most = np.zeros((int(folded.event.max()) + 1, last - first + 1), np.int32)
        before = np.full(len(folded.day), -1, np.int32)
        long_m = np.array(list(LONG_M.values()), np.int64)
        rows = (folded.event, folded.car, folded.day, folded.measures[1:3], long_m)
        for block in range(first // _BLOCK, last // _BLOCK + 1):
            count_rows(*rows, block, first, self._block(block, cars), most, before)
            self._dirty.add(block)
        day, event = np.nonzero(most.T)
        found: dict[str, np.ndarray] = {
            "event": event,
            "day": (day + first).astype(np.int32),
            "most_rows": most[event, day],
        }
        return found, before

    def take_back(self, folded: Folded, cars: int) -> np.ndarray:
        """Of each row that is taken back 0 if it is of a day whose rows stand in LONG, else -1."""
        before = np.full(len(folded.day), -1, np.int32)
        for block in range(int(folded.day.min()) // _BLOCK, int(folded.day.max()) // _BLOCK + 1):
            long_rows(folded.car, folded.day, block, self._block(block, cars), before)
        return before

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
