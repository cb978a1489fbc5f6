"""Options of a rollout's plan: what they mean is said once, and what may mean two things is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.launch.updates import planning
from driveaway.updates.rollouts.plans import read_plan
from driveaway.values.errors import BadValue


@pytest.mark.parametrize(
    ("text", "share"),
    [("1", 0.01), ("1%", 0.01), ("0.5%", 0.005), ("0", 0.0), ("2.5", 0.025), (" 7 % ", 0.07)],
)
def test_percentages_are_percentages(text: str, share: float) -> None:
    assert planning.holdout(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0.01", "0.5", "0.99"])
def test_what_may_be_a_share_is_refused_with_both_readings(text: str) -> None:
    for option, ask in (("holdout", planning.holdout), ("stages", lambda text: planning.stages(text, 60))):
        with pytest.raises(BadValue) as caught:
            ask(text)
        error = caught.value
        assert (error.place, error.code) == (f"--{option}", f"rollout.{option}")
        assert f"{float(text) * 100:g}%" in error.remedy
        assert f"{float(text):g}%" in error.remedy


@given(st.floats(min_value=1, max_value=99.9))
def test_with_and_without_the_sign_is_the_same(value: float) -> None:
    assert planning.holdout(f"{value!r}") == planning.holdout(f"{value!r}%") == pytest.approx(value / 100)


@pytest.mark.parametrize(
    ("option", "ask", "text"),
    [
        ("stages", planning.stages, "5,1"),
        ("stages", planning.stages, "1,50"),
        ("stages", planning.stages, "0,100"),
        ("stages", planning.stages, "1,150"),
        ("stages", planning.stages, "1,,100"),
        ("cities", planning.cities, "beijing,beijing"),
        ("cities", planning.cities, "beijing,"),
        ("rate", planning.rate, "0/hour"),
        ("rate", planning.rate, "5/minute"),
        ("exponential", planning.exponential, "10x9/1000"),
        ("exponential", planning.exponential, "0x2/1000"),
        ("exponential", planning.exponential, "10x2/0"),
        ("holdout", planning.holdout, "100"),
        ("holdout", planning.holdout, "-1"),
        ("holdout", planning.holdout, "nan"),
    ],
)
def test_errors_speak_of_the_option_and_the_value(option: str, ask: Any, text: str) -> None:
    with pytest.raises(BadValue) as caught:
        ask(text, 60) if option in ("stages", "cities") else ask(text)
    error = caught.value
    assert (error.place, error.code) == (f"--{option}", f"rollout.{option}")
    assert "$" not in str(error)
    assert error.remedy
    if option != "holdout" or text != "100":
        assert any(part in error.message for part in text.split(",") if part)


def test_growth_of_every_option_is_a_plan() -> None:
    for growth in (
        planning.stages("1,5,20,50,100", 60),
        planning.rate("100/hour"),
        planning.exponential("10x2/1000"),
        planning.cities("beijing,shanghai+hangzhou", 60),
    ):
        assert read_plan(growth)
