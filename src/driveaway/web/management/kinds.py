"""Types of modules and of distribution sets: hawkBit's own, and those that are in use."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from driveaway.book.state.state import Reading
from driveaway.updates.sets import NEEDS
from driveaway.values.errors import NotFound
from driveaway.web.management.calls import OK, Call, Said, paged

_OWN: Final = 1_000
"""Ids of the maker's own types begin above: 1,000 and the id of the first that has it."""


class Kind(NamedTuple):
    """A type."""

    id: int
    key: str
    name: str
    description: str


MODULES: Final = (
    Kind(1, "os", "OS", "Core firmware or operating system"),
    Kind(2, "application", "Application", "Application add-on"),
    Kind(3, "runtime", "Runtime", "Runtime of applications"),
)
SETS: Final = (
    Kind(1, "os", "OS only", "An operating system"),
    Kind(2, "app", "App(s) only", "One application or more"),
    Kind(3, "os_app", "OS with app(s)", "An operating system and perhaps applications"),
)
_OPTIONAL: Final = {"app": ("application",), "os_app": ("application", "runtime")}


def of_modules(reading: Reading) -> list[Kind]:
    """Types of modules."""
    return _all(reading, "software_modules", MODULES)


def of_sets(reading: Reading) -> list[Kind]:
    """Types of distribution sets."""
    return _all(reading, "distribution_sets", SETS)


def _all(reading: Reading, table: str, known: tuple[Kind, ...]) -> list[Kind]:
    keys = {kind.key for kind in known}
    rows = reading.rows(f"SELECT type, MIN(id) FROM {table} GROUP BY type ORDER BY MIN(id)")
    return [*known, *(Kind(_OWN + first, key, key, "") for key, first in rows if key not in keys)]


def _numbered(kinds: list[Kind], number: int) -> Kind:
    for kind in kinds:
        if kind.id == number:
            return kind
    raise NotFound(f"there is no type {number}", code="management.no_such", remedy="list the types")


def named(kinds: list[Kind], key: str) -> Kind:
    """A type by its key; one that nothing has is told by its key alone."""
    return next((kind for kind in kinds if kind.key == key), Kind(0, key, key, ""))


def _document(call: Call, kind: Kind, resource: str) -> dict[str, Any]:
    return {
        "id": kind.id,
        "key": kind.key,
        "name": kind.name,
        "description": kind.description,
        "deleted": False,
        "_links": {"self": call.link(resource, kind.id)},
    }


def _module_type(call: Call, kind: Kind) -> dict[str, Any]:
    return {
        **_document(call, kind, "softwaremoduletypes"),
        "maxAssignments": 1 if kind.key == "os" else 2**31 - 1,
    }


def _page(call: Call, kinds: list[Kind]) -> tuple[list[Kind], int]:
    page = call.page().bounded()
    return kinds[page.offset : page.offset + page.limit], len(kinds)


def module_types(call: Call) -> Said:
    """Types of modules."""
    shown, total = _page(call, of_modules(call.state))
    return paged([_module_type(call, kind) for kind in shown], total)


def module_type(call: Call) -> Said:
    """One type of modules."""
    return Said(OK, _module_type(call, _numbered(of_modules(call.state), call.number("type"))))


def set_types(call: Call) -> Said:
    """Types of distribution sets."""
    shown, total = _page(call, of_sets(call.state))
    return paged([_document(call, kind, "distributionsettypes") for kind in shown], total)


def set_type(call: Call) -> Said:
    """One type of distribution sets."""
    kind = _numbered(of_sets(call.state), call.number("type"))
    return Said(OK, _document(call, kind, "distributionsettypes"))


def mandatory(call: Call) -> Said:
    """Types of modules that a set of a type must have."""
    kind = _numbered(of_sets(call.state), call.number("type"))
    return Said(OK, _named_types(call, NEEDS.get(kind.key, frozenset())))


def optional(call: Call) -> Said:
    """Types of modules that a set of a type may have; those of a type of one's own: all."""
    kind = _numbered(of_sets(call.state), call.number("type"))
    every = tuple(each.key for each in of_modules(call.state)) if kind.key not in NEEDS else ()
    wanted = _OPTIONAL.get(kind.key, every)
    return Said(OK, _named_types(call, [key for key in wanted if key not in NEEDS.get(kind.key, ())]))


def _named_types(call: Call, keys: Any) -> list[dict[str, Any]]:
    return [_module_type(call, kind) for kind in of_modules(call.state) if kind.key in keys]
