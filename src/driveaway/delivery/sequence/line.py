"""The line as compiled loops see it: who stands where, and the windows over each ratio as bits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.sequence.problem import Objective, Order, Problem
from driveaway.delivery.sequence.score import counted_ends, counts_by_end, tail

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


WINDOW, MOST, WEIGHT, GAIN, FIRST_END, LAST_END, STEP_ONLY = range(7)
"""Columns of ``Line.table``."""


class Line(NamedTuple):
    """A day's line in one order, and what each window over it holds.

    Ratios are sorted by falling weight, those of no weight left out; ratio j is bit j of a car's options.
    A window is known by the position of its end, which may lie past the day.

    Attributes:
        options: options of each car as bits, shape (cars,).
        colours: colour of each car, numbered from 0, shape (cars,).
        table: of each ratio its window, most, weight, the most that removing or adding one car can gain
            over all later ratios, the ends of windows that count (the last excluded), and 1 where a
            window above its most costs 1 however far above; shape (ratios, 7).
        colour_weight: what a colour change costs.
        limit: longest run of one colour.
        group: colour, and number of the set of options, of each car, shape (2, cars).
        group_from: where each group's cars begin in ``members``, shape (2, groups + 1).
        members: cars by colour, and by set of options, shape (2, cars).
        car_at: car at each position, shape (cars,).
        place_of: position of each car, shape (cars,).
        options_at: options of the car at each position, shape (cars,).
        paint: colour at each position, one further on: first the shop's colour (-1: none), at last -1;
            shape (cars + 2,).
        counts: cars with the option in the window, shape (ratios, ends).
        bits: row j: windows of ratio j in which one car more would cost; row ratios + j: in which one
            car less would save; shape (2 x ratios, words).
        violations: of each ratio, shape (ratios,).
        gained, lost: scratch: options that positions gain and lose in a move, shape (cars,).
        fresh: scratch: cars that a move puts on positions, shape (cars,).
    """

    options: Numbers
    colours: Numbers
    table: Numbers
    colour_weight: int
    limit: int
    group: Numbers
    group_from: Numbers
    members: Numbers
    car_at: Numbers
    place_of: Numbers
    options_at: Numbers
    paint: Numbers
    counts: NDArray[np.int32]
    bits: Words
    violations: Numbers
    gained: Numbers
    lost: Numbers
    fresh: Numbers


def stand(problem: Problem, order: Order) -> Line:
    """The line of a problem's cars in an order."""
    cars = len(problem.cars)
    weights = problem.ratio_weights()
    rank = np.array([j for j in np.argsort(-weights, kind="stable") if weights[j]], dtype=np.int64)
    table = np.zeros((len(rank), 7), dtype=np.int64)
    for j, column in enumerate(rank):
        ratio = problem.ratios[column]
        first_end, last_end = counted_ends(problem, ratio)
        step_only = int(problem.counting.measure == "windows")
        table[j] = ratio.window, ratio.most, weights[column], 0, first_end, last_end, step_only
    later = table[:, WEIGHT] * table[:, WINDOW]
    table[:, GAIN] = later.sum() - np.cumsum(later)
    kept = problem.cars.options[:, rank].astype(np.int64)
    options = (kept << np.arange(len(rank), dtype=np.int64)).sum(axis=1).astype(np.int64)
    known, colours = np.unique(problem.cars.colours, return_inverse=True)
    group = np.array([colours, np.unique(options, return_inverse=True)[1]], dtype=np.int64)
    numbers = np.arange(int(group.max(initial=0)) + 2)
    place_of = np.empty(cars, dtype=np.int64)
    place_of[order] = np.arange(cars)
    counts, bits, violations = _windows(problem, order, rank, table)
    return Line(
        options=options,
        colours=group[0].copy(),
        table=table,
        colour_weight=problem.weight(Objective.COLOUR_CHANGES),
        limit=problem.paint_limit or max(cars, 1),
        group=group,
        group_from=np.array([np.searchsorted(np.sort(row), numbers) for row in group], dtype=np.int64),
        members=np.argsort(group, axis=1, kind="stable").astype(np.int64),
        car_at=order.astype(np.int64).copy(),
        place_of=place_of,
        options_at=options[order],
        paint=np.concatenate([[_shop(problem, known)], group[0][order], [-1]]).astype(np.int64),
        counts=counts,
        bits=bits,
        violations=violations,
        gained=np.zeros(cars, dtype=np.int64),
        lost=np.zeros(cars, dtype=np.int64),
        fresh=np.zeros(cars, dtype=np.int64),
    )


def cost(line: Line) -> int:
    """The weighted cost of the line as it stands, from its kept counts."""
    shop = line.paint[int(line.paint[0] < 0) : -1]
    changes = int(np.count_nonzero(np.diff(shop)))
    return int(line.table[:, WEIGHT] @ line.violations) + line.colour_weight * changes


def _shop(problem: Problem, known: NDArray[np.int64]) -> int:
    """Number of the colour before the first car; -1: none; above all others when no car has it."""
    if problem.before is None or not len(problem.before):
        return -1
    found = np.flatnonzero(known == problem.before.colours[-1])
    return int(found[0]) if len(found) else len(known)


def _windows(
    problem: Problem, order: Order, rank: Numbers, table: Numbers
) -> tuple[NDArray[np.int32], Words, Numbers]:
    ratios = len(rank)
    width = len(order) + int(table[:, WINDOW].max(initial=1))
    counts = np.zeros((ratios, width), dtype=np.int32)
    bits = np.zeros((2 * ratios, width // 64 + 2), dtype=np.uint64)
    violations = np.zeros(ratios, dtype=np.int64)
    ends = np.arange(width)
    for j, column in enumerate(rank.tolist()):
        held = problem.cars.options[order, column].astype(np.int64)
        by_end = counts_by_end(problem.ratios[column], held, tail(problem, column))
        counts[j, : len(by_end)] = by_end
        seen = (ends >= table[j, FIRST_END]) & (ends < table[j, LAST_END])
        above = counts[j] - table[j, MOST]
        step_only = bool(table[j, STEP_ONLY])
        bits[j] = _bits(seen & ((above == 0) if step_only else (above >= 0)), bits.shape[1])
        bits[ratios + j] = _bits(seen & ((above == 1) if step_only else (above > 0)), bits.shape[1])
        excess = np.maximum(above[seen], 0)
        violations[j] = np.count_nonzero(excess) if step_only else excess.sum()
    return counts, bits, violations


def _bits(flags: NDArray[np.bool_], words: int) -> Words:
    """Flags as bits of words, lowest first."""
    padded = np.zeros(words * 64, dtype=np.uint8)
    padded[: len(flags)] = flags
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64)
