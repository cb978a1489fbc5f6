"""The search's inner loop, compiled: propose a move, find its cost, carry it out or not.

The kinds of moves and the rule "accept what is not worse" are those of Estellon, Gardi and Nouioua
(EJOR 191, 2008), with moves of whole paint batches beside; the chance of a worse step follows
Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing" (Science 220, 1983).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.compiled import compiled
from driveaway.delivery.sequence.batches import (
    batch_end,
    batch_start,
    stretch_changes,
    stretch_keeps_limit,
    swap_changes,
    swap_keeps_limit,
)
from driveaway.delivery.sequence.line import WINDOW, Line, Numbers, Words
from driveaway.delivery.sequence.windows import (
    mark,
    stretch_cost,
    stretch_windows,
    swap_cost,
    swap_windows,
    whole,
)


class Move(IntEnum):
    """A kind of move."""

    SWAP_ANY = 0
    SWAP_COLOUR = 1
    SWAP_OPTIONS = 2
    SWAP_NEAR = 3
    SWAP_WINDOW = 4
    SWAP_OVER = 5
    INSERT = 6
    REVERSE = 7
    SHUFFLE = 8
    TURN = 9
    REVERSE_BATCHES = 10
    TURN_BATCHES = 11
    EXCHANGE_BATCHES = 12
    EXCHANGE_BLOCKS = 13


_ANY = int(Move.SWAP_ANY)
_COLOUR = int(Move.SWAP_COLOUR)
_OPTIONS = int(Move.SWAP_OPTIONS)
_NEAR = int(Move.SWAP_NEAR)
_WINDOW = int(Move.SWAP_WINDOW)
_OVER = int(Move.SWAP_OVER)
_INSERT = int(Move.INSERT)
_REVERSE = int(Move.REVERSE)
_SHUFFLE = int(Move.SHUFFLE)
_TURN = int(Move.TURN)
_REVERSE_BATCHES = int(Move.REVERSE_BATCHES)
_TURN_BATCHES = int(Move.TURN_BATCHES)
_EXCHANGE_BATCHES = int(Move.EXCHANGE_BATCHES)

NEVER = 1 << 60
"""More than any order costs."""

CHANCES = 4096
"""Steps of the table of -log(u) that worse moves are drawn by."""

_NEAREST = 5
_LONGEST_STRETCH = 60
_LONGEST_BLOCK = 25
_LONGEST_SHUFFLE = 8


@compiled
def draw(state: Words) -> np.uint64:
    """The next 64 random bits (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.uint64 = z ^ (z >> np.uint64(31))
    return mixed


@compiled
def below(state: Words, bound: int) -> int:
    """A random number from 0 up to and without ``bound`` (below 2**32)."""
    return whole(((draw(state) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@compiled
def partner(
    kind: int,
    left: int,
    car_at: Numbers,
    place_of: Numbers,
    table: Numbers,
    group: Numbers,
    group_from: Numbers,
    members: Numbers,
    state: Words,
) -> int:
    """A position to swap with; may lie past the day."""
    if kind in (_COLOUR, _OPTIONS):
        row = 0 if kind == _COLOUR else 1
        own = group[row, car_at[left]]
        start = group_from[row, own]
        other = members[row, start + below(state, group_from[row, own + 1] - start)]
        place: int = place_of[other]
        return place
    if kind == _NEAR:
        return left + 1 + below(state, _NEAREST)
    if kind == _WINDOW and len(table) > 0:
        apart: int = table[below(state, len(table)), WINDOW]
        return left + apart
    return below(state, len(car_at))


@compiled
def in_window_over(
    options_at: Numbers, table: Numbers, bits: Words, violations: Numbers, state: Words
) -> int:
    """A position with an option inside a window that holds too many of it, or -1."""
    if len(table) == 0:
        return -1
    ratio = below(state, len(table))
    if violations[ratio] == 0:
        return -1
    words = bits.shape[1]
    start = below(state, words)
    for step in range(words):
        word = (start + step) % words
        held = bits[len(table) + ratio, word]
        if held == np.uint64(0):
            continue
        turn = below(state, 64)
        while (held >> np.uint64(turn)) & np.uint64(1) == np.uint64(0):
            turn = (turn + 1) & 63
        end, window = word * 64 + turn, table[ratio, WINDOW]
        offset = below(state, window)
        for back in range(window):
            place: int = end - (offset + back) % window
            if 0 <= place < len(options_at) and (options_at[place] >> ratio) & 1:
                return place
        return -1
    return -1


@compiled
def put(fresh: Numbers, car_at: Numbers, source: int, count: int, at: int) -> int:
    """Copy cars from a position on into ``fresh`` at another; returns the position after them."""
    for step in range(count):
        fresh[at + step] = car_at[source + step]
    return at + count


@compiled
def turn_round(fresh: Numbers, car_at: Numbers, first: int, last: int) -> None:
    """Copy a stretch into ``fresh`` back to front."""
    for place in range(first, last + 1):
        fresh[place] = car_at[first + last - place]


@compiled
def propose_short(kind: int, car_at: Numbers, fresh: Numbers, state: Words) -> tuple[int, int]:
    """Write a move of a short stretch into ``fresh``; returns its first and last position, or (0, -1)."""
    first = below(state, len(car_at))
    last = first + 1 + below(state, _LONGEST_SHUFFLE if kind == _SHUFFLE else _LONGEST_STRETCH)
    if last >= len(car_at):
        return 0, -1
    if kind == _REVERSE:
        turn_round(fresh, car_at, first, last)
    elif kind == _SHUFFLE:
        for place in range(first, last + 1):
            other = first + below(state, place - first + 1)
            fresh[place] = fresh[other]
            fresh[other] = car_at[place]
    elif kind == _TURN:
        moved = 1 + below(state, last - first)
        at = put(fresh, car_at, first + moved, last - first + 1 - moved, first)
        put(fresh, car_at, first, moved, at)
    elif below(state, 2) == 0:
        put(fresh, car_at, first, last - first, first + 1)
        fresh[first] = car_at[last]
    else:
        put(fresh, car_at, first + 1, last - first, first)
        fresh[last] = car_at[first]
    return first, last


@compiled
def propose_batches(
    kind: int, car_at: Numbers, fresh: Numbers, paint: Numbers, state: Words
) -> tuple[int, int, int, int]:
    """Write a move of paint batches or equal blocks into ``fresh``.

    Returns its first and last position, and where between them nothing changes: from a position up to
    and without another. The last is -1 when there is no move.
    """
    cars = len(car_at)
    first = below(state, cars)
    if kind == _REVERSE_BATCHES:
        last = first + below(state, _LONGEST_STRETCH)
        if last >= cars:
            return 0, -1, 0, 0
        first, last = batch_start(paint, first), batch_end(paint, last)
        turn_round(fresh, car_at, first, last)
        return first, last, last + 1, last + 1
    if kind == _TURN_BATCHES:
        other = first + 1 + below(state, _LONGEST_STRETCH)
        last = other + below(state, _LONGEST_STRETCH)
        if last >= cars:
            return 0, -1, 0, 0
        first, other, last = batch_start(paint, first), batch_start(paint, other), batch_end(paint, last)
        middle = other - 1
    else:
        # Two blocks exchange places; what stands between is shifted when they differ in length.
        other = below(state, cars)
        if other < first:
            first, other = other, first
        if kind == _EXCHANGE_BATCHES:
            first, other = batch_start(paint, first), batch_start(paint, other)
            middle, last = batch_end(paint, first), batch_end(paint, other)
            if middle - first != last - other and last - first > 4 * _LONGEST_STRETCH:
                return 0, -1, 0, 0
        else:
            length = 1 + below(state, _LONGEST_BLOCK)
            middle, last = first + length, other + length
    if middle >= other or last >= cars:
        return 0, -1, 0, 0
    at = put(fresh, car_at, other, last - other + 1, first)
    at = put(fresh, car_at, middle + 1, other - middle - 1, at)
    put(fresh, car_at, first, middle - first + 1, at)
    if middle - first == last - other:
        return first, last, middle + 1, other
    return first, last, last + 1, last + 1


@compiled
def search(
    line: Line,
    moves: int,
    temperature: float,
    chances: NDArray[np.float64],
    shares: Numbers,
    state: Words,
    now: int,
    best: int,
    best_order: Numbers,
    tally: Numbers,
) -> tuple[int, int]:
    """Try some moves; returns the cost of the line as it stands and the lowest one seen.

    Args:
        line: the line, which is changed.
        moves: how many moves to try.
        temperature: cost that a worse move may add, on average; 0: none.
        chances: -log(u) for evenly spread u, shape (``CHANCES``,).
        shares: of 65,536 moves, how many are of the kinds up to each, shape (kinds,).
        state: of the random numbers, which is changed, shape (1,).
        now: cost of the line as it stands.
        best: lowest cost seen before.
        best_order: the order that has it, which is changed with it.
        tally: moves tried and accepted of each kind, shape (kinds, 2), added to.
    """
    options, colours, table, bits, counts = line.options, line.colours, line.table, line.bits, line.counts
    group, group_from, members = line.group, line.group_from, line.members
    car_at, place_of, options_at, paint = line.car_at, line.place_of, line.options_at, line.paint
    violations, gained, lost, fresh = line.violations, line.gained, line.lost, line.fresh
    colour_weight, limit = line.colour_weight, line.limit
    cars = len(car_at)
    for _ in range(moves):
        random = draw(state)
        kind, slot = 0, whole(random & np.uint64(65535))
        while slot >= shares[kind]:
            kind += 1
        worst = whole(temperature * chances[whole(random >> np.uint64(52))])
        tally[kind, 0] += 1
        if kind <= _OVER:
            left = below(state, cars)
            if kind == _OVER:
                left = in_window_over(options_at, table, bits, violations, state)
                if left < 0:
                    continue
            right = partner(kind, left, car_at, place_of, table, group, group_from, members, state)
            if right >= cars:
                continue
            if right < left:
                left, right = right, left
            if options_at[left] == options_at[right] and paint[left + 1] == paint[right + 1]:
                continue
            delta = colour_weight * swap_changes(paint, left, right)
            delta += swap_cost(options_at, table, bits, left, right, worst - delta)
            if delta > worst or not swap_keeps_limit(paint, limit, left, right):
                continue
            swap_windows(options_at, table, counts, bits, violations, left, right)
            fresh[left], fresh[right] = car_at[right], car_at[left]
            first, last, step = left, right, right - left
        else:
            if kind <= _TURN:
                first, last = propose_short(kind, car_at, fresh, state)
                pause, resume = last + 1, last + 1
            else:
                first, last, pause, resume = propose_batches(kind, car_at, fresh, paint, state)
            if last <= first:
                continue
            delta = colour_weight * stretch_changes(paint, colours, fresh, first, last)
            moving = mark(options_at, options, fresh, gained, lost, first, last)
            delta += stretch_cost(
                table, counts, violations, gained, lost, first, last, pause, resume, moving, worst - delta
            )
            if delta > worst or not stretch_keeps_limit(paint, colours, fresh, limit, first, last):
                continue
            stretch_windows(table, counts, bits, violations, gained, lost, first, last, moving)
            step = 1
        for place in range(first, last + 1, step):
            car = fresh[place]
            car_at[place], place_of[car] = car, place
            options_at[place], paint[place + 1] = options[car], colours[car]
        tally[kind, 1] += 1
        now += delta
        if now < best:
            best = now
            best_order[:] = car_at
    return now, best


@compiled
def evaluate_swaps(line: Line, swaps: int, state: Words) -> int:
    """Find the full cost of random swaps without carrying any out (to measure how fast that is)."""
    table, bits, options_at, paint = line.table, line.bits, line.options_at, line.paint
    total = 0
    for _ in range(swaps):
        left, right = below(state, len(options_at)), below(state, len(options_at))
        if right < left:
            left, right = right, left
        total += line.colour_weight * swap_changes(paint, left, right)
        total += swap_cost(options_at, table, bits, left, right, NEVER)
    return total
