"""Target filters, and what they give automatically."""

from __future__ import annotations

from typing import Any

from driveaway.updates.management import targetfilters
from driveaway.updates.management.paging import FILTERS, read_page
from driveaway.updates.management.targetfilters import TargetFilter, filter_of, find_filter
from driveaway.updates.model import ActionType
from driveaway.values.errors import BadValue
from driveaway.web.management import sets
from driveaway.web.management.bodies import AutoAssignment, FilterBody
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    named_document,
    paged,
)


def document(call: Call, found: TargetFilter, *, details: bool = False) -> dict[str, Any]:
    """A filter."""
    own = ("targetfilters", found.id)
    links = {"self": call.link(*own)}
    if details:
        links["autoAssignDS"] = call.link(*own, "autoAssignDS")
    return named_document(
        found,
        links,
        query=found.query,
        autoAssignDistributionSet=found.distribution_set,
        autoAssignActionType=found.action_type or None,
        autoAssignWeight=found.weight,
    )


def listing(call: Call) -> Said:
    """Filters, page by page."""
    rows, total = read_page(call.state, FILTERS, call.page(), call.at)
    return paged([document(call, filter_of(row)) for row in rows], total)


def create(call: Call) -> Said:
    """Keep a filter."""
    body: FilterBody = call.body
    if body.name is None or body.query is None:
        raise BadValue(
            "a filter without name or query", code="target_filter.incomplete", remedy="give name and query"
        )
    with call.change() as change:
        made = targetfilters.create_filter(change, body.name, body.query, call.at)
    return Said(CREATED, document(call, made, details=True))


def get(call: Call) -> Said:
    """One filter."""
    return Said(OK, document(call, find_filter(call.state, call.number("filter")), details=True))


def amend(call: Call) -> Said:
    """Change a filter."""
    body: FilterBody = call.body
    with call.change() as change:
        found = targetfilters.amend_filter(
            change, call.number("filter"), call.at, name=body.name, query=body.query
        )
    return Said(OK, document(call, found, details=True))


def delete(call: Call) -> Said:
    """Take a filter out."""
    with call.change() as change:
        targetfilters.delete_filter(change, call.number("filter"))
    return NOTHING


def automatic(call: Call) -> Said:
    """The set that a filter gives; 204 where it gives none."""
    found = find_filter(call.state, call.number("filter"))
    return NOTHING if found.distribution_set is None else sets.document_of(call, found.distribution_set)


def give_automatically(call: Call) -> Said:
    """Let a filter give a set."""
    body: AutoAssignment = call.body
    if body.confirmation_required is not None:
        raise BadValue(
            "whether a target must confirm is set for all",
            code="target_filter.confirmation",
            field="confirmationRequired",
            remedy="leave it out; set user.confirmation.flow.enabled",
        )
    with call.change() as change:
        found = targetfilters.give_automatically(
            change,
            call.number("filter"),
            body.id,
            call.at,
            type=body.type or ActionType.FORCED,
            weight=body.weight,
        )
    return Said(OK, document(call, found, details=True))


def give_no_more(call: Call) -> Said:
    """Let a filter give nothing any more."""
    with call.change() as change:
        targetfilters.give_automatically(change, call.number("filter"), None, call.at)
    return NOTHING
