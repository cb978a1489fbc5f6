"""From the description of a launch to what can be built, carried and handed over, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from driveaway.delivery.planning.problem import Configuration, Line, Supply
from driveaway.delivery.supply.calendar import horizon
from driveaway.delivery.supply.lead import lead_moments, region_codes, regions
from driveaway.delivery.supply.limits import limits
from driveaway.delivery.supply.output import lines_of, opened, output
from driveaway.delivery.supply.reading import Days, Notes, day_of
from driveaway.delivery.supply.selecting import builds, lacking, said
from driveaway.delivery.supply.settings import plan_settings
from driveaway.delivery.supply.vins import note_overlaps
from driveaway.facts.description import Description, Plant
from driveaway.facts.planning import Line as LineTable
from driveaway.values.errors import BadValue

LONGEST_HORIZON = 3660
_ABOVE = 1.02
_NAMED = 5
"""Configurations that one message names."""


class Modelled(NamedTuple):
    """What a plan can count on, and what was wrong in the description.

    Attributes:
        supply: of everything that made sense.
        problems: errors that were not raised: each with code, place, value and remedy, which says how the
            plan goes on.
        unplannable: rows of the configurations that no line can build.
    """

    supply: Supply
    problems: tuple[BadValue, ...]
    unplannable: tuple[int, ...]


def supply(
    description: Description,
    configurations: Sequence[Configuration],
    first_day: int,
    days: int,
    codes: Sequence[str] | None = None,
) -> Modelled:
    """Lines, limits and regions of a launch over a horizon, as arrays.

    Expected output of a line on a day is the hours of its shifts × jobs per hour × availability × ramp.
    What is wrong in the description is left out, or held within its bounds, and told.

    Args:
        description: of the launch.
        configurations: what is ordered; rows of ``Line.builds`` and ``Limit.covers``.
        first_day: day 0 of the horizon, days since 1 January 1970.
        days: length of the horizon.
        codes: of the regions, in the order wanted; None: all provinces and the launch's own regions.

    Raises:
        BadValue: the horizon has no day, or more than ten years.
    """
    if not 1 <= days <= LONGEST_HORIZON:
        raise BadValue(
            f"a horizon of {days} days",
            code="delivery.horizon",
            remedy=f"plan 1 to {LONGEST_HORIZON} days; usual are 52 weeks",
        )
    notes = Notes()
    description = replace(description, planning=plan_settings(description, notes))
    _note_before_launch(description, first_day, notes)
    over = horizon(description.calendar, first_day, days, notes)
    lines, tables = _lines(description, configurations, over, notes)
    note_overlaps(description, notes)
    wanted = region_codes(description) if codes is None else codes
    served = regions(description, wanted, over, notes)
    quickest = min((lead_moments(description, code, notes)[0] for code in wanted), default=0.0)
    stop_chance = notes.share(description.planning.stop_chance, "planning.stop_chance")
    limited = limits(description, configurations, over, quickest, notes)
    unplannable = _unplannable(lines, tables, configurations, notes)
    stops = np.full(days, stop_chance) if stop_chance else None
    return Modelled(
        Supply(first_day, days, lines, limited, served, stops), tuple(notes.problems), unplannable
    )


def _lines(
    description: Description, configurations: Sequence[Configuration], days: Days, notes: Notes
) -> tuple[tuple[Line, ...], list[LineTable]]:
    lines: list[Line] = []
    tables: list[LineTable] = []
    for plant in description.plants:
        named: dict[str, LineTable] = {}
        if not lines_of(plant):
            notes.add(
                BadValue(
                    "nothing is known of its capacity",
                    code="delivery.no_capacity",
                    place=f"plants.{plant.name}",
                    remedy="describe its lines, or give daily_output; planned without this plant",
                )
            )
        total = np.zeros(days.count)
        for table in lines_of(plant):
            place = f"plants.{plant.name}.lines.{table.name}"
            if table.name in named:
                notes.add(
                    BadValue(
                        f"two lines of the plant are named {table.name!r}",
                        code="delivery.lines",
                        place=place,
                        remedy="give each a name of its own; planned with the first only",
                    )
                )
                continue
            named[table.name] = table
            made = output(plant, table, days, notes)
            if made is None:
                continue
            cars, ramp_spread = made
            if not cars.any():
                notes.add(
                    BadValue(
                        f"it builds nothing in {days.count} days from {day_of(days.first)}",
                        code="delivery.no_output",
                        place=place,
                        remedy="check shifts, stops, availability and holidays",
                    )
                )
            can = builds(table.builds, description, configurations, f"{place}.builds", notes)
            factor = description.planning.scale if plant.lines else 1.0
            spread = notes.spread(table.spread, f"{place}.spread")
            lines.append(Line(f"{plant.name}/{table.name}", can, cars * factor, spread, ramp_spread))
            tables.append(table)
            total += cars * factor
        _note_above(plant, total, notes)
    if not lines:
        notes.add(
            BadValue(
                "there is no line that could build a car",
                code="delivery.no_lines",
                place="plants",
                remedy="describe a plant with its lines, or with daily_output",
            )
        )
    return tuple(lines), tables


def _note_above(plant: Plant, total: np.ndarray, notes: Notes) -> None:
    """Lines that would build more in a year than the plant states."""
    if plant.yearly_capacity is None or len(total) < 182 or not plant.lines:
        return
    yearly = float(total.mean()) * 365
    if yearly > plant.yearly_capacity * _ABOVE:
        notes.add(
            BadValue(
                f"its lines would build {yearly:,.0f} cars a year, and it states {plant.yearly_capacity:,}",
                code="delivery.above_capacity",
                place=f"plants.{plant.name}.yearly_capacity",
                remedy="compare hours and rate with what is stated; planned as the lines are described",
            )
        )


def _unplannable(
    lines: Sequence[Line], tables: Sequence[LineTable], configurations: Sequence[Configuration], notes: Notes
) -> tuple[int, ...]:
    """Configurations that no line builds: named, with what every line lacks; alike ones together."""
    if not configurations:
        return ()
    built = np.any([line.builds for line in lines], axis=0) if lines else np.zeros(len(configurations))
    rows = tuple(int(row) for row in np.flatnonzero(np.logical_not(built)))
    alike: dict[str, list[Configuration]] = {}
    for row in rows if lines else ():
        reasons = [
            f"{line.name} does not build {' and '.join(lacking(table.builds, configurations[row]))}"
            for line, table in zip(lines, tables, strict=True)
        ]
        alike.setdefault("; ".join(reasons), []).append(configurations[row])
    for why, cars in alike.items():
        named = " | ".join(said(car) for car in cars[:_NAMED])
        more = f" and {len(cars) - _NAMED} more" if len(cars) > _NAMED else ""
        notes.add(
            BadValue(
                f"no line can build {named}{more}: {why}",
                code="delivery.unbuildable",
                place="plants",
                remedy="add it to what a line builds; its orders get no date, all others are planned",
            )
        )
    return rows


def _note_before_launch(description: Description, first_day: int, notes: Notes) -> None:
    text = description.car.orders_open
    if text is None:
        return
    try:
        day = opened(text)
    except BadValue:
        notes.day(text, "car.orders_open")
        return
    if first_day < day:
        notes.add(
            BadValue(
                f"the plan begins on {day_of(first_day)}, before orders opened on {day_of(day)}",
                code="delivery.before_launch",
                place="car.orders_open",
                remedy="ask for a later as-of; before the launch no order waits",
            )
        )
