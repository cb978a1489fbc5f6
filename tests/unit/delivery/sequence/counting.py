"""A second evaluator, written from the published wording with plain loops and nothing shared."""

from __future__ import annotations

from driveaway.delivery.sequence.problem import Objective, Problem


def counted(problem: Problem, order: list[int]) -> dict[Objective, int]:
    """Colour changes and ratio violations of an order."""
    colours = [int(problem.cars.colours[car]) for car in order]
    options = [[bool(cell) for cell in problem.cars.options[car]] for car in order]
    earlier = [] if problem.before is None else [[bool(c) for c in row] for row in problem.before.options]
    last = None if problem.before is None or not earlier else int(problem.before.colours[-1])

    changed = 0
    for colour in colours:
        if last is not None and colour != last:
            changed += 1
        last = colour

    violations = {True: 0, False: 0}
    for column, ratio in enumerate(problem.ratios):
        line = [row[column] for row in earlier] + [row[column] for row in options]
        day_starts, day_ends = len(earlier), len(line)
        for end in range(day_starts, day_ends + ratio.window - 1):
            window = [place for place in range(end - ratio.window + 1, end + 1) if 0 <= place < day_ends]
            if problem.counting.ends == "whole" and (end - ratio.window + 1 < day_starts or end >= day_ends):
                continue
            held = sum(line[place] for place in window)
            excess = max(0, held - ratio.most)
            if problem.counting.measure == "windows":
                excess = min(excess, 1)
            violations[ratio.high_priority] += excess
    return {
        Objective.COLOUR_CHANGES: changed,
        Objective.HIGH_RATIOS: violations[True],
        Objective.LOW_RATIOS: violations[False],
    }


def total(problem: Problem, order: list[int]) -> int:
    """The weighted sum: 1,000,000, 1,000 and 1."""
    parts = counted(problem, order)
    return sum(
        weight * parts[kind] for weight, kind in zip((10**6, 10**3, 1), problem.objectives, strict=False)
    )


def longest_run(problem: Problem, order: list[int]) -> int:
    """Longest run of one colour within the day."""
    longest = run = 0
    for place, car in enumerate(order):
        same = place > 0 and problem.cars.colours[car] == problem.cars.colours[order[place - 1]]
        run = run + 1 if same else 1
        longest = max(longest, run)
    return longest
