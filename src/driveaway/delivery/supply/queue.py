"""What the description says about orders: who comes first, who may cancel, and until when a date matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Configuration, Counts, Flags
from driveaway.delivery.supply.lead import region_codes
from driveaway.delivery.supply.reading import Notes
from driveaway.delivery.supply.selecting import covers
from driveaway.facts.description import Description
from driveaway.values.errors import BadValue

EDITION_RANK, USUAL_RANK = 0, 1
_AGES = 3660


def priorities(description: Description, configurations: Sequence[Configuration], notes: Notes) -> Counts:
    """Rank of each configuration, 0 is served first, shape (configurations,).

    The first of ``priorities`` that fits counts; then editions with ``priority`` come first.
    """
    first = {edition.name for edition in description.editions if edition.priority}
    ranks = np.array(
        [EDITION_RANK if car.edition in first else USUAL_RANK for car in configurations], np.int64
    )
    for i, item in reversed(list(enumerate(description.priorities))):
        place = f"priorities.{i + 1}"
        on = covers(item.covers, description, configurations, f"{place}.covers", notes)
        if item.rank < 0:
            notes.add(
                BadValue(
                    f"a rank of {item.rank}",
                    code="delivery.rank",
                    place=f"{place}.rank",
                    remedy="0 is served first; planned with 0",
                )
            )
        ranks[on] = max(0, item.rank)
    return ranks


def cancellations(description: Description, notes: Notes) -> Amounts:
    """Chance that a firm order is cancelled on each day since its lock, shape (ages,); empty: nobody.

    The last entry holds for all later days, as `Demand.cancels` has it.
    """
    chances: list[float] = []
    steps = sorted(
        description.cancellations, key=lambda step: _AGES if step.until_days is None else step.until_days
    )
    for step in steps:
        name = "later" if step.until_days is None else step.until_days
        chance = notes.share(step.per_day, f"cancellations.{name}.per_day")
        if step.until_days is None:
            return np.array([*chances, chance])
        days = min(step.until_days, _AGES) + 1 - len(chances)
        if days < 1:
            notes.add(
                BadValue(
                    f"a step until day {step.until_days} covers no day",
                    code="delivery.cancellations",
                    place=f"cancellations.{name}",
                    remedy="until_days grows from step to step, from 0 on; planned without this step",
                )
            )
        chances += [chance] * max(0, days)
    return np.array([*chances, 0.0]) if chances else np.zeros(0)


class DateInTime(NamedTuple):
    """A date that matters to some buyers.

    Attributes:
        name: slug.
        day: last day on which a handover is in time, days since 1 January 1970.
        covers: for each configuration whether it matters for its buyers, shape (configurations,).
        regions: codes of the regions where it matters; empty: everywhere.
        locked: first and last day of the locks that it matters for, days since 1 January 1970.
        said: what is lost after it, in words.
    """

    name: str
    day: int
    covers: Flags
    regions: tuple[str, ...]
    locked: tuple[int, int]
    said: str


def dates(
    description: Description, configurations: Sequence[Configuration], notes: Notes
) -> tuple[DateInTime, ...]:
    """The dates that matter to buyers; one that cannot be read is noted and left out."""
    found = []
    for item in description.dates:
        place = f"dates.{item.name}"
        on = covers(item.covers, description, configurations, f"{place}.covers", notes)
        regions = notes.known(item.regions, region_codes(description), f"{place}.regions", "region")
        day = notes.day(item.day, f"{place}.day")
        locked = notes.span(item.locked_from, item.locked_until, f"{place}.locked")
        if day is not None and locked is not None and (regions or not item.regions):
            found.append(DateInTime(item.name, day, on, regions, locked, item.said))
    return tuple(found)
