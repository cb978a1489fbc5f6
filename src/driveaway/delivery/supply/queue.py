"""What the description says about orders: who is served first, and how likely a lock is cancelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Configuration, Counts
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
