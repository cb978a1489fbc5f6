"""Landing trips and ``kill -9``, a full disk, a handover while it dies: nothing lost, nothing double."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from driveaway.facts.trips import QuarantineSettled
from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.fleet.landing.compaction import sweep
from driveaway.fleet.landing.landing import Landing
from driveaway.fleet.landing.quarantine import Quarantine
from driveaway.launch.fleet.opening import open_landing
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import DAY, now
from driveaway.values.errors import Unavailable
from tests.faults.conftest import Child
from tests.faults.test_full_disk import _SMALL, _small_disk
from tests.faults.trips import RULES, START, batch_of, keys_of, land_batches, landed, release_rows
from tests.stores import acts
from tests.stores.acts import LAUNCH_TOML

_KILLS = pytest.mark.parametrize(
    "kills", [8, pytest.param(200, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML + RULES)
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'small' / 'data' / 'book.sqlite'}"


@pytest.fixture
def launch(folder: Path, url: str) -> Iterator[Launch]:
    with open_launch(folder, book_url=url) as launch:
        launch.book.store.create()
        yield launch


@_KILLS
def test_killed_while_landing(launch: Launch, folder: Path, url: str, kills: int) -> None:
    dice = random.Random(kills)
    safe = 0
    for kill in range(kills):
        # Some of what is safe already is sent again, as by somebody who does not know.
        child = Child(land_batches, str(folder), url, max(0, safe - 3), kill)
        child.wait_for("ready")
        time.sleep(dice.uniform(0, 0.3))
        said = child.kill()
        assert not [word for word, _ in said if word == "unavailable"]
        safe = max([safe, *(value for word, value in said if word == "safe")])
    assert safe > 0
    found = landed(launch)
    assert set(found.values()) == {1}
    assert set().union(*(keys_of(number) for number in range(safe))) <= set(found)
    landing = open_landing(launch)
    again = landing.land_all([batch_of(number) for number in range(safe + 20)])
    assert all(isinstance(done, Landed) for done in again)
    assert all(done.duplicate for done in again[:safe] if isinstance(done, Landed))
    found = landed(launch)
    assert set(found.values()) == {1}
    assert set(found) == set().union(*(keys_of(number) for number in range(safe + 20)))
    # One bad row a batch, and no file without a fact once time has passed.
    assert sum(held.rows for held in Quarantine(landing).held()) == safe + 20
    later = open_landing(launch, lambda: now() + DAY)
    sweep(later)
    named = {share.file.file for shares in later.index.days.values() for share in shares}
    there = {f"{path.parent.name}/{path.name}" for path in (later.folder.trips).glob("*/*")}
    assert there == named
    assert [path for path in later.folder.staging.iterdir() if not path.name.startswith("settle-")] == []
    assert launch.book.verify().differences == []


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=[pytest.mark.nightly])])
def test_killed_while_releasing(launch: Launch, folder: Path, url: str, kills: int) -> None:
    file = folder / "launch.toml"
    file.write_text(file.read_text().replace("delivered_only = false", ""))
    with open_launch(folder, book_url=url) as strict:
        landing = open_landing(strict)
        for number in range(3):
            landing.land(batch_of(number))
        assert landed(strict) == {}
        strict.append([draft for car in range(3) for draft in acts.delivered(car, car)])
        dice = random.Random(kills)
        for _ in range(kills):
            child = Child(release_rows, str(folder), url)
            child.wait_for("ready")
            time.sleep(dice.uniform(0, 0.12))
            child.kill()
        quarantine = Quarantine(landing)
        quarantine.release_delivered()
        found = landed(strict)
        assert set(found.values()) == {1}
        assert set(found) == keys_of(0) | keys_of(1) | keys_of(2)
        settled = [
            fact.body for fact in strict.book.facts(0, 10**9) if isinstance(fact.body, QuarantineSettled)
        ]
        assert sum(body.rows for body in settled) == 18
        assert [held.code for held in quarantine.held()] == ["trips.ends_before_start"] * 3


def test_a_full_disk(launch: Launch, folder: Path) -> None:
    with _small_disk(folder / "data" / "fleet") as small:
        if not small:
            pytest.skip("no small disk can be mounted here")
        landing = open_landing(launch)
        filler = folder / "data" / "fleet" / "filler"
        filler.write_bytes(bytes(_SMALL // 2))
        done, full = land_until_full(landing)
        assert full.code == "disk.full"
        assert done > 0
        with pytest.raises(Unavailable):
            landing.land(large(done))
        assert [path.name for path in (folder / "data" / "fleet" / "staging").iterdir()] == []
        assert sum(landed(launch).values()) == done * 5_000
        filler.unlink()
        assert landing.land(large(done)).rows == 5_000
        assert open_landing(launch).land(large(0)).duplicate
        assert set(landed(launch).values()) == {1}


def land_until_full(landing: Landing) -> tuple[int, Unavailable]:
    for number in range(10_000):
        try:
            landing.land(large(number))
        except Unavailable as error:
            return number, error
    raise AssertionError("the disk never filled")


def large(number: int) -> Batch:
    dice = random.Random(number)
    at = [START + (number * 5_000 + row) * 10_000_000 for row in range(5_000)]
    table = pa.table({
        "vin": [acts.car(1)] * 5_000, "trip": [number * 5_000 + row for row in range(5_000)],
        "start": at, "end": [start + dice.randrange(1, 10_000_000) for start in at],
        "distance_m": [dice.randrange(500) for _ in at], "software": [f"{dice.random()}" for _ in at],
    })  # fmt: skip
    return Batch(f"large-{number}", "http", table)
