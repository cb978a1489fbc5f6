"""Figures about updates and functions, on histories made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.facts import Draft
from driveaway.facts import updates as u
from driveaway.figures.statistics import wilson
from driveaway.launch.launch import Launch
from tests.unit.updates.garages import at, deliver, new_launch, vin


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with new_launch(tmp_path / "one") as launch:
        launch.apply()
        yield launch


def say(launch: Launch, kind: str, subject: str, when: str, body: Any, *, simulated: bool = False) -> None:
    launch.append([Draft(kind, subject, at(when), body, simulated=simulated)])


def finish(launch: Launch, number: int, action: int, when: str, outcome: Any, **more: Any) -> None:
    body = u.UpdateFinished(
        action=action, release=more.pop("release", "car-2"), outcome=outcome, to_version="2", **more
    )
    say(launch, "update.finished", vin(number), when, body)


def report(launch: Launch, number: int, action: int | None, when: str, agrees: bool | None) -> None:
    body = u.VersionReported(
        version="2" if agrees else "1", release="car-2" if action else None, action=action, agrees=agrees
    )
    say(launch, "version.reported", vin(number), when, body)


def test_success_is_what_the_car_said_after_it_booted(launch: Launch) -> None:
    day = "2024-05-10T10:0{}"
    finish(launch, 1, 1, day.format(0), "installed", rollout="wave")
    report(launch, 1, 1, day.format(5), True)
    finish(launch, 2, 2, day.format(0), "installed", verified=True)
    finish(launch, 3, 3, day.format(0), "installed")  # says something else
    report(launch, 3, 3, day.format(5), False)
    finish(launch, 4, 4, day.format(0), "installed")  # has not said anything yet
    for number, outcome in (
        (5, "failed"),
        (6, "silent"),
        (7, "cancelled"),
        (8, "downloaded"),
        (9, "rejected"),
    ):
        finish(launch, number, number, day.format(0), outcome)
    finish(launch, 10, 10, day.format(0), "installed")  # falls back later: that is what became of it
    report(launch, 10, 10, day.format(1), True)
    finish(launch, 10, 10, day.format(2), "fell_back")
    finish(launch, 11, 11, day.format(0), "failed")  # tried again, and then well
    finish(launch, 11, 12, day.format(3), "installed", verified=True)
    answer = launch.at("2024-06-01").figure("updates.install_success")
    # Well: 1, 2, 11's second. Not: 3, 5, 6, 10, 11's first.
    assert answer.value == pytest.approx(3 / 8)
    assert answer.interval is not None
    assert (answer.interval.low, answer.interval.high) == pytest.approx((wilson(3, 8).low, wilson(3, 8).high))
    rows = launch.at("2024-06-01").figure("updates.install_success", by=["rollout"]).rows or ()
    assert {row["rollout"]: (row["people"], row["of"]) for row in rows} == {"wave": (1, 1), None: (2, 7)}
    # Nobody knew at 10:00 whether the first had come back well.
    assert launch.at("2024-05-10T10:00+08:00").figure("updates.install_success").value == pytest.approx(1 / 4)


def test_what_runs_is_the_last_thing_that_a_car_said(launch: Launch) -> None:
    deliver(launch, 1, "Max", "320000", "Suzhou")
    finish(launch, 1, 1, "2024-05-10T10:00", "installed")
    figure = "updates.installed"
    assert launch.at("2024-06-01").figure(figure).value == 0
    report(launch, 1, 1, "2024-05-10T10:05", True)
    report(launch, 2, 2, "2024-05-10T10:05", False)
    report(launch, 3, None, "2024-05-10T10:05", None)
    assert launch.at("2024-06-01").figure(figure).value == 1
    rows = launch.at("2024-06-01").figure(figure, by=["release", "version", "trim", "province"]).rows
    assert rows == [
        {
            "release": "car-2", "version": "2", "trim": "Max", "province": "320000", "value": 1,
            "simulated": False,
        }
    ]  # fmt: skip
    report(launch, 1, 1, "2024-05-11T10:00", False)
    assert launch.at("2024-06-01").figure(figure).value == 0
    assert launch.at("2024-05-10").figure(figure).value == 1
    assert "no version.reported or update.finished" in (launch.at("2024-05-09").figure(figure).unknown or "")


def test_a_car_switches_a_function_on_once(launch: Launch) -> None:
    deliver(launch, 1, "Max", "320000", "Suzhou")
    for number, name, day in (
        (1, "city_navigation", "10"), (1, "city-navigation", "12"), (1, "valet_parking", "12"),
        (2, "city_navigation", "13"),
    ):  # fmt: skip
        body = u.FunctionActivated(function=name)
        say(launch, "function.activated", vin(number), f"2024-05-{day}T10:00", body, simulated=number == 2)
    cut = launch.at("2024-06-01")
    assert cut.figure("updates.functions_active").value == 3
    one = cut.figure("updates.functions_active", by=["day", "trim", "province"], function="city_navigation")
    assert [(row["day"], row["trim"], row["province"], row["simulated"]) for row in one.rows or ()] == [
        ("2024-05-10", "Max", "320000", False),
        ("2024-05-13", None, None, True),
    ]


def test_a_rollout_stands_as_it_was_last_decided(launch: Launch) -> None:
    for day, decision, opened, ok in (
        ("10", "started", 10, 0),
        ("12", "advanced", 50, 9),
        ("14", "aborted", 50, 30),
    ):
        body = u.RolloutDecided(decision=decision, release="car-2", wave=1, opened=opened, succeeded=ok)  # type: ignore[arg-type]
        say(launch, "rollout.decided", "may", f"2024-05-{day}T10:00", body)
    (row,) = launch.at("2024-05-13").figure("updates.rollout_state").rows or ()
    told = {name: row[name] for name in ("rollout", "decision", "value", "succeeded", "failed", "decided_on")}
    assert told == {
        "rollout": "may", "decision": "advanced", "value": 50, "succeeded": 9, "failed": 0,
        "decided_on": "2024-05-12",
    }  # fmt: skip
    (row,) = launch.at("2024-06-01").figure("updates.rollout_state").rows or ()
    assert (row["decision"], row["succeeded"]) == ("aborted", 30)
    assert launch.at("2024-06-01").figure("updates.rollout_state", rollout="may").value == 50
