"""The embedded store: one SQLite file in WAL mode, every commit synced to disk."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from driveaway.book.private import private_file, private_folder
from driveaway.book.sqlite_locks import is_locked, locked, translated
from driveaway.book.sqlite_transaction import COLUMNS, FROM, SqliteTransaction
from driveaway.book.store import SCHEMA_REVISION, Edge, Row
from driveaway.values.errors import DriveawayError, NotFound, Unavailable

_CACHE_KIB: Final = 256 * 1024
_CACHE_OF_SORT_KIB: Final = 16 * 1024
# The write-ahead log is copied back by whoever finds it this long, never inside the write lock:
# an import does it early, so that the order desk's own short appends hardly ever do.
_LOG_OF_IMPORT: Final = 100_000
_LOG_OF_OTHERS: Final = 200_000


class SqliteStore:
    """A book in one file. Safe for many processes: one writes at a time, readers never wait."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._reading = Lock()
        self._lock_path = path.with_suffix(".lock")
        self._waiting_path = path.with_suffix(".waiting")
        self._sign: int | None = None
        self._logged = 0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="insert")

    def create(self) -> None:
        """Make the file and its tables, or bring older ones up to date."""
        # Here, for it imports Alembic and SQLAlchemy: a server that only opens the book spares 25 MB.
        from driveaway.book.migrate import migrate

        private_folder(self.path.parent)
        # SQLite gives its log and the log's index the permissions of the file.
        private_file(self.path)
        with translated(self.path):
            connection = sqlite3.connect(self.path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.close()
        with locked(self._lock_path):
            migrate(self.url)

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection; opened at first use.

        Raises:
            NotFound: there is no book.
        """
        if self._connection is None:
            if not self.path.exists():
                raise NotFound(
                    f"no book at {self.path}",
                    code="book.missing",
                    remedy="driveaway apply (makes an empty one beside launch.toml) or driveaway restore",
                )
            with translated(self.path):
                self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        writable = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        connection = self._connected(str(self.path)) if writable else self._read_only()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # The copy of pages that a large insert keeps, to take itself back, need not go through a file.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA foreign_keys = ON")
        try:
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            revision = None
        if revision != (SCHEMA_REVISION,):
            connection.close()
            self.create()
            return self._open()
        return connection

    def _connected(self, name: str, *, uri: bool = False) -> sqlite3.Connection:
        return sqlite3.connect(name, isolation_level=None, timeout=30, check_same_thread=False, uri=uri)

    def _read_only(self) -> sqlite3.Connection:
        """A connection to a book that this user may only read."""
        place = self.path.resolve().as_uri()
        connection = self._connected(f"{place}?mode=ro", uri=True)
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            # Without the right to make its index of the log, SQLite reads only a book without a log.
            connection.close()
            log = self.path.with_name(self.path.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise Unavailable(
                    "its last writes stand in a log that cannot be read while the folder cannot be written",
                    code="store.read_only",
                    place=str(self.path),
                    remedy="open it once as a user who may write there",
                ) from error
            connection = self._connected(f"{place}?immutable=1", uri=True)
        return connection

    @contextmanager
    def write(self, *, patient: bool = False) -> Iterator[SqliteTransaction]:
        """Hold the one write lock; commit on a clean exit, else roll back."""
        # Opened before the lock is taken: bringing an older book up to date takes it too.
        connection = self.connection
        with locked(self._lock_path, None if patient else self._waiting_path), translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            transaction = SqliteTransaction(connection, self.path, self._worker)
            try:
                yield transaction
                transaction.settle()
                connection.execute("COMMIT")
                self._logged += transaction.pages
            except BaseException:
                with suppress(DriveawayError):
                    transaction.settle()
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._shorten_log(_LOG_OF_IMPORT if patient else _LOG_OF_OTHERS)

    def _shorten_log(self, limit: int) -> None:
        """Copy the write-ahead log back into the file when this process added some ``limit`` pages to it.

        First beside other writers, then the few pages that they added meanwhile under the lock, so
        that the next writer finds a log that is copied whole and begins it anew. The pages are
        estimated: opening one of SQLite's files to look would drop its locks when it is closed again.
        """
        if self._logged < limit:
            return
        self._logged = 0
        with suppress(sqlite3.OperationalError, Unavailable):
            # A reader is in the way, or the disk is full: what was committed is safe all the same.
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            with locked(self._lock_path):
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def others_wait(self) -> bool:
        """Whether another process waits for the write lock now."""
        if self._sign is None:
            with suppress(OSError):
                self._sign = os.open(self._waiting_path, os.O_RDWR | os.O_CREAT, 0o644)
        return self._sign is not None and is_locked(self._sign)

    def edge(self) -> Edge:
        """The right edge as last committed."""
        with translated(self.path):
            return Edge(*self.connection.execute("SELECT size, recorded, peaks FROM book_edge").fetchone())

    def rows(self, after: int, until: int, limit: int) -> list[Row]:
        """Facts with after < seq ≤ until, by seq, at most ``limit``."""
        return self._select(
            f"{FROM} WHERE f.seq > ? AND f.seq <= ? ORDER BY f.seq LIMIT ?", (after, until, limit)
        )

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        wanted = json.dumps(list(seqs))
        return self._select(
            f"{FROM} WHERE f.seq IN (SELECT value FROM json_each(?)) ORDER BY f.seq", (wanted,)
        )

    def about(self, subject: str) -> list[Row]:
        """Every fact about a subject or found under it as a key, by seq."""
        return self._select(
            f"{FROM} WHERE f.subject = ? OR f.seq IN (SELECT seq FROM fact_key WHERE key = ?) ORDER BY f.seq",
            (subject, subject),
        )

    def source_keys(self, after: int, until: int) -> list[tuple[int, int]]:
        """(seq, stored key of its source) of the facts with after < seq ≤ until."""
        sql = "SELECT seq, source_key FROM fact WHERE seq > ? AND seq <= ?"
        with translated(self.path):
            return self.connection.execute(sql, (after, until)).fetchall()

    def keys(self) -> Generator[tuple[int, str]]:
        """(seq, key) of every key, by seq, streamed over a connection that may sort on disk."""
        with translated(self.path), closing(self._open()) as connection:
            connection.execute("PRAGMA temp_store = FILE")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_OF_SORT_KIB}")
            yield from connection.execute("SELECT seq, key FROM fact_key ORDER BY seq")

    def replacements(self, after: int, until: int) -> list[tuple[int, int]]:
        """(replaced seq, replacing seq) of the facts with after < seq ≤ until."""
        sql = "SELECT replaces, seq FROM fact WHERE replaces IS NOT NULL AND seq > ? AND seq <= ?"
        with translated(self.path):
            return self.connection.execute(sql, (after, until)).fetchall()

    def mark_at(self, recorded: int) -> int:
        """The last seq recorded at or before this time, 0 if none; ``recorded`` never falls."""
        low, high = 0, self.edge().size
        while low < high:
            middle = (low + high + 1) // 2
            row = self.connection.execute("SELECT recorded FROM fact WHERE seq = ?", (middle,)).fetchone()
            low, high = (middle, high) if row[0] <= recorded else (low, middle - 1)
        return low

    def erased(self) -> set[str]:
        """Subjects that an erasure fact names."""
        sql = "SELECT DISTINCT subject FROM fact WHERE kind = 'subject.erased'"
        with translated(self.path):
            return {row[0] for row in self.connection.execute(sql)}

    def operational(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement over operational tables, as last committed; safe from any thread.

        A connection of its own: the other one sees what a write under way has not committed yet.
        """
        with self._reading, translated(self.path):
            if self._reader is None:
                _ = self.connection
                self._reader = self._open()
            return self._reader.execute(sql, values).fetchall()

    def scrub(self) -> None:
        """Empty the write-ahead log, which may still hold what was shredded."""
        with translated(self.path):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, path: str) -> None:
        """Write a consistent copy as an SQLite file."""
        with translated(self.path):
            self.connection.execute("VACUUM INTO ?", (path,))

    def close(self) -> None:
        """Close the connection, if open."""
        if self._sign is not None:
            os.close(self._sign)
            self._sign = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._connection is not None:
            self._shorten_log(_LOG_OF_IMPORT)
            self._connection.close()
            self._connection = None

    def describe(self) -> dict[str, Any]:
        """Engine, version, size in bytes."""
        files = [self.path, self.path.with_name(self.path.name + "-wal")]
        return {
            "engine": "SQLite",
            "version": sqlite3.sqlite_version,
            "place": str(self.path),
            "bytes": sum(f.stat().st_size for f in files if f.exists()),
            "integrity": self.connection.execute("PRAGMA quick_check(1)").fetchone()[0],
            "unguarded": self._unguarded(),
        }

    def _unguarded(self) -> list[str]:
        from driveaway.book.guards import unguarded_sqlite

        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        return unguarded_sqlite(dict(self.connection.execute(sql)))

    def _select(self, tail: str, parameters: tuple[Any, ...]) -> list[Row]:
        with translated(self.path):
            return [Row._make(row) for row in self.connection.execute(f"SELECT {COLUMNS} {tail}", parameters)]
