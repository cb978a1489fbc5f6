"""The loops of the ledger: segments cut at local midnight and folded, days marked, previous days found.

Days are counted from 1 January 1970. A car's active days are bits in blocks of 64: ``words[block, car]``.
"""

from __future__ import annotations

import numpy as np

from driveaway.fleet.compiled import compiled

NONE = -(2**31)
"""No previous day."""
MEASURES = 8
"""segments, distance, assisted, duration, energy, metres with energy, overrides, deactivations."""
_SAFE = 2**62
_NEAR = 6


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
def most_rows(batch: np.ndarray, car: np.ndarray, day: np.ndarray, first: int, last: int) -> np.ndarray:
    """The most rows that one car has, by batch and day from first to last: shape (batches, days)."""
    out = np.zeros((batch.max() + 1, last - first + 1), np.int32)
    base = 0
    for row in range(len(car)):
        if row == 0 or car[row] != car[row - 1] or batch[row] != batch[row - 1]:
            base = row
        count = 1
        for other in range(base, row):
            if day[other] == day[row]:
                count += 1
        place = day[row] - first
        out[batch[row], place] = max(out[batch[row], place], count)
    return out


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


@compiled
def highest(word: np.uint64) -> int:
    """Index of the highest bit that is set; the word is not 0."""
    index = 0
    rest = np.uint64(word)
    for step in (32, 16, 8, 4, 2, 1):
        if rest >> np.uint64(step):
            rest = rest >> np.uint64(step)
            index += step
    return index


@compiled
def before(words: np.ndarray, base: int, car: int, day: int) -> int:
    """The car's last active day before a day, or NONE."""
    block, bit = (day >> 6) - base, day & 63
    if bit:
        word = words[block, car] & ((np.uint64(1) << np.uint64(bit)) - np.uint64(1))
        if word:
            return ((block + base) << 6) + highest(word)
    for earlier in range(block - 1, -1, -1):
        if words[earlier, car]:
            return ((earlier + base) << 6) + highest(words[earlier, car])
    return NONE


@compiled
def after(words: np.ndarray, base: int, car: int, day: int) -> int:
    """The car's first active day after a day, or NONE."""
    block, bit = (day >> 6) - base, day & 63
    for later in range(block, len(words)):
        word = words[later, car]
        if later == block:
            # Two shifts: one by 64 is none.
            word = (word >> np.uint64(bit)) >> np.uint64(1) << np.uint64(1) << np.uint64(bit)
        if word:
            return ((later + base) << 6) + highest(word & (~word + np.uint64(1)))
    return NONE


@compiled
def is_set(words: np.ndarray, base: int, car: int, day: int) -> bool:
    """Whether the bit of a car's day is set."""
    return bool((words[(day >> 6) - base, car] >> np.uint64(day & 63)) & np.uint64(1))


@compiled
def put(words: np.ndarray, base: int, car: int, day: int, value: bool) -> None:
    """Set or clear the bit of a car's day."""
    bit = np.uint64(1) << np.uint64(day & 63)
    if value:
        words[(day >> 6) - base, car] |= bit
    else:
        words[(day >> 6) - base, car] &= ~bit


@compiled
def mark_days(
    batch: np.ndarray,
    car: np.ndarray,
    day: np.ndarray,
    state: np.ndarray,
    words: np.ndarray,
    simulated: np.ndarray,
    base: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mark days in the bits of one scope, and tell by rows of ACTIVITY what changed.

    Args:
        batch, car, day: sorted by batch and car, days of one of these in any order, repeated or not.
        state: what became of the day: 1 active, 2 active by simulated rows too (both add to what it was);
            -1 no longer active; -2 still active, and no longer simulated.
        words, simulated: bits of the scope, changed in place.
        base: first block.

    Returns:
        (batch, car, day, previous or NONE, weight, simulated) of each row.
    """
    most = 4 * len(car)
    out_batch = np.empty(most, np.int32)
    out_car = np.empty(most, np.int32)
    out_day = np.empty(most, np.int32)
    out_previous = np.empty(most, np.int32)
    out_weight = np.empty(most, np.int8)
    out_simulated = np.empty(most, np.bool_)
    days = np.empty(16, np.int64)
    wants = np.empty(16, np.int64)
    count, row = 0, 0
    while row < len(car):
        this, of = car[row], batch[row]
        touched = 0
        while row < len(car) and car[row] == this and batch[row] == of:
            place = touched
            while place > 0 and days[place - 1] > day[row]:
                place -= 1
            if place > 0 and days[place - 1] == day[row]:
                wants[place - 1] = max(wants[place - 1], state[row])
            else:
                if touched == len(days):
                    days = np.concatenate((days, np.empty(touched, np.int64)))
                    wants = np.concatenate((wants, np.empty(touched, np.int64)))
                for move in range(touched, place, -1):
                    days[move], wants[move] = days[move - 1], wants[move - 1]
                days[place], wants[place] = day[row], state[row]
                touched += 1
            row += 1
        was_previous = before(words, base, this, days[0])
        is_previous = was_previous
        for i in range(touched):
            at, want = days[i], wants[i]
            was, was_made_up = is_set(words, base, this, at), is_set(simulated, base, this, at)
            active = want != -1
            made_up = active and (want == 2 or (want == 1 and was_made_up))
            if was != active or (was and (was_previous != is_previous or was_made_up != made_up)):
                if was:
                    out_batch[count], out_car[count], out_day[count] = of, this, at
                    out_previous[count], out_weight[count] = was_previous, -1
                    out_simulated[count] = was_made_up
                    count += 1
                if active:
                    out_batch[count], out_car[count], out_day[count] = of, this, at
                    out_previous[count], out_weight[count] = is_previous, 1
                    out_simulated[count] = made_up
                    count += 1
            if was:
                was_previous = at
            if active:
                is_previous = at
            # The first active day behind it that is not touched: another day may come before it now.
            follows = after(words, base, this, at)
            if follows != NONE and (i + 1 == touched or follows < days[i + 1]):
                if was_previous != is_previous:
                    flag = is_set(simulated, base, this, follows)
                    for weight in (-1, 1):
                        out_batch[count], out_car[count], out_day[count] = of, this, follows
                        out_previous[count] = was_previous if weight < 0 else is_previous
                        out_weight[count], out_simulated[count] = weight, flag
                        count += 1
                if i + 1 < touched:
                    was_previous = before(words, base, this, days[i + 1])
                    is_previous = was_previous
            wants[i] = (1 if active else 0) + (2 if made_up else 0)
        for i in range(touched):
            put(words, base, this, days[i], wants[i] & 1 == 1)
            put(simulated, base, this, days[i], wants[i] & 2 == 2)
    return (
        out_batch[:count],
        out_car[:count],
        out_day[:count],
        out_previous[:count],
        out_weight[:count],
        out_simulated[:count],
    )


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
