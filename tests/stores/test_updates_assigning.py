"""Giving software to cars, on both stores: what is complete, locked, within quotas, installed already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import assigning, registry, sets, software
from driveaway.updates.actions import steering
from driveaway.updates.ddi import messages
from driveaway.updates.model import Outcome, TargetStatus
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.stores.garage import VINS, Garage, feedback, garage, refused

CAR, OTHER, THIRD = VINS[:3]


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        yield made


def test_what_is_assigned_is_locked_and_complete(g: Garage) -> None:
    g.enter(CAR)
    with g.state.change() as change:
        app = software.create_module(change, "app", "1", "application", g.at)
        bare = sets.create_set(change, "bare", "1", "os", [], g.at)
        wrong = sets.create_set(change, "wrong", "1", "os", [app.id], g.at)
        free = sets.create_set(change, "free", "1", "adas", [app.id], g.at)
    for release, lacks in ((bare, "no module"), (wrong, "of type os")):
        with pytest.raises(Refused, match=lacks) as error:
            g.assign(release.id, CAR)
        assert error.value.code == "set.incomplete"
    assert g.target(CAR).assigned is None
    g.assign(free.id, CAR)
    stored = g.artifacts.put([b"x"])
    with g.state.change() as change:
        for forbidden in (
            lambda: sets.put_modules(change, free.id, [app.id], g.at),
            lambda: sets.take_module(change, free.id, app.id, g.at),
            lambda: software.add_artifact(change, app.id, "late.swu", stored, g.at),
        ):
            with pytest.raises(Refused, match="locked"):
                forbidden()
        with pytest.raises(Refused) as error:
            sets.delete_set(change, free.id, g.at)
        assert error.value.code == "set.in_use"
        (active,) = sets.invalidate(change, free.id, g.at)
        steering.cancel(change, active, g.at)
        steering.cancel(change, active, g.at, force=True)
    with pytest.raises(Refused) as error:
        g.assign(free.id, CAR)
    assert error.value.code == "set.invalid"
    with g.state.change() as change:
        sets.delete_set(change, free.id, g.at)
        sets.delete_set(change, bare.id, g.at)
        software.delete_module(change, app.id, g.at)
        with pytest.raises(NotFound):
            sets.find_set(change, free.id)
        assert sets.find_set(change, free.id, deleted=True).deleted
        with pytest.raises(NotFound):
            sets.find_set(change, bare.id, deleted=True)
        with pytest.raises(NotFound):
            software.find_module(change, app.id)


def test_software_and_its_files(g: Garage) -> None:
    stored = g.artifacts.put([b"content"])
    with g.state.change() as change:
        module = software.create_module(change, "sw", "1", "os", g.at, encrypted=True)
        with pytest.raises(Conflict):
            software.create_module(change, "sw", "1", "os", g.at)
        for name, version, kind in (
            ("", "1", "os"),
            ("a\n", "1", "os"),
            ("a", "1" * 65, "os"),
            ("a", "1", " "),
        ):
            with pytest.raises(BadValue):
                software.create_module(change, name, version, kind, g.at)
        with pytest.raises(BadValue):
            software.add_artifact(change, module.id, "../a", stored, g.at)
        one = software.add_artifact(change, module.id, "a.swu", stored, g.at)
        with pytest.raises(Conflict):
            software.add_artifact(change, module.id, "a.swu", stored, g.at)
        for limits in ({"largest": 6}, {"store": 6}):
            with pytest.raises(Refused) as error:
                software.add_artifact(change, module.id, "b.swu", stored, g.at, **limits)
            assert error.value.code.startswith("quota.")
        # The same content costs nothing more.
        software.add_artifact(change, module.id, "b.swu", stored, g.at, store=7)
        software.set_metadata(change, "module", module.id, "shown", "yes", g.at, visible=True)
        software.set_metadata(change, "module", module.id, "hidden", "yes", g.at)
        software.delete_artifact(change, module.id, one.id, g.at)
        release = sets.create_set(change, "sw", "1", "os", [module.id, module.id], g.at)
        software.set_metadata(change, "distribution_set", release.id, "k", "v", g.at)
        with pytest.raises(Conflict):
            sets.create_set(change, "sw", "1", "os", [], g.at)
        with pytest.raises(NotFound):
            sets.create_set(change, "sw", "2", "os", [999], g.at)
    assert software.known_contents(g.state) == {stored.sha256}
    g.enter(CAR)
    (action,) = g.assign(release.id, CAR)
    (chunk,) = g.desk.deployment(CAR, action, 0, g.links(CAR)).deployment.chunks
    assert (chunk.encrypted, [file.filename for file in chunk.artifacts]) == (True, ["b.swu"])
    assert chunk.metadata == (messages.Metadata(key="shown", value="yes"),)


def test_files_are_for_cars_that_are_to_have_them(g: Garage) -> None:
    g.enter(CAR, OTHER)
    first, second = g.release("1"), g.release("2")
    one, two = (row[0] for row in g.state.rows("SELECT id FROM software_modules ORDER BY id"))
    (old,) = g.assign(first, CAR)
    for car, module, name in (
        (OTHER, one, "a.swu"),
        (CAR, two, "a.swu"),
        (CAR, one, "b.swu"),
        ("x", one, "a.swu"),
    ):
        with pytest.raises(NotFound):
            g.desk.artifact(car, module, name)
    g.say(CAR, old, "closed", "success")
    (new,) = g.assign(second, CAR)
    g.desk.artifact(CAR, one, "a.swu")
    g.desk.artifact(CAR, two, "a.swu")
    g.say(CAR, new, "closed", "success")
    with pytest.raises(NotFound):
        g.desk.artifact(CAR, one, "a.swu")
    found, path = g.desk.artifact(CAR, two, "a.swu")
    path.unlink()
    with pytest.raises(NotFound) as missing:
        g.desk.artifact(CAR, two, found.filename)
    assert missing.value.code == "artifact.content"


def test_quotas_of_assignments(g: Garage, monkeypatch: pytest.MonkeyPatch) -> None:
    g.enter(*VINS[:3])
    release = g.release("1")
    with pytest.raises(Refused) as error:
        g.assign(release, *(f"car-{number}" for number in range(5001)))
    assert error.value.code == "quota.assignments"
    made = g.assigned(release, *VINS[:3], "nobody", VINS[0])
    assert (len(made.actions), made.already, made.unknown) == (3, 0, ["nobody"])
    monkeypatch.setattr(assigning, "ACTIONS_PER_TARGET", 1)
    with pytest.raises(Refused) as error:
        g.assign(g.release("2"), CAR)
    assert error.value.code == "quota.actions"
    assert g.target(CAR).assigned == release


def test_many_cars_at_once(g: Garage) -> None:
    """More than one statement takes, with a part that is not full."""
    names = [f"car-{number}" for number in range(1203)]
    with g.state.change() as change:
        for name in names:
            registry.register(change, name, "", g.at)
    g.catch_up()
    first, second = g.release("1"), g.release("2")
    made = g.assigned(first, *names[:1201])
    assert sorted(made.actions) == sorted(names[:1201])
    assert len(set(made.actions.values())) == 1201
    made = g.assigned(second, *names)
    assert len(made.actions) == 1203
    counted = g.state.rows(
        "SELECT status, active, COUNT(*) FROM actions GROUP BY status, active ORDER BY status"
    )
    assert counted == [("canceling", 1, 1201), ("running", 1, 1203)]
    assert g.state.rows("SELECT COUNT(*) FROM action_statuses") == [(1201 + 1201 + 1203,)]
    changed = g.catch_up()
    assert set(names) <= set(changed)


def test_what_runs_already(g: Garage) -> None:
    g.enter(CAR, OTHER, THIRD)
    first, second = g.release("1"), g.release("2")
    installed = messages.InstalledBase(name="su7", version="1")
    assert g.settled(g.desk.put_installed(CAR, installed)) is True
    assert g.settled(g.desk.put_installed(CAR, installed)) is False
    target = g.target(CAR)
    assert (target.installed, target.assigned, target.status) == (first, first, TargetStatus.IN_SYNC)
    assert "installedBase" in g.base(CAR)
    assert len(g.facts(CAR)) == 1
    unknown = messages.InstalledBase(name="su7", version="9")
    refused(g, "set.unknown", g.desk.put_installed, CAR, unknown)
    refused(g, "target.unknown", g.desk.put_installed, "nobody", installed)
    # One that waits for something is left alone.
    (waiting,) = g.assign(second, OTHER)
    with g.state.change() as change:
        made = assigning.assign_offline(change, first, [OTHER, THIRD, "nobody"], g.at)
    assert (list(made.actions), made.already, made.unknown) == ([THIRD], 1, ["nobody"])
    assert g.action(waiting).active


def test_giving_up_on_silent_cars(g: Garage) -> None:
    g.enter(CAR, OTHER)
    release = g.release("1")
    silent, done = g.assign(release, CAR, OTHER)
    g.say(OTHER, done, "closed", "success")
    with g.state.change() as change:
        assert steering.give_up(change, [silent, done], Outcome.SILENT, ["no word for a day"], g.at) == 1
    assert (g.target(CAR).status, g.action(silent).outcome) == (TargetStatus.ERROR, Outcome.SILENT)
    assert g.facts(CAR)[0].body.outcome == "silent"  # type: ignore[attr-defined]
    refused(g, "action.closed", g.desk.feedback, CAR, silent, feedback("closed", "success"))
    # The same set is given anew.
    assert g.assign(release, CAR)[0] > done


def test_what_is_being_cancelled_is_not_had_already(g: Garage) -> None:
    g.enter(CAR)
    release = g.release("1")
    (first,) = g.assign(release, CAR)
    assert g.assigned(release, CAR).actions == {}
    with g.state.change() as change:
        steering.cancel(change, first, g.at)
    (second,) = g.assign(release, CAR)
    assert second != first
    assert g.assigned(release, CAR).actions == {}  # once is enough
    g.answer(CAR, first, "closed", "success")
    target = g.target(CAR)
    assert (target.assigned, target.status) == (release, TargetStatus.PENDING)
    assert not g.action(first).active
    assert g.action(second).active
