"""The ramp prior: what other launches say of how a new car's handovers grow, level off, waver and fade.

The logarithm of a launch's rate (cars per calendar day) at age ``a`` (months since the first handover) is ::

    level + mean(a) + season + persistent(a) + transient

    mean(a)       = -rise * exp(-a / rise_months) + drift * a
    persistent(a) : a damped random walk, steps larger in the first months
    transient     : independent from month to month

All four random parts of one launch are scaled together by one volatility whose square is inverse gamma, so
that the whole vector of a launch's months is multivariate Student: a launch that wavered goes on wavering.
Conditioning on what was observed is then exact and in closed form (S. Kotz and S. Nadarajah, *Multivariate t
Distributions and Their Applications*, Cambridge 2004, section 1.11). Last, the spread at each number of
months ahead is stretched to what the peers' own forecasts showed (conformal calibration; V. Vovk,
A. Gammerman and G. Shafer, *Algorithmic Learning in a Random World*, Springer 2005).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from driveaway.delivery.ramp.season import FEATURES
from driveaway.delivery.ramp.types import Amounts, Places

LEVELS = (0.5, 0.8, 0.95)
"""Central shares at which the spread is calibrated."""

START = 0.25
"""Age in months at which a launch's course begins: the middle of a first month that began half-way."""

_SETTLING = 3.0  # months in which the excess volatility of a launch's beginning falls to 1/e


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far a standardised error reaches, beside how far the Student distribution says it does.

    Attributes:
        nominal: quantiles of the absolute standardised Student error at `LEVELS`, after one, two, … observed
            months, shape (observed, levels).
        actual: the same as the peers showed it, by months ahead (1, 2, …), shape (observed, ahead, levels).
    """

    nominal: Amounts
    actual: Amounts

    def apply(self, errors: Amounts, observed: int, ahead: Amounts) -> Amounts:
        """Stretch standardised errors, keeping their sign and order.

        Args:
            errors: shape (paths, times).
            observed: months that had been observed, counting a first part month; at least 1.
            ahead: of each time, in months after the last observation, shape (times,).
        """
        row = min(observed, len(self.actual)) - 1
        nominal = np.concatenate([[0.0], self.nominal[row]])
        steps = np.arange(1, self.actual.shape[1] + 1)
        out = np.empty_like(errors)
        for column, months in enumerate(ahead):
            knots = [np.interp(months, steps, self.actual[row, :, level]) for level in range(len(LEVELS))]
            actual = np.concatenate([[0.0], np.maximum.accumulate(knots)])
            size = np.abs(errors[:, column])
            inside = np.interp(size, nominal, actual)
            beyond = size * (actual[-1] / nominal[-1])
            out[:, column] = np.sign(errors[:, column]) * np.where(size <= nominal[-1], inside, beyond)
        return out


@dataclass(frozen=True, slots=True)
class Conditional:
    """Multivariate Student distribution of log rates, given what was observed.

    Attributes:
        location: shape (times,).
        scatter: scale matrix (not the covariance), shape (times, times).
        freedom: degrees of freedom.
    """

    location: Amounts
    scatter: Amounts
    freedom: float

    def draw(self, paths: int, random: np.random.Generator) -> Amounts:
        """Draw paths of log rates, shape (paths, times)."""
        normal = random.standard_normal((paths, len(self.location)))
        shared = np.sqrt(random.chisquare(self.freedom, paths) / self.freedom)
        values, vectors = np.linalg.eigh(self.scatter)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn: Amounts = self.location + (normal @ root.T) / shared[:, None]
        return drawn


@dataclass(frozen=True, slots=True)
class Raises:
    """How often and how far capacity is raised above what it is said to be: once in a path, or never.

    Attributes:
        hazard: chance per month that it is, once the launch is `from_age` months old.
        from_age: in months.
        least: smallest factor; its logarithm is uniform between this and `most`.
        most: largest factor.
    """

    hazard: float
    from_age: float = 2.0
    least: float = 1.1
    most: float = 2.0

    def draw(self, ages: Amounts, paths: int, random: np.random.Generator) -> Amounts:
        """Factor on capacity at each age (months), shape (paths, ages)."""
        waits = random.standard_exponential(paths)
        sizes = np.exp(random.uniform(np.log(self.least), np.log(self.most), paths))
        passed = np.maximum(ages - self.from_age, 0.0) * self.hazard
        factors: Amounts = np.where(passed[None, :] > waits[:, None], sizes[:, None], 1.0)
        return factors


@dataclass(frozen=True, slots=True)
class RampPrior:
    """Parameters of the ramp prior; see the module for what they mean.

    Attributes:
        level: mean log rate (cars a day) once risen.
        level_spread: of launches about that mean, in units of the log rate.
        rise: log distance from age 0 to the level.
        rise_months: months in which the distance falls to 1/e.
        drift: of the log rate per month.
        first_offset: mean log share of a first calendar month whose first handover's day is not known.
        first_spread: and its standard deviation.
        transient: standard deviation of a month's own error.
        step: standard deviation of a month's persistent step, when settled.
        early: excess of a step's variance at the beginning.
        damping: share of the persistent part that is left a month later.
        freedom: degrees of freedom of the Student distribution (over 2).
        season: effect on the log rate of each of `season.FEATURES`.
    """

    level: float
    level_spread: float
    rise: float
    rise_months: float
    drift: float
    first_offset: float
    first_spread: float
    transient: float
    step: float
    early: float
    damping: float
    freedom: float
    season: tuple[float, ...]
    stretch: Stretch | None = None
    raises: Raises | None = None

    def mean(self, ages: Amounts) -> Amounts:
        """Mean log rate at the given ages (months), without season, shape of `ages`."""
        risen: Amounts = self.level - self.rise * np.exp(-ages / self.rise_months) + self.drift * ages
        return risen

    def covariance(self, ages: Amounts, nugget: Amounts) -> Amounts:
        """Covariance of log rates at ascending ages (months), shape (times, times).

        Args:
            ages: of each time, ascending.
            nugget: variance of each time's own error.
        """
        gaps = np.maximum(np.diff(np.maximum(ages, START), prepend=START), 0.0)
        size = self.step * np.sqrt(gaps * (1 + self.early * np.exp(-ages / _SETTLING)))
        left = np.tril(self.damping ** np.maximum(ages[:, None] - ages[None, :], 0.0))
        root = left * size[None, :]
        matrix: Amounts = root @ root.T + self.level_spread**2 + np.diag(nugget)
        return matrix

    def condition(
        self, ages: Amounts, nugget: Amounts, mean: Amounts, known: Places, values: Amounts
    ) -> Conditional:
        """The distribution of the times that are not known, given those that are.

        Args:
            ages: of all times, ascending, shape (times,).
            nugget: variance of each time's own error, shape (times,).
            mean: log rate expected at each time, season included, shape (times,).
            known: indices of the observed times.
            values: log rates observed there.
        """
        rest = np.setdiff1d(np.arange(len(ages)), known)
        matrix = self.covariance(ages, nugget)
        if not len(known):
            return Conditional(mean[rest], matrix[np.ix_(rest, rest)] * (1 - 2 / self.freedom), self.freedom)
        errors = values - mean[known]
        gain = np.linalg.solve(matrix[np.ix_(known, known)], matrix[np.ix_(known, rest)]).T
        distance = float(errors @ np.linalg.solve(matrix[np.ix_(known, known)], errors))
        left = matrix[np.ix_(rest, rest)] - gain @ matrix[np.ix_(known, rest)]
        freedom = self.freedom + len(known)
        scale = (self.freedom - 2 + distance) / freedom
        return Conditional(mean[rest] + gain @ errors, left * scale, freedom)


def read_prior(text: str) -> RampPrior:
    """Read a prior as `tools/ramp_prior` writes it."""
    content: dict[str, Any] = tomllib.loads(text)
    stretch, raises = content["stretch"], content["raises"]
    return RampPrior(
        **content["ramp"],
        season=tuple(content["season"][name] for name in FEATURES),
        stretch=Stretch(np.array(stretch["nominal"]), np.array(stretch["actual"])),
        raises=Raises(**raises),
    )


@cache
def packaged_prior() -> RampPrior:
    """The prior learned from the peers' launches up to March 2024 (``prior.toml``)."""
    return read_prior(resources.files(__package__).joinpath("prior.toml").read_text(encoding="utf-8"))
