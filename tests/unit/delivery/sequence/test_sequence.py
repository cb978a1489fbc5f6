"""Line orders: costs counted twice, moves' costs exact, never worse, limits kept, bounds below."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from driveaway.delivery.sequence.line import cost, stand
from driveaway.delivery.sequence.moves import Move
from driveaway.delivery.sequence.paint import batched_order, fewest_colour_changes
from driveaway.delivery.sequence.problem import Cars, Counting, Objective, Problem, Ratio
from driveaway.delivery.sequence.score import score
from driveaway.delivery.sequence.search import MIX, UNPAINTED, Mix, _Run, _shares, sequence
from driveaway.values.errors import BadValue, Refused
from tests.unit.delivery.sequence.counting import counted, longest_run, total
from tests.unit.delivery.sequence.problems import problems

FEW = settings(max_examples=60, deadline=None)


@FEW
@given(problems(), st.randoms(use_true_random=False))
def test_two_evaluators_agree(problem: Problem, random: object) -> None:
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(problem.cars))  # type: ignore[attr-defined]
    found = score(problem, order)
    assert {kind: found.part(kind) for kind in Objective} == counted(problem, order.tolist())
    assert found.total == total(problem, order.tolist())
    assert found.longest_batch == longest_run(problem, order.tolist())
    assert cost(stand(problem, order)) == found.total


@pytest.mark.parametrize("kind", Move)
@settings(max_examples=25, deadline=None)
@given(problem=problems(), seed=st.integers(0, 2**63))
def test_each_move_costs_what_it_says(kind: Move, problem: Problem, seed: int) -> None:
    """At a great heat every move that keeps the limit is carried out; kept costs equal a count anew."""
    try:
        start = batched_order(problem)
    except Refused:
        assume(False)
        raise
    run = _Run(stand(problem, start), _shares({kind: 1.0}), seed)
    for _ in range(8):
        run.go(3, 1e12)
        order = run.line.car_at.tolist()
        assert run.now == total(problem, order) == cost(run.line)
        assert run.best == total(problem, run.best_order.tolist())
        fresh = stand(problem, run.line.car_at)
        for kept, anew in zip(run.line[:-3], fresh[:-3], strict=True):
            assert np.array_equal(kept, anew)
        if problem.paint_limit is not None:
            assert longest_run(problem, order) <= problem.paint_limit


def test_every_kind_of_move_is_made() -> None:
    random = np.random.default_rng(4)
    cars = Cars(random.integers(0, 4, 60), random.random((60, 3)) < 0.4)
    problem = Problem(cars, tuple(Ratio(f"r{j}", 1, 3 + j) for j in range(3)), paint_limit=9)
    for kind in Move:
        run = _Run(stand(problem, batched_order(problem)), _shares({kind: 1.0}), 1)
        run.go(500, 1e7)
        assert run.tally[kind, 0] == 500
        assert run.tally[kind, 1] > 20


@FEW
@given(problems(most_cars=25), st.integers(0, 2**32))
def test_never_worse_and_within_the_limit(problem: Problem, seed: int) -> None:
    try:
        found = sequence(problem, moves=600, seed=seed)
    except Refused:
        assert problem.paint_limit is not None
        counts = np.bincount(problem.cars.colours)
        assert max(c - problem.paint_limit * (len(problem.cars) - c + 1) for c in counts) > 0
        return
    order = found.order.tolist()
    assert found.score.total == total(problem, order)
    assert found.score.colour_changes >= found.fewest_colour_changes
    assert found.history[-1].total == found.score.total
    if problem.paint_limit is None or longest_run(problem, list(range(len(order)))) <= problem.paint_limit:
        assert found.given_keeps_limit
        assert found.score.total <= found.given.total
    else:
        assert not found.given_keeps_limit
    if problem.paint_limit is not None:
        assert longest_run(problem, order) <= problem.paint_limit


@FEW
@given(problems())
def test_the_batched_order_meets_the_bound_on_colour_changes(problem: Problem) -> None:
    try:
        order = batched_order(problem)
    except Refused:
        return
    assert sorted(order.tolist()) == list(range(len(problem.cars)))
    assert counted(problem, order.tolist())[Objective.COLOUR_CHANGES] == fewest_colour_changes(problem)
    if problem.paint_limit is not None:
        assert longest_run(problem, order.tolist()) <= problem.paint_limit


@settings(max_examples=40, deadline=None)
@given(problems(most_cars=7, limited=True))
def test_no_order_has_fewer_colour_changes_than_the_bound(problem: Problem) -> None:
    """Against every order there is: of colours alone, so each pattern is looked at once."""
    from itertools import pairwise, permutations

    colours = problem.cars.colours.tolist()
    assert problem.paint_limit is not None
    shop = [] if problem.before is None else problem.before.colours[-1:].tolist()
    able = []
    for pattern in set(permutations(colours)):
        run, longest = 0, 0
        for place, colour in enumerate(pattern):
            run = run + 1 if place and pattern[place - 1] == colour else 1
            longest = max(longest, run)
        if longest <= problem.paint_limit:
            line = [*shop, *pattern]
            able.append(sum(a != b for a, b in pairwise(line)))
    if able:
        assert fewest_colour_changes(problem) == min(able)
    else:
        with pytest.raises(Refused):
            fewest_colour_changes(problem)


def test_the_same_seed_gives_the_same_order() -> None:
    random = np.random.default_rng(7)
    cars = Cars(random.integers(0, 6, 80), random.random((80, 4)) < 0.35)
    problem = Problem(cars, tuple(Ratio(f"r{j}", 1, 3, j < 2) for j in range(4)), paint_limit=8)
    first, again, other = (sequence(problem, moves=20_000, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.order, again.order)
    assert [step.total for step in first.history] == [step.total for step in again.history]
    assert not np.array_equal(first.order, other.order)
    assert first.moves == 20_000


def test_an_order_that_can_be_perfect_is() -> None:
    """60 cars, every third with the option, 1 in 3 allowed, two colours: no violation, one change."""
    has = np.arange(60) < 20
    problem = Problem(Cars((np.arange(60) % 2).astype(np.int64), has[:, None]), (Ratio("roof", 1, 3),))
    found = sequence(problem, moves=400_000, seed=2)
    assert (found.score.high_ratios, found.score.colour_changes) == (0, 1)
    assert found.given.high_ratios > 0
    # It stops as soon as nothing can be better.
    assert found.moves < 400_000


def test_seconds_end_the_search() -> None:
    ticks = iter(range(10_000))
    cars = Cars(np.zeros(30, dtype=np.int64), np.ones((30, 1), dtype=np.bool_))
    found = sequence(Problem(cars, (Ratio("all", 1, 2),)), seconds=40.0, clock=lambda: float(next(ticks)))
    assert found.moves > 0
    assert found.seconds >= 40


def test_a_car_of_the_day_before_counts() -> None:
    """1 in 3: with the option on the last car before, two more must go first, and the colour is held."""
    before = Cars(np.array([1]), np.array([[True]]))
    cars = Cars(np.array([1, 0, 1]), np.array([[True], [False], [True]]))
    problem = Problem(cars, (Ratio("roof", 1, 3),), before=before)
    assert score(problem, np.array([0, 1, 2])).by_ratio == (2 + 1,)
    assert score(problem, np.array([0, 1, 2])).colour_changes == 2
    alone = Problem(cars, (Ratio("roof", 1, 3),), counting=Counting("windows", "whole"))
    assert score(alone, np.array([0, 1, 2])).by_ratio == (1,)


def test_nothing_to_order() -> None:
    none = Problem(Cars(np.zeros(0, dtype=np.int64), np.zeros((0, 1), dtype=np.bool_)), (Ratio("a", 1, 2),))
    assert sequence(none, moves=10).order.tolist() == []
    one = Problem(Cars(np.zeros(1, dtype=np.int64), np.zeros((1, 0), dtype=np.bool_)), ())
    assert sequence(one, moves=10).order.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"paint_limit": 0}, "delivery.sequence.paint_limit"),
        ({"ratios": (Ratio("a", 1, 0),)}, "delivery.sequence.ratio"),
        ({"ratios": ()}, "delivery.sequence.shape"),
        ({"ratios": (Ratio("a", 1, 2),) * 64}, "delivery.sequence.shape"),
        ({"objectives": (Objective.LOW_RATIOS,) * 2}, "delivery.sequence.objectives"),
        ({"cars": Cars(np.array([-1]), np.array([[True]]))}, "delivery.sequence.colour"),
    ],
)
def test_a_wrong_problem_says_why(change: dict[str, object], code: str) -> None:
    right: dict[str, object] = {
        "cars": Cars(np.array([1]), np.array([[True]])),
        "ratios": (Ratio("a", 1, 2),),
    }
    with pytest.raises(BadValue) as caught:
        Problem(**(right | change))  # type: ignore[arg-type]
    assert caught.value.code == code


def test_more_ratios_than_a_word_holds() -> None:
    cars = Cars(np.array([1, 2]), np.ones((2, 64), dtype=np.bool_))
    with pytest.raises(BadValue) as caught:
        Problem(cars, (Ratio("a", 1, 2),) * 64)
    assert caught.value.code == "delivery.sequence.ratios"
    full = Problem(Cars(np.array([1, 2]), np.ones((2, 63), dtype=np.bool_)), (Ratio("a", 1, 2),) * 63)
    assert sequence(full, moves=50).score.total == total(full, [0, 1])


def test_wrong_efforts_and_orders() -> None:
    problem = Problem(Cars(np.array([1, 1]), np.array([[True], [True]])), (Ratio("a", 1, 2),))
    for wrong in ({}, {"seconds": 1.0, "moves": 1}, {"moves": -1}):
        with pytest.raises(BadValue) as caught:
            sequence(problem, **wrong)  # type: ignore[arg-type]
        assert caught.value.code == "delivery.sequence.effort"
    with pytest.raises(BadValue) as caught:
        sequence(problem, np.array([0, 0]), moves=1)
    assert caught.value.code == "delivery.sequence.order"


def test_a_limit_that_no_order_keeps_is_refused() -> None:
    problem = Problem(Cars(np.array([3, 3, 3, 3, 1]), np.zeros((5, 0), dtype=np.bool_)), (), paint_limit=1)
    with pytest.raises(Refused, match="4 cars of one colour and 1 of others") as caught:
        sequence(problem, moves=1)
    assert caught.value.code == "delivery.sequence.paint_limit"


def _crowded() -> tuple[Cars, tuple[Ratio, ...]]:
    random = np.random.default_rng(5)
    held = random.random((90, 4)) < [0.45, 0.6, 0.3, 0.35]
    ratios = tuple(
        Ratio(f"r{most}/{window}", most, window) for most, window in ((1, 2), (2, 3), (1, 3), (2, 5))
    )
    return Cars(random.integers(0, 4, 90), held), ratios


@pytest.mark.parametrize(
    ("objectives", "limit", "mix"),
    [
        ((Objective.HIGH_RATIOS,), None, UNPAINTED),
        ((Objective.HIGH_RATIOS,), 30, MIX),
        ((Objective.HIGH_RATIOS, Objective.COLOUR_CHANGES), None, MIX),
    ],
)
def test_moves_of_paint_batches_are_left_out_where_no_colour_counts(
    objectives: tuple[Objective, ...], limit: int | None, mix: Mix
) -> None:
    cars, ratios = _crowded()
    problem = Problem(cars, ratios, objectives, paint_limit=limit)
    found = sequence(problem, moves=20_000, seed=3)
    asked, other = (
        sequence(problem, moves=20_000, seed=3, mix=m) for m in (mix, UNPAINTED if mix is MIX else MIX)
    )
    assert found.order.tolist() == asked.order.tolist() != other.order.tolist()
    assert found.score.total < found.given.total
