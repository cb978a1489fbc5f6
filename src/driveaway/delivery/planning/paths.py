"""Paths of the future: what lines may put out and limits may allow.

Every draw is named: line or limit, and calendar week. The same seed gives the same draws to the same
names whatever else changes (*common random numbers*: P. Glasserman and D. Yao, Management Science 38,
1992), so that a plan and a what-if differ by what was changed and not by luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from scipy.special import ndtri

from driveaway.delivery.planning.capacity import Calendar, level
from driveaway.delivery.planning.problem import Amounts, Counts, Supply
from driveaway.delivery.planning.signatures import LeadGroups, Signatures


@dataclass(frozen=True, slots=True)
class Draws:
    """Capacities on each path.

    Attributes:
        pools: shape (paths, pools, days).
        limits: shape (paths, limits, days).
    """

    pools: Amounts
    limits: Amounts


def uniforms(seed: int, name: str, paths: int) -> Amounts:
    """One number in (0, 1) for each path: one from each of ``paths`` equal strata, in random order."""
    key = int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=16).digest(), "little")
    random = np.random.Generator(np.random.Philox(key=key))
    return (random.permutation(paths) + random.random(paths)) / paths


def _factor(seed: int, name: str, paths: int, spread: float) -> Amounts:
    """Lognormal factors of mean 1, shape (paths,)."""
    if not spread:
        return np.ones(paths)
    exact: Amounts = np.exp(spread * ndtri(uniforms(seed, name, paths)) - spread * spread / 2)
    return exact


def draw(
    supply: Supply, found: Signatures, cal: Calendar, paths: int, seed: int, factors: Amounts | None
) -> Draws:
    """Draw what every pool builds and every limit allows.

    A line's output on a path is what is expected × the factor of its ramp (one for the path) × the
    factor of its week × ``factors``; nothing on a day on which all lines stand.

    Args:
        supply: what is expected, with its spreads.
        found: signatures.
        cal: calendar weeks.
        paths: how many.
        seed: of the draws.
        factors: of all lines' output, from a model of the ramp, shape (paths, days); None: 1.
    """
    pools = np.zeros((paths, found.pools, cal.days))
    running = np.ones((1, cal.days)) if factors is None else factors
    if supply.stops is not None and supply.stops.any():
        stops = np.zeros((paths, cal.days), np.bool_)
        for day in np.flatnonzero(supply.stops):
            stops[:, day] = uniforms(seed, f"stop/{supply.first_day + day}", paths) < supply.stops[day]
        running = running * ~stops
    for line, pool in zip(supply.lines, found.pool, strict=True):
        weekly = _weekly(seed, f"line/{line.name}", paths, line.spread, cal)
        ramp = _factor(seed, f"ramp/{line.name}", paths, line.ramp_spread)
        pools[:, pool] += line.output * weekly * ramp[:, None] * running
    expected = np.sum([line.output for line in supply.lines], axis=0)
    limits = np.zeros((paths, len(supply.limits), cal.days))
    for row, limit in enumerate(supply.limits):
        limits[:, row] = level(limit, expected, cal) * _weekly(
            seed, f"limit/{limit.name}", paths, limit.spread, cal
        )
    return Draws(pools, limits)


def _weekly(seed: int, name: str, paths: int, spread: float, cal: Calendar) -> Amounts:
    """A factor of mean 1 for each week, shape (paths, days), or (1, 1) without spread."""
    if not spread:
        return np.ones((1, 1))
    weeks = [_factor(seed, f"{name}/{number}", paths, spread) for number in cal.number]
    return np.stack(weeks, axis=1)[:, cal.week]


def lags(seed: int, groups: LeadGroups, group: int, paths: int) -> Counts:
    """A lead time in days for each path, one from each stratum, shape (paths,)."""
    cumulative = np.cumsum(groups.lead[group])
    chosen = uniforms(seed, f"lead/{groups.limited[group]}/{group}", paths) * cumulative[-1]
    days: Counts = np.searchsorted(cumulative, chosen, side="left").astype(np.int64)
    return days


def survival(cancels: Amounts, ages: int) -> Amounts:
    """Share of locks that stand after 0, 1, 2… ``ages`` days; the last hazard holds for all later ages.

    Empty when nobody cancels.
    """
    if not cancels.any():
        return np.zeros(0)
    hazard = cancels[np.minimum(np.arange(ages), len(cancels) - 1)]
    stands: Amounts = np.concatenate([[1.0], np.cumprod(1.0 - hazard)])
    return stands
