"""The shared store: a PostgreSQL database, reached by psycopg 3.

One writer at a time: every append holds an advisory lock from before it reads the edge until its
commit, so the order of ``seq`` is the order of recording and no mark ever changes its content.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from driveaway.book.postgres_transaction import COLUMNS, FROM, PostgresTransaction, named, our_error
from driveaway.book.store import SCHEMA_REVISION, Edge, Row
from driveaway.values.errors import BadValue, DriveawayError

_SCHEME: Final = re.compile(r"^postgres(ql)?(\+psycopg)?://")
_DEFAULTS: Final = {"application_name": "driveaway", "connect_timeout": "10", "keepalives_idle": "30"}
_LOCK_CLASS: Final = 0x64726976
_SIGN_CLASS: Final = _LOCK_CLASS + 1
_STREAMED: Final = 10_000
# The book's look-ups all go by an index. A planner without statistics (a fresh database) or with
# old ones would now and then read five million facts to find three.
_BY_INDEX: Final = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SET enable_material = off; SET join_collapse_limit = 1; SET from_collapse_limit = 1; SET jit = off;"
    " SET idle_in_transaction_session_timeout = '5min';"
)
# An accepted fact is on disk before anybody is told. Stronger settings (remote_apply) stay.
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
)


class PostgresStore:
    """A book in a PostgreSQL database. Safe for many processes and threads.

    Attributes:
        url: where it is, for people: without its password.
    """

    def __init__(self, url: str) -> None:
        """``url`` is ``postgresql://…``, ``postgres://…`` or ``postgresql+psycopg://…``.

        Raises:
            BadValue: it cannot be read as one.
        """
        plain = _SCHEME.sub("postgresql://", url)
        try:
            given = conninfo_to_dict(plain)
        except psycopg.ProgrammingError as error:
            raise BadValue(
                f"not a PostgreSQL URL: {error}",
                code="store.url",
                remedy="write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
            ) from error
        self.url = re.sub(r"(//[^/?#:@]*):[^@]*@", r"\1:***@", plain)
        self.url = re.sub(r"([?&]password=)[^&]*", r"\1***", self.url)
        self._alembic_url = plain.replace("postgresql://", "postgresql+psycopg://", 1)
        self._parameters: dict[str, Any] = {**_DEFAULTS, **given}
        self._reader: psycopg.Connection[tuple[Any, ...]] | None = None
        self._writer: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock_object = 0
        self._reading = threading.RLock()
        self._writing = threading.RLock()

    def create(self) -> None:
        """Make the tables, or bring older ones up to date."""
        # Here, for it imports Alembic and SQLAlchemy: a server that only opens the book spares 25 MB.
        from driveaway.book.migrate import migrate

        migrate(self._alembic_url)

    # --- writing ---

    @contextmanager
    def write(self, *, patient: bool = False) -> Iterator[PostgresTransaction]:
        """Hold the one write lock; commit on a clean exit, else roll back."""
        with self._writing, self._translated():
            connection = self._begin(patient)
            try:
                yield PostgresTransaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise

    def _begin(self, patient: bool) -> psycopg.Connection[tuple[Any, ...]]:
        """Begin and wait for the lock; a connection found dead is replaced once, nothing was asked yet."""
        if self._writer is not None and not self._writer.closed:
            try:
                self._writer.execute(self._waiting(patient))
                return self._writer
            except psycopg.OperationalError:
                lost = self._writer.closed
                self._roll_back(self._writer)
                if not lost:
                    raise
        self._writer = self._connect()
        self._writer.execute(_BY_INDEX)
        self._writer.execute(self._waiting(patient))
        return self._writer

    def _waiting(self, patient: bool) -> bytes:
        lock = f"SELECT pg_advisory_xact_lock({_LOCK_CLASS}, {self._lock_object})"
        # Who is not patient says so by a shared lock beside the one it waits for.
        sign = f"SELECT pg_advisory_xact_lock_shared({_SIGN_CLASS}, {self._lock_object});"
        return f"BEGIN; {'' if patient else sign} {lock}".encode()

    def _roll_back(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        with contextlib.suppress(psycopg.Error):
            if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                connection.execute("ROLLBACK")
        if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.close()
            self._writer = None

    def others_wait(self) -> bool:
        """Whether another process waits for the write lock now, and not patiently."""
        sql = (
            "SELECT EXISTS (SELECT FROM pg_locks waits JOIN pg_locks signs"
            " USING (pid, locktype, database, objid, objsubid)"
            " WHERE waits.locktype = 'advisory' AND NOT waits.granted AND waits.classid = %s"
            " AND signs.granted AND signs.classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        found = self._fetch(sql, lambda: (_LOCK_CLASS, _SIGN_CLASS, self._lock_object))
        return bool(found[0][0])

    # --- reading ---

    def edge(self) -> Edge:
        """The right edge as last committed."""
        return Edge(*self._fetch("SELECT size, recorded, peaks FROM book_edge")[0])

    def rows(self, after: int, until: int, limit: int) -> list[Row]:
        """Facts with after < seq ≤ until, by seq, at most ``limit``."""
        return self._rows("WHERE f.seq > %s AND f.seq <= %s ORDER BY f.seq LIMIT %s", (after, until, limit))

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        return self._rows("WHERE f.seq = ANY(%s::bigint[]) ORDER BY f.seq", (list(seqs),))

    def about(self, subject: str) -> list[Row]:
        """Every fact about a subject or found under it as a key, by seq."""
        found = "SELECT seq FROM fact WHERE subject = %s UNION SELECT seq FROM fact_key WHERE key = %s"
        return self._rows(f"WHERE f.seq IN ({found}) ORDER BY f.seq", (subject, subject))

    def source_keys(self, after: int, until: int) -> list[tuple[int, int]]:
        """(seq, stored key of its source) of the facts with after < seq ≤ until."""
        sql = "SELECT seq, source_key FROM fact WHERE seq > %s AND seq <= %s"
        return [(row[0], row[1]) for row in self._fetch(sql, (after, until))]

    def keys(self) -> Generator[tuple[int, str]]:
        """(seq, key) of every key, by seq, streamed by a cursor on the server."""
        with self._translated(), contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN READ ONLY")
            with connection.cursor(name="book_keys") as cursor:
                cursor.itersize = _STREAMED
                cursor.execute(b"SELECT seq, key FROM fact_key ORDER BY seq", binary=True)
                yield from cursor

    def replacements(self, after: int, until: int) -> list[tuple[int, int]]:
        """(replaced seq, replacing seq) of the facts with after < seq ≤ until."""
        sql = "SELECT replaces, seq FROM fact WHERE replaces IS NOT NULL AND seq > %s AND seq <= %s"
        return [(row[0], row[1]) for row in self._fetch(sql, (after, until))]

    def mark_at(self, recorded: int) -> int:
        """The last seq recorded at or before this time, 0 if none; ``recorded`` never falls."""
        low, high = 0, self.edge().size
        while low < high:
            middle = (low + high + 1) // 2
            found = self._fetch("SELECT recorded FROM fact WHERE seq = %s", (middle,))
            low, high = (middle, high) if found[0][0] <= recorded else (low, middle - 1)
        return low

    def erased(self) -> set[str]:
        """Subjects that an erasure fact names."""
        return {
            row[0] for row in self._fetch("SELECT DISTINCT subject FROM fact WHERE kind = 'subject.erased'")
        }

    def operational(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement over operational tables, as last committed; safe from any thread."""
        return self._fetch(named(sql).decode(), values)

    def describe(self) -> dict[str, Any]:
        """Engine, version, place, size in bytes, and how sure a commit is."""
        row = self._fetch(
            "SELECT current_setting('server_version'), current_setting('synchronous_commit'),"
            " current_setting('data_checksums'), sum(pg_total_relation_size(name::regclass))::bigint"
            " FROM unnest(ARRAY['fact', 'fact_key', 'fact_secret', 'book_edge']) t(name)"
        )[0]
        return {
            "engine": "PostgreSQL",
            "version": row[0],
            "place": self.url,
            "bytes": int(row[3]),
            "synchronous_commit": row[1],
            "data_checksums": row[2],
            "unguarded": self._unguarded(),
        }

    def _unguarded(self) -> list[str]:
        from driveaway.book.guards import unguarded_postgresql

        triggers = self._fetch(
            "SELECT tgname FROM pg_trigger JOIN unnest(ARRAY['fact', 'fact_key', 'fact_secret', 'book_edge'])"
            " t(name) ON tgrelid = name::regclass WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        )
        functions = self._fetch(
            "SELECT DISTINCT proname, prosrc FROM pg_proc p JOIN pg_trigger g ON g.tgfoid = p.oid"
            " WHERE g.tgrelid = 'fact'::regclass OR p.proname LIKE 'book\\_%%'"
        )
        return unguarded_postgresql([row[0] for row in triggers], dict(functions))

    # --- keeping ---

    def scrub(self) -> None:
        """Remove shredded rows from the tables' pages.

        The server's write-ahead log, replicas and archives keep older pages until they are
        recycled: their retention is the database administrator's to set.
        """
        self._fetch("VACUUM fact_secret, fact_key", rows=False)

    def copy_to(self, path: str) -> None:
        """Write a consistent copy as an SQLite file, while others may go on writing.

        Raises:
            Conflict: there is a file already.
            Unavailable: the store or the disk.
        """
        from driveaway.book.copying import copy_rows

        with self._translated():
            connection = self._connect()
            try:
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                copy_rows(connection, path)
            finally:
                connection.close()

    def close(self) -> None:
        """Close the connections, if open."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    # --- connections ---

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to tables of the revision that this program expects; made if there are none."""
        connection = psycopg.connect(**self._parameters, autocommit=True)
        try:
            connection.execute(_DURABLE)
            if _revision(connection) != SCHEMA_REVISION:
                self.create()
            schema = connection.execute("SELECT current_schema()").fetchone()
            name = str(schema[0]) if schema else ""
            self._lock_object = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") >> 1
        except BaseException:
            connection.close()
            raise
        return connection

    def _rows(self, tail: str, parameters: tuple[Any, ...]) -> list[Row]:
        return [Row._make(row) for row in self._fetch(f"SELECT {COLUMNS} {FROM} {tail}", parameters)]

    def _fetch(self, sql: str, parameters: Any = (), *, rows: bool = True) -> list[tuple[Any, ...]]:
        """Run a statement on the connection that only reads; once more when it was found lost."""
        with self._reading, self._translated():
            for last in (False, True):
                if self._reader is None or self._reader.closed:
                    self._reader = self._connect()
                    last = True
                try:
                    given = parameters() if callable(parameters) else parameters
                    cursor = self._reader.execute(sql.encode(), given, binary=True)
                    return cursor.fetchall() if rows else []
                except psycopg.OperationalError:
                    if last or not self._reader.closed:
                        raise
        raise AssertionError("the second try returns or raises")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """PostgreSQL's errors as ours: what can be tried again says so."""
        try:
            yield
        except psycopg.Error as error:
            raise our_error(error, self.url) from error
        except DriveawayError as error:
            if error.code in ("disk.full", "store.unreachable", "store.forbidden"):
                error.at(self.url)
            raise


def _revision(connection: psycopg.Connection[tuple[Any, ...]]) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except errors.UndefinedTable:
        return None
    return None if row is None else str(row[0])
