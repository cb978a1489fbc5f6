"""What can be done in PostgreSQL while holding the write lock: look-ups by index, and the append."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg import errors

from driveaway.book.sqlite_insert import source_key
from driveaway.book.store import Edge, Row
from driveaway.values.errors import BadValue, Conflict, DriveawayError, Unavailable

COLUMNS: Final = (
    "f.seq, f.kind, f.version, f.subject, f.happened, f.recorded, f.source, f.replaces, f.simulated,"
    " f.body, f.leaf, s.salt, s.personal"
)
FROM: Final = "FROM fact f LEFT JOIN fact_secret s ON s.seq = f.seq"
_LIVE: Final = "NOT EXISTS (SELECT FROM fact r WHERE r.replaces = f.seq)"
_SECRET: Final = "LEFT JOIN fact_secret s ON s.seq = f.seq"
# Each table's columns in the order in which ``insert`` gives them, with their types.
_TABLES: Final = {
    "fact": {
        "seq": "int8",
        "kind": "text",
        "version": "int2",
        "subject": "text",
        "happened": "int8",
        "recorded": "int8",
        "source": "text",
        "replaces": "int8",
        "simulated": "bool",
        "body": "text",
        "leaf": "bytea",
        "source_key": "int8",
    },
    "fact_secret": {"seq": "int8", "salt": "bytea", "personal": "text"},
    "fact_key": {"key": "text", "seq": "int8"},
}
_RETRY: Final = "try again; a retry is safe: what was recorded under a source is never recorded twice"
_FREE_SPACE: Final = "free space on the database's disk and try again; a retry is safe"


def our_error(error: psycopg.Error, place: str = "") -> DriveawayError:
    """One of PostgreSQL's errors as ours: what can be tried again says so."""
    text = error.diag.message_primary or str(error).strip() or type(error).__name__
    if isinstance(error, errors.DiskFull):
        return Unavailable("the database's disk is full", code="disk.full", place=place, remedy=_FREE_SPACE)
    if isinstance(error, psycopg.IntegrityError | errors.RaiseException):
        return Conflict(text, code="book.conflict", place=place)
    if isinstance(error, psycopg.DataError | errors.ProgramLimitExceeded):
        remedy = "shorten it, or take out characters that PostgreSQL cannot store (NUL)"
        return BadValue(text, code="store.value", place=place, remedy=remedy)
    if isinstance(error, errors.InsufficientPrivilege):
        remedy = "grant the role SELECT, INSERT, UPDATE and DELETE on the book's tables"
        return Unavailable(text, code="store.forbidden", place=place, remedy=remedy)
    return Unavailable(text, code="store.unreachable", place=place, remedy=_RETRY)


@contextmanager
def translated() -> Iterator[None]:
    """The errors of a statement as ours; a step of a transaction may fail with them alone."""
    try:
        yield
    except psycopg.Error as error:
        raise our_error(error) from error


_NAMED: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=1_000)
def named(sql: str) -> bytes:
    """A statement with parameters as ``:name`` in the form that psycopg reads."""
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%")).encode()


class PostgresTransaction:
    """What can be done while holding the write lock."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def edge(self) -> Edge:
        """The right edge as of now."""
        return Edge(*self._fetch("SELECT size, recorded, peaks FROM book_edge", ())[0])

    def live(self, subjects: Sequence[str], keys: Sequence[str]) -> list[Row]:
        """Facts not replaced, about any of these subjects or found under any of these keys, by seq."""
        found: dict[int, Row] = {}
        for wanted, join in (
            (subjects, "JOIN fact f ON f.subject = j.name"),
            (keys, "JOIN fact_key k ON k.key = j.name JOIN fact f ON f.seq = k.seq"),
        ):
            if wanted:
                sql = f"SELECT {COLUMNS} FROM unnest(%s::text[]) j(name) {join} {_SECRET} WHERE {_LIVE}"
                for row in self._fetch(sql, (list(wanted),)):
                    found[row[0]] = Row._make(row)
        return [found[seq] for seq in sorted(found)]

    def of_subject(self, subject: str) -> list[Row]:
        """Every fact about exactly this subject that still has its secret."""
        return self._rows(f"{FROM} WHERE f.subject = %s AND s.seq IS NOT NULL ORDER BY f.seq", (subject,))

    def open_under(self, keys: Sequence[str], closing: Sequence[str]) -> list[tuple[str, str]]:
        """(key, subject) of the live facts under these keys whose subject no live closing kind closed."""
        sql = (
            "SELECT k.key, f.subject FROM unnest(%s::text[]) j(name) JOIN fact_key k ON k.key = j.name"
            f" JOIN fact f ON f.seq = k.seq WHERE {_LIVE} AND NOT EXISTS (SELECT FROM fact x"
            " WHERE x.subject = f.subject AND x.kind = ANY(%s::text[])"
            " AND NOT EXISTS (SELECT FROM fact y WHERE y.replaces = x.seq))"
        )
        return [(row[0], row[1]) for row in self._fetch(sql, (list(keys), list(closing)))] if keys else []

    def any_of(self, kind: str, after: int) -> bool:
        """Whether there is a fact of this kind after that seq."""
        return bool(self._fetch("SELECT 1 FROM fact WHERE seq > %s AND kind = %s LIMIT 1", (after, kind)))

    def by_source(self, sources: Sequence[str]) -> dict[str, Row]:
        """Facts recorded under these sources."""
        if not sources:
            return {}
        sql = f"FROM unnest(%s::text[]) j(name) JOIN fact f ON f.source = j.name {_SECRET}"
        return {row.source: row for row in self._rows(sql, (list(sources),))}

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        return self._rows(f"{FROM} WHERE f.seq = ANY(%s::bigint[]) ORDER BY f.seq", (list(seqs),))

    def replacement_of(self, seq: int) -> int | None:
        """The seq of the fact that replaced this one, if any."""
        found = self._fetch("SELECT seq FROM fact WHERE replaces = %s", (seq,))
        return int(found[0][0]) if found else None

    def insert(self, rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge) -> None:
        """Add facts with their secrets (where they still have any) and keys, and move the edge.

        Raises:
            Conflict: a source is recorded already, or a fact is replaced already.
        """
        facts = [(*row[:8], bool(row[8]), row[9], row[10], source_key(row[6])) for row in rows]
        secrets = [(row[0], row[11], row[12]) for row in rows if row[11] is not None]
        batches: dict[str, Sequence[tuple[Any, ...]]]
        batches = {
            "fact": facts,
            "fact_secret": secrets,
            "fact_key": keys,
        }
        try:
            for table, batch in batches.items():
                if batch:
                    self._copy(table, batch)
            sql = 'UPDATE book_edge SET size = %s, recorded = %s, peaks = %s WHERE "only" = 1'
            self._connection.execute(sql, tuple(edge))
        except psycopg.Error as error:
            raise our_error(error) from error

    def _copy(self, table: str, batch: Sequence[tuple[Any, ...]]) -> None:
        columns = _TABLES[table]
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            copy.set_types(list(columns.values()))
            for values in batch:
                copy.write_row(values)

    def shred(self, seqs: Sequence[int]) -> int:
        """Delete the secrets and personal keys of these facts; how many had any."""
        wanted = (list(seqs),)
        self._connection.execute(
            "DELETE FROM fact_key WHERE seq = ANY(%s::bigint[]) AND starts_with(key, 'buyer:')", wanted
        )
        return self._connection.execute(
            "DELETE FROM fact_secret WHERE seq = ANY(%s::bigint[])", wanted
        ).rowcount

    # --- operational tables ---

    def rows(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement with named parameters, ``:name``."""
        with translated():
            return self._connection.execute(named(sql), values, binary=True).fetchall()

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement with named parameters; how many rows it changed."""
        with translated():
            return self._connection.execute(named(sql), values).rowcount

    def run_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each set of named parameters."""
        with translated(), self._connection.cursor() as cursor:
            cursor.executemany(named(sql), values)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part of the transaction that is taken back alone when it fails."""
        with self._connection.transaction():
            yield

    def _rows(self, tail: str, parameters: tuple[Any, ...]) -> list[Row]:
        return [Row._make(row) for row in self._fetch(f"SELECT {COLUMNS} {tail}", parameters)]

    def _fetch(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.encode(), parameters, binary=True).fetchall()
