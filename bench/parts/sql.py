"""The peer in plain SQL over SQLite's JSON: FILE AS_OF MARK. The cut is the same, replaced facts included."""

from __future__ import annotations

import sqlite3
import sys

from bench.caches import forget
from bench.questions import LOCAL_OFFSET, PER_DAY, WAITING, Answer, answer

_LIVE = """f.seq <= :mark AND f.happened <= :as_of
 AND NOT EXISTS (SELECT 1 FROM fact r WHERE r.replaces = f.seq AND r.seq <= :mark)"""

_WAITING = f"""
WITH locked AS (
 SELECT f.subject, json_extract(f.body, '$.trim') AS trim
 FROM fact f WHERE f.kind = 'order.locked' AND {_LIVE}
), changed AS (
 SELECT subject, trim FROM (
  SELECT f.subject, json_extract(f.body, '$.trim') AS trim,
   row_number() OVER (PARTITION BY f.subject ORDER BY f.happened DESC, f.seq DESC) AS place
  FROM fact f WHERE f.kind = 'order.changed' AND {_LIVE}
 ) WHERE place = 1
)
SELECT CASE WHEN c.subject IS NULL THEN l.trim ELSE c.trim END AS trim, count(*)
FROM locked l LEFT JOIN changed c ON c.subject = l.subject
WHERE NOT EXISTS (
 SELECT 1 FROM fact f WHERE f.kind = 'order.cancelled' AND f.subject = l.subject AND {_LIVE}
) AND NOT EXISTS (
 SELECT 1 FROM fact f WHERE f.kind = 'order.handed_over' AND f.subject = l.subject AND {_LIVE}
)
GROUP BY 1"""

_PER_DAY = f"""
SELECT date((f.happened + {LOCAL_OFFSET}) / 1000000, 'unixepoch') AS day, count(*)
FROM fact f WHERE f.kind = 'order.locked' AND {_LIVE} GROUP BY 1"""

_connection: sqlite3.Connection


def _open() -> None:
    global _connection
    _connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    _connection.execute("PRAGMA cache_size=-262144")
    _connection.execute("PRAGMA mmap_size=8589934592")


def _asked(sql: str) -> Answer:
    return {str(name): int(n) for name, n in _connection.execute(sql, {"mark": mark, "as_of": as_of})}


if __name__ == "__main__":
    file, as_of, mark = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    forget(file)
    answer({WAITING: lambda: _asked(_WAITING), PER_DAY: lambda: _asked(_PER_DAY)}, _open, again=3)
