"""The ledger's tables on disk: a cache that catches up with what the book says has landed."""

from __future__ import annotations

import base64
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.book.mirror import Mirror
from driveaway.fleet.ledger import manifest as manifests
from driveaway.fleet.ledger.manifest import Manifest
from driveaway.fleet.ledger.parts import TABLES, merged

if TYPE_CHECKING:
    from driveaway.fleet.ledger.catching import Catching

KEY: Final = "pseudonyms.key"
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS})


class Ledger:
    """CARS, LEDGER and ACTIVITY of one launch, below ``data/fleet/ledger``.

    Delete the folder and it comes back; damaged, it is made anew. Files are never changed in place: a
    generation is listed in ``manifest.json``, which is replaced atomically.
    """

    def __init__(self, fleet: Path, mirror: Mirror) -> None:
        self.trips = fleet / "trips"
        self.folder = fleet / "ledger"
        self.mirror = mirror
        self.zone = mirror.zone
        self.manifest = manifests.read(self.folder, str(self.zone))
        self._checked = -1
        self._warm: Catching | None = None
        self._key: bytes | None = None

    # --- what the engine asks ---

    def names(self) -> Sequence[str]:
        """The tables that there are."""
        return list(TABLES)

    def schema(self, name: str) -> pa.Schema:
        """The columns of a table."""
        return TABLES[name]

    def paths(self, name: str) -> list[str]:
        """Files that hold a table; none when no trip has landed."""
        return [str(self.folder / part.file) for part in self.manifest.parts if part.table == name]

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> Manifest:
        """Bring the ledger to where the mirror is; at once when nothing was recorded since.

        Args:
            progress: called with (segments done, segments in all).

        Raises:
            Unavailable: a file of trips is gone.
        """
        upto = self.mirror.manifest.upto
        if self._checked == upto and (not self.manifest.upto or (self.folder / manifests.FILE).exists()):
            return self.manifest
        if not self.mirror.paths("trips.landed") and not self.manifest.upto:
            # Nothing has ever landed: no folder, no lock.
            self._checked = upto
            return self.manifest
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._extend(upto, progress)
        self._checked = upto
        return self.manifest

    def prepare(self) -> None:
        """Load what catching up goes on from, before there is something to catch up with."""
        from driveaway.fleet.ledger.catching import Catching

        found = self._same_book(manifests.read(self.folder, str(self.zone)))
        if found.upto and self._warm is None:
            with suppress(pa.ArrowException, OSError, ValueError):
                self._warm = Catching(self.folder, self.trips, self.mirror, found)
                self.manifest = found

    def reload(self) -> None:
        """Take up the generation that another process has published, and catch up from there."""
        self.manifest = manifests.read(self.folder, str(self.zone))
        self._checked, self._warm = -1, None
        self.catch_up()

    def drop(self) -> None:
        """Delete the ledger; it comes back at the next question."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.manifest = manifests.empty(str(self.zone), self.manifest.generation)
        self._checked, self._warm = -1, None

    def pseudonym(self, name: str) -> str:
        """What stands for a car, 16 characters: a keyed hash (BLAKE2b, RFC 7693), always the same.

        The key lies beside the trips and stays in the launch's folder: without it nobody can try out VINs.
        """
        if self._key is None:
            self._key = _key(self.folder.parent / KEY)
        digest = blake2b(name.encode(), key=self._key, digest_size=10).digest()
        return "car-" + base64.b32encode(digest).decode().lower()

    def problem(self) -> str:
        """What is wrong with the files, in words; "" when they agree with their manifest."""
        if not (self.folder / manifests.FILE).exists():
            return ""
        found = manifests.read(self.folder, str(self.zone))
        if not found.upto:
            return "its manifest, or a file that it lists, is missing or damaged"
        for part in found.parts:
            try:
                rows = pq.read_metadata(self.folder / part.file).num_rows
            except (OSError, pa.ArrowException):
                return f"{part.file} cannot be read"
            if rows != part.rows:
                return f"{part.file} holds {rows} rows, not {part.rows}"
        return ""

    # --- catching up ---

    def _extend(self, upto: int, progress: Callable[[int, int], None] | None) -> None:
        from driveaway.fleet.ledger.catching import Catching

        found = self._same_book(manifests.read(self.folder, str(self.zone)))
        if not found.upto:
            # Names that were used are not used again: somebody may still read them.
            found = manifests.empty(str(self.zone), max(found.generation, self.manifest.generation))
        elif found.upto == upto:
            # Somebody else brought it up.
            self._warm = self._warm if found == self.manifest else None
            self.manifest = found
            return
        warm = self._warm
        if warm is None or found != self.manifest:
            warm = None
        try:
            self._run(warm or Catching(self.folder, self.trips, self.mirror, found), upto, progress)
        except (pa.ArrowException, OSError, ValueError) as error:
            if not found.upto or getattr(error, "errno", None) in _DISK:
                raise
            # A file that is to be extended cannot be read: all of it comes anew.
            found = manifests.empty(str(self.zone), found.generation + 1)
            self._run(Catching(self.folder, self.trips, self.mirror, found), upto, progress)

    def _run(self, work: Catching, upto: int, progress: Callable[[int, int], None] | None) -> None:
        self._warm = None
        for manifest in work.run(upto, progress):
            whole = merged(self.folder, manifest.parts, f"m{manifest.generation}")
            work.manifest = manifest = msgspec.structs.replace(manifest, parts=tuple(whole))
            manifests.publish(self.folder, manifest)
            self._sweep(manifest)
            self.manifest = manifest
        self.manifest, self._warm = work.manifest, work

    def _same_book(self, found: Manifest) -> Manifest:
        """The manifest, or an empty one when it speaks of another book (one restored or made anew)."""
        if not found.upto:
            return found
        last = self.mirror.store.by_seq([found.upto])
        if last and last[0].leaf.hex() == found.leaf:
            return found
        return manifests.empty(str(self.zone), found.generation)

    def _sweep(self, manifest: Manifest) -> None:
        """Delete files that no manifest of the last two generations lists."""
        listed = manifest.files | self.manifest.files
        for path in self.folder.iterdir():
            if path.suffix in (".parquet", ".u64", ".u8") and path.name not in listed:
                path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        handle = os.open(self.folder / "catching-up.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _key(path: Path) -> bytes:
    """The secret key of a launch's pseudonyms; made where there is none yet."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, secrets.token_bytes(32))
        os.fsync(handle)
    finally:
        os.close(handle)
    # Two processes may make one at once: the first to link it has made it.
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    return path.read_bytes()
