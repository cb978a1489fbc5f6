"""Promises of many simulated launches: are they kept, averaged over launches, and no wider than needed?

Within one launch the errors are shared: when the ramp is slow, every promise of its weeks is late. So
launches are counted, not orders, wherever something is said about how sure a number is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from driveaway.delivery.kept.scoring import pinball
from driveaway.delivery.kept.survival import Amounts, Counts
from driveaway.figures.answer import Interval
from driveaway.values.errors import BadValue

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class KeptByLaunch:
    """The share of promises kept, launch by launch.

    Attributes:
        launches: number of each launch, ascending, shape (launches,).
        orders: promises in each, shape (launches,).
        share: kept in each, shape (launches,).
        mean: averaged over launches, each counting the same.
        interval: of that mean (Student's t over launches); None for a single launch.
        spread: standard deviation of the share between launches; None for a single launch.
        middle: between which shares nine launches of ten lie.
        least: in the worst launch.
    """

    launches: Counts
    orders: Counts
    share: Amounts
    mean: float
    interval: Interval | None
    spread: float | None
    middle: tuple[float, float]
    least: float


class Beside(NamedTuple):
    """One way of promising beside the others.

    Attributes:
        name: of the way.
        kept: share kept, averaged over launches.
        spread: standard deviation of the share between launches; None for a single launch.
        wait: promised day, averaged over launches, in the unit of the promises.
        pinball: mean pinball loss, averaged over launches.
        more: how much more pinball loss than the first way, paired by launch.
        interval: of ``more`` (Student's t over launches); None for a single launch or the first way.
    """

    name: str
    kept: float
    spread: float | None
    wait: float
    pinball: float
    more: float
    interval: Interval | None


def kept_by_launch(launch: Counts, promised: Amounts, actual: Amounts) -> KeptByLaunch:
    """Which share of promises each launch kept, and how that differs between launches.

    Args:
        launch: number of the launch of each order, shape (orders,).
        promised: day that was promised at one confidence, shape (orders,).
        actual: true day of the handover, infinite where it is later than promised and
            beyond the simulation, shape (orders,).

    Raises:
        BadValue: ``delivery.launches``: no orders, columns that differ in length, or a day that is not
            a number.
    """
    which, launches = _launches(launch, promised, actual)
    orders = np.bincount(which)
    share = np.bincount(which, weights=actual <= promised) / orders
    mean, spread, interval = _over(share)
    low, high = np.quantile(share, [0.05, 0.95])
    return KeptByLaunch(
        launches, orders, share, mean, interval, spread, (float(low), float(high)), float(share.min())
    )


def beside(
    launch: Counts, ways: Mapping[str, Amounts], actual: Amounts, level: float, horizon: float
) -> list[Beside]:
    """Several ways of promising the same orders at one confidence, judged by the same launches.

    Args:
        launch: number of the launch of each order, shape (orders,).
        ways: the days promised by each way, shape (orders,); the first is compared with the others.
        actual: true day of the handover, infinite where it is beyond the horizon, shape (orders,).
        level: the confidence of the promises, 0–1.
        horizon: last simulated day; a car not handed over by then counts as handed over on it, so the
            loss of all ways is a lower bound where there are such cars.

    Raises:
        BadValue: ``delivery.launches``: as in ``kept_by_launch``, or a promise reaches beyond the
            simulation and nobody knows whether it would have been kept.
    """
    seen = np.minimum(actual, horizon)
    rows: list[Beside] = []
    first = np.zeros(0)
    for name, promised in ways.items():
        which, launches = _launches(launch, promised, actual)
        if (promised[~(actual <= horizon)] > horizon).any():
            raise BadValue(
                f"{name}: a promise reaches beyond the simulated days",
                code="delivery.launches",
                remedy="simulate longer",
            )
        orders = np.bincount(which, minlength=len(launches))
        loss = np.bincount(which, weights=pinball(promised, seen, level)) / orders
        wait = np.bincount(which, weights=promised) / orders
        kept = kept_by_launch(launch, promised, actual)
        if not rows:
            first = loss
        more, _, interval = _over(loss - first)
        interval = interval if rows else None
        rows.append(
            Beside(name, kept.mean, kept.spread, float(wait.mean()), float(loss.mean()), more, interval)
        )
    return rows


def normal_quantile(mean: Amounts, deviation: Amounts, level: float) -> Amounts:
    """The day that a normal approximation promises, from the mean and deviation of the forecast."""
    return np.asarray(mean + NormalDist().inv_cdf(level) * deviation)


def _launches(launch: Counts, promised: Amounts, actual: Amounts) -> tuple[Counts, Counts]:
    if not len(launch) == len(promised) == len(actual) or not len(launch):
        raise BadValue("orders, promises and true days belong together", code="delivery.launches")
    if not np.isfinite(promised).all() or np.isnan(actual).any():
        raise BadValue(
            "a promised day is missing, or a true day is not a number",
            code="delivery.launches",
            remedy="leave out orders without a promise; a handover that is not reached is infinite",
        )
    launches, which = np.unique(launch, return_inverse=True)
    return which.astype(np.int64), launches.astype(np.int64)


def _over(values: Amounts) -> tuple[float, float | None, Interval | None]:
    """Mean over launches, their standard deviation, and the interval of the mean."""
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return mean, None, None
    spread = float(values.std(ddof=1))
    half = float(stdtrit(count - 1, 0.5 + LEVEL / 2)) * spread / sqrt(count)
    return mean, spread, Interval(mean - half, mean + half, LEVEL)
