"""Several e-processes: their mean, Bonferroni's rule, e-BH, and bounds without a control."""

from __future__ import annotations

from math import comb, exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.rollouts.bounds import rate_bound, share_bound
from driveaway.updates.rollouts.combining import Path, bonferroni, e_bh, mean

LOGS = st.lists(st.tuples(st.integers(0, 20), st.floats(-8, 12)), max_size=12)


def path(steps: list[tuple[int, float]]) -> Path:
    steps = sorted(steps, key=lambda step: step[0])
    return Path(np.array([at for at, _ in steps], dtype=np.int64), np.array([each for _, each in steps]))


def test_the_mean_is_taken_at_the_same_moments() -> None:
    first, second = path([(1, log(4)), (5, log(2))]), path([(3, log(8))])
    both = mean([first, second], [0.5, 0.5])
    assert both.known.tolist() == [1, 3, 5]
    assert np.exp(both.log_e) == pytest.approx([2.5, 6, 5])
    assert (exp(both.last), exp(both.highest)) == pytest.approx((5, 6))
    assert both.reached(1 / 6) == 3
    assert both.reached(1 / 7) is None
    assert np.exp(mean([first], [0.5]).log_e) == pytest.approx([2.5, 1.5])
    assert (mean([path([])], [1.0]).last, mean([path([])], [1.0]).highest) == (0, 0)


@given(st.lists(LOGS, min_size=1, max_size=4), st.sampled_from([0.1, 0.01]))
def test_the_mean_stops_whenever_bonferroni_does(many: list[list[tuple[int, float]]], alpha: float) -> None:
    paths = [path(steps) for steps in many]
    both = mean(paths, [1 / len(paths)] * len(paths))
    if bonferroni(paths, alpha):
        assert both.highest >= -log(alpha) - 1e-6


def test_bonferroni_names_who() -> None:
    assert bonferroni([path([(1, log(250))]), path([(1, log(190))])], 0.01) == (0,)


def test_weights_are_checked() -> None:
    for weights in ([0.5], [0.9, 0.2], [-0.1, 0.5]):
        with pytest.raises(ValueError, match="weight"):
            mean([path([]), path([])], weights)


def test_e_bh_finds_what_the_definition_says() -> None:
    # Of four at 5%: one needs 80, two need 40 each, three 26.7 each.
    assert e_bh([log(79), log(39), 0, 0], 0.05) == ()
    assert e_bh([log(39), log(81), 0, 0], 0.05) == (1,)
    assert e_bh([log(41), 0, log(40.5), 0], 0.05) == (0, 2)
    assert e_bh([log(27), log(27), log(100), -5], 0.05) == (0, 1, 2)
    assert e_bh([], 0.05) == ()


@given(st.lists(st.floats(-5, 9), min_size=1, max_size=9), st.integers(0, 8), st.floats(0, 5))
def test_e_bh_never_finds_less_for_more_evidence(logs: list[float], at: int, more: float) -> None:
    before = set(e_bh(logs, 0.1))
    logs[at % len(logs)] += more
    assert before <= set(e_bh(logs, 0.1))


@settings(max_examples=20)
@given(st.integers(0, 60), st.floats(0.005, 0.6))
def test_a_share_at_its_threshold_is_a_fair_bet(of: int, threshold: float) -> None:
    def expected(share: float) -> float:
        return sum(
            comb(of, k) * share**k * (1 - share) ** (of - k) * exp(share_bound(k, of, threshold).log_e)
            for k in range(of + 1)
        )

    assert expected(threshold) == pytest.approx(1, rel=1e-9)
    assert expected(threshold * 0.7) <= 1 + 1e-9


@settings(max_examples=20)
@given(st.floats(0.01, 5), st.floats(0.1, 3))
def test_a_rate_at_its_threshold_is_a_fair_bet(exposure: float, threshold: float) -> None:
    mean_count = exposure * threshold
    # Large counts are rare, and bets on large rates gain most on them: the sum needs a long tail.
    expected = sum(
        exp(n * log(mean_count) - mean_count - lgamma(n + 1) + rate_bound(n, exposure, threshold).log_e)
        for n in range(400)
    )
    assert expected == pytest.approx(1, rel=1e-6)


def test_bounds_hold_at_every_look() -> None:
    rng = np.random.default_rng(5)
    missed = [0, 0]
    for _ in range(150):
        failed, events = np.cumsum(rng.random(300) < 0.05), np.cumsum(rng.poisson(0.3, 100))
        shares = [share_bound(int(failed[n - 1]), n, 0.02, 0.9) for n in (5, 40, 100, 200, 300)]
        rates = [rate_bound(int(events[n - 1]), n * 0.1, 2.0, 0.9) for n in (3, 20, 50, 100)]
        missed[0] += not all(each.low <= 0.05 <= each.high for each in shares)
        missed[1] += not all(each.low <= 3.0 <= each.high for each in rates)
    assert max(missed) <= 15
    assert shares[-1].high - shares[-1].low < 0.15


def test_nothing_seen_is_unknown() -> None:
    assert share_bound(0, 0, 0.02).value is None
    assert share_bound(0, 0, 0.02).log_e == pytest.approx(0)
    assert (share_bound(0, 0, 0.02).low, share_bound(0, 0, 0.02).high) == (0, 1)
    assert rate_bound(0, 0.0, 2.0).value is None
    assert (share_bound(9, 9, 0.02).high, share_bound(0, 9, 0.02).low) == (1, 0)
    for failed, of, threshold in ((2, 1, 0.1), (0, 1, 0.0), (-1, 1, 0.5)):
        with pytest.raises(ValueError, match="against"):
            share_bound(failed, of, threshold)
    with pytest.raises(ValueError, match="against"):
        rate_bound(1, 0.0, 2.0)
