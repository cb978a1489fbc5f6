"""Words past their date are flagged with the rule; before it they are not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.briefing.lexicon import check, entries

SINCE = date(2025, 4, 16)


@pytest.mark.parametrize(
    "text",
    [
        "Our autonomous driving is the best.",
        "Smart driving for everyone",
        "INTELLIGENT DRIVING",
        "self-driving in ten cities",
        "self‑driving",
        "full self-driving",
        "self\u00addriving".replace("\u00ad", "-\u00ad"),
        "小米智驾",
        "高阶智能驾驶",
        "自动驾驶",
        "全自動駕駛",
        "ｓｍａｒｔ　ｄｒｉｖｉｎｇ",
        "Our car is autonomous.",
        "It drives autonomously.",
        "with Autopilot on",
        "smart and safe driving",
        "intelligent or autonomous driving",
        "智能辅助驾驶",
        "智能驾驶",
    ],
)
def test_level_2_may_not_be_named_as_automated(text: str) -> None:
    assert check(text, SINCE)
    assert check(text, SINCE - timedelta(days=1)) == []


@pytest.mark.parametrize(
    "text",
    [
        "combined driver assistance",
        "组合驾驶辅助",
        "This is not autonomous driving.",
        "这不是自动驾驶",
        "a smart phone for driving directions",
        "driving automation level 2",
        "This is not autonomous.",
        "autonomous regions and municipalities",
        "autonomous emergency braking",
        "intelligent people, and a smart car",
        "组合辅助驾驶",
        "600,000 km in 28 days",
        "300 km in a day",
        "800 km on one charge",
    ],
)
def test_what_may_be_said_is_not_flagged(text: str) -> None:
    assert check(text, date(2026, 1, 1)) == []


@pytest.mark.parametrize(
    "text",
    [
        "1,400 km in a single day",
        "The most that one car drove with it in a day was 1,400 km",
        "more than 600,000 km in 28 days, 1,400 km by one car in a day",
        "单日最长行驶1400公里",
    ],
)
def test_a_day_beyond_four_hours_raises_the_question_of_rest(text: str) -> None:
    (flag,) = check(text, date(2024, 4, 25))
    assert flag.entry.startswith("rest")
    assert "1,400" in flag.word or "1400" in flag.word
    assert "600,000" not in flag.word


def test_a_flag_carries_rule_place_and_what_to_say() -> None:
    text = "With our smart\u00a0driving you arrive."
    (flag,) = check(text, SINCE)
    assert text[flag.start : flag.end] == flag.word == "smart\u00a0driving"
    assert flag.say_instead == "combined driver assistance"
    assert flag.since == SINCE
    assert "MIIT" in flag.reference
    assert flag.json()["since"] == "2025-04-16"


def test_every_entry_is_complete() -> None:
    assert {entry.language for entry in entries()} == {"en", "zh"}
    for entry in entries():
        assert entry.rule
        assert entry.rule_zh
        assert entry.reference
        assert entry.say_instead
        assert entry.applies_to


@given(st.text(), st.dates())
def test_any_text_can_be_read_and_places_fit(text: str, on: date) -> None:
    for flag in check(text, on):
        assert text[flag.start : flag.end] == flag.word
        assert flag.since <= on


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_stands_around_does_not_hide_a_word(before: str, after: str) -> None:
    assert any("智驾" in flag.word for flag in check(f"{before}。智驾。{after}", SINCE))
