"""An unchecked table as columns of the types that the trips have; what cannot be read gets a code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as field_of
from hashlib import sha256
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.fleet.cells import cell, corner
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing import times
from driveaway.fleet.landing.loops.codes import Code
from driveaway.values.errors import BadValue

Places = Callable[[NDArray[np.float64], NDArray[np.float64]], pa.Array]
"""Names of the cities (or null) of latitudes and longitudes in degrees."""
REQUIRED: Final = ("vin", "trip", "start", "distance_m")
TEXTS: Final = ("function", "software", "city", "cell")
_TIMES: Final = ("start", "end")
_LIMITS: Final = {"segment": 2**31 - 1, "driver_overrides": 2**31 - 1, "system_deactivations": 2**31 - 1}
_LONGEST: Final = 200
_INTEGER: Final = r"^\s*[+-]?[0-9]{1,18}\s*$"


@dataclass
class Normal:
    """Columns of the types of ``TRIPS``; texts other than the VIN as dictionaries.

    Attributes:
        columns: by name; nulls only where the trips may have them, or the row has a code.
        code: of each row, 0 where nothing is wrong so far.
        field: index into ``names`` of the column that a code means.
        values: text of a value that could not be read, by row.
    """

    columns: dict[str, pa.Array]
    code: NDArray[np.uint8]
    field: NDArray[np.uint8]
    values: dict[int, str] = field_of(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.code)

    def mark(self, rows: NDArray[np.bool_], code: Code, name: str) -> NDArray[np.int64]:
        """Give rows a code that have none; which."""
        new = np.flatnonzero(rows & (self.code == 0))
        self.code[new] = code
        self.field[new] = NAMES.index(name)
        return new


NAMES: Final = (*TRIPS.names, "latitude", "longitude", "duration_s")


def normalise(table: pa.Table, *, simulated: bool, places: Places | None) -> Normal:
    """Read an unchecked table.

    Raises:
        BadValue: a column that every trip needs is missing, or of a type that is none of numbers and texts.
    """
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1 and name in NAMES})
    if twice:
        raise BadValue(
            f"the column {twice[0]} is there twice", code="trips.columns", remedy="name each column once"
        )
    missing = [name for name in REQUIRED if name not in names]
    if "end" not in names and "duration_s" not in names:
        missing.append("end")
    if missing:
        raise BadValue(
            f"the columns {', '.join(missing)} are missing; there are {', '.join(names) or 'none'}",
            code="trips.columns",
            remedy="name the columns as TripSegment does, or name a mapping",
        )
    out = Normal({}, np.zeros(len(table), np.uint8), np.zeros(len(table), np.uint8))
    # The start before the end, which may be told by a duration.
    for name in TRIPS.names:
        given = one_array(table[name]) if name in names else None
        if given is not None and pa.types.is_null(given.type):
            given = None if name not in REQUIRED else given.cast(TRIPS.field(name).type)
        out.columns[name] = _column(out, name, given, table, simulated)
    _own_cells(out)
    _positions(out, table, places)
    return out


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if pa.types.is_dictionary(column.type) and column.num_chunks > 1:
        column = column.unify_dictionaries()
    array = column.combine_chunks()
    # An empty column stays chunked in some versions of Arrow.
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _column(out: Normal, name: str, given: pa.Array | None, table: pa.Table, simulated: bool) -> pa.Array:
    rows = out.rows
    if name in _TIMES:
        if name == "end" and given is None:
            return _ends(out, table)
        assert given is not None
        return _time(out, name, given)
    if name == "vin":
        assert given is not None
        return _text(out, name, given)
    if name in TEXTS:
        if given is None:
            return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), pa.array([], pa.string()))
        return _name(out, name, given)
    if name == "simulated":
        return _flag(out, given, simulated)
    if given is None:
        if TRIPS.field(name).nullable:
            return pa.nulls(rows, TRIPS.field(name).type)
        return pa.array(np.zeros(rows, TRIPS.field(name).type.to_pandas_dtype()))
    return _number(out, name, given)


def _needed(out: Normal, name: str, array: pa.Array) -> pa.Array:
    """A column without nulls: of a field that every trip needs they get a code, any other may be left out."""
    if array.null_count and not TRIPS.field(name).nullable:
        if name in REQUIRED or name in _TIMES:
            out.mark(_flags(array.is_null()), Code.MISSING, name)
        array = pc.fill_null(array, _nothing(array.type))
    return array


def _nothing(type_: pa.DataType) -> pa.Scalar:
    return pa.scalar("" if pa.types.is_string(type_) else 0).cast(type_)


def _number(out: Normal, name: str, array: pa.Array) -> pa.Array:
    wanted = TRIPS.field(name).type
    if array.type == wanted:
        return _needed(out, name, array)
    whole = _whole(out, name, array)
    limit = _LIMITS.get(name)
    if name == "level":
        # Whatever is no SAE level is one value that is none, for the check of levels.
        whole = pc.if_else(pc.and_(pc.greater_equal(whole, -1), pc.less(whole, 100)), whole, 100)
    elif limit is not None:
        beyond = _flags(pc.fill_null(pc.greater(pc.abs(whole), limit), False))
        if beyond.any():
            _kept_values(out, whole, out.mark(beyond, Code.OVERFLOW, name))
            whole = pc.if_else(pa.array(beyond), pa.scalar(0, pa.int64()), whole)
    return _needed(out, name, whole.cast(wanted))


def _whole(out: Normal, name: str, array: pa.Array) -> pa.Array:
    """Whole numbers of 64 bits from numbers or texts of any kind."""
    type_ = array.type
    if pa.types.is_dictionary(type_):
        array = array.cast(type_.value_type)
        type_ = array.type
    if pa.types.is_uint64(type_):
        sound = pc.less_equal(array, pa.scalar(2**63 - 1, pa.uint64()))
    elif pa.types.is_integer(type_):
        return array.cast(pa.int64())
    elif pa.types.is_floating(type_):
        array = array.cast(pa.float64())
        sound = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 2.0**53))
    elif pa.types.is_decimal(type_):
        text = array.cast(pa.string())
        array = pc.replace_substring_regex(text, r"\.0*$", "")
        sound = pc.match_substring_regex(array, _INTEGER)
    elif _is_text(type_):
        array = pc.utf8_trim_whitespace(array.cast(pa.string()))
        array = pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
        if name == "trip":
            return _trip_ids(array)
        array = pc.replace_substring_regex(array, r"^\+", "")
        sound = pc.match_substring_regex(array, _INTEGER)
    else:
        raise _wrong_type(name, type_)
    wrong = _flags(pc.fill_null(pc.invert(sound), False))
    if wrong.any():
        _kept_values(out, array, out.mark(wrong, Code.TYPE, name))
        array = pc.if_else(pa.array(wrong), pa.scalar(None, array.type), array)
        # The row has its code: nothing more is said about the missing number.
        return pc.if_else(pa.array(wrong), pa.scalar(0, pa.int64()), array.cast(pa.int64()))
    return array.cast(pa.int64())


def _trip_ids(array: pa.Array) -> pa.Array:
    """Integers as they are; of any other text the first 63 bits of its SHA-256."""
    numeric = pc.match_substring_regex(array, r"^[0-9]{1,18}$")
    if array.null_count == 0 and pc.all(numeric).as_py() in (True, None):
        return array.cast(pa.int64())
    encoded = array.dictionary_encode()
    ids = [
        int(text) if text.isascii() and text.isdigit() and int(text) < 2**63 else
        int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1
        for text in encoded.dictionary.to_pylist()
    ]  # fmt: skip
    return pa.array(ids, pa.int64()).take(encoded.indices)


def _time(out: Normal, name: str, array: pa.Array) -> pa.Array:
    type_ = array.type
    if pa.types.is_int64(type_):
        return _needed(out, name, array)
    if pa.types.is_timestamp(type_):
        if type_.tz is None:
            raise BadValue(
                f"the times in {name} have no zone",
                code="trips.naive_time",
                remedy="write them with a zone (UTC), or as microseconds since 1970 UTC",
            )
        return _needed(out, name, array.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()))
    if pa.types.is_dictionary(type_):
        array = array.cast(type_.value_type)
        type_ = array.type
    if not _is_text(type_):
        return _needed(out, name, _whole(out, name, array))
    read = times.instants(array.cast(pa.string()))
    for code, rows in ((Code.NAIVE_TIME, read.naive), (Code.TYPE, read.wrong)):
        if rows.any():
            _kept_values(out, array, out.mark(rows, code, name))
    return _needed(out, name, read.instants)


def _ends(out: Normal, table: pa.Table) -> pa.Array:
    """Ends from durations in seconds, where the ends themselves are not given."""
    seconds = one_array(table["duration_s"])
    if pa.types.is_floating(seconds.type):
        length = pc.round(pc.multiply(seconds.cast(pa.float64()), 1e6))
        sound = pc.less(pc.abs(length), 2.0**62)
        length = pc.if_else(sound, length, pa.scalar(None, pa.float64())).cast(pa.int64())
    else:
        whole = _whole(out, "duration_s", seconds)
        absurd = pc.greater(pc.abs(whole), 10**12)
        length = pc.multiply(pc.if_else(absurd, pa.scalar(None, pa.int64()), whole), 1_000_000)
    missing = _flags(length.is_null())
    if missing.any():
        out.mark(missing, Code.MISSING, "duration_s")
        length = pc.fill_null(length, 0)
    return pc.add(out.columns["start"], length)


def _text(out: Normal, name: str, array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if not _is_text(array.type):
        raise _wrong_type(name, array.type)
    return _needed(out, name, array.cast(pa.string()))


def _name(out: Normal, name: str, array: pa.Array) -> pa.DictionaryArray:
    """A column of few different texts; an empty one is none."""
    if not pa.types.is_dictionary(array.type):
        if not _is_text(array.type):
            raise _wrong_type(name, array.type)
        array = array.cast(pa.string()).dictionary_encode()
    elif not _is_text(array.type.value_type):
        raise _wrong_type(name, array.type)
    texts = array.dictionary.cast(pa.string())
    indices = array.indices.cast(pa.int32())
    trimmed = pc.utf8_trim_whitespace(texts)
    odd = pc.or_(pc.equal(trimmed, ""), pc.not_equal(trimmed, texts))
    if texts.null_count or pc.any(odd).as_py():
        trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
        plain = trimmed.dictionary_encode()
        indices, texts = plain.indices.take(indices), plain.dictionary
    lengths = pc.utf8_length(texts)
    if pc.any(pc.greater(lengths, _LONGEST)).as_py():
        long = pc.fill_null(pc.greater(lengths, _LONGEST).take(indices), False)
        out.mark(_flags(long), Code.TEXT, name)
        indices = pc.if_else(long, pa.scalar(None, pa.int32()), indices)
    return pa.DictionaryArray.from_arrays(indices, texts)


def _flag(out: Normal, array: pa.Array | None, simulated: bool) -> pa.Array:
    if simulated or array is None:
        return pa.array(np.full(out.rows, simulated))
    if not pa.types.is_boolean(array.type):
        if not (_is_text(array.type) or pa.types.is_integer(array.type)):
            raise _wrong_type("simulated", array.type)
        text = pc.utf8_lower(array.cast(pa.string()))
        yes = pc.is_in(text, value_set=pa.array(["true", "1", "yes"]))
        no = pc.is_in(text, value_set=pa.array(["false", "0", "no", ""]))
        out.mark(_flags(pc.invert(pc.or_(pc.or_(yes, no), text.is_null()))), Code.TYPE, "simulated")
        array = yes
    return pc.fill_null(array, False)


def _positions(out: Normal, table: pa.Table, places: Places | None) -> None:
    """Positions become a cell and a city; themselves they are not kept."""
    if not {"latitude", "longitude"} <= set(table.column_names):
        return
    degrees = []
    for name in ("latitude", "longitude"):
        array = one_array(table[name])
        if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)
                or pa.types.is_null(array.type)):  # fmt: skip
            raise _wrong_type(name, array.type)
        degrees.append(pc.fill_null(array.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False))
    latitude, longitude = degrees
    known = ~(np.isnan(latitude) | np.isnan(longitude))
    sound = known & (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
    absurd = known & ~sound
    if absurd.any():
        for row in out.mark(absurd, Code.POSITION, "latitude"):
            out.values[int(row)] = f"{latitude[row]}, {longitude[row]}"
    if sound.any():
        _fill(out, "cell", sound, _cells(latitude[sound], longitude[sound]))
        if places is not None:
            _fill(out, "city", sound, places(latitude[sound], longitude[sound]))


def _cells(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> pa.DictionaryArray:
    """The cells of positions, as ``fleet.cells.cell`` names them: each different one is named once."""
    tenths = np.floor(np.round(np.stack([latitude, longitude]) * 10, 9)).astype(np.int64)
    _, first, codes = np.unique(tenths[0] * 10_000 + tenths[1], return_index=True, return_inverse=True)
    texts = [cell(float(latitude[row]), float(longitude[row]), datum="WGS-84") for row in first]
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(texts, pa.string()))


def _own_cells(out: Normal) -> None:
    """Cells as they were given: one that is finer than a tenth of a degree is a position, and not kept."""
    column = out.columns["cell"]
    texts = column.dictionary.to_pylist()
    wrong = [not _is_cell(text) for text in texts]
    if any(wrong):
        flags = pc.fill_null(pa.array(wrong, pa.bool_()).take(column.indices), False)
        out.mark(_flags(flags), Code.CELL, "cell")
        indices = pc.if_else(flags, pa.scalar(None, pa.int32()), column.indices)
        out.columns["cell"] = pa.DictionaryArray.from_arrays(indices, column.dictionary)


def _is_cell(text: str) -> bool:
    try:
        corner(text)
    except BadValue:
        return False
    return True


def _fill(out: Normal, name: str, where: NDArray[np.bool_], found: pa.Array) -> None:
    """Put what was found where the column says nothing itself."""
    own = out.columns[name]
    place = np.full(out.rows, -1, np.int64)
    place[where] = np.arange(int(where.sum()))
    texts = found.cast(pa.string()).take(pa.array(place, mask=place < 0))
    out.columns[name] = pc.coalesce(own.cast(pa.string()), texts).dictionary_encode()


def _kept_values(out: Normal, array: pa.Array, rows: NDArray[np.int64]) -> None:
    for row in rows:
        out.values[int(row)] = str(array[int(row)].as_py())[:_LONGEST]


def _flags(array: pa.Array) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = array.to_numpy(zero_copy_only=False).astype(bool)
    return flags


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
    )


def _wrong_type(name: str, type_: pa.DataType) -> BadValue:
    return BadValue(
        f"the column {name} holds {type_}",
        code="trips.columns",
        remedy="numbers, texts, and times with a zone; see the reference of TripSegment",
    )
