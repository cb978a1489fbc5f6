"""Trips as an Arrow IPC stream, columns named as a trip segment's fields.

A stream says itself how large its parts are. Whatever could make little data into much is refused before it
is unpacked: compressed buffers (the body as a whole may be compressed), dictionaries and views.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec import structs

from driveaway.fleet.doors.rows import LONGEST, Clock, Rows, TripRow, clock_reject
from driveaway.fleet.landing.batch import Reject
from driveaway.values.errors import BadValue

_MOST: Final = 1_000_000
"""Rows of one body: a column of nulls has any number of them in no bytes."""
_REQUIRED: Final = tuple(each.name for each in structs.fields(TripRow) if each.required)
_TEXTS: Final = ("vin", "function", "software", "city", "cell")
_TIMES: Final = ("start", "end", "sent")
_FLOATS: Final = ("latitude", "longitude")
_KNOWN: Final = tuple(TripRow.__struct_fields__)
_RECORD_BATCH: Final = 3
"""Of Arrow's ``MessageHeader`` (Message.fbs)."""


def read_arrow(body: bytes, clock: Clock) -> Rows:
    """The rows of a body.

    Columns are named as the fields of ``TripRow``; those with a default may be left out. Integers may have
    any width; times may be Arrow timestamps with a zone.

    Returns:
        Rows in the body's order, in the types that they came in. Rejected are rows of cars whose clock is
        ahead (``trips.clock``).

    Raises:
        BadValue: no such stream (``trips.arrow``), or a column that is missing, not known or of a wrong
            type (``trips.column``).
    """
    try:
        table = _read(body)
    except (pa.ArrowException, ValueError, struct.error, OSError, IndexError) as error:
        raise BadValue(
            f"not an Arrow stream: {str(error)[:200]}",
            code="trips.arrow",
            remedy="send a whole IPC stream; its buffers are not compressed",
        ) from error
    return _checked(table, clock)


def _read(body: bytes) -> pa.Table:
    source = pa.BufferReader(body)
    messages = pa.ipc.MessageReader.open_stream(source)
    head = next(messages, None)
    if head is None or head.type != "schema":
        raise ValueError("it does not begin with a schema")
    schema = pa.ipc.read_schema(head)
    _check_columns(schema)
    batches: list[pa.RecordBatch] = []
    rows = 0
    for message in messages:
        if message.type != "record batch":
            raise ValueError(f"a {message.type} among its batches")
        if _is_compressed(message.metadata):
            raise ValueError("its buffers are compressed")
        batch = pa.ipc.read_record_batch(message, schema)
        rows += batch.num_rows
        if rows > _MOST:
            raise ValueError(f"more than {_MOST} rows")
        batch.validate(full=True)
        batches.append(batch)
    return pa.Table.from_batches(batches, schema)


def _check_columns(schema: pa.Schema) -> None:
    names = schema.names
    missing = [name for name in _REQUIRED if name not in names]
    unknown = [name for name in names if name not in _KNOWN]
    doubled = {name for name in names if names.count(name) > 1}
    wrong = [
        f"{each.name} is {each.type}"
        for each in schema
        if each.name in _KNOWN and not _is_readable(each.name, each.type)
    ]
    said = [
        *(f"{name} is missing" for name in missing),
        *(f"{name!r} is not known" for name in unknown),
        *(f"{name} stands twice" for name in sorted(doubled)),
        *wrong,
    ]
    if said:
        raise BadValue(
            "; ".join(said)[:1_000],
            code="trips.column",
            remedy="plain columns of text, integers and booleans, named as a trip segment's fields",
        )


def _is_readable(name: str, given: pa.DataType) -> bool:
    if pa.types.is_null(given):
        return name not in _REQUIRED
    if name in _TEXTS:
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given))
    if name == "simulated":
        return bool(pa.types.is_boolean(given))
    if name in _FLOATS:
        return bool(pa.types.is_floating(given))
    if name in _TIMES and pa.types.is_timestamp(given):
        return given.tz is not None
    return bool(pa.types.is_integer(given))


def _is_compressed(metadata: pa.Buffer) -> bool:
    """Whether a message's record batch names a compression, read from its flatbuffer (Message.fbs)."""
    data = memoryview(metadata)
    (message,) = struct.unpack_from("<I", data, 0)
    if _slot(data, message, 1, "<B") != _RECORD_BATCH:
        raise ValueError("not a record batch")
    place = _place(data, message, 2)
    (offset,) = struct.unpack_from("<I", data, place)
    return _place(data, place + offset, 3) != 0


def _place(data: memoryview, table: int, field: int) -> int:
    """Where a flatbuffer table has a field; 0 where it has none."""
    (back,) = struct.unpack_from("<i", data, table)
    vtable = table - back
    (size,) = struct.unpack_from("<H", data, vtable)
    entry = 4 + 2 * field
    if entry + 2 > size:
        return 0
    (offset,) = struct.unpack_from("<H", data, vtable + entry)
    return table + offset if offset else 0


def _slot(data: memoryview, table: int, field: int, form: str) -> int:
    place = _place(data, table, field)
    return struct.unpack_from(form, data, place)[0] if place else 0


def _checked(table: pa.Table, clock: Clock) -> Rows:
    if "sent" not in table.column_names:
        return Rows(table)
    sent = table.column("sent")
    if pa.types.is_timestamp(sent.type):
        sent = sent.cast(pa.timestamp("us", sent.type.tz), safe=False)
    rejects: list[Reject] = []
    numbers: list[int] = []
    for number, value in enumerate(sent.cast(pa.int64(), safe=False).to_pylist()):
        ahead = clock.look(value)
        if ahead is None:
            numbers.append(number)
        else:
            rejects.append(clock_reject(number, ahead, _content(table, number)))
    kept = table.drop_columns("sent")
    if not rejects:
        return Rows(kept, sent=clock.latest)
    return Rows(kept.take(pa.array(numbers, pa.int64())), tuple(rejects), numbers, clock.latest)


def _content(table: pa.Table, row: int) -> str:
    said: dict[str, Any] = {}
    for name in table.column_names:
        value = table.column(name)[row]
        if value.is_valid:
            said[name] = value.value if pa.types.is_timestamp(value.type) else value.as_py()
    return msgspec.json.encode(said).decode()[:LONGEST]
