"""Messages of a broker as batches: many small ones make one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.doors.reading import Names, form_of, read_trips
from driveaway.fleet.doors.rows import LONGEST, Clock, Rows
from driveaway.fleet.landing.batch import Batch, Reject
from driveaway.values.errors import BadValue

_OTHERS: Final = "a car publishes its own trips under its own topic; a gateway's topic is no VIN"


@dataclass(frozen=True, slots=True)
class Payload:
    """What was published.

    Attributes:
        vin: the only car that its rows may be of; None: any.
    """

    topic: str
    content: bytes
    vin: str | None = None


def batches_of(
    payloads: Sequence[Payload],
    *,
    received: int,
    tolerance: int,
    names: Names = "trips",
    largest: int,
    origin: str,
    simulated: bool = False,
) -> list[Batch]:
    """Messages as as few batches as their columns allow, each with an id made of its content.

    The same message that comes again in other company has another id: its rows are known by themselves.

    Args:
        payloads: NDJSON or Arrow streams.
        received: now, microseconds since 1970 UTC.
        tolerance: microseconds by which a car's clock may be ahead.
        names: of the fields in JSON.
        largest: bytes of a message; one that is larger is put aside unread.
        origin: said of a batch from several topics.
        simulated: every row was made up.

    Returns:
        Batches; what could not be read stands among their rejects, numbered through the batch.
    """
    groups: dict[tuple[tuple[str, str], ...], list[tuple[Payload, Rows]]] = {}
    for payload in payloads:
        clock = Clock(received, tolerance)
        rows = _read(payload, clock, names, largest)
        key = tuple((each.name, str(each.type)) for each in rows.table.schema)
        groups.setdefault(key, []).append((payload, rows))
    return [_batch(members, origin, simulated) for members in groups.values()]


def put_aside(payload: Payload, reason: str) -> Batch:
    """A batch of one message that cannot be taken in, whatever the reason."""
    rows = Rows(TRIPS.empty_table(), (_whole(payload, "trips.message", reason),))
    return _batch([(payload, rows)], "message", simulated=False)


def _read(payload: Payload, clock: Clock, names: Names, largest: int) -> Rows:
    content = payload.content
    if len(content) > largest:
        reason = f"a message of {len(content)} bytes, more than {largest}"
        return Rows(TRIPS.empty_table(), (_whole(payload, "trips.message", reason),))
    try:
        rows = read_trips(content, form_of(content), clock, names)
    except BadValue as error:
        return Rows(TRIPS.empty_table(), (_whole(payload, error.code, error.message),))
    if not rows.table.num_rows and not rows.rejects:
        return Rows(TRIPS.empty_table(), (_whole(payload, "trips.message", "the message is empty"),))
    return rows if payload.vin is None else _own(rows, payload)


def _whole(payload: Payload, code: str, reason: str) -> Reject:
    # The topic may name a car: it stands where an erasure looks for one.
    content = f"{payload.topic}: {payload.content[:LONGEST].decode('utf-8', 'replace')}"[:LONGEST]
    return Reject(0, code, reason, "publish NDJSON or an Arrow stream", content)


def _own(rows: Rows, payload: Payload) -> Rows:
    """Rows of the topic's own car; the others are put aside."""
    if not rows.table.num_rows:
        return rows
    column = rows.table.column("vin")
    own = pc.fill_null(pc.equal(column, pa.scalar(payload.vin, column.type)), True)
    if pc.all(own).as_py():
        return rows
    numbers = range(rows.table.num_rows) if rows.numbers is None else rows.numbers
    mask = own.to_pylist()
    rejects = [
        Reject(
            number, "trips.other_car", "another car's than the topic's", _OTHERS, f"{payload.topic}: {row}"
        )
        for number, row, is_own in zip(numbers, rows.table.to_pylist(), mask, strict=True)
        if not is_own
    ]
    return replace(
        rows,
        table=rows.table.filter(own),
        rejects=(*rows.rejects, *rejects),
        numbers=[number for number, is_own in zip(numbers, mask, strict=True) if is_own],
    )


def _batch(members: Sequence[tuple[Payload, Rows]], origin: str, simulated: bool) -> Batch:
    digest = sha256()
    numbers: list[int] = []
    rejects: list[Reject] = []
    first = 0
    for payload, rows in members:
        digest.update(sha256(payload.content).digest())
        count = rows.table.num_rows
        own = range(count) if rows.numbers is None else rows.numbers
        numbers += [first + number for number in own]
        rejects += [replace(each, row=first + each.row) for each in rows.rejects]
        first += count + len(rows.rejects)
    # No VIN in a fact, which outlasts the erasure of a car.
    topics = {origin if payload.vin else payload.topic for payload, _ in members}
    said = digest.hexdigest()
    return Batch(
        f"mqtt-{said[:40]}",
        "mqtt",
        pa.concat_tables([rows.table for _, rows in members]),
        rejects,
        origin=(topics.pop() if len(topics) == 1 else origin)[:200],
        sha256=said,
        simulated=simulated,
        rows=numbers if rejects else None,
    )
