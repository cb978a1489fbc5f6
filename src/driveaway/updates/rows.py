"""Rows of the operational tables, typed; and statements over many ids, a part at a time."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from driveaway.updates.model import (
    Action,
    ActionMessage,
    Artifact,
    DistributionSet,
    SoftwareModule,
    Target,
)

_Row = TypeVar("_Row", bound=msgspec.Struct)
PART: Final = 500
"""Ids in one statement: a part's text is always the same, so that databases prepare it once."""


def columns(row: type[msgspec.Struct], alias: str) -> str:
    """A struct's fields as the columns of a table that a statement names ``alias``."""
    return ", ".join(f"{alias}.{name}" for name in row.__struct_fields__)


def reader(row: type[_Row]) -> Callable[[Sequence[Any]], _Row]:
    """A function that makes a struct of a database's row with the struct's columns in order."""
    names = row.__struct_fields__
    hints = typing.get_type_hints(row)
    turned = [(name, how) for name in names if (how := _conversion(hints[name])) is not None]

    def read(values: Sequence[Any]) -> _Row:
        fields = dict(zip(names, values, strict=True))
        for name, how in turned:
            fields[name] = how(fields[name])
        return row(**fields)

    return read


def _conversion(hint: Any) -> Callable[[Any], Any] | None:
    """How a database's value becomes what a field holds; None: as it is."""
    given = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return lambda value: tuple(msgspec.json.decode(value, type=list[str]))
    optional = type(None) in given
    kind = next((one for one in given if one is not type(None)), hint) if optional else hint
    if kind is bool:
        return (lambda value: None if value is None else bool(value)) if optional else bool
    if not isinstance(kind, type) or not issubclass(kind, Enum):
        return None
    if not optional:
        return _members(kind)
    # An empty text stands for no member of an enumeration.
    return lambda value: None if value is None or value == "" else kind(value)


def _members(kind: type[Enum]) -> Callable[[Any], Any]:
    known = {member.value: member for member in kind}
    return lambda value: known[value]


TARGET: Final = columns(Target, "t")
ACTION: Final = columns(Action, "a")
MODULE: Final = columns(SoftwareModule, "m")
ARTIFACT: Final = columns(Artifact, "f")
SET: Final = columns(DistributionSet, "d")
MESSAGE: Final = columns(ActionMessage, "s")
target_of: Final = reader(Target)
action_of: Final = reader(Action)
module_of: Final = reader(SoftwareModule)
artifact_of: Final = reader(Artifact)
set_of: Final = reader(DistributionSet)
message_of: Final = reader(ActionMessage)
TARGET_WIDTH: Final = len(Target.__struct_fields__)


@lru_cache(maxsize=8)
def places(size: int = PART) -> str:
    """``:p0, :p1, …``: what stands in ``IN (…)`` for the ids that ``parts`` gives."""
    return ", ".join(f":p{number}" for number in range(size))


def parts(values: Iterable[Any], size: int = PART) -> Iterator[Mapping[str, Any]]:
    """Values for ``places``, as many as one statement takes; a short part repeats its last one."""
    every = list(values)
    for start in range(0, len(every), size):
        part = every[start : start + size]
        part += part[-1:] * (size - len(part))
        yield {f"p{number}": value for number, value in enumerate(part)}
