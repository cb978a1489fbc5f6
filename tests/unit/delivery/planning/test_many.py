"""Plans of very many orders, all alike to the clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driveaway.delivery.planning.plan import Plan, make_plan
from driveaway.delivery.planning.problem import NO_DAY, Configuration, Demand, Supply
from tests.unit.delivery.planning.cases import MONDAY, demand_of, limit_of, line_of, region_of

MILLION = 1_000_000
DAYS = 52 * 7


def _problem(size: int) -> tuple[Demand, Supply]:
    """So many orders of six configurations, locked in one microsecond, with ids in no order."""
    random = np.random.default_rng(7)
    digits = random.permutation(size)[:, None] // 10 ** np.arange(6, -1, -1) % 10
    letters = np.concatenate([np.broadcast_to([ord("O"), ord("-")], (size, 2)), digits + ord("0")], axis=1)
    demand = demand_of(
        random.integers(0, 6, size),
        order_ids=letters.astype(np.uint32).view("U9").reshape(-1),
        locked=np.full(size, (MONDAY - 3) * 86_400_000_000),
        priority=(random.random(size) > 0.05).astype(np.int64),
        region=random.integers(-1, 2, size),
        configurations=tuple(
            Configuration(trim, colour) for trim in "ab" for colour in ("red", "blue", "grey")
        ),
    )
    # Three quarters of the orders at most can be built within the horizon.
    daily = size * 0.75 / DAYS
    first = np.arange(6) < 3
    lines = (line_of(daily * 0.6, DAYS, 6, spread=0.1), line_of(daily * 0.4, DAYS, 6, "two", first))
    limits = (
        limit_of(daily * 0.2, DAYS, np.arange(6) % 3 == 0),
        limit_of(daily * 3, DAYS, first, "week", "pack"),
    )
    regions = (region_of([0, 0, 0.5, 0.5], "11"), region_of([0, 0, 0, 0, 0, 1], "31"))
    return demand, Supply(MONDAY, DAYS, lines, limits, regions)


@pytest.fixture(scope="module")
def planned() -> tuple[Plan, Demand]:
    demand, supply = _problem(MILLION)
    return make_plan(demand, supply, paths=40), demand


def test_one_million_orders_of_one_moment_all_get_a_plan(planned: tuple[Plan, Demand]) -> None:
    plan, _ = planned
    assert len(plan.slot) == MILLION
    assert not len(plan.unplannable)
    assert not len(plan.out_of_turn.order)
    assert (plan.signature >= 0).all()
    assert (plan.place >= 1).all()
    inside = plan.slot != NO_DAY
    assert ((plan.slot[inside] >= 0) & (plan.slot[inside] < DAYS)).all()
    assert 0.5 < inside.mean() <= 0.75
    # Who gets no date within the year at one confidence gets none at a higher one.
    assert plan.promises.handed.shape == (3, MILLION)
    late = (plan.promises.handed == NO_DAY).mean(axis=1)
    assert (np.diff(late) >= 0).all()
    assert (plan.promises.handed[0][plan.slot < DAYS // 2] != NO_DAY).all()


def test_their_ids_break_the_tie(planned: tuple[Plan, Demand]) -> None:
    plan, demand = planned
    for configuration in range(6):
        for priority in (0, 1):
            same = np.flatnonzero((demand.configuration == configuration) & (demand.priority == priority))
            by_id = same[np.argsort(demand.order_ids[same])]
            assert (np.diff(np.minimum(plan.slot[by_id], DAYS)) >= 0).all()
            assert (np.diff(plan.place[by_id]) > 0).all()


def test_the_order_in_which_they_are_read_changes_nothing(planned: tuple[Plan, Demand]) -> None:
    plan, demand = planned
    some = np.sort(np.random.default_rng(3).permutation(MILLION)[:30_000])
    shuffled = np.random.default_rng(4).permutation(some)

    def taken(rows: np.ndarray) -> Demand:
        names = ("order_ids", "locked", "priority", "configuration", "region", "committed", "slot", "ready")
        return replace(demand, **{name: getattr(demand, name)[rows] for name in names})

    first, second = (make_plan(taken(rows), plan.supply, paths=10) for rows in (some, shuffled))
    at = np.searchsorted(some, shuffled)
    assert (first.slot != NO_DAY).any()
    np.testing.assert_array_equal(second.slot, first.slot[at])
    np.testing.assert_array_equal(second.place, first.place[at])
    np.testing.assert_array_equal(second.promises.handed, first.promises.handed[:, at])
