"""Positions become cells; nothing nearer is kept."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.fleet.cells import cell, corner
from driveaway.values.errors import BadValue

latitudes = st.one_of(st.floats(-90, 90), st.integers(-900, 900).map(lambda tenth: tenth / 10))
longitudes = st.one_of(st.floats(-180, 180), st.integers(-1800, 1800).map(lambda tenth: tenth / 10))


@pytest.mark.parametrize(
    ("latitude", "longitude", "text"),
    [
        (39.904, 116.407, "39.9,116.4"),
        (-0.01, 0.01, "-0.1,0.0"),
        (-0.0, -0.0, "0.0,0.0"),
        (0.3, 0.7, "0.3,0.7"),
        (-33.86, 151.21, "-33.9,151.2"),
        (90, 0, "89.9,0.0"),
        (-90, 0, "-90.0,0.0"),
        (0, 180, "0.0,-180.0"),
        (0, -180, "0.0,-180.0"),
        (0, 179.99, "0.0,179.9"),
        (0, -179.99, "0.0,-180.0"),
    ],
)
def test_examples(latitude: float, longitude: float, text: str) -> None:
    assert cell(latitude, longitude, datum="WGS-84") == text


@given(latitudes, longitudes)
def test_a_position_lies_in_its_cell(latitude: float, longitude: float) -> None:
    text = cell(latitude, longitude, datum="WGS-84")
    south, west = corner(text)
    assert "-0.0" not in text.split(",")
    slack = 1e-9
    if latitude < 90:
        assert south - slack <= latitude < south + 0.1 + slack
    else:
        assert south == 89.9
    # The antimeridian is reached by what is nearer to it than the slack.
    if longitude < 180 - slack:
        assert west - slack <= longitude < west + 0.1 + slack
    else:
        assert west == -180


@given(st.decimals(-90, "89.999", places=3), st.decimals(-180, "179.999", places=3))
def test_as_decimals_say(latitude: Decimal, longitude: Decimal) -> None:
    tenth = Decimal("0.1")
    want = [value.quantize(tenth, ROUND_FLOOR) + 0 for value in (latitude, longitude)]
    assert cell(float(latitude), float(longitude), datum="WGS-84") == f"{want[0]},{want[1]}"


@given(latitudes, longitudes)
def test_a_corner_lies_in_its_own_cell(latitude: float, longitude: float) -> None:
    text = cell(latitude, longitude, datum="WGS-84")
    assert cell(*corner(text), datum="WGS-84") == text


def test_another_datum_is_never_taken_for_this_one() -> None:
    with pytest.raises(BadValue) as bad:
        cell(39.9, 116.4, datum="GCJ-02")
    assert bad.value.code == "position.datum"
    with pytest.raises(TypeError):
        cell(39.9, 116.4)  # type: ignore[call-arg]


@pytest.mark.parametrize("place", [(90.1, 0), (0, 180.1), (float("nan"), 0), (0, float("inf"))])
def test_no_position(place: tuple[float, float]) -> None:
    with pytest.raises(BadValue) as bad:
        cell(*place, datum="WGS-84")
    assert bad.value.code == "position.range"


@pytest.mark.parametrize(
    "text", ["39.90,116.4", "39.9, 116.4", "90.0,0.0", "0.0,180.0", "-0.0,0.0", "99.9,0.0"]
)
def test_no_cell(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        corner(text)
    assert bad.value.code == "position.cell"
