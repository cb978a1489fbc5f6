"""CSV and NDJSON as tables; a line that cannot be read is told and hides no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.json as pj
from numpy.typing import NDArray

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.batch import Reject
from driveaway.fleet.landing.codes import why
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.normal import NAMES

PIECE: Final = 128 << 20
"""Bytes of a text file that become one batch."""
_SHOWN: Final = 500
_KIND: Final = (int, float, str, bool, type(None))
_decoder: Final = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True)
class Piece:
    """Rows of a text.

    Attributes:
        table: those that could be read.
        rejects: the others.
        rows: number of each row of the table among all; None: 0, 1, 2 …
    """

    table: pa.Table
    rejects: Sequence[Reject] = ()
    rows: NDArray[np.int64] | None = None


def read_csv(path: Path) -> Iterator[Piece]:
    """A CSV file with a line of names first, in pieces; every column as text.

    Raises:
        ArrowException: it is no CSV at all.
    """
    wrong: list[tuple[int, str]] = []

    def set_aside(line: pv.InvalidRow) -> str:
        said = f"{line.actual_columns} columns where {line.expected_columns} are named"
        wrong.append((len(wrong), f"{said}\x1f{line.text}"))
        return "skip"

    skip = pv.ParseOptions(invalid_row_handler=lambda line: "skip", newlines_in_values=True)
    with pv.open_csv(path, parse_options=skip, read_options=pv.ReadOptions(block_size=1 << 16)) as head:
        names = head.schema.names
    types = {name: pa.string() for name in names}
    options = pv.ConvertOptions(
        column_types=types,
        include_columns=[name for name in names if name in NAMES] or names[:1],
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=True,
    )
    parse = pv.ParseOptions(invalid_row_handler=set_aside, newlines_in_values=True)
    with pv.open_csv(
        path, read_options=pv.ReadOptions(block_size=16 << 20), parse_options=parse, convert_options=options
    ) as reader:
        held: list[pa.RecordBatch] = []
        size = 0
        for batch in reader:
            held.append(batch)
            size += batch.nbytes
            if size >= PIECE:
                yield _piece(held, reader.schema, wrong)
                held, size = [], 0
        if held or wrong:
            yield _piece(held, reader.schema, wrong)


def _piece(held: list[pa.RecordBatch], schema: pa.Schema, wrong: list[tuple[int, str]]) -> Piece:
    table = pa.Table.from_batches(held, schema)
    rejects = []
    for number, (_, text) in enumerate(wrong):
        reason, _, content = text.partition("\x1f")
        # Where among the rows such a line stood is not told by the reader: they are numbered behind them.
        rejects.append(_unreadable(len(table) + number, reason, content))
    wrong.clear()
    return Piece(table, rejects)


def _unreadable(row: int, reason: str, content: str) -> Reject:
    meaning = why(Code.UNREADABLE)
    return Reject(row, meaning.name, reason, meaning.remedy, content[:_SHOWN])


def read_ndjson_file(path: Path) -> Iterator[Piece]:
    """A file of JSON objects, one a line, in pieces."""
    with path.open("rb") as file:
        rest = b""
        while True:
            read = file.read(PIECE)
            if len(read) < PIECE:
                break
            whole, sign, tail = read.rpartition(b"\n")
            if sign:
                yield read_ndjson(rest + whole)
                rest = tail
            else:
                rest += read
        if (rest + read).strip():
            yield read_ndjson(rest + read)


def read_ndjson(text: bytes) -> Piece:
    """JSON objects, one a line.

    Mostly every value has the type of its column, and Arrow reads all lines at once; else each line is read
    by itself.
    """
    if not text.strip():
        return Piece(pa.table({name: pa.array([], pa.string()) for name in ("vin", "trip", "start")}))
    for schema in (_NUMBERS, _ISO_TIMES):
        try:
            table = pj.read_json(
                pa.BufferReader(text),
                read_options=pj.ReadOptions(block_size=max(len(text), 1), use_threads=False),
                parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
            )
        except pa.ArrowException:
            continue
        # Names that no line has are columns that the batch has not.
        empty = {name for name in table.column_names if table[name].null_count == len(table)}
        timed = "end" not in empty or "duration_s" in empty
        kept = {"vin", "trip", "start", "distance_m"} | ({"end"} if timed else set())
        return Piece(table.select([name for name in table.column_names if name in kept or name not in empty]))
    return _line_by_line(text)


def _line_by_line(text: bytes) -> Piece:
    columns: dict[str, list[Any]] = {}
    rejects: list[Reject] = []
    rows: list[int] = []
    for number, line in enumerate(text.split(b"\n")):
        if not line.strip():
            continue
        try:
            found = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            rejects.append(_unreadable(number, f"no JSON object: {error}", line.decode(errors="replace")))
            continue
        odd = [name for name in found.keys() & set(NAMES) if type(found[name]) not in _KIND]
        if odd:
            reason = f"{min(odd)} is neither a number nor a text"
            rejects.append(_unreadable(number, reason, line.decode(errors="replace")))
            continue
        for name in found.keys() & set(NAMES):
            column = columns.setdefault(name, [])
            column += [None] * (len(rows) - len(column))
            column.append(found[name])
        rows.append(number)
    for column in columns.values():
        column += [None] * (len(rows) - len(column))
    arrays = {name: _array(name, columns[name]) for name in NAMES if name in columns}
    for name in ("vin", "trip", "start", "end", "distance_m"):
        if name not in arrays and not (name == "end" and "duration_s" in arrays):
            arrays[name] = pa.nulls(len(rows), TRIPS.field(name).type)
    return Piece(pa.table(arrays), rejects, np.array(rows, np.int64))


def _array(name: str, values: list[Any]) -> pa.Array:
    """A column of its own type; of texts where the values have several."""
    if name in ("latitude", "longitude"):
        return pa.array([float(v) if type(v) in (int, float) else None for v in values], pa.float64())
    kinds = {type(value) for value in values if value is not None}
    if name not in _TEXT and kinds <= {int} and all(-(2**63) <= v < 2**63 for v in values if v is not None):
        return pa.array(values, pa.int64())
    if name == "simulated" and kinds <= {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


_TEXT: Final = frozenset(field.name for field in TRIPS if pa.types.is_string(field.type))
_NUMBERS: Final = pa.schema(
    [pa.field(field.name, pa.int64() if pa.types.is_integer(field.type) else field.type) for field in TRIPS]
    + [pa.field(name, pa.float64()) for name in ("latitude", "longitude", "duration_s")]
)
_ISO_TIMES: Final = pa.schema(
    [pa.field(field.name, pa.string()) if field.name in ("start", "end") else field for field in _NUMBERS]
)
