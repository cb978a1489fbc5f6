"""What an order costs, counted plainly from its definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.sequence.problem import WEIGHTS, Objective, Order, Problem, Ratio
from driveaway.values.errors import BadValue


@dataclass(frozen=True)
class Score:
    """The parts of an order's cost.

    Attributes:
        colour_changes: neighbours of different colours, from the last car of the day before on.
        high_ratios: violations of high-priority ratios.
        low_ratios: violations of low-priority ratios.
        by_ratio: violations by ratio, in the problem's order.
        longest_batch: longest run of one colour within the day.
        total: the weighted sum that is minimised.
    """

    colour_changes: int
    high_ratios: int
    low_ratios: int
    by_ratio: tuple[int, ...]
    longest_batch: int
    total: int

    def part(self, objective: Objective) -> int:
        """The count of one objective."""
        return {
            Objective.COLOUR_CHANGES: self.colour_changes,
            Objective.HIGH_RATIOS: self.high_ratios,
            Objective.LOW_RATIOS: self.low_ratios,
        }[objective]


def score(problem: Problem, order: Order) -> Score:
    """Count what an order costs (Solnon et al., EJOR 191, 2008, section 6: the ROADEF 2005 objective).

    Raises:
        BadValue: ``delivery.sequence.order``: not a permutation of the day's cars.
    """
    if not np.array_equal(np.sort(order), np.arange(len(problem.cars))):
        raise BadValue("the order does not hold every car of the day once", code="delivery.sequence.order")
    colours = problem.cars.colours[order]
    shop = colours if problem.before is None else np.append(problem.before.colours[-1:], colours)
    changes = int(np.count_nonzero(np.diff(shop)))
    violations = [_violations(problem, column, order) for column in range(len(problem.ratios))]
    high = sum(v for v, r in zip(violations, problem.ratios, strict=True) if r.high_priority)
    low = sum(violations) - high
    parts = {
        Objective.COLOUR_CHANGES: changes,
        Objective.HIGH_RATIOS: high,
        Objective.LOW_RATIOS: low,
    }
    total = sum(
        weight * parts[objective] for weight, objective in zip(WEIGHTS, problem.objectives, strict=False)
    )
    return Score(changes, high, low, tuple(violations), longest_batch(colours), total)


def longest_batch(colours: NDArray[np.int64]) -> int:
    """Length of the longest run of one colour; 0 without cars."""
    if not len(colours):
        return 0
    ends = np.append(np.flatnonzero(np.diff(colours)), len(colours) - 1)
    return int(np.max(np.diff(np.append(-1, ends))))


def _violations(problem: Problem, column: int, order: Order) -> int:
    ratio = problem.ratios[column]
    with_option = problem.cars.options[order, column].astype(np.int64)
    counts = counts_by_end(ratio, with_option, tail(problem, column))
    first, last = counted_ends(problem, ratio)
    over = np.maximum(counts[first:last] - ratio.most, 0)
    return int(np.count_nonzero(over) if problem.counting.measure == "windows" else over.sum())


def tail(problem: Problem, column: int) -> NDArray[np.int64]:
    """One option (0 or 1) on the last cars of the day before: at most the ratio's window less one."""
    length = problem.ratios[column].window - 1
    if problem.before is None or length == 0:
        return np.zeros(0, dtype=np.int64)
    return problem.before.options[-length:, column].astype(np.int64)


def counts_by_end(
    ratio: Ratio, with_option: NDArray[np.int64], before: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Cars with the option in the window that ends at each position from the day's first on.

    The last ``window`` - 1 ends lie past the day, where nothing more is counted: those windows shrink.
    Shape (cars + window - 1,).
    """
    line = np.concatenate([before, with_option, np.zeros(ratio.window - 1, dtype=np.int64)])
    until = np.append(0, np.cumsum(line))
    ends = np.arange(len(before), len(line))
    counts: NDArray[np.int64] = until[ends + 1] - until[np.maximum(ends + 1 - ratio.window, 0)]
    return counts


def counted_ends(problem: Problem, ratio: Ratio) -> tuple[int, int]:
    """First end of a window that counts, and the one after the last."""
    cars = len(problem.cars)
    if problem.counting.ends == "whole":
        return min(ratio.window - 1, cars), cars
    return 0, cars + ratio.window - 1
