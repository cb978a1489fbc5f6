"""What a comparison means for a field, as hawkBit answers it.

A record has no, one or many values of a field. ``==`` asks that some value is equal; ``!=`` and
``=out=`` that none is, which a record without any value fulfils, except for attributes and metadata,
where it does not. ``==''`` also finds what has no value, ``!=''`` wants a value that is not empty.
``=is=null`` and ``=not=null`` ask for the absence and presence of a value; apart from that ``=is=``,
``=li=`` and ``==`` are the same. ``*`` is a wildcard in what is compared by one of these, and nowhere else.
Texts compare without regard to the case of A–Z, and by code point.

Source: eclipse-hawkbit/hawkbit, hawkbit-ql-jpa, RsqlParser and SpecificationBuilder, 2025/26.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from driveaway.updates.filters.conditions import (
    Condition,
    Like,
    Match,
    OneOf,
    Order,
    TextOrder,
    VersionOrder,
    Within,
    pattern,
)
from driveaway.updates.filters.expressions import Comparison, Operator
from driveaway.updates.filters.fields import Field, Fields, Kind, Named, fold
from driveaway.updates.filters.parsing import marked
from driveaway.updates.versions import is_version, sort_key
from driveaway.values.clock import end_of_day, parse_day, parse_instant, start_of_day
from driveaway.values.errors import BadValue

_ORDERS: Final = {
    Operator.LESS: Order.BELOW,
    Operator.LESS_OR_EQUAL: Order.UP_TO,
    Operator.GREATER: Order.ABOVE,
    Operator.GREATER_OR_EQUAL: Order.FROM,
}
_VERSION_ORDERS: Final = {
    Operator.OLDER: Order.BELOW,
    Operator.OLDER_OR_SAME: Order.UP_TO,
    Operator.NEWER: Order.ABOVE,
    Operator.NEWER_OR_SAME: Order.FROM,
    Operator.SAME_VERSION: Order.SAME,
}
_NEGATIVE: Final = frozenset((Operator.NOT_EQUAL, Operator.IS_NOT, Operator.OUT))
_WITH_NULL: Final = frozenset((Operator.IS, Operator.IS_NOT))
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_MILLISECONDS = re.compile(r"-?[0-9]{1,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST = 2**63 - 2
_BOOLEANS = {"true": 1, "false": 0}

Span = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison, understood: ``name`` is the one after the dot of a ``Named`` field."""

    field: Field
    name: str | None
    match: Match
    condition: Condition | None


def read(comparison: Comparison, fields: Fields, text: str, zone: ZoneInfo | None) -> Check:
    """Understand one comparison, its macros replaced; ``text`` is the whole filter, for messages.

    ``zone`` is the one in which days and times without an offset are read.

    Raises:
        BadValue: ``filter.field``, ``filter.operator``, ``filter.value`` or ``filter.size``.
    """
    field, name = fields.find(comparison.field, text, comparison.at)
    try:
        match, condition = _meaning(comparison, field, zone)
    except BadValue as error:
        at = comparison.values_at if error.code == "filter.value" else comparison.at
        error.field = comparison.field
        error.message += f": {marked(text, at)}"
        error.at(f"character {at + 1}")
        raise
    return Check(field, name, match, condition)


def _meaning(comparison: Comparison, field: Field, zone: ZoneInfo | None) -> tuple[Match, Condition | None]:
    operator, values = comparison.operator, comparison.values
    version_order = _VERSION_ORDERS.get(operator)
    if version_order is not None:
        return Match.SOME, _version(field, version_order, values[0])
    order = _ORDERS.get(operator)
    if order is not None:
        return Match.SOME, _ordered(field, order, values[0], zone)
    negative = operator in _NEGATIVE
    named = isinstance(field.source, Named)
    match = Match.SOME if not negative else Match.PRESENT_AND_NONE if named else Match.NONE
    if operator is Operator.IN or operator is Operator.OUT:
        return match, _one_of(field, values, zone)
    value = values[0]
    if operator in _WITH_NULL and fold(value) == "null":
        return (Match.PRESENT if negative else Match.ABSENT), None
    text = field.kind is Kind.TEXT
    if not value:
        if not text:
            return (Match.PRESENT if negative else Match.ABSENT), None
        return (Match.PRESENT_AND_NONE if negative else Match.SOME_OR_ABSENT), OneOf(("",), True)
    parts = pattern(value)
    if len(parts) > 1 and text:
        return match, Like(tuple(map(fold, parts)))
    if len(parts) > 1:
        if any(parts):
            _refuse_value(field, value, "a wildcard stands alone here: ==* asks for any value")
        return (Match.ABSENT if negative else Match.PRESENT), None
    return match, _one_of(field, parts, zone)


def _one_of(field: Field, values: tuple[str, ...], zone: ZoneInfo | None) -> Condition:
    if field.kind is Kind.TEXT:
        return OneOf(tuple(map(fold, values)), True)
    if field.kind is Kind.CHOICE:
        return OneOf(tuple(_choice(field, value) for value in values), False)
    return Within(tuple(_span(field, value, zone) for value in values))


def _ordered(field: Field, order: Order, value: str, zone: ZoneInfo | None) -> Condition:
    if field.kind is Kind.TEXT:
        return TextOrder(order, fold(value))
    if field.kind in (Kind.CHOICE, Kind.BOOLEAN):
        _refuse_operator(field, "its values have no order", "use ==, !=, =in= or =out=")
    low, high = _span(field, value, zone)
    if order is Order.BELOW:
        return Within(((None, low),))
    if order is Order.UP_TO:
        return Within(((None, high),))
    return Within(((high if order is Order.ABOVE else low, None),))


def _version(field: Field, order: Order, value: str) -> Condition:
    if not field.has_versions:
        _refuse_operator(field, "its values are not compared as versions", "compare with ==, < or >")
    if not is_version(value):
        _refuse_value(
            field, value, "a version begins with a number, such as 1.2.10, v2.0.0-rc.1 or 2024.05.31"
        )
    return VersionOrder(order, sort_key(value))


def _choice(field: Field, value: str) -> str:
    found = next((choice for choice in field.choices if fold(choice) == fold(value)), None)
    if found is None:
        _refuse_value(field, value, f"one of {', '.join(field.choices)}")
    return found


def _span(field: Field, value: str, zone: ZoneInfo | None) -> Span:
    """The numbers that a written value stands for: a millisecond has 1,000 microseconds, a day many."""
    if field.kind is Kind.BOOLEAN:
        number = _BOOLEANS.get(fold(value))
        if number is None:
            _refuse_value(field, value, "true or false")
        return number, number + 1
    if field.kind is Kind.INTEGER:
        if _NUMBER.fullmatch(value) is None or abs(int(value)) > _LARGEST:
            _refuse_value(field, value, "a whole number")
        return int(value), int(value) + 1
    if _MILLISECONDS.fullmatch(value) is not None:
        return int(value) * 1000, (int(value) + 1) * 1000
    wanted = "milliseconds since 1970, an ISO 8601 time, a day, ${NOW_TS} or ${OVERDUE_TS}"
    try:
        if zone is not None and _DAY.fullmatch(value) is not None:
            day = parse_day(value)
            return start_of_day(day, zone), end_of_day(day, zone) + 1
        at = parse_instant(value, zone)
    except BadValue as error:
        _refuse_value(field, value, wanted, f" ({error.message})")
    return at, at + 1


def _refuse_value(field: Field, value: str, wanted: str, why: str = "") -> NoReturn:
    raise BadValue(
        f"{field.name} cannot be compared with {value[:80]!r}{why}", code="filter.value", remedy=wanted
    ) from None


def _refuse_operator(field: Field, why: str, remedy: str) -> NoReturn:
    raise BadValue(f"{field.name}: {why}", code="filter.operator", remedy=remedy)
