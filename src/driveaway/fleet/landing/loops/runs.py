"""Fingerprints of rows, and looking them up in sorted runs of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled
from driveaway.fleet.landing.loops.cars import Cars
from driveaway.fleet.landing.loops.rows import Days, Rows, TextWords, Words
from driveaway.fleet.landing.loops.vins import mixed


@compiled
def key_words(rows: NDArray[np.int64], of: Rows, factors: Words) -> Words:
    """64 bits for the VIN, trip and segment of each of these rows: multilinear hashing, then mixed."""
    out = np.empty(len(rows), np.uint64)
    a, b, c, d = factors[0], factors[1], factors[2], factors[3]
    for at in range(len(rows)):
        row = rows[at]
        trip, segment = np.uint64(of.trip[row]), np.uint64(of.segment[row])
        out[at] = mixed(of.high[row] * a + of.low[row] * b + trip * c + segment * d)
    return out


@compiled
def content_words(rows: NDArray[np.int64], of: Rows, texts: TextWords, day: Days, factors: Words) -> Words:
    """For each of these rows 48 bits of everything else that it says, and its local day in the lower 16.

    A sum of products with odd random factors, as in multilinear hashing (Carter and Wegman 1979): two rows
    that differ in one column never have the same sum, others with odds of about 1 in 2⁶⁰.

    Args:
        of: the columns.
        texts: 64 bits for each text of the columns of texts.
        day: days since 1970 of every row.
        factors: odd random numbers, 20 of them.
    """
    out = np.empty(len(rows), np.uint64)
    for at in range(len(rows)):
        row = rows[at]
        word = np.uint64(of.start[row]) * factors[4] + np.uint64(of.end[row]) * factors[5]
        word += np.uint64(of.distance[row]) * factors[6] + np.uint64(of.assisted[row]) * factors[7]
        word += np.uint64(of.overrides[row]) * factors[8] + np.uint64(of.deactivations[row]) * factors[9]
        # The level is -1 where there is none.
        word += np.uint64(np.int64(of.level[row])) * factors[10] + np.uint64(of.simulated[row]) * factors[11]
        word += np.uint64(of.energy[row]) * factors[12] if of.has_energy[row] else factors[13]
        word += np.uint64(of.odometer[row]) * factors[14] if of.has_odometer[row] else factors[15]
        if of.function[row] >= 0:
            word += texts.function[of.function[row]] * factors[16]
        if of.software[row] >= 0:
            word += texts.software[of.software[row]] * factors[17]
        if of.city[row] >= 0:
            word += texts.city[of.city[row]] * factors[18]
        if of.cell[row] >= 0:
            word += texts.cell[of.cell[row]] * factors[19]
        out[at] = (mixed(word) & ~np.uint64(0xFFFF)) | np.uint64(day[row] & 0xFFFF)
    return out


@compiled
def sort_words(keys: Words, words: Words) -> tuple[Words, Words]:
    """Keys in order, each with its word.

    Keys are evenly spread: their first bits nearly say where they belong (a bucket sort), and what shares a
    bucket is put in order by insertion.
    """
    size = len(keys)
    bits = 0
    while (1 << bits) < size and bits < 20:
        bits += 1
    coarse = max(bits // 2, 1)
    out_keys, out_words = keys.copy(), words.copy()
    _scatter(keys, words, out_keys, out_words, 64 - coarse, coarse)
    first = np.zeros((1 << coarse) + 1, np.int64)
    for key in keys:
        first[(key >> np.uint64(64 - coarse)) + np.uint64(1)] += 1
    for bucket in range(1 << coarse):
        first[bucket + 1] += first[bucket]
    fine = max(bits - coarse, 1)
    for bucket in range(1 << coarse):
        low, high = first[bucket], first[bucket + 1]
        if high - low < 2:
            continue
        some_keys, some_words = out_keys[low:high].copy(), out_words[low:high].copy()
        _scatter(some_keys, some_words, out_keys[low:high], out_words[low:high], 64 - coarse - fine, fine)
        for at in range(low + 1, high):
            key, word = out_keys[at], out_words[at]
            before = at - 1
            while before >= low and out_keys[before] > key:
                out_keys[before + 1], out_words[before + 1] = out_keys[before], out_words[before]
                before -= 1
            out_keys[before + 1], out_words[before + 1] = key, word
    return out_keys, out_words


@compiled
def _scatter(keys: Words, words: Words, out_keys: Words, out_words: Words, shift: int, bits: int) -> None:
    """A counting sort by some bits of the keys."""
    mask = np.uint64((1 << bits) - 1)
    first = np.zeros((1 << bits) + 1, np.int64)
    for key in keys:
        first[((key >> np.uint64(shift)) & mask) + np.uint64(1)] += 1
    for bucket in range(1 << bits):
        first[bucket + 1] += first[bucket]
    for at in range(len(keys)):
        bucket = (keys[at] >> np.uint64(shift)) & mask
        place = first[bucket]
        out_keys[place], out_words[place] = keys[at], words[at]
        first[bucket] = place + 1


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
    car: NDArray[np.int32],
    of: Rows,
    cars: Cars,
    out: NDArray[np.bool_],
) -> int:
    """Mark rows that may have been there before: those not beyond every earlier (trip, segment) of their car.

    Args:
        car: number of each row's car; the rows of one stand together.
        cars: records with the highest pair that each car landed.
        out: of each row of the table.

    Returns:
        how many were marked.
    """
    previous = np.int32(-1)
    top_trip, top_segment = np.int64(-1), np.int32(-1)
    marked = 0
    for row in range(len(car)):
        if car[row] != previous:
            previous = car[row]
            top_trip, top_segment = cars[previous].trip, cars[previous].segment
        if of.trip[row] > top_trip or (of.trip[row] == top_trip and of.segment[row] > top_segment):
            top_trip, top_segment = of.trip[row], of.segment[row]
        else:
            out[row] = True
            marked += 1
    return marked
