"""From the end of the line to the buyer: lead times, and queues where handovers are limited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.compiled import compiled
from driveaway.delivery.planning.capacity import whole
from driveaway.delivery.planning.paths import lags
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts, Demand, Supply
from driveaway.delivery.planning.signatures import LeadGroups, Timing
from driveaway.delivery.planning.simulate import Paths, Singles
from driveaway.delivery.planning.slots import assign

_BLOCK = 64
"""Days that are moved by their lead in one product of matrices."""


def planned(
    demand: Demand, supply: Supply, groups: LeadGroups, times: Timing, slot: Counts, rank: Counts
) -> Counts:
    """Day on which each car is handed over when all goes as expected; ``NO_DAY`` beyond the horizon.

    The slot and the mean lead, not before the buyer is ready. Where a region's handovers are limited, who
    arrives first is served first; if that breaks a promise, the region serves the earliest promise first
    (J. R. Jackson's rule) where that breaks fewer.
    """
    built = slot != NO_DAY
    arrival = np.where(built, np.maximum(np.where(built, slot, 0) + groups.days[times.group], 0), NO_DAY)
    ready = np.where(built, np.maximum(arrival, demand.ready), NO_DAY)
    day = ready.copy()
    for group in np.flatnonzero(groups.limited >= 0):
        here = np.flatnonzero((times.group == group) & built)
        limit = supply.regions[groups.limited[group]].handovers
        assert limit is not None
        places = np.minimum(whole(limit, supply.first_day), len(here)).astype(np.int64)[None]
        first_come = _served(here, places, ready, np.lexsort((rank[here], arrival[here])))
        promise = demand.committed[here]
        if _late(first_come, promise, supply.days):
            earliest = _served(here, places, ready, np.lexsort((rank[here], arrival[here], promise)))
            if _late(earliest, promise, supply.days) < _late(first_come, promise, supply.days):
                first_come = earliest
        day[here] = first_come
    day[day >= supply.days] = NO_DAY
    return day


def _served(here: Counts, places: Counts, ready: Counts, turn: Counts) -> Counts:
    start = np.array([0, len(here)])
    none = np.full(len(here), NO_DAY)
    day = np.empty(len(here), np.int64)
    day[turn] = assign(start, ready[here][turn], none, places)
    return day


def _late(day: Counts, promise: Counts, days: int) -> int:
    counted = promise < days
    return int(np.maximum(np.minimum(day[counted], days) - promise[counted], 0).sum())


@dataclass(frozen=True, slots=True)
class Handovers:
    """What is handed over on each path.

    Attributes:
        cars: on each day, shape (days, paths).
        served: for each region that has to queue on some path: the last day whose arrivals are all
            served by the end of a day, -1 where none, shape (days, paths).
    """

    cars: Singles
    served: dict[int, Counts]


def on_paths(paths: Paths, shares: Amounts, groups: LeadGroups, supply: Supply, before: Amounts) -> Handovers:
    """Hand over what is built, after its lead time.

    A day's cars of a signature are shared out to the lead groups as the signature's open orders are, and
    each group's share arrives by the distribution of its lead (the mean over so many cars; their
    deviations from it average out).

    Args:
        paths: what is built.
        shares: of each lead group in the orders of a signature, shape (signatures, groups).
        groups: lead groups.
        supply: regions with their limits.
        before: expected arrivals of cars built before day 0, shape (groups, days).
    """
    signatures, days, count = paths.built.shape
    total = np.zeros((days, count), np.float32)
    free = groups.limited < 0
    for s in range(signatures):
        lead = (shares[s, free] @ groups.lead[free]).astype(np.float32)
        if lead.any():
            total += _delayed(lead, paths.built[s])
    total += before[free].sum(axis=0)[:, None].astype(np.float32)
    served: dict[int, Counts] = {}
    for group in np.flatnonzero(~free):
        mine = np.tensordot(shares[:, group].astype(np.float32), paths.built, axes=1)
        arriving = _delayed(groups.lead[group].astype(np.float32), mine)
        arriving += before[group][:, None].astype(np.float32)
        limit = supply.regions[groups.limited[group]].handovers
        assert limit is not None
        cars, last, queued = _through(arriving, limit)
        total += cars
        if queued:
            served[int(group)] = last
    return Handovers(total, served)


def _delayed(lead: Singles, cars: Singles) -> Singles:
    """Cars moved by their lead, shape (days, paths).

    A block of days takes only from those that the longest lead reaches back to.
    """
    days = len(cars)
    lead = np.trim_zeros(lead, "b")
    matrix, moved = _delay(lead, days), np.empty_like(cars)
    for start in range(0, days, _BLOCK):
        end, low = min(start + _BLOCK, days), max(start - len(lead) + 1, 0)
        np.matmul(matrix[start:end, low:end], cars[low:end], out=moved[start:end])
    return moved


def _delay(lead: Singles, days: int) -> Singles:
    """Matrix that moves cars by their lead, shape (days, days)."""
    matrix = np.zeros((days, days), np.float32)
    for lag in range(min(len(lead), days)):
        matrix[np.arange(lag, days), np.arange(days - lag)] = lead[lag]
    return matrix


@compiled
def _through(arriving: Singles, limit: Amounts) -> tuple[Singles, Counts, bool]:
    """First come, first served through a limit by the day."""
    days, count = arriving.shape
    cars = np.empty((days, count), np.float32)
    last = np.empty((days, count), np.int64)
    queued = False
    for path in range(count):
        arrived = 0.0
        handed = 0.0
        served = -1
        reached = 0.0
        for day in range(days):
            arrived += arriving[day, path]
            now = min(arrived - handed, limit[day])
            handed += now
            cars[day, path] = now
            while served < day and reached + arriving[served + 1, path] <= handed + 1e-3:
                served += 1
                reached += arriving[served, path]
            last[day, path] = served
            if served < day:
                queued = True
    return cars, last, queued


def queued_thresholds(
    position: Singles, served: Counts, groups: LeadGroups, group: int, ranks: Counts, seed: int
) -> Amounts:
    """Place of a signature's queue that is handed over by each day at given ranks, shape (ranks, days).

    Handed over by day t on a path: built by (the last arrival day served by t) − (the lead). Each path
    draws one lead from its own stratum: a single order's chances need no more than that.
    """
    lag = lags(seed, groups, group, position.shape[1])
    at = served - lag
    reached = np.where(at >= 0, np.take_along_axis(position, np.maximum(at, 0), axis=0), 0)
    reached.sort(axis=1)
    exact: Amounts = np.maximum.accumulate(reached[:, ranks].T, axis=1).astype(np.float64)
    return exact
