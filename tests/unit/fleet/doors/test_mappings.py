"""Signals of VSS and messages of telemetry, as trips."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from driveaway.facts.trips import OVERLAY, VSS, TripSegment
from driveaway.fleet.doors.assembly import Sample
from driveaway.fleet.doors.reading import read_trips
from driveaway.fleet.doors.rows import Clock
from driveaway.fleet.doors.telemetry import KEYS, read_telemetry
from driveaway.fleet.doors.vss import from_vss

SPECIFICATION = files("driveaway.fleet.doors").joinpath("driveaway.vspec").read_text(encoding="utf-8")
START = 1_712_106_000_000_000
WHOLE = {
    "Vehicle.VehicleIdentification.VIN": "LNBSU7M05RB000001",
    "Vehicle.Driveaway.Trip.Number": 12,
    "Vehicle.StartTime": "2024-04-03T01:00:00Z",
    "Vehicle.TripDuration": 1800.5,
    "Vehicle.TraveledDistanceSinceStart": 24_000,
    "Vehicle.TraveledDistance": 1_024_000,
    "Vehicle.ADAS.ActiveAutonomyLevel": "SAE_2_DISENGAGING",
}
SEGMENT = {
    "Vehicle.Driveaway.Trip.Segment.Number": 1,
    "Vehicle.Driveaway.Trip.Segment.StartTime": "2024-04-03T09:10:00.25+08:00",
    "Vehicle.Driveaway.Trip.Segment.Duration": 600,
    "Vehicle.Driveaway.Trip.Segment.Distance": 9_000,
    "Vehicle.Driveaway.Trip.Segment.AssistedDistance": 8_000,
    "Vehicle.Driveaway.Trip.Segment.Function": "highway_pilot",
    "Vehicle.Driveaway.Trip.Segment.AutonomyLevel": "SAE_2",
    "Vehicle.Driveaway.Trip.Segment.DriverOverrideCount": 2,
    "Vehicle.Driveaway.Trip.Segment.SystemDeactivationCount": 1,
    "Vehicle.Driveaway.Trip.Segment.Energy": -50,
    "Vehicle.Driveaway.SoftwareVersion": "su7-2024.5.1",
}


def test_a_trip_of_one_segment_needs_the_trips_number_alone_beside_the_standard() -> None:
    assert from_vss(WHOLE) == {
        "vin": "LNBSU7M05RB000001",
        "trip": 12,
        "start": START,
        "end": START + 1_800_500_000,
        "distance_m": 24_000,
        "odometer_m": 1_024_000,
    }


def test_a_segments_own_signals_are_taken_before_the_whole_trips() -> None:
    row = from_vss(WHOLE | SEGMENT)
    start = START + 600_250_000
    assert TripSegment(**row) == TripSegment(
        vin="LNBSU7M05RB000001", trip=12, segment=1, start=start, end=start + 600_000_000, distance_m=9_000,
        assisted_m=8_000, function="highway_pilot", level=2, driver_overrides=2, system_deactivations=1,
        energy_wh=-50, odometer_m=1_024_000, software="su7-2024.5.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Vehicle.Driveaway.Trip.Segment.Distance": None}, "whole trip's"),
        ({"Vehicle.Driveaway.Trip.Segment.Duration": None}, "whole trip's"),
        ({"Vehicle.Driveaway.Trip.Segment.StartTime": "2024-04-03T09:10:00"}, "offset"),
        ({"Vehicle.Driveaway.Trip.Segment.StartTime": "yesterday"}, "ISO 8601"),
        ({"Vehicle.Driveaway.Trip.Segment.AutonomyLevel": "L2"}, "autonomy level"),
        ({"Vehicle.Driveaway.Trip.Segment.Duration": "600"}, "duration"),
        ({"Vehicle.Driveaway.Trip.Segment.Duration": -1}, "duration"),
        ({"Vehicle.Driveaway.Trip.Sgment": 1}, "no signal"),
        ({"distance_m": 1}, "no signal"),
    ],
)
def test_what_a_record_may_not_say(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_vss({name: value for name, value in (WHOLE | SEGMENT | change).items() if value is not None})


def test_a_body_under_these_names_is_read_and_its_bad_rows_are_named() -> None:
    body = "\n".join(map(json.dumps, (WHOLE, WHOLE | {"Vehicle.TripDuration": "x"}, WHOLE | SEGMENT)))
    rows = read_trips(body.encode(), "ndjson", Clock(START, 0), "vss")
    assert rows.table.column("distance_m").to_pylist() == [24_000, 9_000]
    assert [(reject.row, reject.code) for reject in rows.rejects] == [(1, "trips.field")]
    assert rows.numbers == [0, 2]


def test_other_signals_of_the_standard_are_passed_over() -> None:
    assert from_vss(WHOLE | {"Vehicle.Speed": 80.0}) == from_vss(WHOLE)


def test_the_overlay_declares_every_signal_that_is_read_and_no_other() -> None:
    declared = dict(re.findall(r"^(Vehicle\.Driveaway\S*):\n  type: (\w+)$", SPECIFICATION, re.MULTILINE))
    leaves = {name for name, kind in declared.items() if kind != "branch"}
    read = {*OVERLAY.values(), *(key for key in KEYS if key.startswith("Vehicle.Driveaway."))}
    assert leaves == read
    for name in leaves:
        assert declared[name.rpartition(".")[0]] == "branch"
    assert not any(name.startswith("Vehicle.Driveaway.") for name in VSS.values())


# --- telemetry ---


def message(at: str, *data: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "vin": "LNBSU7M05RB000001",
        "created_at": at,
        "data": [{"key": key, "value": value} for key, value in data],
        **more,
    }


def test_values_with_and_without_their_types() -> None:
    body = "\n".join(
        json.dumps(each)
        for each in (
            message(
                "2024-04-03T01:00:00Z",
                ("Odometer", {"doubleValue": 100.0}),
                ("Version", {"stringValue": "2024.8.7"}),
                ("Location", {"locationValue": {"latitude": 39.9, "longitude": 116.4}}),
                ("LifetimeEnergyUsed", {"string_value": "12.5"}),
                ("CruiseState", {"cruiseStateValue": "CruiseStateOn"}),
                ("Soc", {"doubleValue": 50}),
                ("Gear", {"invalid": True}),
            ),
            message("2024-04-03T01:00:01Z", ("Odometer", 100.5), ("CruiseState", "Off"), is_resend=True),
            {
                "vin": "LNBSU7M05RB000002",
                "createdAt": "2024-04-03T01:00:02+00:00",
                "data": [
                    {"key": "Vehicle.TraveledDistance", "value": 5_000},
                    {"key": "Vehicle.ADAS.ActiveAutonomyLevel", "value": "SAE_2"},
                    {"key": "Vehicle.Driveaway.ActiveFunction", "value": ""},
                ],
            },
        )
    )
    samples, rejects, count = read_telemetry(body.encode(), "cruise")
    assert rejects == []
    assert count == 3
    assert samples == {
        "LNBSU7M05RB000001": [
            Sample(
                at=START,
                odometer_m=160_934,
                software="2024.8.7",
                latitude=39.95,
                longitude=116.45,
                energy_wh=12_500,
                function="cruise",
            ),
            Sample(at=START + 1_000_000, odometer_m=161_739, function=""),
        ],
        "LNBSU7M05RB000002": [Sample(at=START + 2_000_000, odometer_m=5_000, level=2, function="")],
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "telemetry.json"),
        ("[]", "telemetry.json"),
        pytest.param('{"data": ' + "[" * 20_000 + "]" * 20_000 + "}", "telemetry.json", id="deep"),
        (json.dumps({"created_at": "2024-04-03T01:00:00Z", "data": []}), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00")), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z") | {"data": {}}), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z") | {"data": [1]}), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z", ("Odometer", "far"))), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z", ("Odometer", "nan"))), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z", ("Odometer", 1e300))), "telemetry.field"),
        (json.dumps(message("2024-04-03T01:00:00Z", ("Location", {"x": 1, "y": 2}))), "telemetry.field"),
    ],
)
def test_a_bad_message_is_put_aside_alone(line: str, code: str) -> None:
    good = json.dumps(message("2024-04-03T01:00:00Z", ("Odometer", 1)))
    samples, rejects, count = read_telemetry(f"{good}\n\n{line}\n{good}\n".encode())
    assert len(samples["LNBSU7M05RB000001"]) == 2
    assert [(reject.row, reject.code) for reject in rejects] == [(1, code)]
    assert count == 3
