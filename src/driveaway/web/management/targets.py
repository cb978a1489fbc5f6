"""Targets: cars, what they said of themselves, their tokens and tags."""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_address
from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates import labels, registry
from driveaway.updates.actions import acting
from driveaway.updates.configuration import Configuration
from driveaway.updates.ddi.timing import Intervals
from driveaway.updates.management import amending
from driveaway.updates.management.paging import TARGETS, grace, read_page
from driveaway.updates.model import Target
from driveaway.updates.rows import target_of
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue
from driveaway.web.management import sets
from driveaway.web.management.assignments import assigned
from driveaway.web.management.bodies import SetAssignment, TagBody, TargetBody
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    milliseconds,
    paged,
    without_nothing,
)


class Documents:
    """Documents of targets, for one request: what is set is read once."""

    def __init__(self, call: Call, reading: Reading) -> None:
        self._call = call
        self._reading = reading

    @cached_property
    def _configuration(self) -> Configuration:
        return Configuration(self._reading)

    @cached_property
    def _intervals(self) -> Intervals:
        configuration = self._configuration
        return Intervals(
            self._reading,
            lambda: configuration.text("pollingTime"),
            lambda: configuration.number("maintenanceWindowPollCount"),
            lambda: self._call.at,
        )

    def of(self, target: Target, *, details: bool = False) -> dict[str, Any]:
        """A target; with ``details`` the links to all that belongs to it.

        Its token is told only to who may operate: with it anybody can speak for the car.
        """
        confirming = self._configuration.enabled("user.confirmation.flow.enabled")
        links = {"self": self._call.link("targets", target.controller_id)}
        if details:
            links |= self._links(target, confirming)
        return without_nothing(
            {
                "createdAt": milliseconds(target.created),
                "lastModifiedAt": milliseconds(target.modified),
                "name": target.name,
                "description": target.description or None,
                "controllerId": target.controller_id,
                "group": target.target_group or None,
                "updateStatus": target.status.value,
                "lastControllerRequestAt": milliseconds(target.polled),
                "installedAt": milliseconds(target.installed_at),
                **_addresses(target.address),
                "pollStatus": self._polling(target),
                "securityToken": target.security_token if self._call.account.may("operate") else None,
                "requestAttributes": target.attributes_requested,
                "targetTypeName": target.type or None,
                "autoConfirmActive": target.auto_confirm if confirming else None,
                "_links": links,
            }
        )

    def _links(self, target: Target, confirming: bool) -> dict[str, Any]:
        own = ("targets", target.controller_id)
        link = self._call.link
        found = {
            "assignedDS": link(*own, "assignedDS"),
            "installedDS": link(*own, "installedDS"),
            "attributes": link(*own, "attributes"),
            "actions": self._call.first_page(*own, "actions", query="&sort=id%3ADESC"),
            "metadata": self._call.first_page(*own, "metadata"),
        }
        return found | ({"autoConfirm": link(*own, "autoConfirm")} if confirming else {})

    def _polling(self, target: Target) -> dict[str, Any] | None:
        if target.polled is None:
            return None
        hours, minutes, seconds = map(int, self._intervals(target.controller_id, target, None).split(":"))
        due = target.polled + (3600 * hours + 60 * minutes + seconds) * SECOND
        return {
            "lastRequestAt": milliseconds(target.polled),
            "nextExpectedRequestAt": milliseconds(due),
            "overdue": self._call.at > due + grace(self._configuration) * SECOND,
        }


def _addresses(text: str) -> dict[str, str | None]:
    try:
        address = ip_address(text)
    except ValueError:
        return {"address": text or None}
    host = f"[{text}]" if address.version == 6 else text
    return {"ipAddress": text, "address": f"http://{host}"}


def listing(call: Call) -> Said:
    """Targets, page by page."""
    rows, total = read_page(call.state, TARGETS, call.page(), call.at)
    documents = Documents(call, call.state)
    return paged([documents.of(target_of(row)) for row in rows], total)


def _untyped(body: TargetBody) -> None:
    if body.target_type not in (None, -1):
        raise BadValue(
            "target types are not kept",
            code="target.type",
            field="targetType",
            remedy="leave it out; put cars in a group, or tag them",
        )


def create(call: Call) -> Said:
    """Enter targets, all or none."""
    bodies: tuple[TargetBody, ...] = call.body
    with call.change() as change:
        made = [_entered(change, call, body) for body in bodies]
        documents = Documents(call, change)
        content = [documents.of(target) for target in made]
    return Said(CREATED, content)


def _entered(change: Any, call: Call, body: TargetBody) -> Target:
    _untyped(body)
    if not body.controller_id:
        raise BadValue(
            "a target without an id", code="target.controller_id", field="controllerId", remedy="give one"
        )
    target = registry.create(
        change,
        body.controller_id,
        call.at,
        name=amending.describe(body.name or ""),
        description=amending.describe(body.description or ""),
        token=body.security_token or "",
    )
    if body.address:
        amending.put_address(change, target.controller_id, body.address, call.at)
    if body.group:
        registry.amend(change, target.controller_id, call.at, target_group=amending.describe(body.group))
    return registry.target_named(change, target.controller_id)


def get(call: Call) -> Said:
    """One target."""
    target = registry.target_named(call.state, call.names["target"])
    return Said(OK, Documents(call, call.state).of(target, details=True))


def amend(call: Call) -> Said:
    """Change a target."""
    body: TargetBody = call.body
    _untyped(body)
    if body.request_attributes is False:
        raise BadValue(
            "a request for attributes is not taken back",
            code="target.request_attributes",
            field="requestAttributes",
            remedy="leave it out, or give true",
        )
    named = {
        "name": body.name,
        "description": body.description,
        "target_group": body.group,
        "security_token": body.security_token,
    }
    fields = {key: amending.describe(value) for key, value in named.items() if value is not None}
    controller_id = call.names["target"]
    with call.change() as change:
        registry.target_named(change, controller_id)
        if fields:
            registry.amend(change, controller_id, call.at, **fields)
        if body.address is not None:
            amending.put_address(change, controller_id, body.address, call.at)
        if body.request_attributes:
            registry.request_attributes(change, controller_id, call.at)
        target = registry.target_named(change, controller_id)
        return Said(OK, Documents(call, change).of(target, details=True))


def delete(call: Call) -> Said:
    """Take a target out."""
    with call.change() as change:
        registry.delete(change, call.names["target"], call.at)
    return NOTHING


def attributes(call: Call) -> Said:
    """What a target said of itself; 204 while it said nothing."""
    target = registry.target_named(call.state, call.names["target"])
    said = registry.attributes(call.state, target.id)
    return Said(OK, said) if said else NOTHING


def tags(call: Call) -> Said:
    """The tags on a target."""
    target = registry.target_named(call.state, call.names["target"])
    return Said(OK, [{"name": name} for name in labels.tags(call.state, target.id)])


def tag(call: Call) -> Said:
    """Put tags on a target, made where they are new."""
    given: tuple[TagBody, ...] = call.body
    controller_id = call.names["target"]
    with call.change() as change:
        target = registry.target_named(change, controller_id)
        for each in given:
            labels.tag(change, each.name, [controller_id], call.at)
        names = labels.tags(change, target.id)
    return Said(OK, [{"name": name} for name in names])


def untag(call: Call) -> Said:
    """Take a tag off a target."""
    with call.change() as change:
        registry.target_named(change, call.names["target"])
        labels.untag(change, call.names["tag"], [call.names["target"]])
    return NOTHING


# --- distribution sets of a target ------------------------------------------------------------------


def assigned_set(call: Call) -> Said:
    """The set that a target is to have; 204 without one."""
    target = registry.target_named(call.state, call.names["target"])
    return NOTHING if target.assigned is None else sets.document_of(call, target.assigned)


def installed_set(call: Call) -> Said:
    """The set that a target runs; 204 while none is known."""
    target = registry.target_named(call.state, call.names["target"])
    return NOTHING if target.installed is None else sets.document_of(call, target.installed)


def assign_sets(call: Call) -> Said:
    """Give a target a set, or several."""
    body: SetAssignment | tuple[SetAssignment, ...] = call.body
    controller_id = call.names["target"]
    registry.target_named(call.state, controller_id)
    wanted = body if isinstance(body, tuple) else (body,)
    return assigned(call, ((controller_id, each.id, each) for each in wanted))


# --- confirming without asking ----------------------------------------------------------------------


def auto_confirm(call: Call) -> Said:
    """Whether a target confirms by itself."""
    target = registry.target_named(call.state, call.names["target"])
    own = ("targets", target.controller_id, "autoConfirm")
    found: dict[str, Any] = {"active": target.auto_confirm}
    if target.auto_confirm:
        found |= {
            "initiator": target.auto_confirm_initiator or None,
            "remark": target.auto_confirm_remark or None,
            "activatedAt": milliseconds(target.auto_confirm_at),
            "_links": {"deactivate": call.link(*own, "deactivate")},
        }
    else:
        found["_links"] = {"activate": call.link(*own, "activate")}
    return Said(OK, without_nothing(found))


def activate_auto_confirm(call: Call) -> Said:
    """Let a target confirm by itself, and confirm what waits."""
    initiator = call.body.initiator or call.account.name
    with call.change() as change:
        acting.auto_confirm(
            change, call.names["target"], call.at, initiator=initiator, remark=call.body.remark or ""
        )
    return NOTHING


def deactivate_auto_confirm(call: Call) -> Said:
    """Ask for each confirmation again."""
    with call.change() as change:
        acting.ask_to_confirm(change, call.names["target"], call.at)
    return NOTHING
