"""Maximum a posteriori fit of the ramp prior to launches; everything that is tuned is tuned in here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import t as student

from driveaway.delivery.ramp.prior import LEVELS, START, Conditional, Raises, RampPrior, Stretch
from driveaway.delivery.ramp.types import Amounts
from tools.ramp_prior.reading import Launches

OBSERVED = (1, 2, 3)
"""Numbers of observed months after which forecasts are calibrated."""

AHEAD = 11
"""Months ahead up to which they are."""

FOLDS = 10
"""Parts in which launches are left out when the stretch is calibrated."""

# Near where the search ends for these launches, to save time; from elsewhere it ends there as well.
_START = np.array(
    [5.0, 0.1, 1.0, 0.2, 0.0, -0.6, -0.1, -2.4, -0.8, -1.5, 2.5, 1.2, -0.5, -0.1, -0.2, 0.0, 0.2]
)
# Centre and width of the weak normal priors on the parameters as `_prior` reads them (infinite: none).
_CENTRE = np.array([0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 3.0, 1.0, 0, 0, 0, 0, 0])
_WIDTH = np.array([np.inf, np.inf, 1, 0.7, 0.05, *[np.inf] * 4, 1.4, 1.5, 1.4, 0.6, *[0.3] * 4])


def _prior(at: Amounts) -> RampPrior:
    value, size = at.tolist(), np.exp(at).tolist()
    return RampPrior(
        level=value[0],
        level_spread=size[1],
        rise=value[2],
        rise_months=size[3],
        drift=value[4],
        first_offset=value[5],
        first_spread=size[6],
        transient=size[7],
        step=size[8],
        early=size[9],
        damping=1 / (1 + 1 / size[10]),
        freedom=2 + size[11],
        season=tuple(value[12:]),
    )


class Fitted(NamedTuple):
    """A prior, where the search ended, and the inverse of the curvature there."""

    prior: RampPrior
    at: Amounts
    spread: Amounts


def monthly(prior: RampPrior, months: int) -> tuple[Amounts, Amounts, Amounts]:
    """Ages, own variances and means of a launch's calendar months, its first day not known."""
    ages = np.maximum(np.arange(months, dtype=float), START)
    nugget = np.full(months, prior.transient**2)
    nugget[0] += prior.first_spread**2
    mean = prior.mean(ages)
    mean[0] += prior.first_offset
    return ages, nugget, mean


def negative_log_posterior(at: Amounts, launches: Launches) -> float:
    """Minus the log density of the launches (multivariate Student) and of the parameters' weak priors."""
    prior = _prior(at)
    months = launches.rates.shape[1]
    ages, nugget, mean = monthly(prior, months)
    seen = ~np.isnan(launches.rates)
    errors = np.where(seen, launches.rates - mean - launches.seasons @ np.array(prior.season), 0.0)
    count, freedom = seen.sum(1), prior.freedom
    matrix = prior.covariance(ages, nugget)
    # One factor serves every launch whose first months are all there; the few with gaps get their own.
    root = np.linalg.cholesky(matrix)
    whole = np.arange(months) < count[:, None]
    distance = (np.where(whole, np.linalg.solve(root, errors.T).T, 0.0) ** 2).sum(1)
    half = np.concatenate([[0.0], np.log(np.diag(root)).cumsum()])[count]
    gaps = np.flatnonzero((seen != whole).any(1))
    if len(gaps):
        there = seen[gaps]
        own = (
            np.where(there[:, :, None] & there[:, None, :], matrix, 0.0) + np.eye(months) * ~there[:, :, None]
        )
        roots = np.linalg.cholesky(own)
        distance[gaps] = (np.linalg.solve(roots, errors[gaps][:, :, None])[:, :, 0] ** 2).sum(1)
        half[gaps] = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)
    density = (
        gammaln((freedom + count) / 2)
        - gammaln(freedom / 2)
        - count / 2 * np.log((freedom - 2) * np.pi)
        - half
        - (freedom + count) / 2 * np.log1p(distance / (freedom - 2))
    )
    return float(0.5 * np.sum(((at - _CENTRE) / _WIDTH) ** 2) - density.sum())


def fit(launches: Launches, near: Fitted | None = None, tolerance: float = 0.03) -> Fitted:
    """Fit the parameters; not the stretch, nor how capacity is raised.

    Args:
        launches: to learn from.
        near: a fit to nearly the same launches, to begin from; None: begin at fixed values.
        tolerance: slope of the log density under which the search ends.
    """
    options: dict[str, Any] = {"gtol": tolerance}
    if near is not None:
        options["hess_inv0"] = (near.spread + near.spread.T) / 2
    start = _START if near is None else near.at
    found = minimize(negative_log_posterior, start, args=(launches,), method="BFGS", options=options)
    return Fitted(_prior(found.x), found.x, found.hess_inv)


def predict(prior: RampPrior, launches: Launches, row: int, observed: int) -> Conditional:
    """Forecast of one launch's later months, made after its first `observed` months."""
    ages, nugget, mean = monthly(prior, launches.rates.shape[1])
    mean = mean + launches.seasons[row] @ np.array(prior.season)
    rates = launches.rates[row]
    known = np.flatnonzero(~np.isnan(rates[:observed]))
    later = np.arange(observed, len(ages))
    at = np.concatenate([known, later])
    places = np.arange(len(known))
    return prior.condition(ages[at], nugget[at], mean[at], places, rates[known])


def standard_errors(prior: RampPrior, launches: Launches, row: int, observed: int) -> Amounts:
    """Standardised errors of one launch's forecast by months ahead, shape (ahead,); NaN where none came."""
    if np.isnan(launches.rates[row, observed - 1]):
        return np.full(AHEAD, np.nan)
    told = predict(prior, launches, row, observed)
    errors: Amounts = (launches.rates[row, observed:] - told.location) / np.sqrt(np.diag(told.scatter))
    return errors[:AHEAD]


def calibrate(fitted: Fitted, launches: Launches, folds: int = FOLDS) -> Stretch:
    """Conformal quantiles of the absolute standardised errors, by months observed and months ahead.

    Errors are of launches that the fit had not seen (cross-conformal; V. Vovk, *Annals of Mathematics and
    Artificial Intelligence* 74, 2015), so that what is learned about spread is not flattered by the fit.

    Args:
        fitted: to all the launches.
        launches: to calibrate on.
        folds: how many parts are forecast in turn from a fit to the others; 1: it forecasts all itself.
    """
    errors = np.full((len(OBSERVED), len(launches), AHEAD), np.nan)
    for fold in range(folds):
        rows = np.arange(fold, len(launches), folds)
        unseen = fit(launches.without(rows), near=fitted) if folds > 1 else fitted
        for at, observed in enumerate(OBSERVED):
            for row in rows:
                errors[at, row] = standard_errors(unseen.prior, launches, int(row), observed)
    freedom = fitted.prior.freedom
    nominal = np.array([student.ppf(0.5 + np.array(LEVELS) / 2, freedom + k) for k in OBSERVED])
    actual = np.empty((len(OBSERVED), AHEAD, len(LEVELS)))
    for at, ahead in np.ndindex(len(OBSERVED), AHEAD):
        sizes = np.abs(errors[at, :, ahead])
        sizes = np.sort(sizes[~np.isnan(sizes)])
        places = np.arange(1, len(sizes) + 1) / (len(sizes) + 1)
        actual[at, ahead] = np.interp(LEVELS, places, sizes)
    return Stretch(nominal, actual)


def learn_raises(launches: Launches, least: float = 1.1) -> tuple[Raises, int, int]:
    """How often a launch's second half-year went over its first by more than a tenth.

    Compared are the best means of three months in a row, inside months 1–5 and inside months 6–11.

    Returns:
        What was learned, how many launches were raised, and of how many.
    """
    cars = np.exp(launches.rates[:, 1:12])
    means = np.array([cars[:, at : at + 3].mean(1) for at in range(9)]).T
    means = means[~np.isnan(means).any(1)]
    raised = means[:, 5:].max(1) / means[:, :3].max(1) > least
    hazard = -np.log(1 - raised.mean()) / 6
    return Raises(float(hazard), least=least), int(raised.sum()), len(raised)
