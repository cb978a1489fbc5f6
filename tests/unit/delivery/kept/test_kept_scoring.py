"""How promises fared."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.delivery.kept.scoring import Outcome, Promises, calibration_curve, outcomes, pinball, record
from driveaway.figures.statistics import wilson
from driveaway.values.errors import BadValue

OPEN, KEPT, MISSED, VOID = Outcome


@pytest.mark.parametrize(
    ("delivered", "cancelled", "excused", "as_of", "outcome"),
    [
        (8, inf, -inf, 7, OPEN),  # not handed over yet, and day 10 has not passed
        (8, inf, -inf, 8, KEPT),  # known at once
        (10, inf, -inf, 10, KEPT),  # on its last day
        (inf, inf, -inf, 9, OPEN),
        (nan, nan, nan, 10, MISSED),  # the day has passed; never means not a number, too
        (12, inf, -inf, 10, MISSED),
        (12, inf, -inf, 99, MISSED),
        (12, inf, 12, 11, OPEN),  # the buyer asked for day 12
        (12, inf, 12, 12, KEPT),
        (13, inf, 12, 12, MISSED),  # and had it on day 13
        (10, inf, 4, 10, KEPT),  # an excuse that ended before the promise changes nothing
        (11, inf, 4, 11, MISSED),
        (inf, 6, -inf, 5, OPEN),
        (inf, 6, -inf, 6, VOID),
        (inf, 6, -inf, 50, VOID),
        (inf, 11, -inf, 50, MISSED),  # called off after the promise was broken
        (8, 9, -inf, 50, KEPT),  # given back later
    ],
)
def test_rules(delivered: float, cancelled: float, excused: float, as_of: float, outcome: Outcome) -> None:
    promise = Promises.of(0, 10, 0.9, delivered, cancelled=cancelled, excused_until=excused)
    assert outcomes(promise, as_of).tolist() == [outcome]


def test_a_promise_that_cannot_be_one() -> None:
    for given_on, due, level in ((0, nan, 0.9), (0, inf, 0.9), (3, 2, 0.9), (0, 1, 1.0), (nan, 1, 0.9)):
        with pytest.raises(BadValue) as caught:
            Promises.of([0, given_on], [1, due], [0.5, level], inf)
        assert caught.value.code == "delivery.promise"
        assert caught.value.place == "promise 1"
    with pytest.raises(BadValue, match="cohort"):
        record(Promises.of([0, 0], 1, 0.9, inf), 5, ["a"])


def test_a_record_by_cohort() -> None:
    promises = Promises.of(
        [0, 0, 0, 0, 1, 30],
        [10, 10, 10, 20, 10, 40],
        0.9,
        [8, 12, inf, 9, inf, inf],
        cancelled=[inf, inf, inf, inf, 5, inf],
        opens=[6, 6, 6, 6, 6, 36],
    )
    early, late = record(promises, 15, ["early", "early", "early", "late", "late", "late"])
    assert (early.cohort, early.promises, early.kept, early.missed, early.open, early.void) == (
        "early",
        3,
        1,
        2,
        0,
        0,
    )
    assert early.share == pytest.approx(1 / 3)
    assert early.interval == wilson(1, 3)
    assert (early.wait, early.width) == (10, 4)
    # 8 of 10: 0.1 × 2; 12 of 10: 0.9 × 2; still waiting on day 15: 0.9 × 5 at the least.
    assert early.pinball == pytest.approx((0.2 + 1.8 + 4.5) / 3)
    assert early.not_handed_over == 1
    # One kept before its day, one called off; the one of day 30 is not known of on day 15.
    assert (late.promises, late.kept, late.missed, late.open, late.void) == (2, 1, 0, 0, 1)
    assert (late.share, late.passed, late.share_passed) == (1, 0, None)


def test_nothing_scored_is_unknown_and_not_zero() -> None:
    (only,) = record(Promises.of([0, 0], 10, 0.9, inf), 5)
    assert (only.cohort, only.open, only.share, only.interval, only.pinball) == ("all", 2, None, None, None)
    assert record(Promises.of([9], 10, 0.9, inf), 5) == []
    assert calibration_curve(Promises.of([0, 0], 10, 0.9, inf), 5) == []


def test_a_young_cohort_flatters_itself() -> None:
    # Half come on day 5, half never: promises for day 10, seen on day 7 and on day 10.
    promises = Promises.of(0, 10, 0.5, np.where(np.arange(100) % 2, 5.0, inf))
    (young,), (grown,) = record(promises, 7), record(promises, 10)
    assert (young.share, young.share_passed) == (1, None)
    assert (grown.share, grown.share_passed) == (0.5, 0.5)


def test_the_calibration_curve_of_an_honest_forecast() -> None:
    random = np.random.default_rng(1)
    levels = np.array([0.5, 0.8, 0.9, 0.99])
    actual = np.repeat(random.exponential(10, 20_000), 4)
    due = np.tile(-10 * np.log(1 - levels), 20_000)
    curve = calibration_curve(Promises.of(0, due, np.tile(levels, 20_000), actual), 1e6)
    assert [point.nominal for point in curve] == levels.tolist()
    for point in curve:
        assert point.scored == 20_000
        assert point.kept == pytest.approx(point.nominal, abs=0.01)
        assert point.interval.low < point.kept < point.interval.high
    # Seen early, only promises whose day has passed say anything.
    assert [
        point.nominal for point in calibration_curve(Promises.of(0, due, np.tile(levels, 20_000), actual), 20)
    ] == [
        0.5,
        0.8,
    ]


@given(
    st.lists(st.tuples(*[st.integers(0, 12)] * 4, st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(0, 14),
    st.integers(0, 8),
)
def test_an_outcome_once_known_stays_and_the_future_is_not_seen(
    rows: list[tuple[int, int, int, int, int]], as_of: int, later: int
) -> None:
    start, wait, delivered, cancelled, cohort = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    promises = Promises.of(start, start + wait, 0.8, delivered + start, cancelled=cancelled + start)
    now, then = outcomes(promises, as_of), outcomes(promises, as_of + later)
    assert ((now == then) | (now == OPEN)).all()
    unseen = Promises.of(
        start,
        start + wait,
        0.8,
        np.where(promises.delivered > as_of, inf, promises.delivered),
        cancelled=np.where(promises.cancelled > as_of, inf, promises.cancelled),
    )
    assert outcomes(unseen, as_of).tolist() == now.tolist()
    assert record(unseen, as_of, cohort) == record(promises, as_of, cohort)
    for part in record(promises, as_of, cohort):
        assert part.kept + part.missed + part.open + part.void == part.promises


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.sampled_from([0.1, 0.5, 0.8, 0.9]))
def test_the_quantile_has_the_least_pinball_loss(actual: list[int], level: float) -> None:
    days = np.array(actual, dtype=float)
    losses = [float(pinball(np.full(len(days), float(day)), days, level).sum()) for day in range(51)]
    best = np.quantile(days, level, method="inverted_cdf")
    assert losses[int(best)] == pytest.approx(min(losses))
