"""What is learned from other launches: made-up ones with known truth, and the real ones left out in turn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from driveaway.delivery.ramp import packaged_prior
from driveaway.delivery.ramp.prior import LEVELS, read_prior
from tests.surroundings import MACHINE
from tools.ramp_prior.__main__ import written
from tools.ramp_prior.fitting import OBSERVED, Fitted, calibrate, fit, learn_raises, monthly
from tools.ramp_prior.reading import FILE, Launches, read_launches
from tools.ramp_prior.scoring import AHEAD, METHODS, PROBABILITIES, leave_out, mean_pinball, score


@pytest.fixture(scope="module")
def peers() -> Launches:
    folder = MACHINE.get("DRIVEAWAY_RECORD") or os.environ.get("DRIVEAWAY_RECORD")
    if not folder:
        pytest.skip("DRIVEAWAY_RECORD does not name the folder of other launches")
    return read_launches(Path(folder) / FILE)


def made_up(count: int, seed: int) -> Launches:
    prior = packaged_prior()
    ages, nugget, mean = monthly(prior, 15)
    told = prior.condition(ages, nugget, mean, np.array([], dtype=np.intp), np.zeros(0))
    rates = told.draw(count, np.random.default_rng(seed))
    return Launches(tuple(map(str, range(count))), rates, np.zeros((count, 15, len(prior.season))))


def test_the_fit_finds_the_prior_that_launches_were_drawn_from() -> None:
    truth, found = packaged_prior(), fit(made_up(600, 2)).prior
    assert found.step == pytest.approx(truth.step, rel=0.1)
    assert found.rise == pytest.approx(truth.rise, rel=0.3)
    assert found.level == pytest.approx(truth.level, abs=0.2)
    assert found.level_spread == pytest.approx(truth.level_spread, rel=0.15)
    assert found.freedom == pytest.approx(truth.freedom, rel=0.3)
    assert found.damping == pytest.approx(truth.damping, abs=0.03)


def test_launches_that_follow_the_prior_need_no_stretch() -> None:
    prior = packaged_prior()
    stretch = calibrate(Fitted(prior, np.zeros(17), np.eye(17)), made_up(1200, 3), folds=1)
    assert stretch.actual == pytest.approx(np.repeat(stretch.nominal[:, None], 11, axis=1), rel=0.2)


def test_gaps_and_short_series_count_for_what_they_are() -> None:
    launches = made_up(40, 4)
    launches.rates[:, 12:] = np.nan
    launches.rates[3, 4:] = np.nan
    launches.rates[5, 2] = np.nan
    found = fit(launches).prior
    assert np.isfinite(found.level)
    # A launch of which nothing but one gap is known changes nothing.
    empty = Launches(
        (*launches.names, "empty"),
        np.vstack([launches.rates, np.full(15, np.nan)]),
        np.concatenate([launches.seasons, launches.seasons[:1]]),
    )
    assert fit(empty).prior.step == pytest.approx(found.step, rel=1e-3)


def test_reading_skips_show_cars_and_keeps_gaps(tmp_path: Path) -> None:
    file = tmp_path / FILE
    rows = ["A,2022-01,0,3", "A,2022-02,1,280", "A,2022-04,3,3000", "B,2022-01,0,99"]
    file.write_text("\n".join(["model,month,months_since_first,units", *rows]), encoding="utf-8")
    launches = read_launches(file, months=4)
    assert launches.names == ("A",)
    assert launches.left_out == ("B",)
    assert np.exp(launches.rates[0]) == pytest.approx([10, np.nan, 100, np.nan], nan_ok=True)
    assert launches.seasons.shape == (1, 4, 5)


def test_raises_are_counted() -> None:
    rates = np.zeros((4, 15))
    rates[0, 7:] = 1.0
    rates[1, 11:] = 0.05
    rates[2, 3] = np.nan
    learned, raised, compared = learn_raises(Launches(tuple("abcd"), rates, np.zeros((4, 15, 5))))
    assert (raised, compared) == (1, 3)
    assert 1 - np.exp(-6 * learned.hazard) == pytest.approx(1 / 3)


def test_scores_are_what_they_say() -> None:
    told = np.tile(np.arange(7.0), (3, 1))
    found = score(told, np.array([3.0, 0.5, 9.0]))
    assert found.covered == pytest.approx((1 / 3, 1 / 3, 2 / 3))
    assert found.width == pytest.approx(np.exp(4))
    by_hand = [max(p * (9 - q), (p - 1) * (9 - q)) for p, q in zip(PROBABILITIES, range(7), strict=True)]
    assert score(told[:1], np.array([9.0])).pinball == pytest.approx(np.mean(by_hand))


# One by one is what is held to; five at a time is quicker, harder, and granted one launch.
@pytest.mark.parametrize(("together", "grace"), [(5, 1), pytest.param(1, 0, marks=pytest.mark.nightly)])
def test_bands_cover_the_real_launches_left_out(peers: Launches, together: int, grace: int) -> None:
    scores = leave_out(peers, together)
    for observed in OBSERVED:
        for ahead in AHEAD:
            found = scores["ramp prior", observed, ahead]
            assert found.launches >= 38
            for level, share in zip(LEVELS, found.covered, strict=True):
                assert abs(share - level) <= 0.05 + grace / found.launches, (observed, ahead, level)
    ours, _, ratio, last = (mean_pinball(scores, method) for method in METHODS)
    assert ours < 0.95 * min(ratio, last)


def test_the_packaged_prior_is_what_the_real_launches_say(peers: Launches) -> None:
    fresh, packaged = read_prior(written(peers)), packaged_prior()
    assert fresh.raises == packaged.raises
    assert fresh.season == pytest.approx(packaged.season, abs=0.01)
    for name in ("level", "rise", "rise_months", "step", "damping", "freedom"):
        assert getattr(fresh, name) == pytest.approx(getattr(packaged, name), rel=0.02)
    assert fresh.stretch is not None
    assert packaged.stretch is not None
    assert fresh.stretch.actual == pytest.approx(packaged.stretch.actual, rel=0.02)
