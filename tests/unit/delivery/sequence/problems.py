"""Small random problems."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from driveaway.delivery.sequence.problem import Cars, Counting, Objective, Problem, Ratio


@st.composite
def problems(draw: st.DrawFn, most_cars: int = 40, limited: bool | None = None) -> Problem:
    """Any problem: with or without a day before, a paint limit, and each way of counting."""
    ratios = tuple(
        Ratio(f"r{j}", draw(st.integers(0, 3)), draw(st.integers(1, 75)), draw(st.booleans()))
        if draw(st.integers(0, 9)) == 0
        else Ratio(f"r{j}", draw(st.integers(0, 2)), draw(st.integers(1, 8)), draw(st.booleans()))
        for j in range(draw(st.integers(0, 5)))
    )
    cars = draw(st.integers(1, most_cars))
    before = draw(st.integers(0, 9))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    colours = draw(st.integers(1, 5))

    def some(count: int) -> Cars:
        return Cars(
            random.integers(0, colours, count),
            random.random((count, len(ratios))) < random.random(len(ratios)),
        )

    objectives = draw(st.sampled_from(list(itertools.permutations(Objective))))
    limit = draw(st.one_of(st.none(), st.integers(1, 6)) if limited is None else st.integers(1, 6))
    return Problem(
        some(cars),
        ratios,
        objectives[: draw(st.integers(1, 3))],
        paint_limit=limit,
        before=some(before) if before else None,
        counting=Counting(
            draw(st.sampled_from(["excess", "windows"])), draw(st.sampled_from(["all", "whole"]))
        ),
    )
