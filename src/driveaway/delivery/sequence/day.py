"""A day's cars as people name them, put in line order."""

from __future__ import annotations

from collections.abc import Sequence as Listed
from dataclasses import dataclass

import numpy as np

from driveaway.delivery.sequence.problem import Cars, Objective, Problem, Ratio
from driveaway.delivery.sequence.search import Sequence, sequence
from driveaway.values.errors import BadValue

MOVES = 5_000_000
"""Moves tried for a day unless said otherwise: a second or two."""


@dataclass(frozen=True)
class Car:
    """A car to be built.

    Attributes:
        name: what it is known by (an order id, a VIN).
        colour: its paint.
        features: everything a ratio may speak of: its trim and options.
    """

    name: str
    colour: str
    features: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DaySequence:
    """A day's cars in line order, and how that was found.

    Attributes:
        cars: the cars, first to last.
        batches: number of the paint batch of each car, from 1.
        problem: what was solved; ratios keep their order, colours are numbered by name.
        found: its solution, with the score of the given order beside.
    """

    cars: tuple[Car, ...]
    batches: tuple[int, ...]
    problem: Problem
    found: Sequence

    def rows(self) -> list[dict[str, str | int]]:
        """One row a car, in line order: position, name, paint batch, colour, features (sorted, ``+``)."""
        return [
            {
                "position": position,
                "car": car.name,
                "paint_batch": batch,
                "colour": car.colour,
                "features": "+".join(sorted(car.features)),
            }
            for position, (car, batch) in enumerate(zip(self.cars, self.batches, strict=True), start=1)
        ]


def sequence_cars(
    cars: Listed[Car],
    ratios: Listed[Ratio],
    *,
    paint_limit: int | None = None,
    before: Listed[Car] = (),
    objectives: tuple[Objective, ...] = (
        Objective.HIGH_RATIOS,
        Objective.COLOUR_CHANGES,
        Objective.LOW_RATIOS,
    ),
    seconds: float | None = None,
    moves: int | None = None,
    seed: int = 1,
) -> DaySequence:
    """Put a day's cars in line order; a ratio's name is the feature it limits.

    Args:
        cars: the day's cars in the order they would be built in otherwise (the result is never worse).
        ratios: at most so many cars with a feature in any so many consecutive cars.
        paint_limit: longest run of one colour.
        before: the last cars of the day before, first to last.
        objectives: what counts first, second and third.
        seconds: how long to search; the result then depends on the machine.
        moves: how many moves to try; with neither, ``MOVES``. The same seed then gives the same order.
        seed: of the random moves.

    Raises:
        BadValue: ``delivery.sequence.*``: a car named twice, or a ratio or limit that is none.
        Refused: ``delivery.sequence.paint_limit``: no order keeps the paint limit.
    """
    names = [car.name for car in cars]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadValue("a car stands twice in the day", code="delivery.sequence.twice", place=twice)
    colours = {colour: code for code, colour in enumerate(sorted({car.colour for car in [*cars, *before]}))}

    def coded(listed: Listed[Car]) -> Cars:
        return Cars(
            np.array([colours[car.colour] for car in listed], dtype=np.int64),
            np.array(
                [[ratio.name in car.features for ratio in ratios] for car in listed], dtype=np.bool_
            ).reshape(len(listed), len(ratios)),
        )

    problem = Problem(
        coded(cars),
        tuple(ratios),
        objectives,
        paint_limit,
        coded(before) if before else None,
    )
    if seconds is None and moves is None:
        moves = MOVES
    found = sequence(problem, seconds=seconds, moves=moves, seed=seed)
    line = tuple(cars[place] for place in found.order)
    new_batch = [place == 0 or line[place].colour != line[place - 1].colour for place in range(len(line))]
    return DaySequence(line, tuple(np.cumsum(new_batch).tolist()), problem, found)
