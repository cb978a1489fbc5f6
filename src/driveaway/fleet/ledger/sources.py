"""What the ledger is made of: facts about batches, and the files that hold their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from driveaway.values.errors import Unavailable

TEXTS: Final = ("function", "software", "city")
COLUMNS: Final = (
    "vin", "start", "end", "distance_m", "assisted_m", "function", "level", "driver_overrides",
    "system_deactivations", "energy_wh", "software", "city", "simulated",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """A batch came (sign 1), or what it brought was taken back (sign -1), at a seq.

    ``batch`` is the seq of the batch's fact, by which compacted files know its rows. ``shares`` says with
    which row its rows begin in each file, and how many they are: batches may share a file.
    """

    seq: int
    sign: int
    batch: int
    files: tuple[str, ...]
    rows: int
    shares: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Piece:
    """Rows of one file that belong to some events.

    ``event`` is the place of the one event that a file belongs to; None: the file says each row's batch, or
    the events say which rows are theirs.
    """

    file: str
    event: int | None
    groups: tuple[int, ...] | None = None


def events(paths: Sequence[str], after: int, upto: int) -> list[Event]:
    """What happened to batches after a seq and up to another, in order.

    Args:
        paths: files of the mirror's table of ``trips.landed``.
        after, upto: seqs.
    """
    if not paths:
        return []
    seq, gone = pc.field("seq"), pc.field("superseded_at")
    wanted = (seq > after) | (gone > after)
    table = pq.read_table(list(paths), columns=["seq", "superseded_at", "files"], filters=wanted)
    out: list[Event] = []
    for row in table.to_pylist():
        files = tuple(file["file"] for file in row["files"] or ())
        shares = tuple((file["first"] or 0, file["rows"]) for file in row["files"] or ())
        rows = sum(count for _, count in shares)
        if not files:
            continue
        if after < row["seq"] <= upto:
            out.append(Event(row["seq"], 1, row["seq"], files, rows, shares))
        if row["superseded_at"] is not None and after < row["superseded_at"] <= upto:
            out.append(Event(row["superseded_at"], -1, row["seq"], files, rows, shares))
    return sorted(out, key=lambda event: (event.seq, event.sign))


def compactions(paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """File → the files that hold its rows now, as ``trips.compacted`` facts say."""
    out: dict[str, tuple[str, ...]] = {}
    if not paths:
        return out
    table = pq.read_table(list(paths), columns=["seq", "superseded_at", "replaced", "files"])
    for row in sorted(table.to_pylist(), key=lambda row: int(row["seq"])):
        if row["superseded_at"] is None:
            files = tuple(file["file"] for file in row["files"] or ())
            out.update(dict.fromkeys(row["replaced"] or (), files))
    return out


def resolve(file: str, replaced: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], bool]:
    """The files that hold a file's rows now, and whether they were compacted."""
    if file not in replaced:
        return (file,), False
    now: list[str] = []
    for follower in replaced[file]:
        now += [follower] if follower == file else resolve(follower, replaced)[0]
    return tuple(dict.fromkeys(now)), True


def chunks(found: Sequence[Event], limit: int) -> Iterator[list[Event]]:
    """Events that are folded together: neighbours of sign 1 up to so many rows; one that takes back alone."""
    together: list[Event] = []
    rows = 0
    for event in found:
        if together and (event.sign < 0 or together[0].sign < 0 or rows + event.rows > limit):
            yield together
            together, rows = [], 0
        together.append(event)
        rows += event.rows
    if together:
        yield together


def pieces(
    trips: Path, together: Sequence[Event], replaced: Mapping[str, tuple[str, ...]], limit: int
) -> Iterator[list[Piece]]:
    """Which files to read for these events, so many rows at a time.

    Raises:
        Unavailable: a file is gone.
    """
    of: dict[str, int | None] = {}
    for place, event in enumerate(together):
        for file in event.files:
            for now in resolve(file, replaced)[0]:
                shared = file != now or now in of
                of[now] = None if shared else place
    out: list[Piece] = []
    size = 0
    for file in of if len(together) > 1 else sorted(of):
        metadata = _opened(trips / file).metadata
        of_file = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        if len(together) > 1 or sum(of_file) + size <= limit:
            out.append(Piece(file, of[file]))
            size += sum(of_file)
            continue
        # One large batch: file after file, a large file in parts.
        first = 0
        for group, rows in enumerate(of_file):
            if size and size + rows > limit:
                if group > first:
                    out.append(Piece(file, of[file], tuple(range(first, group))))
                yield out
                out, size, first = [], 0, group
            size += rows
        out.append(Piece(file, of[file], tuple(range(first, len(of_file)))))
    if out:
        yield out


def _opened(path: Path, **options: Any) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, **options)
    except FileNotFoundError as error:
        raise Unavailable(
            "a file of trips that the book names is gone",
            code="fleet.trips_missing",
            place=str(path),
            remedy="restore the folder of trips from its backup",
        ) from error


def read(trips: Path, found: Sequence[Piece], together: Sequence[Event]) -> pa.Table:
    """The rows of some pieces, each with the place of its event in ``event``; texts as dictionaries."""
    batches = np.array([event.batch for event in together], np.int64)
    named: dict[str, list[tuple[int, int, int]]] = {}
    for place, event_ in enumerate(together):
        for file_, (first, count) in zip(event_.files, event_.shares, strict=True):
            named.setdefault(file_, []).append((place, first, count))
    tables: list[pa.Table] = []
    for piece in found:
        file = _opened(trips / piece.file, read_dictionary=list(TEXTS))
        has_seq = "seq" in file.schema_arrow.names
        columns = [*COLUMNS, "seq"] if has_seq else list(COLUMNS)
        groups = piece.groups
        wanted = range(file.num_row_groups) if groups is None else groups
        # One thread: several decode no faster here, at half as much again of the processor's time.
        rows = file.read_row_groups(list(wanted), columns=columns, use_threads=False)
        if has_seq:
            seq = rows.column("seq").to_numpy()
            place = np.searchsorted(batches, seq)
            ours = (place < len(batches)) & (batches[np.minimum(place, len(batches) - 1)] == seq)
            event = place[ours].astype(np.int32)
            rows = rows.drop_columns("seq")
            if not ours.all():
                rows = rows.filter(pa.array(ours))
        else:
            before = sum(file.metadata.row_group(group).num_rows for group in range(min(wanted, default=0)))
            event = _shared(named.get(piece.file, ()), before, rows.num_rows)
            if (event < 0).any():
                # Rows of batches that are folded at another time, or that no fact names.
                rows, event = rows.filter(pa.array(event >= 0)), event[event >= 0]
        tables.append(rows.append_column("event", pa.array(event)))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _shared(shares: Sequence[tuple[int, int, int]], before: int, rows: int) -> NDArray[np.int32]:
    """The place of each row's event in a file that several batches share; -1 for none of these.

    Args:
        shares: place of the event, its first row in the file, how many rows are its.
        before: rows of the file before those that are asked about.
        rows: that are asked about.
    """
    out = np.full(rows, -1, np.int32)
    for place, first, count in shares:
        out[max(first - before, 0) : max(first + count - before, 0)] = place
    return out


def stand_together(found: Sequence[Piece]) -> bool:
    """Whether rows of one event and car stand together: a single sorted file for each event."""
    places = [piece.event for piece in found]
    return None not in places and len(set(places)) == len(places)
