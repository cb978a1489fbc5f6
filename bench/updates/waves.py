"""Waves that stop themselves: how often, how soon and after how many cars, beside other rules.

``python -m bench.updates.waves [RUNS]`` (1,000 harmless runs a row, a quarter of it with harm). Minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bench.updates import rules
from bench.updates.deciding import times
from bench.updates.fleets import CARS, HOURS, Course, Kind, course, drifting, opened_by
from driveaway.figures.statistics import wilson

Rule = Callable[[Course], float]
KINDS: Mapping[str, Kind] = {
    "1 (harmless)": Kind(),
    "1, the fleet's rate doubles": Kind(drift=drifting),
    "1.5": Kind(1.5),
    "2": Kind(2.0),
    "3": Kind(3.0),
    "10": Kind(10.0),
}
CHOSEN: Mapping[str, Kind] = {
    "1 (harmless), 60% install": Kind(spread=0.7, consents=0.6),
    "1, 60% install, drivers differ twice as much": Kind(spread=1.4, consents=0.6),
    "1, all at once, drivers differ twice as much": Kind(spread=1.4),
    "1.5, 60% install": Kind(1.5, spread=0.7, consents=0.6),
    "1.5, 80% install": Kind(1.5, spread=0.7, consents=0.8),
    "3, 60% install": Kind(3.0, spread=0.7, consents=0.6),
}
HEADS: Mapping[str, Rule] = {
    "e-process": rules.by_offer,
    "z-test every hour": rules.peeked_z,
    "before and after, +50%": rules.before_after,
}
CHOICES: Mapping[str, Rule] = {
    "by offer (as built)": rules.by_offer,
    "by installation": rules.by_installation,
    "by offer, one event a day": rules.each_day,
}
SHARES = (0.01, 0.02, 0.04, 0.10)
ACCEPTED = 0.02


def said(hours: Sequence[float], cars: Callable[[float], int]) -> str:
    """Share stopped with its interval; median hours and cars over all runs."""
    stopped = sum(hour <= HOURS for hour in hours)
    interval = wilson(stopped, len(hours))
    middle = float(np.median(hours))
    text = f"{stopped / len(hours):.1%} ({interval.low:.1%}–{interval.high:.1%})"
    return text + (f" / {middle:.0f} h / {cars(middle):,}" if middle <= HOURS else "")


def compared(kinds: Mapping[str, Kind], heads: Mapping[str, Rule], runs: int) -> None:
    print(f"| true ratio | runs | {' | '.join(heads)} |\n|---|---|{'---|' * len(heads)}")
    for row, (name, kind) in enumerate(kinds.items()):
        many = runs if kind.ratio == 1 else runs // 4
        found: dict[str, list[float]] = {head: [] for head in heads}
        for run in range(many):
            simulated = course(kind, np.random.default_rng([len(kinds), row, run]))
            for head, rule in heads.items():
                found[head].append(rule(simulated))
        cells = " | ".join(said(hours, opened_by) for hours in found.values())
        print(f"| {name} | {many:,} | {cells} |", flush=True)
    print()


def installed(runs: int) -> None:
    heads: Mapping[str, Callable[[rules.Installs], float]] = {
        "install guard": lambda of: rules.our_guard(of, ACCEPTED),
        "hawkBit, 2% of a group": lambda of: rules.hawkbits(of, ACCEPTED),
        "AWS, 2% of 20 executed or more": lambda of: rules.aws(of, ACCEPTED, times_out=False),
        "the same with time-outs": lambda of: rules.aws(of, ACCEPTED, times_out=True),
    }
    print(f"| share that fails | runs | {' | '.join(heads)} |\n|---|---|{'---|' * len(heads)}")
    for row, share in enumerate(SHARES):
        many = runs if share <= ACCEPTED else runs // 4
        found: dict[str, list[float]] = {head: [] for head in heads}
        begun: dict[str, list[int]] = {head: [] for head in heads}
        for run in range(many):
            simulated = rules.installs(share, np.random.default_rng([row, run]))
            for head, rule in heads.items():
                hour = rule(simulated)
                found[head].append(hour)
                begun[head].append(rules.begun(simulated, min(hour, HOURS)))
        cells = " | ".join(
            said(found[head], lambda _, of=begun[head]: int(np.median(of)))  # type: ignore[misc]
            for head in heads
        )
        print(f"| {share:.0%} | {many:,} | {cells} |", flush=True)
    print()


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    started = time.process_time()
    print(f"{CARS:,} cars, looked at every hour of {HOURS}; stopped / median hours / cars opened by then\n")
    compared(KINDS, HEADS, runs)
    print("Owners choose: keen drivers install first, and more of them\n")
    compared(CHOSEN, CHOICES, runs)
    print(f"Installations, {ACCEPTED:.0%} accepted; stopped / median hours / installations begun by then\n")
    installed(runs)
    print(f"{time.process_time() - started:.0f} CPU s\n")
    times()


if __name__ == "__main__":
    main()
