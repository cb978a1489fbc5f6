"""The worker: one leads by a lease, errors stop nothing else; and landing of health."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.book.state.state import State
from driveaway.facts.health import CarHealth
from driveaway.launch.launch import Launch
from driveaway.launch.updates.worker import Job, Worker, run
from driveaway.updates import changes, health
from driveaway.updates.leases import Lease
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.reading import Members
from driveaway.values.clock import DAY, HOUR, SECOND
from driveaway.values.errors import Conflict, Unavailable
from tests.stores.garage import VINS, Garage, garage
from tests.stores.test_rollouts import RULES, planned, rollout, served


@pytest.fixture
def small(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        made.enter(*VINS[:10])
        yield made


# --- leases -----------------------------------------------------------------------------------------


def test_a_lease_is_held_by_one_and_taken_over_when_it_ends(small: Garage) -> None:
    one, two = (Lease(small.state, "worker", name, lambda: small.at) for name in ("one", "two"))
    assert one.take()
    assert not two.take()
    small.at += 40 * SECOND
    assert one.take()
    small.at += 59 * SECOND
    assert not two.take()
    small.at += SECOND
    assert not one.held
    assert two.take()
    with pytest.raises(Conflict) as raised, small.state.change() as change:
        one.fence(change)
    assert raised.value.code == "lease.lost"
    two.release()
    assert one.take()


def test_a_change_renews_the_lease(small: Garage) -> None:
    one = Lease(small.state, "worker", "one", lambda: small.at)
    one.take()
    for _ in range(5):
        small.at += 30 * SECOND
        with small.state.change() as change:
            one.fence(change)
    assert one.held


def test_never_do_two_write_under_one_lease(launch: Launch) -> None:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 70), st.booleans()), max_size=25))
    def of_these(steps: list[tuple[int, int, bool]]) -> None:
        write_under_leases(launch.state, steps)

    of_these()


def write_under_leases(state: State, steps: list[tuple[int, int, bool]]) -> None:
    with state.change() as change:
        change.run("DELETE FROM leases")
    at = 10**15
    leases = [Lease(state, "worker", str(number), lambda: at) for number in range(3)]
    holder: int | None = None
    until = 0
    for who, seconds, writes in steps:
        at += seconds * SECOND
        if writes:
            try:
                with state.change() as change:
                    leases[who].fence(change)
            except Conflict:
                assert holder != who
            else:
                assert holder == who
                until = max(until, at + 60 * SECOND) if at > until - 40 * SECOND else until
        else:
            taken = leases[who].take()
            assert taken == (holder in (None, who) or at >= until)
            if taken:
                holder, until = who, at + 60 * SECOND


# --- the worker ----------------------------------------------------------------------------------------


def test_one_worker_leads_and_the_next_takes_over(small: Garage) -> None:
    release = small.release("1.1.0")
    with small.state.change() as change:
        made = keeping.create_rollout(
            change,
            "may",
            release,
            "name==*",
            RolloutPlan(rules=RULES),
            small.at,
            by="li.na",
            start_at=small.at + HOUR,
        )
    one, two = (Worker(small.launch, lambda: small.at, name) for name in ("one", "two"))
    assert (one.tick(), two.tick()) == (True, False)
    driver = Driver(small.state, made.id)
    assert rollout(small, driver).status is RolloutStatus.READY
    small.at += HOUR
    assert not two.tick() or not one.tick()
    one.lease.release()
    assert two.tick()
    assert rollout(small, driver).status is RolloutStatus.RUNNING
    assert served(small, driver)
    assert not one.tick()


def test_an_error_of_one_job_stops_no_other_and_is_logged_once(
    small: Garage, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def fail(at: int) -> None:
        if len(done) < 3:
            raise Unavailable("no key", code="test.key", place="token", remedy="plug it in")

    def defect(at: int) -> None:
        raise ZeroDivisionError

    worker = Worker(
        small.launch, lambda: small.at, jobs=[Job("a", fail), Job("b", defect), Job("c", done.append)]
    )
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            assert worker.tick()
            small.at += SECOND
    assert len(done) == 5
    said = [record.message for record in caplog.records if record.name == "driveaway.launch.updates.worker"]
    assert sum("no key" in line for line in said) == 1
    assert sum("ZeroDivisionError" in line for line in said) == 1
    assert "a: works again" in said
    assert any("[test.key]" in line for line in said)


def test_a_broken_rollout_does_not_stop_another(small: Garage) -> None:
    broken = planned(small, "1.0.0")
    good = planned(small, "1.1.0")
    with small.state.change() as change:
        change.run("UPDATE rollouts SET filter = 'nonsense' WHERE id = :id", id=broken.rollout)
    assert Worker(small.launch, lambda: small.at).tick()
    assert served(small, good)
    assert not served(small, broken)


def test_old_changes_are_pruned(small: Garage) -> None:
    with small.state.change() as change:
        changes.tell(change, [1] * 5, small.at)
    small.at += 2 * DAY
    Worker(small.launch, lambda: small.at).tick()
    assert (
        small.state.rows("SELECT COUNT(*) FROM target_changes WHERE at < :day", day=small.at - DAY)[0][0] <= 1
    )


def test_the_worker_ends_when_it_is_told(small: Garage) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(small.launch, stop, 0.01))
    thread.start()
    for _ in range(500):
        if small.state.rows("SELECT holder FROM leases"):
            break
        stop.wait(0.01)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert small.state.rows("SELECT holder FROM leases") == []


# --- health ------------------------------------------------------------------------------------------------


def row(small: Garage, vin: str = VINS[0], **more: Any) -> dict[str, Any]:
    start = small.at - 2 * HOUR
    given = {
        "vin": vin,
        "release": "su7-1.1.0",
        "start": start,
        "end": start + HOUR,
        "signal": "trouble_code",
    }
    return {**given, "count": 1, "exposure_m": 5_000, **more}


def test_health_is_landed_once(small: Garage) -> None:
    rows = [
        row(small),
        row(small),
        row(small, count=2),
        row(small, VINS[1]),
        row(small, signal="crash", count=0),
        row(small, VINS[2], signal="noise"),
        row(small, VINS[2], end=small.at + 1),
        row(small, VINS[2], assisted_m=6_000),
    ]
    with small.state.change() as change:
        first = health.land(change, rows, small.at)
    assert (first.added, first.repeated) == (3, 1)
    assert [(each.row, each.code) for each in first.refused] == [
        (2, "health.conflict"), (5, "health.row"), (6, "health.future"), (7, "health.row"),
    ]  # fmt: skip
    assert "count" in first.refused[0].reason
    with small.state.change() as change:
        again = health.land(change, [CarHealth(**rows[0]), rows[3], row(small, count=9)], small.at + HOUR)
    assert (again.added, again.repeated, len(again.refused)) == (0, 2, 1)
    assert small.state.rows("SELECT COUNT(*) FROM car_health")[0][0] == 3


def test_health_of_cars_in_the_rollout_is_read_once_and_whole(small: Garage) -> None:
    driver = planned(small)
    small.at -= 3 * HOUR
    driver.look(small.at)
    small.at += 3 * HOUR
    members = Members(driver.rollout, "reported")
    members.read(small.state, small.at)
    with small.state.change() as change:
        health.land(change, [row(small), row(small, VINS[50])], small.at)
    assert len(members.health(small.state)) == 1
    with small.state.change() as change:
        health.land(
            change, [row(small, VINS[1]), row(small, VINS[2], start=small.at - 9 * HOUR)], small.at + 1
        )
    kept = members.health(small.state)
    assert len(kept) == 2
    fresh = Members(driver.rollout, "reported")
    fresh.read(small.state, small.at)
    again = fresh.health(small.state)
    assert (kept.car.tolist(), kept.landed.tolist()) == (again.car.tolist(), again.landed.tolist())
