"""The two questions that the peers answer too, and how their answers are told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from bench.measuring import tell

WAITING = "waiting"
"""Locked orders as of D that are neither cancelled nor handed over, by trim (as changed by then)."""
PER_DAY = "per_day"
"""Locked orders by local day, as of D."""
AGAIN = 5
LOCAL_OFFSET = 8 * 3_600_000_000
"""Of Asia/Shanghai to UTC, microseconds: peers may use that the zone has had no summer time since 1991."""

Answer = Mapping[str, int]
T = TypeVar("T")


def answer(
    questions: Mapping[str, Callable[[], Answer]], load: Callable[[], None] | None = None, again: int = AGAIN
) -> None:
    """Time the first answer to each question (after ``load``, whose time is told apart) and repeated ones."""
    loading = _timed(load)[0] if load is not None else 0.0
    out: dict[str, object] = {"loading": loading}
    for name, ask in questions.items():
        first, found = _timed(ask)
        times = [_timed(ask)[0] for _ in range(again)]
        out[name] = {"first": first, "again": times, "answer": dict(sorted(found.items()))}
    tell(**out)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
