"""What is done with actions from here, each in a change: cancelling, forcing, giving up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from driveaway.book.state.state import Change
from driveaway.updates import changes
from driveaway.updates.actions import log
from driveaway.updates.actions.acting import close, find, set_status
from driveaway.updates.actions.machine import closed
from driveaway.updates.model import Action, ActionStatus, ActionType, Outcome
from driveaway.updates.rows import places
from driveaway.values.errors import Refused


def cancel(
    change: Change,
    action_id: int,
    at: int,
    *,
    force: bool = False,
    by: str = "",
    simulated: bool = False,
) -> ActionStatus:
    """Ask the car to cancel an action, or with ``force`` end one whose car does not answer; its new state.

    A scheduled action is cancelled at once.

    Raises:
        NotFound: there is no such action.
        Refused: it is closed, being cancelled already, or forced without having been asked first.
    """
    target, action = find(change, action_id)
    who = f" by {by}" if by else ""
    if action.status is ActionStatus.SCHEDULED:
        # The car knows nothing of it, so nothing has changed for it.
        log.add(change, action.id, ActionStatus.CANCELED, at, [f"cancelled{who} before its time"])
        change.run(
            "UPDATE actions SET status = :status, active = 0, outcome = :outcome, modified = :at"
            " WHERE id = :id",
            status=ActionStatus.CANCELED.value,
            outcome=Outcome.CANCELLED.value,
            at=at,
            id=action.id,
        )
        return ActionStatus.CANCELED
    if not action.active:
        raise closed(action)
    canceling = action.status is ActionStatus.CANCELING
    if force:
        if not canceling:
            raise Refused(
                f"the car has not been asked to cancel action {action_id}",
                code="action.not_canceling",
                remedy="cancel it first; force only where the car does not answer",
            )
        log.add(change, action.id, ActionStatus.CANCELED, at, [f"ended{who} without the car's answer"])
        close(change, target, action, ActionStatus.CANCELED, Outcome.CANCELLED, at, simulated=simulated)
        return ActionStatus.CANCELED
    if canceling:
        raise Refused(
            f"action {action_id} is being cancelled",
            code="action.canceling",
            remedy="wait for the car, or force",
        )
    log.add(change, action.id, ActionStatus.CANCELING, at, [f"cancellation asked for{who}"])
    set_status(change, action, ActionStatus.CANCELING, at)
    changes.tell(change, (target.id,), at)
    return ActionStatus.CANCELING


def force(change: Change, action_id: int, at: int, *, by: str = "") -> None:
    """Make an action forced: the car installs without asking.

    Raises:
        NotFound: there is no such action.
        Refused: it is closed.
    """
    target, action = find(change, action_id)
    if not action.active:
        raise closed(action)
    if action.type is ActionType.FORCED:
        return
    change.run(
        "UPDATE actions SET type = :type, modified = :at WHERE id = :id",
        type=ActionType.FORCED.value,
        at=at,
        id=action.id,
    )
    log.add(change, action.id, action.status, at, [f"forced by {by}" if by else "forced"])
    changes.tell(change, (target.id,), at)


def give_up(
    change: Change,
    action_ids: Iterable[int],
    outcome: Outcome,
    messages: Sequence[str],
    at: int,
    *,
    simulated: bool = False,
) -> int:
    """Close active actions as failures from here: silent cars, cars that fell back; how many were closed."""
    given_up = 0
    for action_id in action_ids:
        target, action = find(change, action_id)
        if not action.active:
            continue
        log.add(change, action.id, ActionStatus.ERROR, at, messages)
        close(change, target, action, ActionStatus.ERROR, outcome, at, simulated=simulated)
        given_up += 1
    return given_up


def end_downloads(
    change: Change, cars: Mapping[str, int], distribution_set: int, at: int, *, simulated: bool = False
) -> None:
    """Close what only asks cars for a download of a set: they go on with it under another action.

    They are not asked to cancel, since that would make them drop what they have. ``cars`` are as of
    ``rows.parts``.
    """
    rows = change.rows(
        "SELECT id FROM actions WHERE active = 1 AND distribution_set = :set AND type = :type"
        f" AND status <> :canceling AND target IN ({places()}) ORDER BY id",
        set=distribution_set,
        type=ActionType.DOWNLOAD_ONLY.value,
        canceling=ActionStatus.CANCELING.value,
        **cars,
    )
    for (action_id,) in rows:
        target, action = find(change, action_id)
        log.add(change, action_id, ActionStatus.CANCELED, at, ["closed: it is to be installed too"])
        close(change, target, action, ActionStatus.CANCELED, Outcome.CANCELLED, at, simulated=simulated)


def fell_back(change: Change, action_id: int, at: int, *, simulated: bool = False) -> bool:
    """Note that a car runs what it ran before an action that it called finished; False: it was verified.

    Raises:
        NotFound: there is no such action.
        Refused: it was never called finished.
    """
    target, action = find(change, action_id)
    if action.outcome is not Outcome.INSTALLED:
        raise Refused(
            f"action {action_id} was not called finished",
            code="action.not_finished",
            remedy="only what was installed can fall back",
        )
    if action.verified:
        return False
    log.add(change, action.id, ActionStatus.ERROR, at, ["the car runs what it ran before"])
    change.run("UPDATE actions SET verified = 0, modified = :at WHERE id = :id", at=at, id=action.id)
    if target.installed_action == action.id:
        earlier = change.rows(
            "SELECT distribution_set, id FROM actions WHERE target = :target AND outcome = :installed"
            " AND id <> :id ORDER BY modified DESC, id DESC LIMIT 1",
            target=target.id,
            installed=Outcome.INSTALLED.value,
            id=action.id,
        )
        runs, brought = earlier[0] if earlier else (None, None)
        change.run(
            "UPDATE targets SET installed = :runs, installed_action = :brought WHERE id = :id",
            runs=runs,
            brought=brought,
            id=target.id,
        )
        target = msgspec.structs.replace(target, installed=runs, installed_action=brought)
    close(change, target, action, ActionStatus.ERROR, Outcome.FELL_BACK, at, simulated=simulated)
    return True


def check_failed(action: Action) -> None:
    """See that an action ended otherwise than it should, so that it can be tried again.

    Raises:
        Refused: it still goes on, or did what it was to do.
    """
    if action.outcome in (None, Outcome.INSTALLED, Outcome.DOWNLOADED):
        raise Refused(
            f"action {action.id} has not failed", code="action.not_failed", remedy="retry what failed"
        )
