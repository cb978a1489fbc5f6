"""The time of one decision over 1,000,000 cars."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bench.updates.fleets import HOUR
from driveaway.facts.health import SIGNALS
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Health, Outcome
from driveaway.updates.rollouts.decision import Decision, Standing, decide
from driveaway.updates.rollouts.guards import Comparison, Rules
from driveaway.updates.rollouts.order import held_out, places
from driveaway.updates.rollouts.plans import ByRate

CARS = 1_000_000
EVENTS = 100_000
DAY = 24 * HOUR


def fleet(rng: np.random.Generator) -> Cars:
    """A rollout in its fourth stage: half of the cars open, most of them done."""
    vins = np.array([f"LSJE{number:013d}" for number in range(CARS)], dtype=np.bytes_)
    place, behind = places("bench", vins), held_out("bench", vins)
    opened = np.full(CARS, NEVER, dtype=np.int64)
    for share, day in ((0.5, 4), (0.2, 2), (0.05, 1), (0.01, 0)):
        opened[place < np.uint64(share * 2**64)] = day * DAY
    opened[behind] = NEVER
    began = np.where(opened == NEVER, NEVER, np.minimum(opened, 9 * DAY) + rng.integers(0, DAY, CARS))
    done = began < NEVER
    finished = np.where(done, np.minimum(began, 10 * DAY) + 1800 * SECOND, NEVER)
    outcome = np.where(done, np.where(rng.random(CARS) < 0.01, Outcome.FAILED, Outcome.SUCCEEDED), 0)
    return Cars(
        place=place,
        held_out=behind,
        segment=rng.integers(0, 4, CARS).astype(np.int32),
        joined=np.zeros(CARS, dtype=np.int64),
        opened=opened,
        offered=began,
        started=began,
        finished=finished,
        seen=np.full(CARS, 6 * DAY, dtype=np.int64),
        outcome=outcome.astype(np.uint8),
    )


def reports(rng: np.random.Generator, rows: int, signal: str, count: int | None = None) -> Health:
    """Reports over six days: moments of events, or hours with metres."""
    start = np.sort(rng.integers(0, 6 * DAY, rows))
    if count is None:
        start = start // HOUR * HOUR
    happened = (
        (rng.random(rows) < 0.002).astype(np.int32) if count is None else np.full(rows, count, np.int32)
    )
    return Health(
        car=rng.integers(0, CARS, rows).astype(np.int32),
        signal=np.full(rows, SIGNALS.index(signal), dtype=np.int16),  # type: ignore[arg-type]
        start=start,
        end=start + (HOUR if count is None else 0),
        landed=start + HOUR,
        count=happened,
        exposure_m=rng.integers(1, 50_000, rows),
        assisted_m=np.zeros(rows, dtype=np.int64),
    )


def measured(name: str, run: Callable[[], Decision]) -> None:
    taken = []
    for _ in range(5):
        started = time.process_time()
        decision = run()
        taken.append(time.process_time() - started)
    print(f"| {name} | {min(taken) * 1000:.0f} | {np.median(taken) * 1000:.0f} | {decision.action} |")


def times() -> None:
    rng = np.random.default_rng(1)
    cars = fleet(rng)
    now, steps, segments = 6 * DAY, (0, DAY, 2 * DAY, 4 * DAY), ("a", "b", "c", "d")
    one = Rules(comparisons=(Comparison(name="trouble", signals=("trouble_code",)),))
    far = Rules(comparisons=(Comparison(name="brakes", signals=("emergency_braking",), exposure="distance"),))
    whole = {"cars": cars, "started": 0, "now": now, "steps": steps, "segments": segments}
    events = reports(rng, EVENTS, "trouble_code", 1)
    rows = reports(rng, 2 * CARS, "emergency_braking")
    by_rate = Rules(growth=ByRate(cars=5_000), comparisons=one.comparisons)
    print(f"One decision over {CARS:,} cars\n\n| | best, CPU ms | median, CPU ms | |\n|---|---|---|---|")
    measured("no report", lambda: decide(Standing(rules=one, health=Health.none(), **whole)))  # type: ignore[arg-type]
    measured(f"{EVENTS:,} events", lambda: decide(Standing(rules=one, health=events, **whole)))  # type: ignore[arg-type]
    measured(
        f"{EVENTS:,} events, opened at a rate",
        lambda: decide(Standing(rules=by_rate, health=events, **whole)),  # type: ignore[arg-type]
    )
    measured(
        f"{2 * CARS:,} hours with metres",
        lambda: decide(Standing(rules=far, health=rows, **whole)),  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    times()
