"""Incidents, what is due, legal holds, and erasing a car, on both stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from driveaway.facts.health import CarHealth
from driveaway.facts.incidents import FunctionState
from driveaway.facts.launches import SubjectErased
from driveaway.facts.trips import TripsCompacted
from driveaway.fleet.incidents.register import register_of
from driveaway.launch import incidents as work
from driveaway.launch.launch import FAR_FUTURE, Launch
from driveaway.updates import health, registry
from driveaway.values.clock import DAY, HOUR
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.driven import land, lying, segment
from tests.stores import acts

ENGAGED = FunctionState(second=30, function="pilot", state="engaged", level=2)
CRASH: dict[str, Any] = {"outcomes": ("crash", "airbag_deployed"), "country": "US", "states": (ENGAGED,)}
AT = acts.at(24 * 500)  # in August 2025, when the duties held
LATER = AT + 400 * DAY
DUTY = "us.sgo.five-day-level-2"


def crash(launch: Launch, number: int = 1, slug: str = "crash-1", at: int = AT, **more: Any) -> None:
    work.report_incident(launch, acts.car(number), CRASH | {"learned": at} | more, slug=slug, at=at)


def due(launch: Launch, as_of: int = LATER) -> list[tuple[str, str]]:
    return [(row.duty.name, row.standing) for row in work.due(launch, launch.at(as_of))]


def test_reported_corrected_and_filed(launch: Launch) -> None:
    launch.apply()
    crash(
        launch,
        states=(ENGAGED, FunctionState(second=4, function="pilot", state="overridden")),
        city="Beijing",
    )
    assert due(launch, AT) == [(DUTY, "due")]
    assert due(launch, AT + 6 * DAY) == [(DUTY, "overdue")]
    work.file_report(launch, "crash-1", DUTY, reference="A-1", at=AT + DAY)
    assert due(launch, AT + 6 * DAY) == [(DUTY, "filed")]
    # Before the filing it was still due.
    assert due(launch, AT + DAY - 1) == [(DUTY, "due")]
    work.correct_incident(launch, "crash-1", {"outcomes": ("crash",)})
    (one,) = register_of(launch.at(LATER).view).incidents
    assert (one.outcomes, one.report.city, one.engagement.at_start) == (("crash",), "Beijing", "overridden")
    # The correction is of today: an update is due from then on, and was not before.
    assert due(launch) == []
    assert [row.duty.name for row in work.open_now(launch, "crash-1")] == ["us.sgo.update"]
    mark = launch.book.about("crash-1")[1].seq
    assert register_of(launch.at(LATER, mark=mark).view).incidents[0].gravest == "airbag_deployed"


def test_figures_count_what_lists_list(launch: Launch) -> None:
    launch.apply()
    ended = FunctionState(second=4, function="pilot", state="deactivated")
    crash(launch, 1, "a")
    crash(launch, 2, "b", states=(ENGAGED, ended))
    crash(launch, 3, "c", states=(), outcomes=("fire",), at=AT + DAY)
    cut = launch.at(AT + 2 * DAY)
    rows = cut.figure("fleet.incidents", by=["function_state", "kind"]).rows
    assert [(row["function_state"], row["kind"], row["value"]) for row in rows or ()] == [
        ("deactivated", "airbag_deployed", 1),
        ("engaged", "airbag_deployed", 1),
        ("unknown", "fire", 1),
    ]
    assert cut.figure("fleet.incidents", outcome="crash").value == 2
    assert cut.figure("fleet.incidents", level="2").value == 2
    assert launch.at(AT).figure("fleet.incidents").value == 2
    assert launch.at(AT - 1).figure("fleet.incidents").unknown is not None
    asked = launch.at(AT + 6 * DAY).figure("fleet.reports_due").rows or ()
    assert [(row["duty"], row["standing"], row["applies"], row["value"]) for row in asked] == [
        (DUTY, "overdue", "yes", 2),
        ("us.sgo.monthly-ads", "due", "unknown", 1),
    ]
    assert launch.at(AT + 6 * DAY).figure("fleet.reports_due", standing="overdue").value == 2


def test_what_cannot_be_recorded(launch: Launch) -> None:
    launch.apply()
    crash(launch)
    with pytest.raises(Conflict) as taken:
        crash(launch, 2)
    assert taken.value.code == "incident.taken"
    for fields in ({"outcomes": ()}, {"country": "usa"}, {"cell": "39.95,116.4"}, {"narrative": "=1"}):
        with pytest.raises(BadValue):
            crash(launch, 2, "x", **fields)
    with pytest.raises(BadValue):
        work.correct_incident(launch, "crash-1", {"country": "US"})
    with pytest.raises(NotFound):
        work.file_report(launch, "crash-9", DUTY)
    with pytest.raises(NotFound):
        work.file_report(launch, "crash-1", "us.none")
    work.file_report(launch, "crash-1", DUTY)
    with pytest.raises(Conflict):
        work.file_report(launch, "crash-1", DUTY)
    with pytest.raises(BadValue):
        work.parse_state("40:pilot:engaged")
    assert work.parse_state("4:pilot:overridden").second == 4
    assert len(register_of(launch.at(LATER).view).incidents) == 1


def test_what_cars_said_and_nobody_reported(launch: Launch) -> None:
    launch.apply()
    rows = [
        CarHealth(vin=acts.car(n), release="r-1", start=AT, end=AT, signal=signal, count=count)
        for n, signal, count in ((1, "crash", 1), (2, "airbag_deployed", 1), (3, "fire", 0), (4, "silent", 1))
    ]
    with launch.state.change() as change:
        health.land(change, rows, AT)
    crash(launch, 1, at=AT + HOUR)

    def listed(as_of: int) -> list[tuple[str, str]]:
        cut = launch.at(as_of)
        found = register_of(cut.view).incidents
        return [(row["vin"], row["signal"]) for row in work.unreported(launch, cut, found)]

    assert listed(AT + DAY) == [(acts.car(2), "airbag_deployed")]
    assert listed(AT) == [(acts.car(1), "crash"), (acts.car(2), "airbag_deployed")]
    assert listed(AT - 1) == []


def _held(launch: Launch, subject: str) -> str:
    before = launch.book.edge().size
    with pytest.raises(Refused) as refused:
        launch.erase(subject, "asked")
    assert refused.value.code == "erase.held"
    assert refused.value.remedy
    assert launch.book.edge().size == before
    return refused.value.message


def test_a_hold_stops_erasure_until_it_is_lifted(launch: Launch) -> None:
    launch.apply()
    launch.append(acts.delivered(1, 1))
    vin, order = acts.car(1), acts.order(1)
    work.place_hold(launch, vin, "case 17", "a claim")
    assert "case 17" in _held(launch, vin)
    # What was handed over with a held car says who drives it.
    assert vin in _held(launch, order)
    with pytest.raises(Conflict):
        work.place_hold(launch, vin, "case 17", "again")
    work.place_hold(launch, vin, "case 18", "another claim")
    with pytest.raises(Refused) as several:
        work.lift_hold(launch, vin, "over")
    assert several.value.code == "hold.several"
    work.lift_hold(launch, vin, "over", matter="case 17")
    assert "case 18" in _held(launch, vin)
    work.lift_hold(launch, vin, "over")
    assert launch.erase(vin, "asked")[0] > 0
    assert launch.erase(order, "asked")[0] > 0
    with pytest.raises(NotFound):
        work.lift_hold(launch, vin, "over")
    assert launch.book.verify().differences == []


def test_a_hold_on_an_incident_and_an_open_report_stop_erasure(launch: Launch) -> None:
    launch.apply()
    crash(launch, narrative="hit a post", city="Beijing", cell="39.9,116.4")
    vin = acts.car(1)
    assert DUTY in _held(launch, vin)
    work.place_hold(launch, "crash-1", "case 17", "a claim")
    assert "case 17" in _held(launch, vin)
    work.lift_hold(launch, "crash-1", "over")
    work.file_report(launch, "crash-1", DUTY, not_needed="was no public road")
    assert launch.erase(vin, "asked")[0] == 1
    fact = launch.book.about(vin)[0]
    assert fact.erased
    assert (fact.body.narrative, fact.body.city, fact.body.cell) == (None, None, None)
    # That there was an incident, and what was reported of it, stays.
    assert launch.at(LATER).figure("fleet.incidents").value == 1
    with pytest.raises(Refused) as public:
        launch.erase("crash-1", "asked")
    assert public.value.code == "erase.public"


def test_holds_on_others_hold_nobody_else(launch: Launch) -> None:
    launch.apply()
    launch.append([*acts.delivered(1, 1), *acts.delivered(2, 2, 10)])
    work.place_hold(launch, acts.car(1), "case", "a claim")
    crash(launch, 1)
    assert launch.erase(acts.car(2), "asked")[0] > 0
    with pytest.raises(NotFound):
        work.place_hold(launch, "crash-9", "case", "no such incident")


# --- erasing a car ---


def _two_cars(launch: Launch) -> list[dict[str, Any]]:
    """Two cars over two days in two batches, one row of the first in quarantine; the other car's rows."""
    launch.append([acts.built(1, 1), acts.built(2, 1)])
    one, two = acts.car(1), acts.car(2)
    for batch in (1, 2):
        rows = [
            segment(vin, 10 * batch + trip, acts.at(24 * trip + batch), city="Beijing")
            for vin in (one, two)
            for trip in range(3)
        ]
        aside = [
            {"row": 1, "code": "trips.future", "vin": one, "content": f'{{"vin": "{one}"}}'},
            {"row": 2, "code": "trips.unreadable", "vin": None, "content": f"half of {one}"},
            {"row": 3, "code": "trips.future", "vin": two, "content": f'{{"vin": "{two}"}}'},
        ]
        land(launch, f"batch-{batch}", rows, aside=aside, with_day=batch == 1)
    return [row for row in lying(_root(launch)) if row["vin"] == two]


def _root(launch: Launch) -> Path:
    return launch.data / "fleet"


def _without_place(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    out = [{k: v for k, v in row.items() if k not in ("_file", "seq")} for row in rows]
    return sorted(out, key=repr)


def _cars_data(launch: Launch, vin: str) -> list[str]:
    """Files of the fleet's data that hold a VIN in any form."""

    def holds(path: Path) -> bool:
        rows = pq.read_table(path).to_pylist() if path.suffix == ".parquet" else []
        return vin.encode() in path.read_bytes() or any(vin in str(row) for row in rows)

    return [path.name for path in sorted(_root(launch).rglob("*")) if path.is_file() and holds(path)]


def test_a_car_is_taken_out_of_everything(launch: Launch) -> None:
    launch.apply()
    others = _two_cars(launch)
    vin = acts.car(1)
    for cache in ("index", "ledger"):
        (_root(launch) / cache).mkdir()
        (_root(launch) / cache / "manifest.json").write_text(vin)
    report = CarHealth(vin=vin, release="r-1", start=AT, end=AT, signal="crash", count=0)
    with launch.state.change() as change:
        health.land(change, [report], AT)
        registry.register(change, vin, "", AT)
        change.run("INSERT INTO target_places (target, place) SELECT id, 'city:beijing' FROM targets")
    mark = launch.book.edge().size
    launch.erase(vin, "art. 17")
    assert _cars_data(launch, vin) == []
    assert _without_place([r for r in lying(_root(launch)) if r["vin"] == acts.car(2)]) == _without_place(
        others
    )
    bodies = [fact.body for fact in launch.book.facts(mark, 10**6)]
    (erased,) = [body for body in bodies if isinstance(body, SubjectErased)]
    assert (erased.trips, erased.quarantined, erased.operational) == (6, 4, 3)
    # Facts name what lies there now, each row with its batch.
    compacted = [body for body in bodies if isinstance(body, TripsCompacted)]
    named = {f"{file.day}/{file.file.rpartition('/')[2]}": file for body in compacted for file in body.files}
    assert sum("/" in file.file for file in named.values()) * 2 == len(named)
    trips = _root(launch) / "trips"
    assert set(named) == {f"{p.parent.name}/{p.name}" for p in trips.rglob("*.parquet")}
    assert sum(file.rows for file in named.values()) == 6
    seqs = {fact.subject: fact.seq for fact in launch.book.facts(0, mark) if fact.kind == "trips.landed"}
    for row in (row for row in lying(trips)):
        assert row["seq"] == seqs[f"batch-{row['trip'] // 10}"]
    for table in ("car_health", "targets", "target_places"):
        assert launch.state.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert not (_root(launch) / "erasing.json").exists()
    assert launch.book.verify().differences == []


def test_erased_again_only_when_something_is_left(launch: Launch) -> None:
    launch.apply()
    _two_cars(launch)
    vin = acts.car(1)
    launch.erase(vin, "art. 17")
    size = launch.book.edge().size
    assert launch.erase(vin, "again") == (0, [vin])
    assert launch.book.edge().size == size
    # A batch that was on its way: the next erasure takes it out, and says so.
    land(launch, "late", [segment(vin, 99, acts.at(2)), segment(acts.car(2), 99, acts.at(2))])
    launch.erase(vin, "again")
    assert _cars_data(launch, vin) == []
    last = [fact for fact in launch.book.about(vin) if isinstance(fact.body, SubjectErased)][-1]
    assert last.body.trips == 1


def test_a_car_of_which_only_trips_are_known(launch: Launch) -> None:
    launch.apply()
    land(launch, "one", [segment(acts.car(1), 1, acts.at(2))])
    launch.erase(acts.car(1), "art. 17")
    assert _cars_data(launch, acts.car(1)) == []
    with pytest.raises(NotFound):
        launch.erase(acts.car(2), "art. 17")
    assert not (_root(launch) / "erasing.json").exists()


def test_a_held_car_keeps_its_files(launch: Launch) -> None:
    launch.apply()
    _two_cars(launch)
    before = lying(_root(launch))
    work.place_hold(launch, acts.car(1), "case", "a claim")
    _held(launch, acts.car(1))
    assert lying(_root(launch)) == before
    assert not (_root(launch) / "erasing.json").exists()


def test_older_answers_say_that_a_car_was_erased_since(launch: Launch) -> None:
    launch.apply()
    _two_cars(launch)
    mark = launch.book.edge().size
    assert launch.at(acts.at(99)).view.erased_since() == 0
    launch.erase(acts.car(1), "art. 17")
    newest = launch.book.edge().size
    assert launch.at(FAR_FUTURE, mark=mark).view.erased_since() == 1
    assert launch.at(acts.at(99), mark=newest).view.erased_since() == 1
    assert launch.at(FAR_FUTURE, mark=newest).view.erased_since() == 0
