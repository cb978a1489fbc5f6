"""Messages of a broker as batches."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.doors.messages import Payload, batches_of, put_aside
from driveaway.fleet.landing.batch import Batch

NOW = 1_712_000_000_000_000
VIN = "LNBSU7M05RB000001"
OTHER = "LNBSU7M05RB000002"


def row(trip: int, vin: str = VIN, **more: Any) -> dict[str, Any]:
    return {"vin": vin, "trip": trip, "start": NOW - 9, "end": NOW, "distance_m": 5, **more}


def lines(*rows: Any) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows)


def batches(*payloads: Payload, **more: Any) -> list[Batch]:
    return batches_of(
        payloads, received=NOW, tolerance=0, origin="driveaway/+/trips", **{"largest": 10_000, **more}
    )


def test_many_messages_are_one_batch_with_rows_numbered_on() -> None:
    (found,) = batches(
        Payload("gateway/1", lines(row(1), b"junk", row(2))),
        Payload("gateway/2", b"\xff\xff\xff\xffnot arrow"),
        Payload("gateway/3", lines(row(3))),
    )
    assert found.door == "mqtt"
    assert found.origin == "driveaway/+/trips"
    assert found.table.column("trip").to_pylist() == [1, 2, 3]
    assert list(found.rows or ()) == [0, 2, 4]
    assert [(each.row, each.code) for each in found.rejects] == [(1, "trips.json"), (3, "trips.arrow")]
    assert found.rejects[1].content.startswith("gateway/2: ")


def test_the_same_messages_make_the_same_batch_and_others_another() -> None:
    one, two = Payload("a", lines(row(1))), Payload("b", lines(row(2)))
    assert batches(one, two)[0].id == batches(one, two)[0].id
    assert len({batches(*each)[0].id for each in ((one,), (two,), (one, two), (two, one))}) == 4
    assert batches(one)[0].origin == "a"


def test_messages_with_other_columns_are_batches_of_their_own() -> None:
    sink = pa.BufferOutputStream()
    narrow = TRIPS.empty_table().select(["vin", "trip", "start", "end", "distance_m"])
    table = pa.Table.from_pylist([row(4)], schema=narrow.schema)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found = batches(Payload("a", lines(row(1))), Payload("a", sink.getvalue().to_pybytes()))
    assert [each.table.num_rows for each in found] == [1, 1]


def test_a_cars_topic_is_for_its_own_trips() -> None:
    (found,) = batches(Payload(f"driveaway/{VIN}/trips", lines(row(1), row(2, OTHER), row(3)), VIN))
    assert found.table.column("trip").to_pylist() == [1, 3]
    assert list(found.rows or ()) == [0, 2]
    (reject,) = found.rejects
    assert (reject.row, reject.code) == (1, "trips.other_car")
    assert OTHER in reject.content
    # Where an erasure looks for a car, and nowhere else.
    assert VIN in reject.content
    assert VIN not in f"{reject.reason} {reject.remedy} {found.origin}"


@pytest.mark.parametrize("content", [b"", b"x" * 10_001, b"\xff\xff\xff\xff"])
def test_what_cannot_be_read_at_all_is_put_aside_whole(content: bytes) -> None:
    (found,) = batches(Payload("a", content))
    assert found.table.num_rows == 0
    assert len(found.rejects) == 1
    assert len(found.rejects[0].content) <= 2_000


def test_a_message_that_nothing_can_be_made_of() -> None:
    found = put_aside(Payload("a", b"\x00\xff"), "KeyError: 1")
    assert found.rejects[0].code == "trips.message"
    assert "KeyError" in found.rejects[0].reason
