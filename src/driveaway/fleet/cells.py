"""Positions are kept as cells of a tenth of a degree, about 11 km from south to north, never nearer."""

from __future__ import annotations

import math
import re
from typing import Final, Literal

from driveaway.values.errors import BadValue

Datum = Literal["WGS-84", "GCJ-02"]
_TENTHS: Final = 10
_CELL: Final = re.compile(r"(-?[0-9]{1,2})\.([0-9]),(-?[0-9]{1,3})\.([0-9])")
# What a tenth of a degree written in decimals may be off by in binary: 0.1 mm on the ground.
_DECIMALS: Final = 9


def cell(latitude: float, longitude: float, *, datum: Datum) -> str:
    """The cell that a position lies in, by its south-west corner, such as ``39.9,116.4``.

    Cells begin at whole tenths of a degree and hold their southern and western edge. The North Pole lies
    in the northernmost cells; the antimeridian is -180.0, on whichever side it is given.

    Args:
        latitude: WGS-84 degrees, -90 to 90.
        longitude: WGS-84 degrees, -180 to 180.
        datum: in which the position is given, never assumed: GCJ-02 of Chinese maps lies some 500 m off,
            which is another cell for one position in ten or so.

    Raises:
        BadValue: no position, or not in WGS-84.
    """
    if datum != "WGS-84":
        raise BadValue(
            f"the position is given in {datum}",
            code="position.datum",
            remedy="convert it to WGS-84 where it comes in, and say so there",
        )
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadValue(
            f"{latitude}, {longitude} is not a position",
            code="position.range",
            remedy="latitude -90 to 90 and longitude -180 to 180, in degrees",
        )
    south = min(_tenth(latitude), 90 * _TENTHS - 1)
    west = _tenth(longitude)
    if west == 180 * _TENTHS:
        west = -180 * _TENTHS
    return f"{_shown(south)},{_shown(west)}"


def corner(text: str) -> tuple[float, float]:
    """The south-west corner of a cell: latitude and longitude, WGS-84 degrees.

    Raises:
        BadValue: it is not a cell as ``cell`` writes it.
    """
    found = _CELL.fullmatch(text)
    if found is not None:
        south, west = (float(part) for part in text.split(","))
        if -90 <= south < 90 and -180 <= west < 180 and cell(south, west, datum="WGS-84") == text:
            return south, west
    raise BadValue(
        f"{text!r} is not a cell", code="position.cell", remedy="such as 39.9,116.4, the south-west corner"
    )


def _tenth(degrees: float) -> int:
    return math.floor(round(degrees * _TENTHS, _DECIMALS))


def _shown(tenths: int) -> str:
    sign = "-" if tenths < 0 else ""
    whole, part = divmod(abs(tenths), _TENTHS)
    return f"{sign}{whole}.{part}"
