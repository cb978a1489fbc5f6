"""The desk of cars, end to end, on both stores: what is asked, said, kept and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driveaway.launch.launch import Launch
from driveaway.updates import assigning, changes, labels, registry, sets, software
from driveaway.updates.actions import acting, log, steering
from driveaway.updates.assigning import Terms, Window
from driveaway.updates.configuration import configure, reset
from driveaway.updates.ddi import messages
from driveaway.updates.ddi.credentials import NOTHING, Credential
from driveaway.updates.ddi.desk import EVERYONE
from driveaway.updates.model import ActionStatus, ActionType, Outcome, TargetStatus
from driveaway.updates.seen import LastSeen
from driveaway.values.clock import HOUR, SECOND
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.stores.garage import VINS, Garage, feedback, garage

CAR, OTHER, THIRD = VINS[:3]


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        yield made


def refused(g: Garage, code: str, *what: Any) -> None:
    """That something said by a car fails with this code."""
    ask, *arguments = what
    error = ask(*arguments).exception(10)
    assert isinstance(error, Refused | NotFound | BadValue), error
    assert error.code == code


def config(g: Garage, car: str, mode: str | None = None, **data: Any) -> None:
    body = {"data": data} | ({} if mode is None else {"mode": mode})
    g.settled(g.desk.put_attributes(car, messages.convert(messages.ConfigData, body)))


# --- cars ------------------------------------------------------------------------------------------


def test_a_car_enters_itself_with_its_first_poll(g: Garage) -> None:
    polled = g.desk.base(CAR, g.links(CAR), "192.0.2.9")
    assert polled.document.config.polling.sleep == "00:05:00"
    assert list(polled.document.links) == ["configData"]
    assert polled.valid_until is not None
    assert polled.valid_until > g.at
    g.settled()
    assert list(g.base(CAR)) == ["configData"]
    target = g.target(CAR)
    assert (target.status, target.address, target.polled) == (TargetStatus.REGISTERED, "192.0.2.9", g.at)
    assert len(target.security_token) == 32
    assert len(g.state.rows("SELECT id FROM targets")) == 1
    assert g.catch_up() == [CAR]
    assert g.catch_up() == []
    config(g, CAR, device="su7")
    assert g.base(CAR) == {}
    with pytest.raises(BadValue):
        g.desk.base("a b", g.links("a b"), "")


def test_attributes(g: Garage) -> None:
    g.enter(CAR)
    config(g, CAR, a="1", b="2")
    config(g, CAR, b="3", c=None, d=True)
    assert registry.attributes(g.state, g.target(CAR).id) == {"a": "1", "b": "3", "d": "true"}
    config(g, CAR, "replace", x="y")
    config(g, CAR, "merge", z="")
    config(g, CAR, "remove", x="whatever", nothing="")
    assert registry.attributes(g.state, g.target(CAR).id) == {"z": ""}
    many = {f"k{number}": "v" for number in range(100)}
    too_many = messages.ConfigData(data={**many})
    refused(g, "quota.attributes", g.desk.put_attributes, CAR, too_many)
    assert registry.attributes(g.state, g.target(CAR).id) == {"z": ""}
    config(g, CAR, "replace", **many)
    assert len(registry.attributes(g.state, g.target(CAR).id)) == 100
    for data in ({"": "x"}, {"k" * 129: "x"}, {"k": "v" * 129}, {"k\x00": "x"}, {"k": "\x1b[31m"}):
        error = g.desk.put_attributes(CAR, messages.ConfigData(data=data)).exception(10)
        assert isinstance(error, BadValue)
        assert error.code.startswith("attribute.")
    refused(g, "target.unknown", g.desk.put_attributes, OTHER, messages.ConfigData(data={}))


def test_last_polls_are_written_in_batches(g: Garage) -> None:
    g.enter(*VINS[:5])
    seen = LastSeen(g.together, seconds=3600, most=3)
    seen.add(VINS[0], "192.0.2.1", g.at + 5)
    seen.add(VINS[0], "192.0.2.2", g.at + 6)
    seen.add(VINS[1], "192.0.2.1", g.at + 6)
    g.settled()
    assert g.target(VINS[0]).polled is None
    seen.add("nobody", "192.0.2.1", g.at)
    g.settled()
    first = g.target(VINS[0])
    assert (first.polled, first.address, first.status) == (g.at + 6, "192.0.2.2", TargetStatus.REGISTERED)
    seen.add(VINS[0], "192.0.2.3", g.at + 1)
    seen.add(VINS[2], "192.0.2.3", g.at + 1)
    seen.close()
    assert g.target(VINS[0]).polled == g.at + 6
    assert g.target(VINS[2]).polled == g.at + 1
    g.desk.seen(VINS[3], "192.0.2.4", g.at + 9)
    g.desk.close()
    assert g.target(VINS[3]).polled == g.at + 9


def test_cars_are_entered_amended_tagged_and_taken_out(g: Garage) -> None:
    with g.state.change() as change:
        made = registry.create(change, CAR, g.at, name="first", token="A" * 32)
        assert (made.status, made.security_token) == (TargetStatus.UNKNOWN, "A" * 32)
        with pytest.raises(Conflict):
            registry.create(change, CAR, g.at)
        for token in ("short", "A" * 129, "A" * 31 + "-"):
            with pytest.raises(BadValue):
                registry.create(change, OTHER, g.at, token=token)
        registry.create(change, OTHER, g.at)
        amended = registry.amend(change, CAR, g.at, name="second", target_group="vip")
        assert (amended.name, amended.target_group) == ("second", "vip")
        assert labels.tag(change, "beta", [CAR, OTHER, "nobody"], g.at) == 2
        assert labels.tag(change, "beta", [CAR], g.at) == 0
        assert labels.untag(change, "beta", [OTHER]) == 1
        labels.set_metadata(change, CAR, {"a": "1", "b": "2"}, g.at)
        labels.set_metadata(change, CAR, {"a": None, "b": "3"}, g.at)
    assert labels.tags(g.state, g.target(CAR).id) == ["beta"]
    assert labels.metadata(g.state, g.target(CAR).id) == {"b": "3"}
    (action,) = g.assign(g.release("1"), CAR)
    g.catch_up()
    with g.state.change() as change:
        registry.delete(change, CAR, g.at)
    assert g.catch_up() == [EVERYONE]
    for table in ("actions", "action_statuses", "target_tags", "target_metadata"):
        assert g.state.rows(f"SELECT * FROM {table}") == []
    with pytest.raises(NotFound):
        acting.find(g.state, action)


def test_credentials(g: Garage) -> None:
    g.enter(CAR, OTHER)
    own = Credential("target-token", g.target(CAR).security_token)
    admits = g.desk.authenticate
    for _ in range(2):
        assert admits(CAR, own)
        assert not admits(OTHER, own)
        assert not admits("nobody", Credential("target-token", ""))
        assert not admits(CAR, NOTHING)
    gateway = Credential("gateway-token", "g" * 32)
    certificate = Credential("certificate", CAR, ("DEADBEEF", "12345678"))
    assert not admits(CAR, gateway)
    assert not admits(CAR, certificate)
    g.set("authentication.gatewaytoken.enabled", True)
    assert not admits(CAR, Credential("gateway-token", ""))
    g.set("authentication.gatewaytoken.key", "g" * 32)
    assert admits("new car", gateway)
    assert not admits(CAR, Credential("gateway-token", "h" * 32))
    g.set("authentication.header.enabled", True)
    assert not admits(CAR, certificate)
    g.set("authentication.header.authority", "00000000, deadbeef")
    assert admits(CAR, certificate)
    assert not admits(OTHER, certificate)
    assert not admits(CAR, Credential("certificate", CAR, ("12345678",)))
    with g.state.change() as change:
        registry.amend(change, CAR, g.at, security_token="N" * 40)
    g.catch_up()
    assert not admits(CAR, own)
    assert admits(CAR, Credential("target-token", "N" * 40))
    g.set("authentication.targettoken.enabled", False)
    assert not admits(CAR, Credential("target-token", "N" * 40))
    assert not admits(CAR, NOTHING, download=True)
    g.set("anonymous.download.enabled", True)
    assert admits(CAR, NOTHING, download=True)
    assert not admits(CAR, NOTHING)
    g.set("authentication.anonymous.enabled", True)
    assert admits(CAR, NOTHING)


def test_settings(g: Garage) -> None:
    g.set("pollingTime", "00:01:00")
    assert g.desk.base(CAR, g.links(CAR), "").document.config.polling.sleep == "00:01:00"
    with g.state.change() as change:
        for key, value, error in (
            ("pollingTime", "soon", BadValue),
            ("pollingTime", 5, BadValue),
            ("maintenanceWindowPollCount", True, BadValue),
            ("nothing", 1, NotFound),
        ):
            with pytest.raises(error):
                configure(change, key, value, g.at)
        reset(change, "pollingTime", g.at)
    assert EVERYONE in g.catch_up()
    assert g.desk.configuration.text("pollingTime") == "00:05:00"


# --- from an assignment to what runs -----------------------------------------------------------------


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


# --- which action a car sees -----------------------------------------------------------------------


def test_a_new_assignment_asks_the_older_one_to_stop(g: Garage) -> None:
    g.enter(CAR)
    first, second = g.release("1"), g.release("2")
    (old,) = g.assign(first, CAR)
    assert g.assigned(first, CAR).already == 1
    (new,) = g.assign(second, CAR)
    assert g.action(old).status is ActionStatus.CANCELING
    assert list(g.base(CAR)) == ["cancelAction", "configData"]
    with pytest.raises(NotFound):
        g.desk.deployment(CAR, old, 0, g.links(CAR))
    assert g.desk.cancellation(CAR, old).cancel_action.stop_id == str(old)
    with pytest.raises(NotFound):
        g.desk.cancellation(CAR, new)
    g.answer(CAR, old, "closed", "success")
    assert g.target(CAR).status is TargetStatus.PENDING
    assert list(g.base(CAR)) == ["deploymentBase", "configData"]
    g.say(CAR, new, "closed", "success")
    assert g.target(CAR).installed == second


def test_a_car_that_finishes_what_it_was_to_cancel(g: Garage) -> None:
    g.enter(CAR)
    first, second = g.release("1"), g.release("2")
    (old,) = g.assign(first, CAR)
    (new,) = g.assign(second, CAR)
    g.say(CAR, old, "closed", "success")
    target = g.target(CAR)
    assert (target.installed, target.assigned, target.status) == (first, second, TargetStatus.PENDING)
    assert "deploymentBase" in g.base(CAR)
    g.say(CAR, new, "closed", "failure")
    assert (g.target(CAR).installed, g.target(CAR).status) == (first, TargetStatus.ERROR)


def test_a_car_that_will_not_cancel_may_be_asked_again(g: Garage) -> None:
    g.enter(CAR)
    (action,) = g.assign(g.release("1"), CAR)
    for round_ in range(2):
        with g.state.change() as change:
            assert steering.cancel(change, action, g.at, by="me") is ActionStatus.CANCELING
            with pytest.raises(Refused):
                steering.cancel(change, action, g.at)
        # In the same words each time.
        g.answer(CAR, action, "rejected")
        assert g.action(action).status is ActionStatus.RUNNING
        refused(g, "action.not_canceling", g.desk.cancel_feedback, CAR, action, feedback("closed"))
        assert len(log.entries(g.state, action)) == 3 + 2 * round_
    with g.state.change() as change:
        with pytest.raises(Refused):
            steering.cancel(change, action, g.at, force=True)
        steering.cancel(change, action, g.at)
        assert steering.cancel(change, action, g.at, force=True) is ActionStatus.CANCELED
        with pytest.raises(Refused) as error:
            steering.cancel(change, action, g.at)
        assert error.value.code == "action.closed"
    assert (g.target(CAR).status, g.target(CAR).assigned) == (TargetStatus.IN_SYNC, None)
    assert g.facts(CAR)[0].body.outcome == "cancelled"  # type: ignore[attr-defined]


def test_running_actions_are_closed_at_once_where_the_launch_is_set_so(g: Garage) -> None:
    g.enter(CAR)
    g.set("repository.actions.autoclose.enabled", True)
    (old,) = g.assign(g.release("1"), CAR)
    second = g.release("2")
    (new,) = g.assign(second, CAR)
    assert g.action(old).status is ActionStatus.CANCELED
    refused(g, "action.closed", g.desk.feedback, CAR, old, feedback("proceeding"))
    assert g.base(CAR)["deploymentBase"].split("?")[0].endswith(f"/{new}")
    assert (g.target(CAR).assigned, g.target(CAR).status) == (second, TargetStatus.PENDING)


def test_weights_decide_between_several_assignments(g: Garage) -> None:
    g.enter(CAR)
    g.set("multi.assignments.enabled", True)
    light = g.assign(g.release("1"), CAR, weight=10)[0]
    heavy = g.assign(g.release("2"), CAR, weight=900)[0]
    later = g.assign(g.release("3"), CAR, weight=900)[0]
    for expected in (heavy, later, light):
        assert f"/deploymentBase/{expected}?" in g.base(CAR)["deploymentBase"]
        g.say(CAR, expected, "closed", "success")
    assert "deploymentBase" not in g.base(CAR)
    assert g.target(CAR).status is TargetStatus.IN_SYNC
    for weight in (-1, 1001):
        with pytest.raises(BadValue):
            Terms(weight=weight)


def test_confirmations(g: Garage) -> None:
    g.enter(CAR, OTHER)
    g.set("user.confirmation.flow.enabled", True)
    release = g.release("1")
    (action,) = g.assign(release, CAR)
    assert list(g.base(CAR)) == ["confirmationBase", "configData"]
    with pytest.raises(NotFound):
        g.desk.deployment(CAR, action, 0, g.links(CAR))
    refused(g, "action.waiting", g.desk.feedback, CAR, action, feedback("proceeding"))
    assert g.desk.confirmation(CAR, action, g.links(CAR)).id == str(action)
    base = g.desk.confirmation_base(CAR, g.links(CAR))
    assert sorted(base.links) == ["activateAutoConfirm", "confirmationBase"]

    def answer(word: str) -> messages.ConfirmationFeedback:
        return messages.ConfirmationFeedback(confirmation=word, details=("why",))

    for _ in range(2):
        g.settled(g.desk.confirm(CAR, action, answer("denied")))
    assert g.action(action).status is ActionStatus.WAIT_FOR_CONFIRMATION
    assert len(log.entries(g.state, action)) == 2
    for _ in range(2):
        g.settled(g.desk.confirm(CAR, action, answer("confirmed")))
    assert list(g.base(CAR)) == ["deploymentBase", "configData"]
    refused(
        g,
        "action.not_waiting",
        g.desk.confirm,
        CAR,
        action,
        messages.ConfirmationFeedback(confirmation="denied"),
    )
    with pytest.raises(NotFound):
        g.desk.confirmation(CAR, action, g.links(CAR))
    g.say(CAR, action, "closed", "success")
    late = messages.ConfirmationFeedback(confirmation="denied")
    refused(g, "action.closed", g.desk.confirm, CAR, action, late)
    # Without being asked.
    (waiting,) = g.assign(release, OTHER)
    g.settled(g.desk.activate_auto_confirm(OTHER, messages.AutoConfirmRequest(initiator="owner")))
    assert g.action(waiting).status is ActionStatus.RUNNING
    told = g.desk.confirmation_base(OTHER, g.links(OTHER))
    assert (told.auto_confirm.active, told.auto_confirm.initiator) == (True, "owner")
    (next_one,) = g.assign(g.release("2"), OTHER)
    assert g.action(next_one).status is ActionStatus.RUNNING
    g.settled(g.desk.deactivate_auto_confirm(OTHER))
    assert not g.desk.confirmation_base(OTHER, g.links(OTHER)).auto_confirm.active
    # A manager may waive it.
    (waived,) = g.assign(g.release("3"), OTHER, confirmation=False)
    assert g.action(waived).status is ActionStatus.RUNNING


def test_a_closed_window_withholds_until_the_car_has_begun(g: Garage) -> None:
    g.enter(CAR)
    window = Window("0 0 3 ? * *", "01:00:00", "+08:00")
    g.windows[window.schedule] = (False, g.at + HOUR)
    (action,) = g.assign(g.release("1"), CAR, window=window)
    polled = g.desk.base(CAR, g.links(CAR), "")
    assert list(polled.document.links) == ["configData"]
    assert polled.valid_until == g.at + 60 * SECOND
    with pytest.raises(NotFound):
        g.desk.deployment(CAR, action, 0, g.links(CAR))
    g.at += HOUR
    g.windows[window.schedule] = (True, g.at + HOUR)
    polled = g.desk.base(CAR, g.links(CAR), "")
    assert "deploymentBase" in polled.document.links
    assert polled.valid_until == g.at + HOUR
    document = g.desk.deployment(CAR, action, 0, g.links(CAR))
    assert (document.deployment.update, document.deployment.maintenance_window) == ("forced", "available")
    g.catch_up()
    g.say(CAR, action, "proceeding")
    assert g.catch_up() == [CAR]
    g.at += 2 * HOUR
    g.windows[window.schedule] = (False, g.at + HOUR)
    # It has restarted and looks for its action, to say how it went.
    assert "deploymentBase" in g.base(CAR)
    assert g.desk.deployment(CAR, action, 0, g.links(CAR)).deployment.update == "forced"
    g.say(CAR, action, "closed", "success")
    assert g.target(CAR).status is TargetStatus.IN_SYNC


def test_the_link_changes_when_the_time_to_be_forced_comes(g: Garage) -> None:
    g.enter(CAR)
    due = g.at + HOUR
    (action,) = g.assign(g.release("1"), CAR, type=ActionType.TIME_FORCED, force_time=due)
    before = g.desk.base(CAR, g.links(CAR), "")
    assert before.valid_until == due
    g.at = due
    after = g.desk.base(CAR, g.links(CAR), "")
    assert after.valid_until is None
    assert before.document.links["deploymentBase"] != after.document.links["deploymentBase"]
    with g.state.change() as change:
        steering.force(change, action, g.at)
        steering.force(change, action, g.at)
    assert g.action(action).type is ActionType.FORCED
    with pytest.raises(BadValue):
        Terms(type=ActionType.TIME_FORCED)
    with pytest.raises(BadValue):
        Terms(type=ActionType.SOFT, force_time=1)


# --- assigning -----------------------------------------------------------------------------------------


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


# --- what others hear of ----------------------------------------------------------------------------


def test_changes_are_pruned_without_a_car_missing_them(g: Garage) -> None:
    begun = g.changes
    g.enter(CAR)
    g.at += HOUR
    g.enter(OTHER)
    with g.state.change() as change:
        assert changes.prune(change, g.at) >= 1
    last, changed = g.desk.changed_since(begun)
    assert EVERYONE in changed
    assert OTHER in changed
    assert g.desk.changed_since(last) == (last, [])
    with g.state.change() as change:
        assert changes.prune(change, g.at + HOUR) == 0
    assert g.desk.last_change() == last


def test_progress_alone_tells_nobody(g: Garage) -> None:
    g.enter(CAR)
    (action,) = g.assign(g.release("1"), CAR)
    g.catch_up()
    before = g.base(CAR)
    g.desk.deployment(CAR, action, 0, g.links(CAR))
    g.say(CAR, action, "proceeding")
    g.say(CAR, action, "downloaded")
    assert g.catch_up() == []
    assert g.base(CAR) == before
