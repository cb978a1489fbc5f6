"""Rows put in order by car and time, without comparing texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled

_SMALL = 40


@compiled
def order_rows(
    rows: NDArray[np.int64],
    rank: NDArray[np.int32],
    ranks: int,
    start: NDArray[np.int64],
    trip: NDArray[np.int64],
    segment: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Rows by rank of their car, start, trip and segment; among equals as they arrived.

    A counting sort by car; the rows of one car mostly arrive in order of time already.

    Args:
        rows: which rows, in order of arrival.
        rank: of the car of each row of the table, below ``ranks``.
    """
    first = np.zeros(ranks + 1, np.int64)
    for row in rows:
        first[rank[row] + 1] += 1
    for number in range(ranks):
        first[number + 1] += first[number]
    out = np.empty(len(rows), np.int64)
    fill = first[:-1].copy()
    for row in rows:
        number = rank[row]
        out[fill[number]] = row
        fill[number] += 1
    for number in range(ranks):
        low, high = first[number], first[number + 1]
        if high - low > _SMALL and not _is_in_time(out, low, high, start):
            part = out[low:high].copy()
            out[low:high] = part[np.argsort(start[part], kind="mergesort")]
        for at in range(low + 1, high):
            row = out[at]
            before = at - 1
            while before >= low and _is_after(out[before], row, start, trip, segment):
                out[before + 1] = out[before]
                before -= 1
            out[before + 1] = row
    return out


@compiled
def _is_in_time(out: NDArray[np.int64], low: int, high: int, start: NDArray[np.int64]) -> bool:
    sorted_ = True
    for at in range(low + 1, high):
        sorted_ &= start[out[at]] >= start[out[at - 1]]
    return sorted_


@compiled
def _is_after(
    one: int, two: int, start: NDArray[np.int64], trip: NDArray[np.int64], segment: NDArray[np.int32]
) -> bool:
    if start[one] != start[two]:
        return bool(start[one] > start[two])
    if trip[one] != trip[two]:
        return bool(trip[one] > trip[two])
    return bool(segment[one] > segment[two])


@compiled
def local_days(
    start: NDArray[np.int64],
    code: NDArray[np.uint8],
    midnights: NDArray[np.int64],
    first: int,
    out: NDArray[np.int32],
) -> None:
    """For each row without a code its local day, as days since 1970.

    Args:
        midnights: of consecutive local days, rising; every start without a code lies between them.
        first: the day of the first of them.
    """
    at = 0
    last = len(midnights) - 1
    for row in range(len(start)):
        if code[row] != 0:
            continue
        moment = start[row]
        if not (midnights[at] <= moment and (at == last or moment < midnights[at + 1])):
            low, high = 0, last
            while low < high:
                middle = (low + high + 1) // 2
                if midnights[middle] <= moment:
                    low = middle
                else:
                    high = middle - 1
            at = low
        out[row] = first + at
