"""Section ``append``: how long one fact takes, alone and while another process imports."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.importing import server
from bench.measuring import note, part
from bench.prepared import Bench
from bench.tables import Goal, Section, milliseconds, percentile, rate, ratio

_EVERY = 0.010
_LIMIT = 0.005


def measure(bench: Bench) -> Section:
    """Measure single appends."""
    section = Section("append")
    parquet, _ = bench.material()
    floor = part("syncing", bench.workdir, bench.appends).said["times"]
    rows = [_row("physical floor: 4 KiB added to a file and synced", floor, floor, "")]

    def measured(name: str, url: str | None = None, file: Path | None = None) -> None:
        note(f"appending one by one: {name}")
        folder = bench.folder("append", url)
        said = part("singles", folder, bench.appends, _EVERY, *([file] if file else [])).said
        shutil.rmtree(folder)
        beside = rate(said["imported"], said["wall"]) if file else ""
        rows.append(_row(name, said["times"], floor, beside))
        p99 = percentile(said["times"], 0.99)
        if file is not None:
            section.goals.append(
                Goal(f"one append, {name}, p99", f"< {milliseconds(_LIMIT)}", milliseconds(p99), p99 < _LIMIT)
            )

    measured("SQLite, alone")
    measured("SQLite, another process imports", None, parquet)
    if bench.postgres:
        with server() as fresh_url:
            measured("PostgreSQL, alone", fresh_url())
            measured("PostgreSQL, another process imports", fresh_url(), parquet)
    section.add(
        f"Up to {bench.appends:,} reservations, one every {milliseconds(_EVERY)}, each decided, hashed and "
        f"synced to the disk by itself. The other process imports a Parquet file of {bench.facts:,} facts."
    )
    section.table(["", "appends", "p50", "p99", "longest", "p50 / floor", "imported meanwhile"], rows)
    return section


def _row(name: str, times: list[float], floor: list[float], beside: str) -> list[str]:
    p50 = percentile(times, 0.5)
    return [
        name,
        f"{len(times):,}",
        milliseconds(p50),
        milliseconds(percentile(times, 0.99)),
        milliseconds(max(times)),
        ratio(p50, percentile(floor, 0.5)),
        beside,
    ]
