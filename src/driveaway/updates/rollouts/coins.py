"""From cars and reports of health to coins: which arm a bad event fell on, and the chance without harm.

**Opened, not installed.** Owners who install at once are not like the others: they drive more. So the arms
are the cars whose place was opened and those whose place was not, which a random draw decided.

**The first event of a car.** If the update does nothing, a car has its events whatever its place, and
among the cars without an event so far each is as likely as any other to hold the place of the next: so the
chance that it was opened is the share of opened cars among them, whatever the cars are like, whenever
their events come, and however late they are reported. A second event of the same car tells nothing
new about places: its place is known. It is left out. (Sampling without replacement: I. Waudby-Smith,
A. Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020.)

**By distance.** Where the update changes how much is driven, events are compared per metre instead. That
takes a model: the same rate per metre for all, up to a factor that may change from window to window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driveaway.facts.health import Signal
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Health, Times
from driveaway.updates.rollouts.counting import counted_before
from driveaway.updates.rollouts.evidence import Coins, Floats

Exposure = Literal["cars", "distance", "assisted_distance"]
"""What events are reckoned against."""


@dataclass(frozen=True, slots=True)
class Events:
    """Coins, with when each became known and where it belongs; all of shape ``n``, by ``known``."""

    coins: Coins
    known: Times
    segment: NDArray[np.int32]

    def chosen(self, rows: NDArray[np.bool_]) -> Events:
        """Some of them."""
        return Events(
            Coins(self.coins.opened[rows], self.coins.share[rows]), self.known[rows], self.segment[rows]
        )


def entered(cars: Cars, settling_s: int) -> Times:
    """When each car counts as opened: ``settling_s`` seconds after its place was, so that it may install.

    In between it counts on neither side.
    """
    return np.where(cars.opened == NEVER, NEVER, np.minimum(cars.opened, NEVER - 1) + settling_s * SECOND)


def events_by_cars(
    cars: Cars, health: Health, signals: Sequence[Signal], *, started: int, settling_s: int = 0
) -> Events:
    """The first event of each car since the rollout started, against the cars without an event so far.

    Args:
        cars: all cars of the rollout, the holdout included.
        health: reports; those with count 0 are not needed.
        signals: what counts as an event; a car has one for all of them.
        started: when the rollout started; windows that began before are left out.
        settling_s: seconds after opening in which a car counts on neither side.
    """
    rows = np.flatnonzero((health.count > 0) & health.of(signals) & (health.start >= started))
    rows = rows[health.end[rows] >= cars.joined[health.car[rows]]]
    rows = rows[np.sort(np.unique(health.car[rows], return_index=True)[1])]
    who, start, end = health.car[rows], health.start[rows], health.end[rows]
    after = np.maximum(end, start + 1)  # a control is opened at this moment or later
    opened_at, counts_from = cars.opened, entered(cars, settling_s)
    strata = cars.strata(started)
    opened, controls = np.zeros(len(rows)), np.zeros(len(rows))
    for stratum in np.unique(strata[who]).tolist():
        mine = np.flatnonzero(strata[who] == stratum)
        members = slice(None) if not strata.any() else strata == stratum
        a, b, car = start[mine], after[mine], who[mine]
        opened[mine] = _at_most(counts_from[members], a) - counted_before(counts_from[car], a)
        there = _at_most(cars.joined[members], end[mine]) - counted_before(cars.joined[car], end[mine])
        left = _at_most(opened_at[members], b - 1) - counted_before(opened_at[car], b - 1)
        controls[mine] = there - left
    fell = counts_from[who] <= start
    either = fell | (opened_at[who] >= after)
    total = np.maximum(opened + controls, 1)
    coins = Coins(fell[either], (opened / total)[either])
    return Events(coins, health.landed[rows][either], cars.segment[who][either])


def _at_most(values: Times, bounds: Times) -> NDArray[np.int64]:
    """For each bound, how many values are not above it."""
    steps = np.unique(bounds)
    at = np.bincount(np.searchsorted(steps, values), minlength=len(steps) + 1)
    return np.cumsum(at)[np.searchsorted(steps, bounds)]


def events_by_distance(
    cars: Cars,
    health: Health,
    signals: Sequence[Signal],
    *,
    started: int,
    now: int,
    assisted: bool = False,
    settling_s: int = 0,
    delay_s: int = 6 * 3600,
) -> Events:
    """The first window with an event of each car, against the metres of cars without one so far.

    Args:
        cars: all cars of the rollout, the holdout included.
        health: reports, also those with count 0, which carry metres. Windows start at common moments.
        signals: what counts as an event.
        started: when the rollout started; windows that began before are left out.
        now: windows count once they ended ``delay_s`` ago, so that most reports of them are there.
        assisted: whether metres with driving assistance count, and not all.
        settling_s: seconds after opening in which a car counts on neither side.
        delay_s: seconds.
    """
    metres = health.assisted_m if assisted else health.exposure_m
    due = (health.start >= started) & (health.end + delay_s * SECOND <= now) & health.of(signals)
    due &= (metres > 0) & (health.start >= cars.joined[health.car])
    rows = np.flatnonzero(due)
    first = np.full(len(cars), NEVER, dtype=np.int64)
    bad = rows[health.count[rows] > 0]
    np.minimum.at(first, health.car[bad], health.start[bad])
    rows = rows[health.start[rows] <= first[health.car[rows]]]
    who, start = health.car[rows], health.start[rows]
    fell = entered(cars, settling_s)[who] <= start
    either = fell | (cars.opened[who] >= health.end[rows])
    rows, who, start, fell = rows[either], who[either], start[either], fell[either]
    moments = np.unique(start)
    strata = cars.strata(started)
    width = int(strata.max()) + 1 if len(strata) else 1
    cell = np.searchsorted(moments, start) * width + strata[who]
    # A car may report one window in several rows, one for each signal: its metres count once.
    once = first_of(who.astype(np.int64) * len(moments) + cell // width) if len(signals) > 1 else slice(None)
    size = len(moments) * width
    opened = np.bincount(cell[once], weights=(metres[rows] * fell)[once], minlength=size)
    total = np.bincount(cell[once], weights=metres[rows][once].astype(np.float64), minlength=size)
    hit = np.flatnonzero(health.count[rows] > 0)
    hit = hit[first_of(who[hit].astype(np.int64))]
    hit = hit[np.argsort(health.end[rows[hit]], kind="stable")]
    share: Floats = opened[cell[hit]] / total[cell[hit]]
    known = health.end[rows[hit]] + delay_s * SECOND
    return Events(Coins(fell[hit], share), known, cars.segment[who[hit]])


def first_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the first appearance of each key, in their order."""
    return np.sort(np.unique(keys, return_index=True)[1])
