"""Texts looked up by their bytes, in a hash table."""

from __future__ import annotations

import numpy as np

from driveaway.fleet.compiled import compiled

_NEAR = 6


@compiled
def _hash(data: np.ndarray, first: int, last: int) -> int:
    """FNV-1a of some bytes (Fowler, Noll, Vo), its upper half folded in."""
    value = np.uint64(14695981039346656037)
    for place in range(first, last):
        value = (value ^ np.uint64(data[place])) * np.uint64(1099511628211)
    return int((value ^ (value >> np.uint64(32))) & np.uint64(0x7FFFFFFF))


@compiled
def insert(table: np.ndarray, offsets: np.ndarray, data: np.ndarray, first: int, last: int) -> None:
    """Put texts, by their places from ``first`` to ``last``, into a hash table; none is there already.

    Args:
        table: places, -1 where it is free; a power of two long, half full at the most.
        offsets, data: the texts: that of a place goes from one offset to the next.
    """
    mask = len(table) - 1
    for place in range(first, last):
        slot = _hash(data, offsets[place], offsets[place + 1]) & mask
        while table[slot] >= 0:
            slot = (slot + 1) & mask
        table[slot] = place


@compiled
def _same(one: np.ndarray, at: int, other: np.ndarray, beside: int, size: int) -> bool:
    # From the end: numbers of one maker differ there.
    for place in range(size - 1, -1, -1):  # noqa: SIM110 - numba compiles the loop faster
        if one[at + place] != other[beside + place]:
            return False
    return True


@compiled
def look_up(
    offsets: np.ndarray, data: np.ndarray, table: np.ndarray, known_offsets: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Places of texts in a hash table (see ``insert``), -1 for those that are not there.

    Rows are sorted, and texts were numbered in sorted batches: one that repeats the one before is not looked
    up again, and the next ones by number are tried before the table, whose slots lie far apart in memory.
    """
    out = np.empty(len(offsets) - 1, np.int32)
    mask, many = len(table) - 1, len(known_offsets) - 1
    near = -1
    for row in range(len(out)):
        first, size = offsets[row], offsets[row + 1] - offsets[row]
        if row > 0 and first - offsets[row - 1] == size and _same(data, first, data, offsets[row - 1], size):
            out[row] = out[row - 1]
            continue
        out[row] = -1
        for place in range(near + 1, min(near + 1 + _NEAR, many)):
            begins = known_offsets[place]
            if known_offsets[place + 1] - begins == size and _same(data, first, known, begins, size):
                out[row] = near = place
                break
        if out[row] >= 0:
            continue
        slot = _hash(data, first, first + size) & mask
        while table[slot] >= 0:
            place = table[slot]
            begins = known_offsets[place]
            if known_offsets[place + 1] - begins == size and _same(data, first, known, begins, size):
                out[row] = near = place
                break
            slot = (slot + 1) & mask
    return out
