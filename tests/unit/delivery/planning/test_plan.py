"""What every plan keeps: capacities, turns, frozen slots, promises."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import Bounds, LinearConstraint, milp

from driveaway.delivery.planning.plan import make_plan
from driveaway.delivery.planning.problem import NO_DAY, Demand, Supply
from driveaway.delivery.planning.signatures import ranks
from driveaway.values.errors import BadValue
from tests.unit.delivery.planning.cases import DAY, MONDAY, demand_of, limit_of, line_of, problems, region_of

FEW = {"paths": 8, "confidences": (0.5, 0.9)}


def within_capacity(plan, supply: Supply, demand: Demand) -> None:
    days = supply.days
    counted = plan.slot < days
    for day in range(days):
        mine = demand.configuration[counted & (plan.slot == day)]
        # Hall: whatever only some lines can build fits into these lines together.
        for size in range(1, len(supply.lines) + 1):
            for chosen in combinations(supply.lines, size):
                others = [line for line in supply.lines if not any(line is one for one in chosen)]
                elsewhere = np.any([line.builds for line in others], axis=0) if others else False
                only = ~np.broadcast_to(elsewhere, len(demand.configurations))
                assert only[mine].sum() <= sum(line.output[day] for line in chosen)
    for limit in supply.limits:
        used = np.bincount(plan.slot[counted & limit.covers[demand.configuration]], minlength=days)
        if limit.period == "day":
            assert (used <= limit.amount).all()
        else:
            assert (np.cumsum(used) <= np.cumsum(limit.amount)).all()


def in_turn(plan, demand: Demand) -> bool:
    """First come, first served in each configuration and priority, without those listed."""
    order, _ = ranks(demand)
    kept = order[~np.isin(order, plan.out_of_turn.order)]
    for configuration in range(len(demand.configurations)):
        for priority in np.unique(demand.priority):
            same = (demand.configuration[kept] == configuration) & (demand.priority[kept] == priority)
            if (np.diff(np.minimum(plan.slot[kept[same]], 10_000)) < 0).any():
                return False
    return True


@settings(deadline=None, max_examples=60)
@given(problems())
def test_an_earlier_lock_never_gets_a_later_slot(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, **FEW)
    within_capacity(plan, supply, demand)
    assert not len(plan.out_of_turn.order)
    assert in_turn(plan, demand)


@settings(deadline=None, max_examples=60)
@given(problems(promises=True, releases=True))
def test_whoever_is_out_of_turn_is_listed(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, **FEW)
    within_capacity(plan, supply, demand)
    assert in_turn(plan, demand)
    assert (plan.slot[demand.ready > 0] >= demand.ready[demand.ready > 0]).all()
    for order, reason in zip(plan.out_of_turn.order, plan.out_of_turn.reason, strict=True):
        said = {"promised window": demand.committed[order] != NO_DAY, "not ready": demand.ready[order] > 0}
        assert said[reason]


@settings(deadline=None, max_examples=40)
@given(problems(frozen=True))
def test_frozen_slots_are_kept(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, **FEW)
    buildable = np.isin(np.arange(len(demand)), plan.unplannable, invert=True)
    frozen = buildable & (demand.slot < supply.days)
    np.testing.assert_array_equal(plan.slot[frozen], demand.slot[frozen])
    assert in_turn(plan, demand)
    if not plan.overfull.any() and not supply.limits:
        within_capacity(plan, supply, demand)


@settings(deadline=None, max_examples=40)
@given(problems(promises=True))
def test_an_unchanged_input_moves_nobody(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, **FEW)
    again = make_plan(demand, supply, previous=plan, **FEW)
    np.testing.assert_array_equal(plan.slot, again.slot)


def least_breach(demand: Demand, supply: Supply, days: int) -> float:
    """Fewest days of breach that any assignment of orders to lines and days has."""
    columns = [
        (order, nth, day)
        for order in range(len(demand))
        for nth, line in enumerate(supply.lines)
        for day in range(days)
        if line.builds[demand.configuration[order]]
    ]
    table = np.array(columns).reshape(-1, 3)
    due = np.where(demand.committed < days, demand.committed, days)
    late = np.maximum(np.arange(days + 1)[None] - due[:, None], 0)
    gain = late[table[:, 0], table[:, 2]] - late[table[:, 0], -1]
    rows = [table[:, 0] == order for order in range(len(demand))]
    bounds: list[float] = [1] * len(demand)
    for day in range(days):
        for nth, line in enumerate(supply.lines):
            rows.append((table[:, 1] == nth) & (table[:, 2] == day))
            bounds.append(line.output[day])
        for limit in supply.limits:
            using = limit.covers[demand.configuration[table[:, 0]]]
            kept = limit.period == "arrivals"
            rows.append(using & ((table[:, 2] <= day) if kept else (table[:, 2] == day)))
            bounds.append(limit.amount[: day + 1].sum() if kept else limit.amount[day])
    answer = milp(
        gain,
        integrality=np.ones(len(gain)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.array(rows, float), -np.inf, bounds),
        options={"mip_rel_gap": 0.0},
    )
    missed = late[:, -1].sum() - late[np.isin(np.arange(len(demand)), table[:, 0], invert=True), -1].sum()
    return float(answer.fun + missed)


@settings(deadline=None, max_examples=60)
@given(problems(promises=True, days=(3, 12), most=12))
def test_no_promise_is_broken_that_some_plan_keeps(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, **FEW)
    assert plan.breaches.days.sum() - plan.breaches.days[
        np.isin(plan.breaches.order, plan.unplannable)
    ].sum() == (pytest.approx(least_breach(demand, supply, supply.days), abs=1e-6))


def test_a_cancelled_orders_slot_goes_to_the_next_of_its_kind() -> None:
    supply = Supply(MONDAY, 10, (line_of(2, 10, 2),))
    demand = demand_of([0, 1, 0, 1, 0, 1, 0, 1])
    before = make_plan(demand, supply, **FEW)
    np.testing.assert_array_equal(before.slot, [0, 0, 1, 1, 2, 2, 3, 3])
    # The first has cancelled; slots of the first two days are frozen.
    kept = np.arange(1, 8)
    frozen = np.where(before.slot < 2, before.slot, NO_DAY)[kept]
    left = demand_of(
        demand.configuration[kept], locked=demand.locked[kept], order_ids=demand.order_ids[kept], slot=frozen
    )
    after = make_plan(left, supply, previous=before, **FEW)
    np.testing.assert_array_equal(after.slot, [0, 1, 1, 0, 2, 2, 3])
    assert after.out_of_turn.order.tolist() == [1]
    assert after.out_of_turn.reason == ("frozen slot",)


def test_a_day_later_few_move() -> None:
    random = np.random.default_rng(3)
    covers = [True, False, True]
    supply = Supply(MONDAY, 60, (line_of(20, 60, 3),), (limit_of(5, 60, covers),))
    demand = demand_of(random.integers(0, 3, 900))
    before = make_plan(demand, supply, **FEW)
    gone = random.random(900) < 0.01
    kept = np.flatnonzero(~gone & (before.slot > 0))
    rest = demand_of(demand.configuration[kept], locked=demand.locked[kept], order_ids=demand.order_ids[kept])
    tomorrow = Supply(MONDAY + 1, 59, (line_of(20, 59, 3),), (limit_of(5, 59, covers),))
    after = make_plan(rest, tomorrow, previous=before, **FEW)
    assert after.master.way == "previous plan"
    was = before.slot[kept] - 1
    assert (np.minimum(after.slot, 100) <= np.minimum(was, 100)).all()
    # Nine cancellations move the last of the queue by less than a day's cars, and few across a day.
    assert ((after.slot != was) & (was < 59)).sum() < 0.4 * len(kept)


def test_an_order_that_no_line_builds_stops_nobody_else() -> None:
    supply = Supply(MONDAY, 5, (line_of(1, 5, 2, builds=[True, False]),))
    plan = make_plan(demand_of([1, 0, 1, 0]), supply, **FEW)
    assert plan.unplannable.tolist() == [0, 2]
    assert plan.slot.tolist() == [NO_DAY, 0, NO_DAY, 1]
    assert (plan.promises.built[:, 0] == NO_DAY).all()


def test_nothing_is_made_up_without_capacity() -> None:
    plan = make_plan(demand_of([0, 0]), Supply(MONDAY, 5, (line_of(0, 5),)), **FEW)
    assert (plan.slot == NO_DAY).all()
    assert (plan.promises.handed == NO_DAY).all()
    assert plan.built.total_bands.max() == 0


def test_nobody_ordered() -> None:
    plan = make_plan(demand_of([], kinds=1), Supply(MONDAY, 5, (line_of(3, 5),)), **FEW)
    assert plan.weekly.built.sum() == 0
    assert plan.quote(0).built.tolist() == [0, 0]


def test_one_instant_for_all_locks_goes_by_order_id() -> None:
    size = 50_000
    ids = np.array([f"O-{nth:08d}" for nth in np.random.default_rng(1).permutation(size)])
    demand = demand_of(np.zeros(size, int), order_ids=ids, locked=np.full(size, MONDAY * DAY - DAY))
    plan = make_plan(demand, Supply(MONDAY, 10, (line_of(1_000, 10),)), **FEW)
    np.testing.assert_array_equal(plan.place[np.argsort(ids)], np.arange(1, size + 1))
    np.testing.assert_array_equal(plan.slot[np.argsort(ids)][:10_000], np.arange(10_000) // 1_000)


def test_a_lock_of_tomorrow_is_not_built_today() -> None:
    demand = demand_of([0, 0], locked=[(MONDAY + 2) * DAY, (MONDAY + 3) * DAY])
    plan = make_plan(demand, Supply(MONDAY, 6, (line_of(5, 6),)), **FEW)
    assert plan.slot.tolist() == [2, 3]


def test_handovers_queue_first_come() -> None:
    region = region_of([0, 0, 1.0], "11", np.full(20, 1.0))
    supply = Supply(MONDAY, 20, (line_of(3, 20),), regions=(region, region_of([0, 1.0], "12")))
    plan = make_plan(demand_of([0] * 7, region=[0, 0, 0, 0, 1, 0, 0]), supply, **FEW)
    assert plan.slot.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert plan.handed.tolist() == [2, 3, 4, 5, 2, 6, 7]
    # Dates at confidences are those of the day's last car, and of the region's share of each day.
    assert plan.promises.handed[0, 4] == 2
    apart = plan.promises.handed[0] - plan.handed
    assert apart.min() >= 0
    assert apart.max() <= 2
    assert plan.delivered.total_bands.max() == pytest.approx(7, abs=1e-3)


def test_a_region_that_queues_says_what_one_more_handover_spares() -> None:
    region = region_of([1.0], "11", np.full(21, 1.0))
    plan = make_plan(
        demand_of([0] * 15, region=[0] * 15), Supply(MONDAY, 21, (line_of(3, 21),), regions=(region,))
    )
    waiting = [found for found in plan.binding if found.kind == "handovers"]
    # The last of 15 is handed over on day 14.
    assert [(found.name, found.week, found.car_days, found.cars) for found in waiting] == [
        ("11", 0, 14.0, 0.0),
        ("11", 1, 7.0, 0.0),
    ]


def test_a_car_already_built_has_only_its_way_left() -> None:
    supply = Supply(MONDAY, 9, (line_of(1, 9),), regions=(region_of([0, 0, 0.5, 0, 0.5], "11"),))
    plan = make_plan(
        demand_of([0, 0], slot=[-3, NO_DAY], region=[0, 0]), supply, confidences=(0.5, 0.9), paths=4
    )
    assert plan.slot.tolist() == [-3, 0]
    assert plan.promises.built[:, 0].tolist() == [-3, -3]
    # Three days on its way, of two or four: one is left.
    assert plan.promises.handed[:, 0].tolist() == [1, 1]
    assert plan.promises.handed[:, 1].tolist() == [2, 4]
    assert plan.delivered.mean.sum() == pytest.approx(2)


def test_a_lock_lies_in_its_local_day() -> None:
    # Locked at 20:00 UTC on Monday and Tuesday: in Shanghai it was the next morning.
    locked = (MONDAY + np.array([0, 1])) * DAY + DAY * 20 // 24
    demand = demand_of([0, 0], locked=locked)
    supply = Supply(MONDAY, 6, (line_of(1, 6),))
    assert make_plan(demand, supply, **FEW).slot.tolist() == [0, 1]
    local = replace(demand, locked_on=np.array([MONDAY + 1, MONDAY + 2]))
    plan = make_plan(local, supply, **FEW)
    assert plan.slot.tolist() == [1, 2]
    # A buyer who asks on Monday stands before both.
    assert plan.quote(0).ahead == 0
    with pytest.raises(BadValue):
        make_plan(replace(demand, locked_on=np.array([MONDAY])), supply, **FEW)
