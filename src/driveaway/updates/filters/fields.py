"""What a resource can be filtered by: its fields, where their values stand, and how they compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, Protocol

from driveaway.updates.filters.parsing import marked
from driveaway.values.errors import BadValue

_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """The text with A–Z in lower case: what ``lower`` does in SQLite, and in PostgreSQL's collation "C"."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


class Record(Protocol):
    """One target, release, action …, as a predicate sees it.

    Keys are the names of fields (``name``, ``installedds.version``). A text field gives ``str``, an
    integer ``int``, a time ``int`` in microseconds since 1970 UTC, a boolean ``bool`` or 0 and 1, a
    choice one of its words; a field of names and values (``attribute``) gives a mapping whose keys
    are folded (``fold``); a field of many values (``tag``) a collection. Absent is ``None``.
    """

    def get(self, key: str, /) -> Any:
        """The value of a field, or None."""
        ...


class Kind(Enum):
    """How the values of a field compare."""

    TEXT = "text"
    INTEGER = "integer"
    TIME = "time"
    BOOLEAN = "boolean"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row itself: SQL such as ``t.name``; ``version`` is the column of its sort key."""

    value: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """A column of one row of another table, which ``reference`` (``t.installed``) names by its ``key``."""

    reference: str
    table: str
    key: str
    value: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A table of any number of values; its column ``owner`` bears what ``reference`` (``t.id``) is."""

    reference: str
    table: str
    owner: str
    value: str


@dataclass(frozen=True, slots=True)
class Named:
    """A table of names and values, at most one value a name; the name is written after a dot."""

    reference: str
    table: str
    owner: str
    name: str
    value: str
    version: str | None = None


Source = Column | Related | Listed | Named


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, lower case, other names for it, and where its values stand in a store.

    ``choices`` are the words of a choice, as stored.
    """

    name: str
    source: Source
    kind: Kind = Kind.TEXT
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def has_versions(self) -> bool:
        """Whether its values can be compared as versions."""
        return not isinstance(self.source, Listed) and self.source.version is not None


class Fields:
    """The fields of one resource, found by name in any case."""

    def __init__(self, resource: str, fields: Iterable[Field]) -> None:
        self.resource = resource
        self.fields: Final = tuple(fields)
        self._by_name = {name: field for field in self.fields for name in (field.name, *field.aliases)}

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def find(self, written: str, text: str = "", at: int = 0) -> tuple[Field, str | None]:
        """The field of a name as written, and the name after the dot, folded, of a ``Named`` one.

        ``text`` and ``at`` are the filter and the place in it, for the message.

        Raises:
            BadValue: ``filter.field``, naming what comes near.
        """
        folded = fold(written)
        field = self._by_name.get(folded)
        if field is not None and not isinstance(field.source, Named):
            return field, None
        first, _, name = folded.partition(".")
        field = self._by_name.get(first)
        if field is not None and isinstance(field.source, Named) and name:
            return field, name
        raise BadValue(
            f"{self.resource} has no field {written!r}: {marked(text or written, at)}",
            code="filter.field",
            place=f"character {at + 1}",
            field=written,
            remedy=self._near(folded, first),
        )

    def _near(self, folded: str, first: str) -> str:
        field = self._by_name.get(first)
        if field is not None and isinstance(field.source, Named):
            return f"name one {first}, such as {first}.example"
        below = sorted(name for name in self._by_name if name.startswith(first + "."))
        if below:
            return f"did you mean {' or '.join(below)}?"
        if field is not None:
            return f"did you mean {first}? It has no parts"
        near = get_close_matches(folded, self._by_name, n=3, cutoff=0.6)
        if near:
            return f"did you mean {' or '.join(near)}?"
        return f"one of {', '.join(self.names())}"

    def names(self) -> list[str]:
        """Every field as it is written, aliases left out."""
        return [f"{f.name}.…" if isinstance(f.source, Named) else f.name for f in self.fields]
