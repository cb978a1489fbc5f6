"""Active days of all cars, as bits by scope; and what of them changed, as rows of ACTIVITY."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np

from driveaway.fleet.ledger.loops.days import mark_days
from driveaway.fleet.ledger.manifest import Days

Changes = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Batch, car, day, previous day or ``loops.NONE``, weight, simulated: one row of ACTIVITY each."""


class Scope:
    """The active days of one scope: ``words[block, car]``, and which of them are simulated."""

    def __init__(self, base: int = 0) -> None:
        self.base = base
        self.words = np.zeros((0, 0), np.uint64)
        self.simulated = np.zeros((0, 0), np.uint64)
        self.dirty: set[int] = set()

    def reach(self, first_day: int, last_day: int, cars: int) -> None:
        """Have room for these days and so many cars."""
        first, last = first_day >> 6, last_day >> 6
        blocks, room = self.words.shape
        if blocks:
            first, last = min(first, self.base), max(last, self.base + blocks - 1)
        if last - first + 1 == blocks and cars <= room:
            return
        room = room if cars <= room else max(cars, room + room // 4, 1024)
        for name in ("words", "simulated"):
            old = getattr(self, name)
            new = np.zeros((last - first + 1, room), np.uint64)
            if blocks:
                place = self.base - first
                new[place : place + blocks, : old.shape[1]] = old
            setattr(self, name, new)
        self.base = first

    def mark(
        self,
        batch: np.ndarray,
        car: np.ndarray,
        day: np.ndarray,
        state: np.ndarray,
        cars: int,
    ) -> Changes:
        """Mark days (see ``loops.mark_days``); what changed."""
        first, last = int(day.min()), int(day.max())
        self.reach(first, last, cars)
        self.dirty |= set(range(first >> 6, (last >> 6) + 1))
        return mark_days(batch, car, day, state, self.words, self.simulated, self.base)

    def save(self, folder: Path, name: str, stem: str, cars: int, kept: Iterator[Days]) -> list[Days]:
        """Write what changed since the last time; every file of the scope.

        Args:
            name: of the scope.
            stem: of new files' names.
            cars: so many are written.
            kept: the scope's files of the generation before.
        """
        files = {(days.simulated, days.block): days for days in kept}
        for block in sorted(self.dirty):
            for simulated, words in ((False, self.words), (True, self.simulated)):
                row = words[block - self.base, :cars]
                if not row.any():
                    files.pop((simulated, block), None)
                    continue
                file = f"{stem}-{'simulated' if simulated else 'active'}-{block}.u64"
                content = row.astype("<u8").tobytes()
                (folder / file).write_bytes(content)
                files[simulated, block] = Days(name, simulated, block, file, cars, crc32(content))
        self.dirty.clear()
        return list(files.values())


def load(folder: Path, files: tuple[Days, ...]) -> dict[str, Scope]:
    """The scopes of a generation.

    Raises:
        ValueError: a file is damaged.
    """
    scopes: dict[str, Scope] = {}
    for days in files:
        scope = scopes.setdefault(days.scope, Scope())
        scope.reach(days.block << 6, days.block << 6, days.cars)
        words = scope.simulated if days.simulated else scope.words
        content = (folder / days.file).read_bytes()
        if crc32(content) != days.crc:
            raise ValueError(f"{days.file} is damaged")
        words[days.block - scope.base, : days.cars] = np.frombuffer(content, "<u8")
    return scopes
