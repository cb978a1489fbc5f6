"""Landing in a process of its own, killed there; what it said is safe must be there once."""

from __future__ import annotations

import random
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.facts.trips import TripsCompacted, TripsLanded
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.compaction import compact, sweep
from driveaway.fleet.landing.quarantine import Quarantine
from driveaway.fleet.landing.warming import warm
from driveaway.launch.fleet.opening import open_landing
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import HOUR, parse_instant
from driveaway.values.errors import DriveawayError, Unavailable
from tests.stores import acts

# Children are forked with everything compiled and loaded.
warm()

START = parse_instant("2024-04-03T00:00:00+08:00", None)
RULES = "\n[fleet]\ndelivered_only = false\n\n[fleet.plausible]\nlate_days = 4000\n"
Key = tuple[str, int]


def rows_of(number: int) -> list[dict[str, Any]]:
    """The rows of one batch: six trips of three cars on two days, and one that ends before it starts."""
    start = START + number * 4 * HOUR
    good = [
        {"vin": acts.car(car), "trip": 2 * number + half, "start": start + half * 2 * HOUR,
         "end": start + (half * 2 + 1) * HOUR, "distance_m": 1_000 + number}
        for car in range(3) for half in range(2)
    ]  # fmt: skip
    return [*good, {"vin": acts.car(1), "trip": 10**6 + number, "start": start, "end": start - 1,
                    "distance_m": 1}]  # fmt: skip


def keys_of(number: int) -> set[Key]:
    return {(row["vin"], row["trip"]) for row in rows_of(number)[:-1]}


def batch_of(number: int) -> Batch:
    return Batch(f"batch-{number}", "http", pa.Table.from_pylist(rows_of(number)))


def land_batches(pipe: Connection, folder: str, url: str, first: int, seed: int) -> None:
    """Land batch after batch, alone and together; publish, compact, sweep; say which number is safe."""
    dice = random.Random(seed)
    with open_launch(Path(folder), book_url=url) as launch:
        landing = open_landing(launch)
        pipe.send(("ready", first))
        while True:
            until = first + dice.choice((1, 1, 2, 3, 10))
            try:
                for done in landing.land_all([batch_of(number) for number in range(first, until)]):
                    if isinstance(done, DriveawayError):
                        raise done
            except Unavailable as error:
                pipe.send(("unavailable", error.code))
                time.sleep(0.02)
                continue
            pipe.send(("safe", until))
            first = until
            work = dice.random()
            if work < 0.2:
                landing.close()
            elif work < 0.4:
                compact(landing, many=2, whole=dice.random() < 0.5)
            elif work < 0.5:
                sweep(landing)
            elif work < 0.6:
                landing.index.drop()


def release_rows(pipe: Connection, folder: str, url: str) -> None:
    """Release what waits for a handover."""
    with open_launch(Path(folder), book_url=url) as launch:
        quarantine = Quarantine(open_landing(launch))
        pipe.send(("ready", 0))
        quarantine.release_delivered()
    pipe.send(("done", 0))


def landed(launch: Launch) -> Counter[Key]:
    """How often each trip is in what the facts name now."""
    found: Counter[Key] = Counter()
    facts = [
        fact for fact in launch.book.facts(0, 10**9) if isinstance(fact.body, TripsLanded | TripsCompacted)
    ]
    gone = {name for fact in facts if isinstance(fact.body, TripsCompacted) for name in fact.body.replaced}
    for fact in facts:
        assert isinstance(fact.body, TripsLanded | TripsCompacted)
        for file in fact.body.files:
            if file.file not in gone:
                table = pq.read_table(launch.data / "fleet" / "trips" / file.file, partitioning=None)
                table = table.slice(file.first, file.rows)
                assert table.num_rows == file.rows
                found.update(zip(table["vin"].to_pylist(), table["trip"].to_pylist(), strict=True))
    return found
