"""One place: its code, its polygons in whole numbers of 1e-7 degrees, and where they come from."""

from __future__ import annotations

import math
import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from driveaway.values.errors import BadValue

SCALE: Final = 10_000_000
"""Units in a degree."""
CODE: Final = r"^[a-z][a-z0-9-]*:[a-z0-9][a-z0-9-]*$"
_CODE = re.compile(CODE)

Code = Annotated[str, Meta(pattern=CODE)]
"""Kind and name, such as ``city:beijing`` or ``province:110000``."""
Ring = tuple[tuple[int, int], ...]
"""Corners (longitude, latitude) in units; the last joins the first and is not repeated."""
Polygon = tuple[Ring, ...]
"""Rings: inside where an odd number of them surrounds (an outline, then its holes)."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One place.

    Attributes:
        code: as gates name it.
        polygons: inside the place is inside any of them.
        name: in English.
        name_zh: in Chinese.
        shape: whether the polygons follow a boundary or stand for it.
        note: what to know about the shape.
        source: where it comes from.
        licence: under which it may be passed on.
    """

    code: Code
    polygons: tuple[Polygon, ...]
    name: str = ""
    name_zh: str = ""
    shape: Literal["boundary", "circle", "given"] = "given"
    note: str = ""
    source: str = ""
    licence: str = ""

    def bare(self) -> Place:
        """Code and polygons alone, as a car needs them."""
        return Place(code=self.code, polygons=self.polygons)


def units(degrees: float) -> int:
    """Degrees as units, rounded to the nearest, ties to even (as NumPy's ``rint`` does)."""
    return round(degrees * SCALE)


def position(longitude: float, latitude: float) -> tuple[int, int]:
    """A WGS-84 position in units.

    Raises:
        BadValue: not on Earth.
    """
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        raise BadValue("a position needs two finite numbers", code="place.position")
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise BadValue(
            f"longitude {longitude}, latitude {latitude} is not on Earth",
            code="place.position",
            remedy="longitude comes first, -180 to 180; then latitude, -90 to 90",
        )
    return units(longitude), units(latitude)


def kind_of(code: str) -> str:
    """The kind of a place: what its code has before the colon."""
    return code.partition(":")[0]


def read_code(text: str) -> str:
    """Check the code of a place.

    Raises:
        BadValue: it has not the form.
    """
    if not _CODE.fullmatch(text):
        raise BadValue(
            f"{text!r} is not the code of a place",
            code="place.code",
            remedy="kind and name in small letters, such as city:beijing or province:110000",
        )
    return text
