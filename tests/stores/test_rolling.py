"""Rollouts over the tables: hawkBit's groups, nights, time-outs, further tries, reasons, and crashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from driveaway.book.state.state import Change, State
from driveaway.launch.launch import Launch
from driveaway.updates import registry
from driveaway.updates.model import ActionStatus, ActionType, Outcome
from driveaway.updates.registry import Mode
from driveaway.updates.rollouts import groups, keeping, tending
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.explain import explain
from driveaway.updates.rollouts.guards import Rules
from driveaway.updates.rollouts.plan import Night, RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.plans import ByGroups, ByStages, Group, Stage
from driveaway.updates.rollouts.progress import progress
from driveaway.updates.rollouts.situations import situation_of
from driveaway.updates.rollouts.story import story_of
from driveaway.updates.rollouts.thresholds import LABEL, HawkbitGroup
from driveaway.values.clock import DAY, SECOND
from tests.stores.garage import VINS, Garage, garage
from tests.stores.test_rollouts import (
    HOUR,
    RULES,
    decided,
    install,
    members,
    planned,
    report,
    rollout,
    served,
)

CARS = VINS[:20]
TWO = (
    HawkbitGroup(name="first", target_percentage=25, success_threshold=60, error_threshold=30),
    HawkbitGroup(target_percentage=100, success_threshold=50, error_threshold=None),
)


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.set("verification.attribute", "release_version")
        made.enter(*CARS)
        yield made


def say(small: Garage, vin: str, **attributes: str) -> None:
    with small.state.change() as change:
        registry.put_attributes(change, vin, attributes, Mode.MERGE, small.at)


def codes(small: Garage, driver: Driver, vin: str) -> list[str]:
    found = situation_of(small.state, rollout(small, driver), vin, small.at)
    return [reason.code for reason in explain(found)]


# --- hawkBit's groups -------------------------------------------------------------------------------


def shown(small: Garage, driver: Driver) -> list[tuple[str, str, int]]:
    return [(each.name, each.status, each.total) for each in groups.all_groups(small.state, driver.rollout)]


def test_hawkbits_groups_open_as_their_thresholds_say(small: Garage) -> None:
    driver = planned(small, hawkbit=TWO)
    first = driver.look(small.at)
    assert first is not None
    assert (first.action, first.step, first.steps) == ("advance", 1, 2)
    assert shown(small, driver) == [("first", "running", 5), ("hawkBit group 2", "scheduled", 15)]
    wave = served(small, driver)
    assert len(wave) == 5
    for vin, action in list(wave.items())[:2]:
        small.say(vin, action, "closed", "success")
    small.at += HOUR
    held = driver.look(small.at)
    assert held is not None
    assert (held.action, held.reason) == ("hold", "threshold")
    assert all(LABEL in finding.text for finding in held.findings)
    small.say(*list(wave.items())[2], "closed", "success")
    second = driver.look(small.at)
    assert second is not None
    assert (second.action, second.step) == ("advance", 2)
    assert len(served(small, driver)) == len(CARS)
    ids = {each.name: each.id for each in groups.all_groups(small.state, driver.rollout)}
    counted = small.state.rows(
        "SELECT rollout_group, COUNT(*) FROM actions WHERE rollout = :r GROUP BY rollout_group ORDER BY 1",
        r=driver.rollout,
    )
    assert counted == [(ids["first"], 5), (ids["hawkBit group 2"], 15)]
    # A car that comes later is none of its targets, and it ends once no car is still at it.
    small.enter(VINS[40])
    for vin, action in list(wave.items())[3:]:
        small.say(vin, action, "closed", "failure")
    for vin, action in served(small, driver).items():
        if vin not in wave:
            small.say(vin, action, "closed", "success")
    small.at += HOUR
    paused = driver.look(small.at)
    assert paused is not None
    assert paused.action == "pause"
    assert ("first", "error", 5) in shown(small, driver)
    with small.state.change() as change:
        keeping.resume(change, rollout(small, driver), small.at, by="wu.lei", reason="known")
    last = driver.look(small.at)
    assert last is not None
    assert last.action == "finish"
    assert VINS[40] not in members(small, driver)
    assert {status for _, status, _ in shown(small, driver)} == {"finished"}


def test_a_group_of_hawkbits_may_wait_for_a_person_and_have_a_filter(small: Garage) -> None:
    for vin in CARS[:6]:
        say(small, vin, city="beijing")
    first = HawkbitGroup(filter="attribute.city==beijing", success_threshold=1, after_success="pause")
    driver = planned(small, hawkbit=(first, HawkbitGroup()))
    with small.state.change() as change:
        keeping.pause(change, rollout(small, driver), small.at, reason="wait", by="li.na")
        keeping.resume(change, rollout_in(change, driver), small.at, by="li.na", reason="go")
    driver.look(small.at)
    assert set(served(small, driver)) == set(CARS[:6])
    vin, action = next(iter(served(small, driver).items()))
    small.say(vin, action, "closed", "success")
    paused = driver.look(small.at)
    assert paused is not None
    assert paused.action == "pause"
    assert "a person starts the next one" in rollout(small, driver).reason
    with small.state.change() as change:
        keeping.resume(change, rollout(small, driver), small.at, by="li.na", reason="it is fine")
    again = driver.look(small.at)
    assert again is not None
    assert again.action == "advance"
    assert len(served(small, driver)) == len(CARS)


def rollout_in(change: Change, driver: Driver) -> Any:
    return keeping.find_rollout(change, driver.rollout)


def test_groups_are_filled_before_a_hawkbit_rollout_starts(small: Garage) -> None:
    release = small.release("3.0.0")
    with small.state.change() as change:
        made = keeping.create_rollout(
            change, "h", release, "name==*", RolloutPlan(hawkbit=TWO), small.at, by="api"
        )
    Driver(small.state, made.id).look(small.at)
    assert [each.total for each in groups.all_groups(small.state, made.id)] == [5, 15]
    assert keeping.find_rollout(small.state, made.id).status is RolloutStatus.READY


# --- city by city, by night ------------------------------------------------------------------------


def test_cities_open_one_after_the_other(small: Garage) -> None:
    for number, vin in enumerate(CARS):
        say(small, vin, city=("beijing", "shanghai", "chengdu")[number % 3])
    cities = tuple(Group(segments=(name,), minimum_s=3600) for name in ("beijing", "shanghai"))
    rules = Rules(growth=ByGroups(groups=cities), comparisons=(), guards=())
    driver = planned(small, rules=rules, segment="city", holdout=0.0)
    driver.look(small.at)
    assert set(served(small, driver)) == set(CARS[0::3])
    assert shown(small, driver) == [("beijing", "running", 7), ("shanghai", "scheduled", 7)]
    small.at += HOUR
    driver.look(small.at)
    assert set(served(small, driver)) == set(CARS[0::3]) | set(CARS[1::3])
    assert codes(small, driver, CARS[2]) == ["wave_not_open"]


def test_a_night_is_one_where_the_car_is(small: Garage) -> None:
    say(small, CARS[0], zone="Asia/Urumqi")
    say(small, CARS[1], zone="Europe/Berlin")
    say(small, CARS[2], zone="nowhere")
    night = Night(hours="22:30-05:00", zone="Asia/Shanghai", attribute="zone")
    rules = Rules(growth=ByStages(stages=(Stage(share=1.0),)), guards=(), comparisons=())
    driver = planned(small, night=night, rules=rules, holdout=0.0)
    assert codes(small, driver, CARS[0])[-1] == "window_closed"
    driver.look(small.at)
    found = {
        vin: (row.window_schedule, row.window_duration, row.window_timezone)
        for vin, action in served(small, driver).items()
        for row in [small.action(action)]
    }
    assert found[CARS[0]] == ("0 30 22 * * ? *", "06:30:00", "+06:00")
    assert found[CARS[1]][2] == "+02:00"
    assert {found[vin][2] for vin in CARS[2:]} == {"+08:00"}
    window = situation_of(small.state, rollout(small, driver), CARS[3], small.at).window_opens
    assert window == small.at + 10 * HOUR + HOUR // 2


# --- cars that fail ----------------------------------------------------------------------------------


def test_a_silent_car_is_given_up_and_still_counts_as_silent(small: Garage) -> None:
    driver = planned(small, rules=Rules(growth=RULES.growth, guards=(), comparisons=(), silence_s=7200))
    driver.look(small.at)
    wave = served(small, driver)
    vin = next(iter(wave))
    small.say(vin, wave[vin], "proceeding")
    small.at += 3 * HOUR
    assert driver.tend(small.at).silent == 1
    assert driver.tend(small.at).silent == 0
    assert small.action(wave[vin]).outcome is Outcome.SILENT
    looked = driver.look(small.at)
    assert looked is not None
    assert (looked.counts["silent"], looked.counts["failed"]) == (1, 0)
    assert progress(small.state, rollout(small, driver)).silent == 1
    assert codes(small, driver, vin) == ["failed_before"]


def test_a_car_that_goes_on_saying_its_old_version_has_fallen_back(small: Garage) -> None:
    driver = planned(small, rules=Rules(growth=RULES.growth, guards=(), comparisons=()))
    report(small, CARS[0], "1.0.0")
    driver.look(small.at)
    vin, action = next(iter(served(small, driver).items()))
    small.say(vin, action, "closed", "success")
    small.at += DAY + HOUR
    with small.state.change() as change:
        change.run("UPDATE targets SET polled = :at", at=small.at)
    report(small, vin, "1.0.0")
    assert driver.tend(small.at).fell_back == 1
    looked = driver.look(small.at)
    assert looked is not None
    assert looked.counts["fallback"] == 1


def test_what_failed_is_tried_again_and_its_first_try_stays_evidence(small: Garage) -> None:
    rules = Rules(growth=RULES.growth, guards=(), comparisons=())
    driver = planned(small, retries=1, retry_after_s=3600, rules=rules)
    driver.look(small.at)
    vin, action = next(iter(served(small, driver).items()))
    small.say(vin, action, "closed", "failure")
    assert codes(small, driver, vin) == ["failed_before"]
    assert situation_of(small.state, rollout(small, driver), vin, small.at).retry_at == small.at + HOUR
    assert driver.tend(small.at + HOUR - SECOND).tried_again == 0
    small.at += HOUR
    assert driver.tend(small.at).tried_again == 1
    assert driver.tend(small.at).tried_again == 0
    ((again,),) = small.state.rows(
        "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target WHERE t.controller_id = :vin"
        " AND a.id > :action",
        vin=vin,
        action=action,
    )
    small.catch_up()
    assert "deploymentBase" in small.base(vin)
    install(small, vin, again)
    small.at += 60 * SECOND
    looked = driver.look(small.at)
    assert looked is not None
    assert (looked.counts["failed"], looked.counts["succeeded"]) == (1, 0)
    found = progress(small.state, rollout(small, driver))
    assert (found.failed, found.recovered) == (1, 1)
    assert codes(small, driver, vin) == ["up_to_date"]
    assert tending.failed_actions(small.state, rollout(small, driver)) == []


# --- why, and how it went ------------------------------------------------------------------------------


def test_each_car_is_told_why(small: Garage) -> None:
    release = small.release("1.1.0")
    with small.state.change() as change:
        made = keeping.create_rollout(
            change,
            "why",
            release,
            f"controllerid=in=({','.join(CARS[:19])})",
            RolloutPlan(rules=RULES, holdout=0.2, type=ActionType.FORCED),
            small.at,
            by="li.na",
        )
    driver = Driver(small.state, made.id)
    first = codes(small, driver, CARS[0])
    assert first[0] == "rollout_not_started"
    with small.state.change() as change:
        keeping.start(change, keeping.find_rollout(change, "why"), small.at, by="li.na")
    before = {vin: codes(small, driver, vin) for vin in CARS}
    assert "not_targeted" in before[CARS[19]]
    driver.look(small.at)
    said = members(small, driver)
    for vin, (behind, opened, _) in said.items():
        expected = ["held_out"] if behind else ["offered"] if opened else ["wave_not_open"]
        assert codes(small, driver, vin) == expected
    # What was foreseen before it was opened has come true.
    for vin, (behind, _, _) in said.items():
        assert ("held_out" in before[vin]) == behind
    wave = served(small, driver)
    vin, action = next(iter(wave.items()))
    small.say(vin, action, "proceeding")
    assert codes(small, driver, vin) == ["installing"]
    small.say(vin, action, "closed", "success")
    report(small, vin, "1.1.0")
    assert codes(small, driver, vin) == ["up_to_date"]
    found = progress(small.state, rollout(small, driver))
    assert (found.cars, found.offered, found.succeeded) == (19, len(wave), 1)
    told = story_of(driver.standing(rollout(small, driver), small.at + HOUR))
    assert [(line.name, line.points[-1][1]) for line in told.cars] == [
        ("opened", len(wave)), ("succeeded", 1), ("failed", 0),
    ]  # fmt: skip


# --- crashes and rivals ----------------------------------------------------------------------------------


class Killed(BaseException):
    """The process was killed."""


class Mortal(State):
    """Operational tables whose process is killed before its so-many-th change."""

    def __init__(self, whole: State, lives: int) -> None:
        self.__dict__.update(whole.__dict__)
        self.lives = lives

    @contextmanager
    def change(self) -> Iterator[Change]:
        if self.lives == 0:
            raise Killed
        self.lives -= 1
        with super().change() as change:
            yield change


def outcome(small: Garage, driver: Driver) -> tuple[Any, ...]:
    found = rollout(small, driver)
    facts = [
        (body.decision, body.wave, body.opened, body.succeeded, body.failed)
        for body in decided(small, driver)
    ]
    actions = small.state.rows(
        "SELECT t.controller_id, a.status, a.outcome, a.verified, a.created FROM actions a JOIN targets t"
        " ON t.id = a.target WHERE a.rollout = :rollout ORDER BY t.controller_id, a.id",
        rollout=driver.rollout,
    )
    cars = {vin: (held, opened) for vin, (held, opened, _) in members(small, driver).items()}
    return found.status, found.record.steps, found.record.settling, facts, actions, cars


def plan_it(small: Garage) -> Driver:
    rules = Rules(growth=RULES.growth, guards=(), comparisons=())
    return planned(small, rules=rules, retries=1, retry_after_s=3600)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_worker_killed_between_any_two_changes_loses_nothing(launch: Launch, tmp_path: Path) -> None:
    def run(lives: int | None) -> tuple[tuple[Any, ...], bool]:
        with garage(launch, tmp_path / str(lives)) as small:
            small.set("verification.attribute", "release_version")
            small.enter(*CARS[:10])
            driver = plan_it(small)
            seen = len(decided(small, driver)) - 1
            killed = False
            for step in range(4):
                mortal = Mortal(small.state, -1 if lives is None or killed else lives)
                try:
                    Driver(mortal, driver.rollout).tend(small.at)
                    Driver(mortal, driver.rollout).look(small.at)
                    lives = None if lives is None else mortal.lives
                except Killed:
                    killed = True
                    Driver(small.state, driver.rollout).tend(small.at)
                    Driver(small.state, driver.rollout).look(small.at)
                act(small, driver, step)
                small.at += HOUR
            status, steps, settling, facts, actions, cars = outcome(small, driver)
            return (status, steps, settling, facts[seen:], actions, cars), killed

    whole, _ = run(None)
    assert whole[0] is RolloutStatus.FINISHED
    assert whole[2] is None
    deaths = 0
    for lives in range(100):
        found, killed = run(lives)
        if not killed:
            break
        deaths += 1
        assert found == whole, lives
    assert deaths > 10


def act(small: Garage, driver: Driver, step: int) -> None:
    for vin, action in sorted(served(small, driver).items()):
        if not small.action(action).active:
            continue
        if CARS.index(vin) % 4 != 3:
            install(small, vin, action)
        elif step == 0:
            small.say(vin, action, "closed", "failure")


def test_two_workers_never_decide_or_open_twice(small: Garage) -> None:
    driver = plan_it(small)
    rival = Driver(small.state, driver.rollout)

    class Slow(State):
        """The rival looks between what this one read and what it writes."""

        @contextmanager
        def change(self) -> Iterator[Change]:
            if self.wait == 0:
                self.wait = -1
                rival.look(small.at)
            self.wait -= 1
            with super().change() as change:
                yield change

        wait = 0

    for wait in range(12):
        slow = Slow.__new__(Slow)
        slow.__dict__.update(small.state.__dict__)
        slow.wait = wait
        Driver(slow, driver.rollout).look(small.at)
        for vin, action in list(served(small, driver).items())[: 3 * wait]:
            if small.action(action).active:
                install(small, vin, action)
        small.at += HOUR // 2
    facts = [(body.decision, body.wave) for body in decided(small, driver)]
    assert len(facts) == len(set(facts))
    ((twice,),) = small.state.rows(
        "SELECT COUNT(*) FROM (SELECT target FROM actions WHERE rollout = :r GROUP BY target"
        " HAVING COUNT(*) > 1) x",
        r=driver.rollout,
    )
    assert twice == 0


def test_very_many_cars_are_paused_and_aborted_in_parts(
    small: Garage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driveaway.updates.rollouts.settling.MOST", 3)
    monkeypatch.setattr("driveaway.updates.rollouts.members.AT_ONCE", 4)
    driver = plan_it(small)
    driver.look(small.at)
    wave = served(small, driver)
    assert len(wave) > 3
    with small.state.change() as change:
        keeping.pause(change, rollout(small, driver), small.at, reason="look", by="li.na")
    assert rollout(small, driver).record.settling is not None
    driver.look(small.at)
    assert rollout(small, driver).record.settling is None
    assert {small.action(action).status for action in wave.values()} == {ActionStatus.SCHEDULED}
    with small.state.change() as change:
        keeping.resume(change, rollout(small, driver), small.at, by="li.na", reason="fine")
    driver.look(small.at)
    assert {small.action(action).status for action in wave.values()} == {ActionStatus.RUNNING}
    with small.state.change() as change:
        concerned = keeping.abort(change, rollout(small, driver), small.at, reason="no", by="li.na")
    assert concerned == len(wave)
    driver.look(small.at)
    assert {small.action(action).status for action in wave.values()} == {ActionStatus.CANCELING}


def test_what_a_release_asks_of_a_module_is_held_against_what_the_car_says_of_it(small: Garage) -> None:
    driver = planned(small)
    asks = '{"terms":{"su7":{"minimum_version":"2.10","excluded_versions":["2.11"]}}}'
    with small.state.change() as change:
        change.run("UPDATE distribution_sets SET release = :asks", asks=asks)
    for version, code in (("2.9", "below_minimum_version"), ("2.11", "excluded_version")):
        say(small, CARS[0], **{"su7.version": version})
        assert codes(small, driver, CARS[0])[0] == code
    say(small, CARS[0], **{"su7.version": "2.10"})
    assert not {"below_minimum_version", "excluded_version"} & set(codes(small, driver, CARS[0]))
