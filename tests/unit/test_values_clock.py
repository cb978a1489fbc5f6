"""Time: exact to the microsecond, in the zone that was meant, never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.values.clock import (
    DAY,
    HOUR,
    SECOND,
    end_of_day,
    instant,
    local_day,
    moment,
    now,
    parse_as_of,
    parse_day,
    parse_instant,
    show,
    start_of_day,
    zone,
)
from driveaway.values.errors import BadValue

SHANGHAI = zone("Asia/Shanghai")
BERLIN = zone("Europe/Berlin")
_moments = st.datetimes(
    datetime.fromisoformat("1900-01-02"), datetime.fromisoformat("2199-12-30"), timezones=st.just(UTC)
)


@given(_moments)
def test_an_instant_is_exact(at: datetime) -> None:
    assert moment(instant(at)) == at
    assert instant(moment(instant(at), SHANGHAI)) == instant(at)
    assert parse_instant(show(instant(at), BERLIN), None) == instant(at)


def test_the_moment_that_orders_opened() -> None:
    opened = parse_instant("2024-03-28T22:00:00+08:00", None)
    assert opened == 1_711_634_400 * SECOND
    assert show(opened, SHANGHAI) == "2024-03-28T22:00:00+08:00"
    assert parse_instant("2024-03-28T14:00:00Z", None) == opened
    assert parse_instant("2024-03-28 22:00", SHANGHAI) == opened
    assert show(opened + 1, SHANGHAI) == "2024-03-28T22:00:00.000001+08:00"


def test_an_offset_beats_the_zone() -> None:
    assert parse_instant("2024-03-28T14:00:00+00:00", SHANGHAI) == parse_instant("2024-03-28T22:00", SHANGHAI)


def test_a_naive_time_is_refused_without_a_zone() -> None:
    with pytest.raises(BadValue) as bad:
        parse_instant("2024-03-28T22:00:00", None)
    assert bad.value.code == "time.naive"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "time.shape"),
        ("yesterday", "time.shape"),
        ("2024-02-30T00:00:00Z", "time.shape"),
        ("2023-02-29T00:00:00Z", "time.shape"),
        ("2024-03-28T25:00:00Z", "time.shape"),
        ("2024-03-28T22:00:00+99:00", "time.shape"),
        ("0001-01-01T00:00:00Z", "time.range"),
        ("9999-12-31T23:59:59Z", "time.range"),
        ("1711634400", "time.shape"),
    ],
)
def test_not_a_time(text: str, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_instant(text, SHANGHAI)
    assert bad.value.code == code


@pytest.mark.parametrize(
    "text", ["", "2024-4-24", "24.04.2024", "2024-02-30", "20240424", "2024-04-24T00:00"]
)
def test_not_a_day(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_day(text)
    assert bad.value.code == "time.day"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Asia"])
def test_not_a_zone(name: str) -> None:
    with pytest.raises(BadValue) as bad:
        zone(name)
    assert bad.value.code == "time.zone"


def test_a_day_as_an_as_of_is_all_of_that_day() -> None:
    assert parse_as_of("2024-04-24", SHANGHAI) == parse_instant("2024-04-24T23:59:59.999999+08:00", None)
    assert parse_as_of("2024-04-25T09:20:00+08:00", SHANGHAI) == parse_instant("2024-04-25T01:20Z", None)


@given(
    st.dates(date(1995, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_days_meet_without_a_gap(day: date, name: str) -> None:
    tz = zone(name)
    start, end = start_of_day(day, tz), end_of_day(day, tz)
    assert end + 1 == start_of_day(day + timedelta(days=1), tz)
    assert local_day(start, tz) == local_day(end, tz) == day
    assert local_day(start - 1, tz) == day - timedelta(days=1)


def test_days_of_23_and_25_hours() -> None:
    def length(day: date) -> int:
        return end_of_day(day, BERLIN) + 1 - start_of_day(day, BERLIN)

    assert length(date(2024, 3, 31)) == 23 * HOUR
    assert length(date(2024, 10, 27)) == 25 * HOUR
    assert length(date(2024, 4, 1)) == DAY
    # China kept summer time from 1986 to 1991.
    assert end_of_day(date(1986, 5, 4), SHANGHAI) + 1 - start_of_day(date(1986, 5, 4), SHANGHAI) == 23 * HOUR


def test_an_hour_that_comes_twice_is_the_first_of_both() -> None:
    twice = parse_instant("2024-10-27T02:30:00", BERLIN)
    assert twice == instant(datetime(2024, 10, 27, 2, 30, tzinfo=timezone(timedelta(hours=2))))
    assert twice != parse_instant("2024-10-27T02:30:00+01:00", BERLIN)


def test_an_hour_that_is_left_out_is_still_one_instant() -> None:
    skipped = parse_instant("2024-03-31T02:30:00", BERLIN)
    assert show(skipped, BERLIN) == "2024-03-31T03:30:00+02:00"


def test_the_clock_of_this_machine() -> None:
    before = instant(datetime.now(UTC))
    assert before - SECOND < now() < before + 60 * SECOND


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("2024-4-24", "time.day", "not a day"),
        ("24.4.2024", "time.day", "not a day"),
        ("20240424", "time.day", "not a day"),
        ("2024-02-30", "time.day", "no such day"),
        ("2024-13-01", "time.day", "no such month"),
        ("2024-02-30T10:00:00Z", "time.shape", "no such day"),
        ("2024-04-24T25:00:00Z", "time.shape", "no such hour"),
        ("2024-04-24T10:00:00+25:00", "time.shape", "the offset is a day or more"),
        ("yesterday", "time.shape", "'yesterday' is not a time"),
    ],
)
def test_what_is_wrong_with_a_time_is_said_in_our_words(text: str, code: str, why: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_as_of(text, SHANGHAI)
    assert caught.value.code == code
    assert why in caught.value.message
    assert not any(word in caught.value.message for word in ("isoformat", "timedelta", "must be in", "range"))
    assert ("YYYY-MM-DD" in caught.value.remedy) == (code == "time.day")
