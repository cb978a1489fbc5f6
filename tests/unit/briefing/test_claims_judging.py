"""What a qualifier asks of the number measured."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.briefing.judging import judge

COUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(41_200, "agrees"), (40_001, "agrees"), (40_000, "disagrees"), (39_999, "disagrees")],
)
def test_more_than_is_strict(measured: int, verdict: str) -> None:
    assert judge(measured, "40000", "more than").verdict == verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (0.275, "agrees"),
        (0.28, "agrees"),
        (0.2849999, "agrees"),
        (0.285, "disagrees"),
        (0.2749999, "disagrees"),
    ],
)
def test_a_percentage_is_met_within_its_own_rounding(share: float, verdict: str) -> None:
    assert judge(share, "28", "exactly", percent=True).verdict == verdict


def test_a_count_said_exactly_must_be_met_exactly() -> None:
    assert judge(75_723, "75723", "exactly").verdict == "agrees"
    assert judge(75_724, "75723", "exactly").verdict == "disagrees"
    assert judge(75_724, "75723", "exactly").difference == 1


def test_about_shows_the_difference_and_never_fails() -> None:
    found = judge(10, "50000", "about")
    assert (found.verdict, found.difference, found.relative) == (
        "approximate",
        -49_990,
        Decimal("-49990") / Decimal(50_000),
    )


def test_decimals_written_carry_the_rounding() -> None:
    assert judge(0.519_49, "51.9", "exactly", percent=True).verdict == "agrees"
    assert judge(0.519_5, "51.9", "exactly", percent=True).verdict == "disagrees"
    assert judge(12.04, "12.0", "exactly").verdict == "agrees"
    assert judge(12.06, "12.0", "exactly").verdict == "disagrees"


@given(COUNTS, COUNTS)
def test_counts_are_compared_as_integers(measured: int, said: int) -> None:
    assert (judge(measured, str(said), "more than").verdict == "agrees") == (measured > said)
    assert (judge(measured, str(said), "at least").verdict == "agrees") == (measured >= said)
    assert (judge(measured, str(said), "exactly").verdict == "agrees") == (measured == said)
    assert judge(measured, str(said), "about").difference == measured - said


@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 100_000))
def test_rounding_is_a_half_open_interval(numerator: int, places: int, said: int) -> None:
    """A share of six decimals agrees with p% exactly when it lies in [p − half, p + half)."""
    text = str(Decimal(said).scaleb(-places)) if places else str(said)
    text = format(Decimal(text), "f")
    places = len(text.partition(".")[2])
    half = Fraction(1, 2 * 10**places)
    target, share = Fraction(text), Fraction(numerator, 10**4)
    verdict = judge(numerator / 10**6, text, "exactly", percent=True).verdict
    assert (verdict == "agrees") == (target - half <= share < target + half)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_scaling_both_sides_keeps_the_verdict(measured: int, said: int) -> None:
    for qualifier in ("exactly", "more than", "at least"):
        assert (
            judge(measured, str(said), qualifier).verdict
            == judge(measured * 7, str(said * 7), qualifier).verdict
        )


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not a finite"):
        judge(bad, "1", "exactly")


def test_another_word_is_no_qualifier() -> None:
    with pytest.raises(ValueError, match="roughly"):
        judge(1, "1", "roughly")
