"""What is left to plan with: whole cars by day of pools and limits, less what is frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Counts, Flags, Limit, Supply
from driveaway.delivery.planning.signatures import Signatures

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days and calendar weeks (Monday to Sunday) of the horizon.

    Attributes:
        days: length of the horizon.
        week: week of each day, 0 is the first, shape (days,).
        weeks: how many weeks the horizon touches.
        first: first day of each week within the horizon, shape (weeks,).
        number: weeks since the one of 1 January 1970, shape (weeks,).
    """

    days: int
    week: Counts
    weeks: int
    first: Counts
    number: Counts


def calendar(supply: Supply) -> Calendar:
    """Cut the horizon into calendar weeks."""
    # 1 January 1970 was a Thursday.
    absolute = (supply.first_day + np.arange(supply.days, dtype=np.int64) + 3) // 7
    week = absolute - absolute[0]
    number, first = np.unique(absolute, return_index=True)
    return Calendar(supply.days, week, len(number), first.astype(np.int64), number)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What can be built and used on each day.

    Attributes:
        pools: cars each pool builds, shape (pools, days).
        limits: cars that each limit allows from this day on, shape (limits, days).
        fresh: whether what a limit allowed before has lapsed on this day, shape (limits, days).
    """

    pools: Amounts
    limits: Amounts
    fresh: Flags


def expected(supply: Supply, found: Signatures, cal: Calendar) -> Capacity:
    """What is expected, in fractions of cars.

    A limit by the week is spread over its week as the lines work (a level load). In a week that the
    horizon cuts, it allows the share of the work that lies inside.
    """
    pools = np.zeros((found.pools, cal.days))
    for line, pool in zip(supply.lines, found.pool, strict=True):
        pools[pool] += line.output
    if supply.stops is not None:
        pools *= 1.0 - supply.stops
    total = pools.sum(axis=0)
    limits = np.zeros((len(supply.limits), cal.days))
    fresh = np.zeros((len(supply.limits), cal.days), np.bool_)
    for row, limit in enumerate(supply.limits):
        limits[row] = level(limit, total, cal)
        fresh[row] = lapses(limit, cal)
    return Capacity(pools, limits, fresh)


def level(limit: Limit, total: Amounts, cal: Calendar) -> Amounts:
    """What a limit adds on each day; one by the week follows the lines' output in that week."""
    if limit.period != "week":
        return limit.amount
    output: Amounts = np.zeros(cal.weeks)
    np.add.at(output, cal.week, total)
    inside = np.bincount(cal.week, minlength=cal.weeks)
    # A week that the horizon cuts has, outside, the weekdays of its neighbour.
    if cal.weeks > 2:
        output[0] += total[inside[0] : 7].sum() if inside[0] < 7 else 0.0
        output[-1] += total[cal.first[-2] + inside[-1] : cal.first[-1]].sum()
    else:
        output = output * (7 / inside)
    share = np.where(output[cal.week] > 0, total / np.maximum(output[cal.week], 1e-12), 1 / 7)
    return share * limit.amount


def lapses(limit: Limit, cal: Calendar) -> Flags:
    """On which days what was allowed before and not used is lost."""
    if limit.period == "day":
        return np.ones(cal.days, np.bool_)
    if limit.period == "week":
        return np.isin(np.arange(cal.days), cal.first)
    return np.zeros(cal.days, np.bool_)


def whole(amounts: Amounts, first_day: int) -> Amounts:
    """Whole cars of each day: a fraction is rounded up on as large a share of the days.

    Which days, says the day itself (multiples of the golden ratio, which spread most evenly: H. Weyl's
    sequence), so that a plan made a day later sees the same whole cars. Shape as given, days last.
    """
    days: Amounts = np.arange(first_day, first_day + amounts.shape[-1]) * _GOLDEN % 1.0
    cars: Amounts = np.floor(amounts + 1e-9 + days * (1 - 1e-6))
    return cars


def in_whole_cars(capacity: Capacity, supply: Supply, cal: Calendar) -> Capacity:
    """Round capacities to whole cars; limits by the week are rounded by the week, from its end."""
    limits = whole(capacity.limits, supply.first_day)
    carry = cal.number * _GOLDEN % 1.0 * (1 - 1e-6)
    last = np.append(cal.first[1:], cal.days)
    for row, limit in enumerate(supply.limits):
        if limit.period != "week":
            continue
        for week in range(cal.weeks):
            inside = slice(cal.first[week], last[week])
            to_end = np.cumsum(capacity.limits[row, inside][::-1])[::-1] + carry[week] + 1e-9
            limits[row, inside] = np.floor(to_end) - np.floor(np.append(to_end[1:], carry[week]))
    return Capacity(whole(capacity.pools, supply.first_day), limits, capacity.fresh)


def less_frozen(capacity: Capacity, found: Signatures, frozen: Counts) -> tuple[Capacity, Amounts, Counts]:
    """Take away what frozen slots use.

    Args:
        capacity: in whole cars.
        found: signatures.
        frozen: cars with a frozen slot, shape (signatures, days).

    Returns:
        What is left (never below 0), the frozen cars of each pool, shape (pools, days), and the frozen
        cars of each signature that do not fit any more, shape (signatures, days). They keep their slots.
    """
    pools, limits = capacity.pools.copy(), capacity.limits
    taken = np.zeros_like(pools)
    over = np.zeros_like(frozen)
    for row, day in zip(*np.nonzero(frozen), strict=True):
        left = int(frozen[row, day])
        able = np.flatnonzero(found.builds[row])
        # The pool that can do least else goes first.
        for pool in able[np.argsort(found.builds[:, able].sum(axis=0), kind="stable")]:
            part = min(left, int(pools[pool, day]))
            pools[pool, day] -= part
            taken[pool, day] += part
            left -= part
        over[row, day] = left
    left_limits = _limits_less(limits, capacity.fresh, found, frozen)
    return Capacity(pools, left_limits, capacity.fresh), taken, over


def less(capacity: Capacity, found: Signatures, cars: Amounts) -> Capacity:
    """What is left beside ``cars`` (signatures, pools, days), which fit."""
    pools = np.maximum(capacity.pools - cars.sum(axis=0), 0.0)
    limits = _limits_less(capacity.limits, capacity.fresh, found, cars.sum(axis=1))
    return Capacity(pools, limits, capacity.fresh)


def _limits_less(limits: Amounts, fresh: Flags, found: Signatures, cars: Amounts | Counts) -> Amounts:
    left = limits.copy()
    for limit in range(len(limits)):
        used = cars[found.uses[:, limit]].sum(axis=0).astype(np.float64)
        if used.any():
            left[limit] = _reserved(limits[limit], used, fresh[limit])
    return left


def _reserved(allowed: Amounts, used: Amounts, fresh: Flags) -> Amounts:
    """What a limit still adds on each day when what is used later must be kept back until then."""
    if fresh.all():
        return np.maximum(allowed - used, 0.0)
    left = np.empty_like(allowed)
    starts = np.flatnonzero(fresh)
    starts = starts if len(starts) and starts[0] == 0 else np.concatenate([[0], starts])
    for start, end in zip(starts, np.append(starts[1:], len(allowed)), strict=True):
        spare = np.cumsum(allowed[start:end]) - np.cumsum(used[start:end])
        spare = np.maximum(np.minimum.accumulate(spare[::-1])[::-1], 0.0)
        left[start:end] = np.diff(spare, prepend=0.0)
    return left


def by_week(capacity: Capacity, found: Signatures, cal: Calendar) -> tuple[Amounts, Amounts]:
    """What pools build and limits allow in each week: shapes (pools, weeks) and (limits, weeks).

    A limit by the day allows no more than the pools that use it build on that day.
    """
    pools = _sum(capacity.pools, cal)
    limits = capacity.limits.copy()
    for row in range(len(limits)):
        if capacity.fresh[row].all() and cal.days > 1:
            able = found.builds[found.uses[:, row]].any(axis=0)
            limits[row] = np.minimum(limits[row], capacity.pools[able].sum(axis=0))
    return pools, _sum(limits, cal)


def _sum(amounts: Amounts, cal: Calendar) -> Amounts:
    return np.add.reduceat(amounts, cal.first, axis=1) if len(amounts) else np.zeros((0, cal.weeks))
