"""Attributes of many cars as columns; what is not known is marked, never zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.updates.gates.judging import CarState
from driveaway.values.errors import BadValue

Truth = NDArray[np.int8]
"""1 true, 0 false, -1 unknown."""
UNKNOWN: Final = -1


@dataclass(frozen=True)
class Categories:
    """A column of texts with few different values.

    Attributes:
        codes: index into ``values``, -1 where unknown; int32, shape (cars,).
        values: the different texts.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str | None] | pa.Array | pa.ChunkedArray) -> Categories:
        """Column of texts; None is unknown."""
        array = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(list(texts), pa.string())
        encoded = array.cast(pa.string()).dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        codes = encoded.indices.fill_null(UNKNOWN).to_numpy(zero_copy_only=False).astype(np.int32)
        return cls(codes, tuple(encoded.dictionary.to_pylist()))

    def truth(self, test: Callable[[str], bool | None]) -> Truth:
        """What a test says of each car; it is asked once for each different text."""
        table = np.array([_truth(test(value)) for value in self.values] + [UNKNOWN], dtype=np.int8)
        return table[self.codes]

    def at(self, row: int) -> str | None:
        """The text of one car."""
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]


@dataclass(frozen=True)
class Numbers:
    """A column of whole numbers.

    Attributes:
        values: int64, shape (cars,); anything where unknown.
        known: shape (cars,).
    """

    values: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, numbers: Iterable[int | None]) -> Numbers:
        """Column of numbers; None is unknown."""
        given = list(numbers)
        known = np.array([number is not None for number in given], dtype=bool)
        return cls(np.array([number or 0 for number in given], dtype=np.int64), known)

    def truth(self, compared: str, to: int) -> Truth:
        """What a comparison says of each car."""
        values = self.values
        answers = {
            ">=": values >= to, ">": values > to, "<=": values <= to,
            "<": values < to, "=": values == to, "!=": values != to,
        }[compared]  # fmt: skip
        return np.where(self.known, answers.astype(np.int8), np.int8(UNKNOWN))

    def at(self, row: int) -> int | None:
        """The number of one car."""
        return int(self.values[row]) if self.known[row] else None


@dataclass(frozen=True)
class Sets:
    """What each car holds of a list of names.

    Attributes:
        known: whether it is known what the car holds, shape (cars,).
        held: name → which cars hold it; a name that is not listed is held by none.
    """

    known: NDArray[np.bool_]
    held: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(cls, sets: Iterable[frozenset[str] | None]) -> Sets:
        """Column of sets; None is unknown."""
        given = list(sets)
        names = sorted({name for entry in given if entry for name in entry})
        known = np.array([entry is not None for entry in given], dtype=bool)
        return cls(known, {n: np.array([n in (entry or ()) for entry in given], dtype=bool) for n in names})

    def truth(self, name: str) -> Truth:
        """Which cars hold a name."""
        held = self.held.get(name)
        answers = np.zeros(len(self.known), np.int8) if held is None else held.astype(np.int8)
        return np.where(self.known, answers, np.int8(UNKNOWN))

    def at(self, row: int) -> frozenset[str] | None:
        """What one car holds."""
        if not self.known[row]:
            return None
        return frozenset(name for name, held in self.held.items() if held[row])


@dataclass(frozen=True)
class Positions:
    """Where cars are, WGS-84, units of 1e-7 degrees.

    Attributes:
        x: longitudes, int64, shape (cars,); anything where unknown.
        y: latitudes alike.
        known: shape (cars,).
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, positions: Iterable[tuple[int, int] | None]) -> Positions:
        """Column of positions in units; None is unknown."""
        given = list(positions)
        pairs = np.array([entry or (0, 0) for entry in given], dtype=np.int64).reshape(-1, 2)
        known = np.array([entry is not None for entry in given], dtype=bool)
        return cls(np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]), known)

    def at(self, row: int) -> tuple[int, int] | None:
        """Where one car is."""
        return (int(self.x[row]), int(self.y[row])) if self.known[row] else None


@dataclass(frozen=True, kw_only=True)
class Cars:
    """Many cars; a column that is None, or missing in a mapping, is unknown of all of them.

    Attributes:
        count: how many.
        places: kind of place → where each car is at home, used where its position is not known.
        now: the time at which they are judged, microseconds since 1970 UTC.
        (the others as in ``CarState``)
    """

    count: int
    trim: Categories | None = None
    market: Categories | None = None
    hardware: Mapping[str, Categories | Numbers] = field(default_factory=dict)
    software: Mapping[str, Categories] = field(default_factory=dict)
    assisted_metres: Numbers | None = None
    entitlements: Sets | None = None
    trainings: Sets | None = None
    position: Positions | None = None
    places: Mapping[str, Categories] = field(default_factory=dict)
    now: int | None = None

    def __post_init__(self) -> None:
        for name, column in self._columns():
            rows = len(column.codes if isinstance(column, Categories) else column.known)
            if rows != self.count:
                raise BadValue(
                    f"{name} has {rows} rows for {self.count} cars", code="gate.columns",
                    remedy="one row a car in every column",
                )  # fmt: skip

    def _columns(self) -> Iterable[tuple[str, Categories | Numbers | Sets | Positions]]:
        named = {name: getattr(self, name) for name in ("trim", "market", "assisted_metres", "entitlements")}
        named |= {"trainings": self.trainings, "position": self.position}
        yield from ((name, column) for name, column in named.items() if column is not None)
        yield from ((f"hardware.{name}", column) for name, column in self.hardware.items())
        yield from ((f"software.{name}", column) for name, column in self.software.items())
        yield from ((f"places.{name}", column) for name, column in self.places.items())

    def car(self, row: int) -> CarState:
        """One of the cars, for an explanation."""
        hardware = {name: column.at(row) for name, column in self.hardware.items()}
        software = {name: column.at(row) for name, column in self.software.items()}
        places = {kind: column.at(row) for kind, column in self.places.items()}
        return CarState(
            trim=self.trim.at(row) if self.trim else None,
            market=self.market.at(row) if self.market else None,
            hardware={name: value for name, value in hardware.items() if value is not None},
            software={name: value for name, value in software.items() if value is not None},
            assisted_metres=self.assisted_metres.at(row) if self.assisted_metres else None,
            entitlements=self.entitlements.at(row) if self.entitlements else None,
            trainings=self.trainings.at(row) if self.trainings else None,
            position=self.position.at(row) if self.position else None,
            places={kind: code for kind, code in places.items() if code is not None},
            now=self.now,
        )


def cars_of(states: Iterable[CarState], now: int | None) -> Cars:
    """Columns of single cars, judged at one time.

    A part of the hardware that is a number in one car and a text in another is refused.

    Raises:
        BadValue: such a part.
    """
    given = list(states)
    hardware: dict[str, Categories | Numbers] = {}
    for name in sorted({name for state in given for name in state.hardware}):
        found = [state.hardware.get(name) for state in given]
        numbers = [value if isinstance(value, int) else None for value in found]
        texts = [value if isinstance(value, str) else None for value in found]
        if any(value is not None for value in numbers) and any(value is not None for value in texts):
            raise BadValue(
                f"hardware {name} is a number in some cars and a text in others", code="gate.columns",
                remedy="give it one type",
            )  # fmt: skip
        hardware[name] = Numbers.of(numbers) if any(v is not None for v in numbers) else Categories.of(texts)
    units = sorted({name for state in given for name in state.software})
    kinds = sorted({kind for state in given for kind in state.places})
    return Cars(
        count=len(given),
        trim=Categories.of(state.trim for state in given),
        market=Categories.of(state.market for state in given),
        hardware=hardware,
        software={unit: Categories.of(state.software.get(unit) for state in given) for unit in units},
        assisted_metres=Numbers.of(state.assisted_metres for state in given),
        entitlements=Sets.of(state.entitlements for state in given),
        trainings=Sets.of(state.trainings for state in given),
        position=Positions.of(state.position for state in given),
        places={kind: Categories.of(state.places.get(kind) for state in given) for kind in kinds},
        now=now,
    )


def _truth(answer: bool | None) -> int:
    return UNKNOWN if answer is None else int(answer)
