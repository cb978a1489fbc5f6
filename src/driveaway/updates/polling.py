"""How long a device sleeps between two polls: one rule of intervals, jitter and overrides, in one line.

    00:05:00~10%, status==in_sync -> 01:00:00, attribute.x==y -> 02:00:00~5%

The first interval holds for all; an override holds for the devices that its filter finds, the first
that does. ``~10%`` spreads an interval by up to that share either way. Near the start of a
maintenance window the interval is divided, so that the device polls a few more times before it opens.
An interval is written HH:MM:SS or as an ISO 8601 duration (``PT1H30M``). What a device is told
is HH:MM:SS below 24 hours, since clients read it as a time of day.

Source: eclipse-hawkbit/hawkbit, PollingTime and JpaControllerManagement.EventTimer, 2025/26.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from driveaway.updates.filters.fields import Fields, Record
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue

SHORTEST: Final = 30
"""Seconds: hawkBit's lower bound of an interval, 00:00:30."""
LONGEST: Final = 24 * 3600 - 1
"""Seconds: the upper bound, 23:59:59."""
POLLS_BEFORE_WINDOW: Final = 3
MOST_OVERRIDES: Final = 50

_CLOCK = re.compile(r"([0-9]{2}):([0-5][0-9]):([0-5][0-9])")
_ISO = re.compile(r"PT(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?", re.IGNORECASE)
_INTERVAL = re.compile(r"(?P<length>[^~]*?)\s*(?:~\s*(?P<percent>[0-9]{1,2})\s*%)?")
# Up to the arrow, with quoted parts passed over: a value may hold an arrow in quotes.
_FILTER = re.compile(r"((?:[^'\"-]|-(?!>)|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")*)->", re.DOTALL)
_LONGEST_TEXT = 60
_WANTED = "write HH:MM:SS or PT1H, with ~10% behind it for jitter"


@dataclass(frozen=True, slots=True)
class Interval:
    """Seconds between two polls, and by how many percent of them it varies either way."""

    seconds: int
    jitter: int = 0

    def __str__(self) -> str:
        return hms(self.seconds) + (f"~{self.jitter}%" if self.jitter else "")

    def spread(self, share: float) -> int:
        """Seconds with jitter; ``share`` is from 0 (shortest) to 1 (longest)."""
        return self.seconds + round(self.seconds * self.jitter / 100 * (2 * share - 1))


@dataclass(frozen=True, slots=True)
class Override:
    """Devices that the filter finds poll at this interval."""

    filter: Filter
    interval: Interval


@dataclass(frozen=True, slots=True)
class PollingRule:
    """The interval of all, the overrides in their order, and the bounds in seconds of what results."""

    interval: Interval
    overrides: tuple[Override, ...]
    shortest: int = SHORTEST
    longest: int = LONGEST

    def __str__(self) -> str:
        return ", ".join([str(self.interval), *(f"{o.filter} -> {o.interval}" for o in self.overrides)])

    def interval_of(self, record: Record, clock: Clock | None = None) -> Interval:
        """The interval of a device; ``clock`` is needed when a filter asks for the time.

        Raises:
            BadValue: ``filter.clock`` when it is needed and missing.
        """
        for override in self.overrides:
            if override.filter.matches(record, clock):
                return override.interval
        return self.interval

    def seconds_of(self, record: Record, share: float, clock: Clock | None = None) -> int:
        """Seconds until a device polls again; ``share``, from 0 to 1, is where its jitter lies."""
        return min(max(self.interval_of(record, clock).spread(share), self.shortest), self.longest)

    def sleep(
        self,
        record: Record,
        share: float,
        *,
        clock: Clock | None = None,
        now: int = 0,
        window_start: int | None = None,
        polls: int = POLLS_BEFORE_WINDOW,
    ) -> str:
        """What a device is told, HH:MM:SS.

        Args:
            record: the device, as filters see it.
            share: where its jitter lies, from 0 to 1: ``share_of(controller_id, seed)``, or by chance
                ``random.random()``.
            clock: for filters that ask for the time.
            now: microseconds since 1970 UTC.
            window_start: the next start of the maintenance window of its action, likewise; None
                without one, or while it is open.
            polls: how many polls are wanted until the window opens.
        """
        seconds = self.seconds_of(record, share, clock)
        if window_start is not None:
            seconds = before_window(seconds, now, window_start, polls, self.shortest)
        return hms(seconds)


def parse_polling(
    text: str,
    fields: Fields,
    *,
    shortest: int = SHORTEST,
    longest: int = LONGEST,
    zone: ZoneInfo | None = None,
) -> PollingRule:
    """Read a polling rule; ``shortest`` and ``longest`` are the bounds of every interval, in seconds.

    Raises:
        BadValue: ``polling.syntax``, ``polling.interval`` or ``polling.range``; and what reading a
            filter raises, its place then being the one within the filter.
    """
    if not 1 <= shortest <= longest <= LONGEST:
        raise BadValue(
            f"intervals from {shortest} to {longest} seconds cannot be",
            code="polling.range",
            remedy=f"shortest ≤ longest ≤ {LONGEST}",
        )
    first, comma, rest = text.partition(",")
    interval = _interval(first, shortest, longest)
    overrides: list[Override] = []
    while comma:
        if len(overrides) == MOST_OVERRIDES:
            _refuse("polling.syntax", f"the rule has over {MOST_OVERRIDES} overrides", "use fewer")
        found = _FILTER.match(rest)
        if found is None:
            remedy = "write filter -> HH:MM:SS after a comma"
            _refuse("polling.syntax", f"{_cut(rest)} is no override", remedy)
        written, comma, rest = rest[found.end() :].partition(",")
        wanted = Filter(found.group(1).strip(), fields, zone)
        overrides.append(Override(wanted, _interval(written, shortest, longest)))
    return PollingRule(interval, tuple(overrides), shortest, longest)


def share_of(controller_id: str, seed: str | int = 0) -> float:
    """Where the jitter of a device lies, from 0 to 1: evenly spread over devices, the same each time."""
    key = f"{seed}\x00{controller_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=6).digest()) / (2**48 - 1)


def before_window(
    seconds: int, now: int, start: int, polls: int = POLLS_BEFORE_WINDOW, shortest: int = SHORTEST
) -> int:
    """Seconds until the next poll of a device whose maintenance window starts at ``start``.

    The time left is divided by ``polls``; the interval never grows by it, nor falls below ``shortest``.
    From the start on it is the usual one. ``now`` and ``start`` are in microseconds since 1970 UTC.
    """
    if now > start:
        return seconds
    left = (start - now) // SECOND // max(1, polls)
    return seconds if left > seconds else max(left, min(shortest, seconds))


def hms(seconds: int) -> str:
    """Seconds below 24 hours as HH:MM:SS."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _interval(text: str, shortest: int, longest: int) -> Interval:
    text = text.strip()
    found = _INTERVAL.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    length = "" if found is None else found.group("length")
    clock = _CLOCK.fullmatch(length) or _ISO.fullmatch(length)
    if found is None or clock is None:
        _refuse("polling.interval", f"{_cut(text)} is no polling interval", _WANTED)
    hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not shortest <= total <= longest:
        bounds = f"between {hms(shortest)} and {hms(longest)}"
        _refuse("polling.range", f"{_cut(text)} is out of bounds", f"choose an interval {bounds}")
    return Interval(total, int(found.group("percent") or 0))


def _cut(text: str) -> str:
    return repr(text.strip()[:60])


def _refuse(code: str, message: str, remedy: str) -> NoReturn:
    raise BadValue(message, code=code, field="pollingTime", remedy=remedy)
