"""Promises of many simulated launches."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from driveaway.delivery.kept.launches import beside, kept_by_launch, normal_quantile
from driveaway.values.errors import BadValue


def test_shares_by_launch() -> None:
    launch = np.array([7, 7, 7, 7, 3, 3])
    promised = np.array([10.0, 10, 10, 10, 10, 10])
    actual = np.array([9.0, 10, 11, inf, 1, 2])
    kept = kept_by_launch(launch, promised, actual)
    assert kept.launches.tolist() == [3, 7]
    assert kept.orders.tolist() == [2, 4]
    assert kept.share.tolist() == [1, 0.5]
    # Launches count the same, not orders.
    assert kept.mean == 0.75
    assert kept.least == 0.5
    assert kept.spread == pytest.approx(np.sqrt(0.125))
    assert kept.interval is not None
    # Student's t with one degree of freedom: 12.706 × 0.3536 / √2.
    assert kept.interval.high - kept.mean == pytest.approx(12.7062 * 0.25, rel=1e-4)


def test_one_launch_says_nothing_of_the_spread() -> None:
    kept = kept_by_launch(np.zeros(3, dtype=np.int64), np.ones(3), np.array([0.5, 1, 2]))
    assert (kept.mean, kept.spread, kept.interval) == (pytest.approx(2 / 3), None, None)


def test_the_true_quantile_is_the_best_way_and_errors_are_shared() -> None:
    random = np.random.default_rng(6)
    launches, orders = 200, 50
    launch = np.repeat(np.arange(launches), orders)
    ramp = np.repeat(random.normal(0, 6, launches), orders)  # one error for all orders of a launch
    place = np.tile(np.linspace(10, 60, orders), launches)
    actual = place + ramp + random.exponential(4, len(launch))
    total = random.normal(0, 6, 200_000) + random.exponential(4, 200_000)
    ways = {
        "forecast": place + np.quantile(total, 0.9),
        "too sure": normal_quantile(place + 4, np.full(len(place), 4.0), 0.9),
        "naive": np.full(len(place), 65.0),
    }
    forecast, sure, naive = beside(launch, ways, actual, 0.9, 200)
    assert forecast.kept == pytest.approx(0.9, abs=0.04)
    assert (forecast.more, forecast.interval) == (0, None)
    assert forecast.spread is not None
    assert forecast.spread > 0.15  # far more than 50 independent orders would show: 0.04
    assert sure.kept < 0.8
    for other in (sure, naive):
        assert other.interval is not None
        assert other.interval.low > 0
        assert other.pinball == pytest.approx(forecast.pinball + other.more)
    assert sure.wait < forecast.wait < naive.wait
    assert normal_quantile(np.array([10.0]), np.array([2.0]), 0.975) == pytest.approx([13.92], abs=0.001)


def test_what_cannot_be_judged_is_refused() -> None:
    launch = np.array([1, 1])
    with pytest.raises(BadValue, match="beyond the simulated days"):
        beside(launch, {"way": np.array([5.0, 99.0])}, np.array([3.0, inf]), 0.9, 50)
    for promised, actual in (([1.0], [1.0, 2.0]), ([1.0, np.nan], [1.0, 2.0]), ([1.0, 2.0], [np.nan, 2.0])):
        with pytest.raises(BadValue) as caught:
            kept_by_launch(launch, np.array(promised), np.array(actual))
        assert caught.value.code == "delivery.launches"
