"""From quotas to whole cars by day, keeping promises and moving few.

Several ways to build are tried, all through the same loop (``simulate.build``), which never exceeds a
capacity, never idles while something can be built, and gives whole cars. They differ by the labels that
say who goes first: as the plan before, by lock, by the weekly quotas of the linear program, by promise. The
first of them that is within ``TOLERANCE`` of the best is taken (``STABILITY`` for the plan before), after the
least breach of promises; so an unchanged input moves nobody, a day's events move few, and quotas replace
first-come only where they are worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from driveaway.delivery.planning.capacity import Calendar, Capacity, by_week, less
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts
from driveaway.delivery.planning.promises import keep
from driveaway.delivery.planning.queue import Queue, breached, groups, released, waited
from driveaway.delivery.planning.quotas import BREACH, Quotas, Room, solve
from driveaway.delivery.planning.signatures import Signatures
from driveaway.delivery.planning.simulate import build, cells, preference
from driveaway.delivery.planning.slots import assign

TOLERANCE = 0.002
"""Share of the cost by which a plan may be worse than the best one found and yet be preferred."""
STABILITY = 0.01
"""The same for the plan before: it is changed where that is worth more."""
_MARGINS = (0, 3, 10, 30)
_FORWARD = " with promises"
_FINE = 1_000
_ROUNDS = 4
_WHOLE = 1_500


@dataclass(frozen=True, slots=True)
class Master:
    """The master production schedule of the orders that wait.

    Attributes:
        built: whole cars of each signature on each day, shape (signatures, days).
        slot: day of each waiting order, ``NO_DAY`` where it gets none, in the order of the queue.
        way: how it was found: "previous plan", "first come", "quotas", "promises", or one of the first
            three "with promises" brought forward.
        cost: weighted car-weeks of waiting and breaches, as the program counts them.
        bound: no plan by the week costs less (optimum of the linear program).
        breach: days by which promises are missed, all together.
        least_breach: days of breach that no plan can do without, as far as it is known.
        quotas: the program's answer.
        prefer: pools of each signature, best first.
        mark: digest of what was planned, and with what.
    """

    built: Counts
    slot: Counts
    way: str
    cost: float
    bound: float
    breach: int
    least_breach: float
    quotas: Quotas
    prefer: Counts
    mark: bytes

    @property
    def gap(self) -> float:
        """Share by which the cost exceeds the bound."""
        return max(self.cost - self.bound, 0.0) / self.bound if self.bound > 0 else 0.0


def room(line: Queue, capacity: Capacity, found: Signatures, cal: Calendar) -> Room:
    """Capacities by week."""
    pools, limits = by_week(capacity, found, cal)
    free = released(line, cal.days)
    last = np.append(cal.first[1:], cal.days) - 1
    return Room(
        pools, limits, np.asarray(~capacity.fresh.any(axis=1)), None if free is None else free[:, last]
    )


class _Attempt(NamedTuple):
    way: str
    built: Counts
    slot: Counts
    cost: float
    breach: int


class _Scheduling:
    """One problem, and the ways that were tried."""

    def __init__(self, line: Queue, capacity: Capacity, found: Signatures, cal: Calendar) -> None:
        self.line, self.capacity, self.found, self.cal = line, capacity, found, cal
        self.weekly = room(line, capacity, found, cal)
        self.orders = groups(line, cal.week, promises=False)
        self.quotas = solve(self.orders, self.weekly, found)
        self.prefer = preference(found, self.quotas.by_pool)
        self.allowed = released(line, cal.days)
        self.tried: list[_Attempt] = []

    def attempt(self, way: str, label: Counts, base: Amounts | None = None) -> None:
        built = _built(self.line, label, base, self.capacity, self.found, self.prefer, self.allowed)
        self.tried.append(self.attempted(way, built))

    def attempted(self, way: str, built: Counts) -> _Attempt:
        """Give what is built to the orders, and judge it."""
        line, cal = self.line, self.cal
        slot = assign(line.start, line.release, line.due, built)
        return _Attempt(way, built, slot, waited(line, slot, cal.week), breached(line, slot, cal.days))

    def least(self) -> int:
        """Days of breach of the best so far."""
        return min(attempt.breach for attempt in self.tried)

    def chosen(self) -> _Attempt:
        """The first that is good enough among those with the least breach."""
        kept = [attempt for attempt in self.tried if attempt.breach == self.least()]
        cheapest = min(attempt.cost for attempt in kept)
        return next(
            attempt for attempt in kept if attempt.cost <= cheapest * (1 + _tolerance(attempt)) + 1e-9
        )

    def settle(self, attempt: _Attempt) -> _Attempt:
        """Follow a way by its own slots until nothing moves, so that a later plan can follow it too."""
        for _ in range(_ROUNDS):
            label = _by_targets(self.line, attempt.built.astype(np.float64))
            built = _built(self.line, label, None, self.capacity, self.found, self.prefer, self.allowed)
            if np.array_equal(built, attempt.built):
                break
            self.attempt(attempt.way, label)
            if self.tried[-1].breach > attempt.breach:
                break
            attempt = self.tried[-1]
        return attempt

    def settled(self) -> bool:
        """Whether one of the ways is good enough for none other to be tried."""
        return any(
            attempt.breach == 0 and attempt.cost <= self.quotas.cost * (1 + _tolerance(attempt))
            for attempt in self.tried
        )

    def bring_forward(self) -> None:
        """Bring promised cars forward in the best way so far, no more than it takes."""
        best = self.chosen()
        for margin in _MARGINS:
            if self.least() == 0:
                return
            target = _with_promises(best.built, self.line, margin)
            self.attempt(f"{best.way.removesuffix(_FORWARD)}{_FORWARD}", _by_targets(self.line, target))

    def reserve(self, cars: Amounts, prefer_first: bool) -> None:
        """Build ``cars`` (signatures, pools, days) in any case, and all else as in the way to be kept.

        First only those of signatures that break a promise until the last that is broken, then all.
        """
        ways = [attempt for attempt in self.tried if attempt.way.startswith("previous plan")]
        like = min(ways, key=lambda attempt: attempt.breach) if prefer_first and ways else self.chosen()
        late = np.minimum(like.slot, self.cal.days) > self.line.due
        some = np.zeros_like(cars)
        for s in np.unique(self.line.signature[late]):
            last = int(self.line.due[late & (self.line.signature == s)].max())
            some[s, :, : max(last, 0) + 1] = cars[s, :, : max(last, 0) + 1]
        for base in (some, cars):
            ahead = np.cumsum(like.built - base.sum(axis=1), axis=1)
            rest = np.diff(np.maximum.accumulate(np.maximum(ahead, 0), axis=1), axis=1, prepend=0)
            self.attempt(f"{like.way.removesuffix(_FORWARD)}{_FORWARD}", _by_targets(self.line, rest), base)

    def weekly_quotas(self, quotas: Quotas, way: str) -> None:
        daily = _daily(quotas.built, self.capacity, self.cal)
        self.attempt(way, _by_targets(self.line, daily))


def _tolerance(attempt: _Attempt) -> float:
    return STABILITY if attempt.way.startswith("previous plan") else TOLERANCE


def schedule(
    line: Queue,
    capacity: Capacity,
    found: Signatures,
    cal: Calendar,
    previous: Amounts | None = None,
    previous_mark: bytes = b"",
    seconds: float = 5.0,
) -> Master:
    """Place the orders that wait.

    Args:
        line: the orders.
        capacity: in whole cars, less what is frozen.
        found: signatures.
        cal: calendar weeks.
        previous: cars of each signature on each day in the plan before, less what is frozen, shape
            (signatures, days).
        previous_mark: ``Master.mark`` of that plan; where it is still the same, so is the plan.
        seconds: time limit of each search for whole cars; nothing else depends on the clock.
    """
    trying = _Scheduling(line, capacity, found, cal)
    if previous is not None:
        trying.attempt("previous plan", _by_targets(line, previous))
    if not trying.settled():
        trying.attempt("first come", _by_rank(line))
    if not trying.settled():
        small = trying.orders.count.size * cal.weeks <= _WHOLE
        best = trying.quotas
        if small:
            best = solve(trying.orders, trying.weekly, found, integral=True, seconds=seconds)
        trying.weekly_quotas(best, "quotas")
    bound, least_breach = trying.quotas.cost, 0.0
    promising = trying.least() > 0
    if promising:
        trying.bring_forward()
    if trying.least():
        kept = solve(groups(line, cal.week, promises=True), trying.weekly, found)
        bound = kept.cost
        trying.weekly_quotas(kept, "promises")
        trying.attempt("promises", _by_promise(line, cal.days))
        trying.bring_forward()
    if trying.least():
        base = keep(line, capacity, found, seconds)
        if base is not None:
            cars, least_breach = base
            trying.reserve(cars, previous is not None)
    mark = _mark(line, capacity, found)
    if previous is not None and mark == previous_mark:
        best_way = trying.attempted("previous plan", previous.astype(np.int64))
    else:
        best_way = trying.settle(trying.chosen())
    cost = best_way.cost
    if best_way.breach:
        cost += BREACH * float(line.weight.max()) * _late_weeks(line, best_way.slot, cal)
    return Master(
        best_way.built,
        best_way.slot,
        best_way.way,
        cost,
        bound,
        best_way.breach,
        least_breach,
        trying.quotas,
        trying.prefer,
        mark,
    )


def _mark(line: Queue, capacity: Capacity, found: Signatures) -> bytes:
    digest = blake2b(digest_size=16)
    of_orders = (line.signature, line.rank, line.release, line.due, line.weight)
    for array in (*of_orders, capacity.pools, capacity.limits, capacity.fresh, found.builds, found.uses):
        digest.update(str(array.shape).encode())
        digest.update(array.tobytes())
    return digest.digest()


def _built(
    line: Queue,
    label: Counts,
    base: Amounts | None,
    capacity: Capacity,
    found: Signatures,
    prefer: Counts,
    allowed: Amounts | None,
) -> Counts:
    """Build by labels; ``base`` (signatures, pools, days) is built in any case."""
    total = len(found)
    if base is None:
        queue = cells(line.signature, label, np.zeros(len(line), np.int64), total)
        return build(queue, capacity, found, prefer, allowed).astype(np.int64)
    fixed = base.sum(axis=1)
    taken = fixed.sum(axis=1).astype(np.int64)
    nth = np.arange(len(line)) - line.start[line.signature]
    rest = nth < (np.diff(line.start) - taken)[line.signature]
    queue = cells(line.signature[rest], label[rest], np.zeros(int(rest.sum()), np.int64), total)
    bound = None if allowed is None else allowed - np.cumsum(fixed, axis=1)
    built = build(queue, less(capacity, found, base), found, prefer, bound)
    return np.asarray(fixed + built).astype(np.int64)


def _with_promises(built: Counts, line: Queue, margin: int) -> Amounts:
    """What is built by each day, or what is promised by then and some days more, if that is more."""
    days = built.shape[1]
    promised = line.due != NO_DAY
    wanted = np.zeros(built.shape)
    day = np.clip(line.due[promised] - margin, 0, days - 1)
    np.add.at(wanted, (line.signature[promised], day), 1.0)
    by_day = np.maximum(np.cumsum(built, axis=1), np.cumsum(wanted, axis=1))
    raised: Amounts = np.diff(by_day, axis=1, prepend=0.0)
    return raised


def _by_rank(line: Queue) -> Counts:
    """Label orders by lock, finely."""
    return line.rank * _FINE // max(int(line.rank.max(initial=0)) + 1, _FINE)


def _by_targets(line: Queue, target: Amounts) -> Counts:
    """Label each order with the day by which ``target`` (signatures, days) builds as many."""
    days = target.shape[1]
    label = np.empty(len(line), np.int64)
    reached = np.rint(np.cumsum(target, axis=1))
    for s in range(len(line.start) - 1):
        low, high = line.start[s], line.start[s + 1]
        label[low:high] = np.searchsorted(reached[s], np.arange(1, high - low + 1), side="left")
    later = label >= days
    label[later] = days + _by_rank(line)[later]
    return label


def _by_promise(line: Queue, days: int) -> Counts:
    """Label the promised with their due days and all others after them; earliest promise first."""
    label = np.where(line.due == NO_DAY, days + _by_rank(line), np.maximum(line.due, 0))
    return label[np.lexsort((label, line.signature))]


def _daily(weekly: Amounts, capacity: Capacity, cal: Calendar) -> Amounts:
    """Spread weekly quotas over their days as the lines work."""
    output = capacity.pools.sum(axis=0)
    total = np.bincount(cal.week, weights=output, minlength=cal.weeks)
    share = np.where(total[cal.week] > 0, output / np.maximum(total[cal.week], 1e-12), 0.0)
    spread: Amounts = weekly[:, cal.week] * share
    return spread


def _late_weeks(line: Queue, slot: Counts, cal: Calendar) -> float:
    promised = line.due != NO_DAY
    due, day = line.due[promised], slot[promised]
    due_week = np.where(due >= 0, cal.week[np.maximum(due, 0)], np.floor_divide(due, 7))
    week = np.where(day == NO_DAY, cal.weeks, cal.week[np.where(day == NO_DAY, 0, day)])
    return float(np.maximum(week - due_week, 0).sum())
