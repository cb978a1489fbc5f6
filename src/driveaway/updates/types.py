"""Types of modules and of distribution sets: hawkBit's own, those that staff declared, and those in use.

Whoever makes a module or a set may name any type. Of a declared type of sets it is known which types of
modules a set must have, and which it may have; both are enforced from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.model import SoftwareModule
from driveaway.values.errors import NotFound, Refused

Of = Literal["module", "set"]
IN_USE: Final = 1_000
"""Ids of types that were never declared begin above: 1,000 and the id of the first that has it."""
DECLARED: Final = 1_000_000_000
"""Ids of declared types begin above."""
ANY_NUMBER: Final = 2**31 - 1
TABLES: Final[Mapping[Of, str]] = {"module": "software_modules", "set": "distribution_sets"}


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """A type.

    Attributes:
        id: its number at the door.
        key: by which modules and sets name it.
        name: for people.
        description: for people.
        colour: for people.
        most: of a type of modules: how many of it a set has at most.
        mandatory: of a type of sets: types of modules that a set must have.
        optional: of a type of sets: types of modules that a set may have besides; None: any.
        deleted: whether it is kept only for what has it.
        created, modified: when, microseconds since 1970 UTC; None: it was never declared.
    """

    id: int
    key: str
    name: str
    description: str = ""
    colour: str = ""
    most: int = ANY_NUMBER
    mandatory: tuple[str, ...] = ()
    optional: tuple[str, ...] | None = None
    deleted: bool = False
    created: int | None = None
    modified: int | None = None

    def allows(self, module_type: str) -> bool:
        """Whether a set of this type may have modules of a type."""
        return self.optional is None or module_type in self.optional or module_type in self.mandatory


BUILT_IN: Final[Mapping[Of, tuple[Type, ...]]] = {
    "module": (
        Type(id=1, key="os", name="OS", description="Core firmware or operating system", most=1),
        Type(id=2, key="application", name="Application", description="Application add-on"),
        Type(id=3, key="runtime", name="Runtime", description="Runtime of applications"),
    ),
    "set": (
        Type(id=1, key="os", name="OS only", description="An operating system",
             mandatory=("os",), optional=()),
        Type(id=2, key="app", name="App(s) only", description="One application or more",
             mandatory=("application",), optional=()),
        Type(id=3, key="os_app", name="OS with app(s)",
             description="An operating system and perhaps applications",
             mandatory=("os",), optional=("application", "runtime")),
    ),
}  # fmt: skip
_COLUMNS: Final = (
    "id, key, name, description, colour, max_assignments, mandatory, optional, deleted, created, modified"
)


def declared(reading: Reading, of: Of, *, deleted: bool = False) -> list[Type]:
    """Types that staff declared, in order of making; those deleted since only where asked for."""
    rows = reading.rows(f"SELECT {_COLUMNS} FROM software_types WHERE sort = :sort ORDER BY id", sort=of)
    found = [
        Type(
            id=DECLARED + row[0], key=row[1], name=row[2], description=row[3], colour=row[4], most=row[5],
            mandatory=tuple(msgspec.json.decode(row[6], type=list[str])),
            optional=tuple(msgspec.json.decode(row[7], type=list[str])) if of == "set" else None,
            deleted=bool(row[8]), created=row[9], modified=row[10],
        )
        for row in rows
    ]  # fmt: skip
    return [each for each in found if deleted or not each.deleted]


def all_types(reading: Reading, of: Of) -> list[Type]:
    """Those of hawkBit's own, those declared and not deleted, and those in use without it."""
    known = [*BUILT_IN[of], *declared(reading, of)]
    keys = {each.key for each in (*known, *declared(reading, of, deleted=True))}
    rows = reading.rows(f"SELECT type, MIN(id) FROM {TABLES[of]} GROUP BY type ORDER BY MIN(id)")
    return [*known, *(Type(id=IN_USE + first, key=key, name=key) for key, first in rows if key not in keys)]


def type_of(reading: Reading, of: Of, key: str) -> Type:
    """The type of this key; of one that nobody declared it is known by its key alone that anything goes."""
    for each in (*BUILT_IN[of], *reversed(declared(reading, of, deleted=True))):
        if each.key == key:
            return each
    return Type(id=0, key=key, name=key)


def numbered(reading: Reading, of: Of, number: int) -> Type:
    """A type by its id, those deleted included.

    Raises:
        NotFound: there is none.
    """
    for each in (*all_types(reading, of), *declared(reading, of, deleted=True)):
        if each.id == number:
            return each
    raise NotFound(f"there is no type {number}", code="type.unknown", remedy="list the types")


# --- enforcing -------------------------------------------------------------------------------------------


def check_offered(reading: Reading, of: Of, key: str) -> None:
    """Refuse a type for something new that was deleted.

    Raises:
        Refused: it was.
    """
    if type_of(reading, of, key).deleted:
        raise Refused(
            f"type {key} was deleted", code="type.deleted", remedy="take another, or declare it anew"
        )


def check_module(reading: Reading, set_type: str, module: SoftwareModule, *, strict: bool) -> None:
    """Refuse a module that a set of a type may not have.

    Args:
        reading: the tables.
        set_type: of the set.
        module: that would come into it.
        strict: whether hawkBit's own types of sets bind too, as they do at its door.

    Raises:
        Refused: its type is neither mandatory nor optional.
    """
    found = type_of(reading, "set", set_type)
    if (strict or found.id >= DECLARED) and not found.allows(module.type):
        may = ", ".join((*found.mandatory, *(found.optional or ())))
        raise Refused(
            f"a set of type {found.key} has no modules of type {module.type}",
            code="set.module_type",
            remedy=f"modules of type {may or 'none'}, or another type of set",
        )


def crowded_out(
    reading: Reading, inside: Sequence[SoftwareModule], module: SoftwareModule, *, strict: bool
) -> list[SoftwareModule]:
    """Modules of a set whose place a further one takes, since a set has only so many of its type."""
    found = type_of(reading, "module", module.type)
    if not (strict or found.id >= DECLARED):
        return []
    alike = [each for each in inside if each.type == module.type and each.id != module.id]
    return alike[: max(0, len(alike) + 1 - found.most)]


def missing(reading: Reading, kind: str, modules: Iterable[SoftwareModule]) -> str:
    """What a set of a type with these modules lacks, in words; "" when it is complete."""
    given = {module.type for module in modules}
    if not given:
        return "it has no module"
    lacks = sorted(set(type_of(reading, "set", kind).mandatory) - given)
    return f"it has no module of type {' and none of type '.join(lacks)}" if lacks else ""
