"""hawkBit's threshold, why one car gets a release, and the health table."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from driveaway.facts.health import SAFETY_SIGNALS, SIGNALS, VSS, CarHealth
from driveaway.updates.rollouts.columns import Outcome
from driveaway.updates.rollouts.explain import CarSituation, Code, explain
from driveaway.updates.rollouts.thresholds import HawkbitGroup, hawkbit, hawkbit_groups
from tests.unit.updates.rollouts.fleet import fleet

TWO = (HawkbitGroup(target_percentage=50, success_threshold=60, error_threshold=10), HawkbitGroup())


def test_hawkbit_groups_take_a_percentage_of_what_remains() -> None:
    groups = (HawkbitGroup(target_percentage=20), HawkbitGroup(target_percentage=50), HawkbitGroup())
    cars = fleet(12, held_out=2)
    found = hawkbit_groups(cars.place[::-1], cars.held_out[::-1], groups)
    assert found[::-1].tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, -1, -1]


def decided(*outcomes: Outcome) -> tuple[bool, int, bool]:
    outcome = np.zeros(20, dtype=np.uint8)
    outcome[: len(outcomes)] = outcomes
    cars = replace(fleet(20), outcome=outcome)
    found = hawkbit(cars, hawkbit_groups(cars.place, cars.held_out, TWO), TWO)
    return found.paused, found.groups, found.finished


def test_hawkbit_counts_errors_out_of_all_targets_those_that_wait_included() -> None:
    good, bad = Outcome.SUCCEEDED, Outcome.FAILED
    assert decided() == (False, 1, False)
    # One of ten is 10%, which is not above 10%: although it is the only one that answered.
    assert decided(bad) == (False, 1, False)
    assert decided(bad, bad) == (True, 1, False)
    assert decided(*[good] * 5) == (False, 1, False)
    assert decided(*[good] * 6) == (False, 2, False)
    # Errors of the first group count on while the second one runs.
    assert decided(*[good] * 6, bad, bad) == (True, 1, False)
    assert decided(*[good] * 15) == (False, 2, True)
    assert decided(*[good] * 10, *[bad] * 6) == (True, 2, False)


def codes(car: CarSituation) -> list[Code]:
    return [reason.code for reason in explain(car)]


def test_reasons_come_in_a_fixed_order_and_the_first_is_the_answer() -> None:
    car = CarSituation(
        release="1.2.0",
        running="1.0.0",
        targeted=False,
        excluded=True,
        minimum="1.1.0",
        incompatible="no LiDAR",
        before="su7-1.1",
        unsolvable="no release brings it",
        gate="Hangzhou is not open",
        rollout="paused",
        why="trouble codes",
        first="recall-7",
        outcome=Outcome.FAILED,
        unconfirmed=True,
        window_opens=5,
        silent=True,
    )
    assert codes(car) == [
        "not_targeted",
        "excluded_version",
        "below_minimum_version",
        "not_compatible",
        "release_first",
        "unsolvable",
        "gate",
        "rollout_paused",
        "wave_not_open",
        "another_rollout_first",
        "failed_before",
        "awaits_confirmation",
        "window_closed",
        "silent",
    ]
    assert not any(reason.gets_it for reason in explain(car))
    assert codes(msgspec.structs.replace(car, running="1.2.0")) == ["up_to_date"]


def test_what_is_said() -> None:
    waits = CarSituation(
        release="2", place=0.31, opens_in=(4, 5), stage=2, next_step=9, rollout="held", why="x"
    )
    (reason,) = explain(waits)
    assert (
        reason.text
        == "wave 4 of 5 is not open yet (now 2); its place is at 31.0% of the cars; the rollout is held: x"
    )
    assert (reason.code, reason.until) == ("wave_not_open", 9)
    behind = CarSituation(release="2", held_out=True)
    assert codes(behind) == ["held_out"]
    again = CarSituation(release="2", opened=1, outcome=Outcome.FALLBACK, attempts_left=1, retry_at=7)
    assert "old slot" in explain(again)[0].text
    assert explain(again)[0].until == 7
    assert codes(CarSituation(release="2", opened=1, outcome=Outcome.DECLINED)) == ["declined"]
    cancelled = CarSituation(release="2", opened=1, outcome=Outcome.CANCELLED)
    assert codes(cancelled) == ["cancelled"]
    assert "declined" not in explain(cancelled)[0].text
    assert codes(CarSituation(release="2", rollout="aborted", opened=1)) == ["rollout_ended"]
    assert codes(CarSituation(release="2", rollout="planned", opened=1)) == ["rollout_not_started"]


def test_a_car_that_gets_it_has_one_reason() -> None:
    car = CarSituation(release="2", opened=1, seen=1)
    assert codes(car) == ["not_asked_yet"]
    assert explain(car)[0].gets_it
    assert not explain(msgspec.structs.replace(car, seen=None))[0].gets_it
    assert codes(msgspec.structs.replace(car, offered=2)) == ["offered"]
    # What has begun is not stopped by a window that closes.
    assert codes(msgspec.structs.replace(car, started=2, window_opens=9)) == ["installing"]
    assert codes(msgspec.structs.replace(car, outcome=Outcome.SUCCEEDED)) == ["up_to_date"]


def test_a_row_of_health() -> None:
    row = CarHealth(vin="LSJE0000000000001", release="r2", start=0, end=10, signal="fallback", count=1)
    assert msgspec.json.decode(msgspec.json.encode(row), type=CarHealth) == row
    with pytest.raises(ValueError, match="ends before"):
        CarHealth(vin="v", release="r", start=1, end=0, signal="fire", count=0)
    with pytest.raises(ValueError, match="assistance"):
        CarHealth(vin="v", release="r", start=0, end=0, signal="fire", count=0, assisted_m=1)
    for content in ({"signal": "noise"}, {"count": -1}, {"speed": 3}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**msgspec.to_builtins(row), **content}, CarHealth)
    assert set(SAFETY_SIGNALS) | set(VSS) <= set(SIGNALS)
