"""Waiting times learned while orders are open."""

from __future__ import annotations

from math import ceil, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.delivery.kept.load import load
from driveaway.delivery.kept.survival import kaplan_meier
from driveaway.values.errors import BadValue

WAITS = st.lists(st.integers(0, 30), min_size=1, max_size=40)


def test_an_example_by_hand() -> None:
    # Six orders: ended after 1, 3, 3 and 5 days; still open after 2 and 4.
    waits = np.array([3.0, 1.0, 2.0, 5.0, 3.0, 4.0])
    ended = np.array([True, True, False, True, True, False])
    curve = kaplan_meier(waits, ended)
    assert curve.times.tolist() == [1, 3, 5]
    # 6 at risk: 5/6; then 4 at risk of whom 2 end: 5/6 × 2/4; then the last one.
    assert curve.waiting == pytest.approx([5 / 6, 5 / 12, 0])
    assert curve.orders == 4
    assert [curve.bound(level) for level in (0.1, 0.5, 0.58, 0.6, 0.99)] == [1, 3, 3, 5, 5]


def test_what_the_record_does_not_reach_is_not_promised() -> None:
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 3.0]), np.array([True, True, False, False]))
    assert curve.bound(0.5) == 2
    assert curve.bound(0.51) == inf
    # Half is reached and the raised half is not: the longest wait seen.
    assert curve.bound(0.5, corrected=True) == 2
    assert kaplan_meier(np.array([3.0]), np.array([False])).bound(0.1) == inf
    assert kaplan_meier(np.zeros(0), np.zeros(0, dtype=bool)).bound(0.1) == inf


def test_an_order_cannot_end_before_it_starts() -> None:
    for wait in (-1.0, np.nan):
        with pytest.raises(BadValue, match="negative"):
            kaplan_meier(np.array([2.0, wait]), np.array([True, True]))


@given(WAITS, st.floats(0.01, 0.99))
def test_without_open_orders_it_is_the_order_statistic(waits: list[int], level: float) -> None:
    curve = kaplan_meier(np.array(waits, dtype=float), np.ones(len(waits), dtype=bool))
    ranked, count = sorted(waits), len(waits)
    for time, left in zip(curve.times, curve.waiting, strict=True):
        assert left == pytest.approx(sum(wait > time for wait in waits) / count)
    assert curve.bound(level) == ranked[ceil(level * count - 1e-9) - 1]
    # Split conformal prediction's rank; the longest where the sample is too small for it.
    rank = min(ceil(level * (count + 1) - 1e-9), count)
    assert curve.bound(level, corrected=True) == ranked[rank - 1]


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 3)), min_size=1, max_size=30))
def test_a_weight_is_so_many_orders_and_every_step_follows_the_definition(
    orders: list[tuple[int, bool, int]],
) -> None:
    waits, ended, weights = (np.array(column) for column in zip(*orders, strict=True))
    curve = kaplan_meier(waits.astype(float), ended, weights.astype(float))
    repeated = [(wait, end) for wait, end, weight in orders for _ in range(weight)]
    left, steps = 1.0, []
    for time in sorted({wait for wait, end in repeated if end}):
        at_risk = sum(wait >= time for wait, _ in repeated)
        left *= 1 - sum(wait == time and end for wait, end in repeated) / at_risk
        steps.append((time, left))
    assert curve.times.tolist() == [time for time, _ in steps]
    assert curve.waiting == pytest.approx([share for _, share in steps], abs=1e-12)


def test_the_load_is_as_usual_then_doubles() -> None:
    # Two orders a day, each open for ten days; from day 100 on four a day, and still two go out.
    days = np.arange(140)
    started = np.concatenate([days, days, np.arange(100, 140), np.arange(100, 140)]) + 0.5
    closed = np.concatenate([days + 10.5, days + 10.5, np.full(80, np.inf)])
    by_day = load(started, closed, 90, 130)
    assert by_day[:11] == pytest.approx(1)  # nothing of day 100 is known at its beginning
    backlog = [20 + 2 * k for k in range(1, 31)]
    assert by_day[11:] == pytest.approx(
        [(b + 1) / 21 if k < 28 else by_day[11 + k] for k, b in enumerate(backlog)]
    )
    assert load(np.zeros(0), np.zeros(0), 5, 8) == pytest.approx(1)
