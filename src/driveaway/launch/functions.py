"""What ``driveaway apply`` takes from ``functions.toml``: functions opened, changed and closed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from driveaway.facts import Draft, Fact
from driveaway.facts.description import Description
from driveaway.facts.updates import FunctionClosed, FunctionOpened
from driveaway.updates.gates.expression import (
    All,
    Any_,
    From,
    Gate,
    Not,
    Trim,
    encode,
    leaves,
    places_of,
)
from driveaway.updates.gates.tables import Functions, gate_of, given_places, read_functions
from driveaway.updates.places.packaged import chosen
from driveaway.updates.places.place import Place
from driveaway.values.errors import BadValue, DriveawayError
from driveaway.values.ids import parse_slug

FILE: Final = "functions.toml"
KINDS: Final = ("function.opened", "function.closed")
APPLIED: Final = "urn:driveaway:launch:"
"""How the sources of what was applied begin."""
LEFT_OUT: Final = "left out of functions.toml"
_LONGEST: Final = 4000
_NEVER: Final = 2**62


def function_slug(name: str) -> str:
    """The slug by which facts name a function: ``city_navigation`` is ``city-navigation``.

    Raises:
        BadValue: it cannot be one.
    """
    return parse_slug(name.replace("_", "-"))


def function_name(slug: str) -> str:
    """A function's name, as functions.toml and cars have it."""
    return slug.replace("-", "_")


def read_folder(folder: Path) -> Functions | None:
    """The functions.toml of a launch folder; None where there is none.

    Raises:
        BadValue: it cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadValue(
            f"byte {error.start + 1} is not UTF-8",
            code="function.encoding",
            place=str(path),
            remedy="save the file as UTF-8",
        ) from error
    return read_functions(text, str(path))


def folder_places(folder: Path) -> Mapping[str, Place]:
    """The places that the functions.toml of a folder gives, by code.

    Raises:
        BadValue: it, or a file that it names, cannot be read.
    """
    functions = read_folder(folder)
    return {} if functions is None else given_places(functions, folder)


def check_gate(gate: Gate, description: Description, given: Mapping[str, Place]) -> str:
    """The canonical JSON of a gate that can be asked about in this launch.

    Raises:
        BadValue: it names a trim that is not sold or a place that there is not, or it is too long.
    """
    sold = [trim.name for trim in description.trims]
    for leaf in leaves(gate):
        if isinstance(leaf, Trim):
            for name in leaf.among:
                if sold and name not in sold:
                    raise BadValue(
                        f"there is no trim {name!r}", code="function.trim", remedy=f"one of {', '.join(sold)}"
                    )
    try:
        chosen(places_of(gate), given)
    except DriveawayError as error:
        raise BadValue(error.message, code=error.code, remedy=error.remedy) from None
    text = encode(gate).decode()
    if len(text) > _LONGEST:
        raise BadValue(
            f"a gate of {len(text):,} characters",
            code="function.long",
            remedy=f"at most {_LONGEST:,}; name one place that covers many",
        )
    return text


def read_gates(folder: Path, description: Description, zone: ZoneInfo) -> dict[str, Gate]:
    """The gates of a folder's functions.toml by slug, in its order; empty where there is none.

    Raises:
        BadValue: one cannot be read, or speaks of what there is not; file and function are named.
    """
    functions = read_folder(folder)
    if functions is None:
        return {}
    path = str(folder / FILE)
    given = given_places(functions, folder)
    gates: dict[str, Gate] = {}
    for function in functions.functions:
        try:
            slug = function_slug(function.name)
            gate = gate_of(function, zone, path)
            check_gate(gate, description, given)
        except DriveawayError as error:
            raise error.at(f"{path}: {function.name}") from None
        gates[slug] = gate
    return gates


def function_drafts(
    folder: Path,
    description: Description,
    zone: ZoneInfo,
    held: Sequence[Fact],
    *,
    at: int,
    begins: int,
) -> list[Draft]:
    """What functions.toml says that it did not say when it was last applied.

    Somebody who opens or closes a function beside the file is not overruled by it until the file changes.
    A new function is open from the first moment that its gate may allow, at the latest from ``at`` on.

    Args:
        folder: of the launch.
        description: what is sold.
        zone: of days.
        held: live facts of ``KINDS``.
        at: when a change of the file holds, microseconds since 1970 UTC.
        begins: since when a new function is open whose gate names no beginning.

    Raises:
        BadValue: the file cannot be read.
    """
    prefix = f"{APPLIED}{description.launch}/function/"
    last: dict[str, Fact] = {}
    for fact in sorted(held, key=lambda fact: fact.seq):
        if fact.source.startswith(prefix):
            last[fact.subject] = fact
    path = folder / FILE
    drafts: list[Draft] = []
    gates = read_gates(folder, description, zone)
    for slug, gate in gates.items():
        text = encode(gate).decode()
        old = last.get(slug)
        if old is not None and isinstance(old.body, FunctionOpened) and old.body.gate == text:
            continue
        source = f"{prefix}{slug}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        happened = _since(gate, at, begins)
        if old is not None:
            source, happened = f"{source}/after-{old.seq}", max(at, old.happened)
        place = f"{path}: {function_name(slug)}"
        drafts.append(
            Draft("function.opened", slug, happened, FunctionOpened(gate=text), source, place=place)
        )
    for slug, old in last.items():
        if slug not in gates and old.kind == "function.opened":
            source = f"{prefix}{slug}/closed/after-{old.seq}"
            body = FunctionClosed(reason=LEFT_OUT)
            happened = max(at, old.happened)
            drafts.append(Draft("function.closed", slug, happened, body, source, place=str(path)))
    return drafts


def _since(gate: Gate, at: int, begins: int) -> int:
    first = _earliest(gate)
    return begins if first == 0 else min(first, max(at, begins))


def _earliest(gate: Gate) -> int:
    """A time before which a gate is never true; 0 where it names none."""
    match gate:
        case From(at=at):
            return at
        case All(of=parts):
            return max(map(_earliest, parts), default=0)
        case Any_(of=parts):
            return min(map(_earliest, parts), default=_NEVER)
        case Not():
            return 0
    return 0
