"""What cannot stand is put aside with its reason; one bad row never hides the others."""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.facts.fleet import Fleet
from driveaway.fleet.landing.batch import Batch, Reject
from driveaway.fleet.landing.codes import why
from driveaway.fleet.landing.loops.codes import Code
from driveaway.values.clock import HOUR, SECOND
from driveaway.values.errors import BadValue
from tests.unit.fleet.kit import DAY, KM, MIDNIGHT, NOW, Kit, batch, kit, row, table, vin


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


START = MIDNIGHT + HOUR
ALONE: list[tuple[dict[str, Any], str, str]] = [
    ({"vin": "LDASU7EA7RA00000"}, "vin_shape", "LDASU7EA7RA00000 is not a VIN"),
    ({"vin": vin(1)[:16] + "9"}, "vin_check_digit", "check digit"),
    ({"vin": None}, "missing", "vin is missing"),
    ({"end": START - 3 * SECOND}, "ends_before_start", "3 s before"),
    ({"end": START + 25 * HOUR}, "too_long", "90000 s"),
    ({"start": NOW, "end": NOW + 400 * SECOND}, "clock_ahead", "400 s after"),
    ({"start": NOW, "end": NOW + 2 * DAY}, "in_future", "172800 s"),
    ({"start": MIDNIGHT // 1000, "end": START // 1000}, "time_range", "before 2000"),
    ({"start": NOW - 80 * DAY, "end": NOW - 80 * DAY + HOUR}, "too_late", "79 days"),
    ({"distance_m": -5}, "negative", "distance_m is -5"),
    ({"assisted_m": -1}, "negative", "assisted_m is -1"),
    ({"odometer_m": -1}, "negative", "odometer_m is -1"),
    ({"trip": -4}, "negative", "trip is -4"),
    ({"driver_overrides": 5_000}, "counter", "driver_overrides is 5000"),
    ({"driver_overrides": 2**31}, "overflow", "2147483648"),
    ({"system_deactivations": 2**40}, "overflow", "system_deactivations is 1099511627776"),
    ({"assisted_m": 20 * KM + 1, "function": "highway_pilot"}, "assisted_exceeds", "20001 m"),
    ({"distance_m": 3_000 * KM}, "too_fast", "3000000 m in 1800 s"),
    ({"function": "autopilot", "assisted_m": 1}, "unknown_function", "autopilot"),
    ({"assisted_m": 7}, "function_missing", "7 m"),
    ({"level": 2}, "function_missing", ""),
    ({"function": "parking", "assisted_m": 1}, "level_missing", "parking"),
    ({"function": "highway_pilot", "assisted_m": 1, "level": 3}, "level", "level 3 of highway_pilot"),
    ({"function": "parking", "assisted_m": 1, "level": 9}, "level", ""),
    ({"energy_wh": 900_000}, "energy", "900000 Wh over 20000 m"),
    ({"energy_wh": -900_000}, "energy", ""),
    ({"vin": vin(77)}, "not_delivered", vin(77)),
    ({"start": START - 2 * DAY, "end": START - 2 * DAY + HOUR}, "before_handover", "day"),
    ({"software": "x" * 201}, "text", "software has more"),
    ({"distance_m": None}, "missing", "distance_m"),
]


@pytest.mark.parametrize("number", range(len(ALONE)))
def test_a_row_by_itself(fleet, number):
    change, code, words = ALONE[number]
    done = fleet.landing().land(batch("one", row(1, 1) | change, row(2, 1), row(3, 1)))
    assert dict(done.quarantined) == {f"trips.{code}": 1}
    assert done.rows == 2
    (why,) = done.reasons
    assert words in why.reason
    assert why.row == 0
    assert why.remedy


def test_all_of_them_together(fleet):
    rows = [row(1, 1) | change for change, _, _ in ALONE] + [row(2, 1)]
    done = fleet.landing().land(batch("one", *rows))
    assert done.rows == 1
    assert done.put_aside == len(ALONE)
    assert [reject.code.partition(".")[2] for reject in done.reasons] == [code for _, code, _ in ALONE]
    for reject, (_, _, words) in zip(done.reasons, ALONE, strict=True):
        assert words in reject.reason
    aside = pq.read_table(fleet.folder.quarantine / "one.parquet").to_pylist()
    assert [each["row"] for each in aside] == list(range(len(ALONE)))
    assert aside[9]["distance_m"] == -5
    assert aside[9]["arrived"] == NOW
    (fact,) = fleet.book.facts
    assert {each.code: each.rows for each in fact.body.quarantined} == done.quarantined


def test_every_code_has_words():
    for code in Code:
        assert why(code).name.startswith("trips.")
        assert why(code).reason
        assert why(code).remedy


def test_what_is_allowed(fleet):
    rows = [
        row(1, 1, function="highway_pilot", assisted_m=20 * KM),  # the level is launch.toml's
        row(1, 2, function="parking", level=4),
        row(1, 3, level=0),
        row(1, 4, energy_wh=-2_000),
        row(1, 5, energy_wh=None, odometer_m=None, software=" 1.0 ", city=""),
        row(2, 1, vin=f" {vin(2).lower()} "),
        row(2, 2, end=MIDNIGHT + 2 * HOUR, distance_m=0),
        row(3, 1) | {"trip": 2**62},
    ]
    done = fleet.landing().land(batch("one", *rows))
    assert (done.rows, done.quarantined) == (8, {})
    stored = {(each["vin"], each["trip"]): each for each in fleet.stored()}
    assert [stored[vin(1), trip]["level"] for trip in (1, 2, 3)] == [2, 4, None]
    bare = stored[vin(1), 5]
    assert (bare["software"], bare["city"], bare["energy_wh"]) == ("1.0", None, None)
    assert (vin(2), 1) in stored
    assert (vin(3), 2**62) in stored


def test_any_function_where_none_is_listed(tmp_path):
    fleet = kit(tmp_path, rules=Fleet(delivered_only=False))
    done = fleet.landing().land(
        batch("one", row(99, 1, function="x_pilot", level=2), row(99, 2, function="X!", level=2))
    )
    assert (done.rows, done.quarantined) == (1, {"trips.unknown_function": 1})


def test_a_handover_counts_from_the_beginning_of_its_day(fleet):
    fleet.delivered.at[vin(80)] = MIDNIGHT + 15 * HOUR
    done = fleet.landing().land(batch("one", row(80, 1), row(80, 0, start=MIDNIGHT - HOUR)))
    assert (done.rows, done.quarantined) == (1, {"trips.before_handover": 1})


def test_a_handover_just_recorded_is_seen(fleet):
    landing = fleet.landing()
    assert landing.land(batch("one", row(80, 1))).quarantined == {"trips.not_delivered": 1}
    fleet.delivered.at[vin(80)] = MIDNIGHT
    assert landing.land(batch("two", row(80, 2))).rows == 1


# --- other types than the stored ones ---


def test_texts_as_a_csv_has_them(fleet):
    given = {name: None if value is None else str(value) for name, value in row(1, 1).items()}
    given |= {"start": "2024-04-03T01:00:00+08:00", "end": "2024-04-02T17:30:00.250Z", "simulated": "false"}
    odd = [
        ({"distance_m": "12.5"}, "trips.type"),
        ({"start": "2024-04-03T01:00:00"}, "trips.naive_time"),
        ({"end": "2024-13-03T01:00:00Z"}, "trips.type"),
        ({"start": "yesterday"}, "trips.type"),
        ({"simulated": "perhaps"}, "trips.type"),
        ({"odometer_m": "1e9"}, "trips.type"),
        ({"distance_m": " "}, "trips.missing"),
    ]
    done = fleet.landing().land(batch("one", given, *[given | {"vin": vin(2)} | each for each, _ in odd]))
    assert done.rows == 1
    assert [reject.code for reject in done.reasons] == [code for _, code in odd]
    assert "12.5" in done.reasons[0].reason
    (stored,) = fleet.stored()
    assert stored == row(1, 1, end=MIDNIGHT + 90 * 60 * SECOND + 250_000)


def test_arrow_types(fleet):
    rows = [row(1, trip) for trip in range(1, 4)]
    whole = table(*rows)
    changed = {
        "vin": whole["vin"].dictionary_encode(),
        "start": whole["start"].cast(pa.timestamp("us", "Europe/Berlin")),
        "end": whole["end"].cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("ns", "UTC")),
        "distance_m": whole["distance_m"].cast(pa.uint64()),
        "segment": whole["segment"].cast(pa.int8()),
        "odometer_m": whole["odometer_m"].cast(pa.float64()),
        "energy_wh": whole["energy_wh"].cast(pa.decimal128(21, 2)),
        "city": whole["city"].cast(pa.large_string()),
        "function": pa.nulls(3),
    }
    for name, column in changed.items():
        whole = whole.set_column(whole.schema.get_field_index(name), name, column)
    assert fleet.landing().land(Batch("one", "file", whole)).rows == 3
    assert fleet.stored() == rows


def test_trip_ids_that_are_no_numbers(fleet):
    rows = [row(1, n) | {"trip": name} for n, name in enumerate(("7", "b4f1", "b4f2", "٣"), 1)]
    assert fleet.landing().land(batch("one", *rows)).rows == 4
    ids = [each["trip"] for each in fleet.stored()]
    assert ids[0] == 7
    assert len(set(ids)) == 4
    assert all(0 <= number < 2**63 for number in ids)
    assert fleet.landing().land(batch("two", *rows)).repeated == 4


def test_durations_instead_of_ends(fleet):
    rows = [{k: v for k, v in row(1, 1).items() if k != "end"} | {"duration_s": 1800.0}]
    rows.append({k: v for k, v in row(1, 2).items() if k != "end"} | {"duration_s": None})
    done = fleet.landing().land(batch("one", *rows))
    assert done.quarantined == {"trips.missing": 1}
    assert fleet.stored() == [row(1, 1)]


@pytest.mark.parametrize("name", ["segment", "assisted_m", "driver_overrides", "system_deactivations"])
@pytest.mark.parametrize("told", [lambda value: value, str])
def test_some_rows_may_leave_out_what_may_be_left_out(fleet, name, told):
    given = [row(1, 1), row(1, 2, **{name: None}), row(1, 3, distance_m=None)]
    texts = [{key: None if value is None else told(value) for key, value in each.items()} for each in given]
    done = fleet.landing().land(batch("one", *texts))
    assert (done.rows, [reject.code for reject in done.reasons]) == (2, ["trips.missing"])
    assert next(each for each in fleet.stored() if each["trip"] == 2)[name] == 0


def test_few_columns_are_enough(fleet):
    some = table(row(1, 1)).select(["vin", "trip", "start", "end", "distance_m"])
    assert fleet.landing().land(Batch("one", "file", some)).rows == 1
    (stored,) = fleet.stored()
    assert stored == row(1, 1, energy_wh=None, odometer_m=None, software=None, city=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["end"]), "end are missing"),
        (lambda t: t.append_column("vin", t["vin"]), "twice"),
        (lambda t: t.set_column(0, "vin", t["trip"]), "vin holds int64"),
        (lambda t: t.set_column(3, "start", t["start"].cast(pa.timestamp("us"))), "no zone"),
        (lambda t: t.set_column(1, "trip", pa.array([[1]])), "trip holds list"),
    ],
)
def test_a_table_that_nobody_can_read(fleet, change, words):
    with pytest.raises(BadValue) as bad:
        fleet.landing().land(Batch("one", "file", change(table(row(1, 1)))))
    assert words in bad.value.message
    assert fleet.book.facts == []


def test_rows_that_the_door_could_not_read(fleet):
    rejects = [Reject(1, "trips.unreadable", "line 2 is no JSON", "send it again", "{oops")]
    done = fleet.landing().land(
        batch("one", row(1, 1), row(1, 2, distance_m=-1), rejects=rejects, rows=[0, 2])
    )
    assert done.quarantined == {"trips.negative": 1, "trips.unreadable": 1}
    assert [(each.row, each.content) for each in done.reasons] == [(1, "{oops"), (2, "")]


# --- positions ---


def test_positions_become_cells_and_cities(fleet):
    def places(latitude, longitude):
        return pa.array(["Beijing" if 39 < each < 41 else None for each in latitude])

    spots = [(39.9042, 116.4074), (-33.87, 151.21), (None, 3.0), (39.9, 116.4)]
    rows = [row(n, 1, city=None, latitude=y, longitude=x) for n, (y, x) in enumerate(spots, 1)]
    rows.append(row(5, 1, latitude=95.0, longitude=7.0))
    done = fleet.landing(places=places).land(batch("one", *rows))
    assert done.quarantined == {"trips.position": 1}
    assert "95.0, 7.0" in done.reasons[0].reason
    by_car = {each["vin"]: each for each in fleet.stored()}
    stored = [by_car[vin(n)] for n in range(1, 5)]
    assert [each["cell"] for each in stored] == ["39.9,116.4", "-33.9,151.2", None, "39.9,116.4"]
    assert [each["city"] for each in stored] == ["Beijing", None, None, "Beijing"]


# --- beside other rows of the car ---


def test_overlaps_in_a_batch_keep_the_most(fleet):
    rows = [row(1, 9, start=MIDNIGHT + HOUR, end=MIDNIGHT + 20 * HOUR)]
    rows += [row(1, trip) for trip in range(1, 9)]
    done = fleet.landing().land(batch("one", *rows))
    assert (done.rows, done.quarantined) == (8, {"trips.overlaps": 1})
    assert done.reasons[0].row == 0


def test_segments_may_touch(fleet):
    edges = [START, START + 600 * SECOND, START + 601 * SECOND, START + 900 * SECOND]
    rows = [
        row(1, 1, segment=n, start=a, end=b, distance_m=100, odometer_m=None)
        for n, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    assert fleet.landing().land(batch("one", *rows)).rows == 3


@pytest.mark.parametrize("order", [(2, 1), (1, 2)])
def test_overlaps_with_what_was_landed(fleet, order):
    landing = fleet.landing()
    landing.land(batch("zero", row(1, 20), row(1, 2), row(1, 5), row(2, 5)))
    between = row(1, 3)
    across = row(1, 30, start=MIDNIGHT + 4 * HOUR, end=MIDNIGHT + 6 * HOUR)
    inside = row(1, 31, start=MIDNIGHT + 5 * HOUR + 60 * SECOND, end=MIDNIGHT + 5 * HOUR + 90 * SECOND,
                 distance_m=100)  # fmt: skip
    rows = [between, across, inside, row(2, 4)]
    done = landing.land(batch("one", *rows[:: 1 if order == (1, 2) else -1]))
    assert (done.rows, done.quarantined) == (2, {"trips.overlaps": 2})
    assert [each["trip"] for each in fleet.stored()] == [2, 3, 5, 20, 4, 5]


def test_overlaps_over_midnight(fleet):
    landing = fleet.landing()
    late = MIDNIGHT + DAY - HOUR
    landing.land(batch("zero", row(1, 1, start=late, end=late + 3 * HOUR), row(1, 2, start=late + 5 * HOUR)))
    done = landing.land(batch("one", row(1, 3, start=late + 2 * HOUR, odometer_m=None)))
    assert done.quarantined == {"trips.overlaps": 1}


def test_odometers(fleet):
    landing = fleet.landing()
    landing.land(batch("zero", row(1, 1), row(1, 2), row(1, 10)))
    rows = [
        row(1, 11, odometer_m=500 * KM),  # reset
        row(1, 12, odometer_m=4_000 * KM),  # a jump
        row(1, 13),
        row(1, 5, odometer_m=1_000 * KM),  # late, and before what stood already
        row(1, 6, odometer_m=1_900 * KM),
        row(1, 7),
        row(1, 8, odometer_m=None),
    ]
    done = landing.land(batch("one", *rows))
    assert done.rows == 3
    assert [(each.row, each.code) for each in done.reasons] == [
        (0, "trips.odometer_back"), (1, "trips.odometer_jump"),
        (3, "trips.odometer_back"), (4, "trips.odometer_jump"),
    ]  # fmt: skip


def test_one_wrong_odometer_hides_no_other(fleet):
    rows = [row(1, trip) for trip in range(1, 20)]
    rows[0] |= {"odometer_m": 90_000 * KM}
    rows[7] |= {"odometer_m": 3}
    done = fleet.landing().land(batch("one", *rows))
    assert done.rows == 17
    assert sorted(each.row for each in done.reasons) == [0, 7]


def test_places_that_jump(fleet):
    landing = fleet.landing()
    landing.land(batch("zero", row(1, 1, cell="39.9,116.4"), row(2, 1, cell="39.9,116.4")))
    rows = [
        row(1, 2, cell="18.2,109.5"),
        row(1, 3, cell="40.0,116.4"),
        row(2, 8, start=START + 3 * DAY, odometer_m=None, cell="18.2,109.5"),
    ]
    done = landing.land(batch("one", *rows))
    assert done.quarantined == {"trips.position_jump": 1}
    assert done.reasons[0].row == 0
    assert "18.2,109.5" in done.reasons[0].reason
