"""How far ahead a gate closes: the nearest border along the heading, on the careful side.

Rays go out at and beside the heading; with no heading, all round. On each one the gate is asked between all
borders that it crosses, so that a border between two opened places is none. The shortest ray counts, less the
accuracy of the position: a road bends, so that the true way is never shorter than announced but for what lies
between two rays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from driveaway.updates.gates.judging import CarState, Judge
from driveaway.updates.gates.position import METRES_A_UNIT, Fix, Limits
from driveaway.updates.places.place import SCALE, Place, Ring

_BESIDE: Final = (-30, -20, -10, 0, 10, 20, 30)
_ROUND: Final = tuple(range(0, 360, 15))


@dataclass(frozen=True)
class Leaving:
    """An opened place is being left.

    Attributes:
        metres: to the border; 0 on or beyond it.
        seconds: at the present speed; None at a standstill.
    """

    metres: float
    seconds: float | None


class Borders:
    """The borders of places, ready to be looked for ahead of a car.

    Args:
        judge: the gate.
        places: polygons of the places that it names.
    """

    def __init__(self, judge: Judge, places: Iterable[Place]) -> None:
        self._judge = judge
        self._rings = [
            (
                ring,
                min(x for x, _ in ring),
                max(x for x, _ in ring),
                min(y for _, y in ring),
                max(y for _, y in ring),
            )
            for place in places
            for polygon in place.polygons
            for ring in polygon
        ]

    def ahead(self, car: CarState, fix: Fix, limits: Limits) -> Leaving | None:
        """The nearest border within the distance or the time of announcing; None where there is none.

        Args:
            car: its state but for the position; the gate is open to it at the fix.
            fix: where it is, and where it goes.
            limits: of announcing.
        """
        reach = max(limits.announce_metres, limits.announce_seconds * max(0.0, fix.speed)) + fix.accuracy
        bearings = _ROUND if fix.heading is None else [fix.heading + beside for beside in _BESIDE]
        found = [
            metres for bearing in bearings if (metres := self._along(car, fix, bearing, reach)) is not None
        ]
        if not found:
            return None
        nearest = max(0.0, min(found) - fix.accuracy)
        return Leaving(nearest, nearest / fix.speed if fix.speed > 0 else None)

    def _along(self, car: CarState, fix: Fix, bearing: float, reach: float) -> float | None:
        turned = math.radians(bearing)
        north = reach * math.cos(turned) / METRES_A_UNIT
        narrow = max(1e-6, math.cos(math.radians(fix.y / SCALE)))
        east = reach * math.sin(turned) / METRES_A_UNIT / narrow
        stops = sorted({0.0, 1.0, *self._crossed(fix.x, fix.y, east, north)})
        for here, there in pairwise(stops):
            middle = (here + there) / 2
            at = round(fix.x + middle * east), round(fix.y + middle * north)
            if not self._judge.allows(replace(car, position=at)):
                return here * reach
        return None

    def _crossed(self, x: int, y: int, east: float, north: float) -> Iterator[float]:
        """Where a ray crosses borders, as shares of its length."""
        low_x, high_x = min(x, x + east), max(x, x + east)
        low_y, high_y = min(y, y + north), max(y, y + north)
        for ring, west_end, east_end, south_end, north_end in self._rings:
            if high_x < west_end or low_x > east_end or high_y < south_end or low_y > north_end:
                continue
            yield from _crossed(ring, x, y, east, north)


def _crossed(ring: Ring, x: int, y: int, east: float, north: float) -> Iterator[float]:
    # The side of the ray on which each corner lies; an edge crosses where it changes.
    x1, y1 = ring[-1]
    before = (x1 - x) * north - (y1 - y) * east
    for x2, y2 in ring:
        after = (x2 - x) * north - (y2 - y) * east
        if (before > 0) != (after > 0):
            along = before / (before - after)
            px, py = x1 + along * (x2 - x1) - x, y1 + along * (y2 - y1) - y
            share = (px * east + py * north) / (east * east + north * north)
            if 0 < share < 1:
                yield share
        x1, y1, before = x2, y2, after
