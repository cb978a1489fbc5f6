"""From segments as they lie in files to rows of the ledger: numbers instead of texts, cut, added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.fleet.ledger.loops.folding import add_up, fold
from driveaway.values.clock import DAY, start_of_day

MEASURES: Final = (
    "segments", "distance_m", "assisted_m", "duration_s", "energy_wh", "energy_m", "driver_overrides",
    "system_deactivations",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date()


@dataclass(frozen=True)
class Folded:
    """Rows of the ledger; those of one event and car stand together.

    Attributes:
        event, car, day: of each row; day since 1970.
        measures: shape (8, rows), in the order of ``MEASURES``.
        function, software, city: codes into ``texts``; -1: none.
        level: -1: none.
        simulated: of each row.
        key: of each row, made of its function, level, software, city and whether it is simulated.
        texts: the texts behind the codes.
        segments: so many were folded.
    """

    event: np.ndarray
    car: np.ndarray
    day: np.ndarray
    measures: np.ndarray
    function: np.ndarray
    level: np.ndarray
    software: np.ndarray
    city: np.ndarray
    simulated: np.ndarray
    key: np.ndarray
    texts: dict[str, pa.Array]
    segments: int


def fold_rows(rows: pa.Table, car: np.ndarray, zone: ZoneInfo, *, together: bool) -> Folded:
    """Fold segments that were read (see ``sources.read``).

    Args:
        rows: the segments.
        car: number of each row's car.
        zone: whose midnights cut days.
        together: rows of a car and event stand together already: one sorted file an event.
    """
    event = rows.column("event").to_numpy()
    start, end = _integers(rows, "start"), _integers(rows, "end")
    codes = {name: rows.column(name).chunk(0) for name in ("function", "software", "city")}
    texts = {name: column.dictionary for name, column in codes.items()}
    level = _or(rows.column("level").chunk(0), -1)
    simulated = np.asarray(rows.column("simulated").chunk(0).to_numpy(zero_copy_only=False))
    places = {name: _or(column.indices, -1) for name, column in codes.items()}
    key = places["function"].astype(np.int64) + 1
    key = key * 8 + level + 1
    key = key * (len(texts["software"]) + 1) + places["software"] + 1
    key = key * (len(texts["city"]) + 1) + places["city"] + 1
    key = key * 2 + simulated
    midnights, first_day = _midnights(int(start.min()), int(end.max()), zone)
    spans = np.searchsorted(midnights, end - 1, "right") - np.searchsorted(midnights, start, "right")
    most = len(start) + int(np.maximum(spans, 0).sum())
    energy = rows.column("energy_wh").chunk(0)
    columns: list[Any] = [
        event, car, key, start, end, _integers(rows, "distance_m"), _integers(rows, "assisted_m"),
        _integers(rows, "driver_overrides"), _integers(rows, "system_deactivations"), _or(energy, 0),
        np.asarray(energy.is_valid().to_numpy(zero_copy_only=False)),
    ]  # fmt: skip
    order = None
    if not together:
        order = np.argsort((event.astype(np.int64) << 32) | car, kind="stable")
        columns = [column[order] for column in columns]
    columns += [midnights, first_day, most]
    source, out_event, out_car, out_day, measures = fold(*columns)
    if order is not None:
        source = order[source]
    return Folded(
        out_event,
        out_car,
        out_day,
        measures,
        places["function"][source],
        level[source],
        places["software"][source],
        places["city"][source],
        simulated[source],
        key[source],
        texts,
        len(start),
    )


def over_cars(folded: Folded) -> Folded:
    """The same rows added up over cars; ``car`` is without meaning."""
    first, last = int(folded.day.min()), int(folded.day.max())
    key, size = folded.key, int(folded.key.max()) + 1
    if (int(folded.event.max()) + 1) * (last - first + 1) * size >= 2**62:
        found, key = np.unique(key, return_inverse=True)
        size = len(found)
    spans = folded.event.astype(np.int64) * (last - first + 1) + (folded.day - first)
    rows, measures = add_up(spans * size + key, folded.measures)
    picked = {
        name: getattr(folded, name)[rows]
        for name in ("event", "car", "day", "function", "level", "software", "city", "simulated", "key")
    }
    return replace(folded, measures=measures, **picked)


def _integers(rows: pa.Table, name: str) -> np.ndarray:
    column = rows.column(name).chunk(0)
    return np.asarray(column.to_numpy()).astype(np.int64, copy=False)


def _or(column: pa.Array, value: int) -> np.ndarray:
    """The column with a value where there is none."""
    filled = pc.fill_null(column, value) if column.null_count else column
    return np.asarray(filled.to_numpy())


def _midnights(first: int, last: int, zone: ZoneInfo) -> tuple[np.ndarray, int]:
    """First microsecond of each local day around two instants, and the first of these days since 1970."""
    begin = first // DAY - 2
    days: Sequence[int] = range(begin, last // DAY + 4)
    at = [start_of_day(_EPOCH + timedelta(days=day), zone) for day in days]
    return np.array(at, np.int64), begin
