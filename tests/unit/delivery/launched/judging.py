"""Judge the promises of simulated launches: how many are kept, and at what cost beside other ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from driveaway.delivery.kept.launches import Beside, KeptByLaunch, beside, kept_by_launch, normal_quantile
from driveaway.delivery.planning.problem import Amounts
from tests.unit.delivery.launched.launches import LEVELS, TRUE_DAYS, Launch

PLAN, NAIVE, NORMAL = "the plan", "weeks by trim", "normal approximation"


@dataclass(frozen=True)
class Judged:
    """What the promises of all launches together were worth.

    Attributes:
        kept: by confidence. A promise is void if the order is called off while it stands; called off later
            it was missed.
        beside: by confidence, each way's promises to the orders that were not called off.
        orders: open orders of all launches.
        without: share of them that got no promise at the highest confidence: its day lies beyond the plan.
            They are not scored; whether an order gets a promise is settled before its truth is known.
        undated: share of them that are not set beside one another, called off or not.
        called_off: share of them that were called off before their cars were built.
    """

    kept: dict[float, KeptByLaunch]
    beside: dict[float, list[Beside]]
    orders: int
    without: float
    undated: float
    called_off: float


def judged(made: Iterable[Launch]) -> Judged:
    """Score launches at every confidence."""
    number: list[Amounts] = []
    columns: list[tuple[Amounts, ...]] = []
    for nth, each in enumerate(made):
        number.append(np.full(each.open, nth))
        inside = np.isfinite(each.grid).all(axis=0)
        grid = np.where(inside, each.grid, 0.0)
        mean = np.where(inside, grid.mean(axis=0), np.inf)
        columns.append((*each.promised, mean, grid.std(axis=0), each.naive, each.actual, each.called_off))
    launch = np.concatenate(number)
    *promised, mean, deviation, naive, actual, called_off = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    kept: dict[float, KeptByLaunch] = {}
    ways: dict[float, list[Beside]] = {}
    stood = np.isinf(called_off)
    # Beside one another: orders to which every way gives a day at every confidence. The forecast has a mean
    # only where all of it lies within the plan.
    dated = np.isfinite(promised[-1]) & np.isfinite(mean)
    for level, days in zip(LEVELS, promised, strict=True):
        scored = np.isfinite(days) & (called_off > days)
        kept[level] = kept_by_launch(launch[scored], days[scored], actual[scored])
        some = stood & dated
        normal = normal_quantile(mean[some], deviation[some], level)
        ways[level] = beside(
            launch[some],
            {PLAN: days[some], NAIVE: naive[some], NORMAL: normal},
            actual[some],
            level,
            TRUE_DAYS,
        )
    return Judged(
        kept=kept,
        beside=ways,
        orders=len(launch),
        without=float(np.isinf(promised[-1]).mean()),
        undated=float((~dated).mean()),
        called_off=float((~stood).mean()),
    )
