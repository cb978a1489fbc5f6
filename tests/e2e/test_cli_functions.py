"""Functions at the command line: what each command says, and that all say the same."""

from __future__ import annotations

import csv
import io

import pytest

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.launch.launch import open_launch
from driveaway.launch.updates.counting import count
from driveaway.values.clock import parse_instant
from driveaway.values.ids import order_id
from tests.e2e.shell import LAUNCH_TOML, Shell, vin

FUNCTIONS_TOML = """
[[functions]]
name = "city_navigation"
trims = ["Max"]
from = 2024-04-20
places = ["city:suzhou"]
"""


@pytest.fixture
def fleet(shell: Shell) -> Shell:
    """Three cars, handed over on 10 April, and one function."""
    toml = LAUNCH_TOML.replace('["built", "paid", "pegged"]', '["built", "pegged"]')
    (shell.folder / "launch.toml").write_text(toml, encoding="utf-8")
    (shell.folder / "functions.toml").write_text(FUNCTIONS_TOML, encoding="utf-8")
    assert "function.opened city-navigation: recorded" in shell.done("apply")
    at = parse_instant("2024-04-10T10:00:00+08:00", None)
    with open_launch(shell.folder) as launch:
        for number, trim, city in ((1, "Max", "Suzhou"), (2, "Pro", "Suzhou"), (3, "Max", "Nanjing")):
            order, car = order_id(number), vin(number)
            for kind, subject, body in (
                ("order.reserved", order, o.OrderReserved(trim=trim)),
                ("order.locked", order, o.OrderLocked()),
                ("car.built", car, c.CarBuilt(plant="one", trim=trim)),
                ("car.pegged", car, c.CarPegged(order=order)),
                ("order.handed_over", order, o.OrderHandedOver(vin=car, province="320000", city=city)),
            ):
                launch.append([Draft(kind, subject, at, body)])
    return shell


def test_functions_are_listed_as_they_stood(fleet: Shell) -> None:
    assert "no function had been opened" in fleet.done("functions", "list", "--as-of", "2024-04-19")
    said = fleet.done("functions", "list")
    assert "city_navigation: open since 2024-04-20T00:00:00+08:00, by functions.toml" in said
    assert "gate: trim in [Max] and from 2024-04-19T16:00:00Z and place in [city:suzhou]" in said
    (row,) = fleet("functions", "list", "--format", "json").json()["rows"]
    (line,) = csv.DictReader(io.StringIO(fleet.done("functions", "list", "--format", "csv")))
    assert line["gate"] == row["gate"]
    fleet.refused("function.unknown", "functions", "show", "parking", exit_code=2)


def test_every_door_counts_the_same(fleet: Shell) -> None:
    told = fleet("functions", "show", "city_navigation", "--format", "json").json()
    with open_launch(fleet.folder) as launch:
        assert count(launch, launch.at(), "city_navigation") == told
        assert told["rows"][0]["delivered"] == launch.at().figure("cars.delivered_net").value
    assert [told["rows"][0][name] for name in ("delivered", "equipped", "eligible")] == [3, 2, 1]
    said = fleet.done("functions", "show", "city_navigation", "--by", "place")
    assert "Suzhou" in said
    assert "first reason" in said
    assert "unknown, no car has reported an activation" in said
    lines = list(
        csv.DictReader(io.StringIO(fleet.done("functions", "cars", "city_navigation", "--format", "csv")))
    )
    assert [line["eligible"] for line in lines] == ["true", "false", "false"]
    assert "Nanjing" in fleet.done("functions", "cars", "city_navigation", "--only", "not-eligible")


def test_one_car_is_explained(fleet: Shell) -> None:
    said = fleet.done("functions", "why", vin(1), "city_navigation")
    assert "city_navigation may be switched on next" in said
    assert "a session that is active goes on" in said
    said = fleet.done("functions", "why", vin(3), "city-navigation")
    assert "needs place in [city:suzhou]; has city:nanjing [gate.place]" in said
    assert (
        fleet("functions", "why", vin(2), "city_navigation", "--format", "json").json()["reasons"][0]["has"]
        == "Pro"
    )
    fleet.refused("function.car", "functions", "why", vin(9), "city_navigation", exit_code=2)


def test_opening_and_closing_are_facts_with_reasons(fleet: Shell) -> None:
    at = ("--at", "2024-04-25T10:00")
    fleet.refused("function.reason", "functions", "open", "city_navigation", "--gate", "trim in [Pro]", *at)
    fleet.refused(
        "gate.text", "functions", "open", "city_navigation", "--gate", "trim is Pro", *at, exit_code=2
    )
    fleet.done(
        "functions", "open", "city_navigation", "--gate", "trim in [Pro]", "--reason", "a finding", *at
    )
    said = fleet.done("functions", "show", "city_navigation")
    assert "because: a finding" in said
    assert "gate: trim in [Pro]" in said
    assert "active sessions go on" in fleet.done(
        "functions", "close", "city_navigation", "--reason", "another", "--at", "2024-04-26T10:00"
    )
    assert (
        fleet("functions", "why", vin(2), "city_navigation", "--format", "json").json()["next_activation"]
        == "refused"
    )
    # What was done by hand stands until the file changes.
    assert "the book holds all of it already" in fleet.done("apply")
    said = fleet("functions", "show", "city_navigation", "--as-of", "2024-04-22", "--format", "json").json()
    assert said["by"] == "functions.toml"


def test_a_file_that_is_wrong_changes_nothing(fleet: Shell) -> None:
    assert fleet("functions", "list").err == ""
    (fleet.folder / "functions.toml").write_text(FUNCTIONS_TOML.replace("Max", "Pro"), encoding="utf-8")
    assert "functions.toml says of city_navigation what the book does not" in fleet("functions", "list").err
    (fleet.folder / "functions.toml").write_text(FUNCTIONS_TOML + "trms = []\n", encoding="utf-8")
    assert "functions.toml cannot be applied" in fleet("functions", "show", "city_navigation").err
    error = fleet.refused("function.shape", "apply", exit_code=2)
    assert "functions.toml: city_navigation" in error
    assert "trms" in error
