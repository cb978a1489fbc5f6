"""An answer as JSON, as a table and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.figures.answer import Answer, Interval, csv_cell, disarm


def answer(**content: Any) -> Answer:
    fixed = {
        "name": "orders.locked",
        "unit": "orders",
        "as_of": "2024-04-24T23:59:59+08:00",
        "mark": 7,
        "definition": 1,
    }
    return Answer(**(fixed | content))


def test_a_value() -> None:
    assert answer(value=3).json() == {
        "name": "orders.locked",
        "value": 3,
        "unit": "orders",
        "as_of": "2024-04-24T23:59:59+08:00",
        "mark": 7,
        "definition": 1,
        "simulated": False,
    }
    assert answer(value=3).table() == [{"value": 3}]


def test_an_unknown_has_a_reason_and_no_number() -> None:
    said = answer(unknown="nobody knows", value=3).json()
    assert (said["value"], said["unknown"]) == (None, "nobody knows")
    assert answer(unknown="nobody knows").table() == [{"value": None, "unknown": "nobody knows"}]


def test_an_interval() -> None:
    said = answer(value=0.5, interval=Interval(0.4, 0.6, 0.95))
    assert said.json()["interval"] == {"low": 0.4, "high": 0.6, "level": 0.95}
    assert said.table() == [{"value": 0.5, "low": 0.4, "high": 0.6}]


def test_rows_parameters_and_note() -> None:
    said = answer(rows=[{"trim": "Max", "value": 1}], parameters={"role": "store"}, note="mind this").json()
    assert said["rows"] == [{"trim": "Max", "value": 1}]
    assert "value" not in said
    assert said["parameters"] == {"role": "store"}
    assert said["note"] == "mind this"
    assert {"parameters", "note", "interval"}.isdisjoint(answer(value=1).json())


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (-(2**53), -(2**53)),
        (-(2**53) - 1, str(-(2**53) - 1)),
        (True, True),
        (0.1, 0.1),
    ],
)
def test_integers_beyond_a_float_are_strings(number: Any, shown: Any) -> None:
    assert answer(value=number).json()["value"] == shown
    assert answer(rows=[{"value": number}]).json()["rows"] == [{"value": shown}]


@given(st.integers())
def test_no_integer_loses_a_digit_on_its_way_through_javascript(number: int) -> None:
    value = json.loads(json.dumps(answer(value=number).json()))["value"]
    assert int(value) == number
    assert isinstance(value, str) or int(float(value)) == number


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_carries_its_evidence() -> None:
    (row,) = read(answer(value=3, simulated=True).csv())
    assert row == {
        "value": "3",
        "unit": "orders",
        "as_of": "2024-04-24T23:59:59+08:00",
        "mark": "7",
        "definition": "1",
        "simulated": "true",
    }
    rows = read(
        answer(rows=[{"trim": "Max", "value": 1, "simulated": False}, {"trim": None, "value": 2}]).csv()
    )
    assert [row["trim"] for row in rows] == ["Max", ""]
    assert {row["mark"] for row in rows} == {"7"}
    (row,) = read(answer(unknown="nobody knows").csv())
    assert (row["value"], row["unknown"]) == ("", "nobody knows")


def test_csv_of_no_rows_is_empty() -> None:
    assert answer(rows=[]).csv() == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+2", "-", "-1e5", "-1,5", "@x", "\tx", "\rx", "＝1", "=HYPERLINK(...)"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert disarm(text) == "'" + text
    (row,) = read(answer(rows=[{"city": text, "value": -1}]).csv())
    assert row["city"] == "'" + text
    assert row["value"] == "-1"


@pytest.mark.parametrize("value", ["Max", "a=b", "", -1, None, 0.5, "-18", "+3", "-0.25"])
def test_what_is_no_formula_stays_as_it_is(value: Any) -> None:
    assert disarm(value) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "false"),
        (0.2694063926940639, "0.269406"),
        (0.00000123456789, "0.00000123457"),
        (12.625, "12.625"),
        (1e22, "10000000000000000000000"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (28.0, "28"),
    ],
)
def test_csv_cells_are_the_same_everywhere_and_carry_no_dust(value: Any, written: str) -> None:
    assert csv_cell(value) == written
    (row,) = read(answer(rows=[{"value": value}]).csv())
    assert row["value"] == written
