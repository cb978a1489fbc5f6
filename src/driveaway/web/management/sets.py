"""Distribution sets: releases as hawkBit's tools see them."""

from __future__ import annotations

from typing import Any, Final

from driveaway.book.state.state import Reading
from driveaway.updates import sets, types
from driveaway.updates.actions import steering
from driveaway.updates.management import amending, counting
from driveaway.updates.management.paging import MODULES, SETS, read_page
from driveaway.updates.model import DistributionSet
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import ENDED
from driveaway.updates.rows import module_of, set_of
from driveaway.web.management import kinds, modules
from driveaway.web.management.assignments import assigned
from driveaway.web.management.bodies import Id, Invalidation, SetBody, SetChange, TargetAssignment
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    named_document,
    paged,
)

DEFAULT: Final = "os_app"
"""The type of a set that names none."""


class Documents:
    """Documents of sets; types are read once."""

    def __init__(self, call: Call, reading: Reading) -> None:
        self._call = call
        self._reading = reading
        self._types = kinds.of_sets(reading)
        self._module_types = kinds.of_modules(reading)

    def of(self, found: DistributionSet, *, details: bool = False) -> dict[str, Any]:
        """A set with its modules."""
        call = self._call
        inside = sets.modules_of(self._reading, found.id)
        kind = kinds.named(self._types, found.type)
        own = ("distributionsets", found.id)
        links = {"self": call.link(*own)}
        if details:
            links |= {
                "modules": call.first_page(*own, "assignedSM"),
                "type": call.link("distributionsettypes", kind.id),
                "metadata": call.first_page(*own, "metadata"),
            }
        return named_document(
            found,
            links,
            version=found.version,
            modules=[modules.document(call, module, self._module_types) for module in inside],
            requiredMigrationStep=found.required_migration_step,
            type=found.type,
            typeName=kind.name,
            complete=not types.missing(self._reading, found.type, inside),
            locked=found.locked,
            deleted=found.deleted,
            valid=found.valid,
        )


def document_of(call: Call, distribution_set: int) -> Said:
    """One set, deleted ones included: cars may run them."""
    found = sets.find_set(call.state, distribution_set, deleted=True)
    return Said(OK, Documents(call, call.state).of(found, details=True))


def listing(call: Call) -> Said:
    """Sets, page by page."""
    rows, total = read_page(call.state, SETS, call.page(), call.at)
    documents = Documents(call, call.state)
    return paged([documents.of(set_of(row)) for row in rows], total)


def create(call: Call) -> Said:
    """Enter sets, all or none."""
    bodies: tuple[SetBody, ...] = call.body
    with call.change() as change:
        made = [
            sets.create_set(
                change,
                body.name,
                body.version,
                body.type or DEFAULT,
                _modules(body),
                call.at,
                description=amending.describe(body.description or ""),
                required_migration_step=bool(body.required_migration_step),
                strict=True,
            )
            for body in bodies
        ]
        documents = Documents(call, change)
        content = [documents.of(found) for found in made]
    return Said(CREATED, content)


def _modules(body: SetBody) -> list[int]:
    single = (body.os, body.runtime, body.application)
    return [each.id for each in (*(body.modules or ()), *(one for one in single if one is not None))]


def get(call: Call) -> Said:
    """One set."""
    return _detailed(call, call.state)


def _detailed(call: Call, reading: Reading) -> Said:
    found = sets.find_set(reading, call.number("set"))
    return Said(OK, Documents(call, reading).of(found, details=True))


def amend(call: Call) -> Said:
    """Change what is said of a set, or lock it."""
    body: SetChange = call.body
    with call.change() as change:
        amending.amend_set(
            change,
            call.number("set"),
            call.at,
            name=body.name,
            version=body.version,
            description=body.description,
            required_migration_step=body.required_migration_step,
            locked=body.locked,
        )
        return _detailed(call, change)


def delete(call: Call) -> Said:
    """Take a set out."""
    with call.change() as change:
        sets.delete_set(change, call.number("set"), call.at)
    return NOTHING


def assigned_modules(call: Call) -> Said:
    """The modules of a set, page by page."""
    found = sets.find_set(call.state, call.number("set"), deleted=True)
    types = kinds.of_modules(call.state)
    rows, total = read_page(
        call.state,
        MODULES,
        call.page(),
        call.at,
        "m.id IN (SELECT j.module FROM set_modules j WHERE j.distribution_set = :set_)",
        set_=found.id,
    )
    return paged([modules.document(call, module_of(row), types) for row in rows], total)


def assign_modules(call: Call) -> Said:
    """Add modules to a set."""
    wanted: tuple[Id, ...] = call.body
    with call.change() as change:
        sets.put_modules(change, call.number("set"), [each.id for each in wanted], call.at, strict=True)
    return NOTHING


def unassign_module(call: Call) -> Said:
    """Take a module out of a set."""
    with call.change() as change:
        sets.take_module(change, call.number("set"), call.number("module"), call.at)
    return NOTHING


def assign_targets(call: Call) -> Said:
    """Give targets a set."""
    wanted: tuple[TargetAssignment, ...] = call.body
    release = sets.find_set(call.state, call.number("set")).id
    return assigned(call, ((each.id, release, each) for each in wanted))


def invalidate(call: Call) -> Said:
    """Give a set to nobody any more, end what gives it, and cancel its actions as asked."""
    how: Invalidation = call.body
    by, said = call.account.name, call.desk.simulated
    reason = call.words("the distribution set was invalidated")
    with call.change() as change:
        release = call.number("set")
        going_on = sets.invalidate(change, release, call.at)
        change.run(
            "UPDATE target_filters SET distribution_set = NULL, action_type = '', weight = NULL,"
            " modified = :at WHERE distribution_set = :set",
            at=call.at,
            set=release,
        )
        for rollout in keeping.all_rollouts(change):
            if rollout.distribution_set == release and rollout.status not in ENDED:
                keeping.abort(change, rollout, call.at, reason=reason, by=by, simulated=said)
        if how.action_cancelation_type == "none":
            return NOTHING
        for action in going_on:
            # Those of a rollout were asked to cancel when it was ended.
            if change.rows(
                "SELECT 1 FROM actions WHERE id = :id AND active = 1 AND status <> 'canceling'", id=action
            ):
                steering.cancel(change, action, call.at, by=by, simulated=said)
        if how.action_cancelation_type == "force":
            rows = change.rows(
                "SELECT id FROM actions WHERE distribution_set = :set AND active = 1"
                " AND status = 'canceling'",
                set=release,
            )
            for (action,) in rows:
                steering.cancel(change, action, call.at, force=True, by=by, simulated=said)
    return NOTHING


def statistics(call: Call) -> Said:
    """Actions and rollouts of a set by state."""
    found = sets.find_set(call.state, call.number("set"), deleted=True)
    counted = counting.set_statistics(call.state, found.id)
    return Said(
        OK,
        {
            "totalActionsPerStatus": counted["actions"],
            "totalRolloutsPerStatus": counted["rollouts"],
            "totalAutoAssignments": counting.filters_of_set(call.state, found.id),
        },
    )
