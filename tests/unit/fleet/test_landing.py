"""Batches become files and facts: once, whole, in order; what comes again is known."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.facts.trips import TripsLanded
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.batch import Batch, Landed, batch_subject
from driveaway.fleet.landing.landing import Landing
from driveaway.values.clock import HOUR
from driveaway.values.errors import BadValue, Conflict, Unavailable
from tests.unit.fleet.kit import DAY, MIDNIGHT, Kit, batch, kit, row, table, vin


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


def test_a_batch_becomes_a_file_and_a_fact(fleet):
    done = fleet.landing().land(
        batch("one", row(2, 5), row(1, 3), row(1, 2), origin="car 7", sha256="a" * 64)
    )
    assert (done.seq, done.rows, done.repeated, done.quarantined, done.duplicate) == (1, 3, 0, {}, False)
    (fact,) = fleet.book.facts
    assert (fact.kind, fact.subject, fact.happened) == ("trips.landed", "one", MIDNIGHT + 2 * HOUR)
    assert isinstance(fact.body, TripsLanded)
    (file,) = fact.body.files
    assert (file.day, file.rows, file.first) == ("2024-04-03", 3, 0)
    stored = pq.read_table(fleet.folder.trips / file.file, partitioning=None)
    assert stored.schema.remove_metadata().equals(
        pa.schema([pa.field(f.name, f.type) for f in TRIPS]).remove_metadata()
    )
    assert [(r["vin"], r["trip"]) for r in stored.to_pylist()] == [(vin(1), 2), (vin(1), 3), (vin(2), 5)]
    assert dict(stored.to_pylist()[0].items()) == row(1, 2)
    assert list(fleet.folder.staging.iterdir()) == []


def test_days_are_local(fleet):
    late = MIDNIGHT + DAY - HOUR
    done = fleet.landing().land(
        batch("one", row(1, 1, start=late, odometer_m=None), row(1, 2, start=late + HOUR, odometer_m=None))
    )
    assert done.rows == 2
    assert [file.day for file in fleet.book.facts[0].body.files] == ["2024-04-03", "2024-04-04"]


def test_the_same_batch_again(fleet):
    landing = fleet.landing()
    first = landing.land(batch("one", row(1, 1), row(1, 2, vin="?")))
    for again in (landing, fleet.landing()):
        done = again.land(batch("one", row(1, 1), row(1, 2, vin="?")))
        assert done == Landed("one", first.seq, 1, 0, {"trips.vin_shape": 1}, (), True)
    with pytest.raises(Conflict) as other:
        landing.land(batch("one", row(1, 1), row(1, 3)))
    assert other.value.code == "trips.batch_conflict"
    assert len(fleet.stored()) == 1


def test_rows_that_come_again(fleet):
    landing = fleet.landing()
    landing.land(batch("one", *[row(car, trip) for car in range(1, 9) for trip in range(1, 6)]))
    for number, each in enumerate((landing, fleet.landing())):
        done = each.land(batch(f"again-{number}", row(3, 2), row(3, 9 + number), row(5, 5, distance_m=1)))
        assert (done.rows, done.repeated, done.quarantined) == (1, 1, {"trips.resent_differs": 1})
        (why,) = done.reasons
        assert (why.row, why.code) == (2, "trips.resent_differs")
        assert "trip 5, segment 0" in why.reason
    assert len(fleet.stored()) == 42


def test_rows_twice_in_one_batch(fleet):
    done = fleet.landing().land(
        batch("one", row(1, 1), row(1, 1), row(1, 1, distance_m=5), row(1, 2), row(2, 1), row(1, 1))
    )
    assert (done.rows, done.repeated, done.quarantined) == (3, 2, {"trips.resent_differs": 1})
    assert [reject.row for reject in done.reasons] == [2]


def test_many_batches_at_once(fleet):
    batches = [batch(f"b-{n}", row(n, 1), row(n, 2, start=MIDNIGHT + DAY)) for n in range(1, 6)]
    batches += [
        batch("b-3", row(3, 1), row(3, 2, start=MIDNIGHT + DAY)),
        batch("b-3", row(3, 7)),
        Batch("no-columns", "http", pa.table({"vin": ["x"]})),
        batch("b-6", row(1, 1), row(9, 1)),
    ]
    done = fleet.landing().land_all(batches)
    assert [each.seq for each in done[:5]] == [1, 2, 3, 4, 5]
    assert done[5].duplicate
    assert done[5].seq == 3
    assert isinstance(done[6], Conflict)
    assert isinstance(done[7], BadValue)
    assert done[7].code == "trips.columns"
    assert (done[8].rows, done[8].repeated) == (1, 1)
    assert len(fleet.stored()) == 11
    files = {file.file for fact in fleet.book.facts for file in fact.body.files}
    # One file a day for all of them.
    assert len(files) == 2


def test_an_accepted_id_with_a_late_conflict(fleet):
    landing = fleet.landing()
    fleet.book.about = lambda subject: []  # somebody else was faster, and the book says so at the end
    landing.land(batch("one", row(1, 1)))
    done = landing.land_all([batch("one", row(1, 2)), batch("two", row(2, 1))])
    assert isinstance(done[0], Conflict)
    assert done[0].code == "trips.batch_conflict"
    assert done[1].rows == 1
    assert [each["vin"] for each in fleet.stored()] == [vin(1), vin(2)]
    # The refused row is not taken for known.
    assert landing.land(batch("three", row(1, 2))).rows == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_failed_append_is_repeated(fleet, written):
    landing = fleet.landing()
    landing.land(batch("zero", row(1, 1)))
    fleet.book.fail, fleet.book.written = Unavailable("no connection", code="store.unreachable"), written
    with pytest.raises(Unavailable):
        landing.land(batch("one", row(1, 2), row(2, 2)))
    done = landing.land(batch("one", row(1, 2), row(2, 2)))
    assert (done.rows, done.duplicate) == (2, written)
    assert len(fleet.stored()) == 3


def test_what_is_simulated(fleet):
    fleet.landing().land(batch("one", row(1, 1), simulated=True))
    assert fleet.book.facts[0].simulated
    assert fleet.stored()[0]["simulated"]


def test_ids_of_batches():
    assert batch_subject("abc-1.2") == "abc-1.2"
    assert batch_subject("A b") == batch_subject("A b") != batch_subject("a b")
    assert batch_subject("A b").startswith("b-")
    with pytest.raises(BadValue):
        batch_subject("")


def test_an_empty_batch(fleet):
    done = fleet.landing().land(Batch("none", "http", table(row()).slice(0, 0)))
    assert (done.rows, done.seq) == (0, 1)
    assert fleet.book.facts[0].body.files == ()


def test_the_index_comes_back(fleet):
    landing = fleet.landing()
    landing.land(batch("one", *[row(car, 1) for car in range(1, 9)]))
    landing.close()
    landing.land(batch("two", *[row(car, 2) for car in range(1, 9)]))
    # Not closed: what the second batch brought is read again from its files.
    assert fleet.landing().land(batch("three", row(4, 1), row(4, 2))).repeated == 2
    landing.index.drop()
    again = fleet.landing()
    assert again.land(batch("four", row(4, 1), row(4, 2), row(4, 3))).repeated == 2
    again.close()
    (manifest,) = fleet.folder.index.glob("manifest.json")
    manifest.write_bytes(manifest.read_bytes()[:-9])
    assert fleet.landing().land(batch("five", row(4, 1), row(4, 4))).repeated == 1


def test_an_index_of_another_book(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(1, 1)))
    landing.close()
    fleet.book = type(fleet.book)()
    assert fleet.landing().land(batch("one", row(1, 1))).rows == 1


def test_two_landers_take_turns(fleet):
    one, two = fleet.landing(), fleet.landing()
    for number in range(1, 5):
        lander: Landing = (one, two)[number % 2]
        assert lander.land(batch(f"b-{number}", row(1, number), row(1, 1))).rows == 1
        if number == 2:
            two.close()
    assert [each["trip"] for each in fleet.stored()] == [1, 2, 3, 4]


def test_patience_has_an_end(fleet):
    from driveaway.fleet.landing.locking import landing_lock

    with landing_lock(fleet.folder), pytest.raises(Unavailable) as busy:
        fleet.landing(patience=0.01).land(batch("one", row(1, 1)))
    assert busy.value.code == "trips.busy"
