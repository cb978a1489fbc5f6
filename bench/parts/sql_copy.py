"""A plain table of the same facts with a JSON body and good indexes, for the peer in SQL: FOLDER FILE."""

from __future__ import annotations

import sqlite3
import sys

from bench.measuring import tell

_COPY = """
ATTACH '{book}' AS book;
CREATE TABLE fact (seq INTEGER PRIMARY KEY, kind TEXT, subject TEXT, happened INTEGER,
 replaces INTEGER, body TEXT);
INSERT INTO fact SELECT seq, kind, subject, happened, replaces, body FROM book.fact ORDER BY seq;
CREATE INDEX by_kind_subject ON fact (kind, subject, happened, seq);
CREATE INDEX by_kind_time ON fact (kind, happened, seq);
CREATE INDEX by_trim ON fact (kind, subject, happened, seq, json_extract(body, '$.trim'))
 WHERE kind IN ('order.locked', 'order.changed');
CREATE INDEX by_replaced ON fact (replaces, seq) WHERE replaces IS NOT NULL;
ANALYZE;
"""

if __name__ == "__main__":
    folder, file = sys.argv[1:]
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(_COPY.format(book=f"{folder}/data/book.sqlite".replace("'", "''")))
    connection.close()
    tell(made=file)
