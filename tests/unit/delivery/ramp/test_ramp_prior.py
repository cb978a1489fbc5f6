"""The prior: its conditioning against plain simulation, its stretch, its seasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.delivery.ramp import packaged_prior
from driveaway.delivery.ramp.prior import LEVELS, Raises, Stretch
from driveaway.delivery.ramp.season import FEATURES, features
from driveaway.values.errors import BadValue

NOTHING = np.array([], dtype=np.intp)


def test_conditioning_agrees_with_simulation_near_what_was_observed() -> None:
    prior = packaged_prior()
    ages = np.array([0.5, 1.5, 4.5])
    nugget = np.full(3, prior.transient**2)
    mean = prior.mean(ages)
    everything = prior.condition(ages, nugget, mean, NOTHING, np.zeros(0))
    drawn = everything.draw(1_500_000, np.random.default_rng(5))
    seen = mean[:2] + np.array([1.0, 1.9])  # a far jump: volatility must be learned too
    near = np.all(np.abs(drawn[:, :2] - seen) < 0.12, axis=1)
    told = prior.condition(ages, nugget, mean, np.array([0, 1]), seen)
    later = drawn[near, 2]
    assert len(later) > 1000
    direct = told.draw(200_000, np.random.default_rng(6))[:, 0]
    at = (0.1, 0.25, 0.5, 0.75, 0.9)
    assert np.quantile(direct, at) == pytest.approx(np.quantile(later, at), abs=0.1)
    # Without what is learned about volatility the bands would differ by more than that.
    calm = prior.condition(ages, nugget, mean, np.array([0, 1]), mean[:2] + 1.0)
    assert told.scatter[0, 0] > 1.5 * calm.scatter[0, 0]


def test_unconditional_draws_have_the_covariance_that_is_said() -> None:
    prior = replace(packaged_prior(), freedom=12.0)
    ages = np.array([0.3, 1.0, 2.0, 7.0])
    nugget = np.full(4, 0.01)
    told = prior.condition(ages, nugget, prior.mean(ages), NOTHING, np.zeros(0))
    drawn = told.draw(400_000, np.random.default_rng(1))
    assert np.cov(drawn.T) == pytest.approx(prior.covariance(ages, nugget), rel=0.03)
    assert drawn.mean(axis=0) == pytest.approx(prior.mean(ages), abs=0.02)


def test_a_stretch_maps_quantiles_on_quantiles() -> None:
    stretch = Stretch(
        nominal=np.array([[0.7, 1.4, 2.4]]), actual=np.array([[[0.5, 1.5, 2.0], [0.7, 1.7, 3.0]]])
    )
    errors = np.array([[0.7, 1.4], [-1.4, -2.4], [2.4, 0.0], [4.8, -4.8]])
    told = stretch.apply(errors, 1, np.array([1.0, 2.0]))
    assert told == pytest.approx(np.array([[0.5, 1.7], [-1.5, -3.0], [2.0, 0.0], [4.0, -6.0]]))
    between = stretch.apply(np.array([[1.4]]), 7, np.array([1.5]))
    assert between[0, 0] == pytest.approx(1.6)


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=20), st.integers(1, 9), st.floats(0, 30))
def test_the_packaged_stretch_keeps_order_and_sign(errors: list[float], observed: int, ahead: float) -> None:
    stretch = packaged_prior().stretch
    assert stretch is not None
    column = np.sort(np.array(errors))[:, None]
    told = stretch.apply(column, observed, np.array([ahead]))[:, 0]
    assert np.all(np.diff(told) >= 0)
    assert np.all(np.sign(told) == np.sign(column[:, 0]))


def test_the_packaged_prior_is_whole() -> None:
    prior = packaged_prior()
    assert prior.stretch is not None
    assert prior.raises is not None
    assert prior.stretch.actual.shape == (3, 11, len(LEVELS))
    assert len(prior.season) == len(FEATURES)
    assert prior.freedom > 2
    assert 0 < prior.damping < 1


def test_capacity_is_raised_once_and_stays() -> None:
    raises = Raises(hazard=0.2, from_age=2.0, least=1.1, most=2.0)
    ages = np.arange(0, 14, 0.1)
    drawn = raises.draw(ages, 20_000, np.random.default_rng(0))
    assert np.all(drawn[:, ages <= 2] == 1)
    assert np.all(np.diff(drawn, axis=1) >= 0)
    assert np.all([len(np.unique(row)) <= 2 for row in drawn[:50]])
    share = (drawn[:, -1] > 1).mean()
    assert share == pytest.approx(1 - np.exp(-0.2 * (ages[-1] - 2)), abs=0.015)
    assert drawn.max() <= 2
    assert drawn[drawn > 1].min() >= 1.1


def test_seasons_are_shares_of_days() -> None:
    spans = [(date(2024, 2, 1), date(2024, 2, 29)), (date(2024, 6, 1), date(2024, 6, 30))]
    shares = features([*spans, (date(2023, 12, 17), date(2024, 1, 15))])
    # The festival of 2024 began on 10 February: 3 to 17 February are near it.
    assert shares[0].tolist() == pytest.approx([15 / 29, 0, 1, 0, 0])
    assert shares[1].tolist() == [0, 0, 0, 0, 0]
    assert shares[2].tolist() == pytest.approx([0, 0.5, 0, 0, 0.5])


def test_a_year_without_tabulated_festival_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        features([(date(2036, 1, 1), date(2036, 1, 31))])
    assert caught.value.code == "delivery.season_unknown"
