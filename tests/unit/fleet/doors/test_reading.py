"""Bodies of trips: what is read, what is put aside and why, and what is refused before it is unpacked."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.facts.trips import TripSegment
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.doors import ndjson
from driveaway.fleet.doors.reading import MEDIA, check_own, form_of, read_trips
from driveaway.fleet.doors.rows import Clock, Rows, TripRow
from driveaway.values.errors import BadValue, Refused
from driveaway.web.device.reports import ARROW, ROUTES

NOW = 1_712_000_000_000_000
ROW = {"vin": "LNBSU7M05RB000001", "trip": 7, "start": NOW - 9, "end": NOW, "distance_m": 1200}


DEEP = b"[" * 20_000 + b"]" * 20_000


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def read(body: bytes, form: Any = "ndjson", **more: Any) -> Rows:
    return read_trips(body, form, Clock(NOW, 300_000_000), **more)


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_a_row_has_the_fields_of_a_segment() -> None:
    beside = {"latitude", "longitude", "sent"}
    assert set(TripRow.__struct_fields__) - beside == set(TripSegment.__struct_fields__) == set(TRIPS.names)


def test_the_types_of_bodies_are_those_that_the_server_takes() -> None:
    (trips,) = [route for route in ROUTES if route.name == "trips"]
    assert {media: "arrow" if media == ARROW else "ndjson" for media in trips.media} == MEDIA


def test_a_clean_body_becomes_typed_columns() -> None:
    second = ROW | {"segment": 1, "function": "highway_pilot", "level": 2, "city": "北京"}
    rows = read(lines(ROW, b"", second))
    assert rows.rejects == ()
    assert rows.numbers is None
    assert rows.table.schema == TRIPS
    assert rows.table.to_pylist()[1] == msgspec.structs.asdict(TripSegment(**second))


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        (b"no json", "trips.json", "malformed"),
        (b"[1]", "trips.field", "object"),
        (b'{"vin": "\xff"}', "trips.json", "utf-8"),
        (ROW | {"trip": "7"}, "trips.field", "trip: Expected `int`, got `str`, not '7'"),
        (ROW | {"trip": 1.5}, "trips.field", "trip: Expected `int`, got `float`, not 1.5"),
        (ROW | {"trip": 2**63}, "trips.field", "trip: Expected `int` <= 9223372036854775807"),
        (ROW | {"driver_overrides": 2**31}, "trips.field", "driver_overrides"),
        (ROW | {"level": 300}, "trips.field", "level"),
        (ROW | {"speed": 3}, "trips.field", "unknown field `speed`"),
        ({"vin": "x"}, "trips.field", "missing required field `trip`"),
        (ROW | {"sent": NOW + 400_000_000}, "trips.clock", "400 s ahead"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(row: Any, code: str, said: str) -> None:
    rows = read(lines(ROW, row, ROW))
    assert rows.table.num_rows == 2
    assert rows.numbers == [0, 2]
    (reject,) = rows.rejects
    assert (reject.row, reject.code) == (1, code)
    assert said in reject.reason
    assert reject.remedy
    assert reject.content


@pytest.mark.parametrize(
    ("row", "names", "code"),
    [
        (b'{"vin": 5, "trip": %b}' % DEEP, "trips", "trips.field"),
        (b'{"vin": %b}' % DEEP, "trips", "trips.field"),
        (b'{"other": %b}' % DEEP, "trips", "trips.field"),
        (b'{"Vehicle.Speed": %b}' % DEEP, "vss", "trips.json"),
    ],
    ids=("beside a wrong one", "in a wrong one", "in one that is not known", "in a signal"),
)
def test_a_row_nested_without_end_is_put_aside(row: bytes, names: Any, code: str) -> None:
    rows = read(lines(row, b"{"), names=names)
    assert [(each.row, each.code) for each in rows.rejects] == [(0, code), (1, "trips.json")]
    assert rows.rejects[0].reason


def test_rows_are_numbered_on_through_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "_SLICE", 100)
    given = [ROW | {"trip": number} for number in range(20)]
    body = lines(*given[:5], b"bad", *given[5:], b"worse")
    rows = read(body)
    assert [reject.row for reject in rows.rejects] == [5, 21]
    assert rows.numbers == [*range(5), *range(6, 21)]
    assert rows.table.column("trip").to_pylist() == list(range(20))


def test_objects_not_one_a_line_are_not_read_as_if_they_were() -> None:
    rows = read(json.dumps(ROW).encode() + json.dumps(ROW).encode())
    assert rows.table.num_rows == 0
    assert rows.rejects[0].code == "trips.json"
    spread = json.dumps(ROW, indent=1).encode()
    assert read(spread).table.num_rows == 0


def test_the_latest_time_of_sending_is_told() -> None:
    rows = read(lines(ROW | {"sent": NOW - 5}, ROW | {"sent": NOW - 3}, ROW))
    assert rows.sent == NOW - 3
    assert rows.rejects == ()


def test_positions_are_handed_on() -> None:
    rows = read(lines(ROW, ROW | {"latitude": 39.9, "longitude": 116.4}))
    assert rows.table.column("latitude").to_pylist() == [None, 39.9]


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            TripRow,
            vin=st.text(max_size=20),
            trip=st.integers(-(2**63), 2**63 - 1),
            start=st.integers(-(2**63), 2**63 - 1),
            end=st.integers(-(2**63), 2**63 - 1),
            distance_m=st.integers(-(2**63), 2**63 - 1),
            segment=st.integers(-(2**31), 2**31 - 1),
            function=st.none() | st.text(max_size=5),
            level=st.none() | st.integers(-128, 127),
            simulated=st.booleans(),
        ),
        max_size=20,
    )
)
def test_both_forms_say_the_same(given: list[TripRow]) -> None:
    as_json = read(b"".join(msgspec.json.encode(row) + b"\n" for row in given))
    as_arrow = read(stream(as_json.table), "arrow")
    assert as_json.rejects == as_arrow.rejects == ()
    assert as_arrow.table.equals(as_json.table)
    assert as_json.table.to_pylist() == [{name: getattr(row, name) for name in TRIPS.names} for row in given]


TABLE = read(lines(ROW, ROW)).table


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xff\xff\xff\x00",
        stream(TABLE)[:-200],
        stream(TABLE, compression="zstd"),
        stream(TABLE, compression="lz4"),
        stream(TABLE)[8:],
    ],
)
def test_what_is_no_plain_whole_stream_is_refused(body: bytes) -> None:
    with pytest.raises(BadValue) as error:
        read(body, "arrow")
    assert error.value.code == "trips.arrow"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop_columns("trip"), "trip is missing"),
        (lambda t: t.append_column("speed", pa.array([1, 2])), "'speed' is not known"),
        (lambda t: t.append_column("trip", pa.array([1, 2])), "trip stands twice"),
        (lambda t: t.set_column(0, "vin", t["vin"].dictionary_encode()), "vin is dictionary"),
        (lambda t: t.set_column(0, "vin", t["vin"].cast(pa.string_view())), "vin is string_view"),
        (lambda t: t.set_column(1, "trip", pa.array([1.0, 2.0])), "trip is double"),
        (lambda t: t.set_column(3, "start", pa.array([1, 2], pa.timestamp("us"))), "start is timestamp"),
    ],
)
def test_columns_are_what_they_should_be(change: Any, said: str) -> None:
    with pytest.raises(BadValue) as error:
        read(stream(change(TABLE)), "arrow")
    assert error.value.code == "trips.column"
    assert said in error.value.message


def test_a_column_of_nulls_is_not_any_number_of_rows() -> None:
    names = [field.name for field in TRIPS]
    huge = pa.table([pa.nulls(2_000_000, pa.int8())] * len(names), names=names)
    with pytest.raises(BadValue, match="vin is int8"):
        read(stream(huge), "arrow")
    rows = pa.table({"vin": pa.nulls(1_000_001, pa.string()), **dict.fromkeys(
        ("trip", "start", "end", "distance_m"), pa.nulls(1_000_001, pa.int8())
    )})  # fmt: skip
    with pytest.raises(BadValue, match="more than 1000000 rows"):
        read(stream(rows), "arrow")


def test_clocks_that_are_ahead_are_seen_in_arrow_too() -> None:
    sent = pa.array([NOW, NOW + 400_000_000], pa.timestamp("us", "UTC"))
    rows = read(stream(TABLE.append_column("sent", sent)), "arrow")
    assert [(reject.row, reject.code) for reject in rows.rejects] == [(1, "trips.clock")]
    assert rows.numbers == [0]
    assert rows.sent == NOW
    assert rows.table.num_rows == 1


def test_the_form_is_known_by_its_first_bytes() -> None:
    assert form_of(stream(TABLE)) == "arrow"
    assert form_of(lines(ROW)) == form_of(b"") == "ndjson"


def test_a_car_speaks_of_itself_alone() -> None:
    check_own(read(lines(ROW)), ROW["vin"])
    check_own(read(b"junk"), ROW["vin"])
    with pytest.raises(Refused) as error:
        check_own(read(lines(ROW, ROW | {"vin": "LNBSU7M05RB000002"})), ROW["vin"])
    assert error.value.code == "trips.other_car"
