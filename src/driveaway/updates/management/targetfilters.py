"""Target filters: RSQL under a name, perhaps with a distribution set that whoever it finds is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates import assigning, sets
from driveaway.updates.assigning import HEAVIEST, Terms
from driveaway.updates.configuration import Configuration
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.management.paging import FILTER_COLUMNS, overdue
from driveaway.updates.model import ActionType
from driveaway.values.errors import BadValue, Conflict, NotFound

_LONGEST: Final = 128
AT_ONCE: Final = 1_000
"""Cars that are given a set in one change."""


class TargetFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter; ``distribution_set`` is given, as ``action_type`` says, to every car that it finds."""

    id: int
    name: str
    query: str
    distribution_set: int | None
    action_type: str
    weight: int | None
    created: int
    modified: int


def filter_of(row: Sequence[Any]) -> TargetFilter:
    """A filter from a row with its columns in order."""
    return TargetFilter(**dict(zip(TargetFilter.__struct_fields__, row, strict=True)))


def find_filter(reading: Reading, number: int) -> TargetFilter:
    """A filter by its id.

    Raises:
        NotFound: there is none.
    """
    rows = reading.rows(f"SELECT {FILTER_COLUMNS} FROM target_filters q WHERE q.id = :id", id=number)
    if not rows:
        raise NotFound(
            f"there is no target filter {number}", code="target_filter.unknown", remedy="list the filters"
        )
    return filter_of(rows[0])


def create_filter(change: Change, name: str, query: str, at: int) -> TargetFilter:
    """Keep a filter under a name.

    Raises:
        BadValue: a name or a filter that cannot be.
        Conflict: the name is taken.
    """
    _check(change, name, query, 0)
    made = change.insert("target_filters", name=name, query=query, created=at, modified=at)
    return find_filter(change, made)


def amend_filter(
    change: Change, number: int, at: int, *, name: str | None = None, query: str | None = None
) -> TargetFilter:
    """Change a filter's name or text.

    Raises:
        NotFound, BadValue, Conflict: as when it is made.
    """
    found = find_filter(change, number)
    new_name, new_query = (
        name if name is not None else found.name,
        query if query is not None else found.query,
    )
    _check(change, new_name, new_query, number)
    change.run(
        "UPDATE target_filters SET name = :name, query = :query, modified = :at WHERE id = :id",
        name=new_name,
        query=new_query,
        at=at,
        id=number,
    )
    return find_filter(change, number)


def _check(change: Change, name: str, query: str, own: int) -> None:
    if not 0 < len(name.strip()) <= _LONGEST or len(name) > _LONGEST or not name.isprintable():
        raise BadValue(
            f"{name[:40]!r} is no name of a filter",
            code="target_filter.name",
            field="name",
            remedy=f"1 to {_LONGEST} printable characters",
        )
    Filter(query, target_fields())
    if change.rows("SELECT 1 FROM target_filters WHERE name = :name AND id <> :own", name=name, own=own):
        raise Conflict(
            f"there is a target filter {name!r}", code="target_filter.exists", remedy="choose another name"
        )


def delete_filter(change: Change, number: int) -> None:
    """Take a filter out; what cars were given by it stays with them.

    Raises:
        NotFound: there is none.
    """
    find_filter(change, number)
    change.run("DELETE FROM target_filters WHERE id = :id", id=number)


def give_automatically(
    change: Change,
    number: int,
    distribution_set: int | None,
    at: int,
    *,
    type: ActionType = ActionType.FORCED,
    weight: int | None = None,
) -> TargetFilter:
    """Give a set to whoever a filter finds, from now on; None: no more.

    Raises:
        NotFound: there is no such filter or set.
        Refused: the set is incomplete, or was invalidated.
        BadValue: a type or weight that cannot be.
    """
    find_filter(change, number)
    if type is ActionType.TIME_FORCED:
        raise BadValue(
            "nothing is given automatically from a time on",
            code="target_filter.type",
            field="type",
            remedy="soft, forced or downloadonly",
        )
    if weight is not None and not 0 <= weight <= HEAVIEST:
        raise BadValue(
            f"a weight of {weight} is none", code="action.weight", remedy="0 to 1000", field="weight"
        )
    if distribution_set is not None:
        sets.check_assignable(change, distribution_set)
        sets.lock(change, distribution_set, at)
    change.run(
        "UPDATE target_filters SET distribution_set = :set, action_type = :type, weight = :weight,"
        " modified = :at WHERE id = :id",
        set=distribution_set,
        type=type.value if distribution_set is not None else "",
        weight=weight if distribution_set is not None else None,
        at=at,
        id=number,
    )
    return find_filter(change, number)


class Given(NamedTuple):
    """How many cars were given a set, and the last one that was looked at; None: there are no more."""

    cars: int
    last: int | None


def assign_due(
    change: Change,
    number: int,
    at: int,
    *,
    after: int = 0,
    most: int = AT_ONCE,
    simulated: bool = False,
) -> Given:
    """Give a filter's set to cars that it finds and that never had it, ``most`` of them at a time.

    Call it again with the ``last`` that it gives as ``after``. A car that was given the set before, however
    that ended, is passed over, as hawkBit does; one that the set does not fit, until it does.

    Raises:
        NotFound: there is no such filter.
        Refused: the set may not be given to cars any more.
    """
    found = find_filter(change, number)
    if found.distribution_set is None:
        return Given(0, None)
    wanted = Filter(found.query, target_fields())
    clock = Clock(at, overdue(Configuration(change), at)) if wanted.timed else None
    where = wanted.where(change.dialect, clock, "q")
    rows = change.rows(
        "SELECT t.id, t.controller_id FROM targets t WHERE t.id > :after"
        " AND (t.assigned IS NULL OR t.assigned <> :set)"
        " AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.target = t.id AND a.distribution_set = :set)"
        f" AND ({where.sql}) ORDER BY t.id LIMIT :most",
        set=found.distribution_set,
        after=after,
        most=most,
        **where.parameters,
    )
    if not rows:
        return Given(0, None)
    terms = Terms(
        type=ActionType(found.action_type or ActionType.FORCED),
        weight=HEAVIEST if found.weight is None else found.weight,
        initiated_by=f"target filter {found.name}",
    )
    made = assigning.assign(
        change, found.distribution_set, [row[1] for row in rows], terms, at, most=None, simulated=simulated
    )
    return Given(len(made.actions), rows[-1][0] if len(rows) == most else None)
