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
_FAR = NEVER // 2
"""A moment so far that adding to it stays below NEVER."""


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
    return np.where(cars.opened == NEVER, NEVER, np.minimum(cars.opened, _FAR) + settling_s * SECOND)


def events_by_cars(
    cars: Cars,
    health: Health,
    signals: Sequence[Signal],
    *,
    started: int,
    settling_s: int = 0,
    window_s: int = 0,
) -> Events:
    """The first event of each car since the rollout started, against the cars without an event so far.

    Args:
        cars: all cars of the rollout, the holdout included.
        health: reports; those with count 0 are not needed.
        signals: what counts as an event; a car has one for all of them.
        started: when the rollout started; windows that began before are left out.
        settling_s: seconds after opening in which a car counts on neither side.
        window_s: 0: a car has one event in the whole rollout. Else it has one in each window of so many
            seconds: more events, but the chances then hold only as far as all cars have the same rate.
    """
    rows = np.flatnonzero((health.count > 0) & health.of(signals) & (health.start >= started))
    rows = rows[health.end[rows] >= cars.joined[health.car[rows]]]
    window = (health.start[rows] - started) // (window_s * SECOND) if window_s else np.zeros_like(rows)
    once = first_of(health.car[rows].astype(np.int64) * (int(window.max(initial=0)) + 1) + window)
    rows, window = rows[once], window[once]
    who, start, end = health.car[rows], health.start[rows], health.end[rows]
    after = np.maximum(end, start + 1)  # a control is opened at this moment or later
    strata = cars.strata(started)
    stratum = strata[who].astype(np.int64)
    group = window * (int(stratum.max(initial=0)) + 1) + stratum
    opening = _Counted(cars.opened, strata, who, group)
    counts_from = start - settling_s * SECOND
    opened = opening.at_most(counts_from)
    left = opened if np.array_equal(counts_from, after - 1) else opening.at_most(after - 1)
    controls = _joined(cars, strata, who, group, end) - left
    fell = cars.opened[who] <= counts_from
    either = fell | (cars.opened[who] >= after)
    share = opened / np.maximum(opened + controls, 1)
    return Events(Coins(fell[either], share[either]), health.landed[rows][either], cars.segment[who][either])


def _joined(
    cars: Cars, strata: NDArray[np.int32], who: NDArray[np.int32], group: NDArray[np.int64], by: Times
) -> NDArray[np.int64]:
    """For each row: cars of its stratum that had joined by then, without an earlier row."""
    if len(by) and int(cars.joined.max()) <= int(by.min()):
        order = np.argsort(group, kind="stable")
        earlier = np.empty_like(group)
        earlier[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
        return np.bincount(strata)[strata[who]] - earlier
    return _Counted(cars.joined, strata, who, group).at_most(by)


class _Counted:
    """Cars by when something happened to them, less those whose event came before each row.

    Args:
        moments: of all cars.
        strata: of all cars.
        who: the car of each row.
        group: stratum and window of each row: rows of one group take one another away.
    """

    def __init__(
        self,
        moments: Times,
        strata: NDArray[np.int32],
        who: NDArray[np.int32],
        group: NDArray[np.int64],
    ) -> None:
        self._base = int(moments.min(initial=0)) - 1
        self._last = int(moments.max(where=moments != NEVER, initial=self._base)) + 1
        self._width = self._last - self._base + 2
        several = bool(strata.any())
        self._sizes = np.bincount(strata)
        keys = self._placed(moments)
        self._keys = np.sort(strata.astype(np.int64) * self._width + keys) if several else np.sort(keys)
        self._stratum = strata[who].astype(np.int64)
        self._before = np.concatenate(([0], np.cumsum(self._sizes)))[self._stratum]
        self._order = np.argsort(group, kind="stable")
        sorted_group = group[self._order]
        self._group = np.unique(sorted_group, return_inverse=True)[1].astype(np.int64)
        self._earlier = np.searchsorted(sorted_group, sorted_group)
        self._own = self._placed(moments[who])

    def _placed(self, moments: Times) -> NDArray[np.int64]:
        """Moments as numbers from 0; those beyond the last one that came are one number."""
        return np.clip(moments, self._base, self._last + 1) - self._base

    def at_most(self, bounds: Times) -> NDArray[np.int64]:
        """For each row: how many cars of its stratum, without an earlier row, have a moment up to it."""
        limits = np.clip(bounds, self._base, self._last) - self._base
        of_all = np.searchsorted(self._keys, self._stratum * self._width + limits, side="right")
        lift = self._group * self._width
        taken = np.empty_like(limits)
        taken[self._order] = (
            counted_before(lift + self._own[self._order], lift + limits[self._order]) - self._earlier
        )
        return of_all - self._before - taken


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
