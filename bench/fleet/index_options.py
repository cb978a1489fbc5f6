"""Two ways to know rows again: sorted runs in tiers, and one open-addressing table in mapped files.

Each keeps 16 bytes a row and takes in batches of a million made-up keys, safe on the disk after every second
one; then a million keys are looked up, of which half are there. Run: ``python -m bench.fleet.index_options``.
"""

from __future__ import annotations

import argparse
import mmap
import os
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numba
import numpy as np

from driveaway.fleet.landing.runs import Held, Stored, find, write_run

_BATCH = 1_000_000


@numba.njit(nogil=True)
def _insert(table: Any, keys: Any, words: Any) -> None:
    mask = np.uint64(len(table) // 2 - 1)
    for at in range(len(keys)):
        slot = keys[at] & mask
        while table[2 * slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        table[2 * slot] = keys[at]
        table[2 * slot + np.uint64(1)] = words[at]


@numba.njit(nogil=True)
def _count(table: Any, keys: Any) -> int:
    mask = np.uint64(len(table) // 2 - 1)
    found = 0
    for at in range(len(keys)):
        slot = keys[at] & mask
        while table[2 * slot] != 0:
            if table[2 * slot] == keys[at]:
                found += 1
                break
            slot = (slot + np.uint64(1)) & mask
    return found


def _keys(number: int) -> tuple[Any, Any]:
    drawn = np.random.default_rng(number).integers(1, 2**64, 2 * _BATCH, np.uint64)
    return drawn[:_BATCH], drawn[_BATCH:]


def _written() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_oublock * 512


def _resident() -> int:
    """Bytes of mapped files that stand in this process's memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssFile"):
            return int(line.split()[1]) * 1024
    return 0


def runs(folder: Path, batches: int) -> dict[str, float]:
    """Sorted runs, merged by fours of like size."""
    stored: list[Stored] = []
    held: list[Any] = []
    begun, before = time.process_time(), _written()
    for number in range(batches):
        held.append(Held.of(*_keys(number)))
        if len(held) == 2:
            fresh, held = held, []
            rows = sum(run.rows for run in fresh)
            while len(stored) >= 3 and stored[-3].rows <= 2 * rows:
                tail, stored = stored[-3:], stored[:-3]
                fresh += tail
                rows += sum(run.rows for run in tail)
            old = [run.path for run in fresh if isinstance(run, Stored)]
            stored.append(write_run(folder / f"run-{number}", fresh))
            for path in old:
                path.unlink()
    taken, written = time.process_time() - begun, _written() - before
    wanted = np.concatenate([_keys(0)[0][: _BATCH // 2], _keys(batches)[0][: _BATCH // 2]])
    begun = time.process_time()
    _, found = find(stored, wanted)
    assert found.sum() == _BATCH // 2
    return {"taken": taken, "asked": time.process_time() - begun, "written": written, "resident": _resident()}


def table(folder: Path, batches: int) -> dict[str, float]:
    """One table of twice as many slots as rows."""
    slots = 1 << (2 * batches * _BATCH - 1).bit_length()
    path = folder / "table"
    with path.open("wb") as file:
        file.truncate(16 * slots)
    mapped = np.memmap(path, np.uint64, "r+", shape=(2 * slots,))
    begun, before = time.process_time(), _written()
    for number in range(batches):
        _insert(mapped, *_keys(number))
        if number % 2:
            mapped.flush()
    taken, written = time.process_time() - begun, _written() - before
    resident = _resident()
    wanted = np.concatenate([_keys(0)[0][: _BATCH // 2], _keys(batches)[0][: _BATCH // 2]])
    begun = time.process_time()
    assert _count(mapped, wanted) == _BATCH // 2
    asked = time.process_time() - begun
    underlying: mmap.mmap = mapped._mmap  # type: ignore[attr-defined]
    del mapped, underlying
    os.unlink(path)
    return {"taken": taken, "asked": asked, "written": written, "resident": resident}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=int, default=16, help="rows, in millions; even")
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    few, words = _keys(0)
    small = np.zeros(64, np.uint64)
    _insert(small, few[:8], words[:8])
    _count(small, few[:8])
    find([Held.of(few[:8], words[:8])], few[:8])
    drawing = time.process_time()
    _keys(1)
    drawing = (time.process_time() - drawing) * given.millions
    for name, way in (("sorted runs", runs), ("open addressing", table)):
        with TemporaryDirectory(dir=given.folder) as folder:
            told = way(Path(folder), given.millions)
        rows = given.millions * _BATCH
        print(
            f"{name}: taken in {(told['taken'] - drawing) / rows * 1e9:.0f} ns a row of CPU,"
            f" {told['written'] / rows:.0f} bytes a row written, looked up"
            f" {told['asked'] / _BATCH * 1e9:.0f} ns a row,"
            f" {told['resident'] / 2**20:.0f} MB of files resident"
        )


if __name__ == "__main__":
    main()
