"""How forecasts of a launch that was left out fare: ours beside two naive ones.

Everything that a method learns it learns from the other launches, inside the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from driveaway.delivery.ramp.prior import LEVELS
from driveaway.delivery.ramp.types import Amounts
from tools.ramp_prior.fitting import OBSERVED, calibrate, fit, predict
from tools.ramp_prior.reading import Launches

AHEAD = (3, 6, 9)
PROBABILITIES = np.array(
    sorted([0.5, *(0.5 - level / 2 for level in LEVELS), *(0.5 + level / 2 for level in LEVELS)])
)

METHODS = ("ramp prior", "ramp prior, not stretched", "naive ratio", "last value")


@dataclass(frozen=True)
class Score:
    """Of one method, after so many observed months, so many months ahead.

    Attributes:
        launches: how many were forecast.
        covered: share inside the central bands, by level.
        width: median over launches of the 80% band's upper end over its lower.
        pinball: mean pinball loss of the log rate over `PROBABILITIES` (twice it is near the CRPS).
    """

    launches: int
    covered: tuple[float, ...]
    width: float
    pinball: float


def score(told: Amounts, came: Amounts) -> Score:
    """Score quantiles of log rates, shape (launches, probabilities), by what came, shape (launches,)."""
    pairs = [(at, len(PROBABILITIES) - 1 - at) for at in range(len(LEVELS))][::-1]
    inside = [(told[:, low] <= came) & (came <= told[:, high]) for low, high in pairs]
    over = came[:, None] - told
    pinball = np.where(over >= 0, PROBABILITIES * over, (PROBABILITIES - 1) * over)
    low, high = pairs[LEVELS.index(0.8)]
    width = float(np.exp(np.median(told[:, high] - told[:, low])))
    return Score(len(came), tuple(float(hit.mean()) for hit in inside), width, float(pinball.mean()))


def leave_out(launches: Launches, together: int = 1) -> dict[tuple[str, int, int], Score]:
    """Scores by method, months observed and months ahead.

    Args:
        launches: each is forecast once, by what the others say.
        together: how many are left out at a time.
    """
    told: dict[tuple[str, int, int], list[Amounts]] = {}
    came: dict[tuple[int, int], list[float]] = {}
    parts = -(-len(launches) // together)
    for part in range(parts):
        rows = np.arange(part, len(launches), parts)
        others = launches.without(rows)
        ours = _ramp_prior(others)
        for row, observed, ahead in product(rows.tolist(), OBSERVED, AHEAD):
            rates = launches.rates[row]
            truth = rates[observed - 1 + ahead]
            if np.isnan(truth) or np.isnan(rates[observed - 1]):
                continue
            came.setdefault((observed, ahead), []).append(truth)
            found = [
                *ours(launches, row, observed, ahead),
                _naive(others.rates, rates, observed, ahead, _mean_ratio),
                _naive(others.rates, rates, observed, ahead, _last_value),
            ]
            for method, quantiles in zip(METHODS, found, strict=True):
                told.setdefault((method, observed, ahead), []).append(quantiles)
    return {key: score(np.array(told[key]), np.array(came[key[1:]])) for key in told}


def mean_pinball(scores: dict[tuple[str, int, int], Score], method: str) -> float:
    """Mean pinball loss of a method over all its forecasts."""
    found = [score for (name, _, _), score in scores.items() if name == method]
    return sum(row.pinball * row.launches for row in found) / sum(row.launches for row in found)


def _ramp_prior(others: Launches) -> Callable[[Launches, int, int, int], tuple[Amounts, Amounts]]:
    fitted = fit(others)
    prior, stretch = fitted.prior, calibrate(fitted, others)

    def quantiles(launches: Launches, row: int, observed: int, ahead: int) -> tuple[Amounts, Amounts]:
        given = predict(prior, launches, row, observed)
        middle, scale = given.location[ahead - 1], np.sqrt(given.scatter[ahead - 1, ahead - 1])
        reach = np.array([stretch.actual[observed - 1, ahead - 1], stretch.nominal[observed - 1]])
        sides = np.concatenate([-reach[:, ::-1], np.zeros((2, 1)), reach], axis=1)
        told: Amounts = middle + scale * sides
        return told[0], told[1]

    return quantiles


def _mean_ratio(rates: Amounts, observed: int, later: Amounts) -> tuple[Amounts, float]:
    """Of each launch the mean log base so far, and the log of the mean ratio to it."""
    base = np.log(np.nanmean(np.exp(rates[:, :observed]), axis=1))
    return base, float(np.log(np.nanmean(np.exp(later - base))))


def _last_value(rates: Amounts, observed: int, later: Amounts) -> tuple[Amounts, float]:
    return rates[:, observed - 1], 0.0


def _naive(
    others: Amounts,
    rates: Amounts,
    observed: int,
    ahead: int,
    rule: Callable[[Amounts, int, Amounts], tuple[Amounts, float]],
) -> Amounts:
    """A point by a rule, and bands by the quantiles of the others' errors under the same rule."""
    later = others[:, observed - 1 + ahead]
    base, shift = rule(others, observed, later)
    errors = np.sort((later - base - shift)[~np.isnan(later - base)])
    places = np.arange(1, len(errors) + 1) / (len(errors) + 1)
    own, _ = rule(rates[None, :], observed, np.zeros(1))
    told: Amounts = own[0] + shift + np.interp(PROBABILITIES, places, errors)
    return told
