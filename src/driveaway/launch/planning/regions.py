"""Where cars are handed over: a plan by region and month."""

from __future__ import annotations

from typing import Any

import numpy as np

from driveaway.delivery.planning.problem import Counts
from driveaway.delivery.planning.results import count_by_day
from driveaway.launch.planning.proposing import Proposal
from driveaway.values.provinces import BY_CODE

_MONTHS = 6
"""Months with a column of their own."""


def months_of_regions(proposal: Proposal, most: int) -> list[dict[str, Any]]:
    """A row for each region, most cars first: cars handed over in each month, when all goes as expected.

    Args:
        proposal: the plan.
        most: regions with a row of their own; all others are one row. The last row is the sum of all.
    """
    plan = proposal.plan
    count = len(plan.supply.regions)
    region = np.where(plan.demand.region < 0, count, plan.demand.region)
    by_day = count_by_day(region, plan.handed, count + 1, plan.supply.days)
    months = [str(proposal.day(day))[:7] for day in range(plan.supply.days)]
    names, first = np.unique(months, return_index=True)
    table = np.add.reduceat(by_day, first, axis=1)
    order = [row for row in np.argsort(-table.sum(axis=1), kind="stable").tolist() if table[row].any()]

    def line(name: str, cars: Counts) -> dict[str, Any]:
        near = dict(zip(names[:_MONTHS].tolist(), cars[:_MONTHS].tolist(), strict=True))
        later = {"later": int(cars[_MONTHS:].sum())} if len(names) > _MONTHS else {}
        return {"region": name} | near | later | {"in all": int(cars.sum())}

    rows = [line(_region(proposal, row), table[row]) for row in order[:most]]
    if order[most:]:
        rows.append(line(f"{len(order) - most} others", table[order[most:]].sum(axis=0)))
    return [*rows, line("all", table.sum(axis=0))]


def _region(proposal: Proposal, row: int) -> str:
    """A region by its name, or its code where it has none."""
    regions = proposal.plan.supply.regions
    if row == len(regions):
        return "unknown"
    code = regions[row].code
    own = next((each.name for each in proposal.description.regions if each.code == code), "")
    return own or (BY_CODE[code].name if code in BY_CODE else code)
