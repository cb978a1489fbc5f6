"""The whole way: files through the command, the quarantine's commands, the worker, the ledger behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from driveaway.cli.app import run
from driveaway.facts import Draft
from driveaway.facts.launches import Withdrawn
from driveaway.fleet.landing.batch import Batch
from driveaway.launch.fleet.keeping import FleetKeeper, compact_now
from driveaway.launch.fleet.opening import open_landing
from driveaway.launch.fleet.places import Cities
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import now
from tests.stores import acts
from tests.stores.acts import LAUNCH_TOML
from tests.unit.fleet.kit import KM, row, table

RULES = "\n[fleet.plausible]\nlate_days = 4000\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "launch.toml").write_text(LAUNCH_TOML + RULES)
    with open_launch(folder) as launch:
        launch.book.store.create()
        deliver(launch, 1)
    return folder


@pytest.fixture
def launch(folder: Path) -> Iterator[Launch]:
    with open_launch(folder) as launch:
        yield launch


def deliver(launch: Launch, number: int) -> None:
    launch.append(acts.delivered(number, number))


def drive(number: int, trip: int, **more: Any) -> dict[str, Any]:
    return row(number, trip, **more) | {"vin": acts.car(number)}


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--format", "json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def test_commands(folder, capsys, tmp_path):
    where = ("--launch", str(folder))
    pq.write_table(table(drive(1, 1), drive(1, 2, distance_m=-1), drive(2, 1)), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    files = (str(tmp_path / "*.parquet"), str(tmp_path / "c.csv"))
    code, said = told(capsys, "fleet", "ingest", *files, *where)
    assert code == 2
    assert [(each["rows"], bool(each["error"])) for each in said["rows"]] == [
        (1, False),
        (0, True),
        (0, True),
    ]
    assert said["rows"][0]["quarantined"] == {"trips.negative": 1, "trips.not_delivered": 1}
    assert run(["fleet", "ingest", *files, *where]) == 2
    assert "b.parquet: not taken in\nc.csv: not taken in\n" in capsys.readouterr().out
    code, said = told(capsys, "fleet", "ingest", str(tmp_path / "a.parquet"), *where)
    assert (code, said["rows"][0]["duplicates"]) == (0, 1)
    code, said = told(capsys, "fleet", "quarantine", "list", *where)
    assert [(each["code"], each["rows"]) for each in said["rows"]] == [
        ("trips.negative", 1), ("trips.not_delivered", 1),
    ]  # fmt: skip
    assert run(["fleet", "quarantine", "show", "--code", "trips.negative", *where]) == 0
    assert "distance_m is -1, below 0" in capsys.readouterr().out
    show = ["fleet", "quarantine", "show", *where]
    assert run([*show, "--limit", "1"]) == 0
    assert capsys.readouterr().err == "1 of 2 rows; --limit 2 shows all\n"
    assert run([*show, "--code", "trips.cell"]) == 0
    assert capsys.readouterr().err == "nothing of that is in quarantine\n"
    assert run([*show, "--code", "trips.cel"]) == 2
    assert "there is no code 'trips.cel'" in capsys.readouterr().err
    assert run([*show, "--code", "trips.cell", "--code", "trips.negative"]) == 2
    assert "--code is given 2 times" in capsys.readouterr().err
    code, said = told(capsys, "fleet", "quarantine", "release", *where)
    assert (code, said["kept"]) == (1, {"trips.negative": 1, "trips.not_delivered": 1})
    with open_launch(folder) as launch:
        deliver(launch, 2)
    # A late handover is noticed by the next one that takes trips in.
    pq.write_table(table(drive(1, 3)), tmp_path / "d.parquet")
    assert run(["fleet", "ingest", str(tmp_path / "d.parquet"), *where]) == 0
    assert "d.parquet: 1 rows" in capsys.readouterr().out
    discard = ["fleet", "quarantine", "discard", *where, "--reason", "a test drive"]
    assert run(discard) == 2
    code, said = told(capsys, *discard, "--code", "trips.negative")
    assert (code, said["discarded"]) == (0, 1)
    assert run(["fleet", "quarantine", "list", *where]) == 0
    assert "nothing is in quarantine" in capsys.readouterr().err
    code, said = told(capsys, "fleet", "compact", *where)
    assert (code, [each["rows"] for each in said["rows"]]) == (0, [3])
    code, said = told(capsys, "figure", "fleet.distance", "--as-of", "2024-04-10", *where)
    assert (code, said["value"]) == (0, 60 * KM)


def test_the_worker_keeps_house(launch):
    keeper = FleetKeeper(launch)
    assert keeper.release(0) is None
    assert keeper.compact(0) == []
    with_handover = open_landing(launch)
    for trip in range(1, 10):
        with_handover.land(Batch(f"b-{trip}", "http", table(drive(1, trip), drive(2, trip))))
    deliver(launch, 2)
    done = keeper.release(0)
    assert done is not None
    assert done.rows == 9
    (compacted,) = keeper.compact(0)
    assert compacted.rows == 18
    assert keeper.compact(0) == []


def ledger(launch: Launch, mark: int | None = None) -> int:
    found = launch.at("2024-04-10", mark=mark).figure("fleet.distance")
    return int(found.value or 0)


def test_batches_in_one_file_count_each_at_its_mark(launch):
    landing = open_landing(launch)
    for group in range(3):
        trips = range(group * 4 + 1, group * 4 + 5)
        batches = [Batch(f"b-{trip}", "http", table(drive(1, trip, distance_m=trip * KM))) for trip in trips]
        landed = landing.land_all(batches)
    assert [ledger(launch, each.seq) for each in landed] == [45 * KM, 55 * KM, 66 * KM, 78 * KM]
    # Made anew, of compacted files.
    compact_now(launch)
    launch.book.landed.drop()
    assert [ledger(launch, each.seq) for each in landed] == [45 * KM, 55 * KM, 66 * KM, 78 * KM]


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_batch_that_was_taken_back_can_come_again(launch, published, compacted):
    from driveaway.fleet.landing.compaction import compact

    landing = open_landing(launch)
    done = landing.land(Batch("one", "http", table(drive(1, 1), drive(1, 3))))
    landing.land(Batch("two", "http", table(drive(1, 2))))
    if published:
        landing.close()
    if compacted:
        compact(landing, many=2, whole=True)
    fact = next(fact for fact in launch.book.about("one") if fact.seq == done.seq)
    launch.append([Draft(
        "fact.withdrawn", "one", fact.happened, Withdrawn(reason="sent by mistake"), replaces=done.seq,
    )])  # fmt: skip
    assert ledger(launch) == 20 * KM
    for each in (landing, open_landing(launch)):
        rows = table(drive(1, 1), drive(1, 2), drive(1, 3, end=now()))
        again = each.land(Batch(f"three-{id(each)}", "http", rows))
        assert again.repeated == 1 + (each is not landing)
    assert ledger(launch) == 40 * KM


def test_cities_of_positions(folder):
    cities = Cities(folder)
    latitude = np.array([39.9042, 31.2304, 0.0, 22.5431])
    longitude = np.array([116.4074, 121.4737, 0.0, 114.0579])
    assert cities(latitude, longitude).to_pylist() == ["Beijing", "Shanghai", None, "Shenzhen"]
