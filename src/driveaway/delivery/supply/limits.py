"""Limits, parts and first days of trims as arrays over the horizon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import Final

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Configuration, Counts, Limit
from driveaway.delivery.supply.output import opened
from driveaway.delivery.supply.reading import ALWAYS_UNTIL, Days, Notes
from driveaway.delivery.supply.selecting import covers
from driveaway.facts import planning
from driveaway.facts.description import Description
from driveaway.values.errors import BadValue

NOT_LIMITED: Final = 1e9
"""Stands in amounts on days on which a limit does not hold."""


def limits(
    description: Description,
    configurations: Sequence[Configuration],
    days: Days,
    quickest_lead: float,
    notes: Notes,
) -> tuple[Limit, ...]:
    """Every limit that covers a configuration: as described, of parts, and before a trim's first handover.

    Args:
        description: of the launch.
        configurations: rows of each limit's ``covers``.
        days: the horizon.
        quickest_lead: mean days from the end of the line to the handover, where that is shortest.
        notes: takes what is wrong.
    """
    _note_twice(
        [*(item.name for item in description.limits), *(part.name for part in description.parts)], notes
    )
    found = [
        *_described(description, configurations, days, notes),
        *_parts(description, configurations, days, notes),
        *_first_days(description, configurations, days, quickest_lead, notes),
    ]
    return tuple(limit for limit in found if limit.covers.any())


def _described(
    description: Description, configurations: Sequence[Configuration], days: Days, notes: Notes
) -> Iterator[Limit]:
    for item in description.limits:
        place = f"limits.{item.name}"
        on = covers(item.covers, description, configurations, f"{place}.covers", notes)
        span = notes.span(item.from_day, item.until_day, place)
        if span is None:
            continue
        amount = _amounts(item, span, days, place, notes) * description.planning.scale
        yield Limit(
            item.name,
            on,
            item.per,
            np.minimum(amount, NOT_LIMITED),
            notes.spread(item.spread, f"{place}.spread"),
        )


def _amounts(item: planning.Limit, span: tuple[int, int], days: Days, place: str, notes: Notes) -> Amounts:
    """The amount on each day; of a weekly limit that which holds on the Monday of the day's week."""
    numbers = days.first + np.arange(days.count)
    if item.per == "week":
        numbers = numbers - days.weekday
        # A week counts when all of it lies in the span.
        span = (span[0], span[1] if span[1] == ALWAYS_UNTIL else span[1] - 6)
    values = np.full(days.count, _amount(item.amount, f"{place}.amount", notes))
    for step in sorted(item.steps, key=lambda step: step.from_day):
        where = f"{place}.steps.{step.from_day}"
        start = notes.day(step.from_day, f"{where}.from_day")
        if start is not None:
            values[numbers >= start] = _amount(step.amount, f"{where}.amount", notes)
    values[(numbers < span[0]) | (numbers > span[1])] = NOT_LIMITED
    return values


def _amount(value: float | None, place: str, notes: Notes) -> float:
    if value is None:
        return NOT_LIMITED
    if value >= 0:
        return min(value, NOT_LIMITED)
    notes.add(
        BadValue(
            f"a limit of {value:g} cars",
            code="delivery.limit",
            place=place,
            remedy="0 or more; planned without it",
        )
    )
    return NOT_LIMITED


def _parts(
    description: Description, configurations: Sequence[Configuration], days: Days, notes: Notes
) -> Iterator[Limit]:
    for part in description.parts:
        place = f"parts.{part.name}"
        on = covers(part.covers, description, configurations, f"{place}.covers", notes)
        amount = np.zeros(days.count)
        amount[0] = _stock(part.stock, f"{place}.stock", notes)
        for arrival in part.arrivals:
            _arrive(amount, arrival, days, f"{place}.arrivals.{arrival.day}", notes)
        spread = notes.spread(part.spread, f"{place}.spread")
        yield Limit(part.name, on, "arrivals", amount * description.planning.scale, spread)


def _stock(value: float, place: str, notes: Notes) -> float:
    if value >= 0:
        return value
    notes.add(
        BadValue(f"{value:g} parts", code="delivery.parts", place=place, remedy="0 or more; planned with 0")
    )
    return 0.0


def _arrive(amount: Amounts, arrival: planning.Arrival, days: Days, place: str, notes: Notes) -> None:
    span = notes.span(arrival.day, arrival.until_day, place)
    if span is None:
        return
    each = _stock(arrival.amount, f"{place}.amount", notes)
    every = arrival.every_days
    if every is not None and every < 1:
        notes.add(
            BadValue(
                f"arrivals every {every} days",
                code="delivery.arrivals",
                place=f"{place}.every_days",
                remedy="1 or more; planned as one arrival",
            )
        )
        every = None
    since = days.first + np.arange(days.count) - span[0]
    on = since == 0 if every is None else (since >= 0) & (since % every == 0) & days.within(span)
    amount[on] += each


def _first_days(
    description: Description,
    configurations: Sequence[Configuration],
    days: Days,
    quickest_lead: float,
    notes: Notes,
) -> Iterator[Limit]:
    """No ordinary car of a trim is built so early that it arrives before the trim's first handover."""
    ahead = {edition.name for edition in description.editions if edition.priority}
    for trim in description.trims:
        if trim.deliveries_open is None:
            continue
        try:
            first = opened(trim.deliveries_open) - floor(quickest_lead)
        except BadValue:
            notes.day(trim.deliveries_open, f"trims.{trim.name}.deliveries_open")
            continue
        if first <= days.first:
            continue
        on = [car.trim == trim.name and car.edition not in ahead for car in configurations]
        amount = np.where(days.first + np.arange(days.count) < first, 0.0, NOT_LIMITED)
        yield Limit(
            f"{trim.name}: handovers from {trim.deliveries_open}", np.array(on, np.bool_), "day", amount
        )


def first_handovers(
    description: Description, configurations: Sequence[Configuration], first_day: int
) -> Counts:
    """First day of the horizon on which each configuration may be handed over, 0 where it may be already.

    That of the car holds for all of them, that of a trim for all but the editions that are served first.

    Args:
        description: of the launch; a day that cannot be read is left out.
        configurations: what is ordered.
        first_day: day 0 of the horizon, days since 1 January 1970.
    """
    ahead = {edition.name for edition in description.editions if edition.priority}
    everybody = _first_day(description.car.deliveries_open) - first_day
    by_trim = {trim.name: _first_day(trim.deliveries_open) - first_day for trim in description.trims}
    found = [
        max(everybody, 0, 0 if car.edition in ahead else by_trim.get(car.trim, 0)) for car in configurations
    ]
    return np.array(found, np.int64)


def _first_day(text: str | None) -> int:
    try:
        return 0 if text is None else opened(text)
    except BadValue:
        return 0


def _note_twice(names: Sequence[str], notes: Notes) -> None:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        notes.add(
            BadValue(
                f"two limits or parts are named {name!r}",
                code="delivery.twice",
                place=f"limits.{name}",
                remedy="give each a name of its own; planned with all of them",
            )
        )
