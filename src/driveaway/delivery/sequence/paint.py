"""Paint batches: how few colour changes any order can have, and an order that has so few."""

from __future__ import annotations

from collections import Counter

import numpy as np

from driveaway.delivery.sequence.problem import Order, Problem
from driveaway.values.errors import Refused


def fewest_colour_changes(problem: Problem) -> int:
    """A lower bound on the colour changes of any order that keeps the paint limit.

    A colour of n cars needs at least ceil(n / limit) batches, and two batches of one colour have another
    colour's between them; so with B batches of the most frequent colour there are at least 2B - 1
    batches in all, and 2B when another colour begins. The day's first batch is free when the paint shop
    already holds its colour (or when nothing went before).

    Raises:
        Refused: ``delivery.sequence.paint_limit``: no order keeps the limit.
    """
    batches = _least_batches(problem)
    if not batches:
        return 0
    shop = _shop_colour(problem)
    return min(_batches_when_first(batches, first) - (1 if shop in (None, first) else 0) for first in batches)


def batched_order(problem: Problem) -> Order:
    """An order in paint batches as long as allowed, with as few batches as they can be parted by.

    Raises:
        Refused: ``delivery.sequence.paint_limit``: no order keeps the limit.
    """
    batches = _least_batches(problem)
    if not batches:
        return np.zeros(0, dtype=np.int64)
    shop = _shop_colour(problem)
    first = min(
        batches,
        key=lambda colour: (
            _batches_when_first(batches, colour) - (1 if shop in (None, colour) else 0),
            -batches[colour],
            colour,
        ),
    )
    cars = {colour: np.flatnonzero(problem.cars.colours == colour).tolist() for colour in batches}
    order: list[int] = []
    for colour, length in _runs(problem, batches, first):
        order.extend(cars[colour][:length])
        del cars[colour][:length]
    return np.array(order, dtype=np.int64)


def _least_batches(problem: Problem) -> dict[int, int]:
    """Batches that each colour needs at least, by colour."""
    counts = Counter(problem.cars.colours.tolist())
    limit = problem.paint_limit or max(len(problem.cars), 1)
    for colour, cars in counts.items():
        others = len(problem.cars) - cars
        if cars > limit * (others + 1):
            raise Refused(
                f"{cars} cars of one colour and {others} of others cannot be parted into batches of {limit}",
                code="delivery.sequence.paint_limit",
                place=f"colour {colour}",
                remedy="raise the paint batch limit or move cars of this colour to another day",
            )
    return {colour: -(-cars // limit) for colour, cars in sorted(counts.items())}


def _batches_when_first(batches: dict[int, int], first: int) -> int:
    least = sum(batches.values())
    return max([least] + [2 * n - (1 if colour == first else 0) for colour, n in batches.items()])


def _shop_colour(problem: Problem) -> int | None:
    if problem.before is None or not len(problem.before):
        return None
    return int(problem.before.colours[-1])


def _runs(problem: Problem, batches: dict[int, int], first: int) -> list[tuple[int, int]]:
    """Batches in line order, as (colour, cars): each time of the colour with the most batches to go."""
    counts = Counter(problem.cars.colours.tolist())
    to_go = dict(batches)
    # Where one colour has more batches than the others can part, others are split into more batches.
    lacking = _batches_when_first(batches, first) - sum(batches.values())
    dominant = max(batches, key=lambda colour: (batches[colour], colour == first))
    for colour in sorted(batches, key=lambda c: -counts[c]):
        if colour != dominant:
            more = min(lacking, counts[colour] - to_go[colour])
            to_go[colour] += more
            lacking -= more
    pieces = {colour: _split(counts[colour], number, problem) for colour, number in to_go.items()}
    runs: list[tuple[int, int]] = []
    for place in range(sum(to_go.values())):
        last = runs[-1][0] if runs else None
        able = [colour for colour, number in to_go.items() if number and colour != last]
        colour = first if place == 0 else max(able, key=lambda c: (to_go[c], -c))
        runs.append((colour, pieces[colour].pop()))
        to_go[colour] -= 1
    return runs


def _split(cars: int, batches: int, problem: Problem) -> list[int]:
    """Sizes of batches: as many full ones as can be, each at least one car."""
    limit = problem.paint_limit or cars
    sizes = []
    for left in range(batches, 0, -1):
        size = min(limit, cars - (left - 1))
        sizes.append(size)
        cars -= size
    return sizes[::-1]
