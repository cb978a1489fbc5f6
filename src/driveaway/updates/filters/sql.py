"""A filter as a condition of SQL with named parameters, for SQLite and PostgreSQL.

Texts and names only ever travel as parameters. What differs is the collation: in PostgreSQL
comparisons of texts say ``COLLATE "C"``, so that both stores, and the predicate, give one answer.
Every fragment is true or false, or null where it would be false and is not negated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from driveaway.updates.filters.conditions import Condition, Like, Match, OneOf, Order, TextOrder, VersionOrder
from driveaway.updates.filters.fields import Column, Listed, Related
from driveaway.updates.filters.reading import Check
from driveaway.updates.versions import FIRST_KEY

Dialect = Literal["sqlite", "postgresql"]
_LIKE_ESCAPES = str.maketrans({"!": "!!", "%": "!%", "_": "!_"})


@dataclass(frozen=True, slots=True)
class Where:
    """A condition to stand after WHERE, and its parameters by name, without the colon."""

    sql: str
    parameters: dict[str, str | int]


@dataclass(slots=True)
class Writer:
    """Writes conditions and collects their parameters, named ``prefix`` and a number."""

    dialect: Dialect
    prefix: str = "p"
    parameters: dict[str, str | int] = field(default_factory=dict)

    def check(self, check: Check) -> str:
        """The SQL of one comparison."""
        source, condition = check.field.source, check.condition
        version = None if isinstance(source, Listed) else source.version

        def holds(qualifier: str) -> str:
            if isinstance(condition, VersionOrder):
                return self._condition(condition, qualifier + (version or source.value))
            return "" if condition is None else self._condition(condition, qualifier + source.value)

        def present(qualifier: str) -> str:
            return f"{qualifier}{source.value} IS NOT NULL"

        match check.match:
            case Match.SOME:
                return self._some(check, holds)
            case Match.NONE:
                return self._none(check, holds)
            case Match.PRESENT:
                return self._some(check, present)
            case Match.ABSENT:
                return self._none(check, present)
            case Match.SOME_OR_ABSENT:
                return f"({self._none(check, present)} OR {self._some(check, holds)})"
            case Match.PRESENT_AND_NONE:
                return f"({self._some(check, present)} AND {self._none(check, holds)})"

    def _some(self, check: Check, holds: Callable[[str], str]) -> str:
        source = check.field.source
        if isinstance(source, Column):
            return holds("")
        return self._found(check, holds, "", "")

    def _none(self, check: Check, holds: Callable[[str], str]) -> str:
        source = check.field.source
        if isinstance(source, Column):
            return f"({source.value} IS NULL OR NOT {holds('')})"
        if isinstance(source, Related):
            return self._found(check, holds, f"{source.reference} IS NULL OR ", "NOT ")
        return self._found(check, holds, "", "NOT ")

    def _found(self, check: Check, holds: Callable[[str], str], before: str, negation: str) -> str:
        """Whether another table has a row that belongs to this one and meets the condition."""
        source = check.field.source
        if isinstance(source, Related):
            # Few rows, many references to them: the inner query does not depend on the outer row.
            rows = f"SELECT found.{source.key} FROM {source.table} found WHERE {holds('found.')}"
            return f"({before}{source.reference} {negation}IN ({rows}))"
        if isinstance(source, Column):
            raise AssertionError("a column has no table of its own")
        named = "" if isinstance(source, Listed) else f"{self._folded('found.' + source.name)} = "
        if named and check.name is not None:
            named += self._parameter(check.name) + " AND "
        rows = f"SELECT 1 FROM {source.table} found WHERE found.{source.owner} = {source.reference}"
        return f"{negation}EXISTS ({rows} AND {named}{holds('found.')})"

    def _condition(self, condition: Condition, value: str) -> str:
        if isinstance(condition, OneOf):
            expression = self._folded(value) if condition.folded else value
            names = [self._parameter(text) for text in dict.fromkeys(condition.texts)]
            return (
                f"({expression} = {names[0]})"
                if len(names) == 1
                else f"({expression} IN ({', '.join(names)}))"
            )
        if isinstance(condition, Like):
            like = "%".join(part.translate(_LIKE_ESCAPES) for part in condition.parts)
            return f"({self._folded(value)} LIKE {self._parameter(like)} ESCAPE '!')"
        if isinstance(condition, TextOrder):
            return f"({self._folded(value)} {condition.order.value} {self._parameter(condition.text)})"
        if isinstance(condition, VersionOrder):
            key = self._collated(value)
            above = f"{key} {condition.order.value} {self._parameter(condition.key)}"
            if condition.order in (Order.BELOW, Order.UP_TO):
                return f"({key} >= {self._parameter(FIRST_KEY)} AND {above})"
            return f"({above})"
        return joined("OR", [self._span(span, value) for span in condition.spans])

    def _span(self, span: tuple[int | None, int | None], value: str) -> str:
        low, high = span
        if low is not None and high == low + 1:
            return f"({value} = {self._parameter(low)})"
        bounds = [] if low is None else [f"{value} >= {self._parameter(low)}"]
        bounds += [] if high is None else [f"{value} < {self._parameter(high)}"]
        return f"({' AND '.join(bounds)})"

    def _parameter(self, value: str | int) -> str:
        name = f"{self.prefix}{len(self.parameters)}"
        self.parameters[name] = value
        return ":" + name

    def _collated(self, value: str) -> str:
        return f'{value} COLLATE "C"' if self.dialect == "postgresql" else value

    def _folded(self, value: str) -> str:
        return f"lower({self._collated(value)})"


def joined(word: str, parts: list[str]) -> str:
    """Conditions joined by AND or OR, paired as a balanced tree: stores bound the depth of expressions."""
    while len(parts) > 1:
        paired = [f"({one} {word} {other})" for one, other in zip(parts[::2], parts[1::2], strict=False)]
        parts = paired + parts[len(paired) * 2 :]
    return parts[0]
