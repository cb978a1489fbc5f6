"""A View: the book already cut at an as-of and a mark. Figures get a View, never the book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from driveaway.book.engine import Engine
from driveaway.book.when import When
from driveaway.facts import Fact
from driveaway.facts.description import Description, read_description
from driveaway.facts.launches import LaunchDescribed
from driveaway.values.clock import end_of_day, local_day
from driveaway.values.errors import NotFound


class View:
    """What was known at the mark of what had happened by the as-of."""

    def __init__(self, engine: Engine, when: When, zone: ZoneInfo) -> None:
        self._engine = engine
        self.when = when
        self.zone = zone

    def table(self, kind: str) -> ir.Table:
        """The facts of one kind as a table: the columns of ``book.columns``, already cut."""
        table = self._engine.table(kind)
        live = table.superseded_at.isnull() | (table.superseded_at > self.when.mark)
        return table.filter(table.seq <= self.when.mark, table.happened <= self.when.as_of, live)

    def table_at_mark(self, kind: str) -> ir.Table:
        """The same without the cut at the as-of: what was known at the mark, whenever it happened."""
        table = self._engine.table(kind)
        live = table.superseded_at.isnull() | (table.superseded_at > self.when.mark)
        return table.filter(table.seq <= self.when.mark, live)

    def landed(self, name: str) -> ir.Table:
        """A table that landed beside the book: batches up to the mark, and days up to ``last_day``.

        Raises:
            NotFound: there is none of this name.
        """
        table = self._engine.landed(name)
        table = table.filter(table.seq <= self.when.mark)
        if "day" in table.columns:
            table = table.filter(table.day <= ibis.literal(self.last_day))
        return table

    @cached_property
    def last_day(self) -> date:
        """The last local day that was over at the as-of: landed tables are cut by whole days."""
        day = local_day(self.when.as_of, self.zone)
        return day if self.when.as_of >= end_of_day(day, self.zone) else day - timedelta(days=1)

    def pseudonym(self, name: str) -> str:
        """What stands for a car where its VIN must not: the same each time, not to be turned back."""
        return self._engine.pseudonym(name)

    def facts(self, kind: str) -> list[Fact]:
        """The facts of one kind, typed, in order of valid time. For kinds of which there are few."""
        wanted = self.table(kind).order_by("happened", "seq").select("seq")
        seqs = self.run(wanted)[0].column("seq").to_pylist()
        return self._engine.facts(seqs)

    def run(self, expression: ir.Table) -> tuple[pa.Table, str]:
        """Run an expression over this view's tables; its rows and the SQL that ran."""
        return self._engine.fetch(expression)

    def hold(self, expression: ir.Table) -> ir.Table:
        """A table that stands for an expression over this view's tables and is worked out once.

        For what one question needs several times. It is good for this question; the next holds anew, which
        costs nothing while nothing has landed.
        """
        return self._engine.hold(expression)

    def holds(self, kinds: Sequence[str]) -> bool:
        """Whether any fact of these kinds is in the cut."""
        return any(self.run(self.table(kind).limit(1).select("seq"))[0].num_rows for kind in kinds)

    def erased_since(self) -> int:
        """Cars whose trips were erased since: recorded after the mark, or after the as-of.

        An answer in this cut misses them, and one that was printed before did not.
        """
        table = self._engine.table("subject.erased")
        later = (table.seq > self.when.mark) | (table.happened > self.when.as_of)
        rows = table.filter(later, table.trips > 0).select("subject").distinct()
        return len(self.run(rows)[0])

    @cached_property
    def description(self) -> Description:
        """The launch as it was described in the cut.

        Raises:
            NotFound: no description had been applied by then.
        """
        described = self.facts("launch.described")
        if not described:
            raise NotFound(
                "no launch.toml had been taken into the book by then",
                code="launch.not_described",
                remedy="driveaway apply",
            )
        return read_description(_text(described[-1]), f"fact {described[-1].seq}")


def _text(fact: Fact) -> str:
    assert isinstance(fact.body, LaunchDescribed)
    return fact.body.text
