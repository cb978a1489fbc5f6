"""Absolute bounds, for what has no control: a share of installs, a rate over a distance.

Neither Wilson's nor Clopper and Pearson's bound holds when it is looked at every hour until it strikes. So
the test is again an e-process, the mean of bets on values above the threshold, and the intervals are
confidence sequences with a closed form (H. Robbins, Annals of Mathematical Statistics 41, 1970). They rest
on the counts alone, so that they may be computed at any look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, lgamma, log, log1p

import numpy as np

from driveaway.updates.rollouts.evidence import RATIOS


@dataclass(frozen=True, slots=True)
class Bound:
    """What counts say about a share or a rate.

    Attributes:
        value: as observed; None where nothing was.
        low, high: anytime-valid interval.
        level: chance that it holds the true value at every look, at least.
        log_e: logarithm of the evidence that the true value lies above the threshold.
    """

    value: float | None
    low: float
    high: float
    level: float
    log_e: float


def share_bound(failed: int, of: int, threshold: float, level: float = 0.95) -> Bound:
    """Evidence that a share is above a threshold, from ``failed`` of ``of`` independent trials.

    The bets are on odds that are a multiple of the threshold's. The interval is the beta-binomial mixture
    with Jeffreys' prior.

    Raises:
        ValueError: the counts are no share, or the threshold is not between 0 and 1, both excluded.
    """
    if not 0 <= failed <= of or not 0 < threshold < 1:
        raise ValueError(f"{failed} of {of} against {threshold:g}")
    odds = threshold / (1 - threshold) * np.array(RATIOS)
    wealth = failed * np.log(odds / (1 + odds) / threshold) - (of - failed) * np.log(
        (1 + odds) * (1 - threshold)
    )
    log_e = float(np.logaddexp.reduce(wealth)) - log(len(RATIOS))
    mixture = lgamma(failed + 0.5) + lgamma(of - failed + 0.5) - lgamma(of + 1) - 2 * lgamma(0.5) + lgamma(1)

    def kept(share: float) -> bool:
        hits = failed * log(share) if failed else 0.0
        misses = (of - failed) * log1p(-share) if of > failed else 0.0
        return mixture - hits - misses < -log(1 - level)

    value = failed / of if of else None
    inside = min(max(value if value is not None else 0.5, 1e-12), 1 - 1e-12)
    low = 0.0 if failed == 0 else _edge(kept, inside, 0.0)
    high = 1.0 if failed == of else _edge(kept, inside, 1.0)
    return Bound(value, low, high, level, log_e)


def rate_bound(events: int, exposure: float, threshold: float, level: float = 0.95) -> Bound:
    """Evidence that a rate is above a threshold, from events of a Poisson process over an exposure.

    The interval is the gamma mixture with shape 1/2 and the threshold as its mean.

    Args:
        events: how many.
        exposure: over how much, above 0 if there were events.
        threshold: events per unit of exposure, above 0.
        level: of the interval.

    Raises:
        ValueError: a count or exposure is negative, events fell on no exposure, or the threshold is not
            above 0.
    """
    if events < 0 or exposure < 0 or (events and not exposure) or not 0 < threshold < inf:
        raise ValueError(f"{events} over {exposure:g} against {threshold:g}")
    ratios = np.array(RATIOS)
    wealth = events * np.log(ratios) - (ratios - 1) * threshold * exposure
    log_e = float(np.logaddexp.reduce(wealth)) - log(len(RATIOS))
    if not exposure:
        return Bound(None, 0.0, inf, level, log_e)
    prior = 0.5 / threshold
    mixture = 0.5 * log(prior) - lgamma(0.5) + lgamma(events + 0.5) - (events + 0.5) * log(exposure + prior)

    def kept(rate: float) -> bool:
        return mixture - (events * log(rate) if events else 0.0) + rate * exposure < -log(1 - level)

    value = events / exposure
    top = (events + 100 + 20 * (events + 1) ** 0.5) / exposure
    low = 0.0 if not events else _edge(kept, value, 0.0)
    return Bound(value, low, _edge(kept, max(value, 1e-12 / exposure), top), level, log_e)


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where an interval ends between a value inside and one outside."""
    for _ in range(60):
        middle = (inside + outside) / 2
        if kept(middle):
            inside = middle
        else:
            outside = middle
    return outside
