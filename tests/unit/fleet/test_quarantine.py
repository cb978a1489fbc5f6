"""Rows put aside: told, released when they can stand, accepted or given up by a person; each counted once."""

from __future__ import annotations

import pytest

from driveaway.facts import Draft
from driveaway.facts.fleet import DrivingFunction
from driveaway.facts.launches import SubjectErased
from driveaway.facts.trips import QuarantineSettled, TripsLanded
from driveaway.fleet.landing.batch import Batch, Reject
from driveaway.fleet.landing.quarantine import Held, Quarantine, Settled
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable
from tests.unit.fleet.kit import DAY, KM, MIDNIGHT, NOW, RULES, Kit, batch, kit, row, table, vin


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


def settled(fleet: Kit) -> list[tuple[str, str, str, int]]:
    return [
        (fact.subject, fact.body.outcome, fact.body.code, fact.body.rows)
        for fact in fleet.book.facts
        if isinstance(fact.body, QuarantineSettled)
    ]


def test_what_is_held(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(1, 1), row(80, 1), row(80, 2), row(81, 1), row(1, 2, distance_m=-1)))
    fleet.now += DAY
    landing.land(batch("two", row(80, 4)))
    quarantine = Quarantine(landing)
    assert quarantine.held() == [
        Held("one", "trips.negative", 1, 1, NOW),
        Held("one", "trips.not_delivered", 3, 2, NOW),
        Held("two", "trips.not_delivered", 1, 1, NOW + DAY),
    ]
    assert [each.batch for each in quarantine.held(code="trips.negative")] == ["one"]
    rows = quarantine.rows(vin=vin(80)).to_pylist()
    assert [(each["batch"], each["row"]) for each in rows] == [("one", 1), ("one", 2), ("two", 0)]
    assert rows[0]["trip"] == 1
    assert vin(80) in rows[0]["reason"]
    assert len(quarantine.rows(limit=2)) == 2
    with pytest.raises(NotFound):
        quarantine.held("three")


def test_a_late_handover_releases(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(80, 1), row(81, 1), row(1, 1)))
    quarantine = Quarantine(landing)
    assert quarantine.release_delivered() == Settled()
    fleet.delivered.at[vin(80)] = MIDNIGHT
    assert quarantine.release_delivered() == Settled(rows=1)
    assert quarantine.release_delivered() == Settled()
    assert [held.rows for held in quarantine.held()] == [1]
    fleet.delivered.at[vin(81)] = MIDNIGHT
    # Another process, which has looked at nothing yet.
    assert Quarantine(fleet.landing()).release_delivered() == Settled(rows=1)
    assert Quarantine(landing).held() == []
    assert settled(fleet) == [("one", "released", "trips.not_delivered", 1)] * 2
    assert len(fleet.stored()) == 3
    doors = [fact.body.door for fact in fleet.book.facts if isinstance(fact.body, TripsLanded)]
    assert doors == ["http", "quarantine", "quarantine"]


def test_a_release_that_finds_another_reason(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(80, 1), row(80, 2)))
    fleet.delivered.at[vin(80)] = MIDNIGHT + DAY
    done = Quarantine(landing).release(code="trips.not_delivered")
    assert done == Settled(kept={"trips.before_handover": 2})
    assert settled(fleet) == []
    assert Quarantine(landing).held()[0].rows == 2


def test_rules_that_changed(fleet):
    fleet.landing().land(batch("one", row(1, 1, function="city", level=2), row(1, 2)))
    functions = (*RULES.functions, DrivingFunction(name="city", level=2))
    fleet.rules = type(RULES)(functions=functions, plausible=RULES.plausible)
    assert Quarantine(fleet.landing()).release() == Settled(rows=1)
    assert len(fleet.stored()) == 2


def test_accepted_anyway(fleet):
    landing = fleet.landing()
    landing.land(batch("zero", row(1, 1)))
    rows = [row(1, trip, odometer_m=trip * KM) for trip in range(2, 5)]
    landing.land(batch("one", *rows, row(2, 1, end=MIDNIGHT)))
    quarantine = Quarantine(landing)
    assert quarantine.release(code="trips.odometer_back") == Settled(kept={"trips.odometer_back": 3})
    with pytest.raises(Refused):
        quarantine.release(anyway=True)
    with pytest.raises(Refused):
        quarantine.release(code="trips.ends_before_start", anyway=True)
    with pytest.raises(BadValue):
        quarantine.release(code="trips.nothing")
    done = quarantine.release(code="trips.odometer_back", anyway=True, reason="new instrument", by="Li")
    assert done == Settled(rows=3)
    fact = fleet.book.facts[-1]
    assert (fact.body.reason, fact.body.by) == ("new instrument", "Li")
    # The next ones are held to the new instrument.
    assert landing.land(batch("two", row(1, 6, odometer_m=6 * KM))).rows == 1


def test_given_up(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(1, 1, distance_m=-1), row(1, 2, vin="x"), row(2, 1, distance_m=-4)))
    quarantine = Quarantine(landing)
    assert quarantine.discard("one", "trips.negative", vin(2), reason="test drive") == Settled(discarded=1)
    assert quarantine.discard(reason="all of it") == Settled(discarded=2)
    assert quarantine.held() == []
    assert settled(fleet) == [
        ("one", "discarded", "trips.negative", 1),
        ("one", "discarded", "trips.negative", 1),
        ("one", "discarded", "trips.vin_shape", 1),
    ]
    assert list(fleet.folder.staging.iterdir()) == []


def test_what_a_door_could_not_read_is_named_by_its_own_code(fleet):
    landing = fleet.landing()
    unread = Reject(1, "trips.json", "JSON is malformed", "send one object a line", "{oops")
    landing.land(Batch("one", "http", table(row(1, 1)), rejects=(unread,)))
    quarantine = Quarantine(landing)
    assert [each.code for each in quarantine.held(code="trips.json")] == ["trips.json"]
    assert quarantine.rows(code="trips.json")["code"].to_pylist() == ["trips.json"]
    assert quarantine.release(code="trips.json") == Settled(kept={"trips.json": 1})
    with pytest.raises(Refused, match="cannot be accepted anyway"):
        quarantine.release(code="trips.json", anyway=True, reason="none")
    assert quarantine.discard(code="trips.json", reason="a test") == Settled(discarded=1)
    with pytest.raises(BadValue, match="there is no code"):
        quarantine.discard(code="trips.json", reason="a test")


def test_rows_that_lost_something_are_not_released(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(1, 1, distance_m=None), row(1, 2, driver_overrides=2**40)))
    done = Quarantine(landing).release()
    assert done == Settled(kept={"trips.missing": 1, "trips.overflow": 1})
    assert fleet.stored() == []


@pytest.mark.parametrize("written", [False, True])
def test_a_release_that_was_stopped(fleet, written):
    landing = fleet.landing()
    landing.land(batch("one", row(80, 1), row(80, 2), row(1, 2, distance_m=-1)))
    fleet.delivered.at[vin(80)] = MIDNIGHT
    quarantine = Quarantine(landing)
    fleet.book.fail, fleet.book.written = Unavailable("gone", code="store.unreachable"), written
    with pytest.raises(Unavailable):
        quarantine.release()
    again = Quarantine(fleet.landing()).release()
    assert again.rows == (0 if written else 2)
    assert settled(fleet) == [("one", "released", "trips.not_delivered", 2)]
    assert [held.code for held in quarantine.held()] == ["trips.negative"]
    assert len(fleet.stored()) == 2
    assert list(fleet.folder.staging.iterdir()) == []


def test_what_was_sent_again_meanwhile(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(80, 1), row(80, 2)))
    fleet.delivered.at[vin(80)] = MIDNIGHT
    landing.land(batch("two", row(80, 1)))
    assert Quarantine(landing).release() == Settled(rows=1, repeated=1)
    assert len(fleet.stored()) == 2


def test_what_an_erased_car_reports_is_put_aside(fleet):
    landing = fleet.landing()
    landing.land(batch("one", row(1, 1), row(2, 1)))
    fleet.book.append([Draft("subject.erased", vin(1), NOW, SubjectErased(reason="asked for"), "urn:erased")])
    done = landing.land(batch("two", row(1, 2), row(2, 2)))
    assert (done.rows, done.quarantined) == (1, {"trips.erased_car": 1})
    again = fleet.landing()
    assert again.land(batch("three", row(1, 3))).quarantined == {"trips.erased_car": 1}
    released = Quarantine(again).release(code="trips.erased_car", anyway=True)
    assert released.rows == 2
