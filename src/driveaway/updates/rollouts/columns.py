"""What is known about a rollout, in columns: one row a car, one row a report of health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driveaway.facts.health import SIGNALS, Signal

Times = NDArray[np.int64]
"""Microseconds since 1970 UTC."""
Flags = NDArray[np.bool_]

NEVER: Final = int(np.iinfo(np.int64).max)
"""A time that has not come."""
SECOND: Final = 1_000_000
"""Microseconds."""
_WEEK: Final = 7 * 86_400 * SECOND


class Outcome(IntEnum):
    """How the update of one car ended; FAILED and after it are failures, DECLINED is none."""

    PENDING = 0
    SUCCEEDED = 1
    """The car reported the release's version after a verified boot."""
    DECLINED = 2
    CANCELLED = 3
    FAILED = 4
    """The installer said so."""
    FALLBACK = 5
    """The car came back on its old slot."""
    SILENT = 6
    """It did not come back in its time, and was given up."""


@dataclass(frozen=True, slots=True)
class Cars:
    """The cars that a rollout is for; all columns have shape ``n``.

    Cars that a person opens by hand, such as a test fleet, are not drawn: they are left out.

    Attributes:
        place: place in the random order.
        held_out: whether the car is held back for the whole campaign.
        segment: which of the rollout's segments (models, cities) it belongs to, from 0.
        joined: when it became a car of the rollout; at the start or before for those that were there.
        opened: when the rollout opened its place, whether or not the car asked by then; NEVER if not yet.
            The same for all cars of one place and segment: a car that polls often is not opened earlier.
        offered: when it was first told; NEVER if not yet.
        started: when its installation began; NEVER if not yet.
        finished: when its outcome became known; NEVER while pending.
        seen: when it was last heard of; the smallest time if never.
        outcome: an ``Outcome``.
    """

    place: NDArray[np.uint64]
    held_out: Flags
    segment: NDArray[np.int32]
    joined: Times
    opened: Times
    offered: Times
    started: Times
    finished: Times
    seen: Times
    outcome: NDArray[np.uint8]

    def __post_init__(self) -> None:
        shapes = {getattr(self, each.name).shape for each in fields(self)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError(f"the columns of cars differ in shape: {shapes}")

    def __len__(self) -> int:
        return len(self.place)

    @classmethod
    def waiting(
        cls,
        place: NDArray[np.uint64],
        held_out: Flags,
        joined: int,
        segment: NDArray[np.int32] | None = None,
    ) -> Cars:
        """Cars of which nothing is opened yet."""
        n = len(place)
        never = np.full(n, NEVER, dtype=np.int64)
        return cls(
            place=place,
            held_out=held_out,
            segment=np.zeros(n, dtype=np.int32) if segment is None else segment,
            joined=np.full(n, joined, dtype=np.int64),
            opened=never,
            offered=never.copy(),
            started=never.copy(),
            finished=never.copy(),
            seen=np.full(n, np.iinfo(np.int64).min, dtype=np.int64),
            outcome=np.zeros(n, dtype=np.uint8),
        )

    def strata(self, started: int) -> NDArray[np.int32]:
        """Cars that may be compared with one another: by segment, late joiners by the week they joined.

        Whether a new car is opened is known as soon as it joins, so it is compared with cars as new.

        Returns:
            numbers from 0, shape ``n``, the segment's own for cars that were there at the start.
        """
        late = self.joined > started
        if not late.any():
            return self.segment
        out = self.segment.astype(np.int64)
        segments = int(self.segment.max()) + 1
        out[late] += segments * (1 + (self.joined[late] - started) // _WEEK)
        return out.astype(np.int32)


@dataclass(frozen=True, slots=True)
class Health:
    """Reports of health, in the order in which they were landed; all columns have shape ``n``.

    Attributes:
        car: row of the car in ``Cars``.
        signal: index into the closed list of signals.
        start, end: the window; equal for a moment.
        landed: when the report was recorded, never falling.
        count: how often it happened.
        exposure_m, assisted_m: metres driven in the window, and of them with assistance.
    """

    car: NDArray[np.int32]
    signal: NDArray[np.int16]
    start: Times
    end: Times
    landed: Times
    count: NDArray[np.int32]
    exposure_m: NDArray[np.int64]
    assisted_m: NDArray[np.int64]

    def __post_init__(self) -> None:
        shapes = {getattr(self, each.name).shape for each in fields(self)}
        if len(shapes) != 1:
            raise ValueError(f"the columns of health differ in shape: {shapes}")
        if (np.diff(self.landed) < 0).any():
            raise ValueError("reports of health stand in the order in which they were landed")

    def __len__(self) -> int:
        return len(self.car)

    @classmethod
    def none(cls) -> Health:
        """No report."""
        whole = np.empty(0, dtype=np.int64)
        half = np.empty(0, dtype=np.int32)
        return cls(half, np.empty(0, dtype=np.int16), whole, whole, whole, half, whole, whole)

    def of(self, signals: Sequence[Signal]) -> Flags:
        """Which reports are about these signals."""
        return np.isin(self.signal, codes(signals))


def codes(signals: Sequence[Signal]) -> NDArray[np.int16]:
    """Indexes of these signals in the closed list."""
    return np.array([SIGNALS.index(signal) for signal in signals], dtype=np.int16)
