"""Delivered cars as a gate sees them, and how many a function is open to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.facts import updates as u
from driveaway.launch.launch import Launch
from driveaway.launch.updates.columns import delivered_cars
from driveaway.launch.updates.counting import BY, GOES_ON, count, explain, list_cars
from driveaway.launch.updates.functions import close_function, open_function
from driveaway.updates import registry, sets, software
from driveaway.updates.gates.judging import CarState
from driveaway.updates.gates.text import parse
from driveaway.values.errors import BadValue, NotFound
from driveaway.values.ids import order_id
from tests.unit.updates.garages import at, deliver, new_launch, vin

GATE = (
    "trim in [Max, Pro] and hardware.lidar >= 1 and software.vehicle >= 2 and place in [city:suzhou]"
    " and assisted_metres >= 1000 and entitlement plus"
)
ASKED = at("2024-05-20T12:00")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with new_launch(tmp_path / "one") as launch:
        launch.apply()
        yield launch


def report(launch: Launch, car: str, moment: int = ASKED, **attributes: str) -> None:
    """A car polls and says something about itself."""
    given = {name.replace("__", "."): value for name, value in attributes.items()}
    with launch.state.change() as change:
        registry.register(change, car, "192.0.2.1", moment)
        registry.put_attributes(change, car, given, registry.Mode.MERGE, moment)
        change.run("UPDATE targets SET polled = :at WHERE controller_id = :car", at=moment, car=car)


def drove(launch: Launch, car: str, end: str, metres: int, signal: str = "trouble_code") -> None:
    with launch.state.change() as change:
        change.insert(
            "car_health", vin=car, release="one", window_start=at(end) - 1000, window_end=at(end),
            signal=signal, count=0, exposure_m=2 * metres, assisted_m=metres, landed=at(end), simulated=1,
        )  # fmt: skip


def state(launch: Launch, car: str, gate: str = GATE, as_of: str = "2024-06-01") -> CarState:
    cars = delivered_cars(launch, launch.at(as_of), parse(gate), car)
    assert cars.vins == (car,)
    return cars.cars.car(0)


def test_what_nobody_said_is_unknown(launch: Launch) -> None:
    car = deliver(launch, 1, "Max")
    found = state(launch, car)
    assert found == CarState(trim="Max", hardware={"lidar": 1}, now=launch.at("2024-06-01").as_of)
    # A number that cannot be read is none, and a trim says what it has.
    report(launch, car, hardware__lidar="two", hardware__camera="9")
    assert state(launch, car).hardware == {}
    report(launch, car, hardware__lidar="2")
    assert state(launch, car).hardware == {"lidar": 2}
    assert state(launch, car, "hardware.camera in [9] and hardware.lidar >= 1").hardware == {
        "lidar": 2,
        "camera": "9",
    }


def test_every_column_has_its_sources_in_order(launch: Launch) -> None:
    unit = c.ControlUnit(name="vehicle", hardware="v2", software="1.0")
    compute = c.ControlUnit(name="compute", hardware="orin-x", software="3")
    car = deliver(launch, 1, "Standard", "320000", "Suzhou", ecus=[unit, compute])
    gate = GATE + " and hardware.compute in [thor] and software.compute >= 2 and training city"
    found = state(launch, car, gate)
    assert found.hardware == {"lidar": 0, "compute": "orin-x"}
    assert found.software == {"vehicle": "1.0", "compute": "3"}
    assert found.places == {"province": "province:320000", "city": "city:suzhou"}
    assert (found.market, found.entitlements, found.trainings, found.assisted_metres) == (
        "CN",
        None,
        None,
        None,
    )
    report(
        launch, car, hardware__compute="thor", vehicle__version="1.1", entitlements="plus, city;sport",
        trainings="", market="DE",
    )  # fmt: skip
    found = state(launch, car, gate)
    assert (found.hardware["compute"], found.software["vehicle"]) == ("thor", "1.1")
    assert found.entitlements == {"plus", "city", "sport"}
    assert found.trainings == frozenset()
    assert found.market == "CN"
    for version, day in (("2.0", "2024-05-21"), ("2.1", "2024-05-22")):
        body = u.VersionReported(version=version)
        launch.append([Draft("version.reported", car, at(f"{day}T10:00"), body)])
    assert state(launch, car, gate).software["vehicle"] == "2.1"
    assert state(launch, car, gate, "2024-05-21").software["vehicle"] == "2.0"
    # What the operator keeps goes before what the car says.
    with launch.state.change() as change:
        change.run(
            "INSERT INTO target_metadata (target, key, value)"
            " SELECT id, 'entitlements', 'none-at-all' FROM targets"
        )
    assert state(launch, car, gate).entitlements == {"none-at-all"}


def test_a_market_is_what_the_province_tells_or_the_car(launch: Launch) -> None:
    car = deliver(launch, 1, "Max", "900001", "Elsewhere")
    assert state(launch, car).market is None
    report(launch, car, market="DE")
    assert state(launch, car).market == "DE"
    assert state(launch, car).places == {"province": "province:900001", "city": "Elsewhere"}


def test_distance_with_assistance_counts_a_window_once(launch: Launch) -> None:
    car = deliver(launch, 1, "Max")
    drove(launch, car, "2024-05-10T10:00", 400)
    drove(launch, car, "2024-05-10T10:00", 400, "driver_override")
    drove(launch, car, "2024-05-11T10:00", 700)
    assert state(launch, car).assisted_metres == 1100
    assert state(launch, car, as_of="2024-05-10").assisted_metres == 400
    assert state(launch, car, as_of="2024-05-09").assisted_metres is None
    assert delivered_cars(launch, launch.at("2024-06-01"), parse(GATE)).simulated
    report(launch, car, assisted_metres="5000")
    assert state(launch, car).assisted_metres == 5000


def test_what_a_car_said_later_is_not_known_before(launch: Launch) -> None:
    car = deliver(launch, 1, "Max")
    report(launch, car, vehicle__version="3")
    assert state(launch, car, as_of="2024-05-20").software == {"vehicle": "3"}
    assert state(launch, car, as_of="2024-05-19").software == {}
    cars = delivered_cars(launch, launch.at("2024-05-19"), parse(GATE))
    assert cars.notes == ("1 cars were heard of after the as-of: what they said by then is not known",)


def test_cars_that_were_given_back_or_never_handed_over_are_not_there(launch: Launch) -> None:
    for number in (1, 2):
        deliver(launch, number, "Max")
    body = c.CarReturned(order=order_id(2))
    launch.append([Draft("car.returned", vin(2), at("2024-05-10T10:00"), body)])
    report(launch, vin(9), hardware__lidar="1")
    assert delivered_cars(launch, launch.at("2024-06-01"), parse(GATE)).vins == (vin(1),)
    assert delivered_cars(launch, launch.at("2024-05-09"), parse(GATE)).vins == (vin(1), vin(2))
    assert delivered_cars(launch, launch.at("2024-04-09"), parse(GATE)).vins == ()
    for cut in ("2024-06-01", "2024-05-09"):
        net = launch.at(cut).figure("cars.delivered_net").value
        assert len(delivered_cars(launch, launch.at(cut), parse(GATE)).vins) == net


@pytest.fixture
def fleet(launch: Launch) -> Launch:
    """Six cars: one that gets it, one for each thing that a car may lack, one of which little is known."""
    for number, trim, province, city in (
        (1, "Max", "320000", "Suzhou"),
        (2, "Standard", "320000", "Suzhou"),
        (3, "Pro", "340000", "Suzhou"),
        (4, "Max", "320000", "Suzhou"),
        (5, "Max", "320000", "Nanjing"),
        (6, "Max", None, None),
    ):
        car = deliver(launch, number, trim, province, city)
        if number != 6:
            report(
                launch,
                car,
                vehicle__version="2" if number != 4 else "1.9",
                assisted_metres="1000",
                entitlements="plus",
            )
    open_function(launch, "city_navigation", parse(GATE), at=at("2024-05-15T10:00"))
    return launch


def test_cars_are_counted_by_where_they_went(fleet: Launch) -> None:
    told = count(fleet, fleet.at("2024-06-01"), "city_navigation")
    (row,) = told["rows"]
    counted = {name: value for name, value in row.items() if not name.endswith("_unknown")}
    assert counted == {"delivered": 6, "equipped": 5, "eligible": 1, "offered": None, "active": None}
    assert (row["eligible_unknown"], row["offered_unknown"], row["equipped_unknown"]) == (1, 6, 0)
    assert "place is the city of delivery: no server knows where a car is now" in told["notes"]
    assert any(note.startswith("offered: unknown, no release") for note in told["notes"])
    assert any(note.startswith("active: unknown, no car") for note in told["notes"])
    first = {row["needs"]: row["first"] for row in told["why_not"]}
    assert first == {
        "trim in [Max, Pro]": 1, "hardware.lidar >= 1": 0, "software.vehicle >= 2": 2,
        "place in [city:suzhou]": 2, "assisted_metres >= 1000": 0, "entitlement plus": 0,
    }  # fmt: skip
    assert sum(first.values()) == 5
    places = count(fleet, fleet.at("2024-06-01"), "city-navigation", "place")["rows"]
    assert [(row["province"], row["city"], row["delivered"], row["eligible"]) for row in places] == [
        ("320000", "Nanjing", 1, 0),
        ("320000", "Suzhou", 3, 1),
        ("340000", "Suzhou", 1, 0),
        (None, None, 1, 0),
    ]
    for by in BY:
        rows = count(fleet, fleet.at("2024-06-01"), "city_navigation", by)["rows"]
        for column in ("delivered", "equipped", "eligible"):
            assert sum(each[column] for each in rows) == row[column]


def test_offered_is_the_release_that_carries_it_and_active_is_what_cars_did(fleet: Launch) -> None:
    module = u.ReleasedModule(name="vehicle", version="2", type="os", sha256s=())
    published = u.ReleasePublished(
        name="Vehicle", version="2", modules=(module,), functions=("city_navigation",)
    )
    one, other = (
        u.UpdateFinished(action=7, release=release, outcome="installed", to_version="2")
        for release in ("vehicle-2", "other-1")
    )
    facts: list[tuple[str, str, Any]] = [
        ("release.published", "vehicle-2", published),
        ("update.finished", vin(2), one),
        ("update.finished", vin(3), other),
        ("function.activated", vin(1), u.FunctionActivated(function="city-navigation")),
        ("function.activated", vin(5), u.FunctionActivated(function="valet_parking")),
    ]
    fleet.append([Draft(kind, subject, at("2024-05-25T10:00"), body) for kind, subject, body in facts])
    with fleet.state.change() as change:
        made = software.create_module(change, "vehicle", "2", "os", at("2024-05-24T10:00"))
        release = sets.create_set(change, "Vehicle", "2", "os", [made.id], at("2024-05-24T10:00"))
        for number, day in ((1, "2024-05-24"), (4, "2024-05-31")):
            target = registry.target_named(change, vin(number))
            change.insert(
                "actions", target=target.id, distribution_set=release.id, type="soft", status="running",
                created=at(f"{day}T12:00"), modified=at(f"{day}T12:00"),
            )  # fmt: skip
    rows = list_cars(fleet, fleet.at("2024-06-01"), "city_navigation")["rows"]
    assert [row["vin"] for row in rows if row["offered"]] == [vin(1), vin(2), vin(4)]
    assert [row["vin"] for row in rows if row["active"]] == [vin(1)]
    (row,) = count(fleet, fleet.at("2024-05-30"), "city_navigation")["rows"]
    assert (row["offered"], row["offered_unknown"], row["active"], row["active_unknown"]) == (2, 0, 1, 0)


def test_a_closed_function_is_open_to_nobody_and_ends_nothing(fleet: Launch) -> None:
    fleet.append(
        [Draft("function.activated", vin(1), ASKED, u.FunctionActivated(function="city_navigation"))]
    )
    close_function(fleet, "city_navigation", "a finding", at=at("2024-05-28T10:00"))
    told = count(fleet, fleet.at("2024-06-01"), "city_navigation")
    (row,) = told["rows"]
    assert (row["equipped"], row["eligible"], row["eligible_unknown"], row["active"]) == (5, 0, 0, 1)
    assert told["why_not"] == [
        {"code": "function.closed", "needs": "the function to be open", "first": 6, "all": 6}
    ]
    why = explain(fleet, fleet.at("2024-06-01"), vin(1), "city_navigation")
    assert (why["next_activation"], why["active"], why["active_session"]) == ("refused", True, GOES_ON)
    assert [reason["code"] for reason in why["reasons"]] == ["function.closed"]
    # Before it was closed it was open, and still is as of then.
    assert explain(fleet, fleet.at("2024-05-27"), vin(1), "city_navigation")["next_activation"] == "allowed"


def test_one_car_is_told_every_reason(fleet: Launch) -> None:
    cut = fleet.at("2024-06-01")
    assert explain(fleet, cut, vin(1), "city_navigation")["next_activation"] == "allowed"
    why = explain(fleet, cut, vin(3), "city_navigation")
    assert why["reasons"] == [
        {"code": "gate.place", "needs": "place in [city:suzhou]", "has": "Suzhou (340000)", "unknown": False}
    ]
    unknown = explain(fleet, cut, vin(6), "city_navigation")
    assert (unknown["next_activation"], unknown["eligible"]) == ("unknown", None)
    assert [reason["code"] for reason in unknown["reasons"]] == [
        "gate.software", "gate.place", "gate.assisted_metres", "gate.entitlement",
    ]  # fmt: skip
    with pytest.raises(NotFound, match="no car"):
        explain(fleet, cut, vin(9), "city_navigation")
    with pytest.raises(BadValue, match="VIN"):
        explain(fleet, cut, "car", "city_navigation")


def test_the_list_and_the_explanations_and_the_counts_agree(fleet: Launch) -> None:
    cut = fleet.at("2024-06-01")
    listed = list_cars(fleet, cut, "city_navigation")["rows"]
    for row in listed:
        alone = explain(fleet, cut, row["vin"], "city_navigation")
        assert {name: alone[name] for name in row} == row
        assert row["needs"] == (alone["reasons"][0]["needs"] if alone["reasons"] else None)
    (counted,) = count(fleet, cut, "city_navigation")["rows"]
    for name in ("equipped", "eligible"):
        assert counted[name] == sum(row[name] is True for row in listed)
        assert counted[f"{name}_unknown"] == sum(row[name] is None for row in listed)


def test_without_delivered_cars_there_is_nothing_to_count(launch: Launch) -> None:
    open_function(launch, "parking", parse("always"), at=at("2024-05-15T10:00"))
    told = count(launch, launch.at("2024-06-01"), "parking")
    assert told["rows"] == []
    assert told["notes"][0] == "no car with a VIN had been delivered by this date"
