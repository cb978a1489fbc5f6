"""Car sequencing on the published instances, on one core.

    DRIVEAWAY_BENCH=FOLDER python -m bench.delivery.sequencing [--sets AB] [--seconds 1,10,60] [--only TEXT]
        [--into FILE.json] [--csplib] [--speed] [--seeds 1]

For each ROADEF/EURO 2005 instance: the objective of the file's own order, the one found after each number
of seconds (of processor time, a search of its own for each), and the bound on colour changes. What a JSON
file holds already is not run again, so a long table can be made in pieces. ``--csplib`` runs the instances
of CSPLib's prob001 instead, ``--speed`` measures evaluated swaps a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.delivery.instances import (
    HARD,
    Instance,
    bench_folder,
    read_csplib,
    read_roadef,
    roadef_folders,
)
from driveaway.delivery.sequence.line import stand
from driveaway.delivery.sequence.moves import evaluate_swaps
from driveaway.delivery.sequence.score import score
from driveaway.delivery.sequence.search import Sequence, sequence

_LEAST_SWAPS = 4.5e6
_SWAPS = 3_000_000


@dataclass
class Kept:
    """Results by instance, effort and seed, kept in a file where one is named."""

    file: Path | None
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None and self.file.exists():
            self.runs = json.loads(self.file.read_text())

    def run(self, instance: Instance, seconds: float, seed: int) -> dict[str, Any]:
        """A search's result, run now unless it is kept."""
        key = f"{instance.name} {seconds:g} s seed {seed}"
        if key not in self.runs:
            found = sequence(instance.problem, seconds=seconds, seed=seed, clock=time.process_time)
            self.runs[key] = _said(instance, found)
            print(f"{key}: {found.score.total:,}", file=sys.stderr, flush=True)
            if self.file is not None:
                self.file.write_text(json.dumps(self.runs, indent=1))
        return self.runs[key]


def _said(instance: Instance, found: Sequence) -> dict[str, Any]:
    checked = score(instance.problem, found.order)
    assert checked.total == found.history[-1].total
    assert not found.given_keeps_limit or checked.total <= found.given.total
    limit = instance.problem.paint_limit
    assert limit is None or checked.longest_batch <= limit
    return {
        "total": checked.total,
        "parts": [checked.part(objective) for objective in instance.problem.objectives],
        "given": found.given.total,
        "given_keeps_limit": found.given_keeps_limit,
        "colour_changes": checked.colour_changes,
        "fewest_colour_changes": found.fewest_colour_changes,
        "moves": found.moves,
        "seconds": round(found.seconds, 3),
        "last_better": round(found.history[-1].seconds, 3),
        "order": found.order.tolist(),
    }


def roadef(folder: Path, arguments: argparse.Namespace, kept: Kept) -> None:
    """Print the table of objectives."""
    efforts = [float(seconds) for seconds in arguments.seconds.split(",")]
    heads = ["instance", "cars", "file's own order", *(f"{s:g} s" for s in efforts)]
    rows = []
    for path in roadef_folders(folder, arguments.sets):
        if arguments.only not in path.name:
            continue
        instance = read_roadef(path)
        seeds = range(1, arguments.seeds + 1)
        # The middle one of several seeds; with one seed, its own.
        runs = [
            sorted((kept.run(instance, s, seed) for seed in seeds), key=lambda run: run["total"])[
                (arguments.seeds - 1) // 2
            ]
            for s in efforts
        ]
        last = runs[-1]
        given = f"{last['given']:,}" + ("" if last["given_keeps_limit"] else " (breaks the paint limit)")
        cells = [instance.name, str(len(instance.problem.cars)), given]
        cells += [f"{run['total']:,}" for run in runs]
        rows.append(
            [
                *cells,
                f"{last['colour_changes']} / {last['fewest_colour_changes']}",
                f"{last['moves'] / max(last['seconds'], 1e-9) / 1e6:.1f}",
            ]
        )
    _table([*heads, "colour changes / bound", "million moves a second"], rows)


def csplib(folder: Path, arguments: argparse.Namespace, kept: Kept) -> None:
    """Print how many instances are solved, and the hard ones one by one."""
    text = (folder / "csplib-prob001" / "data.txt").read_text()
    rows = []
    solved = asked = 0
    slowest = 0.0
    for instance in read_csplib(text):
        if arguments.only not in instance.name:
            continue
        if instance.name in HARD:
            for seconds in (1.0, 10.0):
                run = kept.run(instance, seconds, 1)
                goal = HARD[instance.name]
                met = "met" if run["total"] // 10**6 <= goal else "not met"
                spent = f"{run['last_better']:.2f}"
                rows.append(
                    [instance.name, f"{seconds:g} s", str(run["total"] // 10**6), str(goal), met, spent]
                )
        else:
            run = kept.run(instance, 1.0, 1)
            asked += 1
            solved += run["total"] == 0
            slowest = max(slowest, run["seconds"])
    print(f"{solved} of {asked} satisfiable instances solved within 1 s; the slowest took {slowest:.2f} s\n")
    _table(["hard instance", "limit", "violated windows", "best known", "", "found after, s"], rows)


def speed(folder: Path, arguments: argparse.Namespace) -> None:
    """Print evaluated swaps a second: random pairs, the full cost of each, nothing given up early."""
    rows = []
    for path in roadef_folders(folder, arguments.sets):
        if arguments.only not in path.name:
            continue
        instance = read_roadef(path)
        line = stand(instance.problem, np.arange(len(instance.problem.cars)))
        random = np.array([1], dtype=np.uint64)
        evaluate_swaps(line, 1, random)
        begin = time.process_time()
        evaluate_swaps(line, _SWAPS, random)
        rate = _SWAPS / (time.process_time() - begin)
        ratios = instance.problem.ratio_weights()
        met = "met" if rate >= _LEAST_SWAPS else "not met"
        rows.append(
            [instance.name, str(len(line.car_at)), str(np.count_nonzero(ratios)), f"{rate / 1e6:.1f}", met]
        )
    _table(["instance", "cars", "ratios", "million evaluated swaps a second", "≥ 4.5"], rows)


def _table(heads: list[str], rows: list[list[str]]) -> None:
    for row in [heads, ["---"] * len(heads), *rows]:
        print("| " + " | ".join(row) + " |")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", default="AB", help="sets of the ROADEF instances")
    parser.add_argument("--seconds", default="1,10,60", help="processor time of each search")
    parser.add_argument(
        "--seeds", type=int, default=1, help="searches for each cell; the middle one is shown"
    )
    parser.add_argument("--only", default="", help="instances whose name holds this")
    parser.add_argument("--into", type=Path, help="JSON file that keeps results between runs")
    parser.add_argument("--csplib", action="store_true", help="CSPLib prob001 instead")
    parser.add_argument("--speed", action="store_true", help="evaluated swaps a second instead")
    arguments = parser.parse_args()
    folder = bench_folder()
    if folder is None:
        print("DRIVEAWAY_BENCH names no folder that holds delivery/", file=sys.stderr)
        return 3
    kept = Kept(arguments.into)
    if arguments.speed:
        speed(folder, arguments)
    elif arguments.csplib:
        csplib(folder, arguments, kept)
    else:
        roadef(folder, arguments, kept)
    return 0


if __name__ == "__main__":
    sys.exit(main())
