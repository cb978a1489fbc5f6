"""Actions: what targets are asked to install, how that stands, and what was said about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates.actions import acting, log, steering
from driveaway.updates.actions.machine import Execution, Report
from driveaway.updates.ddi.timing import window_open
from driveaway.updates.management import amending
from driveaway.updates.management.paging import ACTIONS, read_page
from driveaway.updates.model import Action, ActionMessage, ActionStatus, ActionType
from driveaway.updates.registry import target_named
from driveaway.updates.rows import action_of, parts, places
from driveaway.values.errors import BadValue, Refused
from driveaway.web.http.errors import HttpError
from driveaway.web.management.bodies import ConfirmationBody
from driveaway.web.management.calls import NOTHING, OK, Call, Said, milliseconds, paged, without_nothing

_STOPPED = (ActionStatus.CANCELING, ActionStatus.CANCELED)


class Documents:
    """Documents of actions; names of what they speak of are read once for all of them."""

    def __init__(self, call: Call, reading: Reading, actions: Iterable[Action]) -> None:
        self._call = call
        self._actions = list(actions)
        self._targets = _by_id(
            reading, "id, controller_id, name", "targets", {each.target for each in self._actions}
        )
        self._sets = _by_id(
            reading,
            "id, name, version",
            "distribution_sets",
            {each.distribution_set for each in self._actions},
        )
        self._rollouts = _by_id(
            reading, "id, name", "rollouts", {each.rollout for each in self._actions if each.rollout}
        )

    def all(self, *, details: bool) -> list[dict[str, Any]]:
        """Every action."""
        return [self._one(action, details) for action in self._actions]

    def _one(self, action: Action, details: bool) -> dict[str, Any]:
        controller_id, name = self._targets[action.target]
        link = self._call.link
        own = ("targets", controller_id, "actions", action.id)
        links = {"self": link(*own)}
        rollout = self._rollouts.get(action.rollout or 0)
        if details:
            if action.status in _STOPPED:
                links["canceledaction"] = link(*own)
            release = self._sets[action.distribution_set]
            links["target"] = link("targets", controller_id, name=name)
            links["distributionset"] = link(
                "distributionsets", action.distribution_set, name=f"{release[0]}:{release[1]}"
            )
            links["status"] = self._call.first_page(*own, "status", query="&sort=id%3ADESC")
            if rollout is not None:
                links["rollout"] = link("rollouts", action.rollout or 0, name=rollout[0])
        return without_nothing(
            {
                "id": action.id,
                "createdBy": action.initiated_by or None,
                "createdAt": milliseconds(action.created),
                "lastModifiedAt": milliseconds(action.modified),
                "type": "cancel" if action.status in _STOPPED else "update",
                "status": "pending" if action.active else "finished",
                "detailStatus": action.status.value,
                "active": action.active,
                "forceType": action.type.value,
                "forceTime": milliseconds(action.force_time),
                "weight": action.weight,
                "maintenanceWindow": self._window(action),
                "rollout": action.rollout if rollout is not None else None,
                "rolloutName": rollout[0] if rollout is not None else None,
                "lastStatusCode": action.last_code,
                "externalRef": action.external_ref or None,
                "_links": links,
            }
        )

    def _window(self, action: Action) -> dict[str, Any] | None:
        if not action.window_schedule:
            return None
        found = {
            "schedule": action.window_schedule,
            "duration": action.window_duration,
            "timezone": action.window_timezone,
        }
        opened, changes = window_open(
            action.window_schedule, action.window_duration, action.window_timezone, self._call.at
        )
        return found if opened else without_nothing({**found, "nextStartAt": milliseconds(changes)})


def _by_id(reading: Reading, columns: str, table: str, ids: set[int]) -> dict[int, tuple[Any, ...]]:
    found: dict[int, tuple[Any, ...]] = {}
    for part in parts(ids):
        rows = reading.rows(f"SELECT {columns} FROM {table} WHERE id IN ({places()})", **part)
        found.update({row[0]: tuple(row[1:]) for row in rows})
    return found


def _of_target(reading: Reading, call: Call) -> Action:
    return acting.find(reading, call.number("action"), call.names["target"])[1]


def _document(call: Call, reading: Reading, action: Action) -> Said:
    return Said(OK, Documents(call, reading, [action]).all(details=True)[0])


def listing(call: Call) -> Said:
    """Actions of all targets, page by page, the latest first."""
    rows, total = read_page(call.state, ACTIONS, call.page(), call.at)
    documents = Documents(call, call.state, [action_of(row) for row in rows])
    return paged(documents.all(details=call.full), total)


def get(call: Call) -> Said:
    """One action, whosever it is."""
    return _document(call, call.state, acting.find(call.state, call.number("action"))[1])


def of_target(call: Call) -> Said:
    """Actions of a target, page by page, the latest first."""
    target = target_named(call.state, call.names["target"])
    rows, total = read_page(
        call.state, ACTIONS, call.page(), call.at, "a.target = :target_", target_=target.id
    )
    documents = Documents(call, call.state, [action_of(row) for row in rows])
    return paged(documents.all(details=call.full), total)


def get_of_target(call: Call) -> Said:
    """One action of a target."""
    return _document(call, call.state, _of_target(call.state, call))


def delete_of_target(call: Call) -> Said:
    """Take ended actions of a target out: those named by ``actionIds``, or all but the latest ``keepLast``.

    Raises:
        BadValue: neither is given, or both.
    """
    keep = call.whole("keepLast", -1)
    named = [part.strip() for part in call.query.get("actionIds", "").split(",") if part.strip()]
    if (keep >= 0) == bool(named) or any(not part.isdecimal() or len(part) > 10 for part in named):
        raise BadValue(
            "say which actions are taken out",
            code="management.query",
            remedy="keepLast=10, or actionIds=1,2,3",
        )
    with call.change() as change:
        controller_id = call.names["target"]
        actions = (
            [int(part) for part in named] if named else amending.oldest_actions(change, controller_id, keep)
        )
        if actions:
            amending.delete_actions(change, controller_id, call.at, actions)
    return NOTHING


def cancel(call: Call) -> Said:
    """Ask a target to cancel an action; with ``force=true`` end one whose target does not answer."""
    force = call.switch("force")
    with call.change() as change:
        action = _of_target(change, call)
        steering.cancel(
            change,
            action.id,
            call.at,
            force=force,
            by=call.account.name,
            simulated=call.desk.simulated,
        )
    return NOTHING


def amend(call: Call) -> Said:
    """Make an action forced."""
    if call.body.force_type is not ActionType.FORCED:
        raise BadValue(
            "an action can only be made forced",
            code="action.type",
            field="forceType",
            remedy='{"forceType": "forced"}',
        )
    with call.change() as change:
        action = _of_target(change, call)
        steering.force(change, action.id, call.at, by=call.account.name)
        return _document(call, change, _of_target(change, call))


def confirm(call: Call) -> Said:
    """Confirm an action in the target's stead, or deny it.

    Raises:
        HttpError: it is closed (410).
    """
    said: ConfirmationBody = call.body
    report = Report(
        execution=Execution.PROCEEDING,
        code=said.code,
        messages=(*(said.details or ()), call.words(said.confirmation)),
        digest=f"m{call.at}",
    )
    try:
        with call.change() as change:
            action = _of_target(change, call)
            acting.confirm(
                change,
                call.names["target"],
                action.id,
                said.confirmation == "confirmed",
                call.at,
                report=report,
            )
    except Refused as error:
        if error.code != "action.closed":
            raise
        raise HttpError(error.message, code="http.gone", remedy="nothing waits for it any more") from error
    return NOTHING


def messages(call: Call) -> Said:
    """What was said about an action, the latest first unless ``sort=id:ASC``."""
    action = _of_target(call.state, call)
    page = call.page().bounded()
    order = page.sort.strip().lower().replace(" ", "")
    if order not in ("", "id:desc", "id:asc", "reportedat:desc", "reportedat:asc"):
        raise BadValue(f"{page.sort[:40]!r} is no order here", code="sort.field", remedy="id:ASC or id:DESC")
    entries = log.entries(
        call.state,
        action.id,
        offset=page.offset,
        limit=page.limit,
        newest_first=not order.endswith(":asc"),
    )
    ((total,),) = call.state.rows(
        "SELECT COUNT(*) FROM action_statuses WHERE action = :action", action=action.id
    )
    return paged([_entry(entry) for entry in entries], int(total))


def _entry(entry: ActionMessage) -> dict[str, Any]:
    return without_nothing(
        {
            "id": entry.id,
            "type": entry.status.value,
            "messages": entry.messages,
            "reportedAt": milliseconds(entry.at),
            "timestamp": milliseconds(entry.reported if entry.reported is not None else entry.at),
            "code": entry.code,
        }
    )
