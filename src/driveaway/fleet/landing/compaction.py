"""Many small files of one day become one; what nobody names is swept away.

Readers take the names of files from the facts. A file that was replaced stays for a while, so that whoever
took its name before can still read it; the new one holds the same rows, each with the seq of its batch, and
exists for readers only once its fact does.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import pyarrow as pa

from driveaway.facts import Draft
from driveaway.facts.trips import TripFile, TripsCompacted
from driveaway.fleet.landing.columns import pack_keys
from driveaway.fleet.landing.files import encode, writable, write
from driveaway.fleet.landing.index import Share
from driveaway.fleet.landing.landing import Landing, as_fact
from driveaway.fleet.landing.loops.order import order_rows
from driveaway.fleet.landing.reading import read_rows
from driveaway.values.clock import HOUR
from driveaway.values.errors import Unavailable

KIND: Final = "trips.compacted"
SMALL: Final = 250_000
"""Rows below which a file is small."""
MANY: Final = 8
"""Small files of one day that are worth the work."""
GRACE: Final = HOUR
"""Microseconds for which a replaced file, or one that nobody names, is left alone."""
_AT_ONCE: Final = 2_000_000
_TIER: Final = 8
"""How many times larger than all smaller ones together a file may be: else it would be written too often."""


@dataclass(frozen=True)
class Compacted:
    """Files of one day that became one.

    Attributes:
        day: which.
        files: so many were replaced.
        rows: in the new one.
    """

    day: str
    files: int
    rows: int


def compact(
    landing: Landing, *, many: int = MANY, day: str | None = None, whole: bool = False
) -> list[Compacted]:
    """Compact every day that has so many small files; others land between two days.

    Args:
        many: of a day with fewer small files nothing is done; at least 2.
        day: this one alone.
        whole: all small files of a day, however different their sizes.

    Raises:
        Unavailable: the disk is full or a file cannot be read; nothing is lost.
    """
    with landing.hold():
        days = sorted(landing.index.days) if day is None else [day]
    out = []
    for each in days:
        while True:
            with landing.hold():
                done = _compact_day(landing, each, max(many, 2), whole)
            if done is None:
                break
            out.append(done)
    return out


def _compact_day(landing: Landing, day: str, many: int, whole: bool) -> Compacted | None:
    """Some small files of a day; None where there are not enough. The folder's lock is held."""
    shares = landing.index.days.get(day, [])
    size: Counter[str] = Counter()
    for share in shares:
        size[share.file.file] += share.file.rows
    small = sorted((name for name in size if size[name] < SMALL), key=lambda name: (size[name], name))
    chosen: set[str] = set()
    rows = 0
    for name in small:
        if rows and (rows + size[name] > _AT_ONCE or (not whole and size[name] > _TIER * rows)):
            break
        chosen.add(name)
        rows += size[name]
    if len(chosen) < many:
        return None
    table = _merged(landing, [share for share in shares if share.file.file in chosen])
    folder = landing.folder
    written = write(folder.trips / day, folder.staging, f"compacted-{day}", encode(table), len(table))
    body = TripsCompacted(
        local_day=day,
        replaced=tuple(sorted(chosen)),
        files=(TripFile(day=day, file=f"{day}/{written.name}", rows=len(table), sha256=written.sha256),),
    )
    source = f"urn:driveaway:trips-compacted/{sha256(','.join(body.replaced).encode()).hexdigest()}"
    draft = Draft(KIND, f"trips-{day}", landing.clock(), body, source)
    (said,) = landing.append([draft])
    if said.error is not None or said.seq is None:
        raise said.error or Unavailable("the book did not accept it", code="trips.refused")
    landing.index.enter([as_fact(draft, said.seq)])
    for name in chosen:
        # From now on its time to stay runs.
        os.utime(folder.trips / name)
    return Compacted(day, len(chosen), len(table))


def _merged(landing: Landing, shares: list[Share]) -> pa.Table:
    """The rows of files by car and time, each with the seq of its batch."""
    tables = []
    for share in shares:
        table = read_rows(landing.folder, share.file)
        if "seq" not in table.column_names:
            table = table.append_column("seq", pa.array(np.full(len(table), share.seq, np.int64)))
        tables.append(table)
    table = pa.concat_tables(tables).combine_chunks()
    high, low, code = pack_keys(table["vin"].combine_chunks())
    rank, ranks = landing.index.cars.ranks_of(landing.index.cars.numbers(high, low, code))
    trip, start = table["trip"].to_numpy(), table["start"].to_numpy()
    segment = table["segment"].to_numpy().astype(np.int32)
    order = order_rows(np.arange(len(table)), rank, ranks, start, trip, segment)
    return table.take(pa.array(order))


def sweep(landing: Landing, *, grace: int = GRACE) -> int:
    """Delete what nobody names: leftovers of what was stopped, and files that were replaced.

    Args:
        grace: microseconds for which a file stays after it was written or replaced.

    Returns:
        how many files.
    """
    folder = landing.folder
    gone = 0
    with landing.hold(), writable(folder.root):
        before = landing.clock() - grace
        for path in folder.staging.glob("*"):
            # Who holds the lock knows that nobody else writes; an interrupted release is ended later.
            if not path.name.startswith("settle-"):
                path.unlink(missing_ok=True)
                gone += 1
        named = {share.file.file for shares in landing.index.days.values() for share in shares}
        for path in folder.trips.glob("*/*.parquet"):
            name = f"{path.parent.name}/{path.name}"
            if name not in named and path.stat().st_mtime_ns // 1000 < before:
                path.unlink(missing_ok=True)
                gone += 1
        for path in folder.quarantine.glob("*.parquet"):
            if path.stat().st_mtime_ns // 1000 < before and not landing.book.about(path.stem):
                path.unlink(missing_ok=True)
                gone += 1
    return gone
