"""Section ``import``: files into SQLite and PostgreSQL, and what lies beneath."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measuring import Run, driveaway, note, part
from bench.prepared import Bench
from bench.tables import Goal, Section, mebibytes, rate, ratio, seconds
from driveaway.launch.imports.run import BATCH

_MEMORY = 1.5e9
_GOALS = {"Parquet into SQLite": 40_000, "CSV into SQLite": 20_000, "Parquet into PostgreSQL": 15_000}


def measure(bench: Bench) -> Section:
    """Measure imports."""
    section = Section("import")
    parquet, separated = bench.material()
    rows: list[tuple[str, Run, float, float]] = []

    def imported(name: str, file: Path, url: str | None = None) -> None:
        note(f"importing {name}")
        with _fresh(bench, url) as folder:
            run = driveaway("import", file, "--launch", folder)
        if f"{bench.facts:,} rows accepted, 0 known already, 0 rejected" not in run.output:
            section.wrong.append(f"import of {name}: {run.output.strip()}")
        rows.append((name, run, run.wall, run.cpu))

    def beneath(name: str, url: str | None = None) -> None:
        note(name)
        with _fresh(bench, url) as folder:
            run = part("appending", folder, bench.facts, BATCH)
        rows.append((name, run, run.said["wall"], run.said["cpu"]))

    imported("Parquet into SQLite", parquet)
    imported("CSV into SQLite", separated)
    beneath("the same appended without a file, SQLite")
    note("inserting into a bare table")
    file = bench.workdir / "bare.sqlite"
    run = part("bare", file, bench.facts, BATCH)
    rows.append(
        ("physical floor: bare SQLite table, nothing checked", run, run.said["wall"], run.said["cpu"])
    )
    for left in bench.workdir.glob("bare.sqlite*"):
        left.unlink()
    if bench.postgres:
        with server() as fresh_url:
            imported("Parquet into PostgreSQL", parquet, fresh_url())
            beneath("the same appended without a file, PostgreSQL", fresh_url())

    floor = rows[3][2]
    section.add(
        f"{bench.facts:,} facts of every kind of a simulated order book, in order of time, one file, in "
        f"batches of {BATCH:,}: each parsed, checked by the rules, salted, hashed and synced to the disk. "
        "An import is the whole process with its start; in the other rows only the appends are timed (their "
        "memory holds the simulation too). PostgreSQL runs beside on the same cores, and its own CPU time "
        "is not counted."
    )
    section.table(
        ["", "facts", "wall", "CPU", "CPU a fact", "peak memory", "time / floor"],
        [
            [
                name,
                rate(bench.facts, wall),
                seconds(wall),
                seconds(cpu),
                f"{cpu / bench.facts * 1e6:.1f} µs",
                mebibytes(run.peak),
                ratio(wall, floor),
            ]
            for name, run, wall, cpu in rows
        ],
    )
    for name, run, wall, _ in rows:
        if name in _GOALS:
            got = bench.facts / wall
            section.goals.append(
                Goal(
                    f"import of {name}",
                    f"≥ {_GOALS[name]:,} facts/s",
                    f"{got:,.0f} facts/s",
                    got >= _GOALS[name],
                )
            )
            section.goals.append(
                Goal(f"memory, import of {name}", "< 1.5 GB", mebibytes(run.peak), run.peak < _MEMORY)
            )
    return section


@contextmanager
def _fresh(bench: Bench, url: str | None) -> Iterator[Path]:
    folder = bench.folder("import", url)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """A PostgreSQL of our own; what it yields gives the URL of an empty database at each call."""
    # The server of the tests, loaded only when it is asked for.
    note("starting PostgreSQL")
    running = importlib.import_module("tests.postgres").PostgresServer()
    try:
        running.start()
        yield running.create_database
    finally:
        running.close()
