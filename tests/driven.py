"""Trips as a landing leaves them: sorted Parquet files by local day, and a fact for each batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.facts import Draft
from driveaway.facts.trips import Quarantined, TripFile, TripsLanded
from driveaway.fleet.columns import TRIPS
from driveaway.launch.launch import Launch
from driveaway.values.clock import SECOND, local_day

QUARANTINE = pa.schema(
    [("row", pa.int64()), ("code", pa.string()), ("vin", pa.string()), ("content", pa.string())]
)


def segment(vin: str, trip: int, start: int, metres: int = 1000, **more: Any) -> dict[str, Any]:
    """A trip of half an hour."""
    row: dict[str, Any] = dict.fromkeys(TRIPS.names)
    row |= {"vin": vin, "trip": trip, "segment": 0, "start": start, "end": start + 1800 * SECOND}
    row |= {"distance_m": metres, "assisted_m": 0, "driver_overrides": 0, "system_deactivations": 0}
    return row | {"simulated": False} | more


def write(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema = TRIPS) -> str:
    """Rows as one sorted file; its digest."""
    ordered = sorted(rows, key=lambda row: (row["vin"], row["start"], row["segment"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Small groups: what is written row group by row group must come out whole.
    pq.write_table(pa.Table.from_pylist(ordered, schema=schema), path, row_group_size=3)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def land(
    launch: Launch,
    name: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    aside: Sequence[Mapping[str, Any]] = (),
    with_day: bool = True,
) -> int:
    """Land a batch; its seq. ``with_day``: the fact names files with their day's folder."""
    by_day: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_day.setdefault(local_day(row["start"], launch.zone).isoformat(), []).append(row)
    root = launch.data / "fleet"
    files = tuple(
        TripFile(
            day=day, file=f"{day}/{name}.parquet" if with_day else f"{name}.parquet", rows=len(some),
            sha256=write(root / "trips" / day / f"{name}.parquet", some),
        )
        for day, some in sorted(by_day.items())
    )  # fmt: skip
    if aside:
        (root / "quarantine").mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist(list(aside), schema=QUARANTINE), root / "quarantine" / f"{name}.parquet"
        )
    body = TripsLanded(
        door="file",
        files=files,
        rows=sum(file.rows for file in files),
        quarantined=(Quarantined(code="trips.future", rows=len(aside)),) if aside else (),
    )
    at = min(row["start"] for some in by_day.values() for row in some)
    (outcome,) = launch.append([Draft("trips.landed", name, at, body, f"urn:trips/{name}")])
    assert outcome.seq is not None
    return outcome.seq


def lying(root: Path) -> list[dict[str, Any]]:
    """Every row in any Parquet file below the folder of the fleet's data, with its file."""
    return [
        {"_file": str(path.relative_to(root)), **row}
        for path in sorted(root.rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
