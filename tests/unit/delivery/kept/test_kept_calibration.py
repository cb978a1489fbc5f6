"""Promises learned from history, day by day."""

from __future__ import annotations

from dataclasses import replace
from math import e, inf
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.delivery.kept.calibration import (
    AdaptiveLevel,
    History,
    Method,
    adapted_level,
    replay,
    wait_bounds,
)
from driveaway.values.errors import BadValue

FEW = Method(least=3)


def drifting(seed: int, days: int = 700, each: int = 6) -> History:
    """Orders of three regions; waits swing by 40% over the year, and jump by half on day 400."""
    random = np.random.default_rng(seed)
    started = np.sort(random.uniform(0, days, days * each))
    group = random.integers(0, 3, len(started))
    middle = (
        np.array([6.0, 8.0, 14.0])[group] * (1 + 0.4 * np.sin(started / 58)) * np.where(started > 400, 1.5, 1)
    )
    waits = middle * random.lognormal(0, 0.4, len(started))
    return History(started, started + waits, np.full(len(started), inf), group)


def kept(history: History, wait: np.ndarray, since: float = 60) -> float:
    made = np.isfinite(wait) & (history.started > since)
    return float((history.delivered <= history.started + wait)[made].mean())


def test_drifting_waits_are_promised_as_wanted() -> None:
    history = drifting(1)
    for level in (0.8, 0.9):
        promised = replay(history, Method(level=level))
        assert kept(history, promised.wait) == pytest.approx(level, abs=0.015)
    # The groups are told apart, and each has its share.
    for group in range(3):
        of_group = np.where(history.group == group, promised.wait, np.nan)
        assert kept(history, of_group) == pytest.approx(0.9, abs=0.04)


def test_the_adaptive_step_makes_good_a_method_that_is_wrong() -> None:
    # A curve that remembers for years is too short after the jump: the step brings it back.
    history = drifting(3)
    slow = Method(memory=4000.0, load_power=0.0, corrected=False)
    alone = replay(history, replace(slow, gain=0.0))
    stepped = replay(history, slow)
    assert kept(history, alone.wait, 420) < 0.82
    assert kept(history, stepped.wait, 460) > 0.86
    assert (alone.level[np.isfinite(alone.wait)] == 0.9).all()
    assert np.nanmax(stepped.level) <= 0.98


def test_late_feedback_brings_a_wrong_forecast_to_the_wanted_share() -> None:
    # A planner whose errors are twice as wide as it says, 20 promises a day, known after 25 days.
    random = np.random.default_rng(4)
    step, daily, delay, flying, hits = AdaptiveLevel(0.8), 20, 25, [], []
    for day in range(1500):
        if day >= delay:
            for place, missed in enumerate(flying[day - delay]):
                step.settle(missed, delay * daily - place)
        bound = NormalDist().inv_cdf(step.level)
        errors = 1.3 * random.standard_normal(daily)
        flying.append((errors > bound).tolist())
        hits.append(np.mean(errors <= bound))
    assert np.mean(hits[:delay]) < 0.77
    assert np.mean(hits[300:]) == pytest.approx(0.8, abs=0.01)
    assert np.std(np.convolve(hits[300:], np.ones(100) / 100, "valid")) < 0.02  # and does not swing


def test_one_step_by_hand() -> None:
    step = AdaptiveLevel(0.9)
    step.settle(True, 100)
    assert step.level == pytest.approx(0.9 + 0.9 / (100 * e))
    step.settle(False, 100)
    assert step.level == pytest.approx(0.9 + 0.8 / (100 * e))
    for _ in range(1000):
        step.settle(True, 1)
    assert step.level == pytest.approx(0.98)
    for _ in range(10_000):
        step.settle(False, 1)
    assert step.level == pytest.approx(0.8)


def test_the_level_from_a_record_of_promises() -> None:
    given_on = np.array([0.0, 0.0, 1.0, 2.0])
    due = np.array([5.0, 3.0, 4.0, 6.0])
    missed = np.array([True, False, False, True])
    step = AdaptiveLevel(0.9)
    for miss, flying in ((False, 4), (False, 3), (True, 2), (True, 1)):
        step.settle(miss, flying)
    assert adapted_level(0.9, given_on, due, missed) == pytest.approx(step.level)
    assert adapted_level(0.9, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool)) == 0.9


def test_open_orders_are_not_forgotten() -> None:
    # Ten orders delivered after 2 days; ten that began with them still wait on day 30.
    started = np.concatenate([np.zeros(20), [30.0]])
    delivered = np.concatenate([np.full(10, 2.0), np.full(10, inf), [32.0]])
    history = History(started, delivered, np.full(21, inf), np.zeros(21, dtype=np.int64))
    assert wait_bounds(history, 30, 0.5, replace(FEW, corrected=False), 1) == pytest.approx([2])
    assert wait_bounds(history, 30, 0.9, FEW, 1).tolist() == [inf]
    assert np.isnan(wait_bounds(history, 1, 0.5, FEW, 1)).all()  # nothing is known yet
    assert np.isnan(replay(history, FEW).wait).all()  # and no promise is given that is not reached
    # Called off on day 3, they no longer wait: what is known of them is three days.
    gone = replace(history, left=np.where(np.isinf(delivered), 3.0, inf))
    assert wait_bounds(gone, 30, 0.5, replace(FEW, corrected=False), 1) == pytest.approx([2])


def test_bad_input() -> None:
    fine = drifting(5, days=3)
    with pytest.raises(BadValue, match="end before they start"):
        replace(fine, delivered=fine.started - 1)
    with pytest.raises(BadValue, match="differ in length"):
        replace(fine, left=fine.left[1:])
    with pytest.raises(BadValue, match="negative"):
        replace(fine, group=fine.group - 1)
    for wrong in ({"level": 1.0}, {"memory": 0.0}, {"gain": -1.0}, {"load_power": 2.0}):
        with pytest.raises(BadValue):
            Method(**wrong)  # type: ignore[arg-type]
    nobody = History(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    assert len(replay(nobody, Method()).wait) == 0


def lively(seed: int) -> History:
    """Some 150 orders in 40 days, one of eight called off; short waits, so that many promises settle."""
    random = np.random.default_rng(seed)
    started = random.uniform(0, 40, int(random.integers(100, 200)))
    ends = started + random.exponential(random.uniform(1, 6), len(started))
    leaves = random.random(len(started)) < 0.125
    group = random.integers(0, 3, len(started))
    return History(started, np.where(leaves, inf, ends), np.where(leaves, ends, inf), group)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 38), st.sampled_from([0.3, 0.6, 0.9]))
def test_the_future_never_changes_an_earlier_promise(seed: int, day: int, level: float) -> None:
    history = lively(seed)
    method = replace(FEW, level=level, gain=2.0)  # large steps: what is learned too early is seen
    random = np.random.default_rng(seed + 1)

    def other(times: np.ndarray) -> np.ndarray:
        """What happens from that day on happens otherwise, or never."""
        later = np.maximum(day, history.started) + random.exponential(10, len(times))
        return np.where(times >= day, np.where(random.random(len(times)) < 0.3, inf, later), times)

    before = history.started < day + 1  # of the day itself, too: its promises are made at its beginning
    keep = before | (random.random(len(before)) < 0.5)
    delivered, left = other(history.delivered), other(history.left)
    changed = History(history.started[keep], delivered[keep], left[keep], history.group[keep])
    first, second = replay(history, method), replay(changed, method)
    for one, two in ((first.wait, second.wait), (first.level, second.level), (first.load, second.load)):
        np.testing.assert_array_equal(one[before], two[before[keep]])


@pytest.mark.parametrize(
    ("left", "level"), [(inf, 0.9 + 0.9 / (10 * e)), (15.5, 0.9 + 0.9 / (10 * e)), (12.0, 0.9)]
)
def test_a_promise_settles_when_its_date_passes_unless_its_order_left(left: float, level: float) -> None:
    # 200 orders took two days each; the next is promised two days and never comes. At the beginning of
    # day 13 its date has passed, and it is the first that has.
    started = np.concatenate([np.zeros(200), [10.5, 11.0, 12.0, 13.0]])
    delivered = np.concatenate([np.full(200, 2.0), [inf] * 4])
    leaves = np.concatenate([np.full(200, inf), [left, inf, inf, inf]])
    history = History(started, delivered, leaves, np.zeros(204, dtype=np.int64))
    made = replay(history, Method(least=10, load_power=0, level=0.9))
    assert made.wait[200:].tolist() == [2, 2, 2, 2]
    assert made.level[200:203].tolist() == [0.9, 0.9, 0.9]
    assert made.level[203] == pytest.approx(level)
