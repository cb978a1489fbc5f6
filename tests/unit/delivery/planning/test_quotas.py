"""Quotas by signature have the optimum of the program that plans order by order."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from driveaway.delivery.planning import quotas
from driveaway.delivery.planning.capacity import calendar, expected, in_whole_cars
from driveaway.delivery.planning.problem import NO_DAY
from driveaway.delivery.planning.queue import groups, queue
from driveaway.delivery.planning.quotas import BREACH, Groups, solve, worth
from driveaway.delivery.planning.repair import room, schedule
from driveaway.delivery.planning.signatures import lead_groups, ranks, signatures, timing
from tests.unit.delivery.planning.cases import problems


def prepared(demand, supply, buckets=3):
    found, cal = signatures(demand, supply), calendar(supply)
    times = timing(demand, supply, lead_groups(demand, supply))
    order, _ = ranks(demand)
    signature = found.of[demand.configuration]
    due = np.where(times.due < cal.days, times.due, NO_DAY)
    line = queue(signature >= 0, order, signature, times.release, due, demand.priority, len(found), buckets)
    capacity = in_whole_cars(expected(supply, found, cal), supply, cal)
    return line, capacity, found, cal


def order_by_order(line, weekly, found, cal):
    """One binary for each order, pool and week."""
    weeks = cal.weeks
    columns, gain, never = [], [], 0.0
    heaviest = line.weight.max()
    for nth in range(len(line)):
        late = np.zeros(weeks + 1)
        if line.due[nth] != NO_DAY:
            week = cal.week[line.due[nth]] if line.due[nth] >= 0 else line.due[nth] // 7
            late = np.maximum(np.arange(weeks + 1) - week, 0)
        price = line.weight[nth] * np.arange(weeks + 1) + BREACH * heaviest * late
        never += price[-1]
        for pool in np.flatnonzero(found.builds[line.signature[nth]]):
            for week in range(weeks):
                columns.append((nth, line.signature[nth], pool, week))
                gain.append(price[week] - price[-1])
    columns = np.array(columns).reshape(-1, 4)
    rows, bounds = [], []
    for nth in range(len(line)):
        rows.append(columns[:, 0] == nth)
        bounds.append(1)
    for week in range(weeks):
        for pool in range(found.pools):
            rows.append((columns[:, 2] == pool) & (columns[:, 3] == week))
            bounds.append(weekly.pools[pool, week])
        for limit in range(len(weekly.limits)):
            using = found.uses[columns[:, 1], limit]
            kept = weekly.kept[limit]
            rows.append(using & ((columns[:, 3] <= week) if kept else (columns[:, 3] == week)))
            bounds.append(weekly.limits[limit, : week + 1].sum() if kept else weekly.limits[limit, week])
        if weekly.released is not None:
            for s in range(len(found)):
                rows.append((columns[:, 1] == s) & (columns[:, 3] <= week))
                bounds.append(weekly.released[s, week])
    answer = milp(
        gain,
        integrality=np.ones(len(gain)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.array(rows, float), -np.inf, bounds),
        options={"mip_rel_gap": 0.0},
    )
    return answer.fun + never


@settings(deadline=None, max_examples=40)
@given(problems(promises=True, releases=True, most=12), st.integers(1, 4))
def test_the_optimum_is_that_of_one_variable_an_order(problem, buckets) -> None:
    line, capacity, found, cal = prepared(*problem, buckets)
    if not len(line):
        return
    weekly = room(line, capacity, found, cal)
    together = groups(line, cal.week, promises=True)
    exact = solve(together, weekly, found, integral=True)
    assert exact.proven
    assert exact.cost == pytest.approx(order_by_order(line, weekly, found, cal), abs=1e-5)
    assert solve(together, weekly, found).cost <= exact.cost + 1e-6


@settings(deadline=None, max_examples=25)
@given(problems(promises=True, releases=True))
def test_large_programs_are_solved_otherwise_to_the_same_optimum(problem) -> None:
    line, capacity, found, cal = prepared(*problem)
    if not len(line):
        return
    weekly, together = room(line, capacity, found, cal), groups(line, cal.week, promises=True)
    with patch.object(quotas, "_LARGE", -1):
        inside = solve(together, weekly, found)
    assert inside.cost == pytest.approx(solve(together, weekly, found).cost, rel=1e-7, abs=1e-6)
    assert inside.proven
    assert (inside.by_group.sum(axis=1) <= together.count + 1e-6).all()
    assert (inside.built.sum(axis=0) <= weekly.pools.sum(axis=0) + 1e-6).all()


@settings(deadline=None, max_examples=40)
@given(problems(promises=True))
def test_groups_are_all_orders_each_once(problem) -> None:
    line, _, found, cal = prepared(*problem)
    for promises in (False, True):
        made = groups(line, cal.week, promises=promises)
        assert made.count.sum() == len(line)
        alike = list(zip(made.signature.tolist(), made.weight.tolist(), made.due.tolist(), strict=True))
        assert len(set(alike)) == len(alike)
        weight = [float(line.weight[line.signature == s].sum()) for s in range(len(found))]
        found_weight = [
            float((made.weight * made.count)[made.signature == s].sum()) for s in range(len(found))
        ]
        assert found_weight == pytest.approx(weight)


@settings(deadline=None, max_examples=40)
@given(problems())
def test_the_bound_is_a_bound(problem) -> None:
    line, capacity, found, cal = prepared(*problem)
    master = schedule(line, capacity, found, cal)
    assert master.bound <= master.cost + 1e-6
    assert master.gap >= 0


@settings(deadline=None, max_examples=25)
@given(problems(days=(8, 20)), st.data())
def test_a_dual_price_is_what_a_unit_saves(problem, data) -> None:
    line, capacity, found, cal = prepared(*problem)
    weekly = room(line, capacity, found, cal)
    count = np.diff(line.start).astype(float)
    prices = worth(count, weekly, found)

    def built(pools) -> float:
        more = type(weekly)(pools, weekly.limits, weekly.kept, weekly.released)
        one = Groups(np.arange(len(count)), np.ones(len(count)), count, np.full(len(count), cal.weeks))
        never = np.zeros((len(count), cal.weeks + 1))
        never[:, -1] = 1
        return count.sum() - solve(one, more, found, price=never).cost

    pool = data.draw(st.integers(0, found.pools - 1))
    week = data.draw(st.integers(0, cal.weeks - 1))
    step = 1e-3
    up, down = weekly.pools.copy(), weekly.pools.copy()
    up[pool, week] += step
    now = built(weekly.pools)
    gained = (built(up) - now) / step
    # The price lies between what one more brings and what one less costs.
    lost = np.inf
    if down[pool, week] > 0:
        down[pool, week] -= step
        lost = (now - built(down)) / step
    assert gained - 1e-5 <= prices.pool_cars[pool, week] <= lost + 1e-5
