"""Fingerprints of rows, and looking them up in sorted runs of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.landing.loops.compiled import compiled
from driveaway.fleet.landing.loops.rows import Days, Rows, TextWords, Words
from driveaway.fleet.landing.loops.vins import mixed


@compiled
def key_words(rows: NDArray[np.int64], of: Rows, seed: np.uint64) -> Words:
    """64 bits for the VIN, trip and segment of each of these rows."""
    out = np.empty(len(rows), np.uint64)
    for at in range(len(rows)):
        row = rows[at]
        word = mixed(of.high[row] ^ seed)
        word = mixed(word + of.low[row])
        word = mixed(word + np.uint64(of.trip[row]))
        out[at] = mixed(word + np.uint64(of.segment[row]))
    return out


@compiled
def content_words(rows: NDArray[np.int64], of: Rows, texts: TextWords, day: Days, seed: np.uint64) -> Words:
    """For each of these rows 48 bits of everything else that it says, and its local day in the lower 16.

    Args:
        of: the columns.
        texts: 64 bits for each text of the columns of texts.
        day: days since 1970 of every row of the table.
    """
    out = np.empty(len(rows), np.uint64)
    absent = np.uint64(0xA5A5A5A5A5A5A5A5)
    for at in range(len(rows)):
        row = rows[at]
        word = mixed(seed + np.uint64(of.start[row]))
        word = mixed(word + np.uint64(of.end[row]))
        word = mixed(word + np.uint64(of.distance[row]))
        word = mixed(word + np.uint64(of.assisted[row]))
        word = mixed(word + np.uint64(of.overrides[row]))
        word = mixed(word + np.uint64(of.deactivations[row]))
        # The level is -1 where there is none.
        word = mixed(word + np.uint64(np.int64(of.level[row])))
        word = mixed(word + np.uint64(of.simulated[row]))
        word = mixed(word + np.uint64(of.energy[row]) if of.has_energy[row] else word ^ absent)
        word = mixed(word + np.uint64(of.odometer[row]) if of.has_odometer[row] else word ^ absent)
        word = mixed(word ^ absent if of.function[row] < 0 else word + texts.function[of.function[row]])
        word = mixed(word ^ absent if of.software[row] < 0 else word + texts.software[of.software[row]])
        word = mixed(word ^ absent if of.city[row] < 0 else word + texts.city[of.city[row]])
        word = mixed(word ^ absent if of.cell[row] < 0 else word + texts.cell[of.cell[row]])
        out[at] = (word & ~np.uint64(0xFFFF)) | np.uint64(day[row] & 0xFFFF)
    return out


@compiled
def find_keys(wanted: Words, order: NDArray[np.int64], keys: Words, out: NDArray[np.int64]) -> int:
    """Where each wanted key stands in a sorted run; rows that ``out`` knows already are passed over.

    Keys are evenly spread, so that a key's own value says nearly where it stands; from there the step
    doubles and then halves.

    Args:
        order: in which the wanted ones are asked for, best by key.
        out: place in the run, or -1; shape as ``wanted``.

    Returns:
        how many were found.
    """
    size = len(keys)
    found = 0
    if size == 0:
        return 0
    scale = size / 18446744073709551616.0
    for at in order:
        if out[at] >= 0:
            continue
        key = wanted[at]
        # Between ``low``, which is less, and ``high``, which is not.
        high = min(int(float(key) * scale), size - 1)
        low = high - 1
        step = 1
        if keys[high] < key:
            low, high = high, high + 1
            while high < size and keys[high] < key:
                low = high
                high += step
                step *= 2
            high = min(high, size)
        else:
            while low >= 0 and keys[low] >= key:
                high = low
                low -= step
                step *= 2
            low = max(low, -1)
        while high - low > 1:
            middle = (low + high) // 2
            if keys[middle] < key:
                low = middle
            else:
                high = middle
        if high < size and keys[high] == key:
            out[at] = high
            found += 1
    return found


@compiled
def merge_words(
    keys_a: Words, more_a: Words, keys_b: Words, more_b: Words, keys: Words, more: Words
) -> tuple[int, int]:
    """Merge two sorted runs into the room given; how many of each were taken."""
    a = b = at = 0
    room = len(keys)
    while at < room and a < len(keys_a) and b < len(keys_b):
        if keys_a[a] <= keys_b[b]:
            keys[at], more[at] = keys_a[a], more_a[a]
            a += 1
        else:
            keys[at], more[at] = keys_b[b], more_b[b]
            b += 1
        at += 1
    return a, b


@compiled
def suspects(
    order: NDArray[np.int64],
    car: NDArray[np.int32],
    of: Rows,
    last_trip: NDArray[np.int64],
    last_segment: NDArray[np.int32],
    out: NDArray[np.bool_],
) -> int:
    """Mark rows that may have been there before: those not beyond every earlier (trip, segment) of their car.

    Args:
        order: rows by car.
        car: number of each row's car.
        last_trip, last_segment: the highest pair that each car landed, -1 for none.
        out: of each row of the table.

    Returns:
        how many were marked.
    """
    previous = np.int32(-1)
    top_trip, top_segment = np.int64(-1), np.int32(-1)
    marked = 0
    for row in order:
        if car[row] != previous:
            previous = car[row]
            top_trip, top_segment = last_trip[previous], last_segment[previous]
        if of.trip[row] > top_trip or (of.trip[row] == top_trip and of.segment[row] > top_segment):
            top_trip, top_segment = of.trip[row], of.segment[row]
        else:
            out[row] = True
            marked += 1
    return marked
