"""``kill -9`` at any moment: nothing acknowledged is lost, nothing is doubled when repeated."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from driveaway.book import mirror
from driveaway.book.mirror import Mirror
from driveaway.facts import KINDS
from driveaway.launch.launch import Launch
from tests.faults.children import append_orders, catch_up, drafts_of, import_orders
from tests.faults.conftest import Child
from tests.stores import acts

# Ten on each store are CI's share of two hundred on each.
_KILLS = pytest.mark.parametrize(
    "kills", [20, pytest.param(200, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])]
)


def _whole(launch: Launch, safe: int) -> int:
    """Check what must be true after a kill; how many orders are in the book."""
    rows = launch.book.store.rows(0, 10**9, 10**9)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    sources = [row.source for row in rows]
    assert len(set(sources)) == len(sources)
    acknowledged = {draft.source for number in range(safe) for draft in drafts_of(number)}
    assert acknowledged <= set(sources)
    assert launch.book.edge().size == len(rows)
    verdict = launch.book.verify()
    assert verdict.differences == []
    # All of a batch, or none of it.
    assert len(rows) % 3 == 0
    return len(rows) // 3


@_KILLS
def test_appending(launch: Launch, folder: Path, url: str, kills: int) -> None:
    dice = random.Random(kills)
    safe = 0
    for kill in range(kills):
        # Repeat some of what is safe already, as somebody would who does not know.
        child = Child(append_orders, str(folder), url, max(0, safe - 9), 10**9, kill)
        child.wait_for("ready")
        time.sleep(dice.uniform(0, 0.15))
        said = child.kill()
        assert not [word for word, _ in said if word == "unavailable"]
        safe = max([safe, *(value for word, value in said if word == "safe")])
        if kill % 10 == 9:
            assert _whole(launch, safe) >= safe
    assert safe > 0
    again = [draft for number in range(safe) for draft in drafts_of(number)]
    assert not any(outcome.added for outcome in launch.append(again))
    orders = _whole(launch, safe)
    assert launch.at(acts.at(10**6)).figure("orders.reserved").value == orders


@pytest.mark.parametrize(
    "kills", [4, pytest.param(40, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])]
)
def test_importing(launch: Launch, folder: Path, url: str, kills: int, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    rows = [f"{acts.order(n)},2024-03-29T{n % 24:02}:00:00+08:00,Max,blue,urn:file/{n}" for n in range(600)]
    file.write_text("subject,happened,trim,colour,source\n" + "\n".join(rows) + "\n")
    dice = random.Random(kills)
    for _ in range(kills):
        child = Child(import_orders, str(folder), url, str(file))
        child.wait_for("ready")
        time.sleep(dice.uniform(0, 0.12))
        child.kill()
    child = Child(import_orders, str(folder), url, str(file))
    child.wait_for("done")
    child.rest()
    facts = list(launch.book.facts(0, 10**9))
    assert sorted(fact.source for fact in facts) == sorted(f"urn:file/{n}" for n in range(600))
    assert launch.book.verify().differences == []


@pytest.mark.parametrize("kills", [5, pytest.param(60, marks=pytest.mark.nightly)])
def test_catching_up(
    launch: Launch, folder: Path, url: str, kills: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(kills)
    numbers = iter(range(10**6))

    def record_more() -> None:
        some = [next(numbers) for _ in range(60)]
        launch.append([draft for number in some for draft in drafts_of(number)])
        seq = launch.book.about(acts.order(some[0]))[1].seq
        launch.append([acts.withdrawn(acts.order(some[0]), seq, 10**5)])
        launch.erase(acts.order(some[1]), "asked")

    for _ in range(kills):
        record_more()
        child = Child(catch_up, str(folder), url)
        child.wait_for("ready")
        time.sleep(dice.uniform(0, 0.06))
        child.kill()
    monkeypatch.setattr(mirror, "_BATCH", 60)
    survivor = Mirror(launch.book.store, launch.book.folder / "mirror", launch.zone)
    fresh = Mirror(launch.book.store, tmp_path / "fresh", launch.zone)
    assert survivor.catch_up().upto == fresh.catch_up().upto == launch.book.edge().size
    for kind in KINDS:
        assert _rows(survivor, kind) == _rows(fresh, kind)
    assert len(_rows(fresh, "order.locked")) == 60 * kills
    listed = {Path(path).name for kind in KINDS for path in survivor.paths(kind)}
    assert {path.name for path in survivor.folder.glob("*.parquet")} == listed


def _rows(of: Mirror, kind: str) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    return [row for path in of.paths(kind) for row in pq.read_table(path).to_pylist()]
