"""Which place a car is at home in, from the province and the city of its handover.

A name alone does not tell a city: there is a Suzhou in Jiangsu and one in Anhui. A place has the name and a
point of it lies in the province, or it is another city.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from driveaway.updates.places.inside import inside_any
from driveaway.updates.places.packaged import packaged_places
from driveaway.updates.places.place import Place, Polygon, kind_of

_NOT_IN_NAMES = re.compile(r"[\W_]+")
_SUFFIX = re.compile(r"(?:city|市)$")


class Homes:
    """Cities by their names.

    Args:
        given: places beside the packaged ones, by code; they go before.
    """

    def __init__(self, given: Mapping[str, Place] | None = None) -> None:
        self._named: dict[str, Place] = {}
        for place in (*packaged_places().values(), *(given or {}).values()):
            if kind_of(place.code) == "city":
                for name in (place.code.partition(":")[2], place.name, place.name_zh):
                    if name:
                        self._named[_plain(name)] = place

    def province(self, code: str) -> str:
        """The place of a province by its six-digit code."""
        return f"province:{code}"

    def city(self, name: str, province: str | None) -> str:
        """The code of the place that a city is, or, where no place is known to be it, its name.

        Args:
            name: of the city, in English or Chinese.
            province: its six-digit code; None: not known, and the name decides.
        """
        place = self._named.get(_plain(name))
        if place is None:
            return name
        border = packaged_places().get(self.province(province)) if province else None
        if border is not None and not inside_any(border.polygons, *_inner(place.polygons)):
            return f"{name} ({province})"
        return place.code


def _plain(name: str) -> str:
    return _SUFFIX.sub("", _NOT_IN_NAMES.sub("", name.casefold()))


@lru_cache(maxsize=4096)
def _inner(polygons: tuple[Polygon, ...]) -> tuple[int, int]:
    """A point inside: the middle of the widest stretch at half the height of the largest polygon."""
    polygon = max(polygons, key=lambda rings: _height(rings)[1] - _height(rings)[0])
    low, high = _height(polygon)
    y = (low + high) // 2
    crossings = sorted(
        x1 + (x2 - x1) * (y - y1) // (y2 - y1)
        for ring in polygon
        for (x1, y1), (x2, y2) in zip((ring[-1], *ring[:-1]), ring, strict=True)
        if (y1 > y) != (y2 > y)
    )
    stretches = list(zip(crossings[::2], crossings[1::2], strict=True))
    west, east = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    return (west + east) // 2, y


def _height(polygon: Polygon) -> tuple[int, int]:
    heights = [y for _, y in polygon[0]]
    return min(heights), max(heights)
