"""A filter as a function of one record: closures, made once and called for millions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driveaway.updates.filters.conditions import (
    Condition,
    Like,
    Match,
    OneOf,
    Order,
    TextOrder,
    VersionOrder,
)
from driveaway.updates.filters.fields import Listed, Named, Record, fold
from driveaway.updates.filters.reading import Check
from driveaway.updates.versions import FIRST_KEY, sort_key

Predicate = Callable[[Record], bool]
_Test = Callable[[Any], bool]


def all_of(parts: tuple[Predicate, ...]) -> Predicate:
    """Whether every part holds."""
    if len(parts) == 2:
        one, other = parts
        return lambda record: one(record) and other(record)

    def every(record: Record) -> bool:
        for part in parts:  # noqa: SIM110 - a loop is twice as fast as all()
            if not part(record):
                return False
        return True

    return every


def any_of(parts: tuple[Predicate, ...]) -> Predicate:
    """Whether at least one part holds."""
    if len(parts) == 2:
        one, other = parts
        return lambda record: one(record) or other(record)

    def some(record: Record) -> bool:
        for part in parts:  # noqa: SIM110 - a loop is twice as fast as any()
            if part(record):
                return True
        return False

    return some


def predicate(check: Check) -> Predicate:
    """Whether one comparison holds for a record."""
    test = None if check.condition is None else _test(check.condition)
    if isinstance(check.field.source, Listed):
        return _of_many(check.field.name, check.match, test)
    if isinstance(check.field.source, Named) and check.name is not None:
        return _of_named(check.field.name, check.name, check.match, test)
    return _of_one(check.field.name, check.match, test)


def _accepts(match: Match, test: _Test | None) -> _Test:
    """Whether a single value, None where there is none, is as wanted."""
    if match is Match.PRESENT:
        return lambda value: value is not None
    if match is Match.ABSENT or test is None:
        return lambda value: value is None
    if match is Match.SOME:
        return lambda value: value is not None and test(value)
    if match is Match.NONE:
        return lambda value: value is None or not test(value)
    if match is Match.SOME_OR_ABSENT:
        return lambda value: value is None or test(value)
    return lambda value: value is not None and not test(value)


def _of_one(field: str, match: Match, test: _Test | None) -> Predicate:
    accepts = _accepts(match, test)
    return lambda record: accepts(record.get(field))


def _of_named(field: str, name: str, match: Match, test: _Test | None) -> Predicate:
    accepts = _accepts(match, test)

    def found(record: Record) -> bool:
        values = record.get(field)
        return accepts(values.get(name) if values else None)

    return found


def _of_many(field: str, match: Match, test: _Test | None) -> Predicate:
    if match is Match.PRESENT:
        return lambda record: bool(record.get(field))
    if match is Match.ABSENT or test is None:
        return lambda record: not record.get(field)
    if match is Match.SOME:
        return lambda record: any(map(test, record.get(field) or ()))
    if match is Match.NONE:
        return lambda record: not any(map(test, record.get(field) or ()))
    if match is Match.SOME_OR_ABSENT:
        return lambda record: not record.get(field) or any(map(test, record.get(field)))
    return lambda record: bool(record.get(field)) and not any(map(test, record.get(field)))


def _test(condition: Condition) -> _Test:
    if isinstance(condition, OneOf):
        return _one_of(condition)
    if isinstance(condition, Like):
        return _like(condition.parts)
    if isinstance(condition, TextOrder):
        return _compared(condition.order, condition.text, fold)
    if isinstance(condition, VersionOrder):
        return _version(condition)
    spans = condition.spans
    if len(spans) == 1:
        ((low, high),) = spans
        return lambda value: (low is None or low <= value) and (high is None or value < high)
    return lambda value: any(
        (low is None or low <= value) and (high is None or value < high) for low, high in spans
    )


def _one_of(condition: OneOf) -> _Test:
    texts = frozenset(condition.texts)
    if not condition.folded:
        return lambda value: value in texts
    if len(condition.texts) == 1:
        text = condition.texts[0]
        return lambda value: fold(value) == text
    return lambda value: fold(value) in texts


def _compared(order: Order, bound: str, key: Callable[[str], str]) -> _Test:
    if order is Order.BELOW:
        return lambda value: key(value) < bound
    if order is Order.UP_TO:
        return lambda value: key(value) <= bound
    if order is Order.ABOVE:
        return lambda value: key(value) > bound
    if order is Order.FROM:
        return lambda value: key(value) >= bound
    return lambda value: key(value) == bound


def _version(condition: VersionOrder) -> _Test:
    bound = condition.key
    if condition.order is Order.BELOW:
        return lambda value: FIRST_KEY <= sort_key(value) < bound
    if condition.order is Order.UP_TO:
        return lambda value: FIRST_KEY <= sort_key(value) <= bound
    return _compared(condition.order, bound, sort_key)


def _like(parts: tuple[str, ...]) -> _Test:
    """Parts are sought from left to right, each at its first place: right, and linear in the length."""
    first, last = parts[0], parts[-1]
    between = tuple(part for part in parts[1:-1] if part)
    shortest = len(first) + len(last)

    def like(value: str) -> bool:
        value = fold(value)
        if len(value) < shortest or not (value.startswith(first) and value.endswith(last)):
            return False
        at, end = len(first), len(value) - len(last)
        for part in between:
            at = value.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return like
