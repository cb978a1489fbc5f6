"""Places that users give: what is read, converted and refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.places import gcj02
from driveaway.updates.places.geojson import read_places
from driveaway.updates.places.place import SCALE, units
from driveaway.values.errors import BadValue

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
SWAPPED = [[39.9, 116.4], [39.9, 117], [40, 117], [39.9, 116.4]]
AROUND = [[179, 0], [-179, 0], [-179, 1], [179, 0]]
ACROSS = [[3, 1], [5, 1], [5, 2], [3, 2], [3, 1]]
HOLE = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]


def collection(*geometries: Any, codes: tuple[str, ...] = (), **members: Any) -> str:
    names = codes or tuple(f"city:{number}" for number in range(len(geometries)))
    features = [
        {"type": "Feature", "properties": {"place": code}, "geometry": geometry}
        for code, geometry in zip(names, geometries, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **members})


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def several(*polygons: Any) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def test_polygons_with_holes_and_parts_are_read() -> None:
    shifted = [[x + 10, y, 35.5] for x, y in SQUARE]
    one, two = read_places(collection(polygon(SQUARE, HOLE), several([SQUARE], [shifted])))
    assert [len(ring) for ring in one.polygons[0]] == [4, 4]
    assert one.polygons[0][0][0] == (4 * SCALE, 0)
    assert len(two.polygons) == 2
    assert one.shape == "given"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", "place.json", "not JSON"),
        ("[]", "place.json", "object"),
        ('{"type": "Feature"}', "place.geojson", "Feature"),
        ('{"type": "FeatureCollection", "features": []}', "place.geojson", "no feature"),
        ('{"type": "FeatureCollection", "features": [3]}', "place.geojson", "not a Feature"),
        (collection(polygon(SQUARE), codes=("Beijing",)), "place.code", "'Beijing'"),
        (collection({"type": "Point", "coordinates": [0, 0]}), "place.geometry", "Point"),
        (collection(None), "place.geometry", "without geometry"),
        (collection(polygon()), "place.geometry", "no ring"),
        (collection(polygon(3)), "place.ring", "list of positions"),
        (collection(polygon(SQUARE[:3])), "place.ring", "3 positions"),
        (collection(polygon(SQUARE[:4])), "place.ring", "begins at"),
        (collection(polygon([[0, 0], [1, 1], [0, 0], [0, 0]])), "place.ring", "fewer than three"),
        (collection(polygon([["0", 0], *SQUARE[1:]])), "place.position", "not a position"),
        (collection(polygon(SWAPPED)), "place.position", "Earth"),
        (collection(polygon(AROUND)), "place.antimeridian", "antimeridian"),
        (collection(polygon([[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]])), "place.crossing", "meets itself"),
        (collection(polygon([[0, 0], [4, 0], [2, 0], [2, 4], [0, 0]])), "place.crossing", "meets itself"),
        (
            collection(polygon([[0, 0], [4, 0], [2, 2], [4, 4], [0, 4], [2, 2], [0, 0]])),
            "place.crossing", "meets itself",
        ),
        (collection(polygon(SQUARE, ACROSS)), "place.crossing", "another ring"),
        (collection(polygon(SQUARE, [[5, 5], [6, 5], [6, 6], [5, 5]])), "place.hole", "outside"),
        (
            collection(polygon(SQUARE, HOLE, [[1.2, 1.2], [1.6, 1.2], [1.6, 1.6], [1.2, 1.2]])),
            "place.hole", "another hole",
        ),
        (collection(polygon(SQUARE), polygon(SQUARE), codes=("a:b", "a:b")), "place.twice", "twice"),
        (collection(polygon(SQUARE), coordinates="GCJ-02"), "place.coordinates", "GCJ-02"),
        (
            collection(polygon(SQUARE), crs={"type": "name", "properties": {"name": "EPSG:3857"}}),
            "place.coordinates", "3857",
        ),
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused_with_its_place(text: str, code: str, words: str) -> None:
    with pytest.raises(BadValue, match=words) as caught:
        read_places(text, "cities.geojson")
    assert caught.value.code == code
    assert caught.value.place.startswith("cities.geojson")
    assert caught.value.remedy


def test_the_feature_is_named() -> None:
    with pytest.raises(BadValue, match="feature 2: a:c: a ring"):
        read_places(collection(polygon(SQUARE), polygon(SQUARE[:4]), codes=("a:b", "a:c")))


def test_a_hole_may_touch_the_outline_in_a_point() -> None:
    touching = [[0, 0], [1, 2], [2, 1], [0, 0]]
    assert read_places(collection(polygon(SQUARE, touching)))


def test_what_a_map_service_exported_is_refused_unless_its_coordinates_are_said() -> None:
    content = json.loads(collection(polygon(SQUARE)))
    content["features"][0]["properties"] |= {"adcode": 110000, "childrenNum": 16}
    text = json.dumps(content)
    with pytest.raises(BadValue, match="map service"):
        read_places(text)
    assert read_places(text, coordinates="WGS-84") == read_places(collection(polygon(SQUARE)))
    with pytest.raises(BadValue, match="no coordinates known"):
        read_places(text, coordinates="BD-09")  # type: ignore[arg-type]


def test_gcj02_is_converted_when_it_is_said() -> None:
    given = [[116.3, 39.8], [116.5, 39.8], [116.5, 40.0], [116.3, 39.8]]
    (place,) = read_places(collection(polygon(given), coordinates="GCJ-02"), coordinates="GCJ-02")
    for (x, y), corner in zip(place.polygons[0][0], given[1:], strict=True):
        longitude, latitude = gcj02.to_wgs84(*corner)
        assert (x, y) == (units(longitude), units(latitude))


def test_gcj02_lies_some_hundred_metres_off_in_chinese_cities() -> None:
    # As the public library eviltransform converts it, on another ellipsoid by some centimetres.
    assert gcj02.to_gcj02(116.391, 39.907) == pytest.approx((116.3972411, 39.9084011), abs=2e-7)
    for at in ((116.39723, 39.9075), (121.45806, 31.22222), (113.25, 23.11667), (104.06667, 30.66667)):
        longitude, latitude = gcj02.to_gcj02(*at)
        east = (longitude - at[0]) * 111_195 * math.cos(math.radians(at[1]))
        assert 300 < math.hypot(east, (latitude - at[1]) * 111_195) < 700
    assert gcj02.to_gcj02(9.19, 45.46) == (9.19, 45.46) == gcj02.to_wgs84(9.19, 45.46)


@given(st.floats(73.6, 134.7), st.floats(18.2, 53.5))
def test_the_way_back_from_gcj02_is_exact_to_a_unit(longitude: float, latitude: float) -> None:
    back = gcj02.to_wgs84(*gcj02.to_gcj02(longitude, latitude))
    assert back == pytest.approx((longitude, latitude), abs=1 / SCALE)
