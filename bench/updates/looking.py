"""The worker's looks at a rollout of a million cars in SQLite: ``python -m bench.updates.looking [CARS]``.

Prints CPU seconds and the longest time that one change held the write lock (wall time: an upper bound on a
machine that does other things).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import numpy as np

from driveaway.book.book import open_store
from driveaway.book.state.state import Change, State
from driveaway.facts.health import CarHealth
from driveaway.updates import health, sets, software
from driveaway.updates.configuration import configure
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.guards import Rules
from driveaway.updates.rollouts.plan import RolloutPlan
from driveaway.updates.rollouts.plans import ByStages, Stage
from driveaway.values.clock import HOUR

START = 1_714_900_000_000_000


class Timed(State):
    """Operational tables whose changes are timed."""

    longest = 0.0
    dearest = 0.0

    @contextmanager
    def change(self) -> Iterator[Change]:
        begun, cpu = time.perf_counter(), time.process_time()
        with super().change() as change:
            yield change
        self.longest = max(self.longest, time.perf_counter() - begun)
        self.dearest = max(self.dearest, time.process_time() - cpu)


@contextmanager
def measured(what: str, state: Timed) -> Iterator[None]:
    state.longest = state.dearest = 0.0
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    print(
        f"{what:<52} {time.process_time() - cpu:7.2f} CPU s {time.perf_counter() - wall:7.2f} s,"
        f" longest change {state.dearest * 1000:4.0f} CPU ms {state.longest * 1000:5.0f} ms,"
        f" {getrusage(RUSAGE_SELF).ru_maxrss // 1024:,} MB"
    )


def fill(state: State, cars: int) -> int:
    """Enter cars and a release; the id of its set."""
    for first in range(0, cars, 50_000):
        with state.change() as change:
            change.run_many(
                "INSERT INTO targets (controller_id, name, created, modified, polled) VALUES"
                " (:id, :id, :at, :at, :at)",
                [{"id": f"LNBSU7M0{n:09d}", "at": START} for n in range(first, min(first + 50_000, cars))],
            )
    with state.change() as change:
        module = software.create_module(change, "su7", "1.1.0", "os", START)
        configure(change, "releases.unsigned.enabled", True, START)
        made = sets.create_set(change, "su7", "1.1.0", "os", [module.id], START)
    return made.id


def main(cars: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'book.sqlite'}")
        store.create()
        state = Timed(store, lambda transaction, drafts: [0 for _ in drafts])
        release = fill(state, cars)
        growth = ByStages(stages=(Stage(share=0.5, minimum_s=86_400), Stage(share=1.0, minimum_s=86_400)))
        with state.change() as change:
            made = keeping.create_rollout(
                change, "may", release, "name==*", RolloutPlan(rules=Rules(growth=growth)), START, by="bench"
            )
            keeping.start(change, made, START, by="bench")
        driver = Driver(state, made.id)
        print(f"{cars:,} cars")
        with measured("enter all, open and serve half of them", state):
            driver.look(START)
        act(state, made.id, START + HOUR, 3)
        with measured("a new worker's first look", state):
            driver = Driver(state, made.id)
            driver.look(START + 2 * HOUR)
        with measured("next look, nothing changed", state):
            driver.look(START + 3 * HOUR)
        act(state, made.id, START + 3 * HOUR + HOUR // 2, 100)
        with measured("next look, 1% changed", state):
            driver.look(START + 4 * HOUR)
        report(state, cars, START + 4 * HOUR)
        with measured("next look, 100,000 new rows of health", state):
            driver.look(START + 5 * HOUR)
        with measured("next look, none new", state):
            driver.look(START + 6 * HOUR)
        with measured("tend (silent, fallen back)", state):
            driver.tend(START + 6 * HOUR)
        with measured("look that opens and serves the other half", state):
            driver.look(START + 26 * HOUR)
        rollout = keeping.find_rollout(state, made.id)
        with measured("pause", state):
            with state.change() as change:
                keeping.pause(change, rollout, START + 27 * HOUR, reason="bench", by="bench")
            settle(state, made.id, START + 27 * HOUR)
        rollout = keeping.find_rollout(state, made.id)
        with measured("abort", state):
            with state.change() as change:
                keeping.abort(change, rollout, START + 28 * HOUR, reason="bench", by="bench")
            settle(state, made.id, START + 28 * HOUR)


def settle(state: State, rollout: int, at: int) -> None:
    more = True
    while more:
        with state.change() as change:
            more = keeping.settle(change, rollout, at)


def act(state: State, rollout: int, at: int, every: int) -> None:
    """Let every so-many-th car that was given it begin or succeed."""
    with state.change() as change:
        change.run(
            "UPDATE actions SET begun = :at, heard = :at, modified = :at, outcome = 'installed',"
            " verified = 1, active = 0, status = 'finished'"
            " WHERE rollout = :rollout AND active = 1 AND id % :every = 0",
            at=at, rollout=rollout, every=every,
        )  # fmt: skip


def report(state: State, cars: int, at: int) -> None:
    """Land 100,000 rows about cars drawn alike, a tenth of them events."""
    drawn = np.random.default_rng(1).choice(cars, min(100_000, cars), replace=False)
    rows: list[Any] = [
        CarHealth(
            vin=f"LNBSU7M0{n:09d}", release="su7-1.1.0", start=at - HOUR, end=at, signal="trouble_code",
            count=int(i % 10 == 0), exposure_m=20_000,
        )
        for i, n in enumerate(drawn.tolist())
    ]  # fmt: skip
    for first in range(0, len(rows), 20_000):
        begun = time.process_time()
        with state.change() as change:
            health.land(change, rows[first : first + 20_000], at)
        if first == 0:
            print(f"landing 20,000 rows of health: {time.process_time() - begun:.2f} CPU s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
