"""What a poll is answered with, and what the answer rests on beyond rows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from driveaway.updates.ddi.messages import ControllerBase
from driveaway.updates.model import Target

WindowOpen = Callable[[str, str, str, int], tuple[bool, int | None]]
"""Of a window's schedule, duration and zone, at a time: whether it is open, and when that changes next."""
PollInterval = Callable[[str, Target | None, int | None], str]
"""Of a controller id, its car where known, and when its window opens: the time to its next poll, HH:MM:SS."""
VersionKeys = Callable[[dict[str, str | None]], dict[str, str]]
"""Of attributes: keys that sort as versions do, for those that are versions."""


class Polled(msgspec.Struct, frozen=True):
    """What a car is told when it polls.

    ``valid_until`` is when it changes by itself, in microseconds: a force time comes, a window opens or
    closes. None: it holds until a change is told.
    """

    document: ControllerBase
    valid_until: int | None


def always_closed(schedule: str, duration: str, timezone: str, at: int) -> tuple[bool, int | None]:
    """What holds of windows while nobody reads their schedules: none is ever open."""
    return False, None
