"""From quotas to whole cars by day, keeping promises and moving few.

Several ways to build are tried, all through the same loop (``simulate.build``), which never exceeds a
capacity, never idles while something can be built, and gives whole cars. They differ by the labels that
say who goes first: as the plan before, by lock, by the weekly quotas of the linear program, by promise. The
first of them that is within ``TOLERANCE`` of the best is taken, after the least breach of promises; so an
unchanged input moves nobody, and quotas replace first-come only where they are worth it.
"""

from __future__ import annotations

from dataclasses import dataclass

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
_FINE = 1_000
_WHOLE = 1_500


@dataclass(frozen=True, slots=True)
class Master:
    """The master production schedule of the orders that wait.

    Attributes:
        built: whole cars of each signature on each day, shape (signatures, days).
        slot: day of each waiting order, ``NO_DAY`` where it gets none, in the order of the queue.
        way: "previous plan", "first come", "quotas" or "promises".
        cost: weighted car-weeks of waiting and breaches, as the program counts them.
        bound: no plan by the week costs less (optimum of the linear program).
        breach: days by which promises are missed, all together.
        quotas: the program's answer.
        prefer: pools of each signature, best first.
    """

    built: Counts
    slot: Counts
    way: str
    cost: float
    bound: float
    breach: int
    quotas: Quotas
    prefer: Counts

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


def schedule(
    line: Queue,
    capacity: Capacity,
    found: Signatures,
    cal: Calendar,
    previous: Amounts | None = None,
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
        seconds: time limit of each search for whole cars; nothing else depends on the clock.
    """
    weekly = room(line, capacity, found, cal)
    orders = groups(line, cal.week, promises=False)
    small = orders.count.size * cal.weeks <= _WHOLE
    quotas = solve(orders, weekly, found)
    prefer = preference(found, quotas.by_pool)
    allowed = released(line, cal.days)
    tried: list[tuple[str, Counts, Counts, float, int]] = []

    def attempt(way: str, label: Counts | None, base: Amounts | None = None) -> None:
        built = _built(line, label, base, capacity, found, prefer, allowed)
        slot = assign(line.start, line.release, line.due, built)
        tried.append((way, built, slot, waited(line, slot, cal.week), breached(line, slot, cal.days)))

    def good() -> bool:
        return any(way[4] == 0 and way[3] <= quotas.cost * (1 + TOLERANCE) for way in tried)

    if previous is not None:
        attempt("previous plan", _by_targets(line, previous))
    if not good():
        attempt("first come", line.rank * _FINE // max(int(line.rank.max(initial=0)) + 1, _FINE))
    if not good():
        best = solve(orders, weekly, found, integral=True, seconds=seconds) if small else quotas
        attempt("quotas", _by_targets(line, _daily(best.built, capacity, cal)))
    bound, promising = quotas.cost, False
    if min(attempted[4] for attempted in tried):
        promising = True
        with_promises = groups(line, cal.week, promises=True)
        kept = solve(with_promises, weekly, found)
        bound = kept.cost
        attempt("promises", _by_targets(line, _daily(kept.built, capacity, cal)))
        if tried[-1][4]:
            attempt("promises", _by_promise(line, cal.days))
        if min(attempted[4] for attempted in tried):
            base = keep(line, capacity, found, seconds)
            if base is not None:
                attempt("promises", None, base)
    least = min(attempted[4] for attempted in tried)
    kept_best = [attempted for attempted in tried if attempted[4] == least]
    cheapest = min(attempted[3] for attempted in kept_best)
    way, built, slot, cost, breach = next(
        attempted for attempted in kept_best if attempted[3] <= cheapest * (1 + TOLERANCE) + 1e-9
    )
    if promising:
        cost += BREACH * float(line.weight.max()) * _late_weeks(line, slot, cal)
    return Master(built, slot, way, cost, bound, breach, quotas, prefer)


def _built(
    line: Queue,
    label: Counts | None,
    base: Amounts | None,
    capacity: Capacity,
    found: Signatures,
    prefer: Counts,
    allowed: Amounts | None,
) -> Counts:
    """Build by labels; ``base`` (signatures, pools, days) is built in any case."""
    total = len(found)
    if base is None:
        assert label is not None
        queue = cells(line.signature, label, np.zeros(len(line), np.int64), total)
        return build(queue, capacity, found, prefer, allowed).astype(np.int64)
    fixed = base.sum(axis=1)
    taken = fixed.sum(axis=1).astype(np.int64)
    nth = np.arange(len(line)) - line.start[line.signature]
    rest = nth < (np.diff(line.start) - taken)[line.signature]
    rank = line.rank * _FINE // max(int(line.rank.max(initial=0)) + 1, _FINE)
    queue = cells(line.signature[rest], rank[rest], np.zeros(int(rest.sum()), np.int64), total)
    bound = None if allowed is None else allowed - np.cumsum(fixed, axis=1)
    built = build(queue, less(capacity, found, base), found, prefer, bound)
    return np.asarray(fixed + built).astype(np.int64)


def _by_targets(line: Queue, target: Amounts) -> Counts:
    """Label each order with the day by which ``target`` (signatures, days) builds as many."""
    days = target.shape[1]
    label = np.empty(len(line), np.int64)
    reached = np.rint(np.cumsum(target, axis=1))
    for s in range(len(line.start) - 1):
        low, high = line.start[s], line.start[s + 1]
        label[low:high] = np.searchsorted(reached[s], np.arange(1, high - low + 1), side="left")
    later = label >= days
    label[later] = days + line.rank[later] * _FINE // max(int(line.rank.max(initial=0)) + 1, _FINE)
    return label


def _by_promise(line: Queue, days: int) -> Counts:
    """Label the promised with their due days and all others after them; earliest promise first."""
    rank = line.rank * _FINE // max(int(line.rank.max(initial=0)) + 1, _FINE)
    label = np.where(line.due == NO_DAY, days + rank, np.maximum(line.due, 0))
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
