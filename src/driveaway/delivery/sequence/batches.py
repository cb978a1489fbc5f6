"""Paint batches along the line, compiled: colour changes of a move, and whether it keeps the limit.

``paint`` is ``Line.paint``: the colour at a position stands one further on.
"""

from __future__ import annotations

from driveaway.delivery.compiled import compiled
from driveaway.delivery.sequence.line import Numbers


@compiled
def changes(a: int, b: int) -> int:
    """1 where the colour changes between two neighbours; -1 stands where nobody is."""
    return 1 if a != b and a >= 0 and b >= 0 else 0


@compiled
def swap_changes(paint: Numbers, left: int, right: int) -> int:
    """How many colour changes more when two positions (left < right) change cars."""
    a, b = paint[left + 1], paint[right + 1]
    if a == b:
        return 0
    delta = changes(paint[left], b) - changes(paint[left], a)
    delta += changes(a, paint[right + 2]) - changes(b, paint[right + 2])
    if right > left + 1:
        delta += changes(b, paint[left + 2]) - changes(a, paint[left + 2])
        delta += changes(paint[right], a) - changes(paint[right], b)
    return delta


@compiled
def batch_start(paint: Numbers, place: int) -> int:
    """First position of the batch that a position is in."""
    while place > 0 and paint[place] == paint[place + 1]:
        place -= 1
    return place


@compiled
def batch_end(paint: Numbers, place: int) -> int:
    """Last position of the batch that a position is in."""
    while paint[place + 2] == paint[place + 1]:
        place += 1
    return place


@compiled
def swap_keeps_limit(paint: Numbers, limit: int, left: int, right: int) -> bool:
    """Whether all batches stay within the limit when two positions change cars."""
    a, b = paint[left + 1], paint[right + 1]
    if a == b:
        return True
    paint[left + 1], paint[right + 1] = b, a
    kept = batch_end(paint, left) - batch_start(paint, left) < limit
    kept = kept and batch_end(paint, right) - batch_start(paint, right) < limit
    paint[left + 1], paint[right + 1] = a, b
    return kept


@compiled
def stretch_changes(paint: Numbers, colours: Numbers, fresh: Numbers, first: int, last: int) -> int:
    """How many colour changes more when ``fresh`` replaces the cars from ``first`` to ``last``."""
    old = new = paint[first]
    delta = 0
    for place in range(first, last + 1):
        was, now = paint[place + 1], colours[fresh[place]]
        delta += changes(new, now) - changes(old, was)
        old, new = was, now
    return delta + changes(new, paint[last + 2]) - changes(old, paint[last + 2])


@compiled
def stretch_keeps_limit(
    paint: Numbers, colours: Numbers, fresh: Numbers, limit: int, first: int, last: int
) -> bool:
    """Whether all batches stay within the limit when ``fresh`` replaces ``first`` to ``last``."""
    run, colour = 0, -1
    if first > 0:
        colour = paint[first]
        run = first - batch_start(paint, first - 1)
    for place in range(first, last + 1):
        now = colours[fresh[place]]
        run = run + 1 if now == colour else 1
        colour = now
        if run > limit:
            return False
    if paint[last + 2] == colour:
        run += batch_end(paint, last + 1) - last
    return run <= limit
