"""Inserting into SQLite: row by row for a few facts, whole chunks beside the writer for many.

``executemany`` takes Python's global lock back for every row, so nothing can run beside it. A chunk
that is handed over as one JSON text and two blobs is inserted by a single statement, during which
the lock is free: the next chunk is decided and hashed on the other core.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

import msgspec

from driveaway.book.store import Edge, Row

FEW: Final = 500
_first_eight: Final = Struct(">Q").unpack
_json: Final = msgspec.json.Encoder()
_LEAF, _SALT = 32, 16
_SCALARS: Final = 10
"""Columns of a row before its leaf: what JSON can carry."""

_FACT: Final = "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SECRET: Final = "INSERT INTO fact_secret VALUES (?, ?, ?)"
_KEY: Final = "INSERT INTO fact_key VALUES (?, ?)"
_EDGE: Final = "UPDATE book_edge SET size = ?, recorded = ?, peaks = ? WHERE only = 1"
_FACTS: Final = (
    "INSERT INTO fact SELECT "
    + ", ".join(f"json_extract(j.value, '$[{i}]')" for i in range(_SCALARS))
    + f", substr(?2, j.key * {_LEAF} + 1, {_LEAF}), json_extract(j.value, '$[{_SCALARS}]')"
    + " FROM json_each(?1) j"
)
_SECRETS: Final = (
    f"INSERT INTO fact_secret SELECT ?1 + j.key, substr(?2, j.key * {_SALT} + 1, {_SALT}), j.value"
    " FROM json_each(?3) j"
)
_KEYS: Final = (
    "INSERT INTO fact_key"
    " SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]') FROM json_each(?1) j"
)


def source_key(source: str) -> int:
    """A 63-bit key of a source, for a compact index: 8 bytes of BLAKE2b, without the sign."""
    (key,) = _first_eight(blake2b(source.encode(), digest_size=8).digest())
    return int(key) >> 1


class Chunk(NamedTuple):
    """Rows made ready for a single statement a table."""

    first: int
    facts: str
    leaves: bytes
    salts: bytes
    personal: str
    keys: str
    edge: Edge

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert the chunk and move the edge. Runs beside the writer."""
        connection.execute(_FACTS, (self.facts, self.leaves))
        connection.execute(_SECRETS, (self.first, self.salts, self.personal))
        connection.execute(_KEYS, (self.keys,))
        connection.execute(_EDGE, tuple(self.edge))


def chunk_of(rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge) -> Chunk | None:
    """Rows as a chunk; None where a chunk cannot carry them.

    That is when they are few, when a salt was shredded (a restored book), or when a text holds the
    character NUL, at which SQLite's JSON functions may cut a text off.
    """
    if len(rows) < FEW:
        return None
    salts = [row.salt for row in rows if row.salt is not None]
    facts = _json.encode([(*row[:_SCALARS], source_key(row.source)) for row in rows])
    personal = _json.encode([row.personal for row in rows])
    if len(salts) < len(rows) or b"\\u0000" in facts or b"\\u0000" in personal:
        return None
    leaves = b"".join([row.leaf for row in rows])
    under = _json.encode(keys).decode()
    return Chunk(rows[0].seq, facts.decode(), leaves, b"".join(salts), personal.decode(), under, edge)


def insert_rows(
    connection: sqlite3.Connection, rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge
) -> None:
    """Insert row by row and move the edge."""
    connection.executemany(_FACT, [(*row[:11], source_key(row.source)) for row in rows])
    connection.executemany(_SECRET, [(row.seq, *row[11:]) for row in rows if row.salt is not None])
    connection.executemany(_KEY, keys)
    connection.execute(_EDGE, tuple(edge))
