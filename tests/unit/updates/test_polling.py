"""Polling rules: what is read, which interval a device gets, jitter, and polls before a window."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.filters.filter import Clock
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.polling import (
    LONGEST,
    MOST_OVERRIDES,
    SHORTEST,
    Interval,
    PollingRule,
    before_window,
    hms,
    parse_polling,
    share_of,
)
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue

TARGETS = target_fields()
HOUR = 3600 * SECOND


def _rule(text: str, **bounds: int) -> PollingRule:
    return parse_polling(text, TARGETS, **bounds)


@pytest.mark.parametrize(
    "text",
    [
        "01:00:00~10%, group == 'eu' -> 00:02:00~15%, status != in_sync -> 00:05:00",
        "PT1H~10%, group == 'eu' -> PT2M~15%, status != in_sync -> PT5M",
        " 01:00:00~10% , group == 'eu'  -> 00:02:00 ~15%, status != in_sync ->00:05:00  ",
        "pt60m ~ 10 %,group==eu->PT120S~15%,status!=in_sync->PT5M",
    ],
)
def test_hawkbits_examples(text: str) -> None:
    rule = _rule(text)
    assert rule.interval == Interval(3600, 10)
    assert [(str(o.filter), o.interval) for o in rule.overrides] == [
        ("group==eu", Interval(120, 15)),
        ("status!=in_sync", Interval(300)),
    ]
    assert str(rule) == "01:00:00~10%, group==eu -> 00:02:00~15%, status!=in_sync -> 00:05:00"
    assert str(_rule(str(rule))) == str(rule)


@pytest.mark.parametrize(
    ("record", "seconds"),
    [
        ({"updatestatus": "in_sync", "attribute": {"x": "y"}}, 3600),
        ({"updatestatus": "pending", "attribute": {"x": "y"}}, 7200),
        ({"updatestatus": "pending", "tag": ("a->b",)}, 60),
        ({"updatestatus": "pending", "group": "b"}, 60),
        ({"updatestatus": "error"}, 300),
    ],
)
def test_the_first_override_that_finds_a_device_holds(record: dict[str, Any], seconds: int) -> None:
    rule = _rule(
        "00:05:00, status==in_sync -> 01:00:00, attribute.x==y -> 02:00:00, tag=='a->b',group==b -> 00:01:00"
    )
    assert rule.interval_of(record).seconds == seconds
    assert rule.sleep(record, 0.5) == hms(seconds)


def test_an_override_by_time_needs_the_clock() -> None:
    rule = _rule("00:05:00, lastcontrollerrequestat<${OVERDUE_TS} -> 00:01:00")
    record = {"lastcontrollerrequestat": 5 * HOUR}
    assert rule.interval_of(record, Clock(now=9 * HOUR, overdue=6 * HOUR)).seconds == 60
    assert rule.interval_of(record, Clock(now=9 * HOUR, overdue=4 * HOUR)).seconds == 300
    with pytest.raises(BadValue) as caught:
        rule.interval_of(record)
    assert caught.value.code == "filter.clock"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "polling.interval"),
        ("5 minutes", "polling.interval"),
        ("00:05", "polling.interval"),
        ("00:60:00", "polling.interval"),
        ("PT", "polling.interval"),
        ("00:05:00~100%", "polling.interval"),
        ("00:05:00~x%", "polling.interval"),
        ("00:05:00" + " " * 99 + "~1", "polling.interval"),
        ("00:00:29", "polling.range"),
        ("24:00:00", "polling.range"),
        ("00:05:00,", "polling.syntax"),
        ("00:05:00, status==in_sync", "polling.syntax"),
        ("00:05:00, group=='a -> 00:05:00", "polling.syntax"),
        ("00:05:00, status==in_sync -> ", "polling.interval"),
        ("00:05:00, status==in_sync -> 00:00:10", "polling.range"),
        ("00:05:00, -> 00:05:00", "filter.syntax"),
        ("00:05:00, nme==a -> 00:05:00", "filter.field"),
        ("00:05:00" + ",name==a->00:05:00" * (MOST_OVERRIDES + 1), "polling.syntax"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        _rule(text)
    assert caught.value.code == code
    assert caught.value.remedy


def test_bounds_are_settings() -> None:
    assert _rule("00:00:05", shortest=5).interval.seconds == 5
    with pytest.raises(BadValue, match="between 00:00:30 and 00:10:00"):
        _rule("00:10:01", longest=600)
    for bounds in ({"longest": LONGEST + 1}, {"shortest": 0}, {"shortest": 60, "longest": 59}):
        with pytest.raises(BadValue):
            _rule("00:05:00", **bounds)


lengths = st.integers(SHORTEST, LONGEST)
percents = st.integers(0, 99)
shares = st.floats(0, 1)


@given(lengths, percents, shares)
def test_jitter_stays_within_its_percent_and_the_bounds(seconds: int, percent: int, share: float) -> None:
    rule = _rule(f"{hms(seconds)}~{percent}%")
    got = rule.seconds_of({}, share)
    assert SHORTEST <= got <= LONGEST
    assert abs(got - seconds) <= seconds * percent / 100 + 0.5
    assert rule.seconds_of({}, 0) <= got <= rule.seconds_of({}, 1)
    assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d", rule.sleep({}, share))


def test_both_ends_of_the_jitter_are_reached() -> None:
    rule = _rule("01:00:00~10%")
    assert [rule.sleep({}, share) for share in (0, 0.5, 1)] == ["00:54:00", "01:00:00", "01:06:00"]


@given(st.text(max_size=17), st.integers())
def test_the_share_of_a_device_is_the_same_each_time(controller_id: str, seed: int) -> None:
    assert 0 <= share_of(controller_id, seed) == share_of(controller_id, seed) <= 1


def test_shares_are_spread_over_devices_and_change_with_the_seed() -> None:
    spread = [share_of(f"LDEMO{n:012}", "today") for n in range(2000)]
    tenths = [sum(low <= share * 10 < low + 1 for share in spread) for low in range(10)]
    assert all(150 <= tenth <= 250 for tenth in tenths)
    tomorrow = [share_of(f"LDEMO{n:012}", "tomorrow") for n in range(2000)]
    assert sum(abs(a - b) > 0.01 for a, b in zip(spread, tomorrow, strict=True)) > 1900


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (24 * 3600, 3600),
        (3 * 3600 + 3, 3600),
        (3 * 3600, 3600),
        (3600, 1200),
        (100, 33),
        (91, 30),
        (5, 30),
        (0, 30),
    ],
)
def test_three_polls_before_a_window_opens(left: int, told: int) -> None:
    now = 7 * HOUR + 123
    assert before_window(3600, now, now + left * SECOND) == told
    rule = _rule("01:00:00")
    assert rule.sleep({}, 0.5, now=now, window_start=now + left * SECOND) == hms(told)


def test_from_the_start_of_the_window_on_the_interval_is_the_usual_one() -> None:
    assert before_window(3600, HOUR + 1, HOUR) == 3600
    assert _rule("01:00:00").sleep({}, 0.5, now=HOUR, window_start=None) == "01:00:00"


@given(lengths, st.integers(0, 10**6), st.integers(1, 10))
def test_a_device_polls_as_often_as_wanted_unless_the_shortest_interval_forbids(
    seconds: int, left: int, polls: int
) -> None:
    told = before_window(seconds, 0, left * SECOND, polls)
    assert SHORTEST <= told <= seconds
    assert told * polls <= left or told == SHORTEST


@given(
    st.lists(
        st.sampled_from(["00:05:00", ",", "->", "~", "5%", " ", "name==a", "'", '"', "-", "\\", "x"])
    ).map("".join)
)
def test_any_text_is_a_rule_or_a_clear_refusal(text: str) -> None:
    try:
        rule = _rule(text)
    except BadValue as error:
        assert error.code.split(".")[0] in ("polling", "filter")  # noqa: PT017 - some are accepted
    else:
        assert str(_rule(str(rule))) == str(rule)
