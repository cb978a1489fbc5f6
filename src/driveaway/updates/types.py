"""Types of modules and of distribution sets: hawkBit's own, those that staff declared, and those in use.

Whoever makes a module or a set may name any type. Of a declared type of sets it is known which types of
modules a set must have, and which it may have; both are enforced from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates.model import SoftwareModule
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

Of = Literal["module", "set"]
IN_USE: Final = 1_000
"""Ids of types that were never declared begin above: 1,000 and the id of the first that has it."""
DECLARED: Final = 1_000_000_000
"""Ids of declared types begin above."""
ANY_NUMBER: Final = 2**31 - 1
_LONGEST: Final = 64
_LONGEST_TEXT: Final = 512
_TABLES: Final[Mapping[Of, str]] = {"module": "software_modules", "set": "distribution_sets"}


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


_BUILT_IN: Final[Mapping[Of, tuple[Type, ...]]] = {
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
    known = [*_BUILT_IN[of], *declared(reading, of)]
    keys = {each.key for each in (*known, *declared(reading, of, deleted=True))}
    rows = reading.rows(f"SELECT type, MIN(id) FROM {_TABLES[of]} GROUP BY type ORDER BY MIN(id)")
    return [*known, *(Type(id=IN_USE + first, key=key, name=key) for key, first in rows if key not in keys)]


def type_of(reading: Reading, of: Of, key: str) -> Type:
    """The type of this key; of one that nobody declared it is known by its key alone that anything goes."""
    for each in (*_BUILT_IN[of], *reversed(declared(reading, of, deleted=True))):
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


# --- declaring -------------------------------------------------------------------------------------------


def declare(
    change: Change,
    of: Of,
    key: str,
    name: str,
    at: int,
    *,
    description: str = "",
    colour: str = "",
    most: int = 1,
    mandatory: Sequence[int] = (),
    optional: Sequence[int] = (),
) -> Type:
    """Declare a type.

    Args:
        change: where it is written.
        of: whether of modules or of sets.
        key: by which modules and sets name it; those in use already may be declared.
        name: for people.
        at: now.
        description: for people.
        colour: for people.
        most: of modules: how many of it a set has at most; a further one takes the place of an older one.
        mandatory: of sets: ids of types of modules that a set must have.
        optional: of sets: ids of types of modules that a set may have.

    Raises:
        BadValue: a key, name or number that cannot be, or a type that would be both.
        Conflict: there is a type of this key or name.
        NotFound: there is no such type of modules.
    """
    for field, text in (("key", key), ("name", name)):
        if not text.strip() or len(text) > _LONGEST or not text.isprintable():
            raise BadValue(
                f"{text[:40]!r} is no {field} of a type",
                code=f"type.{field}",
                field=field,
                remedy=f"1 to {_LONGEST} printable characters",
            )
    _check_text(description, "description")
    _check_text(colour, "colour")
    if not 1 <= most <= ANY_NUMBER:
        raise BadValue(
            f"a set cannot have {most} at most", code="type.most", field="maxAssignments", remedy="1 or more"
        )
    for each in (*_BUILT_IN[of], *declared(change, of)):
        if key == each.key or name == each.name:
            raise Conflict(
                f"there is a type {each.key} ({each.name})", code="type.exists", remedy="take another"
            )
    must, may = _keys(change, mandatory), _keys(change, optional)
    _check_apart(must, may)
    made = change.insert(
        "software_types",
        sort=of,
        key=key,
        name=name,
        description=description,
        colour=colour,
        max_assignments=most,
        mandatory=msgspec.json.encode(must).decode(),
        optional=msgspec.json.encode(may).decode(),
        created=at,
        modified=at,
    )
    return numbered(change, of, DECLARED + made)


def amend(
    change: Change,
    of: Of,
    number: int,
    at: int,
    *,
    description: str | None = None,
    colour: str | None = None,
) -> Type:
    """Change what is said of a declared type.

    Raises:
        NotFound: there is none.
        Refused: it was not declared here, or is deleted.
        BadValue: a text that is too long.
    """
    found = _own(change, of, number)
    _check_text(description or "", "description")
    _check_text(colour or "", "colour")
    change.run(
        "UPDATE software_types SET description = :description, colour = :colour, modified = :at"
        " WHERE id = :id",
        description=found.description if description is None else description,
        colour=found.colour if colour is None else colour,
        at=at,
        id=number - DECLARED,
    )
    return numbered(change, of, number)


def delete(change: Change, of: Of, number: int, at: int) -> None:
    """Take a declared type out; one that something has is kept for that, and nothing new may have it.

    Raises:
        NotFound: there is none.
        Refused: it was not declared here, or is deleted already.
    """
    found = _own(change, of, number)
    wanted = of == "module" and any(found.key in _named(each) for each in declared(change, "set"))
    if wanted or _in_use(change, of, found.key):
        change.run(
            "UPDATE software_types SET deleted = 1, modified = :at WHERE id = :id",
            at=at,
            id=number - DECLARED,
        )
    else:
        change.run("DELETE FROM software_types WHERE id = :id", id=number - DECLARED)


def put_module_type(change: Change, number: int, module_type: int, at: int, *, mandatory: bool) -> None:
    """Let sets of a type need a type of modules, or merely allow it; it was the other before, perhaps.

    Raises:
        NotFound: there is no such type.
        Refused: sets have the type already, or it was not declared here.
    """
    found = _unused_set_type(change, number)
    (key,) = _keys(change, (module_type,))
    must = [each for each in found.mandatory if each != key]
    may = [each for each in found.optional or () if each != key]
    (must if mandatory else may).append(key)
    _write(change, number, must, may, at)


def take_module_type(change: Change, number: int, module_type: int, at: int, *, mandatory: bool) -> None:
    """Take a type of modules out of those that sets of a type need, or may have.

    Raises:
        NotFound: there is no such type, or it is not among them.
        Refused: sets have the type already, or it was not declared here.
    """
    found = _unused_set_type(change, number)
    (key,) = _keys(change, (module_type,))
    must, may = list(found.mandatory), list(found.optional or ())
    among = must if mandatory else may
    if key not in among:
        raise NotFound(
            f"{found.key} has no such module type {key}", code="type.module_type", remedy="list them"
        )
    among.remove(key)
    _write(change, number, must, may, at)


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


def _own(reading: Reading, of: Of, number: int) -> Type:
    found = numbered(reading, of, number)
    if found.id < DECLARED or found.deleted:
        why = "is deleted" if found.deleted else "was not declared here"
        raise Refused(f"type {found.key} {why}", code="type.fixed", remedy="declare a type of your own")
    return found


def _unused_set_type(reading: Reading, number: int) -> Type:
    found = _own(reading, "set", number)
    if _in_use(reading, "set", found.key):
        raise Refused(
            f"sets have type {found.key}: what they are made of does not change",
            code="type.in_use",
            remedy="declare a type of its own",
        )
    return found


def _in_use(reading: Reading, of: Of, key: str) -> bool:
    return bool(reading.rows(f"SELECT 1 FROM {_TABLES[of]} WHERE type = :key LIMIT 1", key=key))


def _named(found: Type) -> tuple[str, ...]:
    return (*found.mandatory, *(found.optional or ()))


def _keys(reading: Reading, numbers: Iterable[int]) -> list[str]:
    known = {each.id: each.key for each in all_types(reading, "module")}
    out = []
    for number in dict.fromkeys(numbers):
        if number not in known:
            raise NotFound(
                f"there is no module type {number}", code="type.unknown", remedy="list the module types"
            )
        out.append(known[number])
    return out


def _write(change: Change, number: int, must: list[str], may: list[str], at: int) -> None:
    _check_apart(must, may)
    change.run(
        "UPDATE software_types SET mandatory = :must, optional = :may, modified = :at WHERE id = :id",
        must=msgspec.json.encode(must).decode(),
        may=msgspec.json.encode(may).decode(),
        at=at,
        id=number - DECLARED,
    )


def _check_apart(must: Sequence[str], may: Sequence[str]) -> None:
    if both := sorted(set(must) & set(may)):
        raise BadValue(
            f"module type {both[0]} cannot be mandatory and optional",
            code="type.both",
            field="optionalmodules",
            remedy="name it once",
        )


def _check_text(text: str, field: str) -> None:
    if len(text) > _LONGEST_TEXT or "\x00" in text:
        raise BadValue(
            f"this cannot be a {field}", code=f"type.{field}", field=field, remedy="at most 512 characters"
        )
