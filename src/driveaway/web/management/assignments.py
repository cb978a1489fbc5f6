"""Assigning: how what is asked becomes terms, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from driveaway.book.state.state import Change
from driveaway.updates import assigning
from driveaway.updates.assigning import HEAVIEST, Terms, Window
from driveaway.updates.model import ActionType
from driveaway.updates.quotas import MANUAL_ASSIGNMENTS, exceeded
from driveaway.updates.windows import parse_optional_window
from driveaway.values.errors import BadValue
from driveaway.web.management.bodies import TermsBody
from driveaway.web.management.calls import OK, Call, Said

Wish = tuple[str, int, TermsBody]
"""Controller id, distribution set, how."""


def assigned(call: Call, wishes: Iterable[Wish]) -> Said:
    """Assign sets to targets, all or nothing.

    With ``offline=true`` the targets are noted as having them already.

    Raises:
        BadValue, NotFound, Refused: as when a set is assigned.
    """
    wanted = list(wishes)
    if len(wanted) > MANUAL_ASSIGNMENTS:
        exceeded("assignments", "cars in one request", MANUAL_ASSIGNMENTS, "ask in parts, or make a rollout")
    offline = call.switch("offline")
    together: dict[tuple[int, Terms], list[str]] = {}
    for controller_id, release, how in wanted:
        together.setdefault((release, terms_of(how, call)), []).append(controller_id)
    actions: list[int] = []
    already = 0
    passed_over: dict[str, str] = {}
    with call.change() as change:
        for (release, terms), targets in together.items():
            made = _one(change, call, release, terms, targets, offline=offline)
            actions += made.actions.values()
            already += made.already
            passed_over |= made.passed_over
    return Said(OK, _document(call, actions, already, passed_over))


def _one(
    change: Change, call: Call, release: int, terms: Terms, targets: list[str], *, offline: bool
) -> assigning.Assigned:
    if not offline:
        return assigning.assign(change, release, targets, terms, call.at, simulated=call.desk.simulated)
    return assigning.assign_offline(
        change, release, targets, call.at, initiated_by=call.account.name, simulated=call.desk.simulated
    )


def _document(call: Call, actions: list[int], already: int, passed_over: Mapping[str, str]) -> dict[str, Any]:
    told = {
        "alreadyAssigned": already,
        "assignedActions": [
            {"id": action, "_links": {"self": call.link("actions", action)}} for action in actions
        ],
        "assigned": len(actions),
        "total": len(actions) + already,
    }
    if passed_over:
        # Not hawkBit's: cars that the set does not fit, which would only refuse it.
        told["passedOver"] = [
            {"controllerId": controller_id, "reason": reason} for controller_id, reason in passed_over.items()
        ]
    return told


def terms_of(how: TermsBody, call: Call) -> Terms:
    """The terms that are asked for; without a type: forced, as with hawkBit.

    Raises:
        BadValue: a window that is none or over, or a time that goes with another type.
    """
    kind = how.type or ActionType.FORCED
    if kind is ActionType.TIME_FORCED and how.forcetime is None:
        raise BadValue(
            "timeforced without a time", code="action.force_time", field="forcetime", remedy="give forcetime"
        )
    window = None
    asked = how.maintenance_window
    if asked is not None:
        read = parse_optional_window(asked.schedule, asked.duration, asked.timezone)
        if read is not None:
            read.check_comes(call.at)
            window = Window(asked.schedule or "", asked.duration or "", asked.timezone or "")
    return Terms(
        type=kind,
        # hawkBit's tools send a time with any type; it counts with this one alone.
        force_time=(how.forcetime or 0) * 1000 if kind is ActionType.TIME_FORCED else None,
        weight=HEAVIEST if how.weight is None else how.weight,
        window=window,
        confirmation=how.confirmation_required,
        initiated_by=call.account.name,
    )
