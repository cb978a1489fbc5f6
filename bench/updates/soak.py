"""Cars that update while their server is killed again and again: what it took is there, once. Runnable.

``python -m bench.updates.soak --cars 50000 --seconds 600 --every 120``. The cars are simulated, the server is
the real one, killed by SIGKILL and started anew. Afterwards each car's own list of messages that the server
took is compared with the tables and with the book.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.machine import describe
from bench.measuring import ROOT
from driveaway.book.opening import open_store
from driveaway.book.state.state import State
from driveaway.book.store import Store
from driveaway.launch.device import DeviceLaunch, find_launch
from driveaway.updates import sets, software
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.assigning import Terms, assign
from driveaway.updates.car.fleet.behaviour import Behaviour
from driveaway.updates.car.fleet.counts import Counts
from driveaway.updates.car.fleet.entering import enter
from driveaway.updates.car.fleet.fleet import Fleet
from driveaway.updates.car.fleet.line import place_of
from driveaway.updates.car.fleet.member import Member
from driveaway.updates.configuration import configure
from driveaway.updates.releases import UNSIGNED
from driveaway.values.clock import now
from driveaway.values.errors import Unavailable

LAUNCH: Final = """
launch = "soak"
zone = "Asia/Shanghai"
currency = "CNY"

[car]
name = "Soak"
orders_open = "2024-03-28T22:00:00+08:00"
"""


@dataclass
class Soak:
    """What is done to the server, and for how long.

    Attributes:
        cars: how many.
        seconds: from the first poll to the last.
        every: seconds from one kill to the next; each somewhat earlier or later.
        batch: cars that get the next release at once.
        pause: seconds between two such batches.
        poll: seconds between two polls of a car.
        seed: of all choices.
    """

    cars: int
    seconds: float
    every: float
    batch: int
    pause: float
    poll: float = 60.0
    install: float = 5.0
    reboot: float = 5.0
    connections: int = 200
    seed: int = 1


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        wrong: what was lost or doubled, in words; none where all is well.
        acknowledged: messages that the server took.
        closed: of these, those that ended an action.
        actions: that were given to cars.
        finished: facts about ended updates.
        kills: of the server.
        away: seconds that it was away, on the whole.
        counts: what the fleet saw.
        memory: bytes of the server at its end.
    """

    wrong: list[str] = field(default_factory=list)
    acknowledged: int = 0
    closed: int = 0
    actions: int = 0
    finished: int = 0
    kills: int = 0
    away: float = 0.0
    counts: Counts = field(default_factory=Counts)
    memory: int = 0


class _Server:
    def __init__(self, launch: DeviceLaunch) -> None:
        self._command = [sys.executable, "-m", "driveaway", "serve", "device"]
        self._command += ["--launch", str(launch.folder), "--parent", str(os.getpid())]
        self.port = 0
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, on the same port as before; returns when it listens."""
        self._child = subprocess.Popen(
            [*self._command, "--port", str(self.port)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "src"},
        )  # fmt: skip
        assert self._child.stdout is not None
        found = re.search(r":(\d+)/", self._child.stdout.readline())
        if found is None:
            raise Unavailable("the server did not start", code="soak.server")
        self.port = int(found[1])

    def end(self, number: signal.Signals) -> None:
        assert self._child is not None
        self._child.send_signal(number)
        self._child.wait(60)
        if self._child.stdout is not None:
            self._child.stdout.close()

    @property
    def memory(self) -> int:
        assert self._child is not None
        return int(Path(f"/proc/{self._child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


Taken = dict[tuple[str, int], list[tuple[str, str]]]


def run(soak: Soak, folder: Path) -> Outcome:
    """Let it happen in a folder of its own; what came of it."""
    outcome = Outcome()
    launch = _launch(folder)
    store = launch.store()
    state = State(store)
    with state.change() as change:
        configure(change, UNSIGNED, True, now())
    members = enter(state, soak.cars, now())
    taken: Taken = {}
    given: dict[int, str] = {}
    server = _Server(launch)
    server.start()
    try:
        uvloop.run(_live(soak, outcome, launch, state, members, taken, given, server))
        outcome.memory = server.memory
    finally:
        server.end(signal.SIGTERM)
    compare(outcome, store, state, taken, given)
    store.close()
    return outcome


def _launch(folder: Path) -> DeviceLaunch:
    (folder / "data").mkdir(parents=True)
    (folder / "launch.toml").write_text(LAUNCH)
    launch = find_launch(folder)
    store = open_store(launch.book_url)
    store.create()
    store.close()
    return launch


async def _live(
    soak: Soak,
    outcome: Outcome,
    launch: DeviceLaunch,
    state: State,
    members: list[Member],
    taken: Taken,
    given: dict[int, str],
    server: _Server,
) -> None:
    behaviour = Behaviour(
        seed=soak.seed, failing=0.02, silent=0.005, install=soak.install, reboot=soak.reboot, poll=soak.poll
    )

    def acknowledged(car: str, action: int, said: str, detail: str) -> None:
        taken.setdefault((car, action), []).append((said, detail))

    fleet = Fleet(
        members, place_of(f"http://127.0.0.1:{server.port}"), behaviour,
        connections=soak.connections, ramp=soak.poll, acknowledged=acknowledged,
    )  # fmt: skip
    outcome.counts = fleet.counts
    killing = asyncio.create_task(_kill(soak, outcome, server))
    giving = asyncio.create_task(asyncio.to_thread(_give, soak, launch, state, members, given))
    began = time.monotonic()

    def told(fleet: Fleet) -> None:
        seconds = time.monotonic() - began
        total = fleet.counts.latencies.total
        said = f"{seconds:.0f} s {total:,} requests, {outcome.kills} kills, {dict(fleet.counts.ended)}"
        print(said, f"{fleet.late} wait", file=sys.stderr)

    await fleet.run(soak.seconds, told, every=20.0)
    killing.cancel()
    with suppress(asyncio.CancelledError):
        await killing
    await giving


async def _kill(soak: Soak, outcome: Outcome, server: _Server) -> None:
    dice = random.Random(soak.seed)
    while True:
        await asyncio.sleep(soak.every * dice.uniform(0.8, 1.2))
        # To its end, even when the time is over meanwhile: the cars' last messages need a server.
        await asyncio.shield(asyncio.to_thread(_killed, outcome, server))


def _killed(outcome: Outcome, server: _Server) -> None:
    began = time.monotonic()
    server.end(signal.SIGKILL)
    server.start()
    outcome.kills += 1
    outcome.away += time.monotonic() - began


def _give(
    soak: Soak, launch: DeviceLaunch, state: State, members: list[Member], given: dict[int, str]
) -> None:
    """Give cars one release after the other, in batches, as another process beside the server would."""
    artifacts = ArtifactStore(launch.artifacts)
    end = time.monotonic() + 0.75 * soak.seconds
    first, version = 0, 0
    release = 0
    while time.monotonic() < end:
        if first == 0:
            version += 1
            release = _release(state, artifacts, str(version))
        chosen = [member.controller_id for member in members[first : first + soak.batch]]
        with state.change() as change:
            made = assign(change, release, chosen, Terms(), now(), most=None)
        given.update({action: car for car, action in made.actions.items()})
        first = first + soak.batch if first + soak.batch < len(members) else 0
        time.sleep(soak.pause)


def _release(state: State, artifacts: ArtifactStore, version: str) -> int:
    stored = artifacts.put([b"software " * 100, version.encode()])
    with state.change() as change:
        module = software.create_module(change, "os", version, "os", now())
        software.add_artifact(change, module.id, "os.swu", stored, now())
        configure(change, "releases.unsigned.enabled", True, now())
        return sets.create_set(change, "os", version, "os", [module.id], now()).id


def compare(outcome: Outcome, store: Store, state: State, taken: Taken, given: dict[int, str]) -> None:
    """What the cars know of, held against what is stored."""
    rows = state.rows(
        "SELECT a.id, t.controller_id, a.active, a.outcome FROM actions a JOIN targets t ON t.id = a.target"
    )
    actions = {row[0]: row[1:] for row in rows}
    outcome.actions = len(actions)
    wrong = outcome.wrong
    wrong += [f"action {action} is lost" for action in given if action not in actions]
    kept: Counter[tuple[int, str]] = Counter()
    for action, text in state.rows("SELECT action, messages FROM action_statuses WHERE digest <> ''"):
        kept.update((action, message) for message in msgspec.json.decode(text, type=list[str]))
    wrong += [
        f"action {action}: {detail!r} is there {number} times"
        for (action, detail), number in kept.items()
        if number > 1
    ]
    facts: Counter[int] = Counter()
    last = store.edge().size
    after = 0
    while found := store.rows(after, last, 10_000):
        after = found[-1].seq
        facts.update(
            msgspec.json.decode(row.body)["action"] for row in found if row.kind == "update.finished"
        )
    outcome.finished = facts.total()
    wrong += [f"action {action} ended {number} times" for action, number in facts.items() if number > 1]
    ended = {action for action, (_, active, how) in actions.items() if how and not active}
    wrong += [f"action {action} ended without a fact" for action in ended if not facts[action]]
    wrong += [f"action {action} did not end, and a fact says so" for action in facts if action not in ended]
    for (car, action), said in taken.items():
        outcome.acknowledged += len(said)
        if actions.get(action, ("",))[0] != car:
            wrong.append(f"action {action} of {car} is lost")
        for what, detail in said:
            if not kept[action, detail]:
                wrong.append(f"action {action}: {detail!r} was taken and is lost")
            if what.startswith("closed/") or what == "cancelled":
                outcome.closed += 1
                if facts[action] != 1:
                    wrong.append(f"action {action} was closed, and {facts[action]} facts say so")


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(prog="python -m bench.updates.soak", description=__doc__)
    asked.add_argument("--cars", type=int, default=50_000)
    asked.add_argument("--seconds", type=float, default=600)
    asked.add_argument("--every", type=float, default=120)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    load = os.getloadavg()[0]
    pause = 5.0
    # Every car gets one release within three quarters of the time.
    batch = max(1, round(given.cars * pause / (0.7 * given.seconds)))
    soak = Soak(given.cars, given.seconds, given.every, batch, pause, poll=90.0, seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(soak, Path(folder) / "launch")
    counts = outcome.counts
    print(describe(load))
    print()
    print(f"- simulated: {soak.cars:,} cars for {soak.seconds:.0f} s, each polls every {soak.poll:.0f} s")
    print(f"- the server was killed {outcome.kills} times and was away for {outcome.away:.1f} s on the whole")
    total = counts.latencies.total
    print(f"- {total:,} requests, {total / soak.seconds:,.0f}/s; {counts.lost:,} lost and made again")
    p50, p99 = (counts.latencies.percentile(share) for share in (0.5, 0.99))
    if p50 is not None and p99 is not None:
        print(f"- answers: p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms")
    print(f"- {outcome.actions:,} actions; updates by what cars said: {dict(sorted(counts.ended.items()))}")
    print(f"- {outcome.acknowledged:,} messages were taken, {outcome.closed:,} of them ended an action")
    print(f"- {outcome.finished:,} facts about ended updates")
    print(f"- memory of the server at the end: {outcome.memory / 1e6:.0f} MB")
    print(f"- lost or doubled: {len(outcome.wrong)}")
    for line in outcome.wrong[:20]:
        print(f"  - {line}")
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
