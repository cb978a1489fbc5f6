"""Updates at the desk of cars, end to end, on both stores: from an assignment to what runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import assigning
from driveaway.updates.actions import log, steering
from driveaway.updates.model import ActionStatus, ActionType, Outcome, TargetStatus
from driveaway.values.clock import SECOND
from driveaway.values.errors import NotFound, Refused
from tests.stores.garage import VINS, Garage, config, feedback, garage, refused

CAR, OTHER = VINS[:2]


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        yield made


def test_an_update_from_end_to_end(g: Garage) -> None:
    g.enter(CAR)
    first = g.release("1.0")
    (action,) = g.assign(first, CAR)
    assert g.target(CAR).status is TargetStatus.PENDING
    links = g.base(CAR)
    assert sorted(links) == ["configData", "deploymentBase"]
    assert g.state.rows("SELECT locked FROM distribution_sets") == [(1,)]
    document = g.desk.deployment(CAR, action, 0, g.links(CAR))
    g.desk.deployment(CAR, action, 0, g.links(CAR))
    g.settled()
    assert g.action(action).status is ActionStatus.RETRIEVED
    said = [entry.status for entry in log.entries(g.state, action)]
    assert said == [ActionStatus.RETRIEVED, ActionStatus.RUNNING]
    (chunk,) = document.deployment.chunks
    (file,) = chunk.artifacts
    module = g.state.rows("SELECT id FROM software_modules")[0][0]
    found, path = g.desk.artifact(CAR, module, "a.swu")
    assert path.read_bytes() == b"su7 1.0 a.swu"
    assert (found.sha256, found.size) == (file.hashes.sha256, file.size)
    assert [one.filename for one in g.desk.module_artifacts(CAR, module, g.links(CAR))] == ["a.swu"]
    g.at += SECOND
    g.say(CAR, action, "proceeding", details=["one", "two"])
    g.say(CAR, action, "download", code=7)
    assert (g.action(action).status, g.action(action).last_code) == (ActionStatus.DOWNLOAD, 7)
    history = g.desk.deployment(CAR, action, -1, g.links(CAR)).action_history
    assert history is not None
    assert history.messages == ("status code 7", "the car began to download", "two", "one")
    assert g.desk.deployment(CAR, action, 1, g.links(CAR)).action_history == msgspec.structs.replace(
        history, messages=("status code 7",)
    )
    with pytest.raises(NotFound):
        g.desk.installed(CAR, action, 0, g.links(CAR))
    g.catch_up()
    g.say(CAR, action, "closed", "success", code=200, timestamp=1714968000000)
    assert g.catch_up() == [CAR]
    target = g.target(CAR)
    assert (target.status, target.installed, target.assigned) == (TargetStatus.IN_SYNC, first, first)
    assert sorted(g.base(CAR)) == ["configData", "installedBase"]
    assert g.desk.installed(CAR, action, 0, g.links(CAR)).id == str(action)
    (fact,) = g.facts(CAR)
    assert msgspec.to_builtins(fact.body) == {
        "action": action,
        "release": "su7-1.0",
        "outcome": "installed",
        "to_version": "1.0",
        "code": 200,
    }
    assert fact.happened == g.at
    entry = log.entries(g.state, action, limit=1)[0]
    assert (entry.reported, entry.code) == (1714968000000000, 200)
    # The next one says from where it came.
    (second,) = g.assign(g.release("1.1"), CAR)
    g.say(CAR, second, "closed", "failure", details=["no"])
    failed = g.facts(CAR)[1].body
    assert (failed.outcome, failed.from_version, failed.to_version) == ("failed", "1.0", "1.1")  # type: ignore[attr-defined]
    target = g.target(CAR)
    assert (target.status, target.installed, target.assigned) == (TargetStatus.ERROR, first, None)


def test_only_the_version_reported_verifies(g: Garage) -> None:
    g.enter(CAR)
    (old,) = g.assign(g.release("1.0"), CAR)
    g.say(CAR, old, "closed", "success")
    config(g, CAR, version="1.0")
    assert g.action(old).verified is True
    (new,) = g.assign(g.release("1.1"), CAR)
    g.say(CAR, new, "closed", "success")
    # It has not restarted yet: nothing is proved, and it is asked again.
    config(g, CAR, version="1.0")
    assert g.action(new).verified is None
    assert "configData" in g.base(CAR)
    config(g, CAR, other="x")
    assert "configData" in g.base(CAR)
    config(g, CAR, version="1.1")
    assert g.action(new).verified is True
    assert "configData" not in g.base(CAR)
    bodies = [fact.body for fact in g.facts(CAR, "version.reported")]
    assert [(b.version, b.previous, b.agrees) for b in bodies] == [  # type: ignore[attr-defined]
        ("1.0", None, True),
        ("1.1", "1.0", True),
    ]
    with g.state.change() as change:
        assert not steering.fell_back(change, new, g.at)


def test_a_car_that_fell_back(g: Garage) -> None:
    g.enter(CAR)
    old_set = g.release("1.0")
    (old,) = g.assign(old_set, CAR)
    g.say(CAR, old, "closed", "success")
    new_set = g.release("1.1")
    (new,) = g.assign(new_set, CAR)
    g.say(CAR, new, "closed", "success")
    with g.state.change() as change:
        assert steering.fell_back(change, new, g.at)
    action, target = g.action(new), g.target(CAR)
    assert (action.verified, action.outcome, action.status) == (False, Outcome.FELL_BACK, ActionStatus.ERROR)
    assert (target.installed, target.installed_action, target.status) == (old_set, old, TargetStatus.ERROR)
    assert [fact.body.outcome for fact in g.facts(CAR)] == ["installed", "installed", "fell_back"]  # type: ignore[attr-defined]
    assert g.facts(CAR)[2].body.from_version == "1.0"  # type: ignore[attr-defined]
    # It may be tried again, and a car that goes on with what it has may be given it anew.
    with g.state.change() as change:
        again = assigning.retry(change, new, g.at)
        with pytest.raises(Refused):
            assigning.retry(change, old, g.at)
    assert g.target(CAR).assigned == new_set
    g.say(CAR, again, "closed", "success")
    assert g.target(CAR).installed == new_set


def test_a_car_that_polls_under_another_id_makes_no_facts(g: Garage) -> None:
    g.enter("truck-1")
    size = g.launch.book.edge().size
    (action,) = g.assign(g.release("1"), "truck-1")
    g.say("truck-1", action, "closed", "success")
    config(g, "truck-1", version="1")
    assert g.action(action).verified is True
    assert g.launch.book.edge().size == size


def test_the_very_same_said_again_adds_nothing(g: Garage) -> None:
    g.enter(CAR)
    (action,) = g.assign(g.release("1"), CAR)
    for _ in range(3):
        g.say(CAR, action, "proceeding", id=action, time="20240506T040000", details=["x"])
    assert len(log.entries(g.state, action)) == 2
    g.say(CAR, action, "proceeding", id=action, time="20240506T040001", details=["x"])
    assert len(log.entries(g.state, action)) == 3
    for _ in range(3):
        g.say(CAR, action, "closed", "success", id=action, time="20240506T040002")
    assert len(g.facts(CAR)) == 1
    refused(g, "action.closed", g.desk.feedback, CAR, action, feedback("closed", "failure"))
    refused(g, "action.closed", g.desk.feedback, CAR, action, feedback("proceeding"))
    assert len(log.entries(g.state, action)) == 4


def test_feedback_on_what_is_not_there(g: Garage) -> None:
    g.enter(CAR, OTHER)
    (action,) = g.assign(g.release("1"), CAR)
    for car, number in ((OTHER, action), (CAR, 999), ("nobody", action), (CAR, 2**62)):
        refused(g, "action.unknown", g.desk.feedback, car, number, feedback("proceeding"))
        refused(g, "action.unknown", g.desk.cancel_feedback, car, number, feedback("closed"))
        with pytest.raises(NotFound):
            g.desk.deployment(car, number, 0, g.links(car))
    refused(g, "action.not_canceling", g.desk.cancel_feedback, CAR, action, feedback("closed"))


def test_the_log_has_its_quotas(g: Garage) -> None:
    g.enter(CAR)
    (action,) = g.assign(g.release("1"), CAR)
    g.say(CAR, action, "proceeding", details=[f"line {n}" for n in range(120)] + ["x" * 5000])
    entry = log.entries(g.state, action, limit=1)[0]
    assert len(entry.messages) == 50
    assert entry.messages[48] == "line 48"
    assert entry.messages[49].startswith("line 49\nline 50\n")
    assert len(entry.messages[49]) == 4096
    rows = [log.entry(action, ActionStatus.RUNNING, g.at, ["x"]) for _ in range(998)]
    with g.state.change() as change:
        change.run_many(log.INSERT, rows)
    refused(g, "quota.statuses", g.desk.feedback, CAR, action, feedback("proceeding"))
    # How it ended is taken all the same.
    g.say(CAR, action, "closed", "success")
    assert g.action(action).outcome is Outcome.INSTALLED


def test_a_download_alone(g: Garage) -> None:
    g.enter(CAR, OTHER)
    release = g.release("1")
    fetched, skipped = g.assign(release, CAR, OTHER, type=ActionType.DOWNLOAD_ONLY)
    g.say(CAR, fetched, "downloaded", "success")
    target = g.target(CAR)
    assert (target.status, target.installed, target.assigned) == (TargetStatus.IN_SYNC, None, release)
    assert g.base(CAR).keys() == {"configData"}
    g.desk.artifact(CAR, g.state.rows("SELECT id FROM software_modules")[0][0], "a.swu")
    g.say(CAR, fetched, "closed", "success")
    assert g.target(CAR).installed == release
    assert [fact.body.outcome for fact in g.facts(CAR)] == ["downloaded", "installed"]  # type: ignore[attr-defined]
    # SWUpdate skips it and calls that a success.
    g.say(OTHER, skipped, "closed", "success", details=["Skipped Update."])
    target = g.target(OTHER)
    assert (target.installed, target.assigned) == (None, None)
    assert g.facts(OTHER)[0].body.outcome == "skipped"  # type: ignore[attr-defined]
