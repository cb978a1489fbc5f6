"""From the end of the line to the buyer: lead times as probabilities of days, and capacity for handovers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from scipy.special import gammainc

from driveaway.delivery.planning.problem import Amounts, Region
from driveaway.delivery.supply.reading import Days, Notes
from driveaway.facts.description import Description
from driveaway.facts.planning import WEEKDAYS, Leg
from driveaway.values.errors import BadValue
from driveaway.values.provinces import PROVINCES

_TAIL = 1e-6
_LONGEST = 366
_FIXED = 1e-3


def region_codes(description: Description) -> tuple[str, ...]:
    """Codes of the provinces, and of the launch's own regions."""
    return (*(p.code for p in PROVINCES), *(region.code for region in description.regions))


def regions(description: Description, codes: Sequence[str], days: Days, notes: Notes) -> tuple[Region, ...]:
    """Lead time and handover capacity of each region, in the order of the codes."""
    known = region_codes(description)
    for i, leg in enumerate(description.transport.to):
        notes.known(leg.regions, known, f"transport.to.{i + 1}.regions", "region")
    capacity = _capacity(description, known, days, notes)
    leads: dict[tuple[float, float], Amounts] = {}
    out = []
    for code in codes:
        moments = lead_moments(description, code, notes)
        if moments not in leads:
            leads[moments] = discretised(*moments)
        out.append(Region(code, leads[moments], capacity.get(code)))
    return tuple(out)


def lead_moments(description: Description, code: str, notes: Notes) -> tuple[float, float]:
    """Mean and standard deviation of the days from the end of the line to the handover in a region.

    Transport and the steps after arrival follow one another and are taken as independent.
    """
    transport = description.transport
    leg, place = leg_of(description, code)
    days = transport.days if leg is None else leg.days
    spread = transport.spread_days if leg is None or leg.spread_days is None else leg.spread_days
    mean = _length(days, f"{place}.days", notes)
    variance = notes.spread(spread, f"{place}.spread_days") ** 2
    for step in description.handover.steps:
        where = f"handover.steps.{step.name}"
        mean += _length(step.days, f"{where}.days", notes)
        variance += notes.spread(step.spread_days, f"{where}.spread_days") ** 2
    return mean, sqrt(variance)


def leg_of(description: Description, code: str) -> tuple[Leg | None, str]:
    """The last leg that names the region (None: the general way holds), and its place."""
    for i, leg in reversed(list(enumerate(description.transport.to))):
        if code in leg.regions:
            return leg, f"transport.to.{i + 1}"
    return None, "transport"


def _length(value: float, place: str, notes: Notes) -> float:
    if 0 <= value <= _LONGEST:
        return value
    held = 0.0 if not value > 0 else float(_LONGEST)
    notes.add(
        BadValue(
            f"{value:g} days on the way",
            code="delivery.lead",
            place=place,
            remedy=f"0 to {_LONGEST}; planned with {held:g}",
        )
    )
    return held


def discretised(mean: float, deviation: float) -> Amounts:
    """Probability of each whole number of days, shape (longest + 1,), with this mean.

    A gamma distribution of this mean and standard deviation (a fixed time where one is under 0.001), made
    discrete by matching its first moment locally: each moment's chance is shared between the whole days
    beside it in proportion to its distance (Klugman, Panjer, Willmot: Loss Models, "method of local moment
    matching").
    The last millionth of the tail is added to the last day.
    """
    longest = min(ceil(mean + 40 * deviation) + 1, 20 * _LONGEST)
    points = np.arange(-1.0, longest + 2)
    if min(mean, deviation) > _FIXED:
        shape, scale = (mean / deviation) ** 2, deviation**2 / mean
        at = np.maximum(points, 0.0)
        # Area under the distribution function up to each point: E[max(0, x - X)].
        area = at * gammainc(shape, at / scale) - mean * gammainc(shape + 1, at / scale)
    else:
        area = np.maximum(points - mean, 0.0)
    chances = np.maximum(np.diff(area, 2), 0.0)
    beyond = np.cumsum(chances[::-1])[::-1] / chances.sum()
    last = max(1, int((beyond > _TAIL).sum()))
    held = chances[:last].copy()
    held[-1] += chances[last:].sum()
    return np.asarray(held / held.sum())


def _capacity(description: Description, known: Sequence[str], days: Days, notes: Notes) -> dict[str, Amounts]:
    total: dict[str, Amounts] = {}
    for centre in description.handover.centres:
        place = f"handover.centres.{centre.name}"
        span = notes.span(centre.from_day, centre.until_day, place)
        if span is None or not notes.known([centre.region], known, f"{place}.region", "region"):
            continue
        if not centre.per_day > 0:
            notes.add(
                BadValue(
                    f"a capacity of {centre.per_day:g} handovers a day",
                    code="delivery.handovers",
                    place=f"{place}.per_day",
                    remedy="more than 0; planned without this centre",
                )
            )
            continue
        open_on = np.array([name in centre.weekdays for name in WEEKDAYS])[days.weekday]
        each = np.where(open_on & days.within(span), centre.per_day * description.planning.scale, 0.0)
        total[centre.region] = total.get(centre.region, np.zeros(days.count)) + each
    return total
