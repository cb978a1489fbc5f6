"""A filter: read and checked once, then asked of records or of a store."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from driveaway.updates.filters.expressions import And, Comparison, Expression, comparisons
from driveaway.updates.filters.fields import Fields, Record
from driveaway.updates.filters.parsing import parse
from driveaway.updates.filters.predicates import Predicate, all_of, any_of, predicate
from driveaway.updates.filters.reading import read
from driveaway.updates.filters.sql import Dialect, Where, Writer, joined
from driveaway.values.errors import BadValue

# ${NAME}; with one more $ before it, it stands for itself.
_MACRO = re.compile(r"(\$?)\$\{(NOW_TS|OVERDUE_TS)\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clock:
    """What the macros stand for, in microseconds since 1970 UTC.

    ``${NOW_TS}`` is ``now``; ``${OVERDUE_TS}`` is ``overdue``: who polled last before then is overdue
    (now, less the polling interval, less what is granted on top). A filter sees milliseconds.
    """

    now: int
    overdue: int


_SOME_CLOCK = Clock(0, 0)


class Filter:
    """A filter on the records of one resource.

    ``str`` gives it in one form, which reads as the same filter; ``text`` is what was given.
    """

    def __init__(self, text: str, fields: Fields, zone: ZoneInfo | None = None) -> None:
        """Read and check a filter; ``zone`` is that of days and times without an offset.

        Raises:
            BadValue: ``filter.syntax``, ``filter.size``, ``filter.field``, ``filter.operator`` or
                ``filter.value``, each with the place in the text and the remedy.
        """
        self.text = text
        self.fields = fields
        self.zone = zone
        self.expression = parse(text)
        values = (value for comparison in comparisons(self.expression) for value in comparison.values)
        self.timed = any(not found.group(1) for value in values for found in _MACRO.finditer(value))
        """Whether it asks for the time, by a macro."""
        # One attribute, so that threads never see the predicate of another clock.
        self._compiled = (_SOME_CLOCK, self._compile(self.expression, _SOME_CLOCK))

    def __str__(self) -> str:
        return str(self.expression)

    def predicate(self, clock: Clock | None = None) -> Predicate:
        """The filter as a function of a record; one that is timed speaks for this ``clock``.

        Raises:
            BadValue: ``filter.clock`` when it is timed and no clock is given.
        """
        clock = self._needed(clock)
        compiled_for, compiled = self._compiled
        if clock != compiled_for:
            compiled = self._compile(self.expression, clock)
            self._compiled = (clock, compiled)
        return compiled

    def matches(self, record: Record, clock: Clock | None = None) -> bool:
        """Whether it holds for a record."""
        return self.predicate(clock)(record)

    def where(self, dialect: Dialect, clock: Clock | None = None, prefix: str = "p") -> Where:
        """The filter as a condition of SQL; its parameters are named ``prefix`` and a number.

        Raises:
            BadValue: ``filter.clock`` when it is timed and no clock is given.
        """
        writer = Writer(dialect, prefix)
        sql = self._write(self.expression, writer, self._needed(clock))
        return Where(sql, writer.parameters)

    def _needed(self, clock: Clock | None) -> Clock:
        if not self.timed:
            return _SOME_CLOCK
        if clock is None:
            raise BadValue(
                "the filter asks for the time, and none is known here",
                code="filter.clock",
                remedy="leave ${NOW_TS} and ${OVERDUE_TS} out",
            )
        return clock

    def _compile(self, expression: Expression, clock: Clock) -> Predicate:
        if isinstance(expression, Comparison):
            return predicate(read(_replaced(expression, clock), self.fields, self.text, self.zone))
        parts = tuple(self._compile(part, clock) for part in expression.parts)
        return all_of(parts) if isinstance(expression, And) else any_of(parts)

    def _write(self, expression: Expression, writer: Writer, clock: Clock) -> str:
        if isinstance(expression, Comparison):
            return writer.check(read(_replaced(expression, clock), self.fields, self.text, self.zone))
        parts = [self._write(part, writer, clock) for part in expression.parts]
        return joined("AND" if isinstance(expression, And) else "OR", parts)


def _replaced(comparison: Comparison, clock: Clock) -> Comparison:
    """The comparison with its macros replaced by milliseconds."""
    if not any("${" in value for value in comparison.values):
        return comparison

    def value_of(found: re.Match[str]) -> str:
        if found.group(1):
            return found.group()[1:]
        at = clock.now if found.group(2).upper() == "NOW_TS" else clock.overdue
        return str(at // 1000)

    return replace(comparison, values=tuple(_MACRO.sub(value_of, value) for value in comparison.values))
