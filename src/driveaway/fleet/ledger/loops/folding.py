"""Segments cut at local midnight and folded by car and day. Days are counted from 1 January 1970."""

from __future__ import annotations

import numpy as np

from driveaway.fleet.compiled import compiled

MEASURES = 8
"""segments, distance, assisted, duration, energy, metres with energy, overrides, deactivations."""
_SAFE = 2**62


@compiled
def share_of(amount: int, part: int, whole: int) -> int:
    """``floor(amount * part / whole)`` towards minus infinity, exact beyond 64 bits; 0 ≤ part ≤ whole.

    Long division bit by bit where the product would overflow.
    """
    size = abs(amount)
    if size <= _SAFE // whole:
        return amount * part // whole
    quotient, rest = 0, 0
    for shift in range(62, -1, -1):
        quotient *= 2
        rest *= 2
        if (size >> shift) & 1:
            rest += part
        while rest >= whole:
            rest -= whole
            quotient += 1
    if amount >= 0:
        return quotient
    return -quotient - (1 if rest > 0 else 0)


@compiled
def fold(
    batch: np.ndarray,
    car: np.ndarray,
    key: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    distance: np.ndarray,
    assisted: np.ndarray,
    overrides: np.ndarray,
    deactivations: np.ndarray,
    energy: np.ndarray,
    reported: np.ndarray,
    midnights: np.ndarray,
    first_day: int,
    most: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segments to ledger rows: cut at midnight, added up by batch, car, day and key.

    Args:
        batch, car: sorted by both; int32.
        key: what else rows are told apart by; int64.
        start, end: microseconds; int64.
        distance, assisted, overrides, deactivations, energy: int64.
        reported: whether the segment reports energy.
        midnights: first microsecond of each local day from ``first_day`` to the day after the last.
        first_day: of ``midnights``.
        most: rows that come out at the most.

    Returns:
        (row of a segment of the group, batch, car, day, measures of shape (8, rows)).
    """
    source = np.empty(most, np.int64)
    out_batch = np.empty(most, np.int32)
    out_car = np.empty(most, np.int32)
    out_day = np.empty(most, np.int32)
    out = np.empty((MEASURES, most), np.int64)
    # What a segment adds to one day, and what it had added to the days before.
    part = np.empty(MEASURES, np.int64)
    done = np.empty(4, np.int64)
    count, base, today = 0, 0, 0
    for row in range(len(car)):
        if row == 0 or car[row] != car[row - 1] or batch[row] != batch[row - 1]:
            base = count
        begins, ends = start[row], end[row]
        if not midnights[today] <= begins < midnights[today + 1]:
            today = np.searchsorted(midnights, begins, side="right") - 1
        whole = ends - begins
        part[0], part[6], part[7] = 1, overrides[row], deactivations[row]
        part[1], part[2], part[3], part[4] = distance[row], assisted[row], whole // 1_000_000, energy[row]
        at = today
        done[:] = 0
        while True:
            last = ends <= midnights[at + 1]
            passed = midnights[at + 1] - begins
            totals = (distance[row], assisted[row], whole // 1_000_000, energy[row])
            if not last or at != today:
                for i in range(4):
                    upto = totals[i] if last else share_of(totals[i], passed, whole)
                    part[i + 1] = upto - done[i]
                    done[i] = upto
            part[5] = part[1] if reported[row] else 0
            if part[0] != 0 or part[1] != 0 or part[2] != 0 or part[3] != 0 or part[4] != 0:
                day = first_day + at
                found = count - 1
                while found >= base and not (out_day[found] == day and key[source[found]] == key[row]):
                    found -= 1
                if found < base:
                    found = count
                    count += 1
                    source[found] = row
                    out_batch[found], out_car[found], out_day[found] = batch[row], car[row], day
                    out[:, found] = 0
                for i in range(MEASURES):
                    out[i, found] += part[i]
            if last:
                break
            part[0], part[6], part[7] = 0, 0, 0
            at += 1
            while midnights[at + 1] == midnights[at]:
                at += 1
    return source[:count], out_batch[:count], out_car[:count], out_day[:count], out[:, :count]


@compiled
def add_up(key: np.ndarray, measures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums by key.

    Args:
        key: of each row; not negative.
        measures: shape (8, rows).

    Returns:
        (first row of each key, in the order of these; sums of shape (8, keys)).
    """
    slots = np.full(1024, -1, np.int64)
    group = np.empty(len(key), np.int32)
    first = np.empty(len(key), np.int64)
    count = 0
    for row in range(len(key)):
        if 2 * count >= len(slots):
            slots = np.full(4 * len(slots), -1, np.int64)
            for known in range(count):
                slot = _spread(key[first[known]]) & (len(slots) - 1)
                while slots[slot] >= 0:
                    slot = (slot + 1) & (len(slots) - 1)
                slots[slot] = known
        slot = _spread(key[row]) & (len(slots) - 1)
        while slots[slot] >= 0 and key[first[slots[slot]]] != key[row]:
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            slots[slot], first[count] = count, row
            count += 1
        group[row] = slots[slot]
    out = np.zeros((len(measures), count), np.int64)
    for measure in range(len(measures)):
        for row in range(len(key)):
            out[measure, group[row]] += measures[measure, row]
    return first[:count], out


@compiled
def _spread(key: int) -> int:
    """A hash of a number: Fibonacci's multiplication (Knuth, The Art of Computer Programming, 6.4)."""
    return int((np.uint64(key) * np.uint64(11400714819323198485)) >> np.uint64(33))
