"""Deliveries to come: forecasts with their odds, promises apart from them, and no plan said to be none."""

from __future__ import annotations

from typing import Any

from driveaway.briefing import brief
from driveaway.briefing.statement import Section


def _section(launch: Any, language: str = "en") -> Section:
    return next(each for each in brief(launch, language).sections if each.id == "deliveries")


def _said(section: Section, language: str = "en") -> list[str]:
    return [sentence.text[language] for sentence in section.sentences]


def test_forecasts_say_so_and_carry_their_band(launch: Any) -> None:
    said = _said(_section(launch))
    odds = next(text for text in said if "61%" in text)
    assert odds.startswith("Forecast: ")
    assert "72,000" in odds
    assert "139,000" in odds
    week = next(text for text in said if "week from 29 April 2024" in text)
    assert week.startswith("Forecast: ")
    assert "26.2 weeks of output" in " ".join(said)


def test_what_binds_longest_stands_first(launch: Any) -> None:
    text = next(text for text in _said(_section(launch)) if "holds deliveries back" in text)
    assert text == "What holds deliveries back: beijing/1, 101 kWh pack."


def test_three_promises_are_told_apart_from_forecasts(launch: Any) -> None:
    promised = [text for text in _said(_section(launch)) if text.startswith("Promise to buyers")]
    assert [text.split(" (")[0][-3:] for text in promised] == ["Max", "Pro", "ard"]
    assert "2 May 2024 to 8 May 2024" in promised[0]
    assert "90%" in promised[0]


def test_the_picture_shows_whole_weeks_with_their_band(launch: Any) -> None:
    section = _section(launch)
    (exhibit,) = section.exhibits
    assert "nine of ten simulated paths" in exhibit.picture.description
    assert exhibit.picture.simulated
    assert len(exhibit.rows) == 13
    assert all(sentence.simulated for sentence in section.sentences)


def test_chinese_says_it_too(launch: Any) -> None:
    said = _said(_section(launch, "zh"), "zh")
    assert sum(text.startswith("预测：") for text in said) == 3
    assert sum("交付承诺" in text for text in said) == 3


def test_without_a_plan_nothing_is_forecast(launch: Any) -> None:
    alone = launch.alone()
    alone.answers["delivery.expected"] = lambda at, by, a: {
        "title": "Handovers",
        "unknown": "no plan had been adopted",
    }
    section = _section(alone)
    (sentence,) = section.sentences
    assert not sentence.known
    assert "No plan had been adopted" in sentence.text["en"]
    assert section.exhibits == ()
