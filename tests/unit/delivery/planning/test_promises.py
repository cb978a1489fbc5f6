"""Dates at confidences, odds, quotes and explanations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import norm

from driveaway.delivery.planning.capacity import calendar
from driveaway.delivery.planning.odds import Target
from driveaway.delivery.planning.paths import draw, survival, uniforms
from driveaway.delivery.planning.plan import make_plan
from driveaway.delivery.planning.problem import NO_DAY, Configuration, Supply
from driveaway.delivery.planning.signatures import signatures
from driveaway.values.errors import BadValue, NotFound, Refused
from tests.unit.delivery.planning.cases import DAY, MONDAY, demand_of, limit_of, line_of, problems, region_of


@settings(deadline=None, max_examples=40)
@given(problems())
def test_without_uncertainty_every_confidence_says_the_slot(problem) -> None:
    demand, supply = problem
    plan = make_plan(demand, supply, paths=3, confidences=(0.1, 0.9))
    for built in plan.promises.built:
        np.testing.assert_array_equal(built, plan.slot)


def test_dates_are_those_of_counting_path_by_path() -> None:
    days, size, paths = 60, 300, 400
    supply = Supply(MONDAY, days, (line_of(6, days, spread=0.4, ramp_spread=0.3),))
    demand = demand_of(np.zeros(size, int))
    plan = make_plan(demand, supply, paths=paths, confidences=(0.5, 0.8, 0.9), seed=4)
    found = signatures(demand, supply)
    output = draw(supply, found, calendar(supply), paths, 4, None).pools[:, 0]
    reached = np.cumsum(output, axis=1)
    for confidence, built in zip((0.5, 0.8, 0.9), plan.promises.built, strict=True):
        for order in range(0, size, 7):
            share = (reached >= order + 1 - 1e-4).mean(axis=0)
            met = np.flatnonzero(share >= confidence - 1e-9)
            assert built[order] == (met[0] if len(met) else NO_DAY)


def test_lead_times_are_added_as_chances() -> None:
    days, paths = 60, 500
    lead = np.array([0, 0.2, 0.3, 0.1, 0, 0, 0.2, 0.2])
    supply = Supply(
        MONDAY, days, (line_of(6, days, spread=0.5, ramp_spread=0.3),), regions=(region_of(lead),)
    )
    demand = demand_of(np.zeros(200, int), region=np.zeros(200, int))
    plan = make_plan(demand, supply, paths=paths, confidences=(0.5, 0.9), seed=2)
    output = draw(supply, signatures(demand, supply), calendar(supply), paths, 2, None).pools[:, 0]
    reached = np.cumsum(output, axis=1)
    for order in range(0, 200, 9):
        built = (reached >= order + 1 - 1e-4).mean(axis=0)
        handed = np.convolve(built, lead)[:days]
        for nth, confidence in enumerate((0.5, 0.9)):
            met = np.flatnonzero(handed >= confidence)
            exact = met[0] if len(met) else days
            assert abs(min(plan.promises.handed[nth, order], days) - exact) <= 1


def test_handovers_through_a_wide_limit_are_those_without_one() -> None:
    lead = np.array([0, 0.5, 0.3, 0.2])
    dates = []
    # 7 a day are sometimes too few, so that the region queues on some path.
    for handovers in (None, np.full(60, 40.0)):
        line = line_of(6, 60, spread=0.5)
        supply = Supply(MONDAY, 60, (line,), regions=(region_of(lead, "11", handovers),))
        demand = demand_of(np.zeros(150, int), region=np.zeros(150, int))
        dates.append(make_plan(demand, supply, paths=300).promises.handed)
    assert np.abs(dates[0] - dates[1]).max() <= 1


def test_cancellations_thin_the_queue_ahead() -> None:
    hazard, days = 0.01, 80
    supply = Supply(MONDAY, days, (line_of(10, days),))
    size = 2_000
    demand = demand_of(
        np.zeros(size, int), cancels=np.full(3, hazard), locked=np.full(size, (MONDAY - 1) * DAY)
    )
    plan = make_plan(demand, supply, paths=2, confidences=(0.5,))
    # On day d one car serves 1 / (1 - hazard)^d of the orders as they stood on day 0.
    reached = np.cumsum(10 / (1 - hazard) ** np.arange(days))
    expected = np.searchsorted(reached, np.arange(1, size + 1) - 1e-3)
    expected = np.where(expected < days, expected, NO_DAY)
    np.testing.assert_array_equal(plan.promises.built[0], expected)
    assert plan.built.mean.sum() == pytest.approx(10 * days)
    assert (plan.slot >= plan.promises.built[0]).all()


def test_survival_goes_on_with_the_last_hazard() -> None:
    np.testing.assert_allclose(survival(np.array([0.5, 0.1]), 4), [1, 0.5, 0.45, 0.405, 0.3645])
    assert not len(survival(np.zeros(3), 5))


def test_odds_are_those_of_the_distribution() -> None:
    days, paths, spread = 30, 4_000, 0.3
    supply = Supply(MONDAY, days, (line_of(10, days, ramp_spread=spread),))
    targets = [
        Target("fair", "built", 0, 29, 270),
        Target("rest", "handed", -20, 29, 370, already=100),
        Target("later", "handed", 0, 30, 1),
        Target("sure", "built", 0, 0, 0),
        Target("never", "built", 0, 29, 5_000),
    ]
    plan = make_plan(demand_of(np.zeros(3_000, int)), supply, paths=paths, targets=targets)
    chance = norm.sf((np.log(270 / 300) + spread**2 / 2) / spread)
    fair, rest, later, sure, never = plan.odds
    assert fair.share == pytest.approx(chance, abs=0.005)
    assert rest.share == fair.share
    assert fair.interval is not None
    assert fair.interval.low < chance < fair.interval.high
    assert later.share is None
    assert later.unknown == "the plan ends 1 days before the target does"
    assert (sure.share, never.share) == (1.0, 0.0)


def test_more_than_an_amount_needs_one_more() -> None:
    supply = Supply(MONDAY, 10, (line_of(5, 10),))
    targets = [Target("at least", "built", 0, 9, 50), Target("more", "built", 0, 9, 50, strictly=True)]
    plan = make_plan(demand_of(np.zeros(90, int)), supply, paths=3, targets=targets)
    assert [found.share for found in plan.odds] == [1.0, 0.0]


def test_draws_belong_to_names_and_weeks() -> None:
    demand = demand_of([0])
    one = Supply(MONDAY, 28, (line_of(10, 28, spread=0.3),), stops=np.full(28, 0.1))
    later = Supply(
        MONDAY + 7,
        21,
        (line_of(99, 21, name="new", spread=0.3), line_of(20, 21, spread=0.3)),
        stops=np.full(21, 0.1),
    )
    first = draw(one, signatures(demand, one), calendar(one), 50, 1, None).pools[:, 0]
    both = draw(later, signatures(demand, later), calendar(later), 50, 1, None).pools[:, 0]
    alone = Supply(MONDAY + 7, 21, (line_of(99, 21, name="new", spread=0.3),), stops=np.full(21, 0.1))
    new = draw(alone, signatures(demand, alone), calendar(alone), 50, 1, None).pools[:, 0]
    np.testing.assert_allclose(both - new, 2 * first[:, 7:])
    assert not np.allclose(uniforms(1, "a", 50), uniforms(2, "a", 50))


def test_factors_scale_the_output() -> None:
    supply = Supply(MONDAY, 10, (line_of(4, 10),))
    factors = np.repeat([[0.5], [1.5]], 10, axis=1)
    plan = make_plan(demand_of(np.zeros(80, int)), supply, paths=2, factors=factors, confidences=(0.5, 1.0))
    assert plan.promises.built[:, 11].tolist() == [1, 5]


def test_a_quote_is_what_the_order_gets() -> None:
    regions = (region_of([0, 0.5, 0.5], "11"), region_of([0, 0, 0, 1.0], "12"))
    limits = (limit_of(2, 60, [False, True], spread=0.3),)
    supply = Supply(MONDAY, 60, (line_of(5, 60, 2, spread=0.3),), limits, regions)
    base = np.arange(150) % 2
    plan = make_plan(demand_of(base, region=base), supply, paths=200)
    for configuration in (0, 1):
        more = np.append(base, configuration)
        ordered = make_plan(demand_of(more, region=np.append(base, 1)), supply, paths=200)
        quote = plan.quote(plan.demand.configurations[configuration], "12")
        assert quote.ahead == 75
        for said, kept in ((quote.built, ordered.promises.built), (quote.handed, ordered.promises.handed)):
            apart = np.minimum(said, 99) - np.minimum(kept[:, -1], 99)
            assert np.abs(apart).max() <= 1


def test_a_quote_says_what_it_does_not_know() -> None:
    supply = Supply(MONDAY, 9, (line_of(1, 9, 2, builds=[True, False]),), regions=(region_of([1.0], "11"),))
    plan = make_plan(demand_of([0, 1], kinds=2), supply, paths=3)
    with pytest.raises(NotFound, match=r"delivery\.configuration"):
        plan.quote(Configuration("other"))
    with pytest.raises(NotFound, match=r"delivery\.region"):
        plan.quote(0, "99")
    with pytest.raises(Refused, match=r"delivery\.no_line"):
        plan.quote(1)


def test_an_unknown_region_is_dated_with_the_mixture() -> None:
    regions = (region_of([1.0], "11"), region_of([0, 0, 0, 0, 1.0], "12"))
    supply = Supply(MONDAY, 20, (line_of(8, 20),), regions=regions)
    plan = make_plan(
        demand_of([0] * 8, region=[0, 0, 0, 1, 1, 0, 0, -1]), supply, confidences=(0.6, 0.9), paths=3
    )
    assert plan.unknown_regions == 1
    assert plan.promises.handed[:, 7].tolist() == [0, 4]


def test_an_explanation_names_the_limit() -> None:
    supply = Supply(MONDAY, 40, (line_of(4, 40, 2),), (limit_of(1, 40, [False, True], name="lidar"),))
    plan = make_plan(demand_of([0, 1] * 30), supply, paths=3)
    why = plan.explain(59)
    assert why.held_by == (("lidar", 29),)
    assert (why.slot, why.ahead, why.ahead_overall) == (29, 29, 59)
    free = plan.explain(56)
    assert free.held_by[0][0] == "one"
    assert {found.name for found in plan.binding} == {"lidar", "one"}
    assert plan.weekly.used[0, 0] == 7


def test_a_buyer_who_is_not_ready_is_dated_when_they_are() -> None:
    plan = make_plan(demand_of([0] * 4, ready=[0, 5, 0, 0]), Supply(MONDAY, 9, (line_of(1, 9),)), paths=3)
    assert plan.slot.tolist() == [0, 5, 1, 2]
    assert plan.promises.handed[0].tolist() == [0, 5, 1, 2]
    assert plan.out_of_turn.order.tolist() == [1]


@pytest.mark.parametrize(
    ("supply", "code", "place"),
    [
        (Supply(MONDAY, 3, (line_of([1, -1, 1], 3),)), "delivery.capacity", "line one, output"),
        (Supply(MONDAY, 3, (line_of(np.nan, 3),)), "delivery.capacity", "line one, output"),
        (Supply(MONDAY, 3, (line_of(1, 2),)), "delivery.shape", "line one, output"),
        (Supply(MONDAY, 0, ()), "delivery.shape", ""),
        (
            Supply(MONDAY, 3, (line_of(1, 3),), (limit_of(-2, 3, [True]),)),
            "delivery.capacity",
            "limit part, amount",
        ),
        (Supply(MONDAY, 3, (line_of(1, 3),), regions=(region_of([0.5, 0.4]),)), "delivery.lead", "region 11"),
        (Supply(MONDAY, 3, (line_of(1, 3),), stops=np.array([0, 2.0, 0])), "delivery.capacity", "stops"),
        (Supply(MONDAY, 3, (line_of(1, 3, spread=-1),)), "delivery.capacity", "line one"),
    ],
)
def test_what_cannot_be_planned_with_is_refused(supply, code, place) -> None:
    with pytest.raises(BadValue) as caught:
        make_plan(demand_of([0]), supply)
    assert (caught.value.code, caught.value.place) == (code, place)


def test_an_index_that_points_nowhere_is_refused() -> None:
    with pytest.raises(BadValue, match="order 1 has 3"):
        make_plan(demand_of([0, 0], region=[-1, 3]), Supply(MONDAY, 3, (line_of(1, 3),)))
