"""The peer in pandas over the same Parquet: FOLDER AS_OF MARK memory|files.

``memory`` reads the columns needed once and keeps them; ``files`` reads them for each answer, as ours does.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped,unused-ignore]

from bench.caches import forget
from bench.questions import PER_DAY, WAITING, Answer, answer

_CUT = ["seq", "happened", "superseded_at"]
_COLUMNS = {
    "order.locked": [*_CUT, "subject_key", "trim", "day"],
    "order.changed": [*_CUT, "subject_key", "trim"],
    "order.cancelled": [*_CUT, "subject_key"],
    "order.handed_over": [*_CUT, "subject_key"],
}


def _read(kind: str, columns: tuple[str, ...]) -> pd.DataFrame:
    mirror = Path(folder, "data", "mirror")
    segments = json.loads((mirror / "manifest.json").read_text())["segments"].get(kind, [])
    return pd.concat([pd.read_parquet(mirror / s["file"], columns=list(columns)) for s in segments])


_kept = cache(_read)


def _cut(kind: str, *wanted: str) -> pd.DataFrame:
    frame = _kept(kind, tuple(_COLUMNS[kind])) if kept else _read(kind, (*_CUT, *wanted))
    live = frame["superseded_at"].isna() | (frame["superseded_at"] > mark)
    return frame[(frame["seq"] <= mark) & (frame["happened"] <= as_of) & live]


def _waiting() -> Answer:
    locked = _cut("order.locked", "subject_key", "trim")
    for kind in ("order.cancelled", "order.handed_over"):
        locked = locked[~locked["subject_key"].isin(_cut(kind, "subject_key")["subject_key"])]
    changed = _cut("order.changed", "subject_key", "trim").sort_values(["happened", "seq"])
    latest = changed.drop_duplicates("subject_key", keep="last").set_index("subject_key")["trim"]
    trim = locked["subject_key"].map(latest).fillna(locked["trim"])
    return {str(name): int(n) for name, n in trim.value_counts().items()}


def _per_day() -> Answer:
    return {str(day)[:10]: int(n) for day, n in _cut("order.locked", "day")["day"].value_counts().items()}


def _load() -> None:
    if kept:
        for kind, columns in _COLUMNS.items():
            _kept(kind, tuple(columns))


if __name__ == "__main__":
    folder, as_of, mark, kept = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "memory"
    forget(Path(folder, "data", "mirror"))
    answer({WAITING: _waiting, PER_DAY: _per_day}, _load)
