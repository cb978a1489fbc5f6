"""DuckDB in memory over the mirror's files; one connection, safe between threads by a lock."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from driveaway.book.columns import schema
from driveaway.book.landed import Landed
from driveaway.book.mirror import Manifest, Mirror
from driveaway.book.reading import fact_of
from driveaway.facts import Fact
from driveaway.values.errors import NotFound

# What DuckDB raises for files that are gone, cut short or changed.
_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.SerializationException,
    duckdb.BinderException,
    pa.ArrowException,
)

_REMEMBERED = 500
_LANDED = "landed_"
_HELD = "held_"
_NAMED = re.compile(rf"\b{_HELD}[0-9a-f]{{24}}\b")
_MOST_HELD = 8


class Engine:
    """Runs figures' expressions. Views over Parquet are made anew when the mirror has moved on.

    Another engine overrides what touches DuckDB: ``unreadable``, ``backend``, ``_make_view``, ``_sql``,
    ``_run``, ``_hold``, ``_let_go`` and ``close``.
    """

    unreadable: tuple[type[Exception], ...] = _UNREADABLE
    """What is raised for files that are gone, cut short or changed."""

    def __init__(self, mirror: Mirror, landed: Landed | None = None) -> None:
        self._mirror = mirror
        self._landed = landed
        self.progress: Callable[[int, int], None] | None = None
        self._backend: Any = None
        self._loaded: Manifest | None = None
        self._tables: dict[str, ir.Table] = {}
        # Landed tables that were made, and of which generation.
        self._beside: dict[str, Any] = {}
        # SQL by what it was compiled from, which holds as-of and mark; the latest asked stands last.
        self._questions: dict[Any, str] = {}
        # Tables that stand for expressions, and what they were made of; the latest stands last.
        self._held: dict[str, tuple[Any, ...]] = {}
        self._held_of: dict[str, ir.Table] = {}
        self._lock = threading.RLock()

    @property
    def backend(self) -> Any:
        """The Ibis backend; opened at first use, with no extension loaded at run time."""
        if self._backend is None:
            self._backend = ibis.duckdb.connect(
                ":memory:", autoinstall_known_extensions=False, autoload_known_extensions=False
            )
        return self._backend

    def table(self, kind: str) -> ir.Table:
        """A kind's whole table, uncut."""
        with self._lock:
            manifest = self._mirror.manifest
            if manifest is not self._loaded:
                self._loaded = manifest
                self._tables.clear()
            if kind not in self._tables:
                try:
                    self._tables[kind] = self._make(kind)
                except self.unreadable:
                    # Gone or damaged: the mirror comes anew from the book, once.
                    self._mirror.drop()
                    self._loaded = self._mirror.catch_up()
                    for known in [*self._tables, kind]:
                        self._tables[known] = self._make(known)
            return self._tables[kind]

    def landed(self, name: str) -> ir.Table:
        """A landed table, whole and uncut; it catches up with the mirror first.

        Raises:
            NotFound: there is none of this name.
        """
        with self._lock:
            landed = self._landed
            if landed is None or name not in landed.names():
                known = "none" if landed is None else ", ".join(landed.names())
                raise NotFound(
                    f"no table {name!r} has landed", code="landed.unknown", remedy=f"one of {known}"
                )
            generation = landed.catch_up(self.progress)
            if self._beside.get(name) is not generation:
                try:
                    self._make_landed(landed, name)
                except _UNREADABLE:
                    # Swept by another process, or damaged: what landed comes anew from its batches, once.
                    landed.drop()
                    generation = landed.catch_up(self.progress)
                    self._make_landed(landed, name)
                self._beside[name] = generation
            columns = [field.with_nullable(True) for field in landed.schema(name)]
            # All as if they could be null: set operations ask for the same types to the letter.
            return ibis.table(ibis.Schema.from_pyarrow(pa.schema(columns)), name=_LANDED + name)

    def pseudonym(self, name: str) -> str:
        """What stands for a car in what is shown."""
        return name if self._landed is None else self._landed.pseudonym(name)

    def _make(self, kind: str) -> ir.Table:
        name = kind.replace(".", "_")
        self._make_view(name, schema(kind), self._mirror.paths(kind))
        # Not `backend.table`: the columns are known, and asking DuckDB for them costs a query.
        return ibis.table(ibis.Schema.from_pyarrow(schema(kind)), name=name)

    def _make_landed(self, landed: Landed, name: str) -> None:
        self._make_view(_LANDED + name, landed.schema(name), landed.paths(name))

    def _make_view(self, name: str, columns: pa.Schema, paths: Sequence[str]) -> None:
        if paths:
            files = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
            names = ", ".join(f'"{column}"' for column in columns.names)
            sql = f"CREATE OR REPLACE VIEW {name} AS SELECT {names} FROM read_parquet([{files}])"
        else:
            types = ", ".join(f'CAST(NULL AS {_type(field.type)}) AS "{field.name}"' for field in columns)
            sql = f"CREATE OR REPLACE VIEW {name} AS SELECT {types} WHERE false"
        self.backend.con.execute(sql)

    def fetch(self, expression: ir.Table) -> tuple[pa.Table, str]:
        """Run an expression: its rows, and the SQL that ran."""
        with self._lock:
            sql = self._compiled(expression)
            self._bring_back(sql)
            try:
                return self._run(sql), sql
            except self.unreadable:
                # Another process has moved the mirror on and swept the files of this generation. The
                # newer ones hold all that is asked for: the cut stands in the SQL.
                self._mirror.reload()
                if self._landed is not None and self._beside:
                    self._landed.reload()
            try:
                return self._again(sql), sql
            except self.unreadable:
                if self._landed is None or _LANDED not in sql:
                    return self._anew(sql), sql
            try:
                # A file is damaged inside: what landed comes anew from its batches, once.
                self._landed.drop()
                return self._again(sql), sql
            except self.unreadable:
                return self._anew(sql), sql

    def hold(self, expression: ir.Table) -> ir.Table:
        """A table that stands for an expression; worked out once while what it reads stays the same."""
        with self._lock:
            sql = self._compiled(expression)
            name = _HELD + blake2b(sql.encode(), digest_size=12).hexdigest()
            made_of = (self._loaded, *(self._beside[table] for table in sorted(self._beside)))
            before = self._held.pop(name, ())
            if len(before) != len(made_of) or any(a is not b for a, b in zip(before, made_of, strict=True)):
                self._hold(name, expression)
                made_of = (self._loaded, *(self._beside[table] for table in sorted(self._beside)))
            self._held[name] = made_of
            self._remember_held(name, expression)
            return ibis.table(expression.schema(), name=name)

    def _remember_held(self, name: str, expression: ir.Table) -> None:
        self._held_of.pop(name, None)
        self._held_of[name] = expression
        if len(self._held_of) > _REMEMBERED:
            del self._held_of[next(iter(self._held_of))]
        if len(self._held) > _MOST_HELD:
            oldest = next(iter(self._held))
            del self._held[oldest]
            self._let_go(oldest)

    def _bring_back(self, sql: str) -> None:
        """Hold again what a question needs and others have pushed out meanwhile."""
        for name in _NAMED.findall(sql):
            if name not in self._held and name in self._held_of:
                self.hold(self._held_of[name])

    def _hold(self, name: str, expression: ir.Table) -> None:
        self.backend.con.register(name, self.fetch(expression)[0])

    def _let_go(self, name: str) -> None:
        self.backend.con.unregister(name)

    def _anew(self, sql: str) -> pa.Table:
        """The same once the mirror has come anew from the book."""
        self._mirror.drop()
        self._mirror.catch_up()
        return self._again(sql)

    def _compiled(self, expression: ir.Table) -> str:
        """The SQL of an expression; remembered, for Ibis compiles longer than DuckDB answers."""
        question = expression.op()
        sql = self._questions.pop(question, None)
        if sql is None:
            sql = self._sql(expression)
            if len(self._questions) >= _REMEMBERED:
                self._questions.pop(next(iter(self._questions)))
        self._questions[question] = sql
        return sql

    def _sql(self, expression: ir.Table) -> str:
        return str(self.backend.compile(expression))

    def _run(self, sql: str) -> pa.Table:
        return self.backend.con.sql(sql).to_arrow_table()

    def _again(self, sql: str) -> pa.Table:
        """The same over the mirror's newest files."""
        for kind in list(self._tables):
            self._tables[kind] = self._make(kind)
        self._loaded = self._mirror.manifest
        if self._landed is not None:
            generation = self._landed.catch_up() if self._beside else None
            for name in list(self._beside):
                self._make_landed(self._landed, name)
                self._beside[name] = generation
        return self._run(sql)

    def facts(self, seqs: Sequence[int]) -> list[Fact]:
        """Typed facts by seq, in the order given."""
        store = self._mirror.store
        rows = {row.seq: row for row in store.by_seq(seqs)}
        return [fact_of(rows[seq]) for seq in seqs]

    def close(self) -> None:
        """Let go of the engine."""
        if self._backend is not None:
            self._backend.disconnect()
            self._backend = None


def _type(arrow: pa.DataType) -> str:
    """The DuckDB type of an Arrow type that facts use."""
    if pa.types.is_list(arrow):
        return _type(arrow.value_type) + "[]"
    if pa.types.is_struct(arrow):
        inner = ", ".join(f'"{field.name}" {_type(field.type)}' for field in arrow)
        return f"STRUCT({inner})"
    names = {
        pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.int8(): "TINYINT",
        pa.bool_(): "BOOLEAN", pa.float64(): "DOUBLE",
    }  # fmt: skip
    return names.get(arrow, "DATE")
