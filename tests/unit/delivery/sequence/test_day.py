"""A day's cars by name, in line order."""

from __future__ import annotations

import pytest

from driveaway.delivery.sequence.day import Car, sequence_cars
from driveaway.delivery.sequence.problem import Ratio
from driveaway.values.errors import BadValue

BLUE = [Car(f"B{k}", "Aqua Blue", frozenset({"Max", "lidar"} if k % 3 == 0 else {"Pro"})) for k in range(9)]
GREY = [Car(f"G{k}", "Basalt Grey", frozenset({"Max", "lidar"} if k % 3 == 0 else {"Pro"})) for k in range(9)]


def test_a_day_in_line_order() -> None:
    day = sequence_cars(
        [*BLUE, *GREY],
        [Ratio("lidar", 1, 3), Ratio("nobody has it", 1, 9, high_priority=False)],
        paint_limit=5,
        before=[Car("last", "Basalt Grey", frozenset({"lidar"}))],
        moves=400_000,
    )
    assert sorted(car.name for car in day.cars) == sorted(car.name for car in [*BLUE, *GREY])
    rows = day.rows()
    assert [row["position"] for row in rows] == list(range(1, 19))
    assert [row["car"] for row in rows] == [car.name for car in day.cars]
    # Grey is in the shop: grey, blue, grey, blue in batches of at most five.
    assert rows[0]["colour"] == "Basalt Grey"
    assert day.batches == tuple(sorted(day.batches))
    assert day.batches[-1] == 4
    assert day.found.score.colour_changes == day.found.fewest_colour_changes == 3
    assert day.found.score.high_ratios == 0
    for place in range(len(rows) - 2):
        assert sum("lidar" in str(row["features"]) for row in rows[place : place + 3]) <= 1
    assert {row["features"] for row in rows} == {"Pro", "Max+lidar"}


def test_a_car_named_twice() -> None:
    with pytest.raises(BadValue) as caught:
        sequence_cars([BLUE[0], GREY[0], BLUE[0]], [], moves=1)
    assert (caught.value.code, caught.value.place) == ("delivery.sequence.twice", "B0")


def test_a_day_without_cars() -> None:
    assert sequence_cars([], [Ratio("lidar", 1, 3)], moves=1).rows() == []
