"""From segments as they lie in files to rows of the ledger: numbers instead of texts, cut, added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.fleet.ledger.loops import fold
from driveaway.values.clock import DAY, start_of_day

MEASURES: Final = (
    "segments", "distance_m", "assisted_m", "duration_s", "energy_wh", "energy_m", "driver_overrides",
    "system_deactivations",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date()


@dataclass(frozen=True)
class Folded:
    """Rows of the ledger, sorted by event and car.

    Attributes:
        event, car, day: of each row; day since 1970.
        measures: shape (rows, 8), in the order of ``MEASURES``.
        function, software, city: codes into ``texts``; -1: none.
        level: -1: none.
        simulated: of each row.
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
    texts: dict[str, pa.Array]
    segments: int


class Numbers:
    """The cars' numbers, dense from 0 in the order of first landing."""

    def __init__(self, vins: pa.Array) -> None:
        self.vins = vins

    def __len__(self) -> int:
        return len(self.vins)

    def take_in(self, codes: pa.DictionaryArray, event: np.ndarray) -> tuple[np.ndarray, pa.Array, list[int]]:
        """Number the cars of some rows.

        Args:
            codes: the VIN of each row.
            event: of each row.

        Returns:
            (number of each row, VINs that are new, event that brought each of these).
        """
        row_codes = codes.indices.to_numpy()
        known = pc.index_in(codes.dictionary, self.vins) if len(self.vins) else None
        size = len(codes.dictionary)
        number = np.full(size, -1, np.int32) if known is None else _or(known, -1).astype(np.int32)
        first = np.full(size, np.iinfo(np.int32).max, np.int32)
        if (number >= 0).all():
            return number[row_codes], pa.array([], pa.string()), []
        np.minimum.at(first, row_codes, event)
        new = np.flatnonzero((number < 0) & (first < np.iinfo(np.int32).max))
        vins = codes.dictionary.take(pa.array(new)).cast(pa.string())
        table = pa.table({"event": first[new], "vin": vins, "code": new})
        table = table.sort_by([("event", "ascending"), ("vin", "ascending")])
        number[table["code"].to_numpy()] = len(self.vins) + np.arange(len(new), dtype=np.int32)
        added = table["vin"].combine_chunks()
        self.vins = pa.concat_arrays([self.vins, added])
        return number[row_codes], added, table["event"].to_pylist()


def fold_rows(rows: pa.Table, car: np.ndarray, zone: ZoneInfo) -> Folded:
    """Fold segments that were read (see ``sources.read``).

    Args:
        rows: the segments.
        car: number of each row's car.
        zone: whose midnights cut days.
    """
    event = rows.column("event").to_numpy()
    start, end = _integers(rows, "start"), _integers(rows, "end")
    codes = {name: rows.column(name).chunk(0) for name in ("function", "software", "city")}
    texts = {name: column.dictionary for name, column in codes.items()}
    level = _or(rows.column("level").chunk(0).cast(pa.int64()), -1)
    simulated = np.asarray(rows.column("simulated").chunk(0).to_numpy(zero_copy_only=False))
    places = {name: _or(column.indices, -1).astype(np.int64) for name, column in codes.items()}
    key = places["function"] + 1
    key = key * 8 + level + 1
    key = key * (len(texts["software"]) + 1) + places["software"] + 1
    key = key * (len(texts["city"]) + 1) + places["city"] + 1
    key = key * 2 + simulated
    midnights, first_day = _midnights(int(start.min()), int(end.max()), zone)
    spans = np.searchsorted(midnights, end - 1, "right") - np.searchsorted(midnights, start, "right")
    most = len(start) + int(np.maximum(spans, 0).sum())
    energy = rows.column("energy_wh").chunk(0)
    columns = [
        event, car, key, start, end, _integers(rows, "distance_m"), _integers(rows, "assisted_m"),
        _integers(rows, "driver_overrides"), _integers(rows, "system_deactivations"), _or(energy, 0),
        np.asarray(energy.is_valid().to_numpy(zero_copy_only=False)),
    ]  # fmt: skip
    together = (event.astype(np.int64) << 32) | car
    if (np.diff(together) < 0).any():
        order = np.argsort(together, kind="stable")
        columns = [column[order] for column in columns]
    else:
        order = None
    source, out_event, out_car, out_day, measures = fold(*columns, midnights, first_day, most)
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
        texts,
        len(start),
    )


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
