"""Rollouts: hawkBit's with its groups and thresholds, and any other as hawkBit's tools can see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates import sets
from driveaway.updates.assigning import HEAVIEST
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.management import amending, counting
from driveaway.updates.management.paging import ROLLOUTS, overdue, read_page
from driveaway.updates.model import ActionType
from driveaway.updates.rollouts import groups, keeping
from driveaway.updates.rollouts.groups import Group
from driveaway.updates.rollouts.plan import Rollout, RolloutPlan
from driveaway.updates.rollouts.thresholds import HawkbitGroup
from driveaway.values.errors import BadValue, NotFound
from driveaway.web.management.bodies import Condition, Conditions, GroupBody, RolloutBody, RolloutChange
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    milliseconds,
    named_document,
    paged,
)

_USUAL: Final = 50
"""Percent: hawkBit's thresholds where none are given."""

# --- what is asked for ---------------------------------------------------------------------------------


def plan_of(body: RolloutBody) -> RolloutPlan:
    """The plan that a request asks for: hawkBit's groups with its thresholds.

    Raises:
        BadValue: what hawkBit would refuse, and rollouts that are forced from a time on or dynamic.
    """
    kind = body.type or ActionType.FORCED
    if kind is ActionType.TIME_FORCED:
        raise BadValue(
            "a rollout is not forced from a time on",
            code="rollout.type",
            field="type",
            remedy="soft, forced or downloadonly",
        )
    if body.dynamic:
        raise BadValue(
            "groups take no further targets once a rollout is planned",
            code="rollout.dynamic",
            field="dynamic",
            remedy="plan another rollout, or let a target filter give the set",
        )
    if body.groups is not None and body.amount_groups is not None:
        raise BadValue(
            "both groups and their number", code="rollout.groups", field="amountGroups", remedy="give one"
        )
    return RolloutPlan(
        hawkbit=_groups(body),
        type=kind,
        weight=HEAVIEST if body.weight is None else body.weight,
        confirmation=body.confirmation_required,
    )


def _groups(body: RolloutBody) -> tuple[HawkbitGroup, ...]:
    if body.groups is None:
        amount = body.amount_groups or 1
        asked = tuple(
            GroupBody(name=f"group-{number + 1}", target_percentage=100 / (amount - number))
            for number in range(amount)
        )
    else:
        asked = body.groups
    names = [group.name for group in asked if group.name]
    if len(set(names)) != len(names):
        raise BadValue(
            "two groups have one name", code="rollout.groups", field="groups", remedy="name them apart"
        )
    return tuple(_group(group, body) for group in asked)


def _group(group: GroupBody, rollout: Conditions) -> HawkbitGroup:
    succeeds = group.success_condition or rollout.success_condition
    fails = group.error_condition or rollout.error_condition
    then = group.success_action or rollout.success_action
    return HawkbitGroup(
        name=group.name or "",
        description=group.description or "",
        filter=group.target_filter_query or "",
        target_percentage=100.0 if group.target_percentage is None else group.target_percentage,
        success_threshold=_percent(succeeds, "successCondition"),
        error_threshold=_percent(fails, "errorCondition"),
        after_success="pause" if then is not None and then.action == "PAUSE" else "next_group",
        confirmation=group.confirmation_required,
    )


def _percent(condition: Condition | None, field: str) -> int:
    text = str(_USUAL if condition is None else condition.expression).strip()
    if not text.isdecimal() or len(text) > 3 or int(text) > 100:
        raise BadValue(
            f"{text[:40]!r} is no percentage", code="rollout.threshold", field=field, remedy="0 to 100"
        )
    return int(text)


# --- documents -------------------------------------------------------------------------------------------


def document(call: Call, reading: Reading, rollout: Rollout, *, details: bool) -> dict[str, Any]:
    """A rollout; with ``details`` its counts and links."""
    own = ("rollouts", rollout.id)
    counts = counting.rollout_counts(reading, rollout.id)
    total = sum(counts.values())
    if not total and rollout.record.started is None:
        total = counts["notstarted"] = _found(call, reading, rollout)
    links = {"self": call.link(*own)}
    more: dict[str, Any] = {}
    if details:
        for name in ("start", "pause", "resume", "stop", "approve", "deny"):
            links[name] = call.link(*own, name)
        links["groups"] = call.first_page(*own, "deploygroups")
        release = sets.find_set(reading, rollout.distribution_set, deleted=True)
        links["distributionset"] = call.link(
            "distributionsets", release.id, name=f"{release.name}:{release.version}"
        )
        more = {
            "totalTargetsPerStatus": counts,
            "totalGroups": len(groups.all_groups(reading, rollout.id)),
            "startAt": milliseconds(rollout.start_at),
            "approveDecidedBy": rollout.approved_by or None,
            "approvalRemark": rollout.reason or None if rollout.approved_by else None,
            "statusReason": rollout.reason or rollout.record.text or None,
        }
    return named_document(
        rollout,
        links,
        createdBy=rollout.created_by or None,
        targetFilterQuery=rollout.filter,
        distributionSetId=rollout.distribution_set,
        status=rollout.status.value,
        totalTargets=total,
        deleted=False,
        type=rollout.plan.type.value,
        weight=rollout.plan.weight,
        dynamic=not rollout.plan.hawkbit,
        **more,
    )


def _found(call: Call, reading: Reading, rollout: Rollout) -> int:
    wanted = Filter(rollout.filter, target_fields())
    clock = Clock(call.at, overdue(call.configuration(), call.at)) if wanted.timed else None
    where = wanted.where(reading.dialect, clock)
    ((count,),) = reading.rows(f"SELECT COUNT(*) FROM targets t WHERE {where.sql}", **where.parameters)
    return int(count)


def _group_document(call: Call, rollout: Rollout, group: Group, counts: dict[str, int]) -> dict[str, Any]:
    counts = {**dict.fromkeys(counting.STATES, 0), **counts}
    counts["notstarted"] = max(0, group.total - sum(counts.values()))
    found: dict[str, Any] = {
        "id": group.id,
        "name": group.name,
        "description": group.name,
        "status": group.status,
        "totalTargets": group.total,
        "totalTargetsPerStatus": counts,
        "dynamic": False,
        "_links": {"self": call.link("rollouts", rollout.id, "deploygroups", group.id)},
    }
    if rollout.plan.hawkbit:
        plan = msgspec.json.decode(group.plan, type=HawkbitGroup)
        found |= _conditions(plan)
    return found


def _conditions(plan: HawkbitGroup) -> dict[str, Any]:
    after = "PAUSE" if plan.after_success == "pause" else "NEXTGROUP"
    found: dict[str, Any] = {
        "targetFilterQuery": plan.filter,
        "targetPercentage": plan.target_percentage,
        "successCondition": {"condition": "THRESHOLD", "expression": str(plan.success_threshold)},
        "successAction": {"action": after, "expression": ""},
    }
    if plan.description:
        found["description"] = plan.description
    if plan.error_threshold is not None:
        found["errorCondition"] = {"condition": "THRESHOLD", "expression": str(plan.error_threshold)}
        found["errorAction"] = {"action": "PAUSE", "expression": ""}
    return found | ({} if plan.confirmation is None else {"confirmationRequired": plan.confirmation})


# --- handlers ----------------------------------------------------------------------------------------------


def listing(call: Call) -> Said:
    """Rollouts, page by page."""
    rows, total = read_page(call.state, ROLLOUTS, call.page(), call.at)
    found = [keeping.find_rollout(call.state, number) for (number,) in rows]
    return paged([document(call, call.state, each, details=call.full) for each in found], total)


def create(call: Call) -> Said:
    """Plan a rollout by hawkBit's rule."""
    body: RolloutBody = call.body
    plan = plan_of(body)
    with call.change() as change:
        made = keeping.create_rollout(
            change,
            body.name,
            body.distribution_set_id,
            body.target_filter_query,
            plan,
            call.at,
            by=call.account.name,
            description=amending.describe(body.description or ""),
            approval=call.configuration().enabled("rollout.approval.enabled"),
            start_at=None if body.start_at is None else body.start_at * 1000,
        )
        content = document(call, change, made, details=True)
    return Said(CREATED, content)


def get(call: Call) -> Said:
    """One rollout."""
    found = keeping.find_rollout(call.state, call.number("rollout"))
    return Said(OK, document(call, call.state, found, details=True))


def amend(call: Call) -> Said:
    """Change a rollout's description, and before it starts its name."""
    body: RolloutChange = call.body
    with call.change() as change:
        amending.describe_rollout(change, call.number("rollout"), call.at, body.name, body.description)
        found = keeping.find_rollout(change, call.number("rollout"))
        return Said(OK, document(call, change, found, details=True))


def delete(call: Call) -> Said:
    """Take out a rollout that never started."""
    with call.change() as change:
        amending.delete_rollout(change, call.number("rollout"))
    return NOTHING


def _stepped(call: Call, step: Callable[[Change, Rollout], object]) -> Said:
    with call.change() as change:
        step(change, keeping.find_rollout(change, call.number("rollout")))
    return NOTHING


def start(call: Call) -> Said:
    """Start a rollout."""
    by, simulated = call.account.name, call.desk.simulated
    return _stepped(call, lambda change, it: keeping.start(change, it, call.at, by=by, simulated=simulated))


def pause(call: Call) -> Said:
    """Pause a rollout."""
    by, simulated = call.account.name, call.desk.simulated
    reason = call.query.get("remark") or call.words("paused")
    return _stepped(
        call,
        lambda change, it: keeping.pause(change, it, call.at, reason=reason, by=by, simulated=simulated),
    )


def resume(call: Call) -> Said:
    """Let a paused rollout go on."""
    by, simulated = call.account.name, call.desk.simulated
    reason = call.query.get("remark") or call.words("resumed")
    return _stepped(
        call,
        lambda change, it: keeping.resume(change, it, call.at, reason=reason, by=by, simulated=simulated),
    )


def stop(call: Call) -> Said:
    """End a rollout for good."""
    by, simulated = call.account.name, call.desk.simulated
    reason = call.query.get("remark") or call.words("stopped")
    return _stepped(
        call,
        lambda change, it: keeping.abort(change, it, call.at, reason=reason, by=by, simulated=simulated),
    )


def approve(call: Call) -> Said:
    """Approve a rollout that somebody else planned."""
    return _stepped(call, lambda change, it: keeping.approve(change, it, call.at, by=call.account.name))


def deny(call: Call) -> Said:
    """Deny a rollout that somebody else planned."""
    remark = call.query.get("remark") or call.words("denied")
    return _stepped(
        call,
        lambda change, it: keeping.approve(change, it, call.at, by=call.account.name, denied=remark),
    )


def deploy_groups(call: Call) -> Said:
    """The groups of a rollout."""
    found = keeping.find_rollout(call.state, call.number("rollout"))
    every = groups.all_groups(call.state, found.id)
    counts = counting.group_counts(call.state, found.id)
    page = call.page().bounded()
    shown = every[page.offset : page.offset + page.limit]
    return paged([_group_document(call, found, each, counts.get(each.id, {})) for each in shown], len(every))


def deploy_group(call: Call) -> Said:
    """One group of a rollout."""
    found, group = group_of(call)
    counts = counting.group_counts(call.state, found.id)
    return Said(OK, _group_document(call, found, group, counts.get(group.id, {})))


def group_of(call: Call) -> tuple[Rollout, Group]:
    """A rollout and its group that a path names.

    Raises:
        NotFound: there is none.
    """
    found = keeping.find_rollout(call.state, call.number("rollout"))
    number = call.number("group")
    for group in groups.all_groups(call.state, found.id):
        if group.id == number:
            return found, group
    raise NotFound(
        f"rollout {found.name} has no group {number}", code="rollout.group", remedy="list its groups"
    )
