"""Whether rings make a polygon: closed, long enough, not crossing themselves or each other.

The conditions are those of OGC 06-103r4 (simple features), section 6.1.11, in exact integers: a ring meets
itself nowhere; rings may touch each other at single points; holes lie inside the outline and outside each
other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.places.inside import inside
from driveaway.updates.places.place import SCALE, Polygon, Ring
from driveaway.values.errors import BadValue

_BATCH: Final = 2048
_REMEDY: Final = "repair the polygon first, for example with Shapely's make_valid or QGIS' Fix geometries"
_Pairs = NDArray[np.int64]


def shown(x: int, y: int) -> str:
    """Units as degrees, for people."""
    return f"({x / SCALE:.7f}, {y / SCALE:.7f})"


def ring_of(corners: list[tuple[int, int]]) -> Ring:
    """A ring from its closed list of corners; corners that fall together become one.

    Raises:
        BadValue: not closed, too few corners, or across the antimeridian.
    """
    if len(corners) < 4:
        raise BadValue(
            f"a ring has {len(corners)} positions", code="place.ring",
            remedy="at least four, the last the same as the first (RFC 7946, section 3.1.6)",
        )  # fmt: skip
    if corners[0] != corners[-1]:
        raise BadValue(
            f"a ring begins at {shown(*corners[0])} and ends at {shown(*corners[-1])}",
            code="place.ring",
            remedy="end each ring where it begins (RFC 7946, section 3.1.6)",
        )
    ring = tuple(corner for corner, before in zip(corners[1:], corners, strict=False) if corner != before)
    if len(set(ring)) < 3:
        raise BadValue(
            f"a ring at {shown(*corners[0])} has fewer than three different corners",
            code="place.ring",
            remedy="leave it out; coordinates closer than 1e-7 degrees are one",
        )
    for (x1, y1), (x2, _) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if abs(x2 - x1) > 180 * SCALE:
            raise BadValue(
                f"the edge from {shown(x1, y1)} to longitude {x2 / SCALE:.7f} crosses the antimeridian",
                code="place.antimeridian",
                remedy="cut the polygon there, into a MultiPolygon (RFC 7946, section 3.1.9)",
            )
    return ring


def check_polygon(polygon: Polygon) -> None:
    """Refuse rings that cross, and holes that are none.

    Raises:
        BadValue: the first fault found, with a corner near it.
    """
    start = np.concatenate([np.array(ring, dtype=np.int64) for ring in polygon])
    end = np.concatenate([np.roll(np.array(ring, dtype=np.int64), -1, axis=0) for ring in polygon])
    ring = np.repeat(np.arange(len(polygon)), [len(r) for r in polygon])
    size = np.array([len(r) for r in polygon])[ring]
    place = np.concatenate([np.arange(len(r)) for r in polygon])
    order = np.argsort(np.minimum(start[:, 0], end[:, 0]), kind="stable")
    start, end, ring, size, place = (values[order] for values in (start, end, ring, size, place))
    west, east = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    stop = np.searchsorted(west, east, side="right")
    for at in range(0, len(start), _BATCH):
        first = np.arange(at, min(at + _BATCH, len(start)))
        counts = stop[first] - first - 1
        i = np.repeat(first, counts)
        j = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + i + 1
        low = np.maximum(np.minimum(start[i, 1], end[i, 1]), np.minimum(start[j, 1], end[j, 1]))
        high = np.minimum(np.maximum(start[i, 1], end[i, 1]), np.maximum(start[j, 1], end[j, 1]))
        i, j = i[low <= high], j[low <= high]
        _check_pairs(start, end, ring, size, place, i, j)
    _check_holes(polygon)


def _side(a: _Pairs, b: _Pairs, c: _Pairs) -> NDArray[np.int8]:
    """1 where c lies left of a → b, -1 right, 0 on the line."""
    one = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    two = (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return (one > two).astype(np.int8) - (one < two).astype(np.int8)


def _within_box(a: _Pairs, b: _Pairs, c: _Pairs) -> NDArray[np.bool_]:
    between: NDArray[np.bool_] = (np.minimum(a, b) <= c) & (c <= np.maximum(a, b))
    both: NDArray[np.bool_] = between[:, 0] & between[:, 1]
    return both


def _check_pairs(
    start: _Pairs, end: _Pairs, ring: _Pairs, size: _Pairs, place: _Pairs, i: _Pairs, j: _Pairs
) -> None:
    a, b, c, d = start[i], end[i], start[j], end[j]
    ends = (
        (_side(a, b, c), a, b, c),
        (_side(a, b, d), a, b, d),
        (_side(c, d, a), c, d, a),
        (_side(c, d, b), c, d, b),
    )
    sides = [entry[0] for entry in ends]
    crossing = (sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0)
    touching = np.zeros(len(i), dtype=bool)
    for side, p, q, r in ends:
        touching |= (side == 0) & _within_box(p, q, r)
    same = ring[i] == ring[j]
    gap = np.abs(place[i] - place[j])
    adjacent = same & ((gap == 1) | (gap == size[i] - 1))
    level = (sides[0] == 0) & (sides[1] == 0)
    # Two edges on one line share more than a point when their boxes do.
    stretch = np.minimum(np.maximum(a, b), np.maximum(c, d)) - np.maximum(np.minimum(a, b), np.minimum(c, d))
    overlapping = level & touching & (stretch > 0).any(axis=1)
    wrong = crossing | overlapping | (touching & same & ~adjacent)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        what = "meets itself" if same[k] else "crosses another ring of its polygon"
        raise BadValue(
            f"a ring {what} near {shown(*(int(v) for v in c[k]))}", code="place.crossing", remedy=_REMEDY
        )


def _check_holes(polygon: Polygon) -> None:
    outline, holes = polygon[0], polygon[1:]
    for number, hole in enumerate(holes, 1):
        free = [corner for corner in hole if not _on(outline, *corner)]
        if free and not inside((outline,), *free[0]):
            raise BadValue(
                f"hole {number} at {shown(*free[0])} lies outside the outline",
                code="place.hole",
                remedy="a separate area is a polygon of its own in a MultiPolygon",
            )
        for other in holes[: number - 1] + holes[number:]:
            free = [corner for corner in hole if not _on(other, *corner)]
            if free and inside((other,), *free[0]):
                raise BadValue(
                    f"hole {number} at {shown(*free[0])} lies inside another hole",
                    code="place.hole",
                    remedy="an island in a hole is a polygon of its own in a MultiPolygon",
                )


def _on(ring: Ring, x: int, y: int) -> bool:
    x1, y1 = ring[-1]
    for x2, y2 in ring:
        boxed = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
        if boxed and (x2 - x1) * (y - y1) == (y2 - y1) * (x - x1):
            return True
        x1, y1 = x2, y2
    return False
