"""What a gate is: a small expression over a car, its place and the time. Frozen and typed.

A gate is written as a line of text (``text``), as TOML (``tables``) or as the canonical JSON that travels
signed (``encode``). It is true, false or, where an attribute of the car is not known, unknown (S. C.
Kleene's strong three-valued logic); only true opens it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from driveaway.updates.places.place import read_code
from driveaway.values.errors import BadValue

Comparison = Literal[">=", ">", "<=", "<", "=", "!="]
COMPARISONS: Final[tuple[Comparison, ...]] = (">=", "<=", "!=", ">", "<", "=")
DEEPEST: Final = 40
"""Levels of nesting; a gate that people can read has five."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f\"]{1,100}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,99}")
_LARGEST: Final = 2**53


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is"):
    """A part of a gate."""


class All(_Node, frozen=True, tag="all"):
    """True when all parts are; with none, always."""

    of: tuple[Gate, ...] = ()


class Any_(_Node, frozen=True, tag="any"):
    """True when any part is; with none, never."""

    of: tuple[Gate, ...] = ()


class Not(_Node, frozen=True, tag="not"):
    """True when the part is false; unknown stays unknown."""

    of: Gate


class Within(_Node, frozen=True, tag="place"):
    """The car's position lies in any of these places."""

    places: tuple[str, ...]

    def __post_init__(self) -> None:
        for code in _listed(self.places, "gate.place"):
            read_code(code)


class Trim(_Node, frozen=True, tag="trim"):
    """The car's trim is one of these."""

    among: tuple[str, ...]

    def __post_init__(self) -> None:
        _texts(self.among, "gate.trim")


class Market(_Node, frozen=True, tag="market"):
    """The car was sold in one of these markets."""

    among: tuple[str, ...]

    def __post_init__(self) -> None:
        _texts(self.among, "gate.market")


class Amount(_Node, frozen=True, tag="amount"):
    """A counted part of the car's hardware, such as its LiDARs."""

    hardware: str
    compared: Comparison
    to: int

    def __post_init__(self) -> None:
        _name(self.hardware, "gate.hardware")
        _number(self.to, "gate.hardware")


class Kind(_Node, frozen=True, tag="kind"):
    """A named part of the car's hardware, such as its computer, is one of these."""

    hardware: str
    among: tuple[str, ...]

    def __post_init__(self) -> None:
        _name(self.hardware, "gate.hardware")
        _texts(self.among, "gate.hardware")


class Software(_Node, frozen=True, tag="software"):
    """The version that a control unit or a function reports."""

    unit: str
    compared: Comparison
    to: str

    def __post_init__(self) -> None:
        _name(self.unit, "gate.software")
        if not _VERSION.fullmatch(self.to):
            raise BadValue(
                f"{self.to!r} is not a version", code="gate.software", remedy="write it such as 1.4.0"
            )


class Assisted(_Node, frozen=True, tag="assisted_metres"):
    """The distance that the car was driven with assistance so far, m."""

    compared: Comparison
    to: int

    def __post_init__(self) -> None:
        _number(self.to, "gate.assisted_metres")


class Entitlement(_Node, frozen=True, tag="entitlement"):
    """The car holds an entitlement, such as a paid subscription."""

    name: str

    def __post_init__(self) -> None:
        _name(self.name, "gate.entitlement")


class Training(_Node, frozen=True, tag="training"):
    """The driver has completed a training."""

    name: str

    def __post_init__(self) -> None:
        _name(self.name, "gate.training")


class From(_Node, frozen=True, tag="from"):
    """At this time or later; microseconds since 1970 UTC."""

    at: int

    def __post_init__(self) -> None:
        _number(self.at, "gate.from")


class Until(_Node, frozen=True, tag="until"):
    """At this time or earlier; microseconds since 1970 UTC."""

    at: int

    def __post_init__(self) -> None:
        _number(self.at, "gate.until")


Leaf = Within | Trim | Market | Amount | Kind | Software | Assisted | Entitlement | Training | From | Until
Gate = All | Any_ | Not | Leaf
ALWAYS: Final = All()
NEVER: Final = Any_()
CODES: Final[dict[type[Any], str]] = {
    Within: "gate.place",
    Trim: "gate.trim",
    Market: "gate.market",
    Amount: "gate.hardware",
    Kind: "gate.hardware",
    Software: "gate.software",
    Assisted: "gate.assisted_metres",
    Entitlement: "gate.entitlement",
    Training: "gate.training",
    From: "gate.from",
    Until: "gate.until",
}
"""The stable code of each condition; the reason why a car is not eligible carries it."""


def all_of(*parts: Gate) -> Gate:
    """All of these; a single one stands by itself."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Gate) -> Gate:
    """Any of these; a single one stands by itself."""
    return parts[0] if len(parts) == 1 else Any_(parts)


def values(*said: str) -> tuple[str, ...]:
    """Values of a condition, each once and sorted, so that equal gates have equal bytes."""
    return tuple(sorted(set(said)))


def leaves(gate: Gate) -> Iterator[Leaf]:
    """The conditions of a gate, in the order in which they are written."""
    if isinstance(gate, All | Any_):
        for part in gate.of:
            yield from leaves(part)
    elif isinstance(gate, Not):
        yield from leaves(gate.of)
    else:
        yield gate


def places_of(gate: Gate) -> tuple[str, ...]:
    """The codes of all places that a gate names, sorted."""
    return tuple(sorted({code for leaf in leaves(gate) if isinstance(leaf, Within) for code in leaf.places}))


def checked(gate: Gate) -> Gate:
    """The gate, unless it is nested too deeply.

    Raises:
        BadValue: it is.
    """
    level: list[Gate] = [gate]
    for _ in range(DEEPEST):
        level = [part for node in level for part in _parts(node)]
        if not level:
            return gate
    raise BadValue(f"a gate has more than {DEEPEST} levels", code="gate.deep", remedy="write it flatter")


def encode(gate: Gate) -> bytes:
    """The canonical JSON of a gate: sorted keys, no spaces, UTF-8."""
    return msgspec.json.encode(checked(gate), order="sorted")


def decode(text: str | bytes, place: str = "") -> Gate:
    """Read the JSON of a gate.

    Raises:
        BadValue: not a gate.
    """
    gate: Gate = decode_as(text, Gate, place)
    return checked(gate)


def decode_as(text: str | bytes, wanted: Any, place: str = "") -> Any:
    """Read JSON that holds gates.

    Raises:
        BadValue: not JSON, or not of the wanted form.
    """
    try:
        return msgspec.json.decode(text, type=wanted)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadValue(
            f"not a gate: {error}", code="gate.json", place=place, remedy="see how gates are written"
        ) from error
    except BadValue as error:
        raise error.at(place) from error.__cause__


def _parts(node: Gate) -> tuple[Gate, ...]:
    if isinstance(node, All | Any_):
        return node.of
    return (node.of,) if isinstance(node, Not) else ()


def _listed(given: tuple[str, ...], code: str) -> tuple[str, ...]:
    if not given:
        raise BadValue("a condition lists no value", code=code, remedy="list one or more, or leave it out")
    if given != values(*given):
        raise BadValue(
            f"{', '.join(given)} are not sorted, or one is there twice", code=code, remedy="sort them"
        )
    return given


def _texts(given: tuple[str, ...], code: str) -> None:
    for text in _listed(given, code):
        if not _TEXT.fullmatch(text) or text != text.strip():
            raise BadValue(f"{text!r} is not a value", code=code, remedy="1 to 100 characters, no quotes")


def _name(text: str, code: str) -> None:
    if not _NAME.fullmatch(text):
        raise BadValue(
            f"{text!r} is not a name", code=code, remedy="small letters, digits, - and _, a letter first"
        )


def _number(value: int, code: str) -> None:
    if not 0 <= value <= _LARGEST:
        raise BadValue(f"{value} is out of range", code=code, remedy="a whole number, 0 or more")
