"""Dates of all orders at once: sorted columns instead of sorted orders.

On a path, the k-th order of a queue is built by the end of day d exactly where the place reached by then is
at least k. So the chance of that is the share of paths on which it is; for a confidence q the places that
are built by day d with chance q are those up to the ⌈q × paths⌉-th largest of that day's column. These
thresholds never fall from day to day, and one binary search finds the day of any order.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from driveaway.delivery.compiled import compiled
from driveaway.delivery.planning.handover import Handovers, queued_thresholds
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts
from driveaway.delivery.planning.signatures import LeadGroups
from driveaway.delivery.planning.simulate import Paths, Singles

_TAIL = 64


@dataclass(frozen=True, slots=True)
class Curves:
    """Places of each queue that are reached by each day.

    Attributes:
        confidences: shape (confidences,).
        built: place built by each day, shape (signatures, confidences, days).
        handed: place handed over by each day, shape (signatures, groups, confidences, days).
    """

    confidences: Amounts
    built: Amounts
    handed: Amounts


def columns(paths: Paths, confidences: Amounts) -> tuple[Singles, Amounts, Counts]:
    """Sort each day's column over the paths.

    Returns:
        The sorted places (signatures, days, paths), the thresholds built (signatures, confidences, days),
        and the rank of each confidence in a sorted column.
    """
    count = paths.position.shape[2]
    ordered = np.sort(paths.position, axis=2)
    ranks = count - np.ceil(confidences * count - 1e-9).astype(np.int64)
    ranks = np.clip(ranks, 0, count - 1)
    return ordered, np.moveaxis(ordered[:, :, ranks], 2, 1).astype(np.float64), ranks


def curves(paths: Paths, handovers: Handovers, groups: LeadGroups, confidences: Amounts, seed: int) -> Curves:
    """Thresholds of all signatures and lead groups.

    The chance to be handed over by day t is the sum over the leads of their probability × the chance to
    be built so many days before. It is computed on a grid of places (those reached on each day on the
    median path, so that a step is a day's output, and some beyond) and read between them along a line
    where the queue's speed is uncertain, at the lower place where it is not.
    """
    ordered, built, ranks = columns(paths, confidences)
    signatures, days, count = ordered.shape
    handed = np.zeros((signatures, len(groups.lead), len(confidences), days))
    leads = [np.trim_zeros(lead, "b").astype(np.float32) for lead in groups.lead]
    for s in range(signatures):
        grid = _grid(ordered[s])
        chance = _chances(ordered[s], grid)
        steps = np.diff(grid).mean() if len(grid) > 1 else 0.0
        low, high = ordered[s, :, count // 10], ordered[s, :, count - 1 - count // 10]
        smooth = float((high - low).mean()) > 2 * steps
        for group in range(len(groups.lead)):
            if group in handovers.served:
                handed[s, group] = queued_thresholds(
                    paths.position[s], handovers.served[group], groups, group, ranks, seed
                )
            else:
                handed[s, group] = _thresholds(chance, leads[group], grid, confidences, smooth)
    return Curves(confidences, built, handed)


def _grid(ordered: Singles) -> Singles:
    count = ordered.shape[1]
    middle, most = ordered[:, count // 2], float(ordered[-1, -1])
    grid = np.concatenate([middle, np.linspace(middle[-1], most, _TAIL, dtype=np.float32)])
    # The first place is 1. Place 0 is reached by everybody at once: a line drawn from there would promise
    # the first orders a share of what is only reached later.
    return np.unique(np.maximum(grid, np.float32(1.0)))


@compiled
def _chances(ordered: Singles, grid: Singles) -> Singles:
    """Share of paths that reach each place of the grid by each day, shape (days, grid)."""
    days, count = ordered.shape
    chance = np.empty((days, len(grid)), np.float32)
    for day in range(days):
        below = 0
        for point in range(len(grid)):
            while below < count and ordered[day, below] < grid[point]:
                below += 1
            chance[day, point] = (count - below) / count
    return chance


@compiled
def _thresholds(chance: Singles, lead: Singles, grid: Singles, confidences: Amounts, smooth: bool) -> Amounts:
    days, points = chance.shape
    found = np.zeros((len(confidences), days))
    handed = np.empty(points, np.float32)
    for day in range(days):
        handed[:] = 0.0
        for lag in range(min(len(lead), day + 1)):
            weight = lead[lag]
            if weight > 0.0:
                row = chance[day - lag]
                for point in range(points):
                    handed[point] += weight * row[point]
        for nth in range(len(confidences)):
            # Rounding of single precision must not lose a chance that is met exactly.
            least = confidences[nth] - 1e-5
            low, high = -1, points - 1
            while low < high:
                middle = (low + high + 1) // 2
                if handed[middle] >= least:
                    low = middle
                else:
                    high = middle - 1
            place = 0.0
            if low >= 0:
                place = grid[low]
                if smooth and low + 1 < points:
                    part = (handed[low] - least) / (handed[low] - handed[low + 1])
                    place += part * (grid[low + 1] - grid[low])
            if day > 0:
                place = max(place, found[nth, day - 1])
            found[nth, day] = place
    return found


@compiled
def _days(
    signature: Counts,
    group: Counts,
    place: Counts,
    built: Amounts,
    handed: Amounts,
    of_built: Counts,
    of_handed: Counts,
) -> None:
    never = np.iinfo(np.int64).max
    levels, days = built.shape[1], built.shape[2]
    for order in range(len(place)):
        s = signature[order]
        wanted = place[order] - 1e-6
        for level in range(levels):
            day = np.searchsorted(built[s, level], wanted)
            of_built[level, order] = day if day < days else never
            day = np.searchsorted(handed[s, group[order], level], wanted)
            of_handed[level, order] = day if day < days else never


@dataclass(frozen=True, slots=True)
class Promises:
    """Dates of every order.

    Attributes:
        confidences: shape (confidences,).
        built: day by which a car is built with each confidence, ``NO_DAY`` where that is not within the
            horizon, shape (confidences, orders). Negative: already built.
        handed: the same of handovers, shape (confidences, orders).
    """

    confidences: Amounts
    built: Counts
    handed: Counts


def dates(
    found: Curves, signature: Counts, group: Counts, place: Counts, release: Counts, ready: Counts
) -> tuple[Counts, Counts]:
    """Day built and day handed over at each confidence: two arrays of shape (confidences, orders).

    Args:
        found: thresholds.
        signature: of each order, shape (orders,).
        group: lead group of each order.
        place: in its signature's queue; the first is 1.
        release: first day on which it may be built.
        ready: first day on which its buyer takes it.
    """
    shape = (len(found.confidences), len(place))
    built, handed = np.empty(shape, np.int64), np.empty(shape, np.int64)
    half = len(place) // 2

    def part(some: slice) -> None:
        of_built, of_handed = built[:, some], handed[:, some]
        _days(signature[some], group[some], place[some], found.built, found.handed, of_built, of_handed)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(part, (slice(0, half), slice(half, None))))
    days = found.built.shape[2]
    for table, least in ((built, release), (handed, ready)):
        np.maximum(table, least, out=table)
        table[table >= days] = NO_DAY
    return built, handed


def already_built(
    slot: Counts, group: Counts, ready: Counts, groups: LeadGroups, confidences: Amounts
) -> Counts:
    """Day of handover of cars built before day 0 and not handed over yet, shape (confidences, orders).

    From the lead times that are still possible; day 0 where the longest has passed.
    """
    pairs, of = np.unique(np.stack([group, slot]), axis=1, return_inverse=True)
    table = np.zeros((len(confidences), pairs.shape[1]), np.int64)
    for nth, (g, day) in enumerate(pairs.T):
        still = remaining(groups, int(g), int(-day))
        table[:, nth] = np.searchsorted(np.cumsum(still), confidences - 1e-9)
    return np.maximum(table[:, of.reshape(-1)], ready)


def remaining(groups: LeadGroups, group: int, age: int) -> Amounts:
    """Chances of each day from day 0 on, of a car built ``age`` days before and not handed over yet."""
    still = groups.lead[group, age:]
    total = float(still.sum())
    return still / total if total > 1e-12 else np.ones(1)
