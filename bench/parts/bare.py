"""Insert the same rows into a bare SQLite table, with no check, hash, key or index: FILE FACTS BATCH."""

from __future__ import annotations

import sqlite3
import sys
import time

import msgspec

from bench.launches import batches
from bench.measuring import tell

_TABLE = """CREATE TABLE fact (seq INTEGER PRIMARY KEY, kind TEXT, subject TEXT, happened INTEGER,
 source TEXT, simulated INTEGER, body TEXT)"""

if __name__ == "__main__":
    file, facts, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TABLE)
    encode = msgspec.json.Encoder(order="sorted").encode
    wall = cpu = 0.0
    for batch in batches(facts, size):
        rows = [
            (d.kind, d.subject, d.happened, d.source, d.simulated, encode(d.body).decode()) for d in batch
        ]
        started, worked = time.perf_counter(), time.process_time()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO fact (kind, subject, happened, source, simulated, body) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        connection.execute("COMMIT")
        wall += time.perf_counter() - started
        cpu += time.process_time() - worked
    connection.close()
    tell(wall=wall, cpu=cpu)
