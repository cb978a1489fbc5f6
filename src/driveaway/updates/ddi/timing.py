"""When a car is asked to poll again, and when its maintenance window is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from driveaway.book.state.state import Reading
from driveaway.updates import registry
from driveaway.updates.configuration import LONGEST, SHORTEST
from driveaway.updates.filters.filter import Clock
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.model import Target
from driveaway.updates.polling import PollingRule, parse_polling, share_of
from driveaway.updates.records import record_of
from driveaway.updates.versions import sort_key
from driveaway.updates.windows import MaintenanceWindow, parse_window
from driveaway.values.clock import SECOND

_MINUTE: Final = 60 * SECOND

_window: Final[Callable[[str, str, str], MaintenanceWindow]] = lru_cache(maxsize=1_000)(parse_window)


@lru_cache(maxsize=16)
def _rule(text: str) -> PollingRule:
    return parse_polling(text, target_fields(), shortest=SHORTEST, longest=LONGEST)


def window_open(schedule: str, duration: str, timezone: str, at: int) -> tuple[bool, int | None]:
    """Whether a maintenance window is open, and when that changes next; None: never again."""
    window = _window(schedule, duration, timezone)
    now = window.current(at)
    if now is not None:
        return True, now.end
    coming = window.next(at)
    return False, None if coming is None else coming.start


def version_keys(given: dict[str, str | None]) -> dict[str, str]:
    """Keys of attributes' values that sort as versions do."""
    return {key: sort_key(value) for key, value in given.items() if value is not None}


class Intervals:
    """The time to a car's next poll, by the rule that is set, with its jitter and overrides."""

    def __init__(
        self, reading: Reading, rule: Callable[[], str], polls: Callable[[], int], clock: Callable[[], int]
    ) -> None:
        """``rule`` is what ``pollingTime`` says now; ``polls`` how often to poll before a window opens."""
        self._reading = reading
        self._rule = rule
        self._polls = polls
        self._clock = clock

    def __call__(self, controller_id: str, target: Target | None, opens: int | None) -> str:
        """``HH:MM:SS``; ``opens`` is when the car's window opens."""
        rule = _rule(self._rule())
        now = self._clock()
        # By the minute, so that a filter that asks for the time is not read anew for each car.
        minute = now - now % _MINUTE
        record: dict[str, Any] = {}
        if rule.overrides and target is not None:
            record = record_of(self._reading, target, registry.attributes(self._reading, target.id))
        return rule.sleep(
            record,
            share_of(controller_id),
            clock=Clock(minute, minute),
            now=now,
            window_start=opens,
            polls=self._polls(),
        )
