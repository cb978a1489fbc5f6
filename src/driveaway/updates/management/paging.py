"""A page of a table: filtered by RSQL, sorted, cut; and how many rows there are in all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.configuration import Configuration
from driveaway.updates.filters.fields import Column, Fields, Kind, Related, Source
from driveaway.updates.filters.fields import Field as FilterField
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import (
    action_fields,
    distribution_set_fields,
    rollout_fields,
    software_module_fields,
    target_fields,
)
from driveaway.updates.polling import parse_polling
from driveaway.updates.rows import ACTION, MODULE, SET, TARGET
from driveaway.values.clock import SECOND
from driveaway.values.errors import BadValue

USUAL: Final = 50
MOST: Final = 500
"""Rows of a page: hawkBit's default and bound."""
_LAST: Final = 2**31 - 1
_ORDER: Final = re.compile(r"\s*([A-Za-z][\w.]{0,200})\s*:\s*([A-Za-z]{1,10})\s*")
_CLOCK: Final = re.compile(r"(\d{2}):(\d{2}):(\d{2})")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What part of a table is asked for.

    Attributes:
        offset: rows before it.
        limit: rows in it, 1 to 500; what lies beyond is brought within, as hawkBit does.
        sort: ``field:ASC`` or ``field:DESC``, commas between; "" for the table's own order.
        q: a filter in RSQL; "" for all.
    """

    offset: int = 0
    limit: int = USUAL
    sort: str = ""
    q: str = ""

    def bounded(self) -> Page:
        """The same within the bounds."""
        limit = USUAL if self.limit < 1 else min(self.limit, MOST)
        return msgspec.structs.replace(self, offset=min(max(self.offset, 0), _LAST), limit=limit)


@dataclass(frozen=True, slots=True)
class Listing:
    """A table that can be paged.

    Attributes:
        columns: what is read of a row.
        table: with its alias.
        fields: by what it is filtered and sorted.
        key: unique; ends every order, so that pages never overlap.
        order: the order where none is asked for.
        where: rows that are shown at all.
    """

    columns: str
    table: str
    fields: Fields
    key: str
    order: str
    where: str = "1 = 1"


_FILTER_SOURCES: Final[dict[str, Source]] = {
    "id": Column("q.id"),
    "name": Column("q.name"),
    "autoassigndistributionset.name": Related("q.distribution_set", "distribution_sets", "id", "name"),
    "autoassigndistributionset.version": Related(
        "q.distribution_set", "distribution_sets", "id", "version", "version_key"
    ),
}
_FILTER_FIELDS: Final = Fields(
    "a target filter",
    [
        FilterField(name, source, Kind.INTEGER if name == "id" else Kind.TEXT)
        for name, source in _FILTER_SOURCES.items()
    ],
)
FILTER_COLUMNS: Final = (
    "q.id, q.name, q.query, q.distribution_set, q.action_type, q.weight, q.created, q.modified"
)

TARGETS: Final = Listing(TARGET, "targets t", target_fields(), "t.id", "t.controller_id")
MODULES: Final = Listing(
    MODULE, "software_modules m", software_module_fields(), "m.id", "m.id", "m.deleted = 0"
)
SETS: Final = Listing(SET, "distribution_sets d", distribution_set_fields(), "d.id", "d.id", "d.deleted = 0")
ACTIONS: Final = Listing(ACTION, "actions a", action_fields(), "a.id", "a.id DESC")
ROLLOUTS: Final = Listing("r.id", "rollouts r", rollout_fields(), "r.id", "r.id")
FILTERS: Final = Listing(FILTER_COLUMNS, "target_filters q", _FILTER_FIELDS, "q.id", "q.id")


def read_page(
    reading: Reading, listing: Listing, page: Page, at: int, where: str = "1 = 1", **values: Any
) -> tuple[list[tuple[Any, ...]], int]:
    """Rows of a page, and how many there are on all pages.

    Args:
        reading: the tables.
        listing: which of them.
        page: which part.
        at: now; filters may ask for the time.
        where: a further condition, with its ``values``.

    Raises:
        BadValue: a filter or an order that cannot be (``filter.…``, ``sort.…``).
    """
    page = page.bounded()
    order = _order(listing, page.sort)
    conditions = [f"({listing.where})", f"({where})"]
    if page.q.strip():
        wanted = Filter(page.q, listing.fields)
        clock = Clock(at, overdue(Configuration(reading), at)) if wanted.timed else None
        found = wanted.where(reading.dialect, clock, "q")
        conditions.append(f"({found.sql})")
        values = {**values, **found.parameters}
    inside = f"FROM {listing.table} WHERE {' AND '.join(conditions)}"
    ((total,),) = reading.rows(f"SELECT COUNT(*) {inside}", **values)
    if page.offset >= total:
        return [], int(total)
    rows = reading.rows(
        f"SELECT {listing.columns} {inside} ORDER BY {order} LIMIT :limit_ OFFSET :offset_",
        limit_=page.limit,
        offset_=page.offset,
        **values,
    )
    return rows, int(total)


def overdue(configuration: Configuration, at: int) -> int:
    """When a car must have polled last so that it is not overdue, microseconds."""
    usual = parse_polling(configuration.text("pollingTime"), target_fields()).interval.seconds
    return at - (usual + grace(configuration)) * SECOND


def grace(configuration: Configuration) -> int:
    """Seconds that a car may be late."""
    found = _CLOCK.fullmatch(configuration.text("pollingOverdueTime"))
    hours, minutes, seconds = (int(part) for part in found.groups()) if found else (0, 5, 0)
    return 3600 * hours + 60 * minutes + seconds


def _order(listing: Listing, text: str) -> str:
    if not text.strip():
        return listing.order if listing.order.startswith(listing.key) else f"{listing.order}, {listing.key}"
    parts = []
    for one in text.split(","):
        found = _ORDER.fullmatch(one)
        if found is None:
            raise BadValue(
                f"{one[:60]!r} is no order", code="sort.syntax", remedy="write field:ASC or field:DESC"
            )
        direction = found[2].upper()
        if direction not in ("ASC", "DESC"):
            raise BadValue(f"{found[2]!r} is no direction", code="sort.direction", remedy="ASC or DESC")
        parts.append(f"{_expression(listing, found[1])} {direction}")
    return ", ".join([*parts, listing.key])


def _expression(listing: Listing, name: str) -> str:
    try:
        source = listing.fields.find(name)[0].source
    except BadValue as error:
        raise BadValue(error.message, code="sort.field", remedy=error.remedy) from None
    if isinstance(source, Column):
        return source.version or source.value
    if isinstance(source, Related):
        column = source.version or source.value
        return f"(SELECT x.{column} FROM {source.table} x WHERE x.{source.key} = {source.reference})"
    raise BadValue(f"nothing is sorted by {name}", code="sort.field", remedy="sort by another field")
