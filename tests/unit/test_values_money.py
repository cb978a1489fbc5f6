"""Money: integers of the smallest unit, nothing rounded, nothing negative."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.values.errors import BadValue
from driveaway.values.money import minor_digits, parse_money, show_money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("5000", "CNY", 500_000),
        ("5,000.00", "CNY", 500_000),
        (" 215900 ", "CNY", 21_590_000),
        ("0", "CNY", 0),
        ("0.01", "EUR", 1),
        ("10.5", "EUR", 1050),
        ("1000", "JPY", 1000),
        ("1.234", "KWD", 1234),
        ("1e3", "CNY", 100_000),
    ],
)
def test_amounts(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("", "CNY", "money.shape"),
        ("a lot", "CNY", "money.shape"),
        ("NaN", "CNY", "money.shape"),
        ("Infinity", "CNY", "money.shape"),
        ("=1+1", "CNY", "money.shape"),
        ("1e999999999", "CNY", "money.shape"),
        ("0.001", "CNY", "money.precision"),
        ("0.5", "JPY", "money.precision"),
        ("-1", "CNY", "money.negative"),
        ("-0.01", "CNY", "money.negative"),
        ("1", "yuan", "money.currency"),
        ("1", "cny", "money.currency"),
        ("1", "人民币", "money.currency"),
    ],
)
def test_what_is_none(text: str, currency: str, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_money(text, currency)
    assert bad.value.code == code


@given(st.integers(0, 2**53), st.sampled_from(["CNY", "JPY", "KWD", "EUR"]))
def test_reads_back_what_it_shows(minor: int, currency: str) -> None:
    shown = show_money(minor, currency)
    assert shown.startswith(currency + " ")
    assert parse_money(shown.removeprefix(currency), currency) == minor


def test_shown() -> None:
    assert show_money(500_000, "CNY") == "CNY 5,000.00"
    assert show_money(5, "CNY") == "CNY 0.05"
    assert show_money(5000, "JPY") == "JPY 5,000"
    assert (minor_digits("JPY"), minor_digits("CNY"), minor_digits("BHD")) == (0, 2, 3)
