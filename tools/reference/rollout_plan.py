"""The page of a rollout's plan."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from driveaway.updates.rollouts.plan import RolloutPlan
from tools.reference.markdown import anchor, code, page, prose, table
from tools.reference.source import field_types

_ATTRIBUTE = re.compile(r"^(\w+(?:, \w+)*): ", re.MULTILINE)
_INTRODUCTION = (
    "`driveaway rollout plan NAME --release NAME:VERSION --plan FILE.toml` reads a plan from TOML; options"
    " such as `--stages` or `--night` go before the file. Everything may be left out; a night without a zone"
    " takes the launch's. An attribute that is not listed here is refused, with its name. Why it is decided"
    " as it is: [Waves that stop themselves](../explanation/waves.md)."
)


def rollout_plan() -> str:
    """Every attribute of a rollout's plan, table by table."""
    return page("Rollout plan", _INTRODUCTION, "## At the top", _table(RolloutPlan), *_sections())


def _sections() -> Iterator[str]:
    """One section for each table; one that stood before is linked to."""
    seen: dict[type[msgspec.Struct], str] = {}
    for heading, cls in _tables(RolloutPlan, ""):
        if cls in seen:
            yield f"## {heading}\n\nAs under [{code(seen[cls])}](#{anchor(seen[cls])})."
            continue
        seen[cls] = heading
        yield "\n\n".join(part for part in (f"## {heading}", _said(cls), _table(cls)) if part)


def _tables(cls: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    hints = get_type_hints(cls)
    for field in msgspec.structs.fields(cls):
        for inner, repeated in _structs(hints[field.name]):
            name = f"{prefix}{field.encode_name}"
            tag = inner.__struct_config__.tag
            said = f", {inner.__struct_config__.tag_field} = {tag}" if tag else ""
            yield (f"[[{name}]]{said}" if repeated else f"[{name}]{said}"), inner
            yield from _tables(inner, f"{name}.")


def _structs(hint: Any, repeated: bool = False) -> Iterator[tuple[type[msgspec.Struct], bool]]:
    """The structs that an attribute may hold, and whether it holds several."""
    if inspect.isclass(hint) and issubclass(hint, msgspec.Struct):
        yield hint, repeated
    elif get_origin(hint) is tuple:
        yield from _structs(get_args(hint)[0], True)
    elif get_origin(hint) in (Union, UnionType):
        for each in get_args(hint):
            yield from _structs(each, repeated)


def _said(cls: type[msgspec.Struct]) -> str:
    """What a docstring says before its attributes."""
    return prose(cls.__doc__).split("\nAttributes:")[0].removesuffix("Attributes:").strip()


def _meanings(cls: type[msgspec.Struct]) -> dict[str, str]:
    """What docstrings say about each attribute, those of base classes first."""
    out: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        _, found, listed = prose(base.__doc__).partition("Attributes:")
        if not found:
            continue
        text = inspect.cleandoc(listed)
        starts = list(_ATTRIBUTE.finditer(text))
        for start, after in zip(starts, [*starts[1:], None], strict=True):
            said = " ".join(text[start.end() : after.start() if after else len(text)].split())
            out.update(dict.fromkeys(start[1].split(", "), said))
    return out


def _table(cls: type[msgspec.Struct]) -> str:
    hints, types, meanings = get_type_hints(cls), field_types(cls), _meanings(cls)
    rows = []
    for field in msgspec.structs.fields(cls):
        if any(_structs(hints[field.name])) and not meanings.get(field.name):
            continue
        rows.append(
            (code(field.encode_name), _type(types[field.name]), _default(field), meanings.get(field.name, ""))
        )
    return table(("attribute", "type", "if left out", "meaning"), rows) if rows else ""


_NAMES = {
    "Seconds": "seconds, at least 0",
    "Share": "share, 0 to 1",
    "OpenedShare": "share, above 0 to 1",
    "Percent": "percent, 0 to 100",
    "Alpha": "share, above 0 to 0.5",
    "Stop": '"pause" or "abort"',
    "Signals": "list of signals",
    "Purpose": '"feature" or "quality" or "security" or "recall"',
    "Success": '"reported" or "finished"',
    "ActionType": '"soft" or "forced" or "downloadonly"',
    "Exposure": '"cars" or "distance" or "assisted_distance"',
    "Moment": "time with an offset",
    "Name": "text",
    "Plan": "table, see below",
    "Guard": "table, see below",
    "Rules": "table, see below",
    "Night": "table, see below",
    "Window": "table, see below",
    "HawkbitGroup": "table, see below",
    "Comparison": "table, see below",
    "Stage": "table, see below",
    "Group": "table, see below",
    "InstallFailure": '"failed" or "fallback" or "silent"',
}


def _type(text: str) -> str:
    return re.sub(r"\w+", lambda word: _NAMES.get(word[0], word[0]), text)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**needed**"
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if default in (None, (), ""):
        return "—"
    encoded = msgspec.json.encode(default).decode()
    return "see below" if "{" in encoded else code(encoded)
