"""What is measured of Driveaway, each in a process of its own: ``python -m bench.fleet.tasks NAME …``."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.fleet.prepared import DAYS, FIRST
from bench.measuring import tell
from driveaway.launch.fleet.ingesting import ingest
from driveaway.launch.fleet.memory import keep_memory
from driveaway.launch.launch import Launch, open_launch

LAST = FIRST + timedelta(DAYS - 1)
ONE_DAY: tuple[tuple[str, dict[str, str]], ...] = (
    ("fleet.active_rate", {"window": "28d", "of": "delivered"}),
    ("fleet.active_rate", {"window": "7d", "of": "driven", "function": "highway_pilot"}),
    ("fleet.active_cars", {"window": "ever"}),
    ("fleet.distance", {}),
    ("fleet.assisted_distance", {}),
    ("fleet.assisted_share", {}),
    ("fleet.energy_per_100km", {}),
    ("fleet.deactivations_per_1000km", {}),
    ("fleet.most_in_one_day", {}),
    ("fleet.retention", {}),
    ("fleet.by_release", {}),
)
ALL_DAYS = tuple(
    name for name, arguments in ONE_DAY[:8] if name != "fleet.active_rate" or "function" not in arguments
)


def _known(launch: Launch) -> set[str]:
    from driveaway.catalogue import FIGURES

    return {figure.name for figure in FIGURES}


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - wall, time.process_time() - cpu


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def land(folder: str, files: str) -> None:
    """Land all days but the last, and bring the ledger up; then the last day and the figures after it."""
    paths = sorted(Path(files).glob("2*.parquet"))
    keep_memory()
    with open_launch(folder) as launch:
        taken, wall, cpu = _timed(lambda: ingest(launch, paths[:-1]))
        wrong = [each.error.message for each in taken if each.error is not None]
        aside = sum(sum(each.quarantined.values()) for each in taken)
        landed = _peak()
        answer, asked_wall, asked_cpu = _timed(lambda: launch.at(_as_of(-1)).figure("fleet.distance"))
        queryable = [wall + asked_wall, cpu + asked_cpu]
    rows = sum(each.rows for each in taken)
    # Another process receives the last day, and its figures are asked again.
    with open_launch(folder) as launch:
        launch.at(_as_of(-1)).figure("fleet.active_rate")
        last, last_wall, last_cpu = _timed(lambda: ingest(launch, paths[-1:]))
        _, asked_wall, asked_cpu = _timed(
            lambda: [launch.at(_as_of(0)).figure(name) for name in ("fleet.active_rate", "fleet.distance")]
        )
    tell(
        rows=rows, aside=aside, wrong=wrong, queryable=queryable,
        metres=answer.value, last_rows=sum(each.rows for each in last), last=[last_wall, last_cpu],
        asked=[asked_wall, asked_cpu], peak_landing=landed, peak=_peak(),
        ledger_bytes=_size(Path(folder) / "data" / "fleet" / "ledger"),
        trips_bytes=_size(Path(folder) / "data" / "fleet" / "trips"),
    )  # fmt: skip


def figures(folder: str, engine: str = "duckdb") -> None:
    """Each figure as of single days, and of all days at once."""
    out: list[dict[str, Any]] = []
    with open_launch(folder, engine=engine) as launch:
        known = _known(launch)
        _, cold, _ = _timed(lambda: launch.at(_as_of(0)).figure("fleet.active_rate"))
        for name, given in ONE_DAY:
            if name not in known:
                continue
            launch.at(_as_of(-3)).figure(name, **given)
            answer, wall, cpu = _timed(lambda n=name, g=given: launch.at(_as_of(0)).figure(n, **g))
            out.append({"figure": name, "given": given, "wall": wall, "cpu": cpu, "value": answer.value})
        each: dict[str, list[float]] = {}
        for name in dict.fromkeys(ALL_DAYS):
            answer, wall, cpu = _timed(lambda n=name: launch.at(_as_of(0)).figure(n, by=("day",)))
            each[name] = [wall, cpu, len(answer.rows or ())]
        _, again, _ = _timed(
            lambda: [launch.at(_as_of(-1)).figure(name, by=("day",)) for name in dict.fromkeys(ALL_DAYS)]
        )
    tell(cold=cold, one_day=out, by_day=each, all_again=again, peak=_peak())


def _as_of(days: int) -> str:
    return (LAST + timedelta(days)).isoformat()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    {"land": land, "figures": figures}[sys.argv[1]](*sys.argv[2:])
