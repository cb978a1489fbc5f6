"""Build cars day by day from queues of counts: the one loop behind plans and behind paths of the future.

A signature's queue is a list of *cells*: so many orders with one label (the lower, the earlier they are
served) and one age. Each day takes from the queue whose head has the lowest label until nothing more can
be built. Nothing is done order by order: a path costs O(days × signatures + cells) steps.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.compiled import compiled
from driveaway.delivery.planning.capacity import Capacity
from driveaway.delivery.planning.problem import Amounts, Counts, Flags
from driveaway.delivery.planning.signatures import Signatures

Singles = NDArray[np.float32]
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Cells:
    """Queues of all signatures, one after another.

    Attributes:
        start: first cell of each signature, and the end, shape (signatures + 1,).
        label: the lowest is served first; ascending within a signature, shape (cells,).
        count: orders, shape (cells,).
        age: days since their locks on day 0, shape (cells,).
    """

    start: Counts
    label: Counts
    count: Amounts
    age: Counts


def cells(signature: Counts, label: Counts, age: Counts, total: int) -> Cells:
    """Count queues by signature and label.

    Args:
        signature: of each order; in the order of their queues, shape (orders,).
        label: of each order, ascending within a signature, shape (orders,).
        age: days since the lock, shape (orders,).
        total: how many signatures there are.
    """
    if not len(signature):
        empty = np.zeros(0, np.int64)
        return Cells(np.zeros(total + 1, np.int64), empty, np.zeros(0), empty)
    change = (signature[1:] != signature[:-1]) | (label[1:] != label[:-1])
    first = np.concatenate([[0], np.flatnonzero(change) + 1])
    count = np.diff(np.append(first, len(signature))).astype(np.float64)
    mean_age = np.rint(np.add.reduceat(age.astype(np.float64), first) / count).astype(np.int64)
    start = np.searchsorted(signature[first], np.arange(total + 1)).astype(np.int64)
    return Cells(start, label[first], count, mean_age)


def with_probe(found: Cells) -> Cells:
    """Put one more order at the end of each queue: where a buyer who has not ordered would stand."""
    total = len(found.start) - 1
    ends = found.start[1:]
    last = int(found.label.max(initial=0)) + 1
    return Cells(
        found.start + np.arange(total + 1),
        np.insert(found.label, ends, last),
        np.insert(found.count, ends, 1.0),
        np.insert(found.age, ends, 0),
    )


def preference(found: Signatures, share: Amounts | None = None) -> Counts:
    """Pools that build each signature, best first, -1 beyond: shape (signatures, pools).

    The pool with most of ``share`` (signatures, pools) goes first, then the one that can do least else.
    """
    flexible = found.builds.sum(axis=0)
    order = np.full((len(found), found.pools), -1, np.int64)
    for row in range(len(found)):
        able = np.flatnonzero(found.builds[row])
        most = np.zeros(len(able)) if share is None else -share[row, able]
        order[row, : len(able)] = able[np.lexsort((flexible[able], most))]
    return order


@compiled
def _run(
    start: Counts,
    label: Counts,
    count: Amounts,
    age: Counts,
    probe: bool,
    pools: Amounts,
    limits: Amounts,
    fresh: Flags,
    prefer: Counts,
    uses: Flags,
    bounded: bool,
    allowed: Amounts,
    survival: Amounts,
    position: Any,
    built: Any,
) -> None:
    total, days = prefer.shape[0], pools.shape[1]
    kinds = limits.shape[0]
    ages = survival.shape[0]
    head = start[:-1].copy()
    left = np.zeros(total)
    place = np.zeros(total)
    rest = np.zeros(kinds)
    output = np.zeros(pools.shape[0])
    alive = np.zeros(total, np.bool_)
    for s in range(total):
        if head[s] < start[s + 1]:
            left[s] = count[head[s]]
    for day in range(days):
        spare = 0.0
        for pool in range(pools.shape[0]):
            output[pool] = pools[pool, day]
            spare += output[pool]
        for kind in range(kinds):
            if fresh[kind, day]:
                rest[kind] = 0.0
            rest[kind] += limits[kind, day]
        for s in range(total):
            built[s, day] = 0.0
            alive[s] = head[s] < start[s + 1]
        while spare > _LEAST:
            best = -1
            for s in range(total):
                if alive[s] and (best < 0 or label[head[s]] < label[head[best]]):
                    best = s
            if best < 0:
                break
            s = best
            cell = head[s]
            alive_share = 1.0
            if ages:
                before = survival[min(age[cell], ages - 1)]
                alive_share = survival[min(age[cell] + day, ages - 1)] / before if before > 0.0 else 0.0
            if alive_share < _LEAST:
                # Everybody here has cancelled by now.
                place[s] += left[s]
                left[s] = 0.0
            else:
                want = left[s] * alive_share
                take = want
                if bounded:
                    take = min(take, allowed[s, day] - place[s])
                for kind in range(kinds):
                    if uses[s, kind]:
                        take = min(take, rest[kind])
                able = 0.0
                for nth in range(prefer.shape[1]):
                    if prefer[s, nth] >= 0:
                        able += output[prefer[s, nth]]
                take = min(take, able)
                if take <= _LEAST:
                    alive[s] = False
                    continue
                # The probe takes nothing from anybody: it asks what one more order would get.
                if not (probe and cell == start[s + 1] - 1):
                    for kind in range(kinds):
                        if uses[s, kind]:
                            rest[kind] -= take
                    due = take
                    for nth in range(prefer.shape[1]):
                        if prefer[s, nth] >= 0:
                            part = min(due, output[prefer[s, nth]])
                            output[prefer[s, nth]] -= part
                            due -= part
                    spare -= take
                    built[s, day] += take
                if take < want - _LEAST:
                    place[s] += take / alive_share
                    left[s] -= take / alive_share
                    alive[s] = False
                    continue
                place[s] += left[s]
                left[s] = 0.0
            head[s] += 1
            if head[s] < start[s + 1]:
                left[s] = count[head[s]]
            else:
                alive[s] = False
        for s in range(total):
            position[s, day] = place[s]


@compiled
def _run_paths(
    first: int,
    last: int,
    start: Counts,
    label: Counts,
    count: Amounts,
    age: Counts,
    pools: Amounts,
    limits: Amounts,
    fresh: Flags,
    prefer: Counts,
    uses: Flags,
    survival: Amounts,
    position: Singles,
    built: Singles,
) -> None:
    nothing = np.zeros((0, 0))
    for path in range(first, last):
        _run(
            start, label, count, age, True, pools[path], limits[path], fresh, prefer, uses,
            False, nothing, survival, position[:, :, path], built[:, :, path],
        )  # fmt: skip


def build(
    queue: Cells, capacity: Capacity, found: Signatures, prefer: Counts, allowed: Amounts | None = None
) -> Amounts:
    """Cars of each signature built on each day, shape (signatures, days).

    Whole capacities and whole counts give whole cars.

    Args:
        queue: the orders.
        capacity: what can be built.
        found: signatures.
        prefer: pools of each signature, best first (see ``preference``).
        allowed: most cars of a signature that may have been built by each day (the others may not be
            built yet), shape (signatures, days); None: no such bound.
    """
    shape = (len(found), capacity.pools.shape[1])
    position, built = np.zeros(shape), np.zeros(shape)
    bound = np.zeros((0, 0)) if allowed is None else allowed
    _run(
        queue.start, queue.label, queue.count, queue.age, False, capacity.pools, capacity.limits,
        capacity.fresh, prefer, found.uses, allowed is not None, bound, np.zeros(0), position, built,
    )  # fmt: skip
    return built


@dataclass(frozen=True, slots=True)
class Paths:
    """What is built on each path of the future.

    Attributes:
        position: place of the queue reached at the end of a day, counted in orders as they stand on day
            0 (those who cancel on the way count when they are passed), shape (signatures, days, paths).
        built: cars built on a day, shape (signatures, days, paths).
    """

    position: Singles
    built: Singles


def build_paths(
    queue: Cells,
    pools: Amounts,
    limits: Amounts,
    fresh: Flags,
    found: Signatures,
    prefer: Counts,
    survival: Amounts,
) -> Paths:
    """Build on every path: the orders of ``queue`` and, behind each signature, one probe.

    The k-th order of a signature is built by the end of a day exactly where ``position`` is at least k.
    The probe (the place of a buyer who has not ordered) moves ``position`` and is not in ``built``.

    Args:
        queue: the orders, labelled by their places in the plan.
        pools: shape (paths, pools, days).
        limits: shape (paths, limits, days).
        fresh: shape (limits, days).
        found: signatures.
        prefer: pools of each signature, best first.
        survival: share of locks that stand after so many days, shape (ages,); empty: nobody cancels.
    """
    probed = with_probe(queue)
    count, days = pools.shape[0], pools.shape[2]
    position = np.empty((len(found), days, count), np.float32)
    built = np.empty((len(found), days, count), np.float32)
    cuts = np.linspace(0, count, 3).astype(int)

    def part(half: int) -> None:
        _run_paths(
            int(cuts[half]), int(cuts[half + 1]), probed.start, probed.label, probed.count, probed.age,
            pools, limits, fresh, prefer, found.uses, survival, position, built,
        )  # fmt: skip

    with ThreadPoolExecutor(2) as threads:
        # Compiled once, by the first; then both halves run beside each other.
        if not _run_paths.signatures:  # type: ignore[attr-defined]
            part(0)
            part(1)
        else:
            list(threads.map(part, (0, 1)))
    return Paths(position, built)
