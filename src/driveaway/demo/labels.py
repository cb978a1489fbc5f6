"""Identifiers of the simulated orders, buyers and battery packs: unlike, and the same for a seed."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.values.ids import BASE32, ORDER_NUMBERS, VIN_YEARS

_BITS: Final = 5
_CHARACTERS: Final = 9
_MONTHS: Final = "123456789ABC"
_DAYS: Final = "123456789ABCDEFGHJKLMNPRSTUVWXY"
_ALPHABET: Final = np.frombuffer(BASE32.encode(), np.uint8)


class Scramble:
    """Maps 0, 1, 2 … to distinct numbers below 32⁹ that do not look like a count."""

    def __init__(self, rng: Generator) -> None:
        """Draw the two constants of the map (a bijection, the factor being odd)."""
        self._factor = int(rng.integers(ORDER_NUMBERS // 4, ORDER_NUMBERS // 2)) * 2 + 1
        self._offset = int(rng.integers(0, ORDER_NUMBERS))

    def __call__(self, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The numbers' images; 2⁶⁴ wraps around harmlessly, since 32⁹ is a power of two."""
        factor, offset = np.uint64(self._factor), np.uint64(self._offset)
        mixed = numbers.astype(np.uint64) * factor + offset
        # A xor-shift spreads the high bits over the low ones; it is a bijection too.
        mixed &= np.uint64(ORDER_NUMBERS - 1)
        mixed ^= mixed >> np.uint64(23)
        return mixed


def order_ids(numbers: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """What ``driveaway.values.ids.order_id`` gives for each number, as twelve ASCII bytes."""
    shifts = np.arange(_CHARACTERS - 1, -1, -1, dtype=np.uint64) * np.uint64(_BITS)
    values = ((numbers[:, None] >> shifts) & np.uint64(31)).astype(np.uint8)
    weighted = values.astype(np.int64)
    weighted[:, ::-2] *= 2
    check = (-(weighted // 32 + weighted % 32).sum(axis=1) % 32).astype(np.uint8)
    text = np.empty((len(numbers), 2 + _CHARACTERS + 1), np.uint8)
    text[:, 0], text[:, 1] = ord("O"), ord("-")
    text[:, 2:-1] = _ALPHABET[values]
    text[:, -1] = _ALPHABET[check]
    return text.view(f"S{text.shape[1]}").ravel()


def battery_code(maker: str, chemistry: str, day: date, serial: int) -> str:
    """A code shaped as GB/T 34014 asks: 24 characters of maker, kind, specification, date, serial."""
    made = f"{VIN_YEARS[(day.year - 2010) % 30]}{_MONTHS[day.month - 1]}{_DAYS[day.day - 1]}"
    return f"{maker}P{chemistry}01DEM0000{made}{serial % 10_000_000:07d}"
