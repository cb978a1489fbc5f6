"""Rollouts pass over cars that the release does not fit, until they say that it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import registry, releases, sets, software
from driveaway.updates.ddi import messages
from driveaway.updates.fitting import unfit
from driveaway.updates.model import ActionType
from driveaway.updates.registry import Mode
from driveaway.updates.releases import About, Need, Record, Terms
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.explain import explain
from driveaway.updates.rollouts.guards import InstallGuard, Rules
from driveaway.updates.rollouts.plan import RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.plans import ByStages, Stage
from driveaway.updates.rollouts.situations import situation_of
from driveaway.values.clock import SECOND
from tests.stores.garage import VINS, Garage, garage

CARS = VINS[:8]
ALL_AT_ONCE = Rules(
    growth=ByStages(stages=(Stage(share=1.0, minimum_s=3600),)),
    comparisons=(),
    guards=(InstallGuard(name="installs", threshold=0.2, minimum=1, bound="observed"),),
)
TERMS = {
    "os": Terms(
        minimum_version="2.9",
        excluded_versions=("2.11",),
        needs=(Need("radar", minimum_version="4.10"), Need("lidar", conflicts=True, minimum_version="3")),
    )
}
FITS = {"os.version": "2.10", "hardware": "hpc-2,radar-1", "radar.version": "4.10", "lidar.version": "2"}


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.enter(*CARS)
        yield made


def release(small: Garage, version: str = "3.0", counter: int = 5, terms: dict[str, Terms] = TERMS) -> int:
    """A published one of two modules; ``radar`` is for hardware that no car here has."""
    with small.state.change() as change:
        ids = []
        for name, kind, number, hardware in (
            ("os", "os", version, "hpc-2"),
            ("radar", "app", f"9-{version}", "radar-9"),
        ):
            module = software.create_module(change, name, number, kind, small.at)
            releases.set_about(change, module.id, About(hardware=(hardware,), counter=counter), small.at)
            ids.append(module.id)
        made = sets.create_set(change, "su7", version, "os", ids, small.at)
        releases.write_record(change, made.id, Record(terms=terms, published=small.at), small.at)
    return made.id


def says(small: Garage, vin: str, said: dict[str, str]) -> None:
    with small.state.change() as change:
        registry.put_attributes(change, vin, said, Mode.MERGE, small.at)


def why(small: Garage, made: int) -> dict[str, str]:
    found = unfit(small.state, made, [small.target(vin).id for vin in CARS])
    return {vin: found[small.target(vin).id] for vin in CARS if small.target(vin).id in found}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, ""),
        ({"os.version": "2.11"}, "os may not be installed over 2.11"),
        ({"os.version": "2.8"}, "os needs 2.9 first, and the car runs 2.8"),
        ({"os.version": "3.0.1"}, "the car runs os 3.0.1, and 3.0 would be a step back"),
        ({"os.version": "3.0"}, ""),
        (
            {"hardware": "hpc-1, radar-1"},
            "nothing of it is for the car's hardware, which is hpc-1, radar-1",
        ),
        ({"radar.version": "4.9"}, "os needs another radar, which is 4.9"),
        ({"lidar.version": "3.1"}, "os does not go with lidar, which is 3.1"),
        # What the release itself brings for the car's hardware counts.
        ({"radar.version": "4.9", "hardware": "hpc-2,radar-9"}, ""),
    ],
)
def test_each_point_by_itself(small: Garage, said: dict[str, str], reason: str) -> None:
    made = release(small)
    says(small, CARS[0], FITS | said)
    says(small, CARS[1], {"hardware": "hpc-2"} | said)  # It said nothing else.
    assert why(small, made) == ({CARS[0]: reason, CARS[1]: reason} if reason else {})


def test_counters_go_before_versions(small: Garage) -> None:
    newer = release(small, "3.1", counter=6)
    says(small, CARS[0], {"os.version": "3.1"})
    assert "step back" in why(small, release(small, "2.99", counter=5))[CARS[0]]
    assert why(small, newer) == why(small, release(small, "2.98", counter=7)) == {}


def test_a_set_that_is_no_release_asks_nothing(small: Garage) -> None:
    says(small, CARS[0], {"su7.version": "9", "hardware": "none"})
    assert why(small, small.release("1.0")) == {}


def test_a_stage_waits_for_the_reports_of_cars_that_fit_alone(small: Garage) -> None:
    """Of eight cars four do not fit and one had it: the three others are what a stage waits for."""
    small.set("verification.attribute", "release_version")
    for vin in CARS[:4]:
        says(small, vin, FITS | {"os.version": "4"})
    made = release(small)
    small.assign(made, CARS[4])
    stages = (Stage(share=0.99, minimum_s=3600, reported=1.0), Stage(share=1.0, minimum_s=3600))
    plan = RolloutPlan(
        rules=Rules(growth=ByStages(stages=stages), comparisons=(), guards=ALL_AT_ONCE.guards),
        type=ActionType.FORCED,
        holdout=0,
    )
    with small.state.change() as change:
        rollout = keeping.create_rollout(change, "r", made, "controllerid==*", plan, small.at, by="li.na")
        keeping.start(change, rollout, small.at, by="li.na")
    driver = Driver(small.state, rollout.id)
    driver.look(small.at)
    given = small.state.rows(
        "SELECT t.controller_id, a.id FROM rollout_members m JOIN targets t ON t.id = m.target"
        " JOIN actions a ON a.id = m.action WHERE m.rollout = :id ORDER BY a.id",
        id=rollout.id,
    )
    assert {vin for vin, _ in given} == set(CARS[5:])
    small.at += 2 * 3600 * SECOND
    for vin, action in given[:2]:
        small.say(vin, action, "closed", "success")
        install_said(small, vin, "3.0")
    held = driver.look(small.at)
    assert held is not None
    assert held.reason == "too_few_reported"
    assert "66.7% of the opened cars that it fits" in held.text
    vin, action = given[2]
    small.say(vin, action, "closed", "success")
    install_said(small, vin, "3.0")
    small.at += 60 * SECOND
    # Another process, which has to find out for itself who does not fit.
    went_on = Driver(small.state, rollout.id).look(small.at)
    assert went_on is not None
    assert (went_on.action, went_on.step) == ("advance", 2)


def install_said(small: Garage, vin: str, version: str) -> None:
    data = messages.convert(messages.ConfigData, {"data": {"release_version": version}})
    small.settled(small.desk.put_attributes(vin, data))


def test_a_rollout_waits_for_cars_to_fit(small: Garage) -> None:
    unfitting = {
        "excluded_version": {"os.version": "2.11"},
        "below_minimum_version": {"os.version": "2.8"},
        "not_compatible": {"os.version": "4"},
    }
    late = dict(zip(CARS, unfitting, strict=False))
    for vin, code in late.items():
        says(small, vin, FITS | unfitting[code])
    made, plan = release(small), RolloutPlan(rules=ALL_AT_ONCE, type=ActionType.FORCED, holdout=0)
    with small.state.change() as change:
        rollout = keeping.create_rollout(change, "r", made, "controllerid==*", plan, small.at, by="li.na")
        keeping.start(change, rollout, small.at, by="li.na")
    driver = Driver(small.state, rollout.id)

    def actions() -> set[str]:
        rows = small.state.rows(
            "SELECT t.controller_id FROM actions a JOIN targets t ON t.id = a.target WHERE a.rollout = :id",
            id=rollout.id,
        )
        return {row[0] for row in rows}

    def first_reason(vin: str) -> str:
        found = keeping.find_rollout(small.state, rollout.id)
        return explain(situation_of(small.state, found, vin, small.at))[0].code

    driver.look(small.at)
    assert actions() == set(CARS) - set(late)
    assert {vin: first_reason(vin) for vin in late} == late
    for vin in late:
        assert "deploymentBase" not in small.base(vin)
    small.at += 60 * SECOND
    looked = driver.look(small.at)
    assert looked is not None
    assert (looked.counts["opened"], looked.counts["offered"]) == (len(CARS), len(CARS) - len(late))
    assert looked.counts["failed"] == 0
    assert keeping.find_rollout(small.state, rollout.id).status is RolloutStatus.RUNNING

    says(small, CARS[1], {"os.version": "2.10"})
    small.at += 60 * SECOND
    driver.look(small.at)
    small.catch_up()
    assert actions() == (set(CARS) - set(late)) | {CARS[1]}
    assert "deploymentBase" in small.base(CARS[1])
    assert first_reason(CARS[1]) == "offered"
