"""One typed Arrow schema per kind: how facts look column by column."""

from __future__ import annotations

import types
import typing
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa

from driveaway.facts import Kind, kind_named

# What every kind's table has beside the fields of its body.
#   subject_key: 63-bit key of the subject for joins (exact for order ids, a hash for others)
#   day: local day of ``happened`` in the launch's zone, so that no engine has to know zones
#   superseded_at: seq of the fact that replaced this one, null while it is live
COMMON: tuple[pa.Field, ...] = (
    pa.field("seq", pa.int64(), nullable=False),
    pa.field("subject", pa.string(), nullable=False),
    pa.field("subject_key", pa.int64(), nullable=False),
    pa.field("happened", pa.int64(), nullable=False),
    pa.field("recorded", pa.int64(), nullable=False),
    pa.field("day", pa.date32(), nullable=False),
    pa.field("simulated", pa.bool_(), nullable=False),
    pa.field("superseded_at", pa.int64()),
)


@lru_cache(maxsize=256)
def body_schema(kind: str) -> pa.Schema:
    """The columns of a kind's body; keys to other subjects get an integer twin (``order_key``)."""
    return pa.schema([pa.field(name, _arrow(type_)) for name, type_ in _hints(kind_named(kind)).items()])


@lru_cache(maxsize=256)
def schema(kind: str) -> pa.Schema:
    """All columns of a kind's table."""
    fields = [*COMMON, *body_schema(kind)]
    fields += [pa.field(f"{name}_key", pa.int64()) for name in linked(kind)]
    return pa.schema(fields)


def linked(kind: str) -> tuple[str, ...]:
    """Fields of a kind that name another subject."""
    return tuple(name for name in ("order", "vin") if name in body_schema(kind).names)


def _hints(kind: Kind) -> dict[str, Any]:
    names = kind.body.__struct_fields__
    hints = typing.get_type_hints(kind.body, include_extras=False)
    return {name: hints[name] for name in names}


def _arrow(hint: Any) -> pa.DataType:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        (inner,) = [a for a in typing.get_args(hint) if a is not type(None)]
        return _arrow(inner)
    if origin is typing.Literal:
        return pa.string()
    if origin is tuple:
        return pa.list_(_arrow(typing.get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        inner_hints = typing.get_type_hints(hint)
        return pa.struct([pa.field(n, _arrow(inner_hints[n])) for n in hint.__struct_fields__])
    return {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}[hint]


def defaults(kind: str) -> dict[str, Any]:
    """Field → default that is not written in stored bodies (None and empty tuples excepted)."""
    out: dict[str, Any] = {}
    for info in kind_named(kind).fields:
        if info.default is not msgspec.NODEFAULT and info.default is not None and info.default != ():
            out[info.name] = info.default
    return out
