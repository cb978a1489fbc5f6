"""What cars say about actions, each in a change, and how actions end."""

from __future__ import annotations

from collections.abc import Callable

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes, outcomes
from driveaway.updates.actions import log
from driveaway.updates.actions.machine import (
    Report,
    Transition,
    is_final,
    transition,
    transition_of_cancel,
    transition_of_confirmation,
)
from driveaway.updates.model import Action, ActionStatus, Outcome, Target, TargetStatus
from driveaway.updates.registry import target_named
from driveaway.updates.rows import ACTION, TARGET, TARGET_WIDTH, action_of, target_of
from driveaway.values.errors import NotFound

Rule = Callable[[Action, Report], Transition]
_WITH_TARGET = (
    f"SELECT {TARGET}, {ACTION} FROM actions a JOIN targets t ON t.id = a.target WHERE a.id = :action"
)


def find(reading: Reading, action_id: int, controller_id: str | None = None) -> tuple[Target, Action]:
    """An action with its car.

    Raises:
        NotFound: there is none, or it is another car's.
    """
    rows = reading.rows(_WITH_TARGET, action=action_id)
    if rows:
        target, action = target_of(rows[0][:TARGET_WIDTH]), action_of(rows[0][TARGET_WIDTH:])
        if controller_id in (None, target.controller_id):
            return target, action
    raise NotFound(f"there is no action {action_id}", code="action.unknown", remedy="poll for what is there")


def take_report(
    change: Change, controller_id: str, action_id: int, report: Report, at: int, *, simulated: bool = False
) -> None:
    """Take what a car says about a deployment; a report that is sent again adds nothing.

    Raises:
        NotFound: no such action of this car, or it waits.
        Refused: it is closed (``action.closed``), or its log is full (``quota.statuses``).
    """
    _take(change, controller_id, action_id, report, at, transition, simulated)


def take_cancel_report(
    change: Change, controller_id: str, action_id: int, report: Report, at: int, *, simulated: bool = False
) -> None:
    """Take what a car says about a cancellation.

    Raises:
        NotFound: no such action of this car.
        Refused: it is closed, nobody asked to cancel it, or its log is full.
    """
    _take(change, controller_id, action_id, report, at, transition_of_cancel, simulated)


def _take(
    change: Change,
    controller_id: str,
    action_id: int,
    report: Report,
    at: int,
    rule: Rule,
    simulated: bool,
) -> None:
    target, action = find(change, action_id, controller_id)
    known = log.known(change, action.id, report.digest)
    if known.repeated:
        return
    done = rule(action, report)
    if not is_final(report):
        log.check_quota(known.entries)
    messages = list(report.messages) or [done.note]
    if report.code is not None:
        messages.append(f"status code {report.code}")
    log.add(change, action.id, done.said, at, messages, report=report)
    if done.outcome is not None:
        close(change, target, action, done.status, done.outcome, at, code=report.code, simulated=simulated)
        change.run(
            "UPDATE actions SET heard = :at, begun = COALESCE(begun, :at) WHERE id = :id", at=at, id=action.id
        )
        return
    code = action.last_code if report.code is None else report.code
    change.run(
        "UPDATE actions SET status = :status, heard = :at, begun = COALESCE(begun, :at), last_code = :code,"
        " modified = :at WHERE id = :id",
        status=done.status.value,
        at=at,
        code=code,
        id=action.id,
    )
    begun = action.heard is None and action.window_schedule != ""
    if begun or (action.status is ActionStatus.CANCELING) != (done.status is ActionStatus.CANCELING):
        changes.tell(change, (target.id,), at)


def close(
    change: Change,
    target: Target,
    action: Action,
    status: ActionStatus,
    outcome: Outcome,
    at: int,
    *,
    code: int | None = None,
    simulated: bool = False,
) -> None:
    """Close an action: the car's state follows, and the outcome is appended as a fact."""
    change.run(
        "UPDATE actions SET status = :status, active = 0, outcome = :outcome, modified = :at,"
        " last_code = COALESCE(:code, last_code) WHERE id = :id",
        status=status.value,
        outcome=outcome.value,
        at=at,
        code=code,
        id=action.id,
    )
    fields = _after(change, target, action, outcome, at)
    setting = ", ".join(f"{name} = :{name}" for name in fields)
    change.run(f"UPDATE targets SET {setting} WHERE id = :id", id=target.id, **fields)
    changes.tell(change, (target.id,), at)
    outcomes.append_finished(change, target, action, outcome, at, code=code, simulated=simulated)


def _after(
    change: Change, target: Target, action: Action, outcome: Outcome, at: int
) -> dict[str, int | str | None]:
    """What an outcome changes of the car; while another action goes on, it stays pending."""
    fields: dict[str, int | str | None] = {"modified": at}
    following = change.rows(
        "SELECT distribution_set FROM actions WHERE target = :target AND active = 1"
        " ORDER BY weight DESC, id LIMIT 1",
        target=target.id,
    )
    assigned, status = target.assigned, TargetStatus.IN_SYNC
    match outcome:
        case Outcome.INSTALLED:
            fields |= {
                "installed": action.distribution_set,
                "installed_at": at,
                "installed_action": action.id,
                "attributes_requested": 1,
            }
            assigned = assigned if following else action.distribution_set
        case Outcome.DOWNLOADED:
            fields["attributes_requested"] = 1
        case Outcome.SKIPPED:
            fields["attributes_requested"] = 1
            assigned = following[0][0] if following else target.installed
        case Outcome.CANCELLED:
            assigned = following[0][0] if following else target.installed
        case _:
            assigned, status = (following[0][0] if following else None), TargetStatus.ERROR
    if following:
        status = TargetStatus.PENDING
    return fields | {"assigned": assigned, "status": status.value}


def confirm(
    change: Change,
    controller_id: str,
    action_id: int,
    confirmed: bool,
    at: int,
    *,
    report: Report,
) -> None:
    """Take a car's confirmation or its denial; one that is sent again adds nothing.

    Raises:
        NotFound: no such action of this car, or it waits for none.
        Refused: it is closed, or its log is full.
    """
    target, action = find(change, action_id, controller_id)
    known = log.known(change, action.id, report.digest)
    if known.repeated:
        return
    done = transition_of_confirmation(action, confirmed)
    log.check_quota(known.entries)
    log.add(change, action.id, done.said, at, [*report.messages, done.note], report=report)
    set_status(change, action, done.status, at)
    if done.status is not action.status:
        changes.tell(change, (target.id,), at)


def auto_confirm(change: Change, controller_id: str, at: int, *, initiator: str, remark: str) -> None:
    """Confirm whatever comes for a car without asking, and what waits now.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(change, controller_id)
    if not target.auto_confirm:
        change.run(
            "UPDATE targets SET auto_confirm = 1, auto_confirm_initiator = :initiator,"
            " auto_confirm_remark = :remark, auto_confirm_at = :at, modified = :at WHERE id = :id",
            initiator=initiator,
            remark=remark,
            at=at,
            id=target.id,
        )
    rows = change.rows(
        f"SELECT {ACTION} FROM actions a WHERE a.target = :target AND a.active = 1 AND a.status = :status",
        target=target.id,
        status=ActionStatus.WAIT_FOR_CONFIRMATION.value,
    )
    for row in rows:
        action = action_of(row)
        log.add(change, action.id, ActionStatus.RUNNING, at, ["confirmed without asking"])
        set_status(change, action, ActionStatus.RUNNING, at)
    changes.tell(change, (target.id,), at)


def ask_to_confirm(change: Change, controller_id: str, at: int) -> None:
    """Let a car confirm each action again.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(change, controller_id)
    change.run(
        "UPDATE targets SET auto_confirm = 0, auto_confirm_initiator = '', auto_confirm_remark = '',"
        " auto_confirm_at = NULL, modified = :at WHERE id = :id",
        at=at,
        id=target.id,
    )
    changes.tell(change, (target.id,), at)


def mark_retrieved(change: Change, action_id: int, at: int) -> None:
    """Note, once, that the car fetched what it is to do."""
    rows = change.rows(f"SELECT {ACTION} FROM actions a WHERE a.id = :id", id=action_id)
    action = action_of(rows[0]) if rows else None
    if action is None or action.status is not ActionStatus.RUNNING or action.heard is not None:
        return
    log.add(change, action.id, ActionStatus.RETRIEVED, at, ["the car fetched what it is to do"])
    set_status(change, action, ActionStatus.RETRIEVED, at)


def set_status(change: Change, action: Action, status: ActionStatus, at: int) -> None:
    """Put an action into another state that it goes on in."""
    change.run(
        "UPDATE actions SET status = :status, modified = :at WHERE id = :id",
        status=status.value,
        at=at,
        id=action.id,
    )
