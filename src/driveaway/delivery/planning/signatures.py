"""Which orders compete for the same things: signatures of configurations, pools of lines, lead groups.

Two configurations that can be built by the same lines and use the same limits are alike to every plan.
They share a *constraint signature*, and a plan counts orders by signature instead of one by one. Lines
that build the same configurations are one *pool*; regions with the same lead time are one *lead group*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts, Demand, Flags, Supply


@dataclass(frozen=True, slots=True)
class Signatures:
    """Configurations and lines, merged by what they are to a plan.

    Attributes:
        of: signature of each configuration; -1 where no line builds it, shape (configurations,).
        builds: whether a pool builds a signature, shape (signatures, pools).
        uses: whether a signature uses a limit, shape (signatures, limits).
        pool: pool of each line, shape (lines,).
    """

    of: Counts
    builds: Flags
    uses: Flags
    pool: Counts

    def __len__(self) -> int:
        """How many signatures there are."""
        return len(self.builds)

    @property
    def pools(self) -> int:
        """How many pools of lines there are."""
        return int(self.builds.shape[1])


def signatures(demand: Demand, supply: Supply) -> Signatures:
    """Merge configurations by the lines that build them and the limits that they use."""
    total = len(demand.configurations)
    lines = _columns([line.builds for line in supply.lines], total)
    masks, pool = (
        np.unique(lines, axis=1, return_inverse=True) if lines.shape[1] else (lines, np.zeros(0, int))
    )
    limits = _columns([limit.covers for limit in supply.limits], total)
    buildable = masks.any(axis=1)
    both = np.concatenate([masks, limits], axis=1)
    of = np.full(total, -1, np.int64)
    rows, inverse = np.unique(both[buildable], axis=0, return_inverse=True)
    pools = masks.shape[1]
    # Who has the least choice of lines comes first wherever signatures are otherwise alike: what fits
    # then still fits when it is built in this order.
    by_choice = np.argsort(rows[:, :pools].sum(axis=1), kind="stable")
    number = np.empty(len(rows), np.int64)
    number[by_choice] = np.arange(len(rows))
    of[buildable] = number[inverse.reshape(-1)]
    rows = rows[by_choice]
    return Signatures(of, rows[:, :pools], rows[:, pools:], pool.reshape(-1).astype(np.int64))


def _columns(masks: list[Flags], total: int) -> Flags:
    return np.stack(masks, axis=1) if masks else np.zeros((total, 0), np.bool_)


def grouped(kind: Counts) -> Counts:
    """Places in ascending order of a kind, as they came inside one; few kinds are sorted by counting."""
    few = len(kind) == 0 or int(kind.max()) < np.iinfo(np.int16).max
    places: Counts = np.argsort(kind.astype(np.int16) if few else kind, kind="stable")
    return places


def ranks(demand: Demand) -> tuple[Counts, Counts]:
    """First come, first served: orders by priority, then by the instant of the lock, then by id.

    Returns:
        The orders in that order, and the place of each order in it (0 is first); both shape (orders,).
    """
    order = np.argsort(demand.locked)
    order = order[grouped(_levels(demand.priority)[order])]
    locked, priority = demand.locked[order], demand.priority[order]
    same = (locked[1:] == locked[:-1]) & (priority[1:] == priority[:-1])
    if same.any():
        # Ids are compared only where two orders are otherwise alike: text is slow to sort.
        run = np.concatenate([[0], np.cumsum(~same)])
        tied = np.concatenate([[False], same]) | np.concatenate([same, [False]])
        places = np.flatnonzero(tied)
        keys = _text_keys(demand.order_ids[order[places]])
        order[places] = order[places[np.lexsort((*keys[::-1], run[places]))]]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return order, place


def _levels(values: Counts) -> np.ndarray:
    """Numbers that sort as the values do, small ones where that needs no sorting."""
    low = int(values.min(initial=0))
    if int(values.max(initial=0)) - low < np.iinfo(np.int16).max:
        return (values - low).astype(np.int16)
    return np.unique(values, return_inverse=True)[1]


def _text_keys(ids: np.ndarray) -> list[np.ndarray]:
    """Whole numbers that sort as the texts do, most significant first."""
    if ids.dtype.kind != "U" or ids.dtype.itemsize == 0:
        return [np.unique(ids, return_inverse=True)[1]]
    points = np.ascontiguousarray(ids).view(np.uint32).reshape(len(ids), -1)
    if points.max(initial=0) > 127:
        return list(points.T)
    width = -(-points.shape[1] // 8) * 8
    letters = np.zeros((len(ids), width), np.uint8)
    letters[:, : points.shape[1]] = points
    return list(letters.view(">u8").astype(np.uint64).T)


@dataclass(frozen=True, slots=True)
class LeadGroups:
    """Regions merged by lead time; a region with a limit on handovers is a group of its own.

    Attributes:
        of: lead group of each region, shape (regions,).
        unknown: group of an order whose region is not known: the mixture of all regions.
        lead: probability of each number of days, shape (groups, longest lead + 1).
        days: mean lead, rounded up, shape (groups,): what a plan reckons with.
        limited: region whose handovers are limited, -1 where none, shape (groups,).
    """

    of: Counts
    unknown: int
    lead: Amounts
    days: Counts
    limited: Counts

    def of_orders(self, region: Counts) -> Counts:
        """Lead group of each order; ``region`` -1 is the mixture."""
        return np.append(self.of, self.unknown)[region]


def lead_groups(demand: Demand, supply: Supply) -> LeadGroups:
    """Merge regions by their lead time.

    The mixture for unknown regions weighs each region with its orders (all alike when there are none).
    Without any region cars are handed over on the day they are built.
    """
    longest = max((len(region.lead) for region in supply.regions), default=1)
    seen: dict[tuple[bytes, int], int] = {}
    leads: list[Amounts] = []
    limited: list[int] = []
    of = np.zeros(len(supply.regions), np.int64)
    for index, region in enumerate(supply.regions):
        lead = np.zeros(longest)
        lead[: len(region.lead)] = region.lead
        own = -1 if region.handovers is None else index
        key = (lead.tobytes(), own)
        if key not in seen:
            seen[key] = len(leads)
            leads.append(lead)
            limited.append(own)
        of[index] = seen[key]
    known = demand.region[demand.region >= 0]
    weight = np.bincount(known, minlength=len(of)).astype(np.float64)
    if not weight.sum():
        weight = np.ones(len(of))
    mixture = np.zeros(longest)
    if len(of):
        mixture = (weight / weight.sum()) @ np.stack([leads[group] for group in of])
    else:
        mixture[0] = 1.0
    table = np.stack([*leads, mixture])
    mean = table @ np.arange(longest)
    days = np.ceil(mean - 1e-9).astype(np.int64)
    return LeadGroups(of, len(leads), table, days, np.array([*limited, -1], np.int64))


@dataclass(frozen=True, slots=True)
class Timing:
    """What each order allows, in days of the horizon.

    Attributes:
        group: lead group, shape (orders,).
        release: first day on which the car may be built, shape (orders,).
        due: last day on which it may be built for its window to be kept; ``NO_DAY`` without one.
        age: days since the lock on day 0, at least 0, shape (orders,).
    """

    group: Counts
    release: Counts
    due: Counts
    age: Counts


def windows(demand: Demand) -> Counts:
    """Last day of each promised window; a buyer who is not ready yet moves it to the day they are."""
    return np.where(demand.ready > 0, np.maximum(demand.committed, demand.ready), demand.committed)


def timing(demand: Demand, supply: Supply, groups: LeadGroups) -> Timing:
    """When each car may be built: after its lock, in time for its window, not before its buyer is ready."""
    group = groups.of_orders(demand.region)
    lead = groups.days[group]
    locked = demand.lock_day - supply.first_day
    release = np.maximum(np.maximum(demand.ready - lead, locked), 0)
    promised = demand.committed != NO_DAY
    window = windows(demand)
    due = np.where(promised, np.where(promised, window, 0) - lead, NO_DAY)
    return Timing(group, release, due, np.maximum(-locked, 0))
