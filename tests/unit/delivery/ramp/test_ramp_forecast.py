"""Forecasts on launches whose truth is known: coverage, order, bounds, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.delivery.ramp import Paths, Record, StatedRate, bands, forecast, packaged_prior, quantiles
from driveaway.values.errors import BadValue

FIRST = date(2024, 4, 3)
AS_OF = date(2024, 4, 24)
SU7 = Record(FIRST, ((AS_OF, 5_781),))
FREE = replace(packaged_prior(), stretch=None, raises=None)
"""The prior itself: what simulated launches are drawn from."""

ENDS = [date(2024, month, day) for month, day in ((4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (12, 31))]
HUGE = 1e9


def flat(cars: float, days: int = 251) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.full(days, cars)


def told(**changed: Any) -> Paths:
    given_: dict[str, Any] = {
        "record": SU7,
        "capacity": flat(411.0),
        "as_of": AS_OF,
        "open_orders": 69_942,
        "paths": 500,
    } | changed
    return forecast(given_.pop("record"), given_.pop("capacity"), **given_)


@pytest.fixture(scope="module")
def launches() -> Paths:
    """Simulated launches from the prior: nothing handed over yet, no capacity in the way."""
    nothing = Record(FIRST)
    return forecast(nothing, flat(HUGE, 273), as_of=date(2024, 4, 2), paths=160, seed=11, prior=FREE)


def after(launches: Paths, row: int, months: int) -> Record:
    counts = [(day, round(float(launches.by(day)[row]))) for day in ENDS[:months]]
    return Record(FIRST, tuple(counts))


def ahead(record: Record, seed: int = 0, paths: int = 250) -> Paths:
    as_of = record.last_day
    days = (date(2024, 12, 31) - as_of).days
    return forecast(record, flat(HUGE, days), as_of=as_of, paths=paths, seed=seed, prior=FREE)


def test_bands_cover_simulated_launches_and_narrow_with_what_is_observed(launches: Paths) -> None:
    periods = [(date(2024, 8, 1), ENDS[4]), (date(2024, 10, 1), ENDS[5])]
    widths = np.zeros((3, len(launches.cumulative)))
    for months in (1, 2, 4):
        ranks = []
        for row in range(len(launches.cumulative)):
            record = after(launches, row, months)
            paths = ahead(record, seed=row)
            ranks.append([(paths.between(*p) < launches.between(*p)[row]).mean() for p in periods])
            cars = paths.between(*periods[0])
            widths[(1, 2, 4).index(months), row] = np.ptp(np.log(quantiles(cars, (0.1, 0.9))))
        off = np.abs(np.array(ranks) - 0.5)
        for level in (0.5, 0.8, 0.95):
            # 160 launches: two standard errors are at most 8 points.
            assert (off <= level / 2).mean(axis=0) == pytest.approx(level, abs=0.08)
        assert np.mean(ranks, axis=0) == pytest.approx(0.5, abs=0.05)
    assert np.all(np.diff(np.median(widths, axis=1)) < -0.02)


def test_too_narrow_a_prior_is_found_out(launches: Paths) -> None:
    narrow = replace(FREE, step=FREE.step / 2, transient=FREE.transient / 2)
    inside = []
    for row in range(120):
        record = after(launches, row, 1)
        days = (ENDS[4] - record.last_day).days
        paths = forecast(record, flat(HUGE, days), as_of=record.last_day, paths=200, prior=narrow)
        (band,) = bands(paths.between(date(2024, 8, 1), ENDS[4]), (0.8,))
        inside.append(band.low <= launches.between(date(2024, 8, 1), ENDS[4])[row] <= band.high)
    assert np.mean(inside) < 0.65


def test_months_are_handed_over_at_the_rate_that_was_drawn(launches: Paths) -> None:
    # Uncapped: log rates of whole months have the spread that the prior says.
    june = np.log(launches.between(date(2024, 6, 1), ENDS[2]) / 30)
    variance = FREE.covariance(np.array([2.4]), np.array([FREE.transient**2]))[0, 0]
    assert june.std() == pytest.approx(np.sqrt(variance), rel=0.2)


records = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 20_000)), max_size=5)


@settings(max_examples=40)
@given(records, st.lists(st.sampled_from([0.0, 90.0, 411.0]), min_size=1, max_size=80), st.integers(0, 60))
def test_paths_never_fall_and_stay_under_capacity(
    steps: list[tuple[int, int]], capacity: list[float], late: int
) -> None:
    counts, day, total = [], FIRST - timedelta(1), 0
    for days, cars in steps:
        day, total = day + timedelta(days), total + cars
        counts.append((day, total))
    as_of = day + timedelta(late)
    bound = np.array(capacity)
    paths = forecast(
        Record(FIRST, tuple(counts)),
        bound,
        as_of=as_of,
        open_orders=5000,
        paths=40,
        prior=replace(packaged_prior(), raises=None),
    )
    daily = paths.daily()
    assert paths.cumulative.shape == (40, len(capacity))
    assert np.all(np.isfinite(paths.cumulative))
    assert np.all(daily >= -1e-6)
    assert np.all(daily <= bound * (1 + 1e-9) + 1e-6)
    assert np.all(paths.before >= total)


def test_capacity_may_be_raised_but_no_more_than_doubled() -> None:
    paths = told(capacity=flat(200.0), paths=4000)
    assert paths.daily().max() > 250
    assert paths.daily().max() <= 400 + 1e-6
    assert np.all(paths.daily()[:, :30] <= 200 + 1e-6)


@pytest.mark.parametrize(
    "more", [flat(411.0) * 1.05, flat(600.0), np.where(np.arange(251) < 67, 411.0, 822.0)]
)
def test_more_capacity_never_lowers_a_path(more: Any) -> None:
    before, after_ = told(), told(capacity=more)
    assert np.all(after_.cumulative >= before.cumulative - 1e-6)
    assert after_.odds(FIRST, date(2024, 12, 31), 100_000) > before.odds(FIRST, date(2024, 12, 31), 100_000)


def test_more_open_orders_never_lower_a_path_and_hold_some_up() -> None:
    none, few, many = told(open_orders=0), told(open_orders=20_000), told(open_orders=69_942)
    unused = told(open_orders=None)
    assert np.array_equal(none.cumulative, unused.cumulative)
    assert np.all(few.cumulative >= none.cumulative - 1e-6)
    assert np.all(many.cumulative >= few.cumulative - 1e-6)
    assert quantiles(many.cumulative[:, -1], [0.1])[0] > quantiles(none.cumulative[:, -1], [0.1])[0]
    kept = told(want_of_demand=0.0)
    assert np.array_equal(kept.cumulative, unused.cumulative)


def test_the_seed_decides() -> None:
    assert np.array_equal(told(seed=3).cumulative, told(seed=3).cumulative)
    assert not np.array_equal(told(seed=3).cumulative, told(seed=4).cumulative)


def test_what_came_after_the_as_of_is_not_looked_at() -> None:
    longer = Record(FIRST, (*SU7.counts, (date(2024, 4, 25), 9_999)))
    assert np.array_equal(told(record=longer).cumulative, told().cumulative)


def test_daily_counts_say_the_same_as_the_monthly_one() -> None:
    daily = Record(FIRST, tuple((FIRST + timedelta(day), 263 * day) for day in range(21)) + SU7.counts)
    assert np.array_equal(told(record=daily).cumulative, told().cumulative)


def test_a_faster_launch_is_expected_to_stay_faster() -> None:
    slower = told(record=Record(FIRST, ((AS_OF, 2_000),)))
    assert np.median(slower.cumulative[:, -1]) < np.median(told().cumulative[:, -1])


def test_a_stated_rate_counts_as_far_as_it_is_sure() -> None:
    june = (date(2024, 6, 1), date(2024, 6, 30))
    means = [
        np.median(told(stated=stated, paths=4000).between(*june))
        for stated in (None, StatedRate(AS_OF, 100, 3.0), StatedRate(AS_OF, 100, 0.1))
    ]
    assert means[1] == pytest.approx(means[0], rel=0.02)
    assert means[2] < 0.75 * means[0]
    assert np.array_equal(told(stated=StatedRate(date(2024, 5, 1), 100)).cumulative, told().cumulative), (
        "stated after the as-of"
    )


def test_days_that_nobody_counted_are_forecast_too() -> None:
    paths = told(as_of=date(2024, 4, 30), capacity=flat(411.0, 31))
    assert paths.first_day == date(2024, 5, 1)
    assert paths.before.min() > 5_781
    assert paths.before.std() > 0
    may = paths.between(date(2024, 5, 1), date(2024, 5, 31))
    assert may == pytest.approx(paths.daily().sum(axis=1))


def test_before_the_first_handover_nothing_is_handed_over() -> None:
    paths = forecast(Record(FIRST), flat(411.0, 30), as_of=date(2024, 3, 28), open_orders=100, paths=50)
    assert np.all(paths.cumulative[:, :5] == 0)
    assert np.all(paths.cumulative[:, 5] > 0)
    assert np.all(paths.by(date(2024, 3, 1)) == 0)


def test_factors_are_relative_to_what_is_expected() -> None:
    capacity = np.where(np.arange(60) % 7 == 6, 0.0, 480.0)
    paths = told(capacity=capacity)
    factors = paths.factors(100, 50)
    assert factors.shape == (100, 50)
    assert factors * capacity[:50] == pytest.approx(paths.daily()[:100, :50], abs=1e-6)
    assert np.all(factors[:, capacity[:50] == 0] == 1)
    assert paths.factors(expected=capacity / 2)[:, 0] == pytest.approx(paths.factors()[:, 0] * 2)
    for wrong in ({"paths": 501}, {"days": 61}):
        with pytest.raises(BadValue, match="beyond_horizon"):
            paths.factors(**wrong)


def test_periods_add_up_with_what_was_handed_over_before() -> None:
    paths = told()
    second = paths.between(date(2024, 4, 1), date(2024, 6, 30))
    later = paths.between(date(2024, 7, 1), date(2024, 12, 31))
    assert second + later == pytest.approx(paths.between(date(2024, 1, 1), date(2024, 12, 31)))
    assert np.all(paths.by(AS_OF) == 5_781)
    with pytest.raises(BadValue, match="record_silent"):
        paths.by(date(2024, 4, 10))
    with pytest.raises(BadValue, match="beyond_horizon"):
        paths.by(date(2025, 1, 1))


def test_odds_are_strict_where_asked() -> None:
    paths = told(paths=50)
    exact = replace(paths, cumulative=np.full_like(paths.cumulative, 10_000.0))
    assert exact.odds(FIRST, AS_OF + timedelta(5), 10_000) == 1
    assert exact.odds(FIRST, AS_OF + timedelta(5), 10_000, strict=True) == 0


def test_bands_nest() -> None:
    found = bands(np.arange(1001.0))
    assert [(band.level, round(band.low), round(band.high)) for band in found] == [
        (0.5, 250, 750),
        (0.8, 100, 900),
        (0.95, 25, 975),
    ]


def test_other_countries_have_no_spring_festival() -> None:
    capacity = flat(HUGE, 400)
    china, elsewhere = told(capacity=capacity), told(capacity=capacity, seasons=False)
    february = (date(2025, 2, 1), date(2025, 2, 28))
    assert np.median(elsewhere.between(*february)) > 1.1 * np.median(china.between(*february))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"capacity": flat(-1.0)}, "delivery.capacity"),
        ({"capacity": np.zeros(0)}, "delivery.capacity"),
        ({"capacity": np.array([np.nan])}, "delivery.capacity"),
        ({"paths": 0}, "delivery.forecast_input"),
        ({"open_orders": -1}, "delivery.forecast_input"),
        ({"want_of_demand": 1.5}, "delivery.forecast_input"),
        ({"stated": StatedRate(AS_OF, 0)}, "delivery.forecast_input"),
        ({"capacity": flat(1.0, 9999)}, "delivery.season_unknown"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(BadValue) as caught:
        told(**changed)
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        (((AS_OF, 5), (AS_OF, 6)), "delivery.record_order"),
        (((date(2024, 4, 1), 5),), "delivery.record_order"),
        (((AS_OF, 5), (date(2024, 4, 25), 4)), "delivery.record_falls"),
        (((AS_OF, -5),), "delivery.record_falls"),
    ],
)
def test_a_record_that_cannot_be_is_refused(counts: tuple[tuple[date, int], ...], code: str) -> None:
    with pytest.raises(BadValue) as caught:
        Record(FIRST, counts)
    assert caught.value.code == code
