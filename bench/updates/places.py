"""A million positions against 370 city polygons: ``python -m bench.updates.places``.

Polygons are wavy rings of 300 corners, about a degree across, at seeded places within China's bounds. Half
of the positions are spread over the country, half lie round the cities. Where Shapely is installed, its way
is measured beside: prepared polygons, the slice of the bounding box, ``contains_xy``.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.places.index import PlaceIndex
from driveaway.updates.places.place import SCALE, Place, units

CITIES, CORNERS, POSITIONS = 370, 300, 1_000_000


def cities(generator: np.random.Generator) -> tuple[list[Place], NDArray[np.float64]]:
    """Synthetic cities, and their centres in degrees."""
    centres = np.column_stack([generator.uniform(80, 128, CITIES), generator.uniform(21, 48, CITIES)])
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    places = []
    for number, (lon, lat) in enumerate(centres):
        radius = np.full(CORNERS, generator.uniform(0.3, 0.7))
        for wave in range(2, 40):
            radius += 0.25 / wave**1.3 * np.sin(wave * turn + generator.uniform(0, 6.3)) * 0.5
        radius = np.maximum(radius, 0.05)
        ring = tuple(
            (units(x), units(y))
            for x, y in zip(lon + radius * np.cos(turn), lat + radius * np.sin(turn), strict=True)
        )
        places.append(Place(code=f"city:{number}", polygons=((ring,),)))
    return places, centres


def positions(generator: np.random.Generator, centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Units, shape (positions, 2)."""
    half = POSITIONS // 2
    spread = np.column_stack([generator.uniform(73, 135, half), generator.uniform(18, 54, half)])
    near = centres[generator.integers(0, CITIES, POSITIONS - half)]
    near = near + generator.normal(0, 0.4, near.shape)
    return np.rint(np.vstack([spread, near]) * SCALE).astype(np.int64)


def by_shapely(places: list[Place], points: NDArray[np.int64]) -> tuple[float, int] | None:
    """CPU seconds and pairs found, or None without Shapely."""
    try:
        import shapely
    except ImportError:
        return None
    shapes = [shapely.Polygon(np.array(place.polygons[0][0]) / SCALE) for place in places]
    degrees = points / SCALE
    started, pairs = time.process_time(), 0
    order = np.argsort(degrees[:, 0])
    x, y = degrees[order, 0], degrees[order, 1]
    for shape in shapes:
        shapely.prepare(shape)
        west, south, east, north = shape.bounds
        first, last = np.searchsorted(x, [west, east])
        box = first + np.flatnonzero((y[first:last] >= south) & (y[first:last] <= north))
        pairs += int(shapely.contains_xy(shape, x[box], y[box]).sum())
    return time.process_time() - started, pairs


def main() -> None:
    """Print the figures."""
    generator = np.random.default_rng(20240531)
    places, centres = cities(generator)
    points = positions(generator, centres)
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    started = time.process_time()
    index = PlaceIndex(places)
    built = time.process_time() - started
    runs = []
    pairs = 0
    for _ in range(5):
        started = time.process_time()
        pairs = len(index.locate(x, y).positions)
        runs.append(time.process_time() - started)
    print(f"{POSITIONS:,} positions, {CITIES} polygons of {CORNERS} corners; {pairs:,} pairs")
    print(
        f"driveaway: index {built:.2f} CPU s, positions {min(runs):.2f} CPU s (median {np.median(runs):.2f})"
    )
    peer = by_shapely(places, points)
    if peer:
        print(f"shapely:   {peer[0]:.2f} CPU s, {peer[1]:,} pairs; ratio {peer[0] / min(runs):.1f}")


if __name__ == "__main__":
    main()
