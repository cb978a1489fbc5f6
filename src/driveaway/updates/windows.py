"""When a device may install: maintenance windows by a schedule, and the night where the car is.

A maintenance window opens whenever its Quartz schedule fires, by a clock with a fixed offset from UTC, and
stays open for its duration; windows may overlap.

Source: eclipse-hawkbit/hawkbit, MaintenanceScheduleHelper (schedule, duration, timezone of an action).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from driveaway.updates.quartz import Schedule, parse_schedule
from driveaway.values.clock import SECOND, moment
from driveaway.values.errors import BadValue

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>0[0-9]|1[0-8]):?(?P<minutes>[0-5][0-9])?")
_LARGEST_OFFSET = 18 * 3600
_NIGHT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Opening:
    """From ``start`` up to and without ``end``, in microseconds since 1970 UTC."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A schedule, how long each window lasts and the offset of its clock from UTC, both in seconds."""

    schedule: Schedule
    duration: int
    offset: int

    def is_open(self, at: int) -> bool:
        """Whether a window is open at this time (microseconds since 1970 UTC, as everywhere here)."""
        return self.current(at) is not None

    def current(self, at: int) -> Opening | None:
        """The window that is open, or None; of several that overlap the one that opened last."""
        started = self.schedule.last_until(self._local(at))
        if started is None:
            return None
        opening = self._opening(started)
        return opening if at < opening.end else None

    def next(self, at: int) -> Opening | None:
        """The first window that opens after this time, or None: never again."""
        found = self.schedule.next_after(self._local(at))
        return None if found is None else self._opening(found)

    def current_or_next(self, at: int) -> Opening | None:
        """The window that is open, else the next one; None: never again."""
        return self.current(at) or self.next(at)

    def has_lapsed(self, at: int) -> bool:
        """Whether none is open, and none ever opens again."""
        return self.current_or_next(at) is None

    def check_comes(self, at: int) -> None:
        """Refuse a window that is over.

        Raises:
            BadValue: ``window.never``.
        """
        if self.has_lapsed(at):
            raise BadValue(
                f"with the schedule {self.schedule.text!r} no window is open or opens again",
                code="window.never",
                field="schedule",
                remedy="choose a later year, or leave the year out",
            )

    def _local(self, at: int) -> datetime:
        return _EPOCH + timedelta(microseconds=at, seconds=self.offset)

    def _opening(self, local: datetime) -> Opening:
        start = (local - _EPOCH) // _MICROSECOND - self.offset * SECOND
        return Opening(start, start + self.duration * SECOND)


def parse_window(schedule: str, duration: str, timezone: str) -> MaintenanceWindow:
    """Read a window: a Quartz schedule, ``HH:MM:SS`` or ``HH:MM``, and an offset such as ``+08:00``.

    Raises:
        BadValue: ``window.schedule``, ``window.duration`` or ``window.timezone``; its field is the one of the
            three, its remedy says what is expected.
    """
    return MaintenanceWindow(parse_schedule(schedule), _duration(duration), _offset(timezone))


def parse_optional_window(
    schedule: str | None, duration: str | None, timezone: str | None
) -> MaintenanceWindow | None:
    """The same, where none of the three means that there is no window.

    Raises:
        BadValue: ``window.incomplete`` when only some are given, and what ``parse_window`` raises.
    """
    given = {"schedule": schedule, "duration": duration, "timezone": timezone}
    missing = [name for name, value in given.items() if not value]
    if not schedule or not duration or not timezone:
        if len(missing) == len(given):
            return None
        raise BadValue(
            f"a maintenance window without {' and '.join(missing)}",
            code="window.incomplete",
            field=missing[0],
            remedy="give schedule, duration and timezone, or none of them",
        )
    return parse_window(schedule, duration, timezone)


def is_night(now: int, zone: ZoneInfo, first: time, last: time) -> bool:
    """Whether the clock of a place shows ``first`` or later, and not yet ``last``.

    Args:
        now: microseconds since 1970 UTC.
        zone: that of the place where the car is.
        first: the first minute of the night there, such as 22:00.
        last: when it is over, such as 05:00; up to ``first`` again, the night goes round the clock.
    """
    clock = moment(now, zone).time()
    if first < last:
        return first <= clock < last
    return clock >= first or clock < last


def parse_night(text: str) -> tuple[time, time]:
    """The two times of day of a night: ``22:00-05:00``.

    Raises:
        BadValue: ``window.night``; also when both are the same.
    """
    found = _NIGHT.fullmatch(text.strip())
    if found is None:
        _refuse("night", text, "write two times of day, such as 22:00-05:00")
    h1, m1, h2, m2 = map(int, found.groups())
    if (h1, m1) == (h2, m2):
        _refuse("night", text, "a night begins and ends at different times")
    return time(h1, m1), time(h2, m2)


def _duration(text: str) -> int:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        _refuse("duration", text, "write HH:MM:SS below 24 hours, such as 02:30:00")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not total:
        _refuse("duration", text, "a window lasts a second or longer")
    return total


def _offset(text: str) -> int:
    if text.strip().upper() == "Z":
        return 0
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        _refuse("timezone", text, "write an offset from UTC such as +08:00, at most 18 hours")
    offset = int(found["hours"]) * 3600 + int(found["minutes"] or 0) * 60
    if offset > _LARGEST_OFFSET:
        _refuse("timezone", text, "write an offset from UTC such as +08:00, at most 18 hours")
    return -offset if found["sign"] == "-" else offset


def _refuse(field: str, text: str, remedy: str) -> NoReturn:
    raise BadValue(f"{text[:60]!r} is no {field}", code=f"window.{field}", field=field, remedy=remedy)
