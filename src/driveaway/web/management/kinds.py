"""Types of modules and of distribution sets: hawkBit's own, those declared here, and those in use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates import types
from driveaway.updates.management import declaring
from driveaway.updates.types import Of, Type
from driveaway.values.errors import NotFound
from driveaway.web.management.bodies import Id, ModuleTypeBody, SetTypeBody, TypeChange
from driveaway.web.management.calls import (
    CREATED,
    NOTHING,
    OK,
    Call,
    Said,
    milliseconds,
    paged,
    without_nothing,
)

Kind = Type


def of_modules(reading: Reading) -> list[Type]:
    """Types that modules have, deleted ones last."""
    return _every(reading, "module")


def of_sets(reading: Reading) -> list[Type]:
    """Types that distribution sets have, deleted ones last."""
    return _every(reading, "set")


def _every(reading: Reading, of: Of) -> list[Type]:
    deleted = [kind for kind in types.declared(reading, of, deleted=True) if kind.deleted]
    return [*types.all_types(reading, of), *deleted]


def named(kinds: list[Type], key: str) -> Type:
    """A type by its key; one that nothing has is told by its key alone."""
    return next((kind for kind in kinds if kind.key == key), Type(id=0, key=key, name=key))


def _document(call: Call, kind: Type, of: Of) -> dict[str, Any]:
    resource = "softwaremoduletypes" if of == "module" else "distributionsettypes"
    told: dict[str, Any] = {
        "createdAt": milliseconds(kind.created),
        "lastModifiedAt": milliseconds(kind.modified),
        "id": kind.id,
        "key": kind.key,
        "name": kind.name,
        "description": kind.description,
        "colour": kind.colour or None,
        "deleted": kind.deleted,
        "_links": {"self": call.link(resource, kind.id)},
    }
    if of == "module":
        told["maxAssignments"] = kind.most
    return without_nothing(told)


def _listed(call: Call, kinds: list[Type], of: Of) -> Said:
    page = call.page().bounded()
    shown = kinds[page.offset : page.offset + page.limit]
    return paged([_document(call, kind, of) for kind in shown], len(kinds))


def _number(call: Call) -> int:
    return call.number("type")


def module_types(call: Call) -> Said:
    """Types of modules."""
    return _listed(call, types.all_types(call.state, "module"), "module")


def module_type(call: Call) -> Said:
    """One type of modules."""
    return Said(OK, _document(call, types.numbered(call.state, "module", _number(call)), "module"))


def create_module_types(call: Call) -> Said:
    """Declare types of modules, all or none."""
    bodies: tuple[ModuleTypeBody, ...] = call.body
    with call.change() as change:
        made = [
            declaring.declare(
                change,
                "module",
                body.key,
                body.name,
                call.at,
                description=body.description or "",
                colour=body.colour or "",
                most=1 if body.max_assignments is None else body.max_assignments,
            )
            for body in bodies
        ]
    return Said(CREATED, [_document(call, kind, "module") for kind in made])


def amend_module_type(call: Call) -> Said:
    """Change what is said of a declared type of modules."""
    return _amended(call, "module")


def delete_module_type(call: Call) -> Said:
    """Take a declared type of modules out; what has it keeps it."""
    with call.change() as change:
        declaring.delete(change, "module", _number(call), call.at)
    return NOTHING


def set_types(call: Call) -> Said:
    """Types of distribution sets."""
    return _listed(call, types.all_types(call.state, "set"), "set")


def set_type(call: Call) -> Said:
    """One type of distribution sets."""
    return Said(OK, _document(call, types.numbered(call.state, "set", _number(call)), "set"))


def create_set_types(call: Call) -> Said:
    """Declare types of distribution sets with the module types that they need and allow, all or none."""
    bodies: tuple[SetTypeBody, ...] = call.body
    with call.change() as change:
        made = [
            declaring.declare(
                change,
                "set",
                body.key,
                body.name,
                call.at,
                description=body.description or "",
                colour=body.colour or "",
                mandatory=[each.id for each in body.mandatorymodules or ()],
                optional=[each.id for each in body.optionalmodules or ()],
            )
            for body in bodies
        ]
    return Said(CREATED, [_document(call, kind, "set") for kind in made])


def amend_set_type(call: Call) -> Said:
    """Change what is said of a declared type of distribution sets."""
    return _amended(call, "set")


def delete_set_type(call: Call) -> Said:
    """Take a declared type of distribution sets out; what has it keeps it."""
    with call.change() as change:
        declaring.delete(change, "set", _number(call), call.at)
    return NOTHING


def _amended(call: Call, of: Of) -> Said:
    body: TypeChange = call.body
    with call.change() as change:
        kind = declaring.amend(
            change, of, _number(call), call.at, description=body.description, colour=body.colour
        )
    return Said(OK, _document(call, kind, of))


# --- what a set of a type must and may have -----------------------------------------------------------------


def mandatory(call: Call) -> Said:
    """Types of modules that a set of a type must have."""
    return Said(OK, _told(call, _among(call, mandatory=True)))


def optional(call: Call) -> Said:
    """Types of modules that a set of a type may have; those of a type that nobody declared: all."""
    return Said(OK, _told(call, _among(call, mandatory=False)))


def one_mandatory(call: Call) -> Said:
    """One type of modules that a set of a type must have."""
    return _one(call, mandatory=True)


def one_optional(call: Call) -> Said:
    """One type of modules that a set of a type may have."""
    return _one(call, mandatory=False)


def put_mandatory(call: Call) -> Said:
    """Let sets of a type need a type of modules, while there are none."""
    return _put(call, mandatory=True)


def put_optional(call: Call) -> Said:
    """Let sets of a type have a type of modules, while there are none."""
    return _put(call, mandatory=False)


def take_mandatory(call: Call) -> Said:
    """Let sets of a type need a type of modules no more, while there are none."""
    return _take(call, mandatory=True)


def take_optional(call: Call) -> Said:
    """Let sets of a type have a type of modules no more, while there are none."""
    return _take(call, mandatory=False)


def _among(call: Call, *, mandatory: bool) -> Iterable[str]:
    kind = types.numbered(call.state, "set", _number(call))
    if mandatory:
        return kind.mandatory
    if kind.optional is None:
        return [each.key for each in types.all_types(call.state, "module")]
    return kind.optional


def _told(call: Call, keys: Iterable[str]) -> list[dict[str, Any]]:
    wanted = set(keys)
    found = {kind.key: kind for kind in reversed(of_modules(call.state)) if kind.key in wanted}
    return [_document(call, kind, "module") for kind in sorted(found.values(), key=lambda kind: kind.id)]


def _one(call: Call, *, mandatory: bool) -> Said:
    number = call.number("module_type")
    for told in _told(call, _among(call, mandatory=mandatory)):
        if told["id"] == number:
            return Said(OK, told)
    raise NotFound(f"it has no module type {number}", code="type.module_type", remedy="list them")


def _put(call: Call, *, mandatory: bool) -> Said:
    body: Id = call.body
    with call.change() as change:
        declaring.put_module_type(change, _number(call), body.id, call.at, mandatory=mandatory)
    return NOTHING


def _take(call: Call, *, mandatory: bool) -> Said:
    with call.change() as change:
        declaring.take_module_type(
            change, _number(call), call.number("module_type"), call.at, mandatory=mandatory
        )
    return NOTHING
