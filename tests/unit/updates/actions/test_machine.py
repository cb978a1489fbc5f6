"""The state machine of actions: the whole table of hawkBit's feedback, and what closes what."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from driveaway.updates.actions.machine import (
    Execution,
    Finished,
    Report,
    is_final,
    transition,
    transition_of_cancel,
    transition_of_confirmation,
)
from driveaway.updates.model import Action, ActionStatus, ActionType, Outcome
from driveaway.values.errors import NotFound, Refused


def action(status: ActionStatus = ActionStatus.RUNNING, **given: Any) -> Action:
    fields: dict[str, Any] = {
        "id": 8,
        "target": 1,
        "distribution_set": 1,
        "type": ActionType.FORCED,
        "active": status not in (ActionStatus.FINISHED, ActionStatus.ERROR, ActionStatus.CANCELED),
        "weight": 1000,
        "force_time": None,
        "window_schedule": "",
        "window_duration": "",
        "window_timezone": "",
        "rollout": None,
        "rollout_group": None,
        "initiated_by": "",
        "external_ref": "",
        "last_code": None,
        "created": 0,
        "modified": 0,
    }
    return Action(status=status, **(fields | given))


def report(execution: str, finished: str = "none") -> Report:
    return Report(execution=Execution(execution), finished=Finished(finished))


@pytest.mark.parametrize(
    ("execution", "finished", "status", "active", "outcome"),
    [
        ("closed", "success", "finished", False, "installed"),
        ("closed", "none", "finished", False, "installed"),
        ("closed", "failure", "error", False, "failed"),
        ("canceled", "none", "canceled", False, "cancelled"),
        ("canceled", "success", "canceled", False, "cancelled"),
        ("download", "none", "download", True, None),
        ("downloaded", "success", "downloaded", True, None),
        ("rejected", "none", "warning", True, None),
        ("proceeding", "none", "running", True, None),
        ("proceeding", "failure", "running", True, None),
        ("scheduled", "none", "running", True, None),
        ("resumed", "none", "running", True, None),
    ],
)
def test_feedback_on_a_deployment(
    execution: str, finished: str, status: str, active: bool, outcome: str | None
) -> None:
    done = transition(action(), report(execution, finished))
    assert (done.said, done.status, done.active) == (status, status, active)
    assert done.outcome == outcome
    assert done.note


@pytest.mark.parametrize(
    ("execution", "finished", "said", "status", "outcome"),
    [
        ("closed", "success", "canceled", "canceled", "cancelled"),
        ("closed", "none", "canceled", "canceled", "cancelled"),
        ("closed", "failure", "error", "running", None),
        ("rejected", "none", "cancel_rejected", "running", None),
        ("canceled", "none", "warning", "canceling", None),
        ("proceeding", "none", "running", "canceling", None),
        ("downloaded", "success", "running", "canceling", None),
    ],
)
def test_feedback_on_a_cancellation(
    execution: str, finished: str, said: str, status: str, outcome: str | None
) -> None:
    done = transition_of_cancel(action(ActionStatus.CANCELING), report(execution, finished))
    assert (done.said, done.status, done.outcome) == (said, status, outcome)
    assert done.active == (outcome is None)


def test_a_download_alone_ends_with_the_download() -> None:
    asked = action(type=ActionType.DOWNLOAD_ONLY)
    done = transition(asked, report("downloaded", "success"))
    assert (done.status, done.active, done.outcome) == ("downloaded", False, "downloaded")
    fetched = action(ActionStatus.DOWNLOADED, type=ActionType.DOWNLOAD_ONLY, active=False)
    later = transition(fetched, report("closed", "success"))
    assert (later.status, later.outcome) == ("finished", "installed")
    with pytest.raises(Refused, match="closed"):
        transition(fetched, report("proceeding"))
    # Downloaded, but not for its own sake: it goes on.
    assert transition(action(ActionStatus.DOWNLOADED), report("closed", "success")).outcome == "installed"


def test_what_was_skipped_is_not_installed() -> None:
    done = transition(action(type=ActionType.DOWNLOAD_ONLY), report("closed", "success"))
    assert (done.status, done.outcome) == ("finished", "skipped")
    failed = transition(action(type=ActionType.DOWNLOAD_ONLY), report("closed", "failure"))
    assert failed.outcome == "failed"


def test_a_cancellation_stays_one_until_the_car_answers_it() -> None:
    asked = action(ActionStatus.CANCELING)
    for execution in ("proceeding", "download", "downloaded", "rejected"):
        done = transition(asked, report(execution))
        assert done.active
        assert done.status is ActionStatus.CANCELING
    # It had been done before it heard of it.
    assert transition(asked, report("closed", "success")).outcome == "installed"


@pytest.mark.parametrize("status", [ActionStatus.FINISHED, ActionStatus.ERROR, ActionStatus.CANCELED])
@pytest.mark.parametrize("execution", list(Execution))
def test_nothing_is_said_of_what_is_closed(status: ActionStatus, execution: Execution) -> None:
    for rule in (transition, transition_of_cancel):
        with pytest.raises(Refused) as refused:
            rule(action(status), Report(execution=execution))
        assert refused.value.code == "action.closed"
    with pytest.raises(Refused) as refused:
        transition_of_confirmation(action(status), True)
    assert refused.value.code == "action.closed"


def test_what_waits_takes_no_feedback() -> None:
    for status in (ActionStatus.WAIT_FOR_CONFIRMATION, ActionStatus.SCHEDULED):
        with pytest.raises(NotFound) as missing:
            transition(action(status), report("proceeding"))
        assert missing.value.code == "action.waiting"


def test_a_cancellation_that_nobody_asked_for() -> None:
    with pytest.raises(Refused) as refused:
        transition_of_cancel(action(), report("closed", "success"))
    assert refused.value.code == "action.not_canceling"


def test_confirmations() -> None:
    waiting = action(ActionStatus.WAIT_FOR_CONFIRMATION)
    assert transition_of_confirmation(waiting, True).status is ActionStatus.RUNNING
    assert transition_of_confirmation(waiting, False).status is ActionStatus.WAIT_FOR_CONFIRMATION
    with pytest.raises(NotFound) as missing:
        transition_of_confirmation(action(), True)
    assert missing.value.code == "action.not_waiting"


def test_every_step_is_consistent() -> None:
    """Whatever is said in whatever state: an action has an outcome exactly when it is over."""
    rules = (transition, transition_of_cancel)
    for rule, status, kind, execution, finished in itertools.product(
        rules, ActionStatus, ActionType, Execution, Finished
    ):
        try:
            done = rule(action(status, type=kind), Report(execution=execution, finished=finished))
        except (NotFound, Refused):
            continue
        assert done.active == (done.outcome is None)
        assert done.active or done.outcome is Outcome.DOWNLOADED or is_final(report(execution))
        assert done.active == (
            done.status not in (ActionStatus.FINISHED, ActionStatus.ERROR, ActionStatus.CANCELED)
            and done.outcome is not Outcome.DOWNLOADED
        )
