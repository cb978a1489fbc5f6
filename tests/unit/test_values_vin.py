"""VINs: the check digit of 49 CFR 565.15, where it applies and where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.values.errors import BadValue
from driveaway.values.ids import (
    CHECK_DIGIT_REGIONS,
    VIN_YEARS,
    make_vin,
    parse_battery_code,
    parse_vin,
    vin_check_digit,
)

# Published: the worked example of 49 CFR 565.15 as repeated by NHTSA and ISO texts, and well-known VINs.
_PUBLISHED = (
    "1M8GDM9AXKP042788",
    "1HGBH41JXMN109186",
    "11111111111111111",
    "5GZCZ43D13S812715",
    "1FTFW1ET1EFA12345",
    "LRW3E7FA0MC123456",
)
_CHARACTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


@pytest.mark.parametrize("vin", _PUBLISHED[:4])
def test_published_examples(vin: str) -> None:
    assert parse_vin(vin) == vin
    assert vin_check_digit(vin) == vin[8]


def test_the_worked_example_by_hand() -> None:
    # 49 CFR 565.15(c), table IV: 351 modulo 11 is 10, written X.
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    values = (1, 4, 8, 7, 4, 4, 9, 1, 7, 2, 7, 0, 4, 2, 7, 8, 8)
    assert sum(v * w for v, w in zip(values, weights, strict=True)) == 351
    assert vin_check_digit("1M8GDM9AXKP042788") == "X"


def test_typed_as_people_do() -> None:
    assert parse_vin(" 1m8gdm9axkp042788\n") == "1M8GDM9AXKP042788"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1M8GDM9AXKP04278",
        "1M8GDM9AXKP0427888",
        "1M8GDM9AXKP04278I",
        "O" * 17,
        "1M8GDM9AXKP04278Q",
        "１M8GDM9AXKP042788",
    ],
)
def test_not_a_vin(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        parse_vin(text)
    assert bad.value.code == "vin.shape"


def test_a_wrong_check_digit_names_the_right_one() -> None:
    with pytest.raises(BadValue) as bad:
        parse_vin("1M8GDM9A1KP042788")
    assert bad.value.code == "vin.check_digit"
    assert "should be X, not 1" in bad.value.message


@pytest.mark.parametrize("region", ["W", "J", "K", "V", "6", "9"])
def test_where_no_check_digit_is_asked_for(region: str) -> None:
    assert parse_vin(f"{region}M8GDM9A0KP042788")[0] == region
    assert region not in CHECK_DIGIT_REGIONS


@given(st.integers(0, 999_999), st.integers(2010, 2039), st.sampled_from("LNBCHZ"))
def test_a_made_vin_reads_back(serial: int, year: int, plant: str) -> None:
    vin = make_vin("LNB", "SC3AB", year, plant, serial)
    assert parse_vin(vin) == vin
    assert VIN_YEARS[year - 2010] == vin[9]
    assert vin.endswith(f"{serial:06d}")


@given(st.integers(0, 999_999), st.integers(0, 16), st.sampled_from(_CHARACTERS))
def test_one_wrong_character(serial: int, at: int, wrong: str) -> None:
    """Caught unless both characters have the same value in the table (A, J and 1, for instance)."""
    vin = make_vin("LNB", "SC3AB", 2024, "B", serial)
    changed = vin[:at] + wrong + vin[at + 1 :]
    if at == 0 and wrong not in CHECK_DIGIT_REGIONS:
        return
    if vin_check_digit(changed) == vin_check_digit(vin) and at != 8:
        parse_vin(changed)
    elif changed != vin:
        with pytest.raises(BadValue):
            parse_vin(changed)


@given(st.integers(0, 999_999), st.integers(11, 16), st.integers(1, 9))
def test_one_wrong_digit_of_the_serial_number(serial: int, at: int, more: int) -> None:
    vin = make_vin("LNB", "SC3AB", 2024, "B", serial)
    wrong = str((int(vin[at]) + more) % 10)
    with pytest.raises(BadValue) as bad:
        parse_vin(vin[:at] + wrong + vin[at + 1 :])
    assert bad.value.code == "vin.check_digit"


def test_battery_codes() -> None:
    assert parse_battery_code(" 001pe0a123456789bcdefghj ") == "001PE0A123456789BCDEFGHJ"
    for text in ("", "0" * 23, "0" * 25, "0" * 23 + "I", "0" * 23 + "O", "0" * 23 + "Q"):
        with pytest.raises(BadValue) as bad:
            parse_battery_code(text)
        assert bad.value.code == "battery.shape"
