"""Batches of trips as a landing leaves them: sorted Parquet files by local day, and one fact each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.facts import Draft
from driveaway.facts.trips import Quarantined, TripFile, TripsCompacted, TripSegment, TripsLanded
from driveaway.fleet.columns import TRIPS
from driveaway.launch.launch import Launch
from driveaway.values.clock import local_day

WRITTEN: dict[str, bytes] = {}
"""Files by name as they were last written, for launches that hold the same facts."""


def write(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema = TRIPS) -> bytes:
    """Rows as one sorted file; its digest."""
    ordered = sorted(rows, key=lambda row: (row["vin"], row["start"], row["segment"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(ordered, schema=schema), path)
    return hashlib.sha256(path.read_bytes()).digest()


def landed(
    launch: Launch,
    name: str,
    segments: Iterable[TripSegment],
    *,
    quarantined: Mapping[str, int] | None = None,
    door: Any = "file",
    happened: int | None = None,
) -> Draft:
    """Write a batch below a launch; the fact that says so, not yet recorded."""
    by_day: dict[str, list[dict[str, Any]]] = {}
    starts: list[int] = []
    simulated = False
    for segment in segments:
        row = {field: getattr(segment, field) for field in TRIPS.names}
        by_day.setdefault(local_day(segment.start, launch.zone).isoformat(), []).append(row)
        starts.append(segment.start)
        simulated = simulated or segment.simulated
    files = []
    for day, rows in sorted(by_day.items()):
        file = f"{day}/{name}.parquet"
        digest = write(launch.data / "fleet" / "trips" / file, rows)
        WRITTEN[file] = (launch.data / "fleet" / "trips" / file).read_bytes()
        files.append(TripFile(day=day, file=file, rows=len(rows), sha256=digest.hex()))
    body = TripsLanded(
        door=door,
        files=tuple(files),
        rows=len(starts),
        quarantined=tuple(Quarantined(code=code, rows=n) for code, n in (quarantined or {}).items()),
    )
    at = min(starts) if happened is None else happened
    return Draft("trips.landed", name, at, body, f"urn:trips/{name}", simulated=simulated)


def land(launch: Launch, name: str, segments: Iterable[TripSegment], **more: Any) -> int:
    """Land a batch; its seq."""
    (outcome,) = launch.append([landed(launch, name, segments, **more)])
    assert outcome.seq is not None
    return outcome.seq


def compact(launch: Launch, day: str, *, number: int = 0) -> None:
    """Replace the files of one local day by one that says each row's batch."""
    folder = launch.data / "fleet" / "trips"
    seqs = {
        file.file: fact.seq
        for fact in launch.book.facts(0, launch.book.edge().size)
        if isinstance(fact.body, TripsLanded)
        for file in fact.body.files
    }
    rows: list[dict[str, Any]] = []
    old = sorted(path for path in (folder / day).glob("*.parquet"))
    for path in old:
        table = pq.read_table(path)
        rows += [{"seq": seqs.get(f"{day}/{path.name}"), **row} for row in table.to_pylist()]
    file = f"{day}/compacted-{number}.parquet"
    digest = write(folder / file, rows, TRIPS.append(pa.field("seq", pa.int64(), nullable=False)))
    body = TripsCompacted(
        local_day=day,
        replaced=tuple(f"{day}/{path.name}" for path in old),
        files=(TripFile(day=day, file=file, rows=len(rows), sha256=digest.hex()),),
    )
    launch.append([Draft("trips.compacted", f"compacted-{day}-{number}", launch.book.edge().recorded, body)])
    for path in old:
        path.unlink()


def bring(launch: Launch, body: TripsLanded) -> None:
    """Put the files of a batch that was landed elsewhere into a launch's folder."""
    for file in body.files:
        path = launch.data / "fleet" / "trips" / file.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(WRITTEN[file.file])
