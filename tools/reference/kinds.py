"""The page of fact kinds."""

from __future__ import annotations

import msgspec
import msgspec.inspect

from driveaway.facts import KINDS, Draft, Fact, base, public
from tools.reference.markdown import anchor, code, page, prose, table
from tools.reference.source import aliases, field_types

SUBJECTS = {
    "order": "order id",
    "vin": "VIN",
    "slug": "slug",
    "any": "that of the fact or facts meant",
}


def kinds() -> str:
    """Every kind of fact with its fields and their meaning."""
    overview = table(
        ("kind", "version", "subject", "says"),
        (
            (
                f"[`{name}`](#{anchor(name)})",
                str(kind.version),
                SUBJECTS.get(kind.subject, kind.subject),
                prose(kind.body.__doc__).split("\n\n")[0],
            )
            for name, kind in KINDS.items()
        ),
    )
    named = aliases(base) | aliases(public)
    types = table(
        ("type", "is", "checked"),
        ((code(alias.name), prose(alias.note) or "—", alias.checked) for alias in named.values()),
    )
    return page(
        "Kinds of facts",
        "The book holds facts of these kinds and no others. A fact has a kind, a subject, the time when it "
        "`happened`, the time when it was `recorded`, a unique `source`, and a body whose fields depend on "
        "the kind. Times are microseconds since 1970 in UTC inside and ISO 8601 at every door. In "
        "CloudEvents the type is `driveaway.` and the kind's name. A field that is marked personal is kept "
        "apart from the rest and is shredded when its subject is erased. A kind that gets a new version "
        "keeps reading the old ones.",
        overview,
        "## What every fact has",
        attributes(Fact, Draft),
        "Whoever asks for a fact to be recorded gives a draft: the same without `seq`, `recorded` and "
        "`version`, and with",
        attributes(Draft, only=("replaces", "simulated", "place")),
        *(_kind(name) for name in KINDS),
        "## Parts",
        *(_part(part) for part in _parts()),
        "## Types",
        types,
    )


def _kind(name: str) -> str:
    kind = KINDS[name]
    return "\n\n".join((f"## {name}", prose(kind.body.__doc__), _fields(kind.body)))


def _part(part: type[msgspec.Struct]) -> str:
    return "\n\n".join((f"### {part.__name__}", prose(part.__doc__), _fields(part)))


def _fields(body: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(body)
    if not fields:
        return "No fields."
    types = field_types(body)
    personal: frozenset[str] = getattr(body, "personal", frozenset())
    return table(
        ("field", "type", "needed", "personal"),
        (
            (
                code(field.name),
                code(types[field.name]),
                "yes" if field.required else _default(field),
                "personal" if field.name in personal else "",
            )
            for field in fields
        ),
    )


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default in (None, (), msgspec.NODEFAULT):
        return "no"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"no; else `{shown}`"


def _parts() -> list[type[msgspec.Struct]]:
    """Classes that stand inside bodies, such as a control unit in a car as built."""
    found: dict[str, type[msgspec.Struct]] = {}
    for kind in KINDS.values():
        for field in kind.fields:
            for inner in _classes(msgspec.inspect.type_info(field.type)):
                found[inner.__name__] = inner
    return list(found.values())


def _classes(info: msgspec.inspect.Type) -> list[type[msgspec.Struct]]:
    if isinstance(info, msgspec.inspect.StructType):
        return [info.cls]
    inner: list[msgspec.inspect.Type] = []
    if isinstance(info, msgspec.inspect.UnionType):
        inner = list(info.types)
    elif isinstance(info, msgspec.inspect.VarTupleType):
        inner = [info.item_type]
    return [cls for item in inner for cls in _classes(item)]


def attributes(cls: type, *also: type, only: tuple[str, ...] = ()) -> str:
    """The ``Attributes:`` sections of docstrings as one table; what is said first holds."""
    rows = _documented(cls)
    for other in also:
        rows = rows | {name: text for name, text in _documented(other).items() if name not in rows}
    chosen = only or tuple(name for name in getattr(cls, "__struct_fields__", ()) if name in rows)
    return table(("attribute", "meaning"), ((code(name), rows[name]) for name in chosen))


def _documented(cls: type) -> dict[str, str]:
    rows: dict[str, str] = {}
    names: list[str] = []
    for line in prose(cls.__doc__).partition("Attributes:\n")[2].splitlines():
        start, colon, meaning = line.strip().partition(": ")
        said = start.split(", ")
        if not line.startswith("     ") and colon and all(map(str.isidentifier, said)):
            names = said
            rows |= dict.fromkeys(names, meaning)
        elif line.startswith("     "):
            rows |= {name: f"{rows[name]} {line.strip()}" for name in names}
    return rows
