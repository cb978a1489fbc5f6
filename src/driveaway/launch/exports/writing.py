"""How a fact looks in each format."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.book.columns import body_schema
from driveaway.facts import Fact, kind_named
from driveaway.launch.cells import disarmed
from driveaway.launch.exports.events import encoded_event, shown
from driveaway.launch.exports.selecting import Chosen

_json = msgspec.json.Encoder()
_ROWS = 20_000

_TIME = pa.timestamp("us", "UTC")
_COMMON: Final = (
    pa.field("seq", pa.int64(), nullable=False),
    pa.field("subject", pa.string(), nullable=False),
    pa.field("happened", _TIME, nullable=False),
    pa.field("recorded", _TIME, nullable=False),
    pa.field("source", pa.string(), nullable=False),
    pa.field("replaces", pa.string()),
    pa.field("simulated", pa.bool_(), nullable=False),
)
COLUMNS: Final = tuple(field.name for field in _COMMON)


class Sink(Protocol):
    """Takes facts one after the other."""

    def write(self, chosen: Chosen) -> None:
        """Write one."""

    def close(self) -> None:
        """Write what is left, and let go of the file."""


class CloudEvents:
    """CloudEvents 1.0 in structured mode, one a line (NDJSON)."""

    def __init__(self, file: IO[bytes], *, personal: bool) -> None:
        self._file, self._personal = file, personal

    def write(self, chosen: Chosen) -> None:
        """Write one event."""
        self._file.write(encoded_event(chosen, personal=self._personal) + b"\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Parquet:
    """One kind in a Parquet file of standard types: texts, integers, times in UTC; no dictionaries."""

    def __init__(self, path: Path, kind: str, *, personal: bool) -> None:
        hidden = frozenset() if personal else kind_named(kind).body.personal
        body = [field for field in body_schema(kind) if field.name not in hidden]
        self._schema = pa.schema([*_COMMON, *body])
        self._personal = personal
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, chosen: Chosen) -> None:
        """Write one row."""
        fact = chosen.fact
        row = body_row(fact, self._schema, personal=self._personal)
        row.update(
            seq=fact.seq,
            subject=fact.subject,
            happened=fact.happened,
            recorded=fact.recorded,
            source=fact.source,
            replaces=chosen.corrects or None,
            simulated=fact.simulated,
        )
        self._rows.append(row)
        if len(self._rows) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []

    def close(self) -> None:
        """Write the rest and the footer."""
        self._flush()
        self._writer.close()


def body_row(fact: Fact, schema: pa.Schema, *, personal: bool) -> dict[str, Any]:
    """Field → value, defaults written out."""
    hidden = frozenset() if personal else fact.body.personal
    row: dict[str, Any] = {}
    for name in fact.body.__struct_fields__:
        if name not in hidden:
            value = getattr(fact.body, name)
            row[name] = msgspec.to_builtins(value) if type(value) is tuple else value
    return row


class Separated:
    """One kind as CSV (RFC 4180, UTF-8); texts that a spreadsheet would run are disarmed."""

    def __init__(self, path: Path, kind: str, *, personal: bool) -> None:
        hidden = frozenset() if personal else kind_named(kind).body.personal
        self._fields = [name for name in body_schema(kind).names if name not in hidden]
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([*COLUMNS, *self._fields])

    def write(self, chosen: Chosen) -> None:
        """Write one row."""
        fact = chosen.fact
        body = fact.body
        cells = [
            fact.seq, fact.subject, shown(fact.happened), shown(fact.recorded), fact.source, chosen.corrects,
            fact.simulated, *(getattr(body, name) for name in self._fields),
        ]  # fmt: skip
        self._writer.writerow([_cell(cell) for cell in cells])

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _cell(value: Any) -> str | int | float:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return _json.encode(value).decode()
    return disarmed(value) if isinstance(value, str) else value
