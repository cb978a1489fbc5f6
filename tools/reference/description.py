"""The page of ``launch.toml``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec
import msgspec.inspect

from driveaway.facts import description, planning
from driveaway.facts.description import Description
from tools.reference.markdown import anchor, code, page, prose, table
from tools.reference.source import aliases, field_types

_WORD = re.compile(r"\w+")


def launch_toml() -> str:
    """Every attribute of ``launch.toml``, table by table."""
    tables = _tables(Description, "")
    return page(
        "launch.toml",
        "A launch folder holds one `launch.toml`: what is sold, where it is built, which rules hold, which "
        "targets were set. `driveaway apply` takes it into the book; each figure then uses the version that "
        "held at its as-of. An attribute that is not listed here is refused, with its place. Times are ISO "
        "8601, days `YYYY-MM-DD`, money is text in major units of `currency`. From `[planning]` on, and in "
        "the tables under `[[plants]]`, stand the attributes that plans rest on; all may be left out.",
        "## At the top",
        attributes(Description),
        *_sections(tables),
    )


def _sections(tables: dict[str, type[msgspec.Struct]]) -> Iterator[str]:
    """One section a table; attributes that stood under an earlier heading are linked to."""
    seen: dict[type[msgspec.Struct], str] = {}
    for heading, cls in tables.items():
        if cls in seen:
            link = f"The same attributes as under [{code(seen[cls])}](#{anchor(seen[cls])})."
            yield "\n\n".join((f"## {heading}", prose(cls.__doc__).split("\n\n")[0], link))
            continue
        seen[cls] = heading
        yield "\n\n".join((f"## {heading}", prose(cls.__doc__), attributes(cls)))


def _tables(cls: type[msgspec.Struct], prefix: str) -> dict[str, type[msgspec.Struct]]:
    """Heading such as ``[[trims]]`` → class, in the order of the file."""
    found: dict[str, type[msgspec.Struct]] = {}
    for field in msgspec.structs.fields(cls):
        inner, repeated = _struct(msgspec.inspect.type_info(field.type))
        if inner is None:
            continue
        name = f"{prefix}{field.encode_name}"
        found[f"[[{name}]]" if repeated else f"[{name}]"] = inner
        found |= _tables(inner, f"{name}.")
    return found


def _struct(info: msgspec.inspect.Type) -> tuple[type[msgspec.Struct] | None, bool]:
    if isinstance(info, msgspec.inspect.Metadata):
        return _struct(info.type)
    if isinstance(info, msgspec.inspect.StructType):
        return info.cls, False
    if isinstance(info, msgspec.inspect.VarTupleType):
        return _struct(info.item_type)[0], True
    if isinstance(info, msgspec.inspect.UnionType):
        return next((found for kind in info.types if (found := _struct(kind))[0]), (None, False))
    return None, False


def attributes(cls: type[msgspec.Struct], only: Collection[str] | None = None) -> str:
    """The table of a class's attributes; of those that are tables themselves there is none.

    Args:
        cls: the class.
        only: attributes to list; None: all.
    """
    types = field_types(cls)
    named = {
        alias.name: alias.checked for module in (description, planning) for alias in aliases(module).values()
    }
    rows = []
    for field in msgspec.structs.fields(cls):
        if _struct(msgspec.inspect.type_info(field.type))[0] is not None:
            continue
        if only is not None and field.encode_name not in only:
            continue
        rows.append(
            (
                code(field.encode_name),
                _WORD.sub(lambda word: named.get(word[0], word[0]), types[field.name]),
                _default(field),
                _meaning(field),
            )
        )
    return table(("attribute", "type", "if left out", "meaning"), rows) if rows else ""


def _meaning(field: msgspec.structs.FieldInfo) -> str:
    info = msgspec.inspect.type_info(field.type)
    if isinstance(info, msgspec.inspect.Metadata) and info.extra_json_schema:
        return str(info.extra_json_schema.get("description", ""))
    return ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**needed**"
    if field.default in (None, (), "", msgspec.NODEFAULT):
        return "—"
    return code(msgspec.json.encode(field.default).decode())
