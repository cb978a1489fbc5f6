"""What is wrong with a body, in words: msgspec speaks of types and patterns, people of values."""

from __future__ import annotations

import re
import types
import typing
from typing import Any, Final, NamedTuple

import msgspec

from driveaway.facts.base import Body

_AT: Final = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_NAMED: Final = re.compile(r"`(\w+)`")
_WANTED: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_LENGTH: Final = re.compile(r"of length ([<>])= (\d+)")
_BOUND: Final = re.compile(r"([<>])=? (-?[\d.]+)")
_PATTERN: Final = re.compile(r"matching regex '(.*)'")
_NOUNS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a structure of named fields",
    "null": "nothing",
}
_FORMS: Final = {
    "^[A-Z]{3}$": "three capital letters of ISO 4217, such as CNY",
    "^[A-Z]{2}$": "two capital letters of ISO 3166-1, such as CN",
    "^[0-9]{6}$": "six digits of GB/T 2260, such as 310000",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "write YYYY-MM-DD",
    r"^-?[0-9]+(\\.[0-9]+)?$": "digits, with a point before decimals, such as 51.9",
}


class Wrong(NamedTuple):
    """What is wrong.

    Attributes:
        field: the field, or "" where the whole is meant.
        code: last part of a stable code: missing, unknown, value, length, range, form or type.
        message: what is wrong, without the field's name.
        remedy: what would be right.
    """

    field: str
    code: str
    message: str
    remedy: str


def wrong(body: type[Body], error: msgspec.ValidationError | str, field: str = "") -> Wrong:
    """Msgspec's complaint about a body of this class, in words.

    Args:
        body: the class.
        error: the complaint.
        field: the field that it is about, where the value was read by itself.
    """
    match = _AT.fullmatch(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    field = field or re.split(r"[.\[]", path)[0]
    if what.startswith("Object missing required field"):
        name = _NAMED.findall(what)[0]
        inside = f" in {path}" if path else ""
        return Wrong(field or name, "missing", f"{name} is missing{inside}", fields_of(body))
    if what.startswith("Object contains unknown field"):
        name = _NAMED.findall(what)[0]
        return Wrong(field or name, "unknown", f"there is no field {name!r}", fields_of(body))
    if what.startswith("Invalid enum value"):
        return Wrong(
            field, "value", f"{what.removeprefix('Invalid enum value ')} is none of its values",
            f"one of {', '.join(values_of(body, field))}",
        )  # fmt: skip
    if found := _LENGTH.search(what):
        if found[1] == ">":
            return Wrong(field, "length", "the text is empty", "write something, or leave it out")
        return Wrong(field, "length", "the text is too long", f"at most {int(found[2]):,} characters")
    if found := _PATTERN.search(what):
        remedy = _FORMS.get(found[1], "see the reference of kinds")
        return Wrong(field, "form", "it has another form than it should", remedy)
    if found := _WANTED.fullmatch(what):
        needed = " or ".join(_NOUNS.get(one, one) for one in found[1].split(" | ") if one != "null")
        given = _NOUNS.get(found[2], found[2])
        return Wrong(field, "type", f"this is {given}, not {needed}", f"give {needed}")
    if found := _BOUND.search(what):
        number = found[2].removesuffix(".0")
        side = "less" if found[1] == ">" else "more"
        other = "more" if found[1] == ">" else "less"
        return Wrong(field, "range", f"it is {side} than {number}", f"{number} or {other}")
    return Wrong(field, "type", what[:1].lower() + what[1:], fields_of(body))


def fields_of(body: type[Body]) -> str:
    """The fields of a kind as a remedy names them."""
    fields = msgspec.structs.fields(body)
    needed = ", ".join(field.name for field in fields if field.required)
    free = ", ".join(field.name for field in fields if not field.required)
    parts = [f"needed: {needed}" if needed else "", f"possible: {free}" if free else ""]
    return "; ".join(filter(None, parts)) or "it has no fields"


def values_of(body: type[Body], field: str) -> tuple[str, ...]:
    """The values that a field of a few values may have; none for other fields."""
    hint: Any = typing.get_type_hints(body).get(field)
    options = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    return tuple(
        str(value) for one in options if typing.get_origin(one) is typing.Literal
        for value in typing.get_args(one)
    )  # fmt: skip
