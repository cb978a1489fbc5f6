"""Schedules and windows beside brute force, and what is said about those that cannot be."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.quartz import parse_schedule
from driveaway.updates.windows import is_night, parse_night, parse_optional_window, parse_window
from driveaway.values.clock import SECOND, instant, parse_instant
from driveaway.values.errors import BadValue

# --- schedules, by brute force ------------------------------------------------------------------

Part = tuple[str, frozenset[int]]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


@st.composite
def _parts(draw: st.DrawFn, low: int, high: int, most_step: int, names: tuple[str, ...] = ()) -> Part:
    """A field as text, and the values that it stands for, counted round the clock one by one."""

    def named(value: int) -> str:
        return draw(
            st.sampled_from(
                [str(value), names[value - low], names[value - low].lower()] if names else [str(value)]
            )
        )

    texts, values = [], set[int]()
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from("*-/.:"))
        a, b, step = (
            draw(st.integers(low, high)),
            draw(st.integers(low, high)),
            draw(st.integers(1, most_step)),
        )
        everything = list(range(low, high + 1))
        if kind == "*":
            texts.append(draw(st.sampled_from(["*", f"*/{step}", f"/{step}"])))
            values.update(everything[:: step if "/" in texts[-1] else 1])
        elif kind == "/":
            texts.append(f"{named(a)}/{step}")
            values.update(everything[a - low :: step])
        elif kind == ".":
            texts.append(named(a))
            values.add(a)
        else:
            spanned = [a]
            while spanned[-1] != b:
                spanned.append(spanned[-1] + 1 if spanned[-1] < high else low)
            texts.append(f"{named(a)}-{named(b)}" + (f"/{step}" if kind == ":" else ""))
            values.update(spanned[:: step if kind == ":" else 1])
    return ",".join(texts), frozenset(values)


sixty = _parts(0, 59, 59)
hours = _parts(0, 23, 23)
moments = st.datetimes(datetime.fromisoformat("2023-01-01"), datetime.fromisoformat("2029-01-01"))


def _stepped(
    from_: datetime, step: timedelta, steps: int, fires: Callable[[datetime], bool]
) -> datetime | None:
    at = from_
    for _ in range(steps):
        at += step
        if fires(at):
            return at
    return None


@given(sixty, sixty, moments)
def test_seconds_and_minutes_beside_every_second_of_an_hour(second: Part, minute: Part, at: datetime) -> None:
    schedule = parse_schedule(f"{second[0]} {minute[0]} * * * ?")
    tick = timedelta(seconds=1)

    def fires(t: datetime) -> bool:
        return t.second in second[1] and t.minute in minute[1]

    whole = at.replace(microsecond=0)
    assert schedule.next_after(at) == _stepped(whole, tick, 3601, fires)
    assert schedule.last_until(at) == _stepped(whole + tick, -tick, 3601, fires)


@given(sixty, hours, moments)
def test_minutes_and_hours_beside_every_minute_of_a_day(minute: Part, hour: Part, at: datetime) -> None:
    schedule = parse_schedule(f"0 {minute[0]} {hour[0]} * * ?")
    tick = timedelta(minutes=1)

    def fires(t: datetime) -> bool:
        return t.minute in minute[1] and t.hour in hour[1]

    whole = at.replace(second=0, microsecond=0)
    assert schedule.next_after(at) == _stepped(whole, tick, 1441, fires)
    assert schedule.last_until(at) == _stepped(whole + tick, -tick, 1441, fires)


def _month(day: date) -> list[date]:
    return [day.replace(day=n) for n in range(1, monthrange(day.year, day.month)[1] + 1)]


def _quartz_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _nearest(day: date) -> date:
    """By trying all weekdays of the month."""
    return min((d for d in _month(day) if d.isoweekday() < 6), key=lambda d: abs((d - day).days))


def _nth_from_last(day: date, before: int) -> date | None:
    month = _month(day)
    return month[-1 - before] if before < len(month) else None


numbers = st.integers(1, 31)
befores = st.integers(0, 30)
weekdays = st.integers(1, 7)
Rule = tuple[str, Callable[[date], bool]]
by_month = st.one_of(
    _parts(1, 31, 31).map(lambda p: (f"{p[0]} ? ", lambda d: d.day in p[1])),
    befores.map(lambda n: (f"L-{n} ? ", lambda d: d == _nth_from_last(d, n))),
    st.just(("L ? ", lambda d: d == _nth_from_last(d, 0))),
    st.just(("lw ? ", lambda d: d == _nearest(_month(d)[-1]))),
    numbers.map(lambda n: (f"{n}W ? ", lambda d: n <= len(_month(d)) and d == _nearest(d.replace(day=n)))),
    befores.map(
        lambda n: (f"L-{n}W ? ", lambda d: (last := _nth_from_last(d, n)) is not None and d == _nearest(last))
    ),
)
by_week = st.one_of(
    _parts(1, 7, 7, tuple(WEEKDAYS)).map(lambda p: (f"? {p[0]}", lambda d: _quartz_weekday(d) in p[1])),
    st.just(("? L", lambda d: d.isoweekday() == 6)),
    weekdays.map(
        lambda w: (f"? {w}L", lambda d: d == max(m for m in _month(d) if _quartz_weekday(m) == w)),
    ),
    st.tuples(weekdays, st.integers(1, 5)).map(
        lambda x: (
            f"? {WEEKDAYS[x[0] - 1]}#{x[1]}",
            lambda d: d in [m for m in _month(d) if _quartz_weekday(m) == x[0]][x[1] - 1 : x[1]],
        )
    ),
)


@given(st.one_of(by_month, by_week), _parts(1, 12, 12, tuple(MONTHS)), moments)
def test_days_and_months_beside_every_day_of_years(rule: Rule, month: Part, at: datetime) -> None:
    of_month, of_week = rule[0].split()
    tick = timedelta(days=1)

    def fires(t: datetime) -> bool:
        return t.month in month[1] and rule[1](t.date())

    midnight = datetime.combine(at, time())
    found = _stepped(midnight, tick, 2000, fires)
    try:
        schedule = parse_schedule(f"0 0 0 {of_month} {month[0]} {of_week}")
    except BadValue as error:
        refused = error
    else:
        assert found is None or schedule.next_after(at) == found
        before = _stepped(midnight + tick, -tick, 2000, fires)
        assert before is None or schedule.last_until(at) == before
        return
    assert "never fires" in refused.message
    assert found is None


@pytest.mark.parametrize(
    ("text", "after", "fires"),
    [
        # Examples of the CronTrigger tutorial.
        ("0 0 12 * * ?", "2024-05-31T12:00:00", "2024-06-01T12:00:00"),
        ("0 15 10 ? * MON-FRI", "2024-05-31T10:15:00", "2024-06-03T10:15:00"),
        ("0 15 10 L * ?", "2024-02-01T00:00:00", "2024-02-29T10:15:00"),
        ("0 15 10 L-2 * ?", "2024-02-01T00:00:00", "2024-02-27T10:15:00"),
        ("0 15 10 ? * 6L 2002-2005", "2005-12-01T00:00:00", "2005-12-30T10:15:00"),
        ("0 15 10 ? * 6#3", "2024-06-01T00:00:00", "2024-06-21T10:15:00"),
        ("0 0 12 1/5 * ?", "2024-05-27T00:00:00", "2024-05-31T12:00:00"),
        ("0 11 11 11 11 ?", "2024-11-11T11:11:00", "2025-11-11T11:11:00"),
        ("0 0/5 14,18,3-39/5 * * ?", "2024-05-31T00:00:00", None),
        ("0 0 0 29 2 ?", "2024-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 2 ? * * 2024", "2024-12-31T02:00:00", "never"),
        ("0 0 2 ? * * 2099", "2099-12-31T02:00:00", "never"),
        ("0 0 0 31W * ?", "2024-08-01T00:00:00", "2024-08-30T00:00:00"),
        ("0 0 0 1W * ?", "2024-05-15T00:00:00", "2024-06-03T00:00:00"),
    ],
)
def test_published_examples(text: str, after: str, fires: str | None) -> None:
    if fires is None:
        with pytest.raises(BadValue, match="is no hour"):
            parse_schedule(text)
        return
    found = parse_schedule(text).next_after(datetime.fromisoformat(after))
    assert found == (None if fires == "never" else datetime.fromisoformat(fires))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "fields"),
        ("0 0 2 * *", "5 fields"),
        ("0 0 2 * * ? * *", "8 fields"),
        ("0 0 0 * * 6", "day of month '*' and day of week '6'"),
        ("0 0 0 ? * ?", "write ? for exactly one"),
        ("60 0 0 ? * *", "'60' is no second"),
        ("0 x 0 ? * *", "'X' is no minute"),
        ("0 0 24 ? * *", "from 0 to 23"),
        ("0 0 0 0 * ?", "'0' is no day of month"),
        ("0 0 0 32W * ?", "is no day of month"),
        ("0 0 0 L-31 * ?", "L-30"),
        ("0 0 0 ? 13 *", "JAN, FEB"),
        ("0 0 0 ? * 8", "SUN, MON"),
        ("0 0 0 ? * XYZL", "SUN, MON"),
        ("0 0 0 ? * 6#6", "6#1 to 6#5"),
        ("0 0 0 ? * * 1969", "from 1970 to 2099"),
        ("0 0 0 ? * * 2025-2024", "first year"),
        ("0 0/0 0 ? * *", "a step is from 1 to 59"),
        ("0 0/60 0 ? * *", "a step is from 1 to 59"),
        ("0 , 0 ? * *", "'' is no minute"),
        ("0 *5 0 ? * *", "is no minute"),
        ("0 -5 0 ? * *", "both ends"),
        ("0 0 0 30 2 ?", "never fires"),
        ("0 0 0 ? 2 1#5 2025", "never fires"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_with_its_field(text: str, said: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_schedule(text)
    assert caught.value.code == "window.schedule"
    assert caught.value.field == "schedule"
    assert said in f"{caught.value}"


# --- windows ------------------------------------------------------------------------------------

NIGHTLY = parse_window("0 0 2 ? * *", "02:30:00", "+08:00")


def _at(text: str) -> int:
    return parse_instant(text, None)


def test_a_window_opens_and_closes() -> None:
    opens, closes = _at("2024-05-31T02:00:00+08:00"), _at("2024-05-31T04:30:00+08:00")
    tomorrow = _at("2024-06-01T02:00:00+08:00")
    assert not NIGHTLY.is_open(opens - 1)
    assert NIGHTLY.is_open(opens)
    assert NIGHTLY.is_open(closes - 1)
    assert not NIGHTLY.is_open(closes)
    current, following = NIGHTLY.current(closes - 1), NIGHTLY.next(opens)
    assert current is not None
    assert following is not None
    assert (current.start, current.end, following.start) == (opens, closes, tomorrow)
    assert NIGHTLY.current_or_next(opens) == current
    assert NIGHTLY.current_or_next(closes) == following


def test_a_window_over_midnight_and_a_year_that_ends() -> None:
    window = parse_window("0 0 23 31 12 ? 2024", "03:00:00", "-05:00")
    start = _at("2024-12-31T23:00:00-05:00")
    assert window.is_open(start + 3 * 3600 * SECOND - 1)
    assert not window.has_lapsed(start + 3 * 3600 * SECOND - 1)
    assert window.next(start) is None
    window.check_comes(start)
    assert window.has_lapsed(start + 3 * 3600 * SECOND)
    with pytest.raises(BadValue) as caught:
        window.check_comes(start + 3 * 3600 * SECOND)
    assert caught.value.code == "window.never"


offsets = st.tuples(st.sampled_from("+-"), st.integers(0, 17), st.integers(0, 59))
durations = st.integers(1, 3 * 3600)


@given(_parts(0, 59, 59), _parts(0, 23, 23), durations, offsets, moments)
def test_it_is_open_when_a_start_lies_less_than_its_duration_back(
    minute: Part, hour: Part, duration: int, offset: tuple[str, int, int], utc: datetime
) -> None:
    sign, hours_off, minutes_off = offset
    lasts = f"{duration // 3600:02}:{duration // 60 % 60:02}:{duration % 60:02}"
    window = parse_window(f"0 {minute[0]} {hour[0]} * * ?", lasts, f"{sign}{hours_off:02}:{minutes_off:02}")
    ahead = timedelta(hours=hours_off, minutes=minutes_off) * (1 if sign == "+" else -1)
    at = instant(utc.replace(tzinfo=UTC))
    minutes = [utc.replace(second=0, microsecond=0) - timedelta(minutes=n) for n in range(181)]
    starts = [m for m in minutes if (m + ahead).minute in minute[1] and (m + ahead).hour in hour[1]]
    still = [m for m in starts if utc < m + timedelta(seconds=duration)]
    assert window.is_open(at) == bool(still)
    current = window.current(at)
    assert (current and current.start) == (instant(still[0].replace(tzinfo=UTC)) if still else None)
    following = window.next(at)
    assert following is not None
    assert following.start > at
    assert following.end - following.start == duration * SECOND


@pytest.mark.parametrize(
    ("schedule", "duration", "timezone", "code", "field"),
    [
        ("0 0 2 ? * *", "24:00:00", "+08:00", "window.duration", "duration"),
        ("0 0 2 ? * *", "00:00:00", "+08:00", "window.duration", "duration"),
        ("0 0 2 ? * *", "2h", "+08:00", "window.duration", "duration"),
        ("0 0 2 ? * *", "02:00", "Asia/Shanghai", "window.timezone", "timezone"),
        ("0 0 2 ? * *", "02:00", "+18:01", "window.timezone", "timezone"),
        ("0 0 2 ? * 9", "02:00", "+08:00", "window.schedule", "schedule"),
    ],
)
def test_a_window_that_cannot_be_is_refused(
    schedule: str, duration: str, timezone: str, code: str, field: str
) -> None:
    with pytest.raises(BadValue) as caught:
        parse_window(schedule, duration, timezone)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.remedy


def test_all_three_or_none() -> None:
    assert parse_optional_window(None, "", None) is None
    assert parse_optional_window("0 0 2 ? * *", "02:30:00", "+0800") == NIGHTLY
    with pytest.raises(BadValue) as caught:
        parse_optional_window("0 0 2 ? * *", None, "+08:00")
    assert (caught.value.code, caught.value.field) == ("window.incomplete", "duration")


pieces = st.lists(
    st.sampled_from([*"0123456789", "*", "?", "/", "-", ",", "L", "W", "#", " ", "MON", "٣", "ß"])
)


@given(pieces.map("".join), st.text(max_size=9), st.text(max_size=7))
def test_any_text_is_a_window_or_a_clear_refusal(schedule: str, duration: str, timezone: str) -> None:
    for given_ in (
        (schedule, "01:00", "Z"),
        ("0 0 2 ? * *", duration, "Z"),
        ("0 0 2 ? * *", "01:00", timezone),
    ):
        try:
            parse_window(*given_).current_or_next(0)
        except BadValue as error:
            assert error.code.startswith("window.")  # noqa: PT017 - some are accepted


# --- nights -------------------------------------------------------------------------------------


@given(
    st.integers(_at("2023-01-01T00:00:00Z"), _at("2025-01-01T00:00:00Z")),
    st.sampled_from(["Asia/Shanghai", "Asia/Urumqi", "Europe/Berlin", "America/St_Johns"]).map(ZoneInfo),
    st.integers(0, 1439),
    st.integers(1, 1439),
)
def test_it_is_night_at_the_minutes_from_first_to_last(
    now: int, zone: ZoneInfo, first: int, length: int
) -> None:
    last = (first + length) % 1440
    shown = datetime.fromtimestamp(now // SECOND, UTC).astimezone(zone)
    night = {(first + n) % 1440 for n in range(length)}
    asked = is_night(now, zone, time(first // 60, first % 60), time(last // 60, last % 60))
    assert asked == (shown.hour * 60 + shown.minute in night)


def test_a_night_is_read() -> None:
    assert parse_night("22:00-05:30") == (time(22), time(5, 30))
    for text in ("22:00", "22:00-24:00", "22:00-22:00", ""):
        with pytest.raises(BadValue) as caught:
            parse_night(text)
        assert caught.value.code == "window.night"
