"""Answers as tables on a terminal: names, reasons, and what fits into 80 columns."""

from __future__ import annotations

from typing import Any

import pytest

from driveaway.briefing.numbers import number_text, percent
from driveaway.cli.output import print_answer
from driveaway.figures.answer import Answer


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def show(rows: list[dict[str, Any]] | None, *more: Any, width: int = 80, **content: Any) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        said = {"name": "x", "unit": "orders", "as_of": "2024-04-24", "mark": 7, "definition": 1}
        print_answer(Answer(rows=rows, **(said | content)), "table", *more)
        return capsys.readouterr().out

    return show


def test_a_province_has_its_name_beside_its_code(printed: Any) -> None:
    rows = [
        {"province": "310000", "value": 5},
        {"province": "990100", "value": 2},
        {"province": "1", "value": 1},
    ]
    said = printed(rows, {"990100": "Oslo"})
    assert "310000 Shanghai" in said
    assert "990100 Oslo" in said
    assert any(line.split() == ["1", "1"] for line in said.splitlines())


def test_a_reason_names_the_row_as_the_table_does(printed: Any) -> None:
    said = printed([{"function": None, "value": None, "unknown": "no function was engaged"}], {})
    assert "–: unknown, no function was engaged" in said.splitlines()


TARGET = {
    "target": "service-centres-2024",
    "measure": "outlets.open",
    "role": "service",
    "qualifier": "at least",
    "amount": 143,
    "value": None,
    "share": None,
    "from_day": "2024-01-01",
    "until_day": "2024-12-31",
    "set_on": "2024-04-25",
    "previous_amount": 120,
    "said": "143 service centres by the end of 2024",
    "begun": True,
    "simulated": False,
    "unknown": "the book holds no outlet.opened with the role service by this date",
}
TEST = {
    "car": "Tesla Model 3 LR (Highland)",
    "condition": "mixed route",
    "tester": "Dongchedi",
    "rival": True,
    "grade": "B",
    "reference": "https://example.org/",
    "day": "2024-04-24",
    "simulated": False,
    "claimed_cycle": "CLTC",
    "value": 0.79663,
    "distance_m": 568_000,
    "claimed_distance_m": 713_000,
}


def test_targets_and_tests_are_tables_at_80_columns(printed: Any) -> None:
    targets = printed(
        [TARGET, TARGET | {"target": "stores-2024", "unknown": None, "value": 59, "share": 0.2694}]
    )
    tests = printed([TEST], unit="share")
    for said in (targets, tests):
        table = said.split("Left out for want of room")[0]
        assert max(len(line) for line in table.splitlines()) <= 80
    assert any(line.split()[:4] == ["stores-2024", "143", "59", "26.9%"] for line in targets.splitlines())
    assert "service-centres-2024: unknown, the book holds no outlet.opened with the role service" in targets
    assert "Left out for want of room: measure, role, qualifier, set on, said, begun;" in targets
    assert any("79.7%" in line and "568,000" in line and "713,000" in line for line in tests.splitlines())


def test_a_wide_table_leaves_nothing_out_and_no_dimension_that_was_asked_for(printed: Any) -> None:
    assert "Left out" not in printed([TARGET], width=200)
    assert "service-centres-2024" in printed([TARGET], {}, ["role"])
    assert " role, " not in printed([TARGET], {}, ["role"]).split("Left out")[1].split(";")[0]


@pytest.mark.parametrize("value", [12.625, 9.465, 10.514_999, 1234.565, 0.5, 2.0, -12.625])
def test_every_door_rounds_alike(printed: Any, value: float) -> None:
    """Half up, from the decimal that is printed: a table and a sentence never differ in a digit."""
    said = printed(None, value=value, unit="kWh/100 km")
    assert f": {number_text(value).replace('−', '-')} kWh/100 km" in said


@pytest.mark.parametrize("share", [0.80375, 0.0005, 0.6245, 0.00045])
def test_every_door_rounds_shares_alike(printed: Any, share: float) -> None:
    said = printed(None, value=share, unit="share")
    assert f": {percent(share)}" in said.replace(".0%", "%")


def test_a_small_number_keeps_its_digits(printed: Any) -> None:
    assert ": 0.001235 kWh" in printed(None, value=0.00123456, unit="kWh")


def test_a_value_that_is_not_shown_keeps_its_column(printed: Any) -> None:
    said = printed([{"phone_brand": "Apple", "value": None, "suppressed": True}], unit="share")
    lines = [line.split() for line in said.splitlines()]
    assert ["phone", "brand", "value", "suppressed"] in lines
    assert ["Apple", "–", "yes"] in lines
