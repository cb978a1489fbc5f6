"""The page of ``functions.toml``."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

import msgspec

from driveaway.updates.gates import tables
from driveaway.updates.places.geojson import Coordinates
from tools.reference.description import attributes
from tools.reference.markdown import cell, code, page, prose, table


def functions_toml() -> str:
    """Every attribute of ``functions.toml``; tables of conditions stand inside one another."""
    own = {"name", "name_zh", "said", "reference"}
    return page(
        "functions.toml",
        "Beside `launch.toml` a launch folder may hold a `functions.toml`: which functions releases bring, "
        "and the gate of each ([how to](../how-to/open-functions.md), [why](../explanation/gates.md)). "
        "`driveaway apply` takes it into the book: a new or changed function is a fact `function.opened`, "
        "one that was left out a fact `function.closed`. An attribute that is not listed here is refused, "
        "with its place. Without the file a launch has no functions.",
        "## [[functions]]",
        prose(tables.Function.__doc__) + " Beside these it has every attribute of [conditions](#conditions).",
        _attributes(tables.Function, only=own),
        "## [[functions.openings]]",
        prose(tables.Opening.__doc__)
        + " Any one of them suffices, beside what the function itself asks. Beside these it has every "
        "attribute of [conditions](#conditions).",
        _attributes(tables.Opening, only=own),
        "## Conditions",
        prose(tables.Needs.__doc__)
        + " An attribute of the car that is not known meets neither a condition nor its opposite.",
        _attributes(tables.Needs),
        table(("table inside", "meaning"), list(_inner())),
        "## [[places]]",
        prose(tables.PlaceFile.__doc__) + " A place that is given goes before the packaged one of its code.",
        _attributes(tables.PlaceFile),
    )


_TYPES = {
    cell("dict[str, int | str | tuple[str, ...]]"): "part → integer, text or list of text",
    "dict[str, str]": "unit → text",
    cell("int | str"): "integer or text",
    "Coordinates": " or ".join(f'"{name}"' for name in get_args(Coordinates)),
}


def _attributes(cls: type[msgspec.Struct], only: Collection[str] | None = None) -> str:
    text = attributes(cls, only)
    for written, said in _TYPES.items():
        text = text.replace(f"| {written} |", f"| {said} |")
    return text


def _inner() -> list[tuple[str, str]]:
    fields = msgspec.structs.fields(tables.Needs)
    named = {field.encode_name: field for field in fields}
    rows = []
    for name in ("all", "any", "not"):
        info = msgspec.inspect.type_info(named[name].type)
        said = info.extra_json_schema if isinstance(info, msgspec.inspect.Metadata) else None
        rows.append((code(name), str((said or {}).get("description", "")).removeprefix(f"`{name}`: ")))
    return rows
