"""Tables of a plan: cars by week, broken promises, exceptions to first come, first served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.capacity import Calendar, Capacity
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Configuration, Counts, Demand, Flags, Supply
from driveaway.delivery.planning.signatures import Signatures, Timing, grouped, windows
from driveaway.delivery.planning.slots import OutOfTurn, out_of_turn


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is kept of an earlier plan, so that a new one moves few.

    Attributes:
        first_day: its day 0, in days since 1970.
        configurations: its configurations.
        configuration: row of each of its orders, shape (orders,).
        slot: day of its horizon of each order, ``NO_DAY`` where none.
        mark: digest of what it planned (``Master.mark``); empty where it was not kept.
    """

    first_day: int
    configurations: tuple[Configuration, ...]
    configuration: Counts
    slot: Counts
    mark: bytes = b""


@dataclass(frozen=True, slots=True)
class Weekly:
    """The master plan by week, in whole cars, when all goes as expected.

    Attributes:
        first: first day of each week within the horizon, shape (weeks,).
        built: of each configuration, shape (configurations, weeks).
        handed: of each region, and last of unknown ones, shape (regions + 1, weeks).
        used: of each limit, shape (limits, weeks).
        allowed: of each limit, before what is kept from week to week, shape (limits, weeks).
        output: of each pool of lines, shape (pools, weeks).
    """

    first: Counts
    built: Counts
    handed: Counts
    used: Counts
    allowed: Amounts
    output: Amounts


@dataclass(frozen=True, slots=True)
class Breaches:
    """Promised windows that the plan does not keep, each with the least days.

    Attributes:
        order: index of the order, shape (breaches,).
        handed: day of its handover, ``NO_DAY`` where not within the horizon.
        committed: last day of its window.
        days: by which it is missed; at least so many where the handover is not within the horizon.
    """

    order: Counts
    handed: Counts
    committed: Counts
    days: Counts


def count_by_day(row: Counts, day: Counts, rows: int, days: int) -> Counts:
    """Count orders by row and day, leaving out days outside the horizon: shape (rows, days)."""
    inside = (day >= 0) & (day < days)
    flat = np.bincount(row[inside] * days + day[inside], minlength=rows * days)
    return flat.reshape(rows, days).astype(np.int64)


def previous_by_day(
    previous: Adopted, demand: Demand, supply: Supply, found: Signatures, fixed: Counts
) -> Amounts:
    """Cars of each signature on each day in an earlier plan, less those with frozen slots.

    Orders that have cancelled since still count: their slots go to the next of their signature.
    """
    rows = {configuration: row for row, configuration in enumerate(demand.configurations)}
    known = np.array([rows.get(configuration, -1) for configuration in previous.configurations], np.int64)
    signature = np.append(found.of, -1)[known][previous.configuration]
    kept = (signature >= 0) & (previous.slot != NO_DAY)
    day = previous.slot[kept] + previous.first_day - supply.first_day
    table = count_by_day(signature[kept], day, len(found), supply.days)
    left: Amounts = np.maximum(table - fixed, 0).astype(np.float64)
    return left


def weekly(
    demand: Demand,
    supply: Supply,
    cal: Calendar,
    found: Signatures,
    slot: Counts,
    handed: Counts,
    by_day: Counts,
    capacity: Capacity,
) -> Weekly:
    """Add a plan up by week."""
    regions = len(supply.regions)
    built = count_by_day(demand.configuration, slot, len(demand.configurations), cal.days)
    region = np.where(demand.region < 0, regions, demand.region)
    gone = count_by_day(region, handed, regions + 1, cal.days)
    used = found.uses.T.astype(np.int64) @ by_day

    def by_week(table: Counts | Amounts) -> Counts:
        return np.asarray(np.add.reduceat(table, cal.first, axis=1))

    return Weekly(
        cal.first,
        by_week(built),
        by_week(gone),
        by_week(used),
        np.add.reduceat(capacity.limits, cal.first, axis=1),
        np.add.reduceat(capacity.pools, cal.first, axis=1),
    )


def breaches(demand: Demand, handed: Counts, days: int) -> Breaches:
    """List promised windows that are missed, not counting the days that a buyer was not ready."""
    window = windows(demand)
    late = (demand.committed < days) & (window < days) & (handed > window)
    order = np.flatnonzero(late)
    missed = np.minimum(handed[order], days) - window[order]
    return Breaches(order, handed[order], demand.committed[order], missed)


def exceptions(
    demand: Demand, times: Timing, slot: Counts, order: Counts, signature: Counts, frozen: Flags
) -> OutOfTurn:
    """List who did not get the slot of their turn inside a configuration and priority.

    Args:
        demand: the orders.
        times: what they allow.
        slot: of each order.
        order: orders by priority, lock and id.
        signature: of each order.
        frozen: whether the slot was frozen.
    """
    line = order[(signature[order] >= 0) & (slot[order] >= 0)]
    if not len(line):
        return out_of_turn(line, line, slot, frozen, frozen, frozen)
    # Priorities do not fall along the line, so that their changes number them.
    level = np.concatenate([[0], np.cumsum(np.diff(demand.priority[line]) != 0)])
    kind = demand.configuration[line] * (int(level[-1]) + 1) + level
    turn = grouped(kind)
    by_turn = line[turn]
    promised = demand.committed[by_turn] != NO_DAY
    late = times.release[by_turn] > 0
    return out_of_turn(by_turn, kind[turn], slot[by_turn], frozen[by_turn], promised, late)
