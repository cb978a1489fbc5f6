"""Telemetry over several files, through the real command's way into a launch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driveaway.fleet.doors import kept
from driveaway.launch.fleet.signals import ingest_signals
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import now, show
from driveaway.values.errors import NotFound, Unavailable
from tests.faults.reporting import landed, reporting_launch
from tests.server import vin

BEGIN = now() - 86_400_000_000


def message(car: int, second: int, metres: int, function: str = "", **more: Any) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp((BEGIN + second * 1_000_000) / 1e6, UTC).isoformat()
    data = [
        {"key": "Vehicle.TraveledDistance", "value": metres},
        {"key": "ActiveFunction", "value": {"stringValue": function}},
        {"key": "ActiveAutonomyLevel", "value": "SAE_2" if function else "SAE_0"},
    ]
    return json.dumps({"vin": vin(car), "created_at": at, "data": data, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reporting_launch(tmp_path / "small")
    return tmp_path / "small"


def _write(folder: Path, name: str, *messages: str) -> Path:
    path = folder / name
    path.write_text("\n".join(messages) + "\n")
    return path


def _take(launch: Launch, path: Path, **more: Any) -> Any:
    (done,) = ingest_signals(launch, [path], "telemetry", **more)
    assert done.error is None
    return done


def test_a_trip_that_stands_in_two_files_is_one(folder: Path) -> None:
    one = _write(folder, "1.ndjson", message(1, 0, 0), message(2, 0, 50), message(1, 60, 900, "pilot"), "{")
    two = _write(folder, "2.ndjson", message(1, 120, 2_900), message(1, 900, 2_900), message(2, 60, 1_000))
    with open_launch(folder) as launch:
        first = _take(launch, one)
        assert (first.rows, first.messages, first.open) == (0, 4, 1)
        assert first.quarantined == {"telemetry.json": 1}
        second = _take(launch, two)
        assert second.reasons == []
        assert (second.rows, second.late, second.open) == (2, 0, 1)
        again = _take(launch, one)
        assert (again.rows, again.repeated, again.duplicates) == (0, 0, 1)
        assert again.late == 3
        last = _take(launch, _write(folder, "3.ndjson", "{}"), finish=True)
        assert (last.rows, last.open) == (1, 0)
    found = landed(reporting_of(folder))
    assert len(found) == 2
    assert found.total() == 3


def reporting_of(folder: Path) -> Any:
    from driveaway.launch.device import find_launch

    return find_launch(folder)


def test_when_what_is_open_cannot_be_kept_giving_it_again_doubles_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = _write(folder, "1.ndjson", message(1, 0, 0), message(1, 60, 900), message(1, 900, 900))

    def full(*_: object) -> None:
        raise Unavailable("no room", code="telemetry.kept")

    with open_launch(folder) as launch:
        with monkeypatch.context() as patch:
            patch.setattr(kept, "_write", full)
            with pytest.raises(Unavailable):
                ingest_signals(launch, [drive], "telemetry")
        assert landed(reporting_of(folder)).total() == 1
        again = _take(launch, drive)
        assert (again.rows, again.duplicates) == (0, 1)
        assert _take(launch, drive).late == 3
    assert landed(reporting_of(folder)).total() == 1


def test_what_is_kept_and_cannot_be_read_is_told(folder: Path) -> None:
    drive = _write(folder, "1.ndjson", message(1, 0, 0))
    with open_launch(folder) as launch:
        _take(launch, drive)
        (file,) = (folder / "data" / "fleet").glob("telemetry.msgpack")
        file.write_bytes(b"junk")
        with pytest.raises(Unavailable) as error:
            ingest_signals(launch, [drive], "telemetry")
        assert error.value.place == str(file)
        file.unlink()
        _take(launch, drive)


def test_an_erased_car_is_not_kept(folder: Path) -> None:
    drive = _write(
        folder, "1.ndjson", *(message(car, second, 9 * second) for car in (1, 2) for second in (0, 60, 120))
    )
    kept_file = folder / "data" / "fleet" / "telemetry.msgpack"
    with open_launch(folder) as launch:
        _take(launch, drive)
        assert vin(1).encode() in kept_file.read_bytes()
        with pytest.raises(NotFound):
            launch.erase(vin(1), "asked")
        assert vin(1).encode() not in kept_file.read_bytes()
        assert _take(launch, _write(folder, "2.ndjson", "{}"), finish=True).rows == 1
        launch.erase(vin(2), "asked")
    assert vin(2).encode() not in kept_file.read_bytes()


def test_a_file_of_vss_signals(folder: Path) -> None:
    record = {
        "Vehicle.VehicleIdentification.VIN": vin(1),
        "Vehicle.Driveaway.Trip.Number": 1,
        "Vehicle.StartTime": show(BEGIN, _utc()),
        "Vehicle.TripDuration": 60,
        "Vehicle.TraveledDistanceSinceStart": 900,
    }
    path = _write(folder, "1.ndjson", json.dumps(record), json.dumps(record | {"Vehicle.TripDuration": -1}))
    with open_launch(folder) as launch:
        for rows, duplicates in ((1, 0), (0, 1)):
            (done,) = ingest_signals(launch, [path, folder / "none.ndjson"], "vss")[:1]
            assert (done.rows, done.duplicates) == (rows, duplicates)


def _utc() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")
