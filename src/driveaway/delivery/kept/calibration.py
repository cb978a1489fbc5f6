"""Promises learned from how long orders took, and kept honest by how the last promises fared.

A promise given at the beginning of a day knows what had happened before that day, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, exp, log

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.kept.load import load
from driveaway.delivery.kept.survival import Amounts, Counts, Flags, WaitCurve, of_sorted
from driveaway.values.errors import BadValue

_WIDEST = 2.5
_TURNOVERS = 20


@dataclass(frozen=True, slots=True)
class History:
    """Orders and what became of them.

    Attributes:
        started: time each order was placed, in days from any origin, shape (orders,).
        delivered: time of delivery, infinite while there was none, shape (orders,).
        left: time from which the order no longer shows how long the maker takes: it was called off, or
            its buyer asked for a later day; infinite otherwise, shape (orders,).
        group: code of its group, 0 … groups − 1, shape (orders,).
    """

    started: Amounts
    delivered: Amounts
    left: Amounts
    group: Counts

    def __post_init__(self) -> None:
        if not len(self.started) == len(self.delivered) == len(self.left) == len(self.group):
            raise BadValue("the columns of a history differ in length", code="delivery.history")
        if len(self.group) and int(self.group.min()) < 0:
            raise BadValue("a code of a group is negative", code="delivery.history")
        early = np.flatnonzero(~(np.minimum(self.delivered, self.left) >= self.started))
        if len(early):
            raise BadValue(
                f"{len(early)} orders end before they start, or have no time",
                code="delivery.wait",
                place=f"order {early[0]} of the history",
                remedy="correct the times, or leave these orders out and say so",
            )


@dataclass(frozen=True, slots=True)
class Method:
    """How bounds are learned. What the defaults rest on: docs/explanation/calibration.md.

    Attributes:
        level: share of promises that is to be kept.
        memory: days after which what happened counts 1/e of what happens now (Kaplan–Meier's weights).
        group_memory: days of orders from which the groups' differences are learned.
        group_prior: orders' worth of belief that a group is like all others.
        least: delivered orders without which no promise is given.
        load_power: the bound grows with the load (``load.load``) to this power where it is above usual:
            0 not at all, 1 all orders move as one queue, 1/2 half of what makes the wait is a queue.
        gain: of the adaptive step; see ``AdaptiveLevel``.
        corrected: whether conformal prediction's finite-sample correction is made.
    """

    level: float = 0.9
    memory: float = 30.0
    group_memory: float = 180.0
    group_prior: float = 10.0
    least: int = 20
    load_power: float = 0.5
    gain: float = 1 / e
    corrected: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise BadValue(f"level {self.level} is not between 0 and 1", code="delivery.level")
        if not (self.memory > 0 and self.group_memory > 0 and self.group_prior > 0 and self.least > 0):
            raise BadValue("memories, the prior and the least are above 0", code="delivery.method")
        if not (self.gain >= 0 and 0 <= self.load_power <= 1):
            raise BadValue("the gain is 0 or more, the load's power 0 to 1", code="delivery.method")


class AdaptiveLevel:
    """The level that is asked for so that the share kept comes out as wanted.

    After each promise whose date has passed: level += step × (missed − (1 − wanted)), adaptive conformal
    inference (Gibbs and Candès, NeurIPS 2021, eq. 2). A promise is settled *when its date passes*, kept
    or missed: a kept one is known sooner, but settling kept ones first would teach that all is well.

    So every step is late by the promised wait itself. With m promises in flight, the level is an
    integrator with that delay, which neither swings nor dawdles when step × m = 1/e (the double root of
    s + k·exp(−s·T) = 0 lies at k·T = 1/e; above π/2 it swings for ever). Hence step = gain / m, and no
    step size is left to tune. m is averaged over the last twenty turnovers: with the m of the moment,
    steps would be small just when promises are long and kept, and more would be kept than wanted.

    The level is bounded: at most twice and at least a fifth of the misses that are wanted. While it stays
    inside and the step is the same, the share missed of all settled promises differs from the wanted one
    by no more than (change of the level) / (step × promises), whatever the orders do (as proposition 4.1
    there: the changes add up).
    """

    def __init__(self, wanted: float, gain: float = 1 / e) -> None:
        self.wanted = wanted
        self.gain = gain
        self.level = wanted
        self._settled = 0
        self._in_flight = 0.0

    def settle(self, missed: bool, in_flight: int) -> None:
        """Learn from one promise whose date has passed while so many others are in flight."""
        aim = 1 - self.wanted
        flying = max(float(in_flight), 1 / aim)
        self._settled += 1
        self._in_flight += (flying - self._in_flight) / min(self._settled, _TURNOVERS * flying)
        level = self.level + self.gain / self._in_flight * (missed - aim)
        self.level = min(max(level, 1 - min(2 * aim, 0.5 + aim / 2)), 1 - aim / 5)


def adapted_level(
    wanted: float,
    given: Amounts,
    due: Amounts,
    missed: Flags,
    gain: float = 1 / e,
    *,
    standing: Amounts | None = None,
) -> float:
    """The level to ask a forecast for, from its past promises of ``wanted`` whose dates have passed.

    For a planner's own quantiles: where promises at 90% were kept in 84%, ask it for more than 90%.

    Args:
        wanted: share to be kept.
        given: day each promise was given, shape (promises,).
        due: its last day, all in the past, shape (promises,).
        missed: whether it was missed, shape (promises,).
        gain: of the step.
        standing: day each promise was given whose date has not passed yet: they are in flight beside
            the others, shape (promises that stand,); None: none stands.
    """
    step = AdaptiveLevel(wanted, gain)
    order = np.argsort(due, kind="stable")
    begun = np.searchsorted(np.sort(given), due[order], side="right")
    if standing is not None:
        begun += np.searchsorted(np.sort(standing), due[order], side="right")
    for place, (which, so_far) in enumerate(zip(order.tolist(), begun.tolist(), strict=True)):
        step.settle(bool(missed[which]), so_far - place)
    return step.level


def wait_bounds(history: History, day: float, level: float, method: Method, groups: int) -> Amounts:
    """For each group, the wait within which a share ``level`` of orders placed now is delivered.

    The groups share one weighted Kaplan–Meier curve of waits relative to the group's own: what drifts
    (a busy season, a strike) is learned fast from all of them, what stays (distance) slowly from each.
    The load is not in it.

    Args:
        history: only what happened before ``day`` is looked at.
        day: now.
        level: wanted, 0–1.
        method: memories and correction.
        groups: how many there are.

    Returns:
        Waits in days, shape (groups,); infinite where the record reaches no such level; not a number
        where too few orders have been delivered yet.
    """
    reach = day - max(12 * method.memory, method.group_memory)
    some = (history.started < day) & (history.started >= reach)
    started, group = history.started[some], history.group[some]
    delivered, left = history.delivered[some], history.left[some]
    end = np.minimum(delivered, left)
    ended = (delivered <= left) & (delivered < day)
    if ended.sum() < method.least:
        return np.full(groups, np.nan)
    waits = np.minimum(end, day) - started
    factor = _group_factors(waits, ended, group, started >= day - method.group_memory, method, groups)
    relative = waits / factor[group]
    order = np.argsort(relative, kind="stable")
    weights = np.exp((started - day) / method.memory)
    curve = of_sorted(relative[order], ended[order], weights[order])
    return factor * curve.bound(level, corrected=method.corrected)


def widened(loads: Amounts, method: Method) -> Amounts:
    """By what bounds are multiplied at such loads: 1 where the load is usual or low; loads count up to 2.5.

    They are never shortened: a low load is in the curve soon enough, and being wrong breaks promises.
    """
    return np.asarray(np.clip(loads, 1.0, _WIDEST) ** method.load_power)


_COMPARED = 0.75
"""The quantile at which groups are compared: towards the tail that is promised, and still well filled."""


def _group_factors(
    waits: Amounts, ended: Flags, group: Counts, lately: Flags, method: Method, groups: int
) -> Amounts:
    order = np.flatnonzero(lately)
    order = order[np.argsort(waits[order], kind="stable")]
    all_waits = of_sorted(waits[order], ended[order]).bound(_COMPARED)
    factors = np.ones(groups)
    if not 0 < all_waits < float("inf"):
        return factors
    for code in range(groups):
        of_group = order[group[order] == code]
        curve: WaitCurve = of_sorted(waits[of_group], ended[of_group])
        own = curve.bound(_COMPARED)
        if 0 < own < float("inf"):
            trust = curve.orders / (curve.orders + method.group_prior)
            factors[code] = exp(trust * log(own / all_waits))
    return factors


@dataclass(frozen=True, slots=True)
class Replay:
    """Promises as they would have been given.

    Attributes:
        wait: promised wait of each order in days, shape (orders,); not a number: no promise was given.
        level: the level that was asked for, shape (orders,).
        load: the load on its day, shape (orders,).
    """

    wait: Amounts
    level: Amounts
    load: Amounts


def replay(history: History, method: Method) -> Replay:
    """Give every order of a history its promise, day by day, from what was known before that day.

    Promises of a day are made at its beginning. They learn from each other only once their dates have
    passed; one whose order left before its date teaches nothing.
    """
    count = len(history.started)
    promised = np.full(count, np.nan)
    levels = np.full(count, np.nan)
    loads = np.ones(count)
    if not count:
        return Replay(promised, levels, loads)
    days = np.floor(history.started).astype(np.int64)
    first, last = int(days.min()), int(days.max())
    groups = int(history.group.max()) + 1
    closed = np.minimum(history.delivered, history.left)
    by_day = load(history.started, closed, first, last)
    widening = widened(by_day, method)
    step = AdaptiveLevel(method.level, method.gain)
    order = np.argsort(days, kind="stable")
    starts = np.searchsorted(days[order], np.arange(first, last + 2))
    ending: list[list[NDArray[np.int64]]] = [[] for _ in range(last - first + 2)]
    in_flight = 0
    for place, day in enumerate(range(first, last + 1)):
        for which in _in_order(ending[place], history.started, promised):
            in_flight -= 1
            due = history.started[which] + promised[which]
            if min(history.delivered[which], due) <= history.left[which]:
                step.settle(bool(history.delivered[which] > due), in_flight + 1)
        today = order[starts[place] : starts[place + 1]]
        if not len(today):
            continue
        bounds = wait_bounds(history, day, step.level, method, groups) * widening[place]
        wait = bounds[history.group[today]]
        promised[today] = np.where(np.isfinite(wait), wait, np.nan)
        levels[today] = step.level
        loads[today] = by_day[place]
        given = today[np.isfinite(promised[today])]
        in_flight += len(given)
        known_on = np.floor(history.started[given] + promised[given]).astype(np.int64) + 1 - first
        for when in np.unique(known_on[known_on < len(ending)]).tolist():
            ending[when].append(given[known_on == when])
    return Replay(promised, levels, loads)


def _in_order(parts: list[NDArray[np.int64]], started: Amounts, promised: Amounts) -> NDArray[np.int64]:
    if not parts:
        return np.zeros(0, dtype=np.int64)
    which = np.concatenate(parts)
    return which[np.argsort(started[which] + promised[which], kind="stable")]
