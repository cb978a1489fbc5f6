"""Taking one car out of the files of trips and of the quarantine, whole or not at all.

Files of trips are never changed in place: one that holds the car is written anew without it, as a compaction
writes it, and a fact names the new file in its place. Until that fact is recorded nothing has changed; after
it the old file is nobody's, and is deleted. A crash in between leaves an intent behind, by which the next
erasure finishes what was begun.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from driveaway.facts.trips import TripFile, TripsCompacted
from driveaway.fleet.shares import Place, Share, Shares, with_batch
from driveaway.values.errors import Unavailable
from driveaway.values.files import sync_folder, write_whole

if TYPE_CHECKING:
    import pyarrow as pa

_LOCK: Final = "landing.lock"
_INTENT: Final = "erasing.json"
_PREFIX: Final = "erased-"
_BLOCK: Final = 1 << 20


class Intent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An erasure that was begun: of which car, why, and how many facts the book held before."""

    vin: str
    reason: str
    after: int


@dataclass(frozen=True)
class Prepared:
    """What stands written beside, and is nobody's yet.

    Attributes:
        compacted: facts that put the new files in the place of the old ones, by local day.
        replaced: old files.
        quarantine: file of the quarantine → what is to replace it, both by full path.
        trips, quarantined: so many rows of the car were left out.
    """

    compacted: tuple[TripsCompacted, ...] = ()
    replaced: tuple[Place, ...] = ()
    quarantine: tuple[tuple[Path, Path], ...] = ()
    trips: int = 0
    quarantined: int = 0


class CarFiles:
    """A car's rows below the folder of the fleet's data.

    Args:
        root: ``data/fleet`` of a launch; it may not be there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trips = root / "trips"
        self.quarantine = root / "quarantine"
        self.staging = root / "staging"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody lands, releases or compacts meanwhile. Where there is no folder, nothing is to be locked.

        Raises:
            Unavailable: the folder cannot be written.
        """
        if not self.root.is_dir():
            yield
            return
        try:
            handle = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Unavailable(
                error.strerror or str(error), code="erase.closed", place=str(self.root), remedy="try again"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # --- what was begun ---

    def begun(self) -> Intent | None:
        """The erasure that was begun and not finished."""
        try:
            return msgspec.json.decode((self.root / _INTENT).read_bytes(), type=Intent)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def begin(self, intent: Intent) -> None:
        """Leave word of what is begun."""
        if self.root.is_dir():
            write_whole(self.root / _INTENT, msgspec.json.encode(intent), mode=0o600)

    def done(self) -> None:
        """It is finished, or called off."""
        if self.begun() is not None:
            (self.root / _INTENT).unlink()
            sync_folder(self.root)

    # --- writing beside ---

    def prepare(self, vin: str, shares: Shares) -> Prepared:
        """Write files without the car beside those that hold it. The lock is held.

        Args:
            vin: the car.
            shares: what facts say of the files.

        Raises:
            Unavailable: a file cannot be read or written; nothing has changed.
        """
        self.sweep(vin, shares)
        made: dict[str, tuple[list[Place], list[TripFile]]] = {}
        trips = 0
        for place in sorted(shares):
            path = self.trips / place.path
            count = rows_of(path, vin) if path.is_file() else 0
            if not count:
                continue
            trips += count
            replaced, files = made.setdefault(place.day, ([], []))
            replaced.append(place)
            file = self._without(place, vin, shares[place])
            if file is not None:
                files.append(file)
        kept, quarantined = self._quarantine(vin)
        return Prepared(
            tuple(
                TripsCompacted(
                    local_day=day, replaced=tuple(place.name for place in replaced), files=tuple(files)
                )
                for day, (replaced, files) in made.items()
            ),
            tuple(place for replaced, _ in made.values() for place in replaced),
            tuple(kept),
            trips,
            quarantined,
        )

    def _without(self, place: Place, vin: str, shares: Sequence[Share]) -> TripFile | None:
        """A file of trips written anew, each row with its batch; None where no other car is in it."""
        import pyarrow.parquet as pq

        source = pq.ParquetFile(self.trips / place.path)
        self.staging.mkdir(exist_ok=True)
        temporary = self.staging / f"erase-{os.getpid()}.parquet"
        try:
            rows, first = 0, 0
            writer: Any = None
            for group in range(source.num_row_groups):
                table = with_batch(source.read_row_group(group), shares, first)
                first += source.metadata.row_group(group).num_rows
                table = _others(table, vin)
                rows += table.num_rows
                if writer is None:
                    writer = pq.ParquetWriter(temporary, table.schema, compression="lz4", store_schema=False)
                writer.write_table(table)
            if writer is not None:
                writer.close()
            if not rows:
                return None
            digest = _digest(temporary)
            folder = (self.trips / place.path).parent
            name = f"{_PREFIX}{digest[:16]}.parquet"
            _sync(temporary)
            os.replace(temporary, folder / name)
            sync_folder(folder)
            # Named as the one before it: with its folder, or without.
            named = place.name.rpartition("/")[0]
            file = f"{named}/{name}" if named else name
            return TripFile(day=place.day, file=file, rows=rows, sha256=digest)
        finally:
            source.close()
            temporary.unlink(missing_ok=True)

    def _quarantine(self, vin: str) -> tuple[list[tuple[Path, Path]], int]:
        import pyarrow.parquet as pq

        kept: list[tuple[Path, Path]] = []
        removed = 0
        for path in sorted(self.quarantine.rglob("*.parquet")):
            table = pq.read_table(path)
            others = _others(table, vin)
            if others.num_rows == table.num_rows:
                continue
            removed += table.num_rows - others.num_rows
            self.staging.mkdir(exist_ok=True)
            temporary = self.staging / f"erase-{len(kept)}-{os.getpid()}.parquet"
            pq.write_table(others, temporary, compression="lz4")
            _sync(temporary)
            kept.append((path, temporary))
        return kept, removed

    # --- once the fact is recorded ---

    def finish(self, prepared: Prepared, *, resumed: bool = False) -> None:
        """Delete what was replaced, and the caches that knew the car. The lock is held.

        ``resumed``: an erasure of the car was stopped before; the caches may know it from then.
        """
        for place in prepared.replaced:
            (self.trips / place.path).unlink(missing_ok=True)
        for folder in sorted({(self.trips / place.path).parent for place in prepared.replaced}):
            sync_folder(folder)
        for path, temporary in prepared.quarantine:
            os.replace(temporary, path)
            sync_folder(path.parent)
        if prepared.trips or prepared.quarantined or resumed:
            self.drop_caches()

    def drop_caches(self) -> None:
        """Delete the index of what landed and the ledger: both come back without the car."""
        for name in ("index", "ledger"):
            with _catching_up(self.root / name) as folder:
                # What says which files count goes first: a reader never sees some of them as all.
                (folder / "manifest.json").unlink(missing_ok=True)
                for path in sorted(folder.glob("*")):
                    if path.name.endswith(".lock"):
                        continue
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)

    def discard(self, prepared: Prepared) -> None:
        """The fact was refused: what was written beside goes."""
        for body in prepared.compacted:
            for file in body.files:
                (self.trips / Place(file.day, file.file).path).unlink(missing_ok=True)
        for _, temporary in prepared.quarantine:
            temporary.unlink(missing_ok=True)

    def sweep(self, vin: str, shares: Shares) -> None:
        """Delete what an erasure that was stopped left behind, and files with the car that no fact names."""
        for path in (*self.staging.glob("erase-*.parquet"), *self.root.glob(f".{_INTENT}.*.new")):
            path.unlink(missing_ok=True)
        named = {place.path for place in shares}
        for path in sorted(self.trips.glob("*/*.parquet")):
            name = f"{path.parent.name}/{path.name}"
            if name not in named and (path.name.startswith(_PREFIX) or rows_of(path, vin)):
                path.unlink(missing_ok=True)


@contextmanager
def _catching_up(folder: Path) -> Iterator[Path]:
    """A cache's folder, while nobody brings it up to date."""
    try:
        handle = os.open(folder / "catching-up.lock", os.O_RDWR)
    except FileNotFoundError:
        yield folder
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def rows_of(path: Path, vin: str) -> int:
    """How many rows of a Parquet file are a car's; row groups that cannot hold it are not read.

    Raises:
        Unavailable: the file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if "vin" not in names:
                return 0
            column = names.index("vin")
            count = 0
            for group in range(file.num_row_groups):
                known = file.metadata.row_group(group).column(column).statistics
                if known is not None and known.has_min_max and not known.min <= vin <= known.max:
                    continue
                values = file.read_row_group(group, columns=["vin"]).column("vin")
                count += pc.sum(pc.equal(values, vin)).as_py() or 0
            return count
    except (pa.ArrowException, OSError) as error:
        raise Unavailable(
            f"a file cannot be read: {error}",
            code="erase.unreadable",
            place=str(path),
            remedy="restore it from a backup, then erase again",
        ) from error


def _others(table: pa.Table, vin: str) -> pa.Table:
    """Rows that are not the car's: neither under its VIN nor with it in the text that was sent."""
    import pyarrow.compute as pc

    for name, found in (("vin", pc.equal), ("content", pc.match_substring)):
        if name in table.column_names and table.num_rows:
            gone = pc.fill_null(found(table.column(name), vin), False)
            table = table.filter(pc.invert(gone))
    return table


def _sync(path: Path) -> None:
    """Wait until the disk has a file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
