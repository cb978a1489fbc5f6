"""Targets of a set or of a rollout's group."""

from __future__ import annotations

from driveaway.updates import sets
from driveaway.updates.management.counting import in_group
from driveaway.updates.management.paging import FILTERS, TARGETS, read_page
from driveaway.updates.management.targetfilters import filter_of
from driveaway.updates.rows import target_of
from driveaway.web.management import rollouts
from driveaway.web.management.calls import Call, Said, paged
from driveaway.web.management.filters import document
from driveaway.web.management.targets import Documents


def _targets(call: Call, where: str, **values: int) -> Said:
    rows, total = read_page(call.state, TARGETS, call.page(), call.at, where, **values)
    documents = Documents(call, call.state)
    return paged([documents.of(target_of(row)) for row in rows], total)


def assigned(call: Call) -> Said:
    """Targets that are to have a set."""
    release = sets.find_set(call.state, call.number("set"), deleted=True).id
    return _targets(call, "t.assigned = :set_", set_=release)


def installed(call: Call) -> Said:
    """Targets that run a set."""
    release = sets.find_set(call.state, call.number("set"), deleted=True).id
    return _targets(call, "t.installed = :set_", set_=release)


def automatic(call: Call) -> Said:
    """Target filters that give a set to whoever they find."""
    release = sets.find_set(call.state, call.number("set"), deleted=True).id
    rows, total = read_page(
        call.state, FILTERS, call.page(), call.at, "q.distribution_set = :set_", set_=release
    )
    return paged([document(call, filter_of(row)) for row in rows], total)


def of_group(call: Call) -> Said:
    """Targets of a rollout's group."""
    rollout, group = rollouts.group_of(call)
    return _targets(call, in_group(rollout), rollout=rollout.id, group=group.id, position=group.position)
