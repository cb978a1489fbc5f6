"""The car's loop and the server's arrays put every position into the same places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.places.index import PlaceIndex
from driveaway.updates.places.inside import inside, inside_any
from driveaway.updates.places.packaged import chosen, packaged_places
from driveaway.updates.places.place import SCALE, Place, Ring, position, units
from driveaway.updates.places.rings import check_polygon
from driveaway.values.errors import BadValue, NotFound

SQUARE: Ring = ((0, 0), (10, 0), (10, 10), (0, 10))
LARGEST = st.sampled_from((1, 7, 1000, SCALE, 180 * SCALE))


@st.composite
def stars(draw: st.DrawFn) -> Ring:
    """A ring round a middle: corners at growing angles, so that it never meets itself but may by rounding."""
    reach = draw(LARGEST)
    count = draw(st.integers(3, 40))
    middle = draw(st.integers(-reach // 2, reach // 2)), draw(st.integers(-reach // 4, reach // 4))
    ring = []
    for step in range(count):
        angle, radius = 2 * math.pi * step / count, draw(st.floats(0.05, 1)) * reach / 4
        corner = middle[0] + round(radius * math.cos(angle)), middle[1] + round(radius * math.sin(angle))
        if not ring or corner != ring[-1]:
            ring.append(corner)
    return tuple(ring)


def telling(rings: list[Ring], more: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Positions that go wrong if any do: corners, beside corners, middles of edges, level with corners."""
    found = list(more)
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
            found += [(x1 + dx, y1 + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            found += [((x1 + x2) // 2, (y1 + y2) // 2), (x2, y1), (x1, y2)]
    return [(x, y) for x, y in found if abs(x) <= 180 * SCALE and abs(y) <= 90 * SCALE]


@given(
    st.lists(stars(), min_size=1, max_size=4), st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)))
)
def test_loop_and_arrays_agree_everywhere(rings: list[Ring], more: list[tuple[int, int]]) -> None:
    # One place with a hole in it or crossing it, one of two parts, one by itself: whatever the rings are.
    places = (
        Place(code="a:all", polygons=(tuple(rings),)),
        Place(code="a:parts", polygons=tuple((ring,) for ring in rings)),
        Place(code="a:one", polygons=((rings[0],),)),
    )
    asked = telling(rings, more)
    x, y = (np.array(values, dtype=np.int64) for values in zip(*asked, strict=True))
    located = PlaceIndex(places).locate(x, y)
    for place in places:
        by_loop = [inside_any(place.polygons, *at) for at in asked]
        assert located.within([place.code]).tolist() == by_loop
    pairs = list(zip(located.positions.tolist(), located.places.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


@given(stars(), st.integers(-15, 15), st.integers(-15, 15))
def test_many_corners_of_the_world_are_decided_without_overflow(ring: Ring, dx: int, dy: int) -> None:
    # The same shape as Python's unbounded integers decide it, and as int64 does, at the ends of the Earth.
    corners = ((-180 * SCALE, -90 * SCALE), (180 * SCALE, 90 * SCALE), (180 * SCALE - 1, -90 * SCALE + 1))
    place = Place(code="a:b", polygons=((corners,),))
    asked = [(x + dx, y + dy) for x, y in ring]
    asked = [(x, y) for x, y in asked if abs(x) <= 180 * SCALE and abs(y) <= 90 * SCALE]
    x, y = np.array([a for a, _ in asked], np.int64), np.array([b for _, b in asked], np.int64)
    flags = PlaceIndex([place]).locate(x, y).within(["a:b"]).tolist()
    assert flags == [inside_any(place.polygons, *at) for at in asked]


@given(st.integers(-3, 13), st.integers(-3, 13))
def test_a_square_holds_its_lower_and_western_border_only(x: int, y: int) -> None:
    assert inside((SQUARE,), x, y) == (0 <= x < 10 and 0 <= y < 10)
    assert inside((SQUARE[::-1],), x, y) == inside((SQUARE,), x, y)
    hole: Ring = ((3, 3), (3, 7), (7, 7), (7, 3))
    in_hole = 3 <= x < 7 and 3 <= y < 7
    assert inside((SQUARE, hole), x, y) == (inside((SQUARE,), x, y) and not in_hole)


@given(stars(), st.integers(0, 39), st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30))))
def test_neighbours_share_a_border_without_gap_or_overlap(
    ring: Ring, cut: int, more: list[tuple[int, int]]
) -> None:
    # Cut a ring in two along a line between two corners: each position of the whole is in exactly one half.
    if len(ring) < 4:
        return
    at = 2 + cut % (len(ring) - 3)
    one, two = ring[: at + 1], (ring[0], *ring[at:])
    for position_ in telling([ring], more):
        assert inside((ring,), *position_) == (inside((one,), *position_) != inside((two,), *position_))


def test_positions_are_whole_units() -> None:
    assert position(116.39723, 39.9075) == (1163972300, 399075000)
    degrees = np.array([113.25, -0.00000005, 179.99999995, 12.34567895])
    assert np.rint(degrees * SCALE).astype(np.int64).tolist() == [units(float(value)) for value in degrees]
    for wrong in ((181, 0), (0, 91), (math.nan, 0), (0, math.inf)):
        with pytest.raises(BadValue, match=r"place\.position"):
            position(*wrong)


def test_a_place_that_there_is_not_is_named() -> None:
    index = PlaceIndex([Place(code="a:b", polygons=((SQUARE,),))])
    nobody = np.zeros(0, np.int64)
    assert index.locate(nobody, nobody).within(["a:b"]).tolist() == []
    with pytest.raises(NotFound, match="'a:c'"):
        index.locate(nobody, nobody, ["a:c"])
    with pytest.raises(NotFound, match="'city:atlantis'"):
        chosen(["city:beijing", "city:atlantis"])


def test_the_packaged_places_are_sound_and_hold_their_centres() -> None:
    places = packaged_places()
    assert len([code for code in places if code.startswith("province:")]) == 31
    for place in places.values():
        assert place.source
        assert place.licence
        for polygon in place.polygons:
            check_polygon(polygon)
    centres = {
        "beijing": (116.39723, 39.9075), "shanghai": (121.45806, 31.22222), "guangzhou": (113.25, 23.11667),
        "shenzhen": (114.0683, 22.54554), "hangzhou": (120.16142, 30.29365), "suzhou": (120.59538, 31.30408),
        "nanjing": (118.77778, 32.06167), "chengdu": (104.06667, 30.66667), "xian": (108.92861, 34.25833),
        "wuhan": (114.26667, 30.58333),
    }  # fmt: skip
    x, y = (np.array([position(*at)[axis] for at in centres.values()]) for axis in (0, 1))
    located = PlaceIndex(places.values()).locate(x, y)
    for number, name in enumerate(centres):
        found = {located.codes[place] for place in located.places[located.positions == number]}
        assert f"city:{name}" in found
        # Its city and its province, and no second city or province.
        assert sorted(code.split(":")[0] for code in found) == ["city", "province"]


@pytest.mark.parametrize(("longitude", "latitude"), [(114.17, 22.32), (114.18, 22.28), (113.55, 22.19)])
def test_hong_kong_and_macau_are_in_no_opening(longitude: float, latitude: float) -> None:
    at = position(longitude, latitude)
    assert not [code for code, place in packaged_places().items() if inside_any(place.polygons, *at)]


def test_what_is_no_boundary_says_so() -> None:
    circles = [place for place in packaged_places().values() if place.shape == "circle"]
    assert len(circles) == 8
    assert all("not a boundary" in place.note and "GeoNames" in place.licence for place in circles)
