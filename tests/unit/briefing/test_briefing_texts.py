"""The table of texts, and numbers in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway import briefing
from driveaway.briefing import numbers, texts
from driveaway.values.errors import BadValue


def test_every_text_stands_in_both_languages_with_the_same_fields() -> None:
    for key, text in texts.table().items():
        assert set(text) == {"en", "zh"}, key
        assert texts.fields(text["en"]) == texts.fields(text["zh"]), key


def test_every_text_that_the_code_names_exists() -> None:
    folder = Path(briefing.__file__).parents[1]
    source = "\n".join(
        p.read_text("utf-8") for room in ("briefing", "plots") for p in (folder / room).rglob("*.py")
    )
    named = set(re.findall(r'(?:words|both|say|plain)\(\s*"([a-z_]+(?:\.[a-z_]+)+)"', source))
    assert len(named) > 60
    assert named <= set(texts.table())


@pytest.mark.parametrize(
    ("style", "value", "en", "zh"),
    [
        ("count", 75_723, "75,723", "75,723"),
        ("count", -1_200, "−1,200", "−1,200"),
        ("hero", 75_723, "75,723", "7.57万"),
        ("hero", 99_999, "99,999", "9.99万"),
        ("hero", 5_781, "5,781", "5,781"),
        ("tick", 80_000, "80,000", "8万"),
        ("percent", 0.519, "51.9%", "51.9%"),
        ("percent", 0.28, "28%", "28%"),
        ("number", 12.625, "12.63", "12.63"),
        ("decimal", 18.78, "18.8", "18.8"),
        ("signed", -3, "−3", "−3"),
        ("signed", 1_200, "+1,200", "+1,200"),
        ("km", 643_000, "643 km", "643公里"),
        ("day", "2024-04-24", "24 April 2024", "2024年4月24日"),
        ("short", "2024-04-24", "24 Apr", "4月24日"),
        ("month", "2024-06-01", "June 2024", "2024年6月"),
        (
            "moment",
            "2024-04-25T09:20:00+08:00",
            "09:20 on 25 April 2024 (UTC+8)",
            "2024年4月25日09:20（UTC+8）",
        ),
        ("moment", "2024-04-24T23:59:59.999999+08:00", "the end of 24 April 2024", "2024年4月24日结束时"),
        ("moment", "2024-04-24", "the end of 24 April 2024", "2024年4月24日结束时"),
        (
            "moment",
            "2024-04-24T10:00:05-03:30",
            "10:00:05 on 24 April 2024 (UTC−3:30)",
            "2024年4月24日10:00:05（UTC−3:30）",
        ),
        ("name", "female", "female", "女性"),
        ("name", "BMW", "BMW", "BMW"),
    ],
)
def test_numbers_and_days_in_both_languages(style: str, value: object, en: str, zh: str) -> None:
    assert texts.Texts("en").number(value, style) == en
    assert texts.Texts("zh").number(value, style) == zh


def test_nouns_agree_with_their_count() -> None:
    words = texts.Texts("en")
    assert words("sentence.orders.locked", value=1).startswith("1 order had") or "1 order " in words(
        "sentence.orders.locked", value=1
    )
    assert "75,723 orders" in words("sentence.orders.locked", value=75_723)


@given(st.integers(0, 10**9))
def test_a_headline_in_chinese_never_exceeds_the_count(value: int) -> None:
    shown = numbers.hero(value, "zh")
    said = float(shown.removesuffix("万")) * 10_000 if shown.endswith("万") else int(shown.replace(",", ""))
    assert said <= value + 1e-6
    assert value - said < 100


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(BadValue, match="'fr'"):
        texts.Texts("fr")


def test_values_from_outside_are_not_templates() -> None:
    said = texts.both("risk.unknown", title="{reason.__class__}", reason="{0}")
    assert said["en"] == "Unknown: {reason.__class__}. {0}"
