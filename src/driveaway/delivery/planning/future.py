"""Many paths of the future for one plan: dates at confidences, and cars by day on each path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.capacity import Calendar, Capacity
from driveaway.delivery.planning.handover import on_paths
from driveaway.delivery.planning.paths import draw, survival
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts, Demand, Supply
from driveaway.delivery.planning.quantiles import Curves, Promises, already_built, curves, dates, remaining
from driveaway.delivery.planning.quote import Quoting
from driveaway.delivery.planning.signatures import LeadGroups, Signatures, Timing, grouped
from driveaway.delivery.planning.simulate import Paths, Singles, build_paths, cells

_FINE = 64
"""Labels of orders without a slot: they queue by lock behind all slots."""


@dataclass(frozen=True, slots=True)
class Future:
    """What the paths say.

    Attributes:
        place: of each order in its signature's queue, 1 is the first; 0 where it is in none.
        promises: dates of all orders.
        quoting: what quotes are read from.
        built: cars on each day and path, shape (days, paths).
        handed: the same of handovers.
    """

    place: Counts
    promises: Promises
    quoting: Quoting
    built: Singles
    handed: Singles


def look(
    demand: Demand,
    supply: Supply,
    cal: Calendar,
    found: Signatures,
    groups: LeadGroups,
    times: Timing,
    prefer: Counts,
    total: Capacity,
    slot: Counts,
    signature: Counts,
    order: Counts,
    rank: Counts,
    confidences: Amounts,
    paths: int,
    seed: int,
    factors: Amounts | None,
) -> Future:
    """Build on every path in the order of the plan's slots, and read the dates of all orders.

    ``order`` are all orders by priority, lock and id, and ``rank`` the place of each among them.
    """
    done = slot < 0
    orders = len(demand)
    line = order[((signature >= 0) & ~done)[order]]
    label = slot[line]
    none = np.flatnonzero(label == NO_DAY)
    label[none] = cal.days + rank[line[none]] * _FINE // max(orders, 1)
    # By signature and label, and as the orders stand inside both.
    by = grouped(signature[line] * (cal.days + _FINE + 1) + label)
    line, label = line[by], label[by]
    start = np.searchsorted(signature[line], np.arange(len(found) + 1)).astype(np.int64)
    place = np.zeros(orders, np.int64)
    place[line] = np.arange(len(line)) - start[signature[line]] + 1

    stands = survival(demand.cancels, cal.days + int(times.age.max(initial=0)) + 1)
    ages = times.age[line] if len(stands) else np.zeros(len(line), np.int64)
    draws = draw(supply, found, cal, paths, seed, factors)
    queues = cells(signature[line], label, ages, len(found))
    made = build_paths(queues, draws.pools, draws.limits, total.fresh, found, prefer, stands)
    shares = _shares(signature[line], times.group[line], len(found), len(groups.lead))
    before = _arrivals(slot[done], times.group[done], groups, cal.days)
    gone = on_paths(made, shares, groups, supply, before)
    reached = curves(made, gone, groups, confidences, seed)
    promises = _promises(demand, groups, times, confidences, reached, line, place, signature, slot)
    return Future(
        place,
        promises,
        _quoting(demand, supply, found, groups, reached, line, signature),
        _cars(made),
        gone.cars,
    )


def _cars(made: Paths) -> Singles:
    total: Singles = made.built.sum(axis=0)
    return total


def _shares(signature: Counts, group: Counts, signatures: int, groups: int) -> Amounts:
    """Shares of the lead groups in each signature's orders, shape (signatures, groups)."""
    count = np.bincount(signature * groups + group, minlength=signatures * groups).reshape(signatures, groups)
    share: Amounts = count / np.maximum(count.sum(axis=1, keepdims=True), 1)
    return share


def _arrivals(slot: Counts, group: Counts, groups: LeadGroups, days: int) -> Amounts:
    """Expected arrivals of cars built before day 0, shape (groups, days)."""
    table = np.zeros((len(groups.lead), days))
    if len(slot):
        pairs, count = np.unique(np.stack([group, slot]), axis=1, return_counts=True)
        for (g, day), cars in zip(pairs.T, count, strict=True):
            still = remaining(groups, int(g), int(-day))[:days]
            table[g, : len(still)] += cars * still
    return table


def _promises(
    demand: Demand,
    groups: LeadGroups,
    times: Timing,
    confidences: Amounts,
    reached: Curves,
    line: Counts,
    place: Counts,
    signature: Counts,
    slot: Counts,
) -> Promises:
    shape = (len(confidences), len(demand))
    if len(line) == len(demand):
        built, handed = dates(reached, signature, times.group, place, times.release, demand.ready)
    else:
        built, handed = np.full(shape, NO_DAY), np.full(shape, NO_DAY)
    if 0 < len(line) < len(demand):
        built[:, line], handed[:, line] = dates(
            reached, signature[line], times.group[line], place[line], times.release[line], demand.ready[line]
        )
    done = np.flatnonzero(slot < 0)
    if len(done):
        built[:, done] = slot[done]
        handed[:, done] = already_built(
            slot[done], times.group[done], demand.ready[done], groups, confidences
        )
    return Promises(confidences, built, handed)


def _quoting(
    demand: Demand,
    supply: Supply,
    found: Signatures,
    groups: LeadGroups,
    reached: Curves,
    line: Counts,
    signature: Counts,
) -> Quoting:
    # Who orders later does not stand before a buyer who asks today.
    line = line[demand.lock_day[line] <= supply.first_day]
    cuts = np.searchsorted(signature[line], np.arange(1, len(found)))
    priorities = np.split(demand.priority[line], cuts) if len(found) else []
    return Quoting(
        {configuration: row for row, configuration in enumerate(demand.configurations)},
        {region.code: int(groups.of[row]) for row, region in enumerate(supply.regions)},
        found,
        groups,
        reached,
        tuple(np.sort(each) for each in priorities),
    )
