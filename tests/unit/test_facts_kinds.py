"""Every kind of fact: documented, versioned, written and read back as the same."""

from __future__ import annotations

import inspect
import json
from typing import Any, Literal

import msgspec
import pytest

from driveaway.book.canonical import encode_body
from driveaway.book.columns import body_schema, schema
from driveaway.book.reading import body_of
from driveaway.facts import KINDS, kind_named
from driveaway.facts.keys import keys_of
from driveaway.facts.orders import OrderHandedOver, OrderReserved
from driveaway.values.errors import BadValue


def _value(hint: Any) -> Any:
    """Some value that a field's type allows, and that is not its default."""
    info = msgspec.inspect.type_info(hint)
    if isinstance(info, msgspec.inspect.UnionType):
        info = next(each for each in info.types if not isinstance(each, msgspec.inspect.NoneType))
    match info:
        case msgspec.inspect.LiteralType(values=values):
            return values[-1]
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.IntType(le=most):
            return 42 if most is None else min(42, most)
        case msgspec.inspect.FloatType(le=most):
            return 4.5 if most is None or most >= 4.5 else 0.5
        case msgspec.inspect.StrType(pattern=pattern) if pattern:
            return {"^[A-Z]{3}$": "EUR", "^[0-9]{6}$": "310000"}.get(pattern) or _matching(pattern)
        case msgspec.inspect.StrType():
            return "文 text"
        case msgspec.inspect.VarTupleType(item_type=item):
            return (_value(_plain(item)), _value(_plain(item)))
        case msgspec.inspect.StructType(cls=cls):
            return _filled(cls)
    raise AssertionError(info)


def _plain(info: Any) -> Any:
    if isinstance(info, msgspec.inspect.LiteralType):
        return Literal[tuple(info.values)]
    return info.cls if isinstance(info, msgspec.inspect.StructType) else str


def _matching(pattern: str) -> str:
    known = {"^[0-9a-f]{64}$": "0f" * 32, "^[A-Z]{2}$": "CN"}
    if pattern in known:
        return known[pattern]
    if "," in pattern.replace("{1,", ""):
        return "39.9,116.4"
    return "2024-04-24" if pattern.startswith("^[0-9]{4}-") else "76.5"


def _filled(body: type[Any]) -> Any:
    return body(**{field.name: _value(field.type) for field in msgspec.structs.fields(body)})


def _least(body: type[Any]) -> Any:
    fields = msgspec.structs.fields(body)
    return body(**{field.name: _value(field.type) for field in fields if field.required})


@pytest.mark.parametrize("name", KINDS)
def test_written_and_read_back(name: str) -> None:
    kind = KINDS[name]
    for body in (_filled(kind.body), _least(kind.body)):
        public, personal = encode_body(body)
        assert body_of(name, kind.version, public, personal) == body
        assert kind.read(kind.version, json.loads(public) | json.loads(personal)) == body
        assert not json.loads(public).keys() & kind.body.personal
        assert list(json.loads(public)) == sorted(json.loads(public))
        assert all(isinstance(key, str) for key in keys_of(body))


@pytest.mark.parametrize("name", KINDS)
def test_its_shape(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    assert inspect.getdoc(kind.body)
    assert kind.version >= 1
    assert set(kind.older) == set(range(1, kind.version))
    assert kind.body.personal <= {field.name for field in kind.fields}
    assert all(not field.required for field in kind.fields if field.name in kind.body.personal)
    assert body_schema(name).names == [field.name for field in kind.fields]
    assert len(set(schema(name).names)) == len(schema(name).names)


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(BadValue) as bad:
        KINDS[name].read(1, {"surprise": 1})
    assert bad.value.code == "fact.body"


def test_an_unknown_kind_and_version() -> None:
    with pytest.raises(BadValue) as bad:
        kind_named("order.eaten")
    assert bad.value.code == "kind.unknown"
    with pytest.raises(BadValue) as bad:
        kind_named("order.locked").read(9, {})
    assert bad.value.code == "kind.version"


def test_no_kind_names_a_person() -> None:
    named = {field.name for kind in KINDS.values() for field in kind.fields}
    assert not named & {"first_name", "last_name", "phone", "email", "address", "id_number", "birthday"}


def test_under_which_keys_a_fact_is_found() -> None:
    assert keys_of(OrderReserved(buyer="b", edition="founder")) == ("buyer:b", "edition:founder")
    assert keys_of(OrderHandedOver(vin="LNB")) == ("LNB",)
    assert keys_of(OrderHandedOver()) == ()
