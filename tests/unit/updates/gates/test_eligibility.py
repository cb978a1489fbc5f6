"""Counts by place: what is delivered, equipped, eligible, offered and active, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.gates.columns import Categories, cars_of
from driveaway.updates.gates.eligibility import COLUMNS, count_cars, equipment
from driveaway.updates.gates.expression import Gate
from driveaway.updates.gates.judging import CarState, Judge
from driveaway.updates.gates.text import parse, show_gate
from driveaway.values.errors import BadValue
from tests.unit.updates.gates.gates import PLACES, cars, gates

NAVIGATION = parse(
    "trim in [Max, Pro] and hardware.lidar >= 1 and assisted_metres >= 1000 and place in [city:one]"
)


def test_cars_are_counted_by_place_and_what_is_unknown_apart() -> None:
    good = CarState(trim="Max", hardware={"lidar": 1}, assisted_metres=2000, position=(1, 1))
    states = [
        good,
        good,
        CarState(trim="Max", hardware={"lidar": 1}, assisted_metres=10, position=(1, 1)),
        CarState(trim="Standard", hardware={"lidar": 0}),
        CarState(trim="Pro", assisted_metres=2000, position=(1, 1)),
    ]
    where = Categories.of(["Wuhan", "Beijing", "Beijing", None, "Beijing"])
    offered = np.array([1, 1, 0, 0, -1], np.int8)
    table, verdicts = count_cars(cars_of(states, None), NAVIGATION, where, places=PLACES, offered=offered)
    assert table.column_names == ["place", *COLUMNS]
    rows = {row.pop("place"): list(row.values()) for row in table.to_pylist()}
    #                 delivered equipped ? eligible ? offered ? active ?
    assert rows == {
        "Beijing": [3, 2, 1, 1, 1, 1, 1, 0, 3],
        "Wuhan": [1, 1, 0, 1, 0, 1, 0, 0, 1],
        None: [1, 0, 0, 0, 0, 0, 0, 0, 1],
    }
    assert verdicts.eligible.tolist() == [True, True, False, False, False]


def test_places_without_cars_are_left_out() -> None:
    where = Categories(np.array([1], np.int32), ("Beijing", "Wuhan"))
    table, _ = count_cars(cars_of([CarState()], None), parse("always"), where)
    assert table["place"].to_pylist() == ["Wuhan"]
    assert table["eligible"].to_pylist() == [1]
    empty, _ = count_cars(cars_of([], None), parse("always"), Categories.of([]))
    assert empty.num_rows == 0


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(BadValue, match="where has 2 rows for 1 cars"):
        count_cars(cars_of([CarState()], None), parse("always"), Categories.of(["a", "b"]))
    none = np.zeros(0, np.int8)
    with pytest.raises(BadValue, match="active has 0 rows"):
        count_cars(cars_of([CarState()], None), parse("always"), Categories.of(["a"]), active=none)


def test_equipment_is_trim_and_hardware() -> None:
    gate = parse("trim in [Max] and not (hardware.lidar < 1 or market in [DE]) and assisted_metres >= 9")
    assert show_gate(equipment(gate)) == "trim in [Max] and not (hardware.lidar < 1 or never) and always"


@given(gates, st.lists(cars(2), max_size=6))
def test_an_eligible_car_is_equipped(gate: Gate, states: list[CarState]) -> None:
    eligible, equipped = Judge(gate, PLACES), Judge(equipment(gate), PLACES)
    for state in states:
        if eligible.verdict(state).value is True:
            assert equipped.verdict(state).value is True
        if equipped.verdict(state).value is False:
            assert eligible.verdict(state).value is False
