"""``kill -9`` at every step of erasing a car: whole before, whole after, and finished by the next erasure."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from driveaway.book.book import open_store
from driveaway.facts.launches import SubjectErased
from driveaway.launch import incidents
from driveaway.launch.erasing import finish_begun
from driveaway.launch.launch import Launch, open_launch
from tests.driven import land, lying, segment
from tests.faults.conftest import Child
from tests.faults.erasing import erase_car
from tests.stores import acts

ONE, TWO = acts.car(1), acts.car(2)


@pytest.fixture
def made(folder: Path) -> Path:
    """A launch on SQLite with two cars over two days, in trips, quarantine and caches."""
    store = open_store(_url(folder))
    store.create()
    store.close()
    with open_launch(folder) as launch:
        launch.append([acts.built(1, 1), acts.built(2, 1)])
        rows = [segment(vin, trip, acts.at(24 * trip)) for vin in (ONE, TWO) for trip in range(2)]
        aside = [{"row": 1, "code": "trips.future", "vin": vin, "content": vin} for vin in (ONE, TWO)]
        land(launch, "batch", rows, aside=aside)
        for cache in ("index", "ledger"):
            (launch.data / "fleet" / cache).mkdir()
            (launch.data / "fleet" / cache / "manifest.json").write_text(ONE)
    return folder


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'data' / 'book.sqlite'}"


def _plain(rows: list[dict[str, Any]], vin: str) -> list[str]:
    """A car's rows, wherever they lie."""
    return sorted(
        str({k: v for k, v in row.items() if k not in ("_file", "seq")}) for row in rows if row["vin"] == vin
    )


def _counted(launch: Launch, vin: str) -> int:
    """Rows of a car in the files that facts name now; every one of them can be read."""
    files: set[str] = set()
    for fact in launch.book.facts(0, 10**6):
        if fact.kind in ("trips.landed", "trips.compacted"):
            files -= set(getattr(fact.body, "replaced", ()))
            files |= {file.file for file in fact.body.files}  # type: ignore[attr-defined]
    tables = [pq.read_table(launch.data / "fleet" / "trips" / file) for file in sorted(files)]
    return sum(table.column("vin").to_pylist().count(vin) for table in tables)


def _look(folder: Path, others: list[str]) -> bool:
    """Check what must hold after a kill; whether the erasure is recorded."""
    with open_launch(folder) as launch:
        erased = any(isinstance(fact.body, SubjectErased) for fact in launch.book.about(ONE))
        assert _counted(launch, ONE) == (0 if erased else 2)
        assert _counted(launch, TWO) == 2
        rows = lying(launch.data / "fleet" / "quarantine")
        assert _plain(rows, TWO) == [row for row in others if "'code'" in row]
        return erased


def _finish(folder: Path, others: list[str], *, by_erasing: bool) -> None:
    with open_launch(folder) as launch:
        root = launch.data / "fleet"
        if by_erasing:
            launch.erase(ONE, "art. 17")
        else:
            finish_begun(launch.book, launch.state, launch._append_within, root)
        assert _plain(lying(root), ONE) == []
        assert _plain(lying(root), TWO) == others
        left = [str(path.relative_to(root)) for path in root.rglob("*") if ONE.encode() in _bytes(path)]
        assert left == []
        assert not (root / "erasing.json").exists()
        assert sum(isinstance(fact.body, SubjectErased) for fact in launch.book.about(ONE)) == 1
        assert launch.book.verify().differences == []
        assert _counted(launch, TWO) == 2
        named = {path.name for path in (root / "trips").rglob("*.parquet")}
        assert len(named) == 2
        assert all(name.startswith("erased-") for name in named)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _steps(made: Path, tmp_path: Path) -> int:
    copy = tmp_path / "whole"
    shutil.copytree(made, copy)
    child = Child(erase_car, str(copy), _url(copy), ONE, -1)
    return int(child.wait_for("done"))


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])])
def test_killed_before_any_act_on_the_disk(made: Path, tmp_path: Path, every: int) -> None:
    with open_launch(made) as launch:
        others = _plain(lying(launch.data / "fleet"), TWO)
    steps = _steps(made, tmp_path)
    assert steps > 20
    recorded = []
    for stop in range(steps - 1, -1, -every):
        copy = tmp_path / f"stopped-{stop}"
        shutil.copytree(made, copy)
        child = Child(erase_car, str(copy), _url(copy), ONE, stop)
        said = child.rest()
        assert "done" not in dict(said)
        recorded.append(_look(copy, others))
        begun = (copy / "data" / "fleet" / "erasing.json").exists()
        _finish(copy, others, by_erasing=not begun or stop % 2 == 0)
        shutil.rmtree(copy)
    # Some were stopped before the fact, some after it.
    assert set(recorded) == {True, False}


def test_what_was_begun_and_is_held_by_now_stays(made: Path) -> None:
    child = Child(erase_car, str(made), _url(made), ONE, 10**6)
    child.wait_for("ready")
    child.rest()
    with open_launch(made) as launch:
        root = launch.data / "fleet"
        incidents.place_hold(launch, TWO, "case", "a claim")
        (root / "erasing.json").write_text(f'{{"vin": "{TWO}", "reason": "asked before", "after": 0}}')
        before = _plain(lying(root), TWO)
        assert finish_begun(launch.book, launch.state, launch._append_within, root) == TWO
        assert _plain(lying(root), TWO) == before != []
        assert not (root / "erasing.json").exists()
