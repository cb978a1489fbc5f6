"""Places from GeoJSON (RFC 7946): a FeatureCollection whose features have the property ``place``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from driveaway.updates.places import gcj02
from driveaway.updates.places.place import Place, Polygon, Ring, position, read_code
from driveaway.updates.places.rings import check_polygon, ring_of
from driveaway.values.errors import BadValue, DriveawayError

Coordinates = Literal["WGS-84", "GCJ-02"]
_SHOWN: Final = ("name", "name_zh", "note", "source", "licence")
# What the export of a Chinese map service gives itself away by.
_EXPORTED: Final = (
    {"adcode", "acroutes"},
    {"adcode", "childrenNum"},
    {"adcode", "parent", "subFeatureIndex"},
)
_CONVERT: Final = "convert it to WGS-84 first (RFC 7946, section 4)"
_WORLD: Final = ("CRS84", "EPSG::4326", "EPSG:4326")


def read_places(
    text: str | bytes, file: str = "", coordinates: Coordinates | None = None, *, check: bool = True
) -> tuple[Place, ...]:
    """Read places from the text of a GeoJSON file.

    Args:
        text: the content.
        file: its name, for error messages.
        coordinates: what the numbers are; None: WGS-84, and a file that says or shows otherwise is refused.
            GCJ-02 is converted corner by corner.
        check: False for a file that was checked before; rings are then not tried for crossings.

    Raises:
        BadValue: not GeoJSON, no places, a polygon that is none, or coordinates of another kind.
    """
    content = _decoded(text, file)
    if content.get("type") != "FeatureCollection" or not isinstance(content.get("features"), list):
        raise BadValue(
            f"the type is {content.get('type')!r}", code="place.geojson", place=file,
            remedy="give a FeatureCollection (RFC 7946, section 3.3)",
        )  # fmt: skip
    features: list[Any] = content["features"]
    if not features:
        raise BadValue("there is no feature in it", code="place.geojson", place=file, remedy="add a place")
    if coordinates not in (None, "WGS-84", "GCJ-02"):
        raise BadValue(
            f"{coordinates!r} are no coordinates known here", code="place.coordinates", place=file,
            remedy='"WGS-84" or "GCJ-02"',
        )  # fmt: skip
    if coordinates is None:
        _refuse_other_coordinates(content, features, file)
    places: dict[str, Place] = {}
    for number, feature in enumerate(features, 1):
        where = f"{file}: feature {number}" if file else f"feature {number}"
        try:
            place = _place(feature, coordinates == "GCJ-02", check)
        except DriveawayError as error:
            raise error.at(where) from error.__cause__
        if place.code in places:
            raise BadValue(
                f"{place.code} is there twice", code="place.twice", place=where,
                remedy="one feature a place; several areas make a MultiPolygon",
            )  # fmt: skip
        places[place.code] = place
    return tuple(places.values())


def _decoded(text: str | bytes, file: str) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadValue(f"not JSON: {error}", code="place.json", place=file, remedy="give GeoJSON") from error
    if not isinstance(content, dict):
        raise BadValue("not a JSON object", code="place.json", place=file, remedy="give GeoJSON")
    return content


def _refuse_other_coordinates(content: Mapping[str, Any], features: list[Any], file: str) -> None:
    remedy = 'say coordinates = "GCJ-02" to have them converted'
    said = content.get("coordinates", "WGS-84")
    crs = msgspec.json.encode(content.get("crs")).decode()
    if said != "WGS-84" or "GCJ" in crs.upper():
        raise BadValue(
            f"the file says its coordinates are {said if said != 'WGS-84' else crs}",
            code="place.coordinates",
            place=file,
            remedy=remedy
            if "GCJ" in f"{said}{crs}".upper()
            else "convert it to WGS-84 first (RFC 7946, section 4)",
        )
    if content.get("crs") is not None and not any(name in crs for name in _WORLD):
        raise BadValue(
            f"the file names a reference system of its own: {crs}", code="place.coordinates", place=file,
            remedy=_CONVERT,
        )  # fmt: skip
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(properties, dict) and any(marks <= properties.keys() for marks in _EXPORTED):
            raise BadValue(
                "the file looks like the export of a Chinese map service, which is in GCJ-02",
                code="place.coordinates",
                place=file,
                remedy=f'{remedy}, or "WGS-84" if they are; mind that such boundaries may not be passed on',
            )


def _place(feature: Any, convert: bool, check: bool) -> Place:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise BadValue("not a Feature", code="place.geojson", remedy="see RFC 7946, section 3.2")
    properties = feature.get("properties")
    code = properties.get("place") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(code, str):
        raise BadValue(
            "the property `place` is missing", code="place.code",
            remedy="give each feature its code, such as city:beijing",
        )  # fmt: skip
    read_code(code)
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise BadValue(
            f"{code} is a {kind or 'feature without geometry'}", code="place.geometry",
            remedy="a place is a Polygon or a MultiPolygon",
        )  # fmt: skip
    parts = geometry.get("coordinates")
    parts = [parts] if kind == "Polygon" else parts
    if not isinstance(parts, list) or not parts or not all(isinstance(p, list) and p for p in parts):
        raise BadValue(f"{code} has no ring", code="place.geometry", remedy="give at least an outline")
    try:
        polygons = tuple(_polygon(part, convert) for part in parts)
        if check:
            for polygon in polygons:
                check_polygon(polygon)
    except BadValue as error:
        error.message = f"{code}: {error.message}"
        raise
    shape = properties.get("shape")
    return Place(
        code=code,
        polygons=polygons,
        shape=shape if shape in ("boundary", "circle") else "given",
        **{name: properties[name] for name in _SHOWN if isinstance(properties.get(name), str)},
    )


def _polygon(rings: list[Any], convert: bool) -> Polygon:
    return tuple(_ring(ring, convert) for ring in rings)


def _ring(ring: Any, convert: bool) -> Ring:
    if not isinstance(ring, list):
        raise BadValue("a ring is not a list of positions", code="place.ring", remedy="see RFC 7946, 3.1.6")
    corners = []
    for corner in ring:
        if not (
            isinstance(corner, list)
            and len(corner) >= 2
            and all(isinstance(value, int | float) and not isinstance(value, bool) for value in corner[:2])
        ):
            raise BadValue(
                f"{str(corner)[:80]} is not a position", code="place.position",
                remedy="longitude and latitude in degrees, as numbers",
            )  # fmt: skip
        longitude, latitude = float(corner[0]), float(corner[1])
        position(longitude, latitude)
        corners.append(position(*(gcj02.to_wgs84(longitude, latitude) if convert else (longitude, latitude))))
    return ring_of(corners)
