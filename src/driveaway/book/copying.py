"""Rows from one store to another, verbatim: seq, leaf, salt and all. For backup and restore."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driveaway.book.sqlite import SqliteStore
from driveaway.book.sqlite_insert import source_key
from driveaway.book.store import Edge, Store
from driveaway.book.tree import Frontier
from driveaway.values.errors import Conflict, Refused, Tampered, Unavailable

if TYPE_CHECKING:
    import psycopg

_BATCH = 10_000
_FACT = "seq, kind, version, subject, happened, recorded, source, replaces, simulated, body, leaf"


def copy_rows(connection: psycopg.Connection[tuple[Any, ...]], path: str) -> None:
    """Write what a PostgreSQL snapshot holds as an SQLite file with the same tables.

    Args:
        connection: in a transaction that sees one snapshot.
        path: of the new file.

    Raises:
        Conflict: there is a file already.
        Unavailable: the disk is full, or the file cannot be written.
    """
    if Path(path).exists():
        raise Conflict("there is a file already", code="file.exists", place=path, remedy="name another file")
    copy = SqliteStore(Path(path))
    copy.create()
    copy.close()
    Path(path).with_suffix(".lock").unlink(missing_ok=True)
    with _written(path) as target:
        facts = (
            (*row, source_key(row[6]))
            for row in _streamed(connection, f"SELECT {_FACT} FROM fact ORDER BY seq")
        )
        marks = ", ".join("?" * 12)
        target.executemany(f"INSERT INTO fact ({_FACT}, source_key) VALUES ({marks})", facts)
        secrets = _streamed(connection, "SELECT seq, salt, personal FROM fact_secret ORDER BY seq")
        target.executemany("INSERT INTO fact_secret VALUES (?, ?, ?)", secrets)
        keys = _streamed(connection, "SELECT key, seq FROM fact_key ORDER BY key, seq")
        target.executemany("INSERT INTO fact_key VALUES (?, ?)", keys)
        edge = connection.execute("SELECT size, recorded, peaks FROM book_edge", binary=True).fetchone()
        if edge is not None and edge[0]:
            target.execute("UPDATE book_edge SET size = ?, recorded = ?, peaks = ? WHERE only = 1", edge)
    with closing(sqlite3.connect(path)) as settled:
        settled.execute("PRAGMA journal_mode = DELETE")


def restore_rows(store: Store, path: str) -> Edge:
    """Put every row of an SQLite book into an empty store, verbatim, in one transaction.

    Args:
        store: made already (``create``), and empty.
        path: an SQLite file of the revision that this program expects.

    Returns:
        The edge: that of the file.

    Raises:
        Refused: the store holds facts already.
        Tampered: the file's leaves do not lead to the file's own edge; nothing was added.
        Unavailable: the file or the store; nothing was added.
    """
    source = SqliteStore(Path(path))
    with closing(source):
        wanted = source.edge()
        with (
            store.write() as transaction,
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader,
        ):
            if transaction.edge().size:
                raise Refused(
                    "the book to restore into is not empty",
                    code="restore.book_not_empty",
                    place=store.url,
                    remedy="restore into a new folder or an empty database",
                )
            frontier = Frontier()
            keys = groupby(
                reader.execute("SELECT seq, key FROM fact_key ORDER BY seq"), key=lambda pair: pair[0]
            )
            waiting = next(keys, None)
            recorded = 0
            while rows := source.rows(frontier.size, wanted.size, _BATCH):
                under: list[tuple[str, int]] = []
                while waiting is not None and waiting[0] <= rows[-1].seq:
                    under.extend((key, seq) for seq, key in waiting[1])
                    waiting = next(keys, None)
                frontier.extend(row.leaf for row in rows)
                recorded = max(recorded, rows[-1].recorded)
                transaction.insert(rows, under, Edge(frontier.size, recorded, frontier.packed()))
            edge = Edge(frontier.size, recorded, frontier.packed())
            if edge != wanted:
                raise Tampered(
                    "the leaves do not lead to the book's edge",
                    code="restore.edge",
                    place=path,
                    remedy="use another backup",
                )
    return edge


def _streamed(connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> Iterator[tuple[Any, ...]]:
    """Rows by a cursor on the server, so that memory stays flat."""
    with connection.cursor(name="book_copy", withhold=False) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(sql.encode(), binary=True)
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


@contextmanager
def _written(path: str) -> Iterator[sqlite3.Connection]:
    """One transaction over a new SQLite file; SQLite's errors as ours."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous = OFF")
            target.execute("BEGIN")
            yield target
            target.execute("COMMIT")
    except sqlite3.Error as error:
        full = "full" in str(error)
        raise Unavailable(
            "the disk is full" if full else str(error),
            code="disk.full" if full else "store.unreachable",
            place=path,
            remedy="free some space and try again; a retry is safe",
        ) from error
