"""Normal columns as the arrays that compiled loops take, and back as a table."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.cars import text_buffers
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.rows import Rows, TextWords
from driveaway.fleet.landing.loops.vins import CHECKED, PLACE, VALUE, WEIGHTS, pack_vins
from driveaway.fleet.landing.normal import TEXTS, Normal


def rows_of(normal: Normal) -> Rows:
    """The arrays of normal columns. VINs without their form or check digit get a code on the way."""
    of = normal.columns
    high, low = _vins(normal)
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
    return high, low, code


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


@dataclass(frozen=True)
class Prepared:
    """Normal columns beside their arrays."""

    normal: Normal
    rows: Rows

    def table(self, order: NDArray[np.int64], level: NDArray[np.int8]) -> pa.Table:
        """Chosen rows as a table of ``TRIPS``, texts other than the VIN as dictionaries."""
        index = pa.array(order)
        columns = []
        for name in TRIPS.names:
            column = self.normal.columns[name]
            if name == "level":
                column = pa.array(level, mask=level < 0)
            columns.append(column.take(index))
        return pa.table(columns, names=TRIPS.names)
