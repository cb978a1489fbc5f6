"""Normal columns as the arrays that compiled loops take, and back as a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.cars import text_buffers
from driveaway.fleet.landing.loops.cars import NOWHERE
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.rows import Rows, TextWords
from driveaway.fleet.landing.loops.vins import CHECKED, LETTERS, PLACE, VALUE, WEIGHTS, pack_vins, write_vins
from driveaway.fleet.landing.normal import TEXTS, Normal

_CELL: Final = re.compile(r"(-?[0-9]{1,2}(?:\.[0-9])?),(-?[0-9]{1,3}(?:\.[0-9])?)")


def rows_of(normal: Normal) -> Rows:
    """The arrays of normal columns. VINs without their form or check digit get a code on the way."""
    return _rows(normal, *_vins(normal))


def _rows(normal: Normal, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> Rows:
    of = normal.columns
    energy, has_energy = _nullable(of["energy_wh"])
    odometer, has_odometer = _nullable(of["odometer_m"])
    return Rows(
        high=high,
        low=low,
        trip=_plain(of["trip"]),
        segment=_plain(of["segment"]),
        start=_plain(of["start"]),
        end=_plain(of["end"]),
        distance=_plain(of["distance_m"]),
        assisted=_plain(of["assisted_m"]),
        function=_codes(of["function"]),
        level=_plain(pc.fill_null(of["level"], -1)),
        overrides=_plain(of["driver_overrides"]),
        deactivations=_plain(of["system_deactivations"]),
        energy=energy,
        has_energy=has_energy,
        odometer=odometer,
        has_odometer=has_odometer,
        software=_codes(of["software"]),
        city=_codes(of["city"]),
        cell=_codes(of["cell"]),
        simulated=_sealed(of["simulated"].to_numpy(zero_copy_only=False)),
    )


def text_words(normal: Normal) -> TextWords:
    """64 bits for each text of the columns of texts; the same text has the same in every process."""
    return TextWords(*(_words(normal.columns[name].dictionary) for name in TEXTS))


def _words(texts: pa.Array) -> NDArray[np.uint64]:
    words = [
        int.from_bytes(blake2b((text or "").encode(), digest_size=8).digest(), "little")
        for text in texts.to_pylist()
    ]
    return np.array(words, np.uint64)


def _vins(normal: Normal) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    high, low = np.zeros(normal.rows, np.uint64), np.zeros(normal.rows, np.uint64)
    vins = normal.columns["vin"]
    code = normal.code.copy()
    if _pack(vins, high, low, code):
        # Lower case and blanks are forgiven, as everywhere else.
        tidy = pc.utf8_upper(pc.utf8_trim_whitespace(vins))
        if not tidy.equals(vins):
            vins = normal.columns["vin"] = tidy
            code = normal.code.copy()
            _pack(vins, high, low, code)
    normal.field[code != normal.code] = TRIPS.names.index("vin")
    normal.code[:] = code
    return _sealed(high), _sealed(low)


def _pack(vins: pa.Array, high: NDArray[np.uint64], low: NDArray[np.uint64], code: NDArray[np.uint8]) -> int:
    offsets, data = text_buffers(vins)
    wrong: int = pack_vins(
        offsets, data, PLACE, VALUE, CHECKED, WEIGHTS, int(Code.VIN_SHAPE), int(Code.VIN_CHECK_DIGIT),
        high, low, code,
    )  # fmt: skip
    return wrong


def pack_keys(vins: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8]]:
    """VINs as two integers each, and a code where one is none; a null is none."""
    high, low = np.zeros(len(vins), np.uint64), np.zeros(len(vins), np.uint64)
    code = np.zeros(len(vins), np.uint8)
    _pack(pc.fill_null(vins.cast(pa.string()), ""), high, low, code)
    return _sealed(high), _sealed(low), code


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    # Arrow's memory cannot be written: compiled loops see one kind of array only when none can be.
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _plain(array: pa.Array) -> NDArray[Any]:
    return _sealed(array.to_numpy(zero_copy_only=False))


def _nullable(array: pa.Array) -> tuple[NDArray[Any], NDArray[Any]]:
    if array.null_count == 0:
        return _plain(array), _sealed(np.ones(len(array), bool))
    return _plain(pc.fill_null(array, 0)), _sealed(array.is_valid().to_numpy(zero_copy_only=False))


def _codes(array: pa.DictionaryArray) -> NDArray[Any]:
    return _plain(pc.fill_null(array.indices, -1))


def places_of(cells: pa.DictionaryArray) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Latitudes and longitudes of cells in tenths of a degree; ``NOWHERE`` where there is none.

    Returns:
        two arrays of shape (n,), neither writable.
    """
    if not len(cells.dictionary):
        return _sealed(np.full(len(cells), NOWHERE, np.int16)), _sealed(np.zeros(len(cells), np.int16))
    known = []
    for text in cells.dictionary.to_pylist():
        found = _CELL.fullmatch(text or "")
        known.append((round(float(found[1]) * 10), round(float(found[2]) * 10)) if found else (NOWHERE, 0))
    # The last entry is that of the code -1, which means none.
    south, west = np.array([*known, (NOWHERE, 0)], np.int16).T
    codes = _codes(cells)
    return _sealed(np.ascontiguousarray(south)[codes]), _sealed(np.ascontiguousarray(west)[codes])


@dataclass(frozen=True)
class Prepared:
    """Normal columns beside their arrays."""

    normal: Normal
    rows: Rows

    @cached_property
    def places(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Where rows began, as ``places_of`` has it."""
        return places_of(self.normal.columns["cell"])


@dataclass(frozen=True)
class Sorted:
    """Rows that can stand by themselves, by car and time.

    Attributes:
        origin: of each its row in the table as it arrived.
        normal: their columns, codes anew.
        rows: the same as arrays.
        car: number of each row's car.
        day: local day of its start, as days since 1970.
    """

    origin: NDArray[np.int64]
    normal: Normal
    rows: Rows
    car: NDArray[np.int32]
    day: NDArray[np.int32]

    @cached_property
    def places(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Where rows began, as ``places_of`` has it."""
        return places_of(self.normal.columns["cell"])

    @cached_property
    def words(self) -> TextWords:
        """64 bits for each text of the columns of texts."""
        return text_words(self.normal)

    def table(self, which: NDArray[np.int64]) -> pa.Table:
        """Rows of it as a table of ``TRIPS``, texts other than the VIN as dictionaries."""
        columns = [self.normal.columns[name] for name in TRIPS.names]
        if len(which) != len(self.origin):
            index = pa.array(which)
            columns = [column.take(index) for column in columns]
        return pa.table(columns, names=TRIPS.names)


def in_order(
    prepared: Prepared,
    order: NDArray[np.int64],
    car: NDArray[np.int32],
    day: NDArray[np.int32],
    level: NDArray[np.int8],
) -> Sorted:
    """Chosen rows in an order; what stands beside them is of all rows.

    Args:
        order: which rows.
        car, day: as ``Sorted`` has them.
        level: of each row, -1 for none.
    """
    index = pa.array(order)
    of = prepared.rows
    high, low = _sealed(of.high[order]), _sealed(of.low[order])
    columns: dict[str, pa.Array] = {"vin": _vins_of(high, low)}
    codes = {"function": of.function, "software": of.software, "city": of.city, "cell": of.cell}
    for name, column in prepared.normal.columns.items():
        if name in codes:
            columns[name] = _with_none(codes[name][order], column.dictionary)
        elif name == "level":
            levels = level[order]
            columns[name] = pa.array(levels, mask=levels < 0)
        elif name != "vin":
            columns[name] = column.take(index)
    normal = Normal(columns, np.zeros(len(order), np.uint8), np.zeros(len(order), np.uint8))
    return Sorted(order, normal, _rows(normal, high, low), car[order], day[order])


def _with_none(codes: NDArray[np.int32], texts: pa.Array) -> pa.DictionaryArray:
    indices = pa.array(codes, mask=codes < 0) if len(codes) and codes.min() < 0 else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, texts)


def _vins_of(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pa.Array:
    """VINs from their integers."""
    out = np.empty(17 * len(high), np.uint8)
    write_vins(high, low, LETTERS, out)
    offsets = np.arange(0, 17 * len(high) + 1, 17, dtype=np.int32)
    return pa.StringArray.from_buffers(len(high), pa.py_buffer(offsets), pa.py_buffer(out))
