"""What a filter says once it is read: comparisons, joined by and and or."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from typing import Final


class Operator(Enum):
    """How a field is compared; the value is the operator as it is written."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "=lt="
    LESS_OR_EQUAL = "=le="
    GREATER = "=gt="
    GREATER_OR_EQUAL = "=ge="
    LIKE = "=li="
    IN = "=in="
    OUT = "=out="
    IS = "=is="
    IS_NOT = "=not="
    OLDER = "=vlt="
    OLDER_OR_SAME = "=vle="
    NEWER = "=vgt="
    NEWER_OR_SAME = "=vge="
    SAME_VERSION = "=veq="


SPELLINGS: Final[dict[str, Operator]] = {operator.value: operator for operator in Operator} | {
    "<": Operator.LESS,
    "<=": Operator.LESS_OR_EQUAL,
    ">": Operator.GREATER,
    ">=": Operator.GREATER_OR_EQUAL,
    "=eq=": Operator.IS,
    "=ne=": Operator.IS_NOT,
}
"""Every way to write an operator, lower case."""

WITH_LISTS: Final = frozenset((Operator.IN, Operator.OUT))
"""Operators that take a list of values; all others take one."""

RESERVED: Final = "\"'();,=<>!~"
"""Characters that a value or a field bears only inside quotes, besides white space."""

_BARE = re.compile(r"[^\"'();,=<>!~\s]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """One field compared with one value, or with a list of them.

    ``values`` are as written, without quotes: wildcards, escapes of wildcards and macros still in
    place. ``at`` and ``values_at`` are the places of the field and of the first value in the text that
    was read, from 0.
    """

    field: str
    operator: Operator
    values: tuple[str, ...]
    at: int = dataclasses.field(default=0, compare=False)
    values_at: int = dataclasses.field(default=0, compare=False)

    def __str__(self) -> str:
        values = ",".join(map(_quoted, self.values))
        if self.operator in WITH_LISTS:
            values = f"({values})"
        return f"{_quoted(self.field)}{self.operator.value}{values}"


@dataclasses.dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts, none of them an ``And``."""

    parts: tuple[Comparison | Or, ...]

    def __str__(self) -> str:
        return ";".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts, none of them an ``Or``."""

    parts: tuple[Comparison | And, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.parts))


Expression = Comparison | And | Or


def comparisons(expression: Expression) -> list[Comparison]:
    """All comparisons in it, from left to right."""
    if isinstance(expression, Comparison):
        return [expression]
    return [found for part in expression.parts for found in comparisons(part)]


def _quoted(text: str) -> str:
    if _BARE.fullmatch(text) is not None:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
