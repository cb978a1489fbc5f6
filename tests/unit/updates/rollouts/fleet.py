"""Small fleets for the tests of rollouts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from driveaway.facts.health import SIGNALS, Signal
from driveaway.updates.rollouts.columns import NEVER, SECOND, Cars, Health

HOUR = 3600 * SECOND
DAY = 24 * HOUR


def fleet(n: int, held_out: int = 0, **columns: Any) -> Cars:
    """Cars in the order of their places, the last ``held_out`` of them held back."""
    place = (np.arange(n, dtype=np.uint64) + np.uint64(1)) << np.uint64(32)
    cars = Cars.waiting(place, np.arange(n) >= n - held_out, 0)
    return replace(cars, **{name: np.asarray(value) for name, value in columns.items()})


def opened(n: int, times: dict[int, int]) -> np.ndarray:
    """Opening times: the first so many cars at so many microseconds."""
    out = np.full(n, NEVER, dtype=np.int64)
    for first in sorted(times, reverse=True):
        out[:first] = times[first]
    return out


def reports(
    rows: list[tuple[int, int]], signal: Signal = "trouble_code", *, window: int = 0, **columns: Any
) -> Health:
    """Reports of (car, start), landed when the window ends unless said otherwise."""
    n = len(rows)
    start = np.array([start for _, start in rows], dtype=np.int64)
    columns = {name: np.asarray(value) for name, value in columns.items()}
    values = {
        "car": np.array([car for car, _ in rows], dtype=np.int32),
        "signal": np.full(n, SIGNALS.index(signal), dtype=np.int16),
        "start": start,
        "end": start + window,
        "landed": start + window,
        "count": np.ones(n, dtype=np.int32),
        "exposure_m": np.zeros(n, dtype=np.int64),
        "assisted_m": np.zeros(n, dtype=np.int64),
    }
    return Health(**{**values, **columns})
