"""Time: microseconds since 1970 in UTC inside, the launch's zone at the doors.

A calendar day as an as-of means everything up to and including that local day;
a full ISO 8601 time means itself.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final, NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from driveaway.values.errors import BadValue

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
_DAY_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LIKE_A_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}")
# A word of Python's complaint → what is wrong. Its own sentences differ from version to version.
_WHY: Final = {
    "month": "there is no such month",
    "day": "there is no such day",
    "hour": "there is no such hour",
    "minute": "there is no such minute",
    "second": "there is no such second",
    "year": "there is no such year",
    "offset": "the offset is a day or more",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_YEARS = range(1900, 2200)


def now() -> Instant:
    """The clock of this machine."""
    return Instant(time.time_ns() // 1000)


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as ``Asia/Shanghai``.

    Raises:
        BadValue: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadValue(
            f"{name!r} is not a time zone",
            code="time.zone",
            remedy="use an IANA name such as Asia/Shanghai or Europe/Berlin",
        ) from error


def instant(moment: datetime) -> Instant:
    """The instant of an aware ``datetime``."""
    return Instant((moment - _EPOCH) // _MICROSECOND)


def moment(at: int, tz: ZoneInfo | None = None) -> datetime:
    """An instant as an aware ``datetime`` in the zone given, else UTC."""
    return datetime.fromtimestamp(at // SECOND, tz or UTC) + timedelta(microseconds=at % SECOND)


def parse_instant(text: str, tz: ZoneInfo | None) -> Instant:
    """Read an ISO 8601 time. One without an offset takes ``tz``, or is refused when that is None.

    Raises:
        BadValue: not a time, an impossible one, one outside 1900–2199, or naive without a zone.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadValue(
            f"{text!r} is not a time{_why(error)}",
            code="time.shape",
            remedy="write ISO 8601, such as 2024-04-24T22:00:00+08:00",
        ) from error
    if parsed.tzinfo is None:
        if tz is None:
            raise BadValue(
                f"{text!r} has no time zone",
                code="time.naive",
                remedy="add an offset such as +08:00, or name a zone in the mapping",
            )
        parsed = parsed.replace(tzinfo=tz)
    if parsed.year not in _YEARS:
        raise BadValue(
            f"{text!r} is outside the years 1900 to 2199",
            code="time.range",
            remedy="check the column's format",
        )
    return instant(parsed)


def _why(error: ValueError) -> str:
    said = str(error)
    # "day is out of range for month": what stands first is meant; an offset's complaint names many words.
    words = ["offset"] if "offset" in said else re.findall(r"[a-z]+", said)
    why = next((_WHY[word] for word in words if word in _WHY), "")
    return f" ({why})" if why and "isoformat" not in said else ""


def parse_day(text: str) -> date:
    """Read a calendar day, YYYY-MM-DD.

    Raises:
        BadValue: not a day, or an impossible one.
    """
    try:
        if not _DAY_ONLY.fullmatch(text.strip()):
            raise ValueError
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadValue(
            f"{text!r} is not a day{_why(error)}", code="time.day", remedy="write YYYY-MM-DD"
        ) from error


def end_of_day(day: date, tz: ZoneInfo) -> Instant:
    """The last microsecond of a local day.

    Raises:
        BadValue: outside the years 1900 to 2199.
    """
    _check_year(day)
    following = datetime.combine(day + timedelta(days=1), datetime.min.time(), tz)
    return Instant(instant(following) - 1)


def start_of_day(day: date, tz: ZoneInfo) -> Instant:
    """The first microsecond of a local day.

    Raises:
        BadValue: outside the years 1900 to 2199.
    """
    _check_year(day)
    return instant(datetime.combine(day, datetime.min.time(), tz))


def _check_year(day: date) -> None:
    if day.year not in _YEARS:
        raise BadValue(
            f"{day} is outside the years 1900 to 2199", code="time.range", remedy="name a day within them"
        )


def parse_as_of(text: str, tz: ZoneInfo) -> Instant:
    """Read an as-of: a day means all of that local day, a full time means itself.

    Raises:
        BadValue: neither a day nor a time.
    """
    if _LIKE_A_DAY.fullmatch(text.strip()):
        return end_of_day(parse_day(text), tz)
    return parse_instant(text, tz)


def show(at: int, tz: ZoneInfo | None = None) -> str:
    """An instant as people read it: ISO 8601 with offset; microseconds only where there are any."""
    return moment(at, tz).isoformat(timespec="microseconds" if at % SECOND else "seconds")


def local_day(at: int, tz: ZoneInfo) -> date:
    """The calendar day of an instant in a zone."""
    return moment(at, tz).date()
