"""The e-process: fair without harm, growing with it, whenever one looks."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.updates.rollouts.evidence import RATIOS, Bets, Coins, ratio_interval

EXPOSURE = st.floats(0.001, 1e6)
FLIPS = st.lists(st.tuples(st.booleans(), EXPOSURE, EXPOSURE), max_size=60)


def coins_of(flips: list[tuple[bool, float, float]]) -> Coins:
    return Coins.of_exposures([fell for fell, _, _ in flips], [(e, c) for _, e, c in flips])


def drawn(rng: np.random.Generator, share: np.ndarray, ratio: float) -> Coins:
    chance = share * ratio / (share * ratio + 1 - share)
    return Coins(rng.random(share.shape) < chance, share)


@given(FLIPS, EXPOSURE, EXPOSURE, st.floats(1.0, 3.0), st.floats(0.01, 1.0))
def test_one_more_event_is_a_fair_bet_at_the_tolerated_ratio_and_a_losing_one_below(
    past: list[tuple[bool, float, float]], treated: float, control: float, tolerated: float, part: float
) -> None:
    bets, _ = Bets.start(tolerated).after(coins_of(past))

    def expected(true_ratio: float) -> float:
        chance = treated * true_ratio / (treated * true_ratio + control)
        outcomes = [bets.after(coins_of([(fell, treated, control)]))[0].log_e for fell in (True, False)]
        return chance * exp(outcomes[0] - bets.log_e) + (1 - chance) * exp(outcomes[1] - bets.log_e)

    assert expected(tolerated) == pytest.approx(1, rel=1e-9)
    assert expected(tolerated * part) <= 1 + 1e-9
    assert expected(tolerated * 50) >= 1 - 1e-9


@given(FLIPS, st.data())
def test_chunks_do_not_matter(flips: list[tuple[bool, float, float]], data: st.DataObject) -> None:
    coins = coins_of(flips)
    whole, path = Bets.start().after(coins)
    bets, parts = Bets.start(), []
    left = 0
    while left < len(coins):
        right = data.draw(st.integers(left + 1, len(coins)))
        bets, part = bets.after(Coins(coins.opened[left:right], coins.share[left:right]))
        parts.extend(part.tolist())
        left = right
    assert bets.log_wealth == pytest.approx(whole.log_wealth, abs=1e-9)
    assert parts == pytest.approx(path.tolist(), abs=1e-9)
    assert whole.log_e == pytest.approx(path[-1] if len(path) else 0.0, abs=1e-9)


@given(FLIPS.filter(bool), st.data())
def test_an_event_on_an_opened_car_is_more_evidence_than_one_on_a_control(
    flips: list[tuple[bool, float, float]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(flips) - 1))
    _, treated, control = flips[at]
    one, other = list(flips), list(flips)
    one[at], other[at] = (True, treated, control), (False, treated, control)
    assert Bets.start().after(coins_of(one))[0].log_e > Bets.start().after(coins_of(other))[0].log_e


@given(FLIPS, st.floats(1.01, 2.0))
def test_more_is_tolerated_with_less_evidence(flips: list[tuple[bool, float, float]], more: float) -> None:
    # With the same alternatives, a higher tolerated ratio is never refuted by more.
    coins = coins_of([(True, e, c) for _, e, c in flips])
    low = Bets.start(1.0, (4.0,)).after(coins)[0].log_e
    assert Bets.start(more, (4.0 / more,)).after(coins)[0].log_e <= low + 1e-9


def test_ville_false_stops_stay_below_alpha_with_a_look_at_every_event() -> None:
    rng = np.random.default_rng(20240424)
    alpha, runs, events = 0.05, 1_000, 400
    # Opened shares as in a rollout, and grown early where luck was bad: they may depend on the past.
    stopped = 0
    for _ in range(runs):
        share = np.repeat((0.01, 0.05, 0.2, 0.5), events // 4)
        if rng.random() < 0.5:
            share = share[::-1].copy()
        _, path = Bets.start().after(drawn(rng, share, 1.0))
        stopped += bool((path >= -log(alpha)).any())
    assert stopped / runs <= alpha
    assert stopped > 0


def test_tripled_harm_is_found_and_tolerated_harm_is_not() -> None:
    rng = np.random.default_rng(1)
    share = np.full(600, 0.2)
    assert Bets.start().after(drawn(rng, share, 3.0))[0].log_e > 20
    assert Bets.start(3.0).after(drawn(rng, share, 2.0))[0].log_e < 0


def test_nothing_is_learned_where_one_arm_is_empty() -> None:
    coins = Coins(np.array([True, False, True]), np.array([1.0, 0.0, 1.0]))
    assert Bets.start().after(coins)[1] == pytest.approx([0, 0, 0], abs=1e-12)
    assert ratio_interval(coins).ratio is None
    assert (ratio_interval(coins).low, ratio_interval(coins).high) == (0, inf)


def test_a_million_events_stay_finite() -> None:
    share = np.full(200_000, 0.5)
    bets, path = Bets.start().after(Coins(np.ones(200_000, dtype=bool), share))
    assert bets.log_e == pytest.approx(200_000 * log(max(RATIOS) * 2 / (1 + max(RATIOS))) - log(len(RATIOS)))
    assert np.isfinite(path).all()


def test_the_interval_holds_the_ratio_at_every_look_and_tightens() -> None:
    rng = np.random.default_rng(2)
    missed = 0
    for run in range(60):
        ratio = (0.5, 1.0, 1.8, 4.0)[run % 4]
        coins = drawn(rng, np.repeat((0.05, 0.3), 200), ratio)
        looks = [
            ratio_interval(Coins(coins.opened[:n], coins.share[:n]), 0.9) for n in (10, 50, 150, 250, 400)
        ]
        missed += not all(look.low <= ratio <= look.high for look in looks)
        assert looks[-1].high / looks[-1].low < looks[2].high / max(looks[2].low, 1e-9)
    assert missed <= 6


def test_the_interval_at_its_ends() -> None:
    all_on_controls = ratio_interval(Coins(np.zeros(40, dtype=bool), np.full(40, 0.5)))
    assert (all_on_controls.ratio, all_on_controls.low) == (0, 0)
    assert 0 < all_on_controls.high < 0.5
    all_on_opened = ratio_interval(Coins(np.ones(40, dtype=bool), np.full(40, 0.5)))
    assert (all_on_opened.ratio, all_on_opened.high) == (inf, inf)
    assert all_on_opened.low == pytest.approx(1 / all_on_controls.high, rel=1e-3)


@settings(max_examples=30)
@given(FLIPS.filter(bool), st.sampled_from([0.8, 0.95]))
def test_the_interval_holds_the_most_likely_ratio(
    flips: list[tuple[bool, float, float]], level: float
) -> None:
    found = ratio_interval(coins_of(flips), level)
    assert found.ratio is not None
    assert found.low <= min(found.ratio, 10_000) * 1.001
    assert found.high >= max(found.ratio, 0.0001) * 0.999 or found.ratio == 0


def test_bad_exposures_and_bets_are_refused() -> None:
    for fell, exposures in (
        (True, (0, 1)),
        (False, (1, 0)),
        (True, (-1, 2)),
        (True, (inf, 1)),
        (True, (0, 0)),
    ):
        with pytest.raises(ValueError, match="expos"):
            Coins.of_exposures([fell], [exposures])
    for tolerated, ratios in ((0.0, RATIOS), (1.0, ()), (1.0, (1.0,))):
        with pytest.raises(ValueError, match="above"):
            Bets.start(tolerated, ratios)
