"""VINs as two integers, and a table that numbers cars by them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled
from driveaway.fleet.landing.loops.cars import Cars, new_car
from driveaway.values.ids import CHECK_DIGIT_REGIONS, vin_check_digit

WEIGHTS: Final = np.array((8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), np.int64)
_LETTERS: Final = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


def _value(letter: str) -> int:
    """The letter's value in the check digit's sum: that of a VIN in which it alone is not 0."""
    # The tenth character weighs 9, which has an inverse modulo 11.
    digit = vin_check_digit("0" * 9 + letter + "0" * 7)
    remainder = 10 if digit == "X" else int(digit)
    return remainder * 5 % 11


# Of each byte: its place in the alphabet plus one (0: not of a VIN), and its value for the check digit.
PLACE: Final = np.zeros(256, np.int64)
LETTERS: Final = np.frombuffer(b" " + _LETTERS.encode(), np.uint8)
"""The alphabet by place plus one."""
VALUE: Final = np.zeros(256, np.int64)
CHECKED: Final = np.zeros(256, np.bool_)
for _place, _letter in enumerate(_LETTERS):
    PLACE[ord(_letter)] = _place + 1
    VALUE[ord(_letter)] = _value(_letter)
for _letter in CHECK_DIGIT_REGIONS:
    CHECKED[ord(_letter)] = True


@compiled
def pack_vins(
    offsets: NDArray[Any],
    data: NDArray[np.uint8],
    place: NDArray[np.int64],
    value: NDArray[np.int64],
    checked: NDArray[np.bool_],
    weights: NDArray[np.int64],
    shape: int,
    digit: int,
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    code: NDArray[np.uint8],
) -> int:
    """Two integers for each VIN, which sort as the texts do; rows with a code are passed over.

    Args:
        offsets: of the texts in ``data``, shape (n + 1,).
        shape, digit: codes of a text that is no VIN, and of a wrong check digit.

    Returns:
        texts that are no VIN.
    """
    wrong = 0
    for row in range(len(high)):
        if code[row] != 0:
            continue
        first = offsets[row]
        if offsets[row + 1] - first != 17:
            code[row] = shape
            wrong += 1
            continue
        upper, lower, total = np.uint64(0), np.uint64(0), 0
        sound = True
        for position in range(17):
            byte = data[first + position]
            found = place[byte]
            if found == 0:
                sound = False
                break
            total += value[byte] * weights[position]
            if position < 9:
                upper = upper * np.uint64(34) + np.uint64(found)
            else:
                lower = lower * np.uint64(34) + np.uint64(found)
        if not sound:
            code[row] = shape
            wrong += 1
            continue
        high[row], low[row] = upper, lower
        if checked[data[first]]:
            remainder = total % 11
            expected = 88 if remainder == 10 else 48 + remainder
            if data[first + 8] != expected:
                code[row] = digit
    return wrong


@compiled
def mixed(number: np.uint64) -> np.uint64:
    """A bijection of 64 bits whose every output bit hangs on every input bit.

    The finaliser of SplitMix64 (Steele, Lea and Flood 2014, variant 13 of Stafford).
    """
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled
def number_cars(
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    code: NDArray[np.uint8],
    slots: NDArray[np.int32],
    cars: Cars,
    known: int,
    out: NDArray[np.int32],
    add: bool,
) -> tuple[int, int]:
    """The number of each row's car; a new car gets the next one. Open addressing with linear probing.

    Stops before a row that would fill the table beyond a half, or the arrays of known cars.

    Args:
        slots: car or -1, a power of two of them.
        cars: their records, room for more behind ``known``.
        add: False: unknown cars get -1.

    Returns:
        (rows done, cars known).
    """
    mask = np.uint64(len(slots) - 1)
    previous = -1
    for row in range(len(high)):
        if code[row] != 0:
            out[row] = -1
            continue
        upper, lower = high[row], low[row]
        if previous >= 0 and high[previous] == upper and low[previous] == lower and out[previous] >= 0:
            out[row] = out[previous]
            continue
        slot = mixed(upper * np.uint64(0x9E3779B97F4A7C15) + lower) & mask
        while True:
            car = slots[slot]
            if car < 0:
                if not add:
                    out[row] = -1
                    break
                if known >= len(cars) or 2 * known >= len(slots):
                    return row, known
                new_car(cars, known, upper, lower)
                slots[slot] = known
                out[row] = known
                known += 1
                break
            if cars[car].high == upper and cars[car].low == lower:
                out[row] = car
                break
            slot = (slot + np.uint64(1)) & mask
        previous = row
    return len(high), known


@compiled
def fill_slots(cars: Cars, known: int, slots: NDArray[np.int32]) -> None:
    """Enter all known cars into an empty table."""
    mask = np.uint64(len(slots) - 1)
    for car in range(known):
        slot = mixed(cars[car].high * np.uint64(0x9E3779B97F4A7C15) + cars[car].low) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = car


@compiled
def merge_cars(cars: Cars, one: NDArray[np.int32], two: NDArray[np.int32]) -> NDArray[np.int32]:
    """Numbers of cars by VIN, from two lists that are in that order."""
    out = np.empty(len(one) + len(two), np.int32)
    a = b = 0
    for at in range(len(out)):
        first = b == len(two)
        if not first and a < len(one):
            left, right = cars[one[a]], cars[two[b]]
            first = left.high < right.high or (left.high == right.high and left.low < right.low)
        if first:
            out[at] = one[a]
            a += 1
        else:
            out[at] = two[b]
            b += 1
    return out


@compiled
def write_vins(
    high: NDArray[np.uint64], low: NDArray[np.uint64], letters: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    """The 17 bytes of each VIN from its two integers; rows of one car that stand together are copied.

    Args:
        letters: of the alphabet, by place.
        out: shape (17 × rows,).
    """
    radix = np.uint64(34)
    for row in range(len(high)):
        first = 17 * row
        if row > 0 and high[row] == high[row - 1] and low[row] == low[row - 1]:
            for byte in range(17):
                out[first + byte] = out[first + byte - 17]
            continue
        upper, lower = high[row], low[row]
        for byte in range(8, -1, -1):
            rest = upper // radix
            out[first + byte] = letters[upper - rest * radix]
            upper = rest
        for byte in range(16, 8, -1):
            rest = lower // radix
            out[first + byte] = letters[lower - rest * radix]
            lower = rest
