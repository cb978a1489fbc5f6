"""Refuse what cannot be planned with, and say where it is."""

from __future__ import annotations

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Demand, Supply
from driveaway.values.errors import BadValue


def check(demand: Demand, supply: Supply) -> None:
    """Check shapes, ranges and signs.

    Raises:
        BadValue: a negative or infinite capacity (``delivery.capacity``), a lead time that is no
            distribution (``delivery.lead``), arrays that do not fit (``delivery.shape``), or an index
            that points nowhere (``delivery.index``).
    """
    if supply.days < 1:
        raise BadValue("the horizon has no day", code="delivery.shape", remedy="plan at least one day")
    configurations, orders = len(demand.configurations), len(demand)
    for line in supply.lines:
        place = f"line {line.name}"
        _shaped(line.builds, configurations, f"{place}, builds")
        _capacity(line.output, supply.days, f"{place}, output")
        _spread(line.spread, place)
        _spread(line.ramp_spread, place)
    for limit in supply.limits:
        place = f"limit {limit.name}"
        _shaped(limit.covers, configurations, f"{place}, covers")
        _capacity(limit.amount, supply.days, f"{place}, amount")
        _spread(limit.spread, place)
    for region in supply.regions:
        place = f"region {region.code}"
        lead = region.lead
        if not len(lead) or not np.isfinite(lead).all() or lead.min() < 0 or abs(lead.sum() - 1) > 1e-6:
            raise BadValue(
                "the lead time is no distribution",
                code="delivery.lead",
                place=place,
                remedy="give the chance of each number of days; they add up to 1",
            )
        if region.handovers is not None:
            _capacity(region.handovers, supply.days, f"{place}, handovers")
    if supply.stops is not None:
        _capacity(supply.stops, supply.days, "stops")
        if supply.stops.max() > 1:
            raise BadValue(
                "a chance exceeds 1", code="delivery.capacity", place="stops", remedy="give 0 to 1"
            )
    if len(demand.cancels) and not ((demand.cancels >= 0) & (demand.cancels <= 1)).all():
        raise BadValue(
            "a chance is outside 0 to 1", code="delivery.capacity", place="cancels", remedy="give 0 to 1"
        )
    for name in ("order_ids", "priority", "configuration", "region", "committed", "slot", "ready"):
        _shaped(getattr(demand, name), orders, name)
    if demand.locked_on is not None:
        _shaped(demand.locked_on, orders, "locked_on")
    _index(demand.configuration, 0, configurations, "configuration")
    _index(demand.region, -1, len(supply.regions), "region")


def _shaped(array: np.ndarray, length: int, place: str) -> None:
    if array.shape != (length,):
        raise BadValue(
            f"{array.shape} values for {length}",
            code="delivery.shape",
            place=place,
            remedy="give one value for each",
        )


def _capacity(amounts: Amounts, days: int, place: str) -> None:
    _shaped(amounts, days, place)
    wrong = np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))
    if len(wrong):
        raise BadValue(
            f"{amounts[wrong[0]]:g} on day {wrong[0]} of the horizon",
            code="delivery.capacity",
            place=place,
            remedy="give 0 or more; 0 where nothing is built, carried or handed over",
        )


def _spread(spread: float, place: str) -> None:
    if not (np.isfinite(spread) and spread >= 0):
        raise BadValue(
            f"a spread of {spread:g}", code="delivery.capacity", place=place, remedy="give 0 or more"
        )


def _index(values: np.ndarray, low: int, high: int, place: str) -> None:
    wrong = np.flatnonzero((values < low) | (values >= high))
    if len(wrong):
        raise BadValue(
            f"order {wrong[0]} has {values[wrong[0]]}",
            code="delivery.index",
            place=place,
            remedy=f"{low} to {high - 1}",
        )
