"""Rollouts over the tables: waves, a control that stays behind, stops by evidence, and the facts of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.facts.updates import RolloutDecided
from driveaway.launch.launch import Launch
from driveaway.updates.model import ActionStatus, ActionType
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.guards import InstallGuard, Rules
from driveaway.updates.rollouts.plan import Rollout, RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.plans import ByStages, Stage
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue, Conflict, Refused
from tests.stores.garage import VINS, Garage, garage

HOUR = 3600 * SECOND
CARS = VINS[:40]
RULES = Rules(
    growth=ByStages(
        stages=(Stage(share=0.25, minimum_s=3600, reported=0.5), Stage(share=1.0, minimum_s=3600))
    ),
    comparisons=(),
    guards=(InstallGuard(name="installs", threshold=0.2, minimum=4, bound="observed"),),
    silence_s=7200,
)


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.set("verification.attribute", "release_version")
        made.enter(*CARS)
        yield made


def planned(small: Garage, version: str = "1.1.0", **plan: Any) -> Driver:
    release = small.release(version)
    given = RolloutPlan(**{"rules": RULES, "holdout": 0.2, "type": ActionType.FORCED, **plan})
    with small.state.change() as change:
        made = keeping.create_rollout(
            change, f"su7 {version}", release, "controllerid==*", given, small.at, by="li.na"
        )
        keeping.start(change, made, small.at, by="li.na")
    return Driver(small.state, made.id)


def rollout(small: Garage, driver: Driver) -> Rollout:
    return keeping.find_rollout(small.state, driver.rollout)


def members(small: Garage, driver: Driver) -> dict[str, tuple[bool, int | None, int | None]]:
    rows = small.state.rows(
        "SELECT t.controller_id, m.held_out, m.opened, m.action FROM rollout_members m"
        " JOIN targets t ON t.id = m.target WHERE m.rollout = :rollout",
        rollout=driver.rollout,
    )
    return {row[0]: (bool(row[1]), row[2], row[3]) for row in rows}


def served(small: Garage, driver: Driver) -> dict[str, int]:
    return {vin: action for vin, (_, _, action) in members(small, driver).items() if action}


def install(small: Garage, vin: str, action: int, version: str = "1.1.0") -> None:
    small.say(vin, action, "proceeding")
    small.say(vin, action, "closed", "success")
    report(small, vin, version)


def report(small: Garage, vin: str, version: str) -> None:
    from driveaway.updates.ddi import messages

    data = messages.convert(messages.ConfigData, {"data": {"release_version": version}})
    small.settled(small.desk.put_attributes(vin, data))


def decided(small: Garage, driver: Driver) -> list[RolloutDecided]:
    subject = rollout(small, driver).name.replace(" ", "-")
    return [fact.body for fact in small.launch.book.about(subject)]  # type: ignore[misc]


def test_a_rollout_grows_by_waves_and_ends_with_its_holdout(small: Garage) -> None:
    driver = planned(small)
    first = driver.look(small.at)
    assert first is not None
    assert first.action == "advance"
    behind = {vin for vin, (held, _, _) in members(small, driver).items() if held}
    wave = served(small, driver)
    assert len(members(small, driver)) == len(CARS)
    assert 0 < len(behind) < len(CARS) / 2
    assert len(wave) == -(-(len(CARS) - len(behind)) // 4)
    assert not behind & set(wave)
    assert set(small.base(next(iter(wave)))) >= {"deploymentBase"}

    small.at += HOUR
    held = driver.look(small.at)
    assert held is not None
    assert (held.action, held.reason) == ("hold", "too_few_reported")
    for vin, action in wave.items():
        install(small, vin, action)
    small.at += 60 * SECOND
    second = driver.look(small.at)
    assert second is not None
    assert second.action == "advance"
    assert second.counts["succeeded"] == len(wave)
    assert set(served(small, driver)) == set(CARS) - behind
    for vin, action in served(small, driver).items():
        if vin not in wave:
            install(small, vin, action)
    small.at += HOUR
    last = driver.look(small.at)
    assert last is not None
    assert last.action == "finish"
    assert rollout(small, driver).status is RolloutStatus.FINISHED
    assert set(served(small, driver)) == set(CARS)
    assert [body.decision for body in decided(small, driver)] == [
        "started", "advanced", "advanced", "finished",
    ]  # fmt: skip
    assert driver.look(small.at + HOUR) is None


def test_a_client_that_only_says_so_has_not_succeeded(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    vin, action = next(iter(served(small, driver).items()))
    small.say(vin, action, "closed", "success")
    small.at += 60 * SECOND
    looked = driver.look(small.at)
    assert looked is not None
    assert looked.counts["succeeded"] == 0
    report(small, vin, "1.1.0")
    small.at += 60 * SECOND
    looked = driver.look(small.at)
    assert looked is not None
    assert looked.counts["succeeded"] == 1


def test_failures_pause_it_and_take_back_what_no_car_has_begun(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    wave = served(small, driver)
    for vin in list(wave)[:4]:
        small.say(vin, wave[vin], "closed", "failure", code=7)
    small.at += 60 * SECOND
    looked = driver.look(small.at)
    assert looked is not None
    assert looked.action == "pause"
    assert rollout(small, driver).status is RolloutStatus.PAUSED
    small.catch_up()
    for vin in list(wave)[4:]:
        assert "deploymentBase" not in small.base(vin)
    last = decided(small, driver)[-1]
    assert last.decision == "paused"
    assert last.failed == 4
    (finding,) = last.findings
    assert (finding.name, finding.verdict, finding.events) == ("installs", "pause", 4)
    assert driver.look(small.at) is None

    with small.state.change() as change:
        keeping.resume(change, rollout(small, driver), small.at, by="wu.lei", reason="a broken charger")
    small.catch_up()
    for vin in list(wave)[4:]:
        assert "deploymentBase" in small.base(vin)
    small.at += 60 * SECOND
    again = driver.look(small.at)
    assert again is not None
    assert again.action == "hold"


def test_a_car_that_does_not_come_back_counts_as_failed(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    wave = served(small, driver)
    for vin, action in wave.items():
        small.say(vin, action, "proceeding")
    small.at += 3 * HOUR
    looked = driver.look(small.at)
    assert looked is not None
    assert looked.counts["silent"] == len(wave)
    assert looked.action == "pause"


def test_aborting_cancels_what_is_open(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    wave = served(small, driver)
    begun, *rest = wave
    install(small, begun, wave[begun])
    with small.state.change() as change:
        keeping.abort(change, rollout(small, driver), small.at, by="li.na", reason="wrong release notes")
    assert small.action(wave[begun]).status is ActionStatus.FINISHED
    assert {small.action(wave[vin]).status for vin in rest} == {ActionStatus.CANCELING}
    assert decided(small, driver)[-1].reason == "wrong release notes"
    with pytest.raises(Refused) as raised, small.state.change() as change:
        keeping.abort(change, rollout(small, driver), small.at, by="li.na", reason="again")
    assert raised.value.code == "rollout.status"


def test_a_car_that_joins_later_falls_into_its_place(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    before = members(small, driver)
    small.enter(*VINS[40:])
    small.at += 60 * SECOND
    driver.look(small.at)
    after = members(small, driver)
    assert len(after) == len(VINS)
    assert {vin: after[vin][:2] for vin in before} == {vin: before[vin][:2] for vin in before}
    late = [after[vin] for vin in VINS[40:]]
    assert any(opened for _, opened, _ in late)
    assert any(not held and not opened for held, opened, _ in late)


def test_a_worker_that_starts_anew_decides_the_same(small: Garage) -> None:
    driver = planned(small)
    driver.look(small.at)
    wave = served(small, driver)
    for vin in list(wave)[:3]:
        install(small, vin, wave[vin])
    small.at += 2 * HOUR
    now = rollout(small, driver)
    driver.look(small.at)
    kept = driver.standing(now, small.at).cars
    fresh = Driver(small.state, driver.rollout).standing(now, small.at).cars
    for name in ("place", "held_out", "opened", "offered", "started", "finished", "outcome"):
        ours, theirs = getattr(kept, name), getattr(fresh, name)
        assert sorted(ours.tolist()) == sorted(theirs.tolist())


def test_somebody_else_approves(small: Garage) -> None:
    release = small.release("2.0.0")
    with small.state.change() as change:
        made = keeping.create_rollout(
            change, "two", release, "tag==test", RolloutPlan(), small.at, by="li.na", approval=True
        )
        with pytest.raises(Refused) as raised:
            keeping.start(change, made, small.at, by="li.na")
        assert raised.value.code == "rollout.status"
        with pytest.raises(Refused) as raised:
            keeping.approve(change, made, small.at, by="li.na")
        assert raised.value.code == "rollout.four_eyes"
        keeping.approve(change, made, small.at, by="wu.lei")
        keeping.start(change, keeping.find_rollout(change, "two"), small.at, by="li.na")
    assert keeping.find_rollout(small.state, "two").status is RolloutStatus.RUNNING


@pytest.mark.parametrize(
    ("name", "filter", "code"),
    [
        ("", "name==*", "rollout.name"),
        ("x", "colour==blue", "filter.field"),
        ("x", "name==", "filter.syntax"),
    ],
)
def test_what_is_no_rollout_is_refused(small: Garage, name: str, filter: str, code: str) -> None:
    release = small.release("2.0.0")
    with pytest.raises(BadValue) as raised, small.state.change() as change:
        keeping.create_rollout(change, name, release, filter, RolloutPlan(), small.at, by="li.na")
    assert raised.value.code == code


def test_names_are_unique_and_two_who_decide_at_once_do_not_both_win(small: Garage) -> None:
    driver = planned(small)
    stale = rollout(small, driver)
    with pytest.raises(Conflict), small.state.change() as change:
        keeping.create_rollout(
            change, stale.name, stale.distribution_set, "name==*", RolloutPlan(), small.at, by="li.na"
        )
    with small.state.change() as change:
        keeping.pause(change, stale, small.at, reason="first", by="li.na")
    with pytest.raises(Conflict), small.state.change() as change:
        keeping.abort(change, stale, small.at, reason="second", by="wu.lei")
    assert rollout(small, driver).status is RolloutStatus.PAUSED
