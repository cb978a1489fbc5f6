"""What a comparison asks of one value, free of fields, records and stores."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from driveaway.values.errors import BadValue

LONGEST_PATTERN: Final = 1_000
"""Characters of a value with wildcards."""
MOST_WILDCARDS: Final = 20


class Order(Enum):
    """On which side of a given value the wanted ones lie; the value is the sign in SQL."""

    BELOW = "<"
    UP_TO = "<="
    ABOVE = ">"
    FROM = ">="
    SAME = "="


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these texts; ``folded`` when the value is folded before it is compared."""

    texts: tuple[str, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class Like:
    """Begins with the first part, ends with the last, and has the others between, in this order; folded."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextOrder:
    """Below or above a folded text, by code point."""

    order: Order
    text: str


@dataclass(frozen=True, slots=True)
class VersionOrder:
    """A version below, above or the same as the one with this sort key."""

    order: Order
    key: str


@dataclass(frozen=True, slots=True)
class Within:
    """A number within one of these spans: from the first, up to and without the second; None is no bound."""

    spans: tuple[tuple[int | None, int | None], ...]


Condition = OneOf | Like | TextOrder | VersionOrder | Within


class Match(Enum):
    """How many of a record's values must meet the condition."""

    SOME = "some"
    NONE = "none"
    SOME_OR_ABSENT = "some, or there is no value"
    PRESENT_AND_NONE = "there are values, and none"
    PRESENT = "there are values"
    ABSENT = "there are no values"


def pattern(written: str) -> tuple[str, ...]:
    r"""The literal parts between the wildcards ``*`` of a value; one part: no wildcard.

    ``\*`` is an asterisk, ``\\`` a backslash; any other backslash is itself.

    Raises:
        BadValue: ``filter.size`` when it is longer or has more wildcards than the bounds above.
    """
    parts: list[str] = []
    part: list[str] = []
    at = 0
    while at < len(written):
        character, following = written[at], written[at + 1 : at + 2]
        if character == "\\" and following in ("*", "\\"):
            part.append(following)
            at += 1
        elif character == "*":
            parts.append("".join(part))
            part = []
        else:
            part.append(character)
        at += 1
    parts.append("".join(part))
    if len(parts) > 1 and (len(written) > LONGEST_PATTERN or len(parts) > MOST_WILDCARDS + 1):
        raise BadValue(
            f"the value {written[:40]!r}… is too long for one with wildcards",
            code="filter.size",
            remedy=f"at most {LONGEST_PATTERN} characters and {MOST_WILDCARDS} wildcards",
        )
    return tuple(parts)
