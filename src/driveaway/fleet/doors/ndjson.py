"""Trips as newline-delimited JSON: one object a line, read strictly.

A clean body is decoded straight into rows, in slices, so that a large body never stands in memory as Python
objects. A slice that is not clean is read line by line, so that every bad row is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from driveaway.fleet.doors.rows import LONGEST, Clock, Rows, TripRow, clock_reject, table_of
from driveaway.fleet.landing.batch import Reject

Convert = Callable[[dict[str, Any]], dict[str, Any]]
"""From an object under other names to one with the fields of ``TripRow``; raises ValueError."""
_SLICE: Final = 1 << 18
_DECODER: Final = msgspec.json.Decoder(TripRow)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
_FIELD: Final = re.compile(r" - at `\$\.(\w+)`$")
_REMEDY: Final = "send one JSON object a line with the fields of a trip segment, in integers and text"


def read_ndjson(body: bytes, clock: Clock, convert: Convert | None = None) -> Rows:
    """The rows of a body.

    Args:
        body: UTF-8; blank lines are passed over.
        clock: what the records' ``sent`` is held against.
        convert: for objects under other names.

    Returns:
        Rows in the body's order. Rejected are lines that are no JSON object (``trips.json``), that lack a
        field, have one too many or one of a wrong type (``trips.field``), and rows of cars whose clock is
        ahead (``trips.clock``), blank lines not counted.
    """
    tables: list[pa.Table] = []
    rejects: list[Reject] = []
    number = 0
    for part in _slices(body):
        rows = None if convert is not None else _clean(part, clock)
        if rows is None:
            rows, count = _line_by_line(part, number, clock, rejects, convert)
        else:
            count = len(rows)
        number += count
        tables.append(table_of(rows))
    table = pa.concat_tables(tables, promote_options="default") if tables else table_of(())
    return Rows(table, tuple(rejects), _numbers(number, rejects), clock.latest)


def _numbers(count: int, rejects: Sequence[Reject]) -> Sequence[int] | None:
    """Numbers of the rows that are left."""
    if not rejects:
        return None
    gone = {each.row for each in rejects}
    return [number for number in range(count) if number not in gone]


def _slices(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _SLICE)
        end = len(body) if end < 0 else end + 1
        yield body[start:end]
        start = end


def _clean(part: bytes, clock: Clock) -> list[TripRow] | None:
    """Rows of a slice in which there is nothing to reject; else None."""
    try:
        rows = _DECODER.decode_lines(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # Objects over several lines, or several on one, would have other numbers than lines have.
    if len(rows) != part.count(b"\n") + (not part.endswith(b"\n")):
        return None
    if any(row.sent is not None and clock.look(row.sent) is not None for row in rows):
        return None
    return rows


def _line_by_line(
    part: bytes, number: int, clock: Clock, rejects: list[Reject], convert: Convert | None
) -> tuple[list[TripRow], int]:
    rows: list[TripRow] = []
    count = 0
    for line in part.split(b"\n"):
        if not line.strip():
            continue
        found = _row(line, number + count, convert)
        if isinstance(found, TripRow):
            ahead = clock.look(found.sent)
            if ahead is None:
                rows.append(found)
            else:
                rejects.append(clock_reject(number + count, ahead, _text(line)))
        else:
            rejects.append(found)
        count += 1
    return rows, count


def _row(line: bytes, number: int, convert: Convert | None) -> TripRow | Reject:
    try:
        if convert is None:
            return _DECODER.decode(line)
        return msgspec.convert(convert(_OBJECT.decode(line)), TripRow)
    except msgspec.ValidationError as error:
        return Reject(number, "trips.field", _reason(str(error), line), _REMEDY, _text(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Reject(number, "trips.json", str(error), _REMEDY, _text(line))
    except ValueError as error:
        return Reject(number, "trips.field", str(error), _REMEDY, _text(line))


def _reason(said: str, line: bytes) -> str:
    """What is wrong with which field, and the value that stands there."""
    found = _FIELD.search(said)
    if found is None:
        return said
    try:
        value = _OBJECT.decode(line).get(found[1])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return said
    return f"{found[1]}: {said[: found.start()]}, not {repr(value)[:100]}"


def _text(line: bytes) -> str:
    return line[:LONGEST].decode("utf-8", "replace").strip()
