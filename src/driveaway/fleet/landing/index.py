"""What was landed, so that a row which comes again is known: fingerprints, cars, files by day.

A cache below ``data/fleet/index``. ``manifest.json`` says up to which fact it holds and is replaced only
after everything it names is safe on the disk; from there it catches up with the facts and their files.
Deleted or damaged, it is made anew from them.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.facts.base import Fact
from driveaway.facts.trips import TripFile, TripsCompacted, TripsLanded
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.cars import Cars
from driveaway.fleet.landing.files import writable, write_synced
from driveaway.fleet.landing.loops.cars import CAR
from driveaway.fleet.landing.reading import read_rows
from driveaway.fleet.landing.runs import Held, Run, Stored, find, tidy, write_run
from driveaway.values.files import sync_folder

Words = NDArray[np.uint64]
_LAYOUT: Final = 1
HELD: Final = 2_000_000
"""Rows that are only in memory: after a crash they are read again from their files."""
_TIER: Final = 4


class Share(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one batch in a file of one day."""

    seq: int
    file: TripFile


class StoredRun(msgspec.Struct, frozen=True, array_like=True):
    """A file of fingerprints."""

    file: str
    rows: int


class Manifest(msgspec.Struct, frozen=True):
    """What makes up the index, and up to which fact.

    ``leaf`` is that of the fact ``upto``: a book that has another one there is another book.
    """

    layout: int
    generation: int
    upto: int
    leaf: str
    seed: int
    cars: str
    cars_rows: int
    runs: tuple[StoredRun, ...]
    days: dict[str, tuple[Share, ...]]
    withdrawn: tuple[int, ...] = ()


class Index:
    """The index of one folder. Whoever uses it holds the folder's lock.

    Attributes:
        upto: seq of the last fact that it holds.
        seed: of the fingerprints.
        cars: every car that landed a trip, or was asked about.
        days: local day → what lies in its files.
        withdrawn: seqs of batches that were taken back: their rows lie in files, and do not count.
    """

    upto: int
    seed: int
    cars: Cars
    days: dict[str, list[Share]]
    withdrawn: set[int]

    def __init__(self, folder: FleetFolder) -> None:
        self._folder = folder
        self._generation = -1
        self.forget()

    def forget(self) -> None:
        """Drop what is in memory; the disk decides."""
        self._take_up(self._read())

    def refresh(self) -> bool:
        """Take up what another process published since; whether there was something."""
        found = self._read()
        if found is not None and found.generation == self._generation:
            return False
        if found is None and self._generation == 0:
            return False
        self._take_up(found)
        return True

    def _take_up(self, found: Manifest | None) -> None:
        self._held: list[Run] = []
        self._held_rows = 0
        self._changed = False
        self._published = found
        if found is None:
            self._generation, self.upto = 0, 0
            self.seed = secrets.randbits(63)
            self._factors = _factors(self.seed)
            self.cars, self.days, self._stored, self.withdrawn = Cars(), {}, [], set()
            return
        self._generation, self.upto, self.seed = found.generation, found.upto, found.seed
        self._factors = _factors(found.seed)
        stored = np.fromfile(self._folder.index / found.cars, CAR) if found.cars else None
        self.cars = Cars(stored)
        self.days = {day: list(shares) for day, shares in found.days.items()}
        self.withdrawn = set(found.withdrawn)
        self._stored = [Stored(self._folder.index / run.file, run.rows) for run in found.runs]

    def _read(self) -> Manifest | None:
        folder = self._folder.index
        try:
            found = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
            if found.layout != _LAYOUT:
                return None
            sizes = [(run.file, 16 * run.rows) for run in found.runs]
            if found.cars:
                sizes.append((found.cars, CAR.itemsize * found.cars_rows))
            if any((folder / name).stat().st_size != size for name, size in sizes):
                return None
        except (OSError, msgspec.DecodeError):
            return None
        return found

    @property
    def factors(self) -> Words:
        """Odd random numbers, the same as long as the index lives."""
        return self._factors

    @property
    def leaf(self) -> str:
        """Leaf of the fact up to which it was last published; "" when it never was."""
        return self._published.leaf if self._published is not None else ""

    @property
    def published(self) -> int:
        """Seq up to which it is on disk."""
        return self._published.upto if self._published is not None else 0

    def drop(self) -> None:
        """Delete it; it comes back."""
        shutil.rmtree(self._folder.index, ignore_errors=True)
        self._take_up(None)

    # --- rows ---

    def find(self, keys: Words) -> tuple[Words, NDArray[np.bool_]]:
        """The content word of each key that was landed, and whether it was."""
        return find([*reversed(self._held), *self._stored], keys)

    def add(self, keys: Words, words: Words) -> None:
        """Enter rows that were landed."""
        if len(keys):
            self._held = tidy([*self._held, Held.of(keys, words)], HELD)
            self._held_rows += len(keys)

    def holds(self, seq: int) -> bool:
        """Whether it counts the batch that the fact of this seq landed."""
        return seq <= self.upto and seq not in self.withdrawn

    def enter(self, facts: Iterable[Fact]) -> None:
        """Enter the files that facts name, in order of seq."""
        for fact in facts:
            if isinstance(fact.body, TripsLanded):
                for file in fact.body.files:
                    self.days.setdefault(file.day, []).append(Share(fact.seq, file))
            elif isinstance(fact.body, TripsCompacted):
                gone = set(fact.body.replaced)
                day = fact.body.local_day
                kept = [share for share in self.days.get(day, ()) if share.file.file not in gone]
                self.days[day] = kept + [Share(fact.seq, file) for file in fact.body.files]
            elif fact.replaces is not None:
                self.withdrawn.add(fact.replaces)
            self._changed = True
            self.upto = max(self.upto, fact.seq)

    @property
    def is_due(self) -> bool:
        """Whether so much is only in memory that it should be published."""
        return self._held_rows >= HELD

    @property
    def is_ahead(self) -> bool:
        """Whether anything is only in memory."""
        return self._changed

    def publish(self, leaf: str) -> None:
        """Write what is only in memory, and then say so.

        Args:
            leaf: of the fact ``upto``.
        """
        folder = self._folder.index
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            generation = self._generation + 1
            stored = list(self._stored)
            if self._held:
                fresh: list[Run] = list(self._held)
                rows = sum(run.rows for run in fresh)
                # Tiers: a run joins when three of its size stand there already.
                while len(stored) >= _TIER - 1 and stored[-_TIER + 1].rows <= 2 * rows:
                    tail = stored[-_TIER + 1 :]
                    del stored[-_TIER + 1 :]
                    fresh += tail
                    rows += sum(run.rows for run in tail)
                stored.append(write_run(folder / f"rows-{generation}.bin", fresh))
            cars = f"cars-{generation}.bin"
            state = self.cars.records[: self.cars.count]
            write_synced(folder / cars, state.view(np.uint8))
            manifest = Manifest(
                _LAYOUT, generation, self.upto, leaf, self.seed, cars, len(state),
                tuple(StoredRun(run.path.name, run.rows) for run in stored),
                {day: tuple(shares) for day, shares in self.days.items() if shares},
                tuple(sorted(self.withdrawn)),
            )  # fmt: skip
            temporary = folder / "manifest.json.new"
            write_synced(temporary, msgspec.json.encode(manifest))
            os.replace(temporary, folder / "manifest.json")
            sync_folder(folder)
        self._published, self._generation = manifest, generation
        self._held, self._held_rows, self._stored, self._changed = [], 0, stored, False
        self._sweep({cars, *(run.file for run in manifest.runs)})

    def _sweep(self, named: set[str]) -> None:
        for path in self._folder.index.glob("*-*.bin"):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def shares(self, days: Sequence[str]) -> list[Share]:
        """What lies in the files of these days."""
        return [share for day in days for share in self.days.get(day, ()) if share.seq not in self.withdrawn]

    def read(self, share: Share, columns: Sequence[str]) -> pa.Table:
        """Rows that count of a file.

        Raises:
            Unavailable: the file is gone or damaged.
        """
        return counted(read_rows(self._folder, share.file, columns, seq=bool(self.withdrawn)), self.withdrawn)


def counted(rows: pa.Table, withdrawn: set[int]) -> pa.Table:
    """Rows of compacted files without those of batches that were taken back."""
    if not withdrawn or "seq" not in rows.column_names:
        return rows
    return rows.filter(pc.invert(pc.is_in(rows["seq"], pa.array(sorted(withdrawn), pa.int64()))))


def _factors(seed: int) -> Words:
    drawn: Words = np.random.default_rng(seed).integers(0, 2**64, 20, np.uint64) | np.uint64(1)
    return drawn
