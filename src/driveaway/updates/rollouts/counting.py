"""Counting pairs: for each row, how many rows before it have a value that is not above its own bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def counted_before(values: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row k: how many rows j < k have ``values[j] <= bounds[k]``.

    A wavelet matrix (F. Claude, G. Navarro, A. Ordóñez, "The wavelet matrix", Information Systems 47,
    2015): as many passes over the rows as the number of different values has bits.

    Args:
        values, bounds: shape ``n``.
    """
    different = np.unique(values)
    ranks = np.searchsorted(different, values)
    below = np.searchsorted(different, bounds, side="right")
    total = np.zeros(len(values), dtype=np.int64)
    first = np.zeros(len(values), dtype=np.int64)
    last = np.arange(len(values), dtype=np.int64)
    for bit in range(len(different).bit_length() - 1, -1, -1):
        ones = (ranks >> bit) & 1 == 1
        zeros_before = np.concatenate(([0], np.cumsum(~ones)))
        zeros = zeros_before[-1]
        first_zero, last_zero = zeros_before[first], zeros_before[last]
        right = (below >> bit) & 1 == 1
        total += np.where(right, last_zero - first_zero, 0)
        first = np.where(right, zeros + first - first_zero, first_zero)
        last = np.where(right, zeros + last - last_zero, last_zero)
        ranks = np.concatenate((ranks[~ones], ranks[ones]))
    return total
