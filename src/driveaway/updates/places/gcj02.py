"""GCJ-02, the shifted coordinates of Chinese map services, and the way back to WGS-84.

The law's algorithm is not published. The formula is the one that has been known since 2013 and agrees with
map services to within metres (as in the public ``eviltransform`` and ``PRCoords`` libraries): Krasovsky's
ellipsoid of 1940 and a sum of sines. The way back is found by repeating (a fixed point), to under 1e-9
degrees.
"""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt
from typing import Final

_AXIS_M: Final = 6_378_245.0
_ECCENTRICITY: Final = 0.00669342162296594323
_WINDOW: Final = (72.004, 137.8347, 0.8293, 55.8271)
_CLOSE: Final = 1e-10
_ROUNDS: Final = 20


def _waves(value: float) -> float:
    return 20 * sin(6 * value * pi) + 20 * sin(2 * value * pi)


def _shift(longitude: float, latitude: float) -> tuple[float, float]:
    """Degrees by which GCJ-02 lies off at a WGS-84 position."""
    x, y = longitude - 105, latitude - 35
    root = sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += 2 / 3 * (_waves(x) + 20 * sin(y * pi) + 40 * sin(y / 3 * pi))
    north += 2 / 3 * (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += 2 / 3 * (_waves(x) + 20 * sin(x * pi) + 40 * sin(x / 3 * pi))
    east += 2 / 3 * (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi))
    phi = radians(latitude)
    bulge = 1 - _ECCENTRICITY * sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY) / (bulge * sqrt(bulge))
    parallel = _AXIS_M / sqrt(bulge) * cos(phi)
    return east * 180 / (parallel * pi), north * 180 / (meridian * pi)


def shifted(longitude: float, latitude: float) -> bool:
    """Whether GCJ-02 differs from WGS-84 there: inside a window round China."""
    west, east, south, north = _WINDOW
    return west <= longitude <= east and south <= latitude <= north


def to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """A WGS-84 position in GCJ-02, degrees."""
    if not shifted(longitude, latitude):
        return longitude, latitude
    east, north = _shift(longitude, latitude)
    return longitude + east, latitude + north


def to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """A GCJ-02 position in WGS-84, degrees."""
    if not shifted(longitude, latitude):
        return longitude, latitude
    x, y = longitude, latitude
    for _ in range(_ROUNDS):
        east, north = _shift(x, y)
        step = max(abs(longitude - east - x), abs(latitude - north - y))
        x, y = longitude - east, latitude - north
        if step < _CLOSE:
            break
    return x, y
