"""What a poll costs, beside a bare ASGI application and gooseBit. ``python -m bench.updates.polling``.

One worker each, SQLite, over loopback. ``DRIVEAWAY_BENCH_GOOSEBIT`` names the folder of a virtual environment
with gooseBit; without it gooseBit is left out. CPU seconds are the server's own, read from the kernel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.machine import describe
from bench.tables import table
from bench.updates import room
from bench.updates.load import PACED_CONNECTIONS, Child, Measured

GOOSEBIT = "DRIVEAWAY_BENCH_GOOSEBIT"
PORT = 18080
SECONDS = 4
RUNS = 3
ASSIGNED = 5000
MANY = 100_000
_URL = f"http://127.0.0.1:{PORT}"


@contextmanager
def bare() -> Iterator[Child]:
    """The least that the same server can do."""
    with Child([sys.executable, "-m", "bench.updates.servers", "bare", str(PORT)], _URL) as child:
        child.ready("/", "x")
        yield child


@contextmanager
def door(folder: Path) -> Iterator[Child]:
    """The device door over a room that was made."""
    command = [sys.executable, "-m", "bench.updates.servers", "door", str(PORT)]
    with Child(command, _URL, {room.FOLDER: str(folder)}) as child:
        child.ready("/health", "x")
        yield child


@contextmanager
def goosebit(venv: Path, folder: Path, cars: int, assigned: int) -> Iterator[Child]:
    """gooseBit as it comes, but with no logging of requests; cars need no credential."""
    logging = '{"version":1,"disable_existing_loggers":true,"root":{"level":"CRITICAL"}}'
    settings = {
        "GOOSEBIT_DB_URI": f"sqlite://{folder / 'goosebit.sqlite'}",
        "GOOSEBIT_ARTIFACTS_DIR": str(folder),
        "GOOSEBIT_LOGGING": logging,
        "PYTHONPATH": "",
    }
    python = str(venv / "bin" / "python")
    script = str(Path(__file__).with_name("peer_database.py"))
    subprocess.run(
        [python, script, str(cars), str(assigned)], env={**os.environ, **settings}, check=True, cwd=folder
    )
    options = ["--port", str(PORT), "--log-level", "error", "--no-access-log"]
    command = [python, "-m", "uvicorn", "goosebit:app", *options]
    with Child(command, _URL, settings) as child:
        child.ready(*room.polls([0])[0])
        yield child


def flooded(child: Child, cars: list[tuple[str, str]]) -> Measured:
    """The run of median cost."""
    runs = sorted((child.flooded(cars, SECONDS) for _ in range(RUNS)), key=lambda run: run.each)
    return runs[len(runs) // 2]


def row(name: str, run: Measured, floor: Measured | None = None) -> list[str]:
    """A line of the table."""
    beside = "" if floor is None else f"{run.each / floor.each:.2f}"
    return [name, f"{run.each * 1e6:.0f}", f"{1 / run.each:,.0f}", f"{run.rate:,.0f}", beside]


def main() -> None:
    """Measure and print."""
    load = os.getloadavg()[0]
    rows: list[list[str]] = []
    said: list[str] = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with bare() as child:
            floor = flooded(child, room.polls(range(100)))
        rows.append(row("bare ASGI application", floor, floor))
        ours: dict[int, Measured] = {}
        fresh: Measured | None = None
        for cars in (100, MANY):
            there = folder / str(cars)
            chosen = range(cars, cars + ASSIGNED) if cars == 100 else range(0)
            there.mkdir()
            room.make(there, cars + len(chosen), chosen)
            with door(there) as child:
                polls = room.polls(range(cars))
                empty = child.memory
                warming = child.once(polls)
                ours[cars] = flooded(child, polls)
                rows.append(row(f"poll, up to date, {cars:,} cars", ours[cars], floor))
                full = child.memory
                if cars == MANY:
                    rows.append(row(f"the first poll of each of {cars:,} cars", warming, floor))
                    said.append(
                        f"memory with {cars:,} cars: {full / 1e6:.0f} MB ({empty / 1e6:.0f} at the start)"
                    )
                else:
                    fresh = child.once(room.polls(chosen))
                    rows.append(row("first poll with a new action", fresh, floor))
                # As many connections as will be open: each request then wakes the server by itself.
                most = child.flooded(polls, SECONDS, PACED_CONNECTIONS).rate
                for _ in range(RUNS):
                    paced = child.paced(polls, 0.7 * most, 10)
                    if paced is None:
                        said.append("latencies were not measured: wrk is not installed")
                        break
                    half, high, highest = (f"{one * 1e3:.1f} ms" for one in paced.latencies)
                    said.append(
                        f"{cars:,} cars at {paced.rate:,.0f} requests/s"
                        f" ({paced.rate / most:.0%} of the most):"
                        f" p50 {half}, p99 {high}, p99.9 {highest}"
                    )
        venv = os.environ.get(GOOSEBIT)
        if venv:
            with goosebit(Path(venv), folder, 100, 500) as child:
                child.once(room.polls(range(100)))
                peer = median_of(child, room.polls(range(100)))
                action = child.once(room.polls(range(100, 600)))
            rows += [row("gooseBit: up to date, 100 cars", peer, floor)]
            rows += [row("gooseBit: new action", action, floor)]
            said.append(
                f"up to date: {peer.each / ours[100].each:.0f} times gooseBit's requests/s of one core"
            )
            if fresh is not None:
                said.append(f"new action: {action.each / fresh.each:.0f} times gooseBit's")
        else:
            said.append(f"gooseBit was not measured: {GOOSEBIT} is not set")
    print(describe(load))
    print()
    print(table(["", "CPU µs/request", "requests/s per core", "requests/s, wall", "times bare"], rows))
    print()
    print("\n".join(f"- {line}" for line in said))


def median_of(child: Child, cars: list[tuple[str, str]]) -> Measured:
    """As ``flooded``, for a peer that is slow: each car a few times."""
    runs = [child.once(cars * 5) for _ in range(RUNS)]
    middle = median(run.each for run in runs)
    return min(runs, key=lambda run: abs(run.each - middle))


if __name__ == "__main__":
    main()
