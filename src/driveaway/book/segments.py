"""Rows of one kind as an Arrow table: bodies are parsed by Arrow's JSON reader, not in Python."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from driveaway.book.columns import body_schema, defaults, linked, schema
from driveaway.book.reading import body_of
from driveaway.book.store import Row
from driveaway.facts import KINDS
from driveaway.values.ids import BASE32

_VALUE_OF_BYTE = np.full(256, -1, dtype=np.int64)
for _index, _character in enumerate(BASE32):
    _VALUE_OF_BYTE[ord(_character)] = _index
_ORDER_ID_LENGTH = 12
_CHUNK = 1 << 24


def subject_keys(subjects: pa.Array | pa.ChunkedArray) -> pa.Array:
    """63-bit integer keys of subjects: the number itself of an order id, a BLAKE2b hash of others.

    Two of a million VINs share a hash with odds of 1 in 18 million; an order id never does.
    """
    texts = subjects.combine_chunks() if isinstance(subjects, pa.ChunkedArray) else subjects
    if len(texts) == 0:
        return pa.array([], pa.int64())
    is_order = pc.and_(pc.equal(pc.binary_length(texts), _ORDER_ID_LENGTH), pc.starts_with(texts, "O-"))
    if is_order.true_count == len(texts):
        return pa.array(_order_numbers(texts))
    return pa.array([_one_key(text) for text in texts.to_pylist()], pa.int64())


def _order_numbers(texts: pa.Array) -> np.ndarray:
    raw = np.frombuffer("".join(texts.to_pylist()).encode("ascii", "replace"), dtype=np.uint8)
    digits = _VALUE_OF_BYTE[raw.reshape(-1, _ORDER_ID_LENGTH)[:, 2:11]]
    weights = np.int64(32) ** np.arange(8, -1, -1, dtype=np.int64)
    numbers: np.ndarray = digits @ weights
    return numbers


def _one_key(text: str | None) -> int | None:
    if text is None:
        return None
    if len(text) == _ORDER_ID_LENGTH and text.startswith("O-"):
        return int(_order_numbers(pa.array([text]))[0])
    return (int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1) | 1 << 62


def build(kind: str, rows: Sequence[Row], replaced: Mapping[int, int], zone: ZoneInfo) -> pa.Table:
    """Rows of one kind as a table of that kind's schema.

    Args:
        kind: name of the kind of every row.
        rows: by seq.
        replaced: replaced seq → replacing seq, among others for these rows.
        zone: of the local days.
    """
    bodies = _bodies(kind, rows)
    subjects = pa.array([row.subject for row in rows], pa.string())
    happened = pa.array([row.happened for row in rows], pa.int64())
    moments = happened.cast(pa.timestamp("us", tz=str(zone)))
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "seq": pa.array([row.seq for row in rows], pa.int64()),
        "subject": subjects,
        "subject_key": subject_keys(subjects),
        "happened": happened,
        "recorded": pa.array([row.recorded for row in rows], pa.int64()),
        "day": pc.local_timestamp(moments).cast(pa.date32(), safe=False),
        "simulated": pa.array([bool(row.simulated) for row in rows], pa.bool_()),
        "superseded_at": pa.array([replaced.get(row.seq) for row in rows], pa.int64()),
    }
    for field in body_schema(kind):
        column = bodies[field.name]
        default = defaults(kind).get(field.name)
        columns[field.name] = column if default is None else pc.fill_null(column, default)
    for name in linked(kind):
        columns[f"{name}_key"] = subject_keys(columns[name])
    return pa.table([columns[name] for name in schema(kind).names], schema=schema(kind))


def _bodies(kind: str, rows: Sequence[Row]) -> pa.Table:
    known = KINDS[kind]
    lines: list[str] = []
    for row in rows:
        if row.version != known.version:
            body = body_of(kind, row.version, row.body, row.personal)
            lines.append(msgspec.json.encode(body).decode())
        elif row.personal is None or row.personal == "{}":
            lines.append(row.body)
        else:
            lines.append(row.personal if row.body == "{}" else f"{row.body[:-1]},{row.personal[1:]}")
    wanted = body_schema(kind)
    if not len(wanted):
        return pa.table({}, schema=wanted)
    # A line of "{}" alone would be an empty row that Arrow's reader drops: give each a counter.
    counted = pa.schema([*wanted, pa.field("_row", pa.int64())])
    text = "\n".join(
        f'{{"_row":{i}}}' if line == "{}" else f'{line[:-1]},"_row":{i}}}' for i, line in enumerate(lines)
    )
    return pj.read_json(
        io.BytesIO(text.encode()),
        read_options=pj.ReadOptions(block_size=max(_CHUNK, 2 * max(map(len, lines)))),
        parse_options=pj.ParseOptions(explicit_schema=counted, unexpected_field_behavior="ignore"),
    )
