"""Installing what was only downloaded: by hand, and in rollouts that download first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driveaway.facts.updates import UpdateFinished
from driveaway.launch.launch import Launch
from driveaway.launch.updates.installing import install_downloaded
from driveaway.updates.model import ActionStatus, ActionType, Outcome, TargetStatus
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.explain import explain
from driveaway.updates.rollouts.plan import RolloutPlan, read_rollout_plan
from driveaway.updates.rollouts.plans import ByGroups, Group
from driveaway.updates.rollouts.progress import progress
from driveaway.updates.rollouts.situations import situation_of
from driveaway.values.clock import SECOND, moment
from driveaway.values.errors import BadValue, NotFound, Refused
from tests.stores.garage import VINS, Garage, garage
from tests.stores.test_rollouts import HOUR, RULES, decided, install, members, planned, rollout, served

CARS = VINS[:20]
DOWNLOAD = ActionType.DOWNLOAD_ONLY


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.set("verification.attribute", "release_version")
        made.enter(*CARS)
        yield made


def actions(small: Garage, driver: Driver, kind: ActionType = DOWNLOAD) -> dict[str, int]:
    """The newest action of a type of each car of a rollout."""
    rows = small.state.rows(
        "SELECT t.controller_id, a.id FROM actions a JOIN targets t ON t.id = a.target"
        " WHERE a.rollout = :rollout AND a.type = :kind ORDER BY a.id",
        rollout=driver.rollout,
        kind=kind.value,
    )
    return dict(rows)


def first_reason(small: Garage, driver: Driver, vin: str) -> tuple[str, str]:
    reason = explain(situation_of(small.state, rollout(small, driver), vin, small.at))[0]
    return reason.code, reason.text


# --- assigning ---------------------------------------------------------------------------------------


def test_what_is_downloaded_is_given_once_more_to_be_installed(small: Garage) -> None:
    release, car = small.release("1"), CARS[0]
    (download,) = small.assign(release, car, type=DOWNLOAD)
    small.say(car, download, "downloaded")
    assert small.action(download).outcome is Outcome.DOWNLOADED
    assert small.assigned(release, car, type=DOWNLOAD).already == 1
    (action,) = small.assign(release, car, type=ActionType.FORCED)
    assert small.assigned(release, car, type=ActionType.SOFT).already == 1
    small.catch_up()
    assert f"/deploymentBase/{action}" in small.base(car)["deploymentBase"]
    assert "cancelAction" not in small.base(car)
    small.say(car, action, "closed", "success")
    assert small.assigned(release, car).already == 1
    assert small.target(car).installed == release
    assert [fact.body.outcome for fact in small.facts(car)] == ["downloaded", "installed"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("several", [False, True])
def test_a_download_under_way_is_closed_without_asking_the_car_to_drop_it(
    small: Garage, several: bool
) -> None:
    small.set("multi.assignments.enabled", several)
    release, car = small.release("1"), CARS[0]
    (download,) = small.assign(release, car, type=DOWNLOAD)
    small.say(car, download, "download")
    (action,) = small.assign(release, car)
    small.catch_up()
    closed = small.action(download)
    assert (closed.active, closed.outcome, closed.status) == (False, Outcome.CANCELLED, ActionStatus.CANCELED)
    offered = small.base(car)
    assert "cancelAction" not in offered
    assert f"/deploymentBase/{action}" in offered["deploymentBase"]
    assert small.target(car).assigned == release
    assert small.target(car).status is TargetStatus.PENDING


def test_another_set_or_a_failed_download_changes_nothing(small: Garage) -> None:
    one, two, car = small.release("1"), small.release("2"), CARS[0]
    (download,) = small.assign(one, car, type=DOWNLOAD)
    small.assign(two, car)
    # Another set asks the car to cancel, as ever.
    assert small.action(download).status is ActionStatus.CANCELING


# --- by hand, for a rollout that only downloads ------------------------------------------------------


def test_the_cars_of_a_download_are_told_to_install(small: Garage) -> None:
    driver = planned(small, type=DOWNLOAD, holdout=0)
    driver.look(small.at)
    wave = served(small, driver)
    holding = sorted(wave)[:3]
    for vin in holding:
        small.say(vin, wave[vin], "downloaded")
    assert first_reason(small, driver, holding[0])[0] == "downloaded"
    late = next(vin for vin in sorted(wave) if vin not in holding)
    name = rollout(small, driver).name
    with pytest.raises(NotFound, match="holds nothing"):
        install_downloaded(small.launch, name, small.at, by="", only=[late])
    asked = install_downloaded(small.launch, name, small.at, by="", only=holding[:1])
    assert asked == (1, 0)
    asked = install_downloaded(small.launch, name, small.at, by="", kind=ActionType.FORCED)
    assert asked == (2, 0)
    assert install_downloaded(small.launch, name, small.at, by="") == (0, 0)
    small.catch_up()
    for vin in holding:
        (number,) = small.state.rows(
            "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target WHERE a.active = 1"
            " AND t.controller_id = :vin",
            vin=vin,
        )
        assert small.action(number[0]).type is (ActionType.SOFT if vin == holding[0] else ActionType.FORCED)
        install(small, vin, number[0])
        assert small.target(vin).version_reported == "1.1.0"


def test_a_rollout_that_installs_has_nothing_to_be_told(small: Garage) -> None:
    driver = planned(small)
    with pytest.raises(Refused, match="installs by itself"):
        install_downloaded(small.launch, rollout(small, driver).name, small.at, by="")


def test_a_second_rollout_installs_what_the_first_downloaded(small: Garage) -> None:
    """Both are of one release: the waves of the second ask the cars anew."""
    driver = planned(small, type=DOWNLOAD, holdout=0, success="finished")
    driver.look(small.at)
    for vin, action in served(small, driver).items():
        small.say(vin, action, "downloaded")
    release = rollout(small, driver).distribution_set
    plan = RolloutPlan(rules=RULES, holdout=0, type=ActionType.SOFT)
    with small.state.change() as change:
        made = keeping.create_rollout(change, "then", release, "controllerid==*", plan, small.at, by="li.na")
        keeping.start(change, made, small.at, by="li.na")
    second = Driver(small.state, made.id)
    second.look(small.at)
    given = served(small, second)
    assert len(given) == len(CARS) // 4
    assert {small.action(action).type for action in given.values()} == {ActionType.SOFT}


# --- first everywhere the download, then installing in waves -----------------------------------------


def later(small: Garage, hours: int) -> datetime:
    return moment(small.at) + timedelta(hours=hours)


def test_cars_download_first_and_install_in_waves_from_a_date_on(small: Garage) -> None:
    driver = planned(small, install_at=later(small, 24))
    begun = small.at
    assert driver.look(small.at) is None
    downloads = actions(small, driver)
    behind = {vin for vin, (held, _, _) in members(small, driver).items() if held}
    assert behind
    assert set(downloads) == set(CARS) - behind
    assert served(small, driver) == {}
    some = sorted(downloads)
    done, under_way = some[:-2], some[-2]
    for vin in done:
        small.say(vin, downloads[vin], "downloaded")
    small.say(under_way, downloads[under_way], "download")
    small.at += 8 * HOUR  # silence_s is two hours: a slow download is none
    driver.tend(small.at)
    assert small.action(downloads[under_way]).active
    assert driver.look(small.at) is None
    assert actions(small, driver) == downloads
    assert progress(small.state, rollout(small, driver)).downloaded == len(done)
    assert [each.decision for each in decided(small, driver)] == ["started"]
    code, text = first_reason(small, driver, done[0])
    assert code == "wave_not_open"
    assert "it has downloaded it already" in text
    situation = situation_of(small.state, rollout(small, driver), done[0], small.at)
    assert situation.next_step == begun + 24 * HOUR

    small.at = begun + 24 * HOUR
    first = driver.look(small.at)
    assert first is not None
    assert (first.action, first.step) == ("advance", 1)
    wave = served(small, driver)
    assert len(wave) == -(-(len(CARS) - len(behind)) // 4)
    assert {small.action(action).type for action in wave.values()} == {ActionType.FORCED}
    # The others go on downloading, or hold it.
    assert {vin for vin in downloads if small.action(downloads[vin]).active} == set(some[-2:]) - set(wave)
    for vin, action in wave.items():
        install(small, vin, action)
    small.at += HOUR
    second = driver.look(small.at)
    assert second is not None
    assert (second.action, second.counts["succeeded"]) == ("advance", len(wave))
    for vin, action in served(small, driver).items():
        if vin not in wave:
            install(small, vin, action)
    small.at += HOUR
    driver.look(small.at)
    assert set(served(small, driver)) == set(CARS)
    outcomes = {
        vin: [fact.body.outcome for fact in small.facts(vin) if isinstance(fact.body, UpdateFinished)]
        for vin in done
    }
    assert set(map(tuple, outcomes.values())) == {("downloaded", "installed")}


def test_a_paused_or_aborted_download_is_taken_back(small: Garage) -> None:
    driver = planned(small, install_at=later(small, 24))
    driver.look(small.at)
    with small.state.change() as change:
        keeping.pause(change, rollout(small, driver), small.at, reason="wait", by="li.na")
    small.catch_up()
    vin = next(iter(actions(small, driver)))
    assert "deploymentBase" not in small.base(vin)
    small.at += 25 * HOUR
    assert driver.look(small.at) is None
    with small.state.change() as change:
        keeping.resume(change, rollout(small, driver), small.at, by="li.na", reason="go")
        keeping.abort(change, keeping.find_rollout(change, driver.rollout), small.at, reason="no", by="li.na")
    small.catch_up()
    assert "cancelAction" in small.base(vin)


def test_a_download_that_failed_does_not_count_against_the_installation(small: Garage) -> None:
    driver = planned(small, install_at=later(small, 2), retries=1, holdout=0)
    driver.look(small.at)
    downloads = actions(small, driver)
    for vin, action in downloads.items():
        small.say(vin, action, "closed", "failure")
    small.at += 2 * HOUR
    driver.tend(small.at)
    again = actions(small, driver)
    assert all(again[vin] > downloads[vin] for vin in downloads)
    looked = driver.look(small.at)
    assert looked is not None
    assert (looked.action, looked.counts["failed"]) == ("advance", 0)
    vin, action = next(iter(served(small, driver).items()))
    small.say(vin, action, "closed", "failure")
    small.at += HOUR + SECOND
    driver.tend(small.at)
    assert actions(small, driver, ActionType.FORCED)[vin] > action


def test_only_segments_that_are_opened_some_day_download(small: Garage) -> None:
    with small.state.change() as change:
        change.run(
            "INSERT INTO target_attributes (target, key, value, version_key)"
            " SELECT id, 'city', CASE WHEN id % 2 = 0 THEN 'beijing' ELSE 'wuhan' END, '' FROM targets"
        )
    growth = ByGroups(groups=(Group(segments=("beijing",)),))
    rules: Any = {"growth": growth, "comparisons": (), "guards": ()}
    driver = planned(small, install_at=later(small, 2), segment="city", holdout=0, rules=type(RULES)(**rules))
    driver.look(small.at)
    assert len(actions(small, driver)) == len(CARS) // 2


def test_a_plan_says_when_it_is_installed() -> None:
    plan = read_rollout_plan({"install_at": "2024-06-01T02:00:00+08:00"})
    assert plan.installs_from == 1717178400 * SECOND
    for wrong in (
        {"install_at": "2024-06-01T02:00:00"},
        {"install_at": "2024-06-01T02:00:00+08:00", "type": "downloadonly"},
        {"install_at": "2024-06-01T02:00:00+08:00", "hawkbit": [{}]},
    ):
        with pytest.raises(BadValue):
            read_rollout_plan(wrong)
