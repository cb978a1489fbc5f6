"""Whether a position lies in a polygon: the car's plain loop.

A ray to the east crosses the outline an odd number of times when it starts inside (M. Shimrat,
*Communications of the ACM* 5, 1962, algorithm 112). An edge counts from its lower end, included, to its
upper end, excluded, and a position on an edge counts as west of nothing: so each position on a border that
two places share lies in exactly one of them. All products of two differences stay below 2**63, so that the
arrays of ``index`` decide the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from driveaway.updates.places.place import Polygon


def inside(polygon: Polygon, x: int, y: int) -> bool:
    """Whether units (x, y) lie in a polygon."""
    within = False
    for ring in polygon:
        x1, y1 = ring[-1]
        for x2, y2 in ring:
            if (y1 > y) != (y2 > y):
                if y2 > y1:
                    if (x - x1) * (y2 - y1) < (x2 - x1) * (y - y1):
                        within = not within
                elif (x - x2) * (y1 - y2) < (x1 - x2) * (y - y2):
                    within = not within
            x1, y1 = x2, y2
    return within


def inside_any(polygons: Iterable[Polygon], x: int, y: int) -> bool:
    """Whether units (x, y) lie in any of some polygons."""
    return any(inside(polygon, x, y) for polygon in polygons)
