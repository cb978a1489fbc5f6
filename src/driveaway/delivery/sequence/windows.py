"""Windows over the line, compiled: what a swap or a rewritten stretch costs, and carrying it out.

After Estellon, Gardi and Nouioua, "Two local search approaches for solving real-life car sequencing
problems" (EJOR 191, 2008): the cost of a move is found from the windows it touches alone. Here those
windows are bits, so what a car costs at a position is a count of bits, whatever the window's length.

Arguments named as attributes of ``Line`` are these; arrays are passed one by one, which is what compiled
loops are fast with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.compiled import compiled
from driveaway.delivery.sequence.line import (
    FIRST_END,
    GAIN,
    LAST_END,
    MOST,
    STEP_ONLY,
    WEIGHT,
    WINDOW,
    Numbers,
    Words,
)

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ODD = np.uint64(0x5555555555555555)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_FOUR = np.uint64(4)
_TOP = np.uint64(56)


@compiled
def whole(number: float | np.uint64) -> int:
    """A number cut to a signed whole one (compiled loops would mix signed and unsigned into floats)."""
    return np.int64(number)  # type: ignore[return-value]


@compiled
def ones(word: np.uint64) -> int:
    """Bits that are set (the compiler makes one instruction of it)."""
    word = word - ((word >> _ONE) & _ODD)
    word = (word & _PAIRS) + ((word >> _TWO) & _PAIRS)
    word = (word + (word >> _FOUR)) & _NIBBLES
    return whole((word * _BYTES) >> _TOP)


@compiled
def lowest(bits: int) -> int:
    """Number of the lowest bit that is set."""
    return ones(np.uint64((bits & -bits) - 1))


@compiled
def ones_between(words: Words, row: int, low: int, high: int) -> int:
    """Bits of a row set from ``low`` up to and without ``high``."""
    if high <= low:
        return 0
    first, last = low >> 6, (high - 1) >> 6
    head = words[row, first] >> np.uint64(low & 63)
    if first == last:
        return ones(head & (_ALL >> np.uint64(64 - (high - low))))
    total = ones(head)
    for word in range(first + 1, last):
        total += ones(words[row, word])
    return total + ones(words[row, last] & (_ALL >> np.uint64(63 - ((high - 1) & 63))))


@compiled
def add(
    table: Numbers,
    counts: NDArray[np.int32],
    bits: Words,
    violations: Numbers,
    ratio: int,
    first: int,
    stop: int,
    more: int,
) -> None:
    """Let the windows that end from ``first`` up to and without ``stop`` hold some cars more."""
    ratios, most, step_only = len(table), table[ratio, MOST], table[ratio, STEP_ONLY]
    first_end, last_end = table[ratio, FIRST_END], table[ratio, LAST_END]
    change = 0
    for end in range(first, stop):
        was = counts[ratio, end] - most
        above = was + more
        counts[ratio, end] += more
        if end < first_end or end >= last_end:
            continue
        if step_only == 1:
            full, over = above == 0, above == 1
            change += (1 if above > 0 else 0) - (1 if was > 0 else 0)
        else:
            full, over = above >= 0, above > 0
            change += max(above, 0) - max(was, 0)
        word, place = end >> 6, np.uint64(end & 63)
        bit = _ONE << place
        bits[ratio, word] = (bits[ratio, word] & ~bit) | (np.uint64(full) << place)
        bits[ratios + ratio, word] = (bits[ratios + ratio, word] & ~bit) | (np.uint64(over) << place)
    violations[ratio] += change


@compiled
def swap_cost(options_at: Numbers, table: Numbers, bits: Words, left: int, right: int, most: int) -> int:
    """What the ratios cost more when two positions (left < right) change cars.

    Gives up as soon as the cost is sure to be above ``most``, with a number above it.
    """
    ratios = len(table)
    here: int = options_at[left]
    differing = here ^ options_at[right]
    delta: int = 0
    while differing != 0:
        ratio = lowest(differing)
        differing &= differing - 1
        window = table[ratio, WINDOW]
        left_end, right_start = min(left + window, right), max(left + window, right)
        has = (here >> ratio) & 1
        # The windows of one position alone: where the car goes and where it came from.
        near = ones_between(bits, ratio + ratios * has, left, left_end)
        far = ones_between(bits, ratio + ratios * (1 - has), right_start, right + window)
        delta += (far - near if has else near - far) * table[ratio, WEIGHT]
        if delta - table[ratio, GAIN] > most:
            delta -= table[ratio, GAIN]
            return delta
    return delta


@compiled
def swap_windows(
    options_at: Numbers,
    table: Numbers,
    counts: NDArray[np.int32],
    bits: Words,
    violations: Numbers,
    left: int,
    right: int,
) -> None:
    """Keep the windows' counts when two positions (left < right) change cars."""
    here: int = options_at[left]
    differing = here ^ options_at[right]
    while differing != 0:
        ratio = lowest(differing)
        differing &= differing - 1
        window = table[ratio, WINDOW]
        more = -1 if (here >> ratio) & 1 else 1
        add(table, counts, bits, violations, ratio, left, min(left + window, right), more)
        add(table, counts, bits, violations, ratio, max(left + window, right), right + window, -more)


@compiled
def mark(
    options_at: Numbers,
    options: Numbers,
    fresh: Numbers,
    gained: Numbers,
    lost: Numbers,
    first: int,
    last: int,
) -> int:
    """Note what ``fresh`` changes from ``first`` to ``last``; returns the options that move."""
    moving: int = 0
    for place in range(first, last + 1):
        old, new = options_at[place], options[fresh[place]]
        gained[place] = new & ~old
        lost[place] = old & ~new
        moving |= old ^ new
    return moving


@compiled
def shift(gained: Numbers, lost: Numbers, ratio: int, place: int) -> int:
    """How many cars more with the option stand at a marked position: -1, 0 or 1."""
    return ((gained[place] >> ratio) & 1) - ((lost[place] >> ratio) & 1)  # type: ignore[no-any-return]


@compiled
def stretch_cost(
    table: Numbers,
    counts: NDArray[np.int32],
    violations: Numbers,
    gained: Numbers,
    lost: Numbers,
    first: int,
    last: int,
    pause: int,
    resume: int,
    moving: int,
    most: int,
) -> int:
    """What the ratios cost more when ``fresh`` replaces the cars from ``first`` to ``last``.

    Everything between must be marked; from ``pause`` up to and without ``resume`` nothing changes. Gives
    up like ``swap_cost``.
    """
    saving: int = 0
    rest = moving
    while rest != 0:
        ratio = lowest(rest)
        rest &= rest - 1
        saving += table[ratio, WEIGHT] * violations[ratio]
    if -saving > most:
        return -saving
    delta: int = 0
    rest = moving
    while rest != 0:
        ratio = lowest(rest)
        rest &= rest - 1
        window, limit, step_only = table[ratio, WINDOW], table[ratio, MOST], table[ratio, STEP_ONLY]
        low, high = table[ratio, FIRST_END], table[ratio, LAST_END]
        more, change = 0, 0
        end = first
        while end < last + window:
            if end == pause + window and end < resume:
                end = resume
            if end <= last:
                more += shift(gained, lost, ratio, end)
            if end - window >= first:
                more -= shift(gained, lost, ratio, end - window)
            if more != 0 and low <= end < high:
                above = counts[ratio, end] - limit
                if step_only == 1:
                    change += (1 if above + more > 0 else 0) - (1 if above > 0 else 0)
                else:
                    change += max(above + more, 0) - max(above, 0)
            end += 1
        delta += change * table[ratio, WEIGHT]
        saving -= table[ratio, WEIGHT] * violations[ratio]
        if delta - saving > most:
            return delta - saving
    return delta


@compiled
def stretch_windows(
    table: Numbers,
    counts: NDArray[np.int32],
    bits: Words,
    violations: Numbers,
    gained: Numbers,
    lost: Numbers,
    first: int,
    last: int,
    moving: int,
) -> None:
    """Keep the windows' counts when what is marked from ``first`` to ``last`` is carried out."""
    while moving != 0:
        ratio = lowest(moving)
        moving &= moving - 1
        window = table[ratio, WINDOW]
        more = 0
        for end in range(first, last + window):
            if end <= last:
                more += shift(gained, lost, ratio, end)
            if end - window >= first:
                more -= shift(gained, lost, ratio, end - window)
            if more != 0:
                add(table, counts, bits, violations, ratio, end, end + 1, more)
