"""Which of its actions a car sees, on both stores: cancelling, weights, confirmations, windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.launch import Launch
from driveaway.updates.actions import log, steering
from driveaway.updates.assigning import Terms, Window
from driveaway.updates.ddi import messages
from driveaway.updates.model import ActionStatus, ActionType, TargetStatus
from driveaway.values.clock import HOUR, SECOND
from driveaway.values.errors import BadValue, NotFound, Refused
from tests.stores.garage import VINS, Garage, feedback, garage, refused

CAR, OTHER = VINS[:2]


@pytest.fixture
def g(launch: Launch, tmp_path: Path) -> Iterator[Garage]:
    with garage(launch, tmp_path) as made:
        yield made


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
