"""Which of many positions lie in which places: arrays, exact.

Positions are sorted by longitude once; a polygon looks at the slice of its bounding box. A grid over the box
knows of each cell whether it lies inside, outside, or on the outline; only positions in cells of the last
kind are tried against the edges of their row, with the rule of ``inside`` and in the same integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.places.place import Place, Polygon
from driveaway.values.errors import NotFound

Units = NDArray[np.int64]
Flags = NDArray[np.bool_]
_OUTLINE: Final = 2
_CHUNK: Final = 1 << 15


@dataclass(frozen=True)
class Located:
    """Positions and the places that they lie in, as pairs sorted by position.

    Attributes:
        positions: indices of positions, int64, shape (pairs,).
        places: indices into ``codes``, int32, shape (pairs,).
        codes: codes of the places.
        count: positions asked about.
    """

    positions: Units
    places: NDArray[np.int32]
    codes: tuple[str, ...]
    count: int

    def within(self, codes: Iterable[str]) -> Flags:
        """Which positions lie in any of these places; a code not asked about is in none."""
        wanted = set(codes)
        chosen = np.array([code in wanted for code in self.codes], dtype=bool)
        flags = np.zeros(self.count, dtype=bool)
        if chosen.any():
            flags[self.positions[chosen[self.places]]] = True
        return flags


class PlaceIndex:
    """Polygons of places, prepared for many positions.

    Args:
        places: what is asked about; a code comes once.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(places)
        self.codes = tuple(place.code for place in self.places)
        self._numbers = {code: number for number, code in enumerate(self.codes)}
        self._parts = [
            (number, _Part(polygon)) for number, place in enumerate(self.places) for polygon in place.polygons
        ]

    def locate(self, x: Units, y: Units, codes: Iterable[str] | None = None) -> Located:
        """The places of positions.

        Args:
            x: longitudes in units of 1e-7 degrees, int64, shape (n,).
            y: latitudes alike.
            codes: places to ask about; None: all.

        Raises:
            NotFound: there is no such place.
        """
        wanted = set(range(len(self.codes))) if codes is None else {self.number(code) for code in codes}
        order = np.argsort(x)
        east, north = x[order], y[order]
        found: list[Units] = []
        numbers: list[NDArray[np.int32]] = []
        for number, part in self._parts:
            if number in wanted:
                hits = part.hits(east, north)
                if len(hits):
                    found.append(order[hits])
                    numbers.append(np.full(len(hits), number, dtype=np.int32))
        if not found:
            return Located(np.empty(0, np.int64), np.empty(0, np.int32), self.codes, len(x))
        pairs = np.sort(np.concatenate(found) * len(self.codes) + np.concatenate(numbers))
        # Parts of one place may overlap: a pair counts once.
        pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])]
        return Located(
            pairs // len(self.codes), (pairs % len(self.codes)).astype(np.int32), self.codes, len(x)
        )

    def number(self, code: str) -> int:
        """The index of a place.

        Raises:
            NotFound: there is no such place.
        """
        try:
            return self._numbers[code]
        except KeyError:
            raise NotFound(
                f"there is no place {code!r}",
                code="place.unknown",
                remedy="give its polygon as GeoJSON, or use a packaged code such as city:beijing",
            ) from None


class _Part:
    """One polygon with its grid."""

    def __init__(self, polygon: Polygon) -> None:
        rings = [np.array(ring, dtype=np.int64) for ring in polygon]
        start = np.concatenate(rings)
        end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
        self.low_x, self.low_y = (int(value) for value in start.min(axis=0))
        self.high_x, self.high_y = (int(value) for value in start.max(axis=0))
        self.size = min(128, max(8, int(np.sqrt(len(start)) * 2)))
        # Spans are one more than the difference, so that the highest corner has a cell too.
        self.span_x, self.span_y = self.high_x - self.low_x + 1, self.high_y - self.low_y + 1
        # A level edge is crossed by no ray; every other one is turned to go up.
        sloped = start[:, 1] != end[:, 1]
        up = (start[:, 1] < end[:, 1])[:, None]
        lower, upper = np.where(up, start, end)[sloped], np.where(up, end, start)[sloped]
        # The last row of edges is empty: where a row has fewer than the longest, it is filled with it.
        filler = np.zeros((1, 2), dtype=np.int64)
        self._lower, self._upper = np.vstack([lower, filler]), np.vstack([upper, filler])
        self._rows = self._edges_of_rows()
        self._cells = self._states(start, end)

    def hits(self, east: Units, north: Units) -> Units:
        """Indices of positions inside; ``east`` is sorted."""
        first, last = np.searchsorted(east, [self.low_x, self.high_x + 1])
        nearby: Units = first + np.flatnonzero(
            (north[first:last] >= self.low_y) & (north[first:last] <= self.high_y)
        )
        if not len(nearby):
            return nearby
        x, y = east[nearby], north[nearby]
        states = self._cells[self._row(y), self._column(x)]
        within = states == 1
        close = np.flatnonzero(states == _OUTLINE)
        if len(close):
            within[close] = self._exact(x[close], y[close])
        found: Units = nearby[within]
        return found

    def _column(self, x: Units) -> Units:
        column: Units = (x - self.low_x) * self.size // self.span_x
        return column

    def _row(self, y: Units) -> Units:
        row: Units = (y - self.low_y) * self.size // self.span_y
        return row

    def _edges_of_rows(self) -> Units:
        """Edges that reach into each row, shape (rows, most edges of a row)."""
        first, last = self._row(self._lower[:-1, 1]), self._row(self._upper[:-1, 1])
        counts = last - first + 1
        edges = np.repeat(np.arange(len(first)), counts)
        rows = (
            np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        )
        order = np.argsort(rows, kind="stable")
        edges, rows = edges[order], rows[order]
        totals = np.bincount(rows, minlength=self.size)
        table = np.full((self.size, int(totals.max(initial=1))), len(first), dtype=np.int64)
        table[rows, np.arange(len(rows)) - np.repeat(np.cumsum(totals) - totals, totals)] = edges
        return table

    def _states(self, start: Units, end: Units) -> NDArray[np.uint8]:
        """0 outside, 1 inside, 2 on the outline, for each cell (row, column)."""
        states = np.zeros((self.size, self.size), dtype=np.uint8)
        low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
        first, last = self._row(low), self._row(high)
        counts = last - first + 1
        edge = np.repeat(np.arange(len(first)), counts)
        row = (
            np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        )
        # The stretch of the edge within the row, in floats and so widened by some units on both sides.
        floor = np.maximum(low[edge], self.low_y + row * self.span_y // self.size - 1)
        roof = np.minimum(high[edge], self.low_y + (row + 1) * self.span_y // self.size + 1)
        rise = (end[edge, 1] - start[edge, 1]).astype(float)
        run = (end[edge, 0] - start[edge, 0]).astype(float)
        level = rise == 0
        slope = run / np.where(level, 1.0, rise)
        one = np.where(level, start[edge, 0], start[edge, 0] + (floor - start[edge, 1]) * slope)
        two = np.where(level, end[edge, 0], start[edge, 0] + (roof - start[edge, 1]) * slope)
        reach = np.minimum(start[edge, 0], end[edge, 0]), np.maximum(start[edge, 0], end[edge, 0])
        west = np.clip(np.floor(np.minimum(one, two)).astype(np.int64) - 4, reach[0], reach[1])
        east = np.clip(np.ceil(np.maximum(one, two)).astype(np.int64) + 4, reach[0], reach[1])
        marks = np.zeros((self.size, self.size + 1), dtype=np.int64)
        np.add.at(marks, (row, self._column(west)), 1)
        np.add.at(marks, (row, self._column(east) + 1), -1)
        states[np.cumsum(marks, axis=1)[:, :-1] > 0] = _OUTLINE
        rows, columns = np.nonzero(states == 0)
        x = self.low_x + (2 * columns + 1) * self.span_x // (2 * self.size)
        y = self.low_y + (2 * rows + 1) * self.span_y // (2 * self.size)
        states[rows, columns] = self._exact(x, y)
        # Where cells are finer than a unit, the middle may lie in another one.
        astray = (self._column(x) != columns) | (self._row(y) != rows)
        states[rows[astray], columns[astray]] = _OUTLINE
        return states

    def _exact(self, x: Units, y: Units) -> Flags:
        """Ray casting against the edges of each position's row."""
        within = np.empty(len(x), dtype=bool)
        for at in range(0, len(x), _CHUNK):
            px, py = x[at : at + _CHUNK, None], y[at : at + _CHUNK, None]
            edges = self._rows[self._row(y[at : at + _CHUNK])]
            (x1, y1), (x2, y2) = (
                np.moveaxis(self._lower[edges], -1, 0),
                np.moveaxis(self._upper[edges], -1, 0),
            )
            crossed = (y1 <= py) & (py < y2) & ((px - x1) * (y2 - y1) < (x2 - x1) * (py - y1))
            within[at : at + _CHUNK] = np.logical_xor.reduce(crossed, axis=1)
        return within
