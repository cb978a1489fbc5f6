"""The public record as CSV files: claims, events and tests, one fact a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from driveaway.facts.base import Body, Draft
from driveaway.facts.public import CarTested, ClaimMade, EventHeld
from driveaway.values.clock import end_of_day, parse_as_of, parse_day, parse_instant, show, start_of_day
from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_slug

_DAY_LENGTH: Final = len("2024-04-25")


class RecordFile(NamedTuple):
    """How one file is read: its kind, the columns of subject and time, which end a mere day means."""

    kind: str
    body: type[Body]
    subject: str
    time: str
    ends: bool


# A claim is known by the end of its day; an event or a test belongs to its day from the beginning.
RECORDS: Final[dict[str, RecordFile]] = {
    "claims.csv": RecordFile("claim.made", ClaimMade, "claim", "published", True),
    "events.csv": RecordFile("event.held", EventHeld, "event", "happened", False),
    "tests.csv": RecordFile("test.measured", CarTested, "test", "happened", False),
}


def read_record(file: str, text: str, tz: ZoneInfo, source: str, place: str) -> Iterator[Draft]:
    """The lines of a record file as drafts, in the order of the file.

    Args:
        file: one of ``RECORDS``.
        text: its content.
        tz: zone of times without an offset, and of days.
        source: prefix of the drafts' sources.
        place: named in errors, with the line.

    Raises:
        BadValue: a line cannot be read; the place says which.
    """
    known = RECORDS[file]
    reader = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    missing = {known.subject, known.time} - set(reader.fieldnames or ())
    if missing:
        raise BadValue(
            f"there is no column {sorted(missing)[0]!r}", code="record.column", place=f"{place} line 1"
        )
    for row in reader:
        where = f"{place} line {reader.line_num}"
        try:
            yield _draft(known, row, tz, source, where)
        except BadValue as error:
            raise error.at(where) from None


def _draft(known: RecordFile, row: dict[str, Any], tz: ZoneInfo, source: str, where: str) -> Draft:
    subject, when = parse_slug(row.pop(known.subject) or ""), row.pop(known.time) or ""
    if len(when) == _DAY_LENGTH:
        happened = (end_of_day if known.ends else start_of_day)(parse_day(when), tz)
    else:
        happened = parse_instant(when, tz)
    try:
        cells = {column: cell for column, cell in row.items() if cell}
        content = msgspec.convert(cells, known.body, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise BadValue(str(error), code="record.row", remedy="see the reference of kinds") from error
    if isinstance(content, ClaimMade):
        parse_as_of(content.as_of, tz)
    return Draft(known.kind, subject, happened, content, f"{source}/{subject}", place=where)


def write_record(file: str, drafts: Iterable[Draft], tz: ZoneInfo) -> str:
    """Drafts of one kind as the text of a record file; ``read_record`` reads the same drafts back."""
    known = RECORDS[file]
    out = StringIO()
    columns = [known.subject, known.time, *known.body.__struct_fields__]
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for draft in drafts:
        if draft.kind == known.kind:
            content = {k: _cell(v) for k, v in msgspec.to_builtins(draft.body).items() if v is not None}
            writer.writerow({known.subject: draft.subject, known.time: show(draft.happened, tz), **content})
    return out.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
