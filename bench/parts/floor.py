"""The physical floor: read the Parquet columns that an answer needs, and count; no cut, no join: FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.caches import forget
from bench.questions import PER_DAY, WAITING, Answer, answer

_CUT = ("seq", "happened", "superseded_at")


def _read(kind: str, *columns: str) -> pa.Table:
    mirror = Path(folder, "data", "mirror")
    segments = json.loads((mirror / "manifest.json").read_text())["segments"].get(kind, [])
    return pa.concat_tables([pq.read_table(mirror / s["file"], columns=[*_CUT, *columns]) for s in segments])


def _counted(column: pa.ChunkedArray) -> Answer:
    return {str(row["values"]): row["counts"] for row in pc.value_counts(column).to_pylist()}


def _waiting() -> Answer:
    for kind, columns in (
        ("order.changed", ("subject_key", "trim")),
        ("order.cancelled", ("subject_key",)),
        ("order.handed_over", ("subject_key",)),
    ):
        _read(kind, *columns)
    return _counted(_read("order.locked", "subject_key", "trim")["trim"])


def _per_day() -> Answer:
    return _counted(_read("order.locked", "day", "simulated")["day"])


if __name__ == "__main__":
    folder = sys.argv[1]
    forget(Path(folder, "data", "mirror"))
    answer({WAITING: _waiting, PER_DAY: _per_day})
