"""Incidents, filings, holds and erasures in any order, beside a small model of when a car may be erased."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from driveaway.book.book import open_store
from driveaway.book.when import When
from driveaway.facts.incidents import FunctionState
from driveaway.facts.launches import SubjectErased
from driveaway.fleet.incidents.due import reports
from driveaway.fleet.incidents.register import register_of
from driveaway.launch import incidents as work
from driveaway.launch.launch import FAR_FUTURE, Launch, open_launch
from driveaway.values.clock import DAY, now
from driveaway.values.errors import Conflict, NotFound, Refused
from tests.driven import land, lying, segment
from tests.stores import acts

AT = acts.at(24 * 500)
CARS = (1, 2, 3)
# What is asked for, written down by hand: (country, outcome, engaged at Level 2) → duties.
ASKED = {
    ("US", "airbag_deployed", True): {"us.sgo.five-day-level-2"},
    ("US", "airbag_deployed", False): set(),
    ("US", "tow_away", True): set(),
    ("US", "tow_away", False): set(),
    ("CN", "fire", True): {"cn.fire.first", "cn.fire.form"},
    ("CN", "fire", False): {"cn.fire.first", "cn.fire.form"},
    ("CN", "crash", False): {"cn.2025-45.incident"},
    ("BR", "fatality", True): set(),
}
UPDATED = {("US", "airbag_deployed", True), ("US", "tow_away", True)}
UPDATE = "us.sgo.update"


@dataclass
class Known:
    """An incident as it should stand."""

    car: int
    what: tuple[str, str, bool]
    filed: set[str] = field(default_factory=set)
    corrected: bool = False

    @property
    def open(self) -> set[str]:
        asked = set(ASKED[self.what])
        if self.corrected and self.what in UPDATED:
            asked.add(UPDATE)
        return asked - self.filed


class Desk(RuleBasedStateMachine):
    """What a desk does about incidents, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "launch.toml").write_text(acts.LAUNCH_TOML)
        store = open_store(f"sqlite:///{self.folder / 'data' / 'book.sqlite'}")
        store.create()
        store.close()
        self.launch: Launch = open_launch(self.folder)
        self.known: dict[str, Known] = {}
        self.holds: set[tuple[str, str]] = set()
        self.driven = dict.fromkeys(CARS, 0)
        self.erased: set[int] = set()
        self.clock = AT
        self.batches = 0

    @initialize()
    def cars(self) -> None:
        self.launch.append([acts.built(car, 1) for car in CARS])

    @rule(car=st.sampled_from(CARS))
    def drive(self, car: int) -> None:
        self.batches += 1
        rows = [segment(acts.car(each), self.batches, acts.at(24 + self.batches)) for each in {car, 1}]
        land(self.launch, f"batch-{self.batches}", rows)
        for each in {car, 1}:
            self.driven[each] += 1

    @rule(car=st.sampled_from(CARS), what=st.sampled_from(sorted(ASKED)))
    def report(self, car: int, what: tuple[str, str, bool]) -> None:
        slug = f"i-{len(self.known)}"
        work.report_incident(self.launch, acts.car(car), self._fields(what), slug=slug, at=AT)
        self.known[slug] = Known(car, what)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), what=st.sampled_from(sorted(ASKED)))
    def correct(self, data: Any, what: tuple[str, str, bool]) -> None:
        slug = data.draw(st.sampled_from(sorted(self.known)))
        one = self.known[slug]
        if one.what == what:
            return
        work.correct_incident(self.launch, slug, self._fields(what))
        one.what, one.corrected = what, True
        # What was filed before tells nothing of the correction.
        one.filed.discard(UPDATE)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), needed=st.booleans())
    def file(self, data: Any, needed: bool) -> None:
        slug = data.draw(st.sampled_from(sorted(self.known)))
        one = self.known[slug]
        duty = data.draw(st.sampled_from(sorted({*one.open, "cn.fire.first", UPDATE})))
        if duty == UPDATE and not one.corrected:
            return
        reason = None if needed else "looked into"
        if duty in one.filed:
            with pytest.raises(Conflict):
                work.file_report(self.launch, slug, duty, not_needed=reason)
        else:
            work.file_report(self.launch, slug, duty, not_needed=reason)
            one.filed.add(duty)

    @rule(data=st.data(), matter=st.sampled_from(["m", "n"]))
    def hold(self, data: Any, matter: str) -> None:
        subject = data.draw(st.sampled_from(self._subjects()))
        if (subject, matter) in self.holds:
            with pytest.raises(Conflict):
                work.place_hold(self.launch, subject, matter, "a claim")
        else:
            work.place_hold(self.launch, subject, matter, "a claim")
            self.holds.add((subject, matter))

    @rule(data=st.data(), matter=st.sampled_from(["m", "n"]))
    def lift(self, data: Any, matter: str) -> None:
        subject = data.draw(st.sampled_from(self._subjects()))
        if (subject, matter) in self.holds:
            work.lift_hold(self.launch, subject, "over", matter=matter)
            self.holds.remove((subject, matter))
        else:
            with pytest.raises(NotFound):
                work.lift_hold(self.launch, subject, "over", matter=matter)

    @rule(car=st.sampled_from(CARS))
    def erase(self, car: int) -> None:
        vin = acts.car(car)
        mine = {slug: one for slug, one in self.known.items() if one.car == car}
        held = any(subject in (vin, *mine) for subject, _ in self.holds)
        before = lying(self.launch.data / "fleet")
        if held or any(one.open for one in mine.values()):
            with pytest.raises(Refused) as refused:
                self.launch.erase(vin, "asked")
            assert refused.value.code == "erase.held"
            assert ("legal hold" in refused.value.message) == held
            assert lying(self.launch.data / "fleet") == before
            return
        size = self.launch.book.edge().size
        self.launch.erase(vin, "asked")
        after = [fact.body for fact in self.launch.book.facts(size, 10**6)]
        told = [body for body in after if isinstance(body, SubjectErased)]
        assert sum(body.trips for body in told) == self.driven[car]
        self.driven[car] = 0

    @invariant()
    def files_hold_what_is_not_erased(self) -> None:
        rows = lying(self.launch.data / "fleet")
        for car in CARS:
            assert sum(row["vin"] == acts.car(car) for row in rows) == self.driven[car]

    @invariant()
    def what_is_due_is_what_is_open(self) -> None:
        view = self.launch.book.at(When(FAR_FUTURE, self.launch.book.edge().size))
        rows = reports(register_of(view), self.launch.description.fleet, self.launch.zone, now())
        found = {(row.subject, row.duty.name) for row in rows if row.open}
        assert found == {(slug, duty) for slug, one in self.known.items() for duty in one.open}

    def _subjects(self) -> list[str]:
        return [*(acts.car(car) for car in CARS), *sorted(self.known)]

    def _fields(self, what: tuple[str, str, bool]) -> dict[str, Any]:
        country, outcome, engaged = what
        state = FunctionState(
            second=3, function="pilot", state="engaged" if engaged else "off", level=2 if engaged else None
        )
        return {"country": country, "outcomes": (outcome,), "states": (state,), "learned": AT + DAY}

    def teardown(self) -> None:
        assert self.launch.book.verify().differences == []
        self.launch.close()
        shutil.rmtree(self.folder)


def test_a_car_is_erased_when_nothing_stands_against_it() -> None:
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
