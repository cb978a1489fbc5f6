"""Who gets which slot: first locked, first served inside each signature.

Inside a signature slots go by priority, lock and id, so that an earlier lock of the same configuration
and priority never gets a later slot. Three things may put an order out of its turn, and each is listed: a
frozen slot, a promised window that would be missed in turn, and a buyer (or a lock) that is not ready.

Promises pass others by E. L. Lawler's backward rule (Management Science 19, 1973): the last slot goes to
the last in turn among those whose window allows it, then the one before, and so on. A promise is broken
inside a signature only where every assignment to its slots breaks one, and nobody passes without need.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

import numpy as np

from driveaway.delivery.compiled import compiled
from driveaway.delivery.planning.problem import NO_DAY, Counts, Flags

Reason = Literal["frozen slot", "promised window", "not ready"]


@compiled
def _assign(start: Counts, release: Counts, due: Counts, built: Counts, slot: Counts) -> None:
    never = np.iinfo(np.int64).max
    for row in range(len(start) - 1):
        low, high = start[row], start[row + 1]
        size = high - low
        if size == 0:
            continue
        # In turn: on each day the first of those who may be built.
        sequence = np.empty(size, np.int64)
        day_of = np.full(size, never, np.int64)
        at_once = True
        for nth in range(low, high):
            at_once = at_once and release[nth] <= 0
        waiting = np.arange(size) if at_once else np.argsort(release[low:high], kind="mergesort")
        ready = [np.int64(0)]
        ready.pop()
        entered = taken = 0
        broken = False
        for day in range(built.shape[1]):
            if at_once:
                # Nobody enters later: the next is the first.
                for _ in range(min(built[row, day], size - taken)):
                    sequence[taken] = taken
                    day_of[taken] = day
                    broken = broken or due[low + taken] < day
                    taken += 1
                continue
            while entered < size and release[low + waiting[entered]] <= day:
                heappush(ready, waiting[entered])
                entered += 1
            for _ in range(built[row, day]):
                if len(ready) == 0:
                    break
                first = heappop(ready)
                sequence[taken] = first
                day_of[taken] = day
                taken += 1
                broken = broken or due[low + first] < day
        left = np.ones(size, np.bool_)
        for nth in range(taken):
            left[sequence[nth]] = False
        for nth in range(size):
            if left[nth]:
                sequence[taken] = nth
                taken += 1
                broken = broken or due[low + nth] != never
        if not broken:
            for nth in range(size):
                slot[low + sequence[nth]] = day_of[nth]
            continue
        # Backward: the last in turn whose window allows the slot; where none does, the latest window.
        latest = np.empty(size, np.int64)
        for nth in range(size):
            order = low + sequence[nth]
            # Who is not ready from the first day is never moved ahead.
            latest[nth] = due[order] if release[order] <= 0 else never
        by_due = np.argsort(latest, kind="mergesort")[::-1]
        ready.clear()
        entered = 0
        for nth in range(size - 1, -1, -1):
            while entered < size and latest[by_due[entered]] >= day_of[nth]:
                heappush(ready, -by_due[entered])
                entered += 1
            if len(ready) > 0:
                chosen = -heappop(ready)
            else:
                chosen = by_due[entered]
                entered += 1
            slot[low + sequence[chosen]] = day_of[nth]


def assign(start: Counts, release: Counts, due: Counts, built: Counts) -> Counts:
    """Give the cars built on each day to the orders of each queue.

    Args:
        start: where each queue begins, and the end, shape (queues + 1,).
        release: first day on which an order may be built, in the order of the queues, shape (orders,).
        due: last day that keeps its promise, ``NO_DAY`` where none, shape (orders,).
        built: cars of each queue on each day, shape (queues, days).

    Returns:
        The day of each order, ``NO_DAY`` where it gets none, shape (orders,).
    """
    slot = np.full(len(release), NO_DAY, np.int64)
    if len(release):
        _assign(start, release, due, np.ascontiguousarray(built, np.int64), slot)
    return slot


@dataclass(frozen=True, slots=True)
class OutOfTurn:
    """Orders that got an earlier or later slot than their turn, and why.

    Attributes:
        order: index of the order, shape (exceptions,).
        reason: of each exception.
    """

    order: Counts
    reason: tuple[Reason, ...]


def out_of_turn(
    turn: Counts, kind: Counts, slot: Counts, frozen: Flags, promised: Flags, late: Flags
) -> OutOfTurn:
    """List who passed others or was passed, inside a configuration and priority.

    Args:
        turn: orders by configuration, priority, lock and id; all else stands in the same order.
        kind: group in which turns count, ascending.
        slot: of each order.
        frozen: whether the slot was frozen.
        promised: whether a window was promised.
        late: whether the order could not be built from the first day.
    """
    if not len(turn):
        return OutOfTurn(np.zeros(0, np.int64), ())
    key = np.where(slot == NO_DAY, np.int64(1) << 30, slot) + kind * (np.int64(1) << 32)
    before = np.maximum.accumulate(key)
    after = np.minimum.accumulate(key[::-1])[::-1]
    # An order is passed by a later one if the least key from it on is not its own, and the like.
    passes, passed = before > key, after < key
    which = np.where(frozen, 0, np.where(promised & passes, 1, np.where(late, 2, -1)))
    listed = (which >= 0) & (passes | passed)
    reasons: list[Reason] = ["frozen slot", "promised window", "not ready"]
    return OutOfTurn(turn[listed], tuple(reasons[index] for index in which[listed]))
