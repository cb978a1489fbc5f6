"""The ledger brought up while rows are taken in: it is there when they are, and never in their way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from driveaway.fleet.ledger import manifest as manifests
from driveaway.fleet.ledger.ledger import Ledger
from driveaway.launch.fleet import following, ingesting
from driveaway.launch.fleet.ingesting import ingest
from driveaway.launch.launch import Launch, open_launch
from tests.stores import acts
from tests.stores.acts import LAUNCH_TOML
from tests.unit.fleet.kit import KM, row, table

RULES = "\n[fleet.plausible]\nlate_days = 4000\n"
AS_OF = "2024-12-31"


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    monkeypatch.setattr(following, "_ROWS", 2)
    monkeypatch.setattr(ingesting, "_LARGE", 1)
    (tmp_path / "launch.toml").write_text(LAUNCH_TOML + RULES)
    with open_launch(tmp_path) as launch:
        launch.book.store.create()
        launch.append(acts.delivered(1, 1))
        yield launch


def files(folder: Path, count: int, trips: int) -> list[Path]:
    out = []
    for number in range(count):
        first = number * trips
        rows = [row(1, first + n) | {"vin": acts.car(1)} for n in range(1, trips + 1)]
        for n, each in enumerate(rows):
            shift = (first + n) * 3_600_000_000
            each |= {"start": each["start"] + shift, "end": each["end"] + shift, "odometer_m": None}
        path = folder / f"{number}.parquet"
        pq.write_table(table(*rows), path)
        out.append(path)
    return out


def behind(launch: Launch) -> int:
    """Facts that the ledger on disk has not taken in."""
    return launch.book.edge().size - manifests.read(launch.data / "fleet" / "ledger", str(launch.zone)).upto


def test_many_rows_can_be_asked_once_they_are_taken_in(launch: Launch, tmp_path: Path) -> None:
    taken = ingest(launch, files(tmp_path, 3, 4))
    assert [each.rows for each in taken] == [4, 4, 4]
    assert behind(launch) == 0
    metres = sum(pq.read_table(path)["distance_m"].to_pylist()[0] * 4 for path in files(tmp_path, 3, 4))
    assert launch.at(AS_OF).figure("fleet.distance").value == metres >= 12 * KM


def test_few_rows_wait_for_the_question(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_ROWS", 100)
    monkeypatch.setattr(ingesting, "_LARGE", 1 << 30)
    ingest(launch, files(tmp_path, 1, 4))
    assert not (launch.data / "fleet" / "ledger").exists()


def test_a_ledger_that_cannot_be_written_stops_no_rows(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(ledger: Ledger, *_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "catch_up", full)
        taken = ingest(launch, files(tmp_path, 2, 4))
    assert [(each.rows, each.error) for each in taken] == [(4, None), (4, None)]
    assert "No space left on device" in caplog.text
    assert behind(launch) > 0
    assert launch.at(AS_OF).figure("fleet.distance").value > 0
    assert behind(launch) == 0


def test_what_is_prepared_goes_on_from_where_the_ledger_is(launch: Launch, tmp_path: Path) -> None:
    first, *others = files(tmp_path, 3, 4)
    ingest(launch, [first])
    before = launch.at(AS_OF).figure("fleet.distance").value
    ingest(launch, others)
    assert launch.at(AS_OF).figure("fleet.distance").value == 3 * before
    ledger = Ledger(launch.data / "fleet", launch.book.mirror)
    ledger.drop()
    ledger.prepare()
    assert launch.at(AS_OF).figure("fleet.distance").value == 3 * before
