"""Decisions: what is opened, what holds, pauses and ends a rollout, each with its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.rollouts.columns import NEVER, Cars, Health, Outcome
from driveaway.updates.rollouts.decision import Decision, Standing, decide
from driveaway.updates.rollouts.findings import Finding
from driveaway.updates.rollouts.guards import Comparison, InstallGuard, RateGuard, Rules, SafetyGuard
from driveaway.updates.rollouts.plans import ByGroups, ByRate, ByStages, Group, Stage
from tests.unit.updates.rollouts.fleet import DAY, HOUR, fleet, opened, reports

TROUBLE = Comparison(name="trouble", signals=("trouble_code",))
HALVES = ByStages(stages=(Stage(share=0.5), Stage(share=1.0)))
PLAIN = Rules(growth=HALVES, comparisons=(TROUBLE,), guards=())


def stands(rules: Rules, cars: Cars, now: int, health: Health | None = None, **fields: Any) -> Decision:
    health = Health.none() if health is None else health
    return decide(Standing(rules=rules, cars=cars, health=health, started=0, now=now, **fields))


def named(decision: Decision, name: str) -> Finding:
    return next(finding for finding in decision.findings if finding.name == name)


def installed(n: int, **counts: int) -> Cars:
    """Half of the cars open since the start; of those so many with each outcome, begun at hour 1."""
    cars = fleet(n, opened=opened(n, {n // 2: 0}))
    outcome = np.zeros(n, dtype=np.uint8)
    started = cars.opened.copy()
    at = 0
    for name, count in counts.items():
        outcome[at : at + count] = Outcome[name.upper()]
        started[at : at + count] = HOUR
        at += count
    started[at:] = NEVER
    finished = np.where(outcome > 0, 2 * HOUR, NEVER)
    return replace(cars, outcome=outcome, started=started, finished=finished, seen=np.minimum(started, HOUR))


# --- growth ------------------------------------------------------------------------------------


def test_a_harmless_rollout_from_start_to_finish() -> None:
    cars = fleet(100, held_out=5)
    first = stands(PLAIN, cars, 0)
    assert (first.action, first.reason, first.step, first.steps) == ("advance", "plan", 1, 2)
    assert first.opening is not None
    assert (first.opening.cars, first.opening.newly) == (48, 48)
    inside = np.array([first.opening.holds(int(place)) for place in cars.place])
    cars = replace(cars, opened=np.where(inside & ~cars.held_out, 0, NEVER))
    kept = {"opening": first.opening, "steps": (0,)}
    waits = stands(PLAIN, cars, DAY - 1, **kept)
    assert (waits.action, waits.reason, waits.until, waits.opening) == ("hold", "minimum_duration", DAY, None)
    second = stands(PLAIN, cars, DAY, **kept)
    assert second.opening is not None
    assert (second.action, second.opening.cut, second.opening.newly) == ("advance", "f" * 16, 47)
    cars = replace(cars, opened=np.where(cars.held_out, NEVER, np.minimum(cars.opened, DAY)))
    done = stands(PLAIN, cars, 2 * DAY, opening=second.opening, steps=(0, DAY))
    assert (done.action, done.reason) == ("finish", "complete")
    assert done.counts["held_out"] == 5
    assert done.counts["opened"] == 95


def test_cars_that_join_never_take_an_opening_back() -> None:
    cars = fleet(10)
    opening = stands(PLAIN, cars, 0).opening
    assert opening is not None
    more = fleet(20)
    # Ten more cars, all of them with later places: half of twenty are ten.
    assert stands(PLAIN, more, HOUR, opening=opening, steps=(0,)).opening is not None
    fewer = stands(PLAIN, fleet(4), HOUR, opening=opening, steps=(0,))
    assert (fewer.opening is not None, fewer.action) == (True, "advance")
    assert fewer.opening is not None
    assert int(fewer.opening.cut, 16) >= int(opening.cut, 16)


def test_groups_open_their_segments_alone() -> None:
    rules = Rules(growth=ByGroups(groups=(Group(segments=("b",)),)), comparisons=(), guards=())
    cars = fleet(6, segment=np.array([0, 1, 0, 1, 0, 1], dtype=np.int32))
    decision = stands(rules, cars, 0, segments=("a", "b"))
    assert decision.opening is not None
    assert (decision.opening.segments, decision.opening.cars) == (("b",), 3)


def test_at_a_rate_there_is_a_decision_for_each_car() -> None:
    rules = Rules(growth=ByRate(cars=2), comparisons=(), guards=())
    assert stands(rules, fleet(9), 0).opening.cars == 0  # type: ignore[union-attr]
    later = stands(rules, fleet(9, opened=opened(9, {1: 0})), HOUR, steps=(0,))
    assert later.opening is not None
    assert (later.action, later.opening.cars, later.opening.newly) == ("advance", 2, 1)


# --- evidence ----------------------------------------------------------------------------------


def test_harm_pauses_and_says_how_much() -> None:
    cars = fleet(200, held_out=10, opened=opened(200, {95: 0}))
    health = reports([(car, car * HOUR // 10) for car in range(1, 25)] + [(150, 3 * HOUR)])
    decision = stands(PLAIN, cars, 4 * HOUR, health, steps=(0,))
    assert (decision.action, decision.reason, decision.opening) == ("pause", "evidence", None)
    found, decided = named(decision, "trouble"), named(decision, "comparisons")
    assert (found.events, found.sample) == (24, 25)
    assert found.low is not None
    assert found.value is not None
    assert 1 < found.low < found.value
    assert decided.highest_log_e is not None
    assert decided.needed_log_e is not None
    assert decided.highest_log_e >= decided.needed_log_e
    assert decided.since is not None
    assert decided.since < 4 * HOUR
    assert "harm ratio" in found.text
    # A week without events later it still stands: the decision does not depend on when one looked.
    assert stands(PLAIN, cars, 9 * DAY, health, steps=(0,)).action == "pause"


def test_what_a_person_cleared_is_not_bet_on_again() -> None:
    cars = fleet(200, opened=opened(200, {100: 0}))
    health = reports([(car, car * HOUR) for car in range(30)])
    assert stands(PLAIN, cars, 30 * HOUR, health, steps=(0,)).action == "pause"
    cleared = stands(PLAIN, cars, 30 * HOUR, health, steps=(0,), cleared={"comparisons": 29 * HOUR})
    assert cleared.action == "advance"
    assert named(cleared, "trouble").sample == 0
    again = reports([(car, car * HOUR) for car in range(60)])
    assert stands(PLAIN, cars, 60 * HOUR, again, cleared={"comparisons": 29 * HOUR}).action == "pause"


def test_harm_to_one_model_is_found_and_named() -> None:
    segment = (np.arange(400) % 4 == 0).astype(np.int32)
    cars = fleet(400, opened=opened(400, {200: 0}), segment=segment)
    lidar = [car for car in range(200) if car % 4 == 0][:16]
    other = [car for car in range(400) if car % 4][:300:12]
    health = reports(sorted([(car, (car + 1) * HOUR // 9) for car in lidar + other], key=lambda row: row[1]))
    decision = stands(PLAIN, cars, 3 * DAY, health, segments=("max", "pro-lidar"))
    assert decision.action == "pause"
    assert [each.name for each in decision.findings if each.kind == "segment"] == ["pro-lidar"]


def test_without_a_control_nothing_is_concluded() -> None:
    cars = fleet(50, opened=opened(50, {50: 0}))
    decision = stands(PLAIN, cars, HOUR, reports([(car, HOUR // 2) for car in range(50)]), steps=(0, 0))
    assert decision.action == "hold"
    assert named(decision, "trouble").value is None
    assert "unknown" in named(decision, "trouble").text


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 50)), max_size=30), st.integers(0, 60))
def test_decisions_are_the_same_for_the_same_and_are_stored_whole(
    events: list[tuple[int, int]], hour: int
) -> None:
    events = sorted(((car, at * HOUR) for car, at in events if at <= hour), key=lambda row: row[1])
    cars = fleet(40, held_out=4, opened=opened(40, {4: 0, 18: 20 * HOUR}))
    rules = Rules(growth=HALVES)
    one, other = (stands(rules, cars, hour * HOUR, reports(events), steps=(0,), mark=7) for _ in range(2))
    assert one == other
    assert msgspec.json.decode(msgspec.json.encode(one), type=Decision) == one
    assert one.mark == 7


# --- guards ------------------------------------------------------------------------------------


def test_installations_that_fail_pause_once_it_is_sure() -> None:
    rules = Rules(growth=HALVES, comparisons=(), guards=(InstallGuard(name="installs"),))
    few = stands(rules, installed(200, failed=2, succeeded=6), 3 * HOUR, steps=(0,))
    assert few.action == "hold"
    assert "too few" in named(few, "installs").text
    many = stands(rules, installed(200, failed=6, fallback=4, succeeded=80), 3 * HOUR, steps=(0,))
    assert (many.action, named(many, "installs").events) == ("pause", 10)
    # Two of ninety are what is accepted: a share that is observed is no proof.
    some = installed(200, failed=2, succeeded=88)
    assert stands(rules, some, 3 * HOUR, steps=(0,)).action == "hold"
    observed = Rules(growth=HALVES, comparisons=(), guards=(InstallGuard(name="i", bound="observed"),))
    assert stands(observed, some, 3 * HOUR, steps=(0,)).action == "pause"
    assert (
        stands(rules, installed(200, failed=12, succeeded=78), DAY, cleared={"installs": HOUR}).action
        != "pause"
    )


def test_a_car_that_does_not_come_back_has_failed() -> None:
    rules = Rules(growth=HALVES, comparisons=(), guards=(InstallGuard(name="installs"),))
    cars = installed(200, pending=20, succeeded=60)
    assert stands(rules, cars, HOUR + DAY, steps=(0,)).counts["silent"] == 0
    late = stands(rules, cars, HOUR + DAY + 1, steps=(0,))
    assert (late.action, late.counts["silent"]) == ("pause", 20)
    assert "20 silent" in named(late, "installs").text
    heard = replace(cars, seen=np.full(200, 2 * DAY, dtype=np.int64))
    assert stands(rules, heard, 2 * DAY, steps=(0,)).counts["silent"] == 0
    polls = replace(cars, seen=np.full(200, 8 * DAY, dtype=np.int64))
    assert stands(rules, polls, 8 * DAY, steps=(0,)).counts["silent"] == 20


def test_who_declines_has_not_failed() -> None:
    rules = Rules(growth=HALVES, comparisons=(), guards=(InstallGuard(name="installs"),))
    decision = stands(rules, installed(200, declined=60, succeeded=30), 2 * DAY, steps=(0,))
    assert (named(decision, "installs").sample, decision.counts["declined"]) == (30, 60)


def test_a_safety_event_holds_and_then_ends_the_rollout_unless_cleared() -> None:
    rules = Rules(growth=HALVES, comparisons=(), guards=(SafetyGuard(name="safety"),))
    cars = installed(20, succeeded=5)
    health = reports([(2, 5 * HOUR)], "crash")
    held = stands(rules, cars, 26 * HOUR, health, steps=(0,))
    assert (held.action, held.reason, held.until) == ("hold", "triage", 29 * HOUR)
    assert stands(rules, cars, 29 * HOUR, health, steps=(0,)).action == "abort"
    cleared = stands(rules, cars, 29 * HOUR, health, steps=(0,), cleared={"safety": 6 * HOUR})
    assert cleared.action == "advance"
    assert named(cleared, "safety").events == 1
    at_once = Rules(
        growth=HALVES, comparisons=(), guards=(SafetyGuard(name="s", triage_s=0, action="pause"),)
    )
    assert stands(at_once, cars, 5 * HOUR, health, steps=(0,)).action == "pause"
    # Cars that have not begun to install crash, too.
    assert stands(rules, cars, 26 * HOUR, reports([(15, 5 * HOUR)], "crash"), steps=(0,)).action == "advance"


def test_a_rate_without_a_control() -> None:
    rate = RateGuard(name="takeovers", signals=("driver_override",), threshold=2.0, assisted=True)
    rules = Rules(growth=HALVES, comparisons=(), guards=(rate,))
    cars = installed(20, succeeded=10)
    rows = [(car, hour * HOUR) for hour in range(3, 13) for car in range(10)]

    def driven(metres: int, events: int) -> Decision:
        health = reports(
            rows,
            "driver_override",
            window=HOUR,
            count=np.array([5 * (row < events) for row in range(100)], dtype=np.int32),
            exposure_m=np.full(100, 60_000),
            assisted_m=np.full(100, metres),
        )
        return stands(rules, cars, 14 * HOUR, health, steps=(0,))

    assert driven(50_000, 30).action == "pause"
    assert named(driven(50_000, 30), "takeovers").value == 6.0
    assert driven(50_000, 10).action == "hold"
    few = driven(5_000, 30)
    assert (few.action, few.findings[0].sample) == ("hold", 500)
    assert "too few" in few.findings[0].text


def test_a_paused_rollout_stays_paused_and_may_still_end() -> None:
    rules = Rules(growth=HALVES, comparisons=(), guards=(SafetyGuard(name="safety", triage_s=0),))
    cars = installed(20, succeeded=5)
    paused = stands(rules, cars, 2 * DAY, steps=(0,), paused="Li asked for a pause")
    assert (paused.action, paused.reason, paused.text) == ("hold", "paused", "Li asked for a pause")
    crash = reports([(2, 5 * HOUR)], "crash")
    assert stands(rules, cars, 2 * DAY, crash, paused="x").action == "abort"


def test_names_differ_and_signals_are_of_the_closed_list() -> None:
    for content in (
        {
            "comparisons": [{"name": "a", "signals": ["trouble_code"]}],
            "guards": [{"kind": "install", "name": "a"}],
        },
        {"comparisons": [{"name": "a", "signals": ["noise"]}]},
        {"guards": [{"kind": "rate", "name": "a", "signals": ["crash"]}]},
        {"alpha": 0.9},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(content, Rules)
    assert msgspec.convert(msgspec.to_builtins(Rules()), Rules) == Rules()
