"""Promises to buyers of simulated launches are kept as often as they say, averaged over launches."""

from __future__ import annotations

import numpy as np
import pytest

from driveaway.launch.launch import Launch
from driveaway.launch.planning.proposing import propose
from tests.unit.delivery.launched import launches as simulated
from tests.unit.delivery.launched.judging import judged


# Fifty are CI's share of five hundred.
@pytest.mark.parametrize(
    "count", [50, pytest.param(500, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])]
)
def test_promises_are_kept_as_often_as_they_say_and_are_no_wider_than_needed(count: int) -> None:
    found = judged(simulated.launches(count))
    sure = found.kept[0.9]
    assert len(sure.launches) == count
    assert 0.88 <= sure.mean <= 0.92
    assert abs(found.kept[0.8].mean - 0.8) <= 0.05
    # Errors are shared: most launches keep nearly all, and a few break most.
    assert np.median(sure.share) > 0.95
    assert sure.least < 0.3
    # Nobody is left out but those who have no date, and they are few.
    assert found.without < 0.01
    assert sure.orders.sum() > 0.95 * found.orders
    for level in simulated.LEVELS:
        plan, naive, normal = found.beside[level]
        assert naive.interval is not None
        assert naive.interval.low > 0
        assert normal.more > 0
        assert naive.wait > normal.wait > plan.wait


def test_a_plan_that_takes_its_ramp_for_certain_keeps_far_fewer() -> None:
    found = judged(simulated.launches(8, ramp_known=True))
    assert found.kept[0.9].mean < 0.8


def test_the_plan_is_the_one_that_is_proposed_from_the_book(launch: Launch) -> None:
    proposal = propose(launch, launch.at(str(simulated.AS_OF)), seed=3, paths=50)
    assert proposal.settings.scale == simulated.SCALE
    plan, waiting, _ = simulated.planned(3, 50, simulated.LEVELS)
    assert waiting == proposal.open
    assert plan.demand.order_ids.tolist() == proposal.plan.demand.order_ids.tolist()
    assert (plan.slot == proposal.plan.slot).all()
    rows = [proposal.level(level) for level in simulated.LEVELS]
    assert (plan.promises.handed == proposal.plan.promises.handed[rows]).all()


def test_the_truth_builds_in_turn_no_more_than_the_line_puts_out() -> None:
    slow, fast = simulated.launch(1, 0.02), simulated.launch(1, 0.98)
    assert np.median(slow.actual) > 1.5 * np.median(fast.actual)
    for each in (slow, fast):
        course, plan = each.course, each.plan
        assert (np.isinf(each.actual) == np.isfinite(each.called_off)).all()
        assert (course.handed[: each.open] >= np.maximum(course.built[: each.open], 0)).all()
        new = np.isfinite(course.built) & (course.built >= 0)
        by_day = np.bincount(course.built[new].astype(int), minlength=len(course.output))
        assert (np.cumsum(by_day) <= np.cumsum(course.output) + 1e-6).all()
        # While most of the orders wait, no more than a begun car of each configuration is left of the output.
        assert np.cumsum(course.output[:30])[-1] - by_day[:30].sum() < 5
        for kind in np.unique(plan.demand.configuration[: each.open]):
            of_kind = np.flatnonzero(new & (plan.demand.configuration == kind))[: each.open]
            turn = np.lexsort((plan.demand.locked[of_kind], plan.slot[of_kind]))
            assert (np.diff(course.built[of_kind][turn]) >= 0).all()
