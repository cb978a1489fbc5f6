"""Schedules as Quartz writes them: when they fire next, and when they last did.

Six or seven fields between spaces: second, minute, hour, day of month, month, day of week (1 is
Sunday), and a year if wanted. A field is ``*`` or a list of values, spans ``a-b`` (``FRI-MON`` goes
round) and steps ``a/n``, ``a-b/n``, ``*/n``; months and weekdays have their English three letters too. Of
the two fields for days exactly one is ``?``. A day of month may be ``L`` (the last), ``L-3`` (three days
before it), ``15W`` (the weekday nearest to it, of the same month), ``LW`` and ``L-3W``; a day of week ``6L``
(the last Friday of the month), ``6#3`` (the third Friday), and ``L``, which is Saturday. A day that a
month does not have does not fire in it, nor does its nearest weekday.

Times here are local and without a zone. Source: the CronTrigger tutorial of
https://www.quartz-scheduler.org/documentation/, as cron-utils reads it for hawkBit.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NoReturn

from driveaway.values.errors import BadValue

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2099
_LONGEST: Final = 500

_MONTHS = {
    name: n
    for n, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_WEEKDAYS = {name: n for n, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_SATURDAY = 7
_ITEM = re.compile(r"(?P<all>\*)?(?P<low>[0-9A-Z]+)?(?:-(?P<high>[0-9A-Z]+))?(?:/(?P<step>[0-9]{1,4}))?")
_LAST_DAY = re.compile(r"L(?:-(?P<before>[0-9]{1,2}))?(?P<near>W)?")
_NEAR_DAY = re.compile(r"(?P<day>[0-9]{1,2})W")
_WEEKDAY = re.compile(r"(?P<day>[1-7]|[A-Z]{3})(?:(?P<last>L)|#(?P<nth>[0-9]+))")


@dataclass(frozen=True, slots=True)
class _Range:
    """A field: its name, its bounds, the largest step, and names for its values."""

    name: str
    low: int
    high: int
    step: int
    names: dict[str, int] = field(default_factory=dict)


_SECOND = _Range("second", 0, 59, 59)
_MINUTE = _Range("minute", 0, 59, 59)
_HOUR = _Range("hour", 0, 23, 23)
_DAY = _Range("day of month", 1, 31, 31)
_MONTH = _Range("month", 1, 12, 12, _MONTHS)
_DAY_OF_WEEK = _Range("day of week", 1, 7, 7, _WEEKDAYS)
_YEAR = _Range("year", FIRST_YEAR, LAST_YEAR, LAST_YEAR - FIRST_YEAR)


@dataclass(frozen=True, slots=True)
class _Days:
    """Days of a month: by number; by distance from the last; by weekday, all, the last or the nth.

    ``near`` and ``near_last`` are those that move to the nearest weekday, Monday to Friday.
    """

    numbers: frozenset[int] = frozenset()
    near: frozenset[int] = frozenset()
    before_last: frozenset[int] = frozenset()
    near_last: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    last_weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something fires, to the second; ``text`` is how it was written."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days
    months: tuple[int, ...]
    years: tuple[int, ...]

    def __str__(self) -> str:
        return self.text

    def next_after(self, local: datetime) -> datetime | None:
        """The first time after this one, or None when there is none until the end of 2099."""
        if local.year >= MAXYEAR:
            return None
        local = local.replace(microsecond=0) + timedelta(seconds=1)
        today = local.date()
        for day in self._days_from(today):
            earliest = (local.hour, local.minute, local.second) if day == today else (0, 0, 0)
            found = self._first_time(*earliest)
            if found is not None:
                return datetime(day.year, day.month, day.day, *found)  # noqa: DTZ001 - local
        return None

    def last_until(self, local: datetime) -> datetime | None:
        """The last time up to this one, it included, or None when there is none since 1970."""
        today = local.date()
        for day in self._days_back_from(today):
            latest = (local.hour, local.minute, local.second) if day == today else (23, 59, 59)
            found = self._last_time(*latest)
            if found is not None:
                return datetime(day.year, day.month, day.day, *found)  # noqa: DTZ001 - local
        return None

    def _days_from(self, first: date) -> Iterator[date]:
        for year in self.years[bisect_left(self.years, first.year) :]:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in _days_of(self.days, year, month):
                    if (found := date(year, month, day)) >= first:
                        yield found

    def _days_back_from(self, last: date) -> Iterator[date]:
        for year in reversed(self.years[: bisect_right(self.years, last.year)]):
            for month in reversed(self.months):
                if (year, month) > (last.year, last.month):
                    continue
                for day in reversed(_days_of(self.days, year, month)):
                    if (found := date(year, month, day)) <= last:
                        yield found

    def _first_time(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        for h in self.hours[bisect_left(self.hours, hour) :]:
            if h > hour:
                return h, self.minutes[0], self.seconds[0]
            for m in self.minutes[bisect_left(self.minutes, minute) :]:
                if m > minute:
                    return h, m, self.seconds[0]
                for s in self.seconds[bisect_left(self.seconds, second) :]:
                    return h, m, s
        return None

    def _last_time(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        for h in reversed(self.hours[: bisect_right(self.hours, hour)]):
            if h < hour:
                return h, self.minutes[-1], self.seconds[-1]
            for m in reversed(self.minutes[: bisect_right(self.minutes, minute)]):
                if m < minute:
                    return h, m, self.seconds[-1]
                for s in reversed(self.seconds[: bisect_right(self.seconds, second)]):
                    return h, m, s
        return None


def parse_schedule(text: str) -> Schedule:
    """Read a schedule.

    Raises:
        BadValue: ``window.schedule``, with the field, what stands there and the remedy; also for one that
            never fires, such as on 30 February.
    """
    fields = text.upper().split() if len(text) <= _LONGEST else []
    if len(fields) not in (6, 7):
        _refuse(
            f"the schedule {text[:60]!r} has {len(fields) or 'too many'} fields",
            "write second, minute, hour, day of month, month, day of week and, if wanted, year: 0 0 2 ? * *",
        )
    second, minute, hour, day, month, weekday = fields[:6]
    if (day == "?") == (weekday == "?"):
        _refuse(
            f"days are given by day of month {day!r} and day of week {weekday!r}",
            "write ? for exactly one of the two",
        )
    schedule = Schedule(
        text=text,
        seconds=_values(second, _SECOND),
        minutes=_values(minute, _MINUTE),
        hours=_values(hour, _HOUR),
        days=_days_of_month(day) if weekday == "?" else _days_of_week(weekday),
        months=_values(month, _MONTH),
        years=_values(fields[6] if len(fields) == 7 else "*", _YEAR),
    )
    if schedule.next_after(datetime(FIRST_YEAR - 1, 12, 31, 23, 59, 59)) is None:  # noqa: DTZ001 - local
        _refuse(f"the schedule {text!r} never fires", "name a day that exists in one of its months")
    return schedule


@lru_cache(maxsize=4096)
def _days_of(days: _Days, year: int, month: int) -> tuple[int, ...]:
    """The days of this month on which it fires, ascending."""
    # calendar counts weekdays from Monday 0; Quartz from Sunday 1.
    monday_0, length = monthrange(year, month)
    first = (monday_0 + 1) % 7 + 1
    found = {day for day in days.numbers if day <= length}
    found |= {_nearest(day, first, length) for day in days.near if day <= length}
    found |= {length - before for before in days.before_last if before < length}
    found |= {_nearest(length - before, first, length) for before in days.near_last if before < length}
    for weekday in days.weekdays:
        found.update(range(1 + (weekday - first) % 7, length + 1, 7))
    for weekday in days.last_weekdays:
        found.add(range(1 + (weekday - first) % 7, length + 1, 7)[-1])
    for weekday, nth in days.nth_weekdays:
        day = 1 + (weekday - first) % 7 + 7 * (nth - 1)
        if day <= length:
            found.add(day)
    return tuple(sorted(found))


def _nearest(day: int, first: int, length: int) -> int:
    """The weekday nearest to a day within its month; ``first`` is the day of week of the 1st."""
    weekday = (first - 1 + day - 1) % 7 + 1
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < length else day - 2
    return day


def _values(text: str, known: _Range) -> tuple[int, ...]:
    return tuple(sorted({value for item in text.split(",") for value in _item(item, known)}))


def _item(text: str, known: _Range) -> list[int]:
    """The values of one item of a list."""
    found = _ITEM.fullmatch(text)
    if found is None or not text or (found["all"] and (found["low"] or found["high"])):
        _refuse_item(text, known, f"write a value, a-b, a/n or *, such as {known.low}-{known.high}")
    if found["high"] and not found["low"]:
        _refuse_item(text, known, "write both ends of the span")
    low = known.low if found["low"] is None else _value(found["low"], known)
    if found["high"] is not None:
        high = _value(found["high"], known)
    elif found["step"] is not None or found["low"] is None:
        high = known.high
    else:
        high = low
    step = 1 if found["step"] is None else int(found["step"])
    if not 1 <= step <= known.step:
        _refuse_item(text, known, f"a step is from 1 to {known.step}")
    if high < low and known is _YEAR:
        _refuse_item(text, known, "the first year comes first")
    if high < low:
        high += known.high - known.low + 1
    size = known.high - known.low + 1
    return [(value - known.low) % size + known.low for value in range(low, high + 1, step)]


def _value(text: str, known: _Range) -> int:
    value = known.names.get(text)
    if value is None and text.isdigit() and len(text) <= 4:
        value = int(text)
    if value is None or not known.low <= value <= known.high:
        names = f" or {', '.join(known.names)}" if known.names else ""
        _refuse_item(text, known, f"from {known.low} to {known.high}{names}")
    return value


def _days_of_month(text: str) -> _Days:
    numbers, near, before_last, near_last = set[int](), set[int](), set[int](), set[int]()
    for item in text.split(","):
        last, close = _LAST_DAY.fullmatch(item), _NEAR_DAY.fullmatch(item)
        if last is not None:
            before = int(last["before"] or 0)
            if before > 30:
                _refuse_item(item, _DAY, "at most 30 days before the last: L-30")
            (near_last if last["near"] else before_last).add(before)
        elif close is not None:
            near.add(_value(close["day"], _DAY))
        else:
            numbers.update(_item(item, _DAY))
    return _Days(frozenset(numbers), frozenset(near), frozenset(before_last), frozenset(near_last))


def _days_of_week(text: str) -> _Days:
    weekdays, lasts, nths = set[int](), set[int](), set[tuple[int, int]]()
    for item in text.split(","):
        found = _WEEKDAY.fullmatch(item)
        if item == "L":
            weekdays.add(_SATURDAY)
        elif found is None:
            weekdays.update(_item(item, _DAY_OF_WEEK))
        elif found["last"]:
            lasts.add(_value(found["day"], _DAY_OF_WEEK))
        else:
            nth = int(found["nth"][:3])
            if not 1 <= nth <= 5:
                _refuse_item(item, _DAY_OF_WEEK, "the first to the fifth: 6#1 to 6#5")
            nths.add((_value(found["day"], _DAY_OF_WEEK), nth))
    return _Days(weekdays=frozenset(weekdays), last_weekdays=frozenset(lasts), nth_weekdays=frozenset(nths))


def _refuse_item(text: str, known: _Range, remedy: str) -> NoReturn:
    _refuse(f"{text[:40]!r} is no {known.name}", remedy)


def _refuse(message: str, remedy: str) -> NoReturn:
    raise BadValue(message, code="window.schedule", field="schedule", remedy=remedy)
