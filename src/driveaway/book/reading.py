"""Stored rows as typed facts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from driveaway.book.store import Row
from driveaway.facts import Fact, kind_named
from driveaway.facts.base import Body


@lru_cache(maxsize=256)
def _decoder(kind: str) -> msgspec.json.Decoder[Body]:
    return msgspec.json.Decoder(kind_named(kind).body)


def body_of(kind: str, version: int, body: str, personal: str | None) -> Body:
    """A stored body of any version, personal fields put back where they still exist.

    Raises:
        BadValue: a newer program wrote it.
    """
    if personal is None or personal == "{}":
        text = body
    else:
        text = personal if body == "{}" else f"{body[:-1]},{personal[1:]}"
    known = kind_named(kind)
    if version == known.version:
        try:
            return _decoder(kind).decode(text)
        except msgspec.ValidationError:
            pass  # let the kind say it in our words
    return known.read(version, msgspec.json.decode(text))


def fact_of(row: Row) -> Fact:
    """A stored row as a fact."""
    return Fact(
        row.seq,
        row.kind,
        row.version,
        row.subject,
        row.happened,
        row.recorded,
        row.source,
        row.replaces,
        bool(row.simulated),
        body_of(row.kind, row.version, row.body, row.personal),
        row.salt is None,
    )


def facts_of(rows: Iterable[Row]) -> list[Fact]:
    """Stored rows as facts, in order of valid time, ties by seq."""
    return sorted((fact_of(row) for row in rows), key=lambda fact: (fact.happened, fact.seq))
