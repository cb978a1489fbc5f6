"""The reference page of mapping files, from their classes."""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec
import msgspec.inspect

from driveaway.launch.imports.mapping import (
    Condition,
    FactShape,
    FileShape,
    Lookup,
    Mapping,
    PassOver,
    Source,
    TimeShape,
)

_TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("At the top", Mapping),
    ("`[file]`", FileShape),
    ("`[time]`", TimeShape),
    ("`[[lookups]]`", Lookup),
    ("`[[facts]]`", FactShape),
    ("Where a value comes from", Source),
    ("`when`: conditions", Condition),
    ("`[[pass_over]]`", PassOver),
)
_INTRODUCTION = (
    "A mapping says in TOML what foreign columns mean: `driveaway import FILE --mapping MAPPING.toml`. "
    "An attribute that is not listed here is refused, with its place. Where a column is named, its name "
    "alone will do, or a table "
    'of *where a value comes from*: `fields.price = { column = "amount", unit = "yuan" }`.'
)


def mapping_page() -> str:
    """The page in Markdown."""
    parts = ["# Mapping files", _INTRODUCTION]
    for heading, table in _TABLES:
        parts += [f"## {heading}", (table.__doc__ or "").strip(), _attributes(table)]
    return "\n\n".join(parts) + "\n"


def _attributes(table: type[msgspec.Struct]) -> str:
    hints = typing.get_type_hints(table, include_extras=False)
    lines = ["| attribute | type | if left out | meaning |", "| --- | --- | --- | --- |"]
    for field in msgspec.structs.fields(table):
        info = msgspec.inspect.type_info(field.type)
        schema = info.extra_json_schema or {} if isinstance(info, msgspec.inspect.Metadata) else {}
        cells = (
            f"`{field.encode_name}`",
            _type(hints[field.name]),
            _default(field),
            schema.get("description", ""),
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**needed**"
    default = field.default
    if default is msgspec.NODEFAULT or default in (None, (), ""):
        return "—"
    if isinstance(default, msgspec.Struct):
        return "—"
    return f"`{msgspec.json.encode(default).decode()}`"


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(a) for a in arguments if a is not type(None))
    if origin is typing.Literal:
        return ", ".join(f"`{a}`" for a in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    names: dict[Any, str] = {
        str: "text", int: "integer", float: "number", bool: "true or false",
        Source: "where a value comes from",
        Condition: "conditions", FileShape: "`[file]`", TimeShape: "`[time]`", Lookup: "`[[lookups]]`",
        PassOver: "`[[pass_over]]`", FactShape: "`[[facts]]`",
    }  # fmt: skip
    return names.get(hint, str(hint))
