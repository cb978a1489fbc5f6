"""Inserting into SQLite: row by row for a few facts, whole chunks beside the writer for many.

``executemany`` takes Python's global lock back for every row, so nothing can run beside it. A chunk
that is handed over as one JSON text and two blobs is inserted by a single statement, during which
the lock is free: the next chunk is decided and hashed on the other core.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any, Final, NamedTuple

import msgspec

from driveaway.book.store import Edge, Row

FEW: Final = 500
_first_eight: Final = Struct(">Q").unpack
_json: Final = msgspec.json.Encoder()
_LEAF, _SALT = 32, 16
_TAIL: Final = 3
_SCALARS: Final = Row._fields.index("leaf")
"""Columns of a row before its leaf; the first is its seq."""
_SOURCE: Final = Row._fields.index("source")
_FACT: Final = "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SECRET: Final = "INSERT INTO fact_secret VALUES (?, ?, ?)"
_KEY: Final = "INSERT INTO fact_key VALUES (?, ?)"
_EDGE: Final = "UPDATE book_edge SET size = ?, recorded = ?, peaks = ? WHERE only = 1"
_SECRETS: Final = (
    f"INSERT INTO fact_secret SELECT ?1 + j.key, substr(?2, j.key * {_SALT} + 1, {_SALT}), j.value"
    " FROM json_each(?3) j"
)
_KEYS: Final = (
    "INSERT INTO fact_key"
    " SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]') FROM json_each(?1) j"
)


def source_key(source: str) -> int:
    """A 63-bit key of a source, for a compact index: 39 bits of BLAKE2b, then its last three bytes.

    Sources that count up share all but their end, so that a batch of them lands on few pages.
    """
    text = source.encode()
    return _key_of_head(text[:-_TAIL]) | int.from_bytes(text[-_TAIL:], "big")


@lru_cache(maxsize=4096)
def _key_of_head(head: bytes) -> int:
    (key,) = _first_eight(blake2b(head, digest_size=8).digest())
    return int(key) >> 1 & -1 << 8 * _TAIL


class Chunk(NamedTuple):
    """Rows made ready for a single statement a table."""

    first: int
    statement: str
    common: tuple[Any, ...]
    facts: str
    leaves: bytes
    salts: bytes
    personal: str
    keys: str
    edge: Edge

    def insert(self, connection: sqlite3.Connection) -> None:
        """Insert the chunk and move the edge. Runs beside the writer."""
        connection.execute(self.statement, (self.first, self.leaves, self.facts, *self.common))
        connection.execute(_SECRETS, (self.first, self.salts, self.personal))
        connection.execute(_KEYS, (self.keys,))
        connection.execute(_EDGE, tuple(self.edge))


@lru_cache(maxsize=64)
def _statement(same: tuple[bool, ...]) -> str:
    """Inserts a chunk's facts; what all have in common is bound once, the rest comes as JSON."""
    values = ["?1 + j.key"]
    bound, varying = 4, 0
    for is_same in same:
        if is_same:
            values.append(f"?{bound}")
            bound += 1
        else:
            values.append(f"json_extract(j.value, '$[{varying}]')")
            varying += 1
    values.append(f"substr(?2, j.key * {_LEAF} + 1, {_LEAF})")
    values.append(f"json_extract(j.value, '$[{varying}]')")
    return f"INSERT INTO fact SELECT {', '.join(values)} FROM json_each(?3) j"


def chunk_of(rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge) -> Chunk | None:
    """Rows as a chunk; None where a chunk cannot carry them.

    That is when they are few, when a salt was shredded (a restored book), or when a text holds the
    character NUL, at which SQLite's JSON functions may cut a text off.
    """
    count = len(rows)
    if count < FEW:
        return None
    columns = list(zip(*rows, strict=True))
    scalars, (leaves, salts, personal) = columns[1:_SCALARS], columns[_SCALARS:]
    same = tuple(column.count(column[0]) == count for column in scalars)
    varying = [column for column, is_same in zip(scalars, same, strict=True) if not is_same]
    sources = columns[_SOURCE]
    facts = _json.encode(list(zip(*varying, map(source_key, sources), strict=True)))
    secrets = _json.encode(personal)
    if None in salts or b"\\u0000" in facts or b"\\u0000" in secrets:
        return None
    common = tuple(column[0] for column, is_same in zip(scalars, same, strict=True) if is_same)
    return Chunk(
        rows[0].seq, _statement(same), common, facts.decode(), b"".join(leaves), b"".join(salts),
        secrets.decode(), _json.encode(keys).decode(), edge,
    )  # fmt: skip


def insert_rows(
    connection: sqlite3.Connection, rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge
) -> None:
    """Insert row by row and move the edge."""
    connection.executemany(_FACT, [(*row[:11], source_key(row.source)) for row in rows])
    connection.executemany(_SECRET, [(row.seq, *row[11:]) for row in rows if row.salt is not None])
    connection.executemany(_KEY, keys)
    connection.execute(_EDGE, tuple(edge))
