"""The state machine of an action: what a car says leads from one state to the next. Pure.

The table is that of Eclipse hawkBit's Direct Device Integration API, version 1. It differs in two points,
so that nothing counts as installed that was not: an action that asks for a download alone and is closed
as a success before any download was reported is ``skipped`` (SWUpdate closes such actions so), and
``canceled`` closes an action that nobody asked to cancel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from driveaway.updates.model import Action, ActionStatus, ActionType, Outcome
from driveaway.values.errors import NotFound, Refused


class Execution(StrEnum):
    """What a car says it does."""

    CLOSED = "closed"
    PROCEEDING = "proceeding"
    CANCELED = "canceled"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    RESUMED = "resumed"
    DOWNLOADED = "downloaded"
    DOWNLOAD = "download"


class Finished(StrEnum):
    """With what result a car closes an action."""

    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a car said about an action.

    ``reported`` is the car's own time in microseconds, ``digest`` tells a report that is sent again from a
    new one.
    """

    execution: Execution
    finished: Finished = Finished.NONE
    code: int | None = None
    messages: tuple[str, ...] = ()
    reported: int | None = None
    digest: str = ""


class Transition(msgspec.Struct, frozen=True, gc=False):
    """What a report leads to.

    Attributes:
        said: the state that the message about it is kept under.
        status: the action's state from now on.
        active: whether it still goes on.
        outcome: how it ended, None while it goes on.
        note: what happened, in words, for the action's log.
    """

    said: ActionStatus
    status: ActionStatus
    active: bool = True
    outcome: Outcome | None = None
    note: str = ""


_UNDER_WAY: Final = {
    Execution.PROCEEDING: (ActionStatus.RUNNING, "the car is at it"),
    Execution.SCHEDULED: (ActionStatus.RUNNING, "the car will do it later"),
    Execution.RESUMED: (ActionStatus.RUNNING, "the car took it up again"),
    Execution.DOWNLOAD: (ActionStatus.DOWNLOAD, "the car began to download"),
    Execution.DOWNLOADED: (ActionStatus.DOWNLOADED, "the car has downloaded it"),
    Execution.REJECTED: (ActionStatus.WARNING, "the car rejected it"),
}


def is_final(report: Report) -> bool:
    """Whether a report says how the action ended; such a one is taken beyond the quota of messages."""
    return report.execution in (Execution.CLOSED, Execution.CANCELED)


def transition(action: Action, report: Report) -> Transition:
    """Where feedback about a deployment leads.

    Raises:
        NotFound: the action waits for the car's confirmation, or for its time.
        Refused: the action is closed.
    """
    if action.status in (ActionStatus.WAIT_FOR_CONFIRMATION, ActionStatus.SCHEDULED):
        raise not_yet(action)
    fetched = action.status is ActionStatus.DOWNLOADED and action.type is ActionType.DOWNLOAD_ONLY
    if not action.active:
        # A car may install later what it only had to download, and say so once.
        if not (fetched and report.execution is Execution.CLOSED):
            raise closed(action)
        return _closed(report, Outcome.INSTALLED, "the car installed what it had downloaded")
    if report.execution is Execution.CLOSED:
        if action.type is ActionType.DOWNLOAD_ONLY:
            return _closed(report, Outcome.SKIPPED, "closed without a report of the download")
        return _closed(report, Outcome.INSTALLED, "the car closed it as a success")
    if report.execution is Execution.CANCELED:
        said = ActionStatus.CANCELED
        return Transition(said, said, False, Outcome.CANCELLED, "the car cancelled it")
    said, note = _UNDER_WAY[report.execution]
    if said is ActionStatus.DOWNLOADED and action.type is ActionType.DOWNLOAD_ONLY:
        return Transition(said, said, False, Outcome.DOWNLOADED, note)
    # A cancellation under way stays one until the car answers it.
    status = action.status if action.status is ActionStatus.CANCELING else said
    return Transition(said, status, note=note)


def transition_of_cancel(action: Action, report: Report) -> Transition:
    """Where feedback about a cancellation leads.

    Raises:
        Refused: the action is closed, or nobody asked to cancel it.
    """
    if not action.active:
        raise closed(action)
    if action.status is not ActionStatus.CANCELING:
        raise Refused(
            f"nobody asked to cancel action {action.id}",
            code="action.not_canceling",
            remedy="poll, and follow the links offered",
        )
    running, warning = ActionStatus.RUNNING, ActionStatus.WARNING
    if report.execution is Execution.CLOSED:
        if report.finished is Finished.FAILURE:
            return Transition(ActionStatus.ERROR, running, note="the car could not cancel it")
        said = ActionStatus.CANCELED
        return Transition(said, said, False, Outcome.CANCELLED, "the car cancelled it")
    if report.execution is Execution.REJECTED:
        return Transition(ActionStatus.CANCEL_REJECTED, running, note="the car goes on with it")
    if report.execution is Execution.CANCELED:
        return Transition(warning, action.status, note="a cancellation cannot be cancelled")
    return Transition(running, action.status, note="the car is at the cancellation")


def transition_of_confirmation(action: Action, confirmed: bool) -> Transition:
    """Where a confirmation, or its denial, leads.

    Raises:
        Refused: the action is closed.
        NotFound: it does not wait for a confirmation.
    """
    if not action.active:
        raise closed(action)
    waiting = ActionStatus.WAIT_FOR_CONFIRMATION
    if action.status is not waiting:
        raise NotFound(
            f"action {action.id} waits for no confirmation",
            code="action.not_waiting",
            remedy="poll, and follow the links offered",
        )
    if confirmed:
        return Transition(ActionStatus.RUNNING, ActionStatus.RUNNING, note="confirmed")
    return Transition(waiting, waiting, note="denied; it goes on waiting")


def closed(action: Action) -> Refused:
    """The action takes no further feedback."""
    return Refused(f"action {action.id} is closed", code="action.closed", remedy="poll for what is next")


def not_yet(action: Action) -> NotFound:
    """The action is not open to the car yet."""
    return NotFound(
        f"action {action.id} waits", code="action.waiting", remedy="poll, and follow the links offered"
    )


def _closed(report: Report, outcome: Outcome, note: str) -> Transition:
    if report.finished is Finished.FAILURE:
        return Transition(
            ActionStatus.ERROR, ActionStatus.ERROR, False, Outcome.FAILED, "the car closed it as a failure"
        )
    return Transition(ActionStatus.FINISHED, ActionStatus.FINISHED, False, outcome, note)
