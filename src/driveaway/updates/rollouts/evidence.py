"""Evidence of harm against a concurrent control, which holds however often one looks.

Each car with a bad event is a coin: it was opened already, or it was not. Without harm it falls on an
opened car with chance p, the opened share of what was exposed at that moment. If opened cars have r times
the events, the chance is q(r) = p·r / (p·r + 1 − p). A bet on r multiplies its stake by q/p where the coin
falls on an opened car and by (1 − q)/(1 − p) where it does not: fair when the ratio is the tolerated one,
losing when it is smaller. The e-process is the mean of the bets on a grid of ratios above the tolerated
one; by Ville's inequality it ever reaches 1/alpha with chance at most alpha, over any number of looks.
Only the share at each moment counts, so that neither the time of day nor a drift of the whole fleet enters.

Sources: J. Ville, "Étude critique de la notion de collectif", 1939; V. Vovk, R. Wang, "E-values",
Annals of Statistics 49, 2021; A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and
safe anytime-valid inference", Statistical Science 38, 2023; M. Lindon, A. Malek, "Anytime-valid inference
for multinomial count data", NeurIPS 2022 (conditioning on the total); H. Robbins, "Statistical methods
related to the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970 (mixtures and
their confidence sequences).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATIOS = (1.1, 1.3, 1.6, 2.0, 2.5, 3.0, 3.5, 4.5, 8.0)
"""The grid of bets, as multiples of the tolerated ratio, staked alike."""

_CHUNK = 16_384
_WIDEST = log(10_000)
"""Ratios beyond this, and below its inverse, are not told apart (logarithm)."""
_STAKED = log(64)
"""The mixture that intervals rest on reaches from the inverse of this to it (logarithm)."""


@dataclass(frozen=True, slots=True)
class Coins:
    """Bad events in the order in which they became known.

    Attributes:
        opened: whether each fell on a car that was opened, shape ``n``.
        share: chance of that without harm, in [0, 1], shape ``n``.
    """

    opened: NDArray[np.bool_]
    share: Floats

    def __len__(self) -> int:
        return len(self.opened)

    @classmethod
    def of_exposures(cls, opened: Sequence[bool], exposures: Sequence[tuple[float, float]]) -> Coins:
        """Coins from the exposures of opened cars and of controls at the moment of each event.

        Raises:
            ValueError: an exposure is negative or not finite, both are 0, or an event fell where nothing
                was exposed.
        """
        exposed = np.asarray(exposures, dtype=np.float64).reshape(-1, 2)
        fell = np.asarray(opened, dtype=np.bool_)
        total = exposed.sum(axis=1)
        if not (np.isfinite(exposed).all() and (exposed >= 0).all() and (total > 0).all()):
            raise ValueError("exposures are finite, not negative, and not both 0")
        if (np.where(fell, exposed[:, 0], exposed[:, 1]) == 0).any():
            raise ValueError("an event fell where nothing was exposed")
        return cls(fell, exposed[:, 0] / total)


def _steps(coins: Coins, ratios: Floats) -> Floats:
    """Log-likelihood of each coin at each ratio, against ratio 1; shape ``(n, ratios)``."""
    growth = np.log1p(np.outer(coins.share, ratios - 1.0))
    return np.where(coins.opened[:, None], np.log(ratios), 0.0) - growth


def log_likelihood(coins: Coins, ratios: Floats) -> Floats:
    """Log-likelihood of all coins at each ratio, against ratio 1; shape of ``ratios``."""
    out = int(coins.opened.sum()) * np.log(ratios)
    for start in range(0, len(coins), _CHUNK):
        share = coins.share[start : start + _CHUNK]
        for index, ratio in enumerate(ratios.tolist()):
            out[index] -= np.log1p(share * (ratio - 1.0)).sum()
    return out


@dataclass(frozen=True, slots=True)
class Bets:
    """The stakes as they stand: log-wealth of the bet on each ratio of the grid, all 0 at the start.

    Attributes:
        tolerated: the ratio that is no harm; more is.
        ratios: the grid, above 1, as multiples of ``tolerated``.
        log_wealth: shape of ``ratios``.
    """

    tolerated: float
    ratios: tuple[float, ...]
    log_wealth: Floats

    @classmethod
    def start(cls, tolerated: float = 1.0, ratios: Sequence[float] = RATIOS) -> Bets:
        """Bets before the first event.

        Raises:
            ValueError: the tolerated ratio is not above 0, or a ratio of the grid is not above 1.
        """
        if not 0 < tolerated < inf or not ratios or not all(1 < ratio < inf for ratio in ratios):
            raise ValueError("a tolerated ratio lies above 0, those that are bet on above 1")
        return cls(tolerated, tuple(ratios), np.zeros(len(ratios)))

    @property
    def log_e(self) -> float:
        """Logarithm of the e-process: of the mean wealth."""
        return float(np.logaddexp.reduce(self.log_wealth)) - log(len(self.ratios))

    def after(self, coins: Coins) -> tuple[Bets, Floats]:
        """The bets after these coins, and the logarithm of the e-process after each of them.

        How the coins are cut into chunks does not matter.
        """
        at = self.tolerated * np.array((1.0, *self.ratios))
        path = np.empty(len(coins))
        wealth = self.log_wealth
        for start in range(0, len(coins), _CHUNK):
            chunk = Coins(coins.opened[start : start + _CHUNK], coins.share[start : start + _CHUNK])
            steps = _steps(chunk, at)
            wealths = np.cumsum(steps[:, 1:] - steps[:, :1], axis=0) + wealth
            highest = wealths.max(axis=1)
            path[start : start + len(chunk)] = highest + np.log(
                np.exp(wealths - highest[:, None]).mean(axis=1)
            )
            wealth = wealths[-1]
        return Bets(self.tolerated, self.ratios, wealth), path


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """How many times the events of controls the opened cars have.

    Attributes:
        ratio: most likely one; None where nothing is known, infinite where no control had an event.
        low, high: anytime-valid interval; 0 and infinite where nothing bounds it.
        level: chance that it holds the true ratio at every look, at least.
    """

    ratio: float | None
    low: float
    high: float
    level: float


def ratio_interval(coins: Coins, level: float = 0.95) -> RatioInterval:
    """The ratios that a two-sided mixture of bets has not refuted: a confidence sequence.

    A ratio ρ is out where the mean likelihood over all ratios from 1/64 to 64 (uniform in the logarithm) is
    at least 1/(1 − level) times that of ρ (Robbins 1970). The interval may hold the tolerated ratio
    although the one-sided test has stopped, because it stakes on both sides.
    """
    useful = (coins.share > 0) & (coins.share < 1)
    used = Coins(coins.opened[useful], coins.share[useful])
    hits = int(used.opened.sum())
    if not len(used):
        return RatioInterval(None, 0.0, inf, level)

    def at(log_ratio: float) -> float:
        return float(log_likelihood(used, np.array([exp(log_ratio)]))[0])

    def chances(log_ratio: float) -> Floats:
        return used.share * exp(log_ratio) / (1 + used.share * (exp(log_ratio) - 1))

    if 0 < hits < len(used):
        peak = _bisected(lambda each: hits > chances(each).sum(), -_WIDEST, _WIDEST)
        ratio = exp(peak)
    else:
        peak, ratio = (_WIDEST, inf) if hits else (-_WIDEST, 0.0)
    drawn = chances(peak)
    spread = 1 / max(float((drawn * (1 - drawn)).sum()), 1e-9) ** 0.5
    needed = _log_mixture(used, peak, spread) + log(1 - level)

    def edge(up: bool) -> float:
        sign = 1 if up else -1
        outside = peak + sign * min(8 * spread, abs(sign * _WIDEST - peak))
        if at(outside) > needed:
            outside = sign * _WIDEST
        if at(outside) > needed:
            return sign * inf
        return _bisected(lambda each: (at(each) > needed) == up, *sorted((peak, outside)))

    return RatioInterval(ratio, exp(edge(False)), exp(edge(True)), level)


def _log_mixture(coins: Coins, peak: float, spread: float) -> float:
    """Logarithm of the mean likelihood over ratios from 1/64 to 64, by the trapezoid rule.

    The likelihood is concave in the logarithm of the ratio: nodes stand all over and close to its peak.
    """
    near = np.clip(peak + spread * np.linspace(-6, 6, 17), -_STAKED, _STAKED)
    all_over = np.linspace(-_STAKED, _STAKED, 65 if len(coins) < 2_000 else 9)
    nodes = np.unique(np.concatenate((all_over, near)))
    heights = log_likelihood(coins, np.exp(nodes))
    highest = float(heights.max())
    return highest + log(float(np.trapezoid(np.exp(heights - highest), nodes)) / (2 * _STAKED))


def _bisected(below: Callable[[float], bool], low: float, high: float) -> float:
    """Where ``below`` turns from True to False."""
    while high - low > 1e-4:
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
