"""What can be done in SQLite while holding the write lock: look-ups by index, the append, operations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

from driveaway.book.sqlite_insert import Chunk, chunk_of, insert_rows, source_key
from driveaway.book.sqlite_locks import translated
from driveaway.book.store import Edge, Row

COLUMNS: Final = (
    "f.seq, f.kind, f.version, f.subject, f.happened, f.recorded, f.source, f.replaces, f.simulated,"
    " f.body, f.leaf, s.salt, s.personal"
)
FROM: Final = "FROM fact f LEFT JOIN fact_secret s ON s.seq = f.seq"
_LIVE: Final = "NOT EXISTS (SELECT 1 FROM fact r WHERE r.replaces = f.seq)"
# Pages that a commit, a single fact, and a chunk of thousands (which share theirs) dirty, measured.
_PAGES_OF_COMMIT: Final = 8
_PAGES_OF_FACT: Final = 3
_PAGES_OF_CHUNK: Final = 2_000


class SqliteTransaction:
    """What can be done while holding the write lock."""

    def __init__(self, connection: sqlite3.Connection, path: Path, worker: ThreadPoolExecutor) -> None:
        self._settled = connection
        self._path = path
        self._worker = worker
        self._under_way: Future[None] | None = None
        self.pages = _PAGES_OF_COMMIT

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection, once nothing is being inserted on it any more."""
        self.settle()
        return self._settled

    def edge(self) -> Edge:
        """The right edge as of now."""
        return Edge(*self._connection.execute("SELECT size, recorded, peaks FROM book_edge").fetchone())

    def live(self, subjects: Sequence[str], keys: Sequence[str]) -> list[Row]:
        """Facts not replaced, about any of these subjects or found under any of these keys, by seq."""
        found: dict[int, Row] = {}
        for wanted, join in (
            (subjects, "JOIN fact f ON f.subject = j.value"),
            (keys, "JOIN fact_key k ON k.key = j.value JOIN fact f ON f.seq = k.seq"),
        ):
            if wanted:
                sql = (
                    f"SELECT {COLUMNS} FROM json_each(?) j CROSS {join}"
                    f" LEFT JOIN fact_secret s ON s.seq = f.seq WHERE {_LIVE}"
                )
                for row in self._connection.execute(sql, (json.dumps(wanted),)):
                    found[row[0]] = Row._make(row)
        return [found[seq] for seq in sorted(found)]

    def of_subject(self, subject: str) -> list[Row]:
        """Every fact about exactly this subject that still has its secret."""
        sql = f"SELECT {COLUMNS} {FROM} WHERE f.subject = ? AND s.seq IS NOT NULL ORDER BY f.seq"
        return [Row._make(row) for row in self._connection.execute(sql, (subject,))]

    def open_under(self, keys: Sequence[str], closing: Sequence[str]) -> list[tuple[str, str]]:
        """(key, subject) of the live facts under these keys whose subject no live closing kind closed."""
        sql = (
            "SELECT k.key, f.subject FROM json_each(?) j CROSS JOIN fact_key k ON k.key = j.value"
            f" JOIN fact f ON f.seq = k.seq WHERE {_LIVE} AND NOT EXISTS (SELECT 1 FROM fact x"
            " WHERE x.subject = f.subject AND x.kind IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM fact y WHERE y.replaces = x.seq))"
        )
        return self._connection.execute(sql, (json.dumps(list(keys)), json.dumps(list(closing)))).fetchall()

    def any_of(self, kind: str, after: int) -> bool:
        """Whether there is a fact of this kind after that seq."""
        sql = "SELECT 1 FROM fact WHERE seq > ? AND kind = ? LIMIT 1"
        return self._connection.execute(sql, (after, kind)).fetchone() is not None

    def by_source(self, sources: Sequence[str]) -> dict[str, Row]:
        """Facts recorded under these sources."""
        keys = json.dumps([source_key(source) for source in sources])
        wanted = set(sources)
        sql = (
            f"SELECT {COLUMNS} FROM json_each(?) j CROSS JOIN fact f ON f.source_key = j.value"
            " LEFT JOIN fact_secret s ON s.seq = f.seq"
        )
        rows = (Row._make(row) for row in self._connection.execute(sql, (keys,)))
        return {row.source: row for row in rows if row.source in wanted}

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        sql = f"SELECT {COLUMNS} {FROM} WHERE f.seq IN (SELECT value FROM json_each(?)) ORDER BY f.seq"
        return [Row._make(row) for row in self._connection.execute(sql, (json.dumps(list(seqs)),))]

    def replacement_of(self, seq: int) -> int | None:
        """The seq of the fact that replaced this one, if any."""
        row = self._connection.execute("SELECT seq FROM fact WHERE replaces = ?", (seq,)).fetchone()
        return None if row is None else int(row[0])

    def insert(self, rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge) -> None:
        """Add facts with their secrets (where they still have any) and keys, and move the edge.

        Many facts are inserted beside the caller: the next call, or the commit, waits for them and
        raises what went wrong.

        Raises:
            Conflict: a source, or what one of them replaces, is in the book already.
        """
        chunk = chunk_of(rows, keys, edge)
        self.settle()
        self.pages += min(_PAGES_OF_FACT * len(rows), _PAGES_OF_CHUNK)
        if chunk is None:
            with translated(self._path):
                insert_rows(self._settled, rows, keys, edge)
        else:
            begun = Event()
            self._under_way = self._worker.submit(_insert, chunk, self._settled, begun)
            # The inserting thread has Python's lock now, and lets go of it once SQLite is at work; left
            # to itself it would wait for a turn.
            begun.wait()

    def settle(self) -> None:
        """Wait for what is being inserted.

        Raises:
            Conflict, Unavailable: it could not be.
        """
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            with translated(self._path):
                under_way.result()

    def shred(self, seqs: Sequence[int]) -> int:
        """Delete the secrets and personal keys of these facts; how many had any."""
        wanted = json.dumps(list(seqs))
        cursor = self._connection.execute(
            "DELETE FROM fact_secret WHERE seq IN (SELECT value FROM json_each(?))", (wanted,)
        )
        self._connection.execute(
            "DELETE FROM fact_key WHERE key LIKE 'buyer:%' AND seq IN (SELECT value FROM json_each(?))",
            (wanted,),
        )
        return cursor.rowcount

    # --- operational tables ---

    def rows(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement with named parameters, ``:name``."""
        with translated(self._path):
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement with named parameters; how many rows it changed."""
        self.pages += _PAGES_OF_FACT
        with translated(self._path):
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each set of named parameters."""
        self.pages += min(_PAGES_OF_FACT * len(values), _PAGES_OF_CHUNK)
        with translated(self._path):
            self._connection.executemany(sql, values)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part of the transaction that is taken back alone when it fails."""
        self._connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO step")
            self._connection.execute("RELEASE step")
            raise
        self._connection.execute("RELEASE step")


def _insert(chunk: Chunk, connection: sqlite3.Connection, begun: Event) -> None:
    begun.set()
    chunk.insert(connection)
