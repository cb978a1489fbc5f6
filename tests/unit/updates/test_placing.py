"""Filters by place: where a car was handed over, written down while a filter asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.launch.launch import Launch
from driveaway.launch.updates.placing import asked_at_work, asks_for_place, place_cars
from driveaway.launch.updates.rolling import plan_rollout
from driveaway.launch.updates.worker import Worker
from driveaway.updates import registry, sets, software
from driveaway.updates.configuration import configure
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import RolloutPlan
from driveaway.values.ids import order_id
from tests.unit.updates.garages import at, deliver, new_launch, vin

NOW = at("2024-05-20T12:00")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with new_launch(tmp_path / "one") as launch:
        launch.apply()
        deliver(launch, 1, "Max", "110000", "Beijing")
        deliver(launch, 2, "Max", "320000", "Suzhou")
        deliver(launch, 3, "Max", "340000", "Suzhou")
        deliver(launch, 4, "Max", "320000", "Wuxi")
        with launch.state.change() as change:
            for number in range(1, 6):
                registry.create(change, vin(number), NOW)
            module = software.create_module(change, "os", "1", "os", NOW)
            sets.create_set(change, "may", "1", "os", [module.id], NOW, release=f'{{"published":{NOW}}}')
        yield launch


def places(launch: Launch) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for car, place in launch.state.rows(
        "SELECT t.controller_id, p.place FROM target_places p JOIN targets t ON t.id = p.target"
    ):
        found.setdefault(car, set()).add(place)
    return found


def test_a_car_is_at_home_where_it_was_handed_over(launch: Launch) -> None:
    assert place_cars(launch) == 6
    assert places(launch) == {
        vin(1): {"province:110000", "city:beijing"},
        vin(2): {"province:320000", "city:suzhou"},
        # A Suzhou too, of another province; and a city of which no place is known.
        vin(3): {"province:340000"},
        vin(4): {"province:320000"},
    }
    assert place_cars(launch) == 0
    # Given back, it is at home nowhere.
    launch.append([Draft("car.returned", vin(1), NOW, c.CarReturned(order=order_id(1), reason="defect"))])
    assert place_cars(launch) == 2
    assert vin(1) not in places(launch)


def test_a_rollout_by_place_finds_its_cars(launch: Launch) -> None:
    plan = RolloutPlan(holdout=0.0)
    assert not asked_at_work(launch.state)
    rollout = plan_rollout(
        launch, "ten", "may:1", "place=in=(city:beijing,city:suzhou)", plan, NOW, by="li.na"
    )  # fmt: skip
    assert asked_at_work(launch.state)
    with launch.state.change() as change:
        keeping.start(change, rollout, NOW, by="li.na")
    deliver(launch, 5, "Max", "110000", "Beijing")
    assert Worker(launch, lambda: NOW).tick()
    members = launch.state.rows(
        "SELECT t.controller_id FROM rollout_members m JOIN targets t ON t.id = m.target"
    )
    assert {car for (car,) in members} == {vin(1), vin(2), vin(5)}


def test_whoever_asks_for_it_has_it_kept(launch: Launch) -> None:
    assert not asks_for_place("attribute.place==x;name==place")
    assert asks_for_place("controllerid==*;PLACE=out=(city:beijing)")
    with launch.state.change() as change:
        configure(change, "pollingTime", "00:05:00, place==city:beijing -> 00:10:00", NOW)
    assert asked_at_work(launch.state)
