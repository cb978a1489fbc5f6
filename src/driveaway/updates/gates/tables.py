"""``functions.toml``: which functions there are, and the gate of each.

All conditions of one table must hold. ``all``, ``any`` and ``not`` take further tables; ``when`` takes a
gate as text; ``openings`` are the ways in which a function is opened, any of them, beside what always
holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from driveaway.facts.planning import Table
from driveaway.updates.gates.expression import (
    COMPARISONS,
    Amount,
    Assisted,
    Entitlement,
    From,
    Gate,
    Kind,
    Leaf,
    Market,
    Not,
    Software,
    Training,
    Trim,
    Until,
    Within,
    all_of,
    any_of,
    checked,
    values,
)
from driveaway.updates.gates.policy import FUNCTION
from driveaway.updates.gates.text import parse, parse_time
from driveaway.updates.places.geojson import Coordinates, read_places
from driveaway.updates.places.place import Place
from driveaway.values.errors import BadValue, NotFound

_COMPARED = re.compile(rf"({'|'.join(COMPARISONS)})\s*(\S.*)")
_NUMBER = re.compile(r"[0-9][0-9_]*")
_OF_HARDWARE: Final = "hardware"


class Needs(Table, frozen=True, kw_only=True):
    """Conditions; all that are given must hold."""

    places: Annotated[
        tuple[str, ...], Meta(description="in any of these places, such as `city:beijing`")
    ] = ()
    trims: Annotated[tuple[str, ...], Meta(description="of any of these trims")] = ()
    markets: Annotated[tuple[str, ...], Meta(description="sold in any of these countries, ISO 3166-1")] = ()
    hardware: Annotated[
        dict[str, int | str | tuple[str, ...]],
        Meta(description="parts: a number (at least so many), a comparison such as `>= 2`, or names"),
    ] = msgspec.field(default_factory=dict)
    software: Annotated[
        dict[str, str],
        Meta(description="versions of control units or functions: at least this one, or a comparison"),
    ] = msgspec.field(default_factory=dict)
    entitlement: Annotated[str | None, Meta(description="entitlement that the car holds")] = None
    training: Annotated[str | None, Meta(description="training that the driver has completed")] = None
    assisted_metres: Annotated[
        int | str | None, Meta(description="driven with assistance: at least so many m, or a comparison")
    ] = None
    from_time: Annotated[
        str | None, Meta(description="`from`: first day in the launch's zone, or ISO 8601")
    ] = msgspec.field(default=None, name="from")
    until: Annotated[str | None, Meta(description="last day in the launch's zone, or ISO 8601")] = None
    when: Annotated[str | None, Meta(description="a gate as a line of text")] = None
    all: Annotated[tuple[Needs, ...], Meta(description="further conditions that all hold")] = ()
    any: Annotated[tuple[Needs, ...], Meta(description="further conditions, any of which holds")] = ()
    not_: Annotated[Needs | None, Meta(description="`not`: conditions that must not hold together")] = (
        msgspec.field(default=None, name="not")
    )


class Opening(Needs, frozen=True, kw_only=True):
    """One way in which a function is opened."""

    said: Annotated[str | None, Meta(description="in words")] = None
    reference: Annotated[str | None, Meta(description="source")] = None


class Function(Needs, frozen=True, kw_only=True):
    """A function that releases bring, and its gate."""

    name: Annotated[
        str, Meta(description="as cars and commands have it; facts write `_` as `-`", pattern=FUNCTION)
    ]
    name_zh: Annotated[str | None, Meta(description="its name in Chinese")] = None
    said: Annotated[str | None, Meta(description="in words")] = None
    openings: Annotated[
        tuple[Opening, ...],
        Meta(description="where and since when it is open; none: wherever the rest holds"),
    ] = ()
    reference: Annotated[str | None, Meta(description="source")] = None


class PlaceFile(Table, frozen=True, kw_only=True):
    """A GeoJSON file of places."""

    file: Annotated[str, Meta(description="path, beside this file")]
    coordinates: Annotated[
        Coordinates | None,
        Meta(description="what its numbers are; GCJ-02 is converted; none: WGS-84, and no other is accepted"),
    ] = None


class Functions(Table, frozen=True, kw_only=True):
    """Everything in ``functions.toml``."""

    functions: Annotated[tuple[Function, ...], Meta(description="functions, each with its gate")] = ()
    places: Annotated[tuple[PlaceFile, ...], Meta(description="places beside the packaged ones")] = ()

    def named(self, name: str) -> Function:
        """The function of this name.

        Raises:
            NotFound: there is none.
        """
        for function in self.functions:
            if function.name == name:
                return function
        known = ", ".join(function.name for function in self.functions)
        raise NotFound(f"there is no function {name!r}", code="function.unknown", remedy=f"one of {known}")


def read_functions(text: str, place: str = "functions.toml") -> Functions:
    """Read the text of a ``functions.toml``.

    Raises:
        BadValue: not TOML, an unknown attribute, a wrong type, or a function that is there twice.
    """
    try:
        content = _days_as_text(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadValue(str(error), code="function.toml", place=place, remedy="mend the syntax") from error
    try:
        functions = msgspec.convert(content, Functions)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _wrong(content, str(error), place) from error
    names = [function.name for function in functions.functions]
    for name in names:
        if names.count(name) > 1:
            raise BadValue(
                f"{name} is there twice", code="function.twice", place=place,
                remedy="one table a function; several ways to open it are its openings",
            )  # fmt: skip
    return functions


def gate_of(needs: Needs, zone: ZoneInfo, place: str = "functions.toml") -> Gate:
    """The gate of a function, an opening or any table of conditions.

    Args:
        needs: the table.
        zone: of days.
        place: for error messages.

    Raises:
        BadValue: a condition cannot be read.
    """
    where = f"{place}: {needs.name}" if isinstance(needs, Function) else place
    try:
        return checked(_gate(needs, zone))
    except BadValue as error:
        raise error.at(where) from error.__cause__


def given_places(functions: Functions, folder: Path) -> Mapping[str, Place]:
    """The places of the files that ``functions.toml`` names, by code.

    Raises:
        BadValue: a file cannot be read, or a place is there twice.
    """
    found: dict[str, Place] = {}
    for entry in functions.places:
        try:
            text = (folder / entry.file).read_bytes()
        except OSError as error:
            raise BadValue(
                f"cannot be read: {error.strerror}", code="place.file", place=entry.file, remedy="name a file"
            ) from error
        for read in read_places(text, entry.file, entry.coordinates):
            if read.code in found:
                raise BadValue(
                    f"{read.code} is in two files", code="place.twice", place=entry.file, remedy="keep one"
                )
            found[read.code] = read
    return found


def _gate(needs: Needs, zone: ZoneInfo) -> Gate:
    parts: list[Gate] = []
    if needs.trims:
        parts.append(Trim(values(*needs.trims)))
    if needs.markets:
        parts.append(Market(values(*needs.markets)))
    parts += [_hardware(name, value) for name, value in sorted(needs.hardware.items())]
    for unit, text in sorted(needs.software.items()):
        compared = _COMPARED.fullmatch(text.strip())
        parts.append(Software(unit, _op(compared), compared[2] if compared else text.strip()))
    if needs.assisted_metres is not None:
        parts.append(_assisted(needs.assisted_metres))
    if needs.entitlement is not None:
        parts.append(Entitlement(needs.entitlement))
    if needs.training is not None:
        parts.append(Training(needs.training))
    if needs.from_time is not None:
        parts.append(From(parse_time(needs.from_time, zone, last=False)))
    if needs.until is not None:
        parts.append(Until(parse_time(needs.until, zone, last=True)))
    if needs.places:
        parts.append(Within(values(*needs.places)))
    if needs.when is not None:
        parts.append(parse(needs.when, zone))
    parts += [_gate(part, zone) for part in needs.all]
    if needs.any:
        parts.append(any_of(*(_gate(part, zone) for part in needs.any)))
    if needs.not_ is not None:
        parts.append(Not(_gate(needs.not_, zone)))
    if isinstance(needs, Function) and needs.openings:
        parts.append(any_of(*(_gate(opening, zone) for opening in needs.openings)))
    return all_of(*parts)


def _hardware(name: str, value: int | str | tuple[str, ...]) -> Leaf:
    if isinstance(value, int):
        return Amount(name, ">=", value)
    if isinstance(value, tuple):
        return Kind(name, values(*value))
    compared = _COMPARED.fullmatch(value.strip())
    if compared is None:
        return Kind(name, (value.strip(),))
    return Amount(name, _op(compared), _whole(compared[2], f"{_OF_HARDWARE}.{name}"))


def _assisted(value: int | str) -> Leaf:
    if isinstance(value, int):
        return Assisted(">=", value)
    compared = _COMPARED.fullmatch(value.strip())
    return Assisted(_op(compared), _whole(compared[2] if compared else value.strip(), "assisted_metres"))


def _op(compared: re.Match[str] | None) -> Any:
    return compared[1] if compared else ">="


def _whole(text: str, field: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadValue(
            f"{field}: {text!r} is not a whole number",
            code="gate.number",
            remedy="write it such as >= 1_000_000",
        )
    return int(text.replace("_", ""))


def _wrong(content: Any, said: str, place: str) -> BadValue:
    """What is wrong with the file's form, with the function and the value that it is about."""
    message, _, path = said.partition(" - at `")
    value, steps = content, []
    for step in re.findall(r"\[(\d+|\.\.\.)\]|\.?(\w+)", path.removeprefix("key in ").lstrip("$")):
        try:
            value = value[int(step[0])] if step[0] else value[step[1]]
        except (LookupError, TypeError, ValueError):
            break
        if isinstance(value, dict) and "name" in value:
            steps = [str(value["name"])]
        elif step[1] != "functions":
            steps.append(step[1] or str(int(step[0]) + 1))
    shown = "" if isinstance(value, dict | list) else f" ({value!r})"
    where = " ".join(steps)
    return BadValue(
        f"{message}{shown}",
        code="function.shape",
        place=f"{place}: {where}" if where else place,
        remedy="the reference of functions.toml lists every attribute",
    )


def _days_as_text(content: Any) -> Any:
    """TOML's own days and times as text, so that both ways of writing them mean the same."""
    if isinstance(content, dict):
        return {key: _days_as_text(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_days_as_text(value) for value in content]
    return content.isoformat() if isinstance(content, date | datetime) else content
