"""Types that staff declare: of modules, and of sets with the module types that they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates.types import (
    ANY_NUMBER,
    BUILT_IN,
    DECLARED,
    TABLES,
    Of,
    Type,
    all_types,
    declared,
    numbered,
)
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

_LONGEST: Final = 64
_LONGEST_TEXT: Final = 512


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
    for each in (*BUILT_IN[of], *declared(change, of)):
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
    return bool(reading.rows(f"SELECT 1 FROM {TABLES[of]} WHERE type = :key LIMIT 1", key=key))


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
