"""Batches of one schema on their way: read, checked, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.facts.trips import TripFile
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing import putting_aside
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.checking import EPOCH, Checked, Checks
from driveaway.fleet.landing.columns import Prepared, Sorted, in_order, rows_of
from driveaway.fleet.landing.files import encode, writable, write, write_synced
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.known import known_rows
from driveaway.fleet.landing.loops.order import order_rows
from driveaway.fleet.landing.neighbours import check_neighbours
from driveaway.fleet.landing.normal import Places, normalise
from driveaway.values.files import sync_folder


@dataclass
class Part:
    """Batches of one schema, checked.

    Attributes:
        batches: which.
        prepared: their rows as they arrived, with a code where one was found.
        batch_of: number of each row's batch.
        first: row with which each batch begins.
        sorted: the rows that can stand by themselves.
        accepted: rows of ``sorted`` that are new and can stand beside others.
        repeated: rows as they arrived that were landed before.
    """

    batches: Sequence[Batch]
    prepared: Prepared
    batch_of: NDArray[np.int32]
    first: NDArray[np.int64]
    sorted: Sorted
    accepted: NDArray[np.int64]
    repeated: NDArray[np.int64]

    @property
    def code(self) -> NDArray[np.uint8]:
        """Of each row as it arrived; 0 for none."""
        return self.prepared.normal.code


def check(
    batches: Sequence[Batch],
    index: Index,
    checks: Checks,
    places: Places | None,
    *,
    waived: int = 0,
) -> Part:
    """Read and check batches of one schema.

    Args:
        waived: a code that is not given.

    Raises:
        BadValue: nobody can read them.
    """
    sizes = np.array([len(batch.table) for batch in batches], np.int64)
    table = batches[0].table if len(batches) == 1 else pa.concat_tables([each.table for each in batches])
    normal = normalise(table, simulated=batches[0].simulated, places=places)
    prepared = Prepared(normal, rows_of(normal))
    of = _sorted(prepared, checks.check(prepared, index.cars, waived=waived), index)
    code = of.normal.code
    repeated = known_rows(of, index)
    new = np.flatnonzero((code == 0) & ~repeated)
    check_neighbours(of, new, index, checks.limits(), waived=waived)
    normal.code[of.origin] = code
    return Part(
        batches=batches,
        prepared=prepared,
        batch_of=np.repeat(np.arange(len(batches), dtype=np.int32), sizes),
        first=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        sorted=of,
        accepted=new[code[new] == 0],
        repeated=of.origin[repeated],
    )


def _sorted(prepared: Prepared, checked: Checked, index: Index) -> Sorted:
    """Rows without a code, by car and time."""
    rows = prepared.rows
    sound = np.flatnonzero(prepared.normal.code == 0)
    ranks, count = index.cars.ranks_of(checked.car[sound])
    rank = ranks
    if len(sound) != prepared.normal.rows:
        rank = np.full(prepared.normal.rows, -1, np.int32)
        rank[sound] = ranks
    order = order_rows(sound, rank, count, rows.start, rows.trip, rows.segment)
    return in_order(prepared, order, checked.car, checked.day, checked.level)


def write_accepted(part: Part, folder: FleetFolder) -> list[list[TripFile]]:
    """Write the accepted rows, one file a day; for each batch where its rows are."""
    out: list[list[TripFile]] = [[] for _ in part.batches]
    rows, of = part.accepted, part.sorted
    if not len(rows):
        return out
    many = len(part.batches)
    place = of.day[rows].astype(np.int64) * many + part.batch_of[of.origin[rows]]
    if (place[1:] < place[:-1]).any():
        by_place = np.argsort(place, kind="stable")
        rows, place = rows[by_place], place[by_place]
    edges = np.flatnonzero(np.diff(place)) + 1
    begins, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(rows)]])
    shares = list(zip(place[begins].tolist(), begins.tolist(), ends.tolist(), strict=True))
    stem = part.batches[0].subject[:80]
    for number in sorted({where // many for where, _, _ in shares}):
        here = [share for share in shares if share[0] // many == number]
        low, high = here[0][1], here[-1][2]
        day = (EPOCH + timedelta(days=number)).isoformat()
        content = encode(of.table(rows[low:high]))
        written = write(folder.trips / day, folder.staging, stem, content, high - low)
        for where, begin, end in here:
            named = {"day": day, "file": f"{day}/{written.name}", "sha256": written.sha256}
            out[where % many].append(TripFile(**named, rows=end - begin, first=begin - low))
    return out


def put_aside(
    part: Part, number: int, which: NDArray[np.int64], folder: FleetFolder, now: int
) -> pa.Table | None:
    """Write the bad rows of one batch into the quarantine; None where it has none.

    Args:
        number: of the batch.
        which: its bad rows, as they arrived.
        now: when that was.
    """
    batch = part.batches[number]
    if not len(which) and not batch.rejects:
        return None
    numbers = which - part.first[number]
    if batch.rows is not None:
        numbers = np.asarray(batch.rows, np.int64)[numbers]
    tables = [putting_aside.of_rows(part.prepared.normal, which, numbers, now)] if len(which) else []
    if batch.rejects:
        tables.append(putting_aside.of_rejects(batch.rejects, now))
    table = pa.concat_tables(tables).sort_by("row")
    with writable(folder.quarantine):
        folder.quarantine.mkdir(parents=True, exist_ok=True)
        folder.staging.mkdir(parents=True, exist_ok=True)
        temporary = folder.staging / f"aside-{batch.subject}"
        try:
            write_synced(temporary, putting_aside.encode(table))
            temporary.replace(folder.quarantine / f"{batch.subject}.parquet")
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder.quarantine)
    return table
