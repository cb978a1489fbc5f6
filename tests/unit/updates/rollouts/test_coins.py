"""Coins: fair by the random order alone, whatever the cars are like and however late they report."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.rollouts.coins import Events, events_by_cars, events_by_distance
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Health
from driveaway.updates.rollouts.counting import counted_before
from driveaway.updates.rollouts.evidence import Bets
from tests.unit.updates.rollouts.fleet import HOUR, fleet, opened, reports

TROUBLE = ("trouble_code",)
WHOLE = st.integers(0, 9)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-7, 7)), max_size=40))
def test_pairs_are_counted(rows: list[tuple[int, int]]) -> None:
    values, bounds = (np.array([row[side] for row in rows], dtype=np.int64) for side in (0, 1))
    expected = [sum(value <= bounds[k] for value in values[:k]) for k in range(len(rows))]
    assert counted_before(values, bounds).tolist() == expected


def plainly(cars: Cars, health: Health, started: int, settling: int, window: int) -> list[tuple[bool, float]]:
    """What ``events_by_cars`` says, car by car."""
    strata, out, seen = cars.strata(started), [], set()

    def arm(car: int, a: int, b: int) -> bool | None:
        entered = int(cars.opened[car])
        if entered != NEVER and entered + settling <= a:
            return True
        return False if cars.joined[car] <= b and entered >= max(b, a + 1) else None

    for row in range(len(health)):
        car, a, b = int(health.car[row]), int(health.start[row]), int(health.end[row])
        key = (a - started) // window if window else 0
        if not health.count[row] or a < started or b < cars.joined[car] or (car, key) in seen:
            continue
        pool = [
            arm(other, a, b)
            for other in range(len(cars))
            if strata[other] == strata[car] and (other, key) not in seen
        ]
        seen.add((car, key))
        mine = arm(car, a, b)
        if mine is not None:
            out.append((mine, pool.count(True) / (pool.count(True) + pool.count(False))))
    return out


@settings(max_examples=150)
@given(
    cars=st.lists(st.tuples(st.integers(0, 2), WHOLE, WHOLE | st.none()), min_size=1, max_size=12),
    rows=st.lists(st.tuples(st.integers(0, 11), WHOLE, st.integers(0, 3), st.integers(0, 2)), max_size=25),
    started=st.integers(0, 3),
    settling=st.integers(0, 2),
    window=st.sampled_from([0, 3]),
)
def test_columns_say_what_a_count_car_by_car_says(
    cars: list[tuple[int, int, int | None]],
    rows: list[tuple[int, int, int, int]],
    started: int,
    settling: int,
    window: int,
) -> None:
    joined = np.array([SECOND * (late if late > 6 else 0) for _, late, _ in cars], dtype=np.int64)
    at = [NEVER if each is None else each * SECOND for _, _, each in cars]
    known = fleet(
        len(cars),
        segment=np.array([segment for segment, _, _ in cars], dtype=np.int32),
        joined=joined,
        opened=np.maximum(joined, np.array(at, dtype=np.int64)),
    )
    rows = [row for row in rows if row[0] < len(cars)]
    health = reports(
        [(car, start * SECOND) for car, start, _, _ in rows],
        end=np.array([(start + length) * SECOND for _, start, length, _ in rows], dtype=np.int64),
        landed=np.arange(len(rows), dtype=np.int64),
        count=np.array([count for _, _, _, count in rows], dtype=np.int32),
    )
    found = events_by_cars(
        known, health, TROUBLE, started=started * SECOND, settling_s=settling, window_s=window
    )
    expected = plainly(known, health, started * SECOND, settling * SECOND, window * SECOND)
    assert found.coins.opened.tolist() == [fell for fell, _ in expected]
    assert found.coins.share.tolist() == pytest.approx([share for _, share in expected])


# Cars that are nothing alike: one has most of the events, one none, one reports days late.
EVENTS = [(0, 1), (0, 2), (1, 2), (0, 3), (2, 4), (0, 5), (3, 5), (1, 6), (0, 7), (4, 1)]


def final(order: tuple[int, ...], events: list[tuple[int, int]], settling: int = 0) -> Events:
    cars = fleet(len(order), opened=opened(len(order), {1: 0, 2: 2 * HOUR, 4: 5 * HOUR})[list(order)])
    landed = np.arange(len(events), dtype=np.int64)
    health = reports([(car, at * HOUR) for car, at in events], landed=landed)
    return events_by_cars(cars, health, TROUBLE, started=0, settling_s=settling)


@pytest.mark.parametrize("settling", [0, 3600])
def test_without_harm_the_mean_over_all_orders_is_one_whatever_the_cars_are_like(settling: int) -> None:
    # The randomisation law, exactly: events do not depend on the order, and all orders are as likely.
    wealth, stopped = [], []
    for order in permutations(range(6)):
        _, path = Bets.start(1.0, (3.0, 20.0)).after(final(order, EVENTS, settling).coins)
        wealth.append(np.exp(path[-1]))
        over = np.flatnonzero(path > np.log(2))
        stopped.append(np.exp(path[over[0]] if len(over) else path[-1]))
    assert np.mean(wealth) == pytest.approx(1, rel=1e-9)
    assert np.mean(stopped) == pytest.approx(1, rel=1e-9)
    assert max(wealth) > 2


def test_repeated_events_of_a_car_are_not_evidence() -> None:
    once = final((0, 1, 2, 3, 4, 5), [(0, 1), (3, 6)])
    often = final((0, 1, 2, 3, 4, 5), [(0, 1), (0, 2), (0, 3), (3, 6), (0, 7)])
    assert once.coins.opened.tolist() == often.coins.opened.tolist() == [True, True]
    assert once.coins.share.tolist() == often.coins.share.tolist() == pytest.approx([1 / 6, 3 / 5])


def test_late_joiners_are_compared_with_one_another() -> None:
    cars = fleet(4, joined=[0, 0, HOUR, HOUR], opened=[0, NEVER, HOUR, NEVER])
    found = events_by_cars(cars, reports([(2, 2 * HOUR), (0, 3 * HOUR)]), TROUBLE, started=0)
    assert found.coins.share.tolist() == [0.5, 0.5]
    assert cars.strata(0).tolist() == [0, 0, 1, 1]


def test_a_window_in_which_a_car_was_opened_counts_on_neither_side() -> None:
    cars = fleet(3, opened=[HOUR, NEVER, NEVER])
    health = reports([(0, 0), (1, 2 * HOUR)], window=2 * HOUR)
    found = events_by_cars(cars, health, TROUBLE, started=0)
    assert found.coins.opened.tolist() == [False]
    assert found.coins.share.tolist() == [0.0]


def test_by_distance_metres_are_what_counts() -> None:
    cars = fleet(3, opened=[0, NEVER, NEVER])
    rows = [(car, at * HOUR) for at in (0, 1) for car in range(3)]
    health = reports(rows, window=HOUR, count=[1, 0, 0, 1, 1, 0], exposure_m=[300, 100, 100, 900, 50, 50])
    found = events_by_distance(cars, health, TROUBLE, started=0, now=8 * HOUR)
    # The first car's second window comes after its first event: neither its event nor its metres count.
    assert found.coins.opened.tolist() == [True, False]
    assert found.coins.share.tolist() == pytest.approx([0.6, 0.0])
    assert found.known.tolist() == [7 * HOUR, 8 * HOUR]
    early = events_by_distance(cars, health, TROUBLE, started=0, now=8 * HOUR - 1)
    assert len(early.coins) == 1
    assisted = replace(health, assisted_m=np.array([10, 30, 0, 0, 0, 0]))
    found = events_by_distance(cars, assisted, TROUBLE, started=0, now=9 * HOUR, assisted=True)
    assert found.coins.share.tolist() == [0.25]


def test_metres_count_once_for_a_window_with_two_signals() -> None:
    cars = fleet(2, opened=[0, NEVER])
    trouble = reports([(0, 0), (1, 0)], window=HOUR, count=[1, 0], exposure_m=[100, 300])
    brakes = reports([(0, 0), (1, 0)], "emergency_braking", window=HOUR, count=[0, 1], exposure_m=[100, 300])
    both = Health(
        **{name: np.concatenate((getattr(trouble, name), getattr(brakes, name))) for name in Health.__slots__}
    )
    signals = ("trouble_code", "emergency_braking")
    found = events_by_distance(cars, both, signals, started=0, now=9 * HOUR)
    assert sorted(found.coins.share.tolist()) == [0.25, 0.25]


def test_reports_stand_in_the_order_of_landing_and_columns_fit() -> None:
    with pytest.raises(ValueError, match="order in which"):
        reports([(0, 0), (0, 0)], landed=[2, 1])
    with pytest.raises(ValueError, match="shape"):
        fleet(3, opened=[1])
