"""Active days marked, and the ones before them found.

Days are counted from 1 January 1970. A car's active days are bits in blocks of 64: ``words[block, car]``.
"""

from __future__ import annotations

import numpy as np

from driveaway.fleet.compiled import compiled

NONE = -(2**31)
"""No previous day."""


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
def count_rows(
    batch: np.ndarray,
    car: np.ndarray,
    day: np.ndarray,
    metres: np.ndarray,
    long_m: np.ndarray,
    block: int,
    first: int,
    counts: np.ndarray,
    most: np.ndarray,
    before: np.ndarray,
) -> None:
    """Count rows of the days of one block, and tell those of long days from the day's first long row on.

    Args:
        batch, car, day: of each row; those of one batch and car stand together.
        metres: all and assisted ones of each row, shape (2, rows).
        long_m: of each of the two the metres from which a row is long.
        block: 64 days from 64 × block.
        first: day that ``most`` begins with.
        counts: by car and day of the block, shape (cars, 64): rows so far, 127 at the most, and 128 more once
            one was long; changed in place.
        most: the most rows that one car had by then, by batch and day; changed in place.
        before: of each row of a long day 0, and of the first long one how many rows of other batches there
            were by then; else -1; changed in place.
    """
    row = 0
    while row < len(car):
        end = row
        while end < len(car) and car[end] == car[row] and batch[end] == batch[row]:
            long = metres[0, end] >= long_m[0] or metres[1, end] >= long_m[1]
            if long and day[end] >> 6 == block and counts[car[end], day[end] & 63] < 128:
                before[end] = counts[car[end], day[end] & 63]
                counts[car[end], day[end] & 63] += 128
            end += 1
        for each in range(row, end):
            if day[each] >> 6 != block:
                continue
            count = counts[car[each], day[each] & 63]
            if count >= 128 and before[each] < 0:
                before[each] = 0
            if count & 127 < 127:
                count += 1
                counts[car[each], day[each] & 63] = count
            of, on = batch[each], day[each] - first
            most[of, on] = max(most[of, on], count & 127)
        row = end


@compiled
def long_rows(car: np.ndarray, day: np.ndarray, block: int, counts: np.ndarray, before: np.ndarray) -> None:
    """Set ``before`` to 0 for rows of long days of one block (see ``count_rows``)."""
    for row in range(len(car)):
        if day[row] >> 6 == block and counts[car[row], day[row] & 63] >= 128:
            before[row] = 0


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
