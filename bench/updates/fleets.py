"""Simulated fleets under a rollout: who is opened when, who installs when, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driveaway.facts.health import SIGNALS
from driveaway.updates.rollouts import plans
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Health

HOUR = 3600 * SECOND
CARS = 10_000
HOLDOUT = 0.05
STAGES = tuple((stage.share, stage.minimum_s // 3600) for stage in plans.STAGES)
"""The default plan: share of the cars outside the holdout, and hours until the next stage."""
HOURS = sum(hours for _, hours in STAGES)
DAILY = 0.02
"""Bad events per car and day."""

Drift = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Factor on all cars' rates by hour, between 0 and 3."""


def steady(hour: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(hour)


def drifting(hour: NDArray[np.float64]) -> NDArray[np.float64]:
    """A day's rhythm on a rate that doubles within the rollout."""
    return (1 + hour / HOURS) * (1 + 0.5 * np.sin(2 * np.pi * hour / 24))


@dataclass(frozen=True)
class Kind:
    """What cars and owners are like.

    Attributes:
        ratio: how many times the events an installed update makes.
        drift: common to all cars.
        spread: coefficient of variation of how much cars drive (gamma), and so of their events.
        consents: share of owners who ever install; keen drivers (above the median) install within hours
            and 1.5 times as often, the others take days. None: all at once when opened.
    """

    ratio: float = 1.0
    drift: Drift = steady
    spread: float = 0.0
    consents: float | None = None


@dataclass(frozen=True)
class Course:
    """One simulated rollout that nobody stopped. ``installed`` in microseconds."""

    cars: Cars
    health: Health
    installed: NDArray[np.int64]
    driven: NDArray[np.float64]


def opened_by(hour: float) -> int:
    """Cars that the plan has opened by an hour, out of the expected number outside the holdout."""
    passed = 0.0
    share = 0.0
    for part, hours in STAGES:
        if hour >= passed:
            share = part
        passed += hours
    return round(share * CARS * (1 - HOLDOUT))


def course(kind: Kind, rng: np.random.Generator, cars: int = CARS) -> Course:
    """One rollout to its end: first draws of order, then of owners, then of events."""
    order = rng.permutation(cars)
    held_out = order >= round(cars * (1 - HOLDOUT))
    opened = np.full(cars, NEVER, dtype=np.int64)
    passed, start = 0, 0
    for share, hours in STAGES:
        end = round(share * cars * (1 - HOLDOUT))
        opened[(order >= start) & (order < end)] = passed * HOUR
        passed, start = passed + hours, end
    driven = np.ones(cars)
    if kind.spread:
        shape = 1 / kind.spread**2
        driven = rng.gamma(shape, 1 / shape, cars)
    installed = opened.copy()
    if kind.consents is not None:
        keen = driven > np.median(driven)
        wants = rng.random(cars) < np.where(keen, 1.2, 0.8) * kind.consents
        delay = rng.exponential(np.where(keen, 6.0, 48.0)) * HOUR
        asks = wants & (opened != NEVER)
        installed = np.where(asks, opened + np.where(asks, delay, 0).astype(np.int64), NEVER)
    highest = DAILY / 24 * 3 * max(kind.ratio, 1)
    many = rng.poisson(highest * HOURS * driven)
    who = np.repeat(np.arange(cars), many)
    hour = rng.random(len(who)) * HOURS
    at = (hour * HOUR).astype(np.int64)
    rate = kind.drift(hour) * np.where(installed[who] <= at, kind.ratio, 1.0) * DAILY / 24
    kept = rng.random(len(who)) * highest < rate
    order_of_time = np.argsort(at[kept])
    who, at = who[kept][order_of_time].astype(np.int32), at[kept][order_of_time]
    n = len(who)
    columns = Cars.waiting(order.astype(np.uint64), held_out, 0)
    columns = Cars(
        columns.place, held_out, columns.segment, columns.joined, opened, opened, installed, installed,
        columns.seen, columns.outcome,
    )  # fmt: skip
    health = Health(
        who, np.full(n, SIGNALS.index("trouble_code"), np.int16), at, at, at, np.ones(n, np.int32),
        np.zeros(n, np.int64), np.zeros(n, np.int64),
    )  # fmt: skip
    return Course(columns, health, installed, driven)
