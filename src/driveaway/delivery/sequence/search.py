"""From a problem to an order: annealing through the objectives, first to last, by very many small moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driveaway.delivery.sequence.line import WEIGHT, Line, Numbers, cost, stand
from driveaway.delivery.sequence.moves import CHANCES, Move, search
from driveaway.delivery.sequence.paint import batched_order, fewest_colour_changes
from driveaway.delivery.sequence.problem import WEIGHTS, Objective, Order, Problem
from driveaway.delivery.sequence.score import Score, score
from driveaway.values.errors import BadValue

Mix = dict[Move, float]

MIX: Mix = {
    Move.SWAP_ANY: 20,
    Move.SWAP_COLOUR: 30,
    Move.SWAP_OPTIONS: 10,
    Move.SWAP_NEAR: 8,
    Move.SWAP_WINDOW: 8,
    Move.SWAP_OVER: 4,
    Move.INSERT: 3,
    Move.REVERSE: 5,
    Move.SHUFFLE: 2,
    Move.TURN: 1,
    Move.REVERSE_BATCHES: 4,
    Move.TURN_BATCHES: 1,
    Move.EXCHANGE_BATCHES: 1,
    Move.EXCHANGE_BLOCKS: 3,
}
"""How often each kind of move is tried, as parts of their sum."""

UNPAINTED: Mix = {
    Move.SWAP_ANY: 40,
    Move.SWAP_NEAR: 10,
    Move.SWAP_WINDOW: 10,
    Move.SWAP_OVER: 20,
    Move.INSERT: 8,
    Move.REVERSE: 8,
    Move.SHUFFLE: 3,
    Move.TURN: 2,
}
"""The same where no colour counts: without moves of paint batches, and more at windows that hold too many."""

HOT, COLD = 1.0, 0.1
"""Temperatures that each objective's annealing begins and ends at, in units of its weight."""

UNPAINTED_HOT, UNPAINTED_COLD = 0.4, 0.04
"""The same where no colour counts."""

_STILL = 0.03
"""Share of the search, at its end, in which nothing worse is accepted."""

_MOVES_AT_ONCE = 4_000
_CHANCES = -np.log((np.arange(CHANCES) + 0.5) / CHANCES)


@dataclass(frozen=True)
class Step:
    """The lowest cost after some moves and seconds of searching."""

    moves: int
    seconds: float
    total: int


@dataclass(frozen=True)
class Sequence:
    """A day's cars in line order.

    Attributes:
        order: the cars, as rows of the problem's ``Cars``.
        score: what the order costs, counted anew from its definition.
        given: what the order that was given costs.
        given_keeps_limit: whether the given order keeps the paint limit; the found one always does.
        fewest_colour_changes: a lower bound on colour changes, whatever the order.
        history: how the lowest cost fell; first where the search began.
        moves: how many moves were tried.
        seconds: how long that took, by the search's clock.
    """

    order: Order
    score: Score
    given: Score
    given_keeps_limit: bool
    fewest_colour_changes: int
    history: tuple[Step, ...]
    moves: int
    seconds: float


def sequence(
    problem: Problem,
    given: Order | None = None,
    *,
    seconds: float | None = None,
    moves: int | None = None,
    seed: int = 1,
    mix: Mix | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Sequence:
    """Find an order of low cost that keeps the paint limit and is never worse than the given one.

    Args:
        problem: the day's cars and what limits them.
        given: the order to begin with; None: the cars as they stand.
        seconds: how long to search (compiling not counted); what is found then depends on the machine.
        moves: how many moves to try; with this alone, the same seed gives the same order everywhere.
        seed: of the random moves.
        mix: how often each kind of move is tried; None: ``MIX``, or ``UNPAINTED`` where no colour counts.
        clock: what ``seconds`` is measured by.

    Raises:
        BadValue: ``delivery.sequence.effort``: neither or both of seconds and moves, or negative;
            ``delivery.sequence.order``: the given order is not one of these cars.
        Refused: ``delivery.sequence.paint_limit``: no order keeps the limit.
    """
    if (seconds is None) == (moves is None) or min(seconds or 0, moves or 0) < 0:
        raise BadValue(
            "say either how many seconds or how many moves to search", code="delivery.sequence.effort"
        )
    given = np.arange(len(problem.cars), dtype=np.int64) if given is None else given
    given_score = score(problem, given)
    bound = fewest_colour_changes(problem)
    keeps = problem.paint_limit is None or given_score.longest_batch <= problem.paint_limit
    batched = batched_order(problem)
    start = min([given] * keeps + [batched], key=lambda order: score(problem, order).total)
    painted = problem.paint_limit is not None or Objective.COLOUR_CHANGES in problem.objectives
    hot, cold = (HOT, COLD) if painted else (UNPAINTED_HOT, UNPAINTED_COLD)
    run = _Run(stand(problem, start), _shares(mix or (MIX if painted else UNPAINTED)), seed)
    begin = clock()

    def spent() -> float:
        if moves is not None:
            return run.moves / moves if moves else 1.0
        return (clock() - begin) / seconds if seconds else 1.0

    history = [Step(0, 0.0, run.best)]
    levels = _levels(problem, bound)
    least = sum(level.weight * level.least for level in levels)
    level, level_from, level_until = 0, 0.0, (1 - _STILL) / max(len(levels), 1)
    while len(problem.cars) > 1 and run.best > least and (done := spent()) < 1:
        while level < len(levels) and (done >= level_until or levels[level].reached(run.line)):
            level, level_from = level + 1, done
            level_until = done + (1 - _STILL - done) / max(len(levels) - level, 1)
        temperature = 0.0
        if level < len(levels):
            way = (done - level_from) / (level_until - level_from)
            temperature = levels[level].weight * hot * (cold / hot) ** way
        left = _MOVES_AT_ONCE if moves is None else min(_MOVES_AT_ONCE, moves - run.moves)
        if run.go(left, temperature):
            history.append(Step(run.moves, clock() - begin, run.best))
    order = run.best_order
    return Sequence(
        order,
        score(problem, order),
        given_score,
        keeps,
        bound,
        tuple(history),
        run.moves,
        clock() - begin,
    )


@dataclass(frozen=True)
class _Level:
    """One objective, as the search sees it."""

    objective: Objective
    weight: int
    least: int

    def reached(self, line: Line) -> bool:
        """Whether no order could have less of it than the line has."""
        if self.objective is Objective.COLOUR_CHANGES:
            shop = line.paint[int(line.paint[0] < 0) : -1]
            return int(np.count_nonzero(np.diff(shop))) == self.least
        mine = line.table[:, WEIGHT] == self.weight
        return int(line.violations[mine].sum()) == self.least


def _levels(problem: Problem, bound: int) -> list[_Level]:
    return [
        _Level(objective, weight, bound if objective is Objective.COLOUR_CHANGES else 0)
        for objective, weight in zip(problem.objectives, WEIGHTS, strict=False)
    ]


class _Run:
    """A search under way."""

    def __init__(self, line: Line, shares: Numbers, seed: int) -> None:
        self.line = line
        self.moves = 0
        self.best = self.now = cost(line)
        self.best_order = line.car_at.copy()
        self.tally = np.zeros((len(Move), 2), dtype=np.int64)
        self._shares = shares
        self._random = np.array([seed % 2**64], dtype=np.uint64)
        # Compiles, before any clock is looked at.
        self.go(0, 0.0)

    def go(self, moves: int, temperature: float) -> bool:
        """Try some moves; True when a lower cost was found."""
        before = self.best
        self.now, self.best = search(
            self.line,
            moves,
            temperature,
            _CHANCES,
            self._shares,
            self._random,
            self.now,
            self.best,
            self.best_order,
            self.tally,
        )
        self.moves += moves
        return self.best < before


def _shares(mix: Mix) -> Numbers:
    """Of 65,536 moves, how many are of the kinds up to each."""
    parts = np.array([mix.get(kind, 0.0) for kind in Move])
    upto: Numbers = np.round(np.cumsum(parts) / parts.sum() * 65_536).astype(np.int64)
    return upto
