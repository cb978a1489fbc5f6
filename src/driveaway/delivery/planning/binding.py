"""What binds in which week, and what one more unit of it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from driveaway.delivery.planning.capacity import Calendar
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts, Supply
from driveaway.delivery.planning.quotas import Worth
from driveaway.delivery.planning.signatures import LeadGroups, Signatures

_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Binding:
    """One limit that holds cars back in one week.

    Attributes:
        kind: "line", "limit" or "handovers" (of a region).
        name: of the line (lines that build the same are named together), limit or region.
        week: of the horizon; 0 is the first.
        car_days: waiting that one more unit in that week spares, all orders weighed alike.
        cars: cars that one more unit brings within the horizon.
    """

    kind: Literal["line", "limit", "handovers"]
    name: str
    week: int
    car_days: float
    cars: float


def binding(supply: Supply, found: Signatures, worth: Worth) -> list[Binding]:
    """Lines and limits with a dual price."""
    listed: list[Binding] = []
    for pool in range(found.pools):
        name = pool_name(supply, found, pool)
        listed += _priced("line", name, worth.pool_days[pool], worth.pool_cars[pool])
    for row, limit in enumerate(supply.limits):
        listed += _priced("limit", limit.name, worth.limit_days[row], worth.limit_cars[row])
    return listed


def pool_name(supply: Supply, found: Signatures, pool: int) -> str:
    """Lines of a pool, joined by " + "."""
    return " + ".join(line.name for line, of in zip(supply.lines, found.pool, strict=True) if of == pool)


def _priced(kind: Literal["line", "limit"], name: str, days: Amounts, cars: Amounts) -> list[Binding]:
    weeks = np.flatnonzero((days > _LEAST) | (cars > _LEAST))
    return [Binding(kind, name, int(week), float(days[week]), float(cars[week])) for week in weeks]


def handover_binding(
    supply: Supply, groups: LeadGroups, group: Counts, arrival: Counts, handed: Counts, cal: Calendar
) -> list[Binding]:
    """Regions where cars that have arrived wait.

    One more handover on the first day of a week serves the first who waits, whose place serves the next,
    until nobody waits: it spares as many car-days as the queue lasts, and brings a car within the horizon
    if it lasts to the end.

    Args:
        supply: regions.
        groups: lead groups.
        group: of each order, shape (orders,).
        arrival: day on which the car could be handed over, ``NO_DAY`` if not within the horizon.
        handed: day on which it is.
        cal: weeks.
    """
    listed: list[Binding] = []
    for limited in np.flatnonzero(groups.limited >= 0):
        mine = (group == limited) & (arrival < cal.days)
        if not mine.any():
            continue
        came = np.bincount(arrival[mine], minlength=cal.days)
        gone = np.bincount(handed[mine & (handed != NO_DAY)], minlength=cal.days)[: cal.days]
        waiting = np.cumsum(came - gone)
        empty = np.append(np.flatnonzero(waiting == 0), cal.days)
        name = supply.regions[groups.limited[limited]].code
        for week, first in enumerate(cal.first):
            end = int(empty[np.searchsorted(empty, first)])
            if end > first:
                listed.append(Binding("handovers", name, week, float(end - first), float(end == cal.days)))
    return listed
