"""A day of the plan in line order."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from driveaway.delivery.sequence.day import Car, DaySequence, sequence_cars
from driveaway.delivery.sequence.problem import Objective, Ratio
from driveaway.delivery.supply import Notes
from driveaway.delivery.supply.reading import number_of
from driveaway.delivery.supply.selecting import covers
from driveaway.launch.planning.proposing import Proposal
from driveaway.values.errors import BadValue, NotFound

_OBJECTIVES = {
    "high ratios": Objective.HIGH_RATIOS,
    "colour changes": Objective.COLOUR_CHANGES,
    "low ratios": Objective.LOW_RATIOS,
}
COLUMNS = ("position", "car", "paint_batch", "colour", "features")


def cars_of(proposal: Proposal, day: date) -> list[Car]:
    """The cars that the plan builds on a day, in the order of their orders' places in the queue.

    Raises:
        NotFound: the day is not within the plan, or nothing is built on it.
    """
    plan = proposal.plan
    number = number_of(day) - plan.supply.first_day
    if not 0 <= number < plan.supply.days:
        raise NotFound(
            f"{day} is not within the plan, which begins on {proposal.day(0)}",
            code="sequence.day",
            remedy=f"choose a day of the {plan.supply.days} days from {proposal.day(0)} on",
        )
    rows = np.flatnonzero(plan.slot[: proposal.open] == number)
    if not len(rows):
        raise NotFound(
            f"the plan builds no open order on {day}",
            code="sequence.nothing",
            remedy="driveaway plan shows the weeks",
        )
    features = features_of(proposal)
    ids = proposal.orders["order_id"].to_pylist()
    configurations = plan.demand.configurations
    return [
        Car(ids[row], configurations[at].colour or "", features[at])
        for row, at in zip(rows.tolist(), plan.demand.configuration[rows].tolist(), strict=True)
    ]


def features_of(proposal: Proposal) -> list[frozenset[str]]:
    """The names of the ratios that speak of each configuration, and its trim."""
    configurations = proposal.plan.demand.configurations
    notes = Notes()
    meant = {
        ratio.name: covers(
            ratio.covers, proposal.description, configurations, f"sequencing.ratios.{ratio.name}", notes
        )
        for ratio in proposal.description.sequencing.ratios
    }
    return [
        frozenset({configuration.trim, *(name for name, on in meant.items() if on[row])})
        for row, configuration in enumerate(configurations)
    ]


def sequenced(
    proposal: Proposal, day: date, *, before: Sequence[Car] = (), seconds: float | None = None, seed: int = 1
) -> DaySequence:
    """Put a day of the plan in line order.

    Args:
        proposal: the plan.
        day: of it.
        before: the last cars of the day before, first to last.
        seconds: how long to search; None: a fixed number of moves, the same on every machine.
        seed: of the random moves.

    Raises:
        NotFound: see ``cars_of``.
        BadValue, Refused: ``launch.toml`` asks for ratios or paint batches that make no sense.
    """
    asked = proposal.description.sequencing
    return sequence_cars(
        cars_of(proposal, day),
        [Ratio(ratio.name, ratio.most, ratio.window, ratio.high) for ratio in asked.ratios],
        paint_limit=asked.paint_batch,
        before=before,
        objectives=tuple(_OBJECTIVES[name] for name in asked.objectives),
        seconds=seconds,
        seed=seed,
    )


def read_cars(path: Path) -> list[Car]:
    """Cars of a file that ``driveaway sequence`` wrote, first to last.

    Raises:
        NotFound: there is no such file.
        BadValue: a column is missing.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no file {path}", code="sequence.before", remedy="name an exported day"
        ) from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing:
        raise BadValue(
            f"it has no column {missing[0]}",
            code="sequence.before",
            place=str(path),
            remedy="name a file that driveaway sequence wrote",
        )
    return [
        Car(row["car"], row["colour"], frozenset(filter(None, row["features"].split("+")))) for row in rows
    ]
