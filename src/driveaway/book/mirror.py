"""The columnar mirror: Parquet segments by ``seq`` range, one typed table per kind.

A cache. Delete the folder and it comes back; damaged, it is made anew. Segments are never changed
in place: a generation of files is listed in ``manifest.json``, which is replaced atomically, so
readers in other processes always see a whole one. The last segment of a kind is rewritten until it
is large enough, and a segment that a correction touches is rewritten with its ``superseded_at``.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.book.columns import schema
from driveaway.book.private import private_folder
from driveaway.book.segments import build
from driveaway.book.store import Row, Store
from driveaway.facts import KINDS

_FORMAT = 3
_BATCH = 100_000
_FULL = 1_000_000
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG}) | _CLOSED


class Segment(msgspec.Struct, frozen=True):
    """One Parquet file: rows of one kind with ``first`` ≤ seq ≤ ``last``."""

    file: str
    first: int
    last: int
    rows: int
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """Which segments make up the mirror, and up to which seq.

    ``leaf`` (hexadecimal) is that of the last fact: a book that has another one there is another book.
    """

    layout: int
    zone: str
    upto: int
    generation: int
    leaf: str
    segments: dict[str, tuple[Segment, ...]]
    versions: dict[str, int]


class Mirror:
    """The mirror of one store in one folder."""

    def __init__(self, store: Store, folder: Path, zone: ZoneInfo) -> None:
        self.store = store
        self.folder = folder
        self.zone = zone
        self.manifest = self._read()
        self._known = False

    def paths(self, kind: str) -> list[str]:
        """Files that hold a kind's table; none when no such fact was recorded."""
        return [str(self.folder / s.file) for s in self.manifest.segments.get(kind, ())]

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> Manifest:
        """Bring the mirror to the store's last seq; at once when nothing was recorded since.

        Args:
            progress: called with (rows done, rows in all).
        """
        upto = self.store.edge().size
        if self._known and self.manifest.upto == upto and (self.folder / "manifest.json").exists():
            return self.manifest
        try:
            private_folder(self.folder.parent)
            self.folder.mkdir(exist_ok=True)
            with self._lock():
                pass
        except OSError as error:
            if error.errno not in _CLOSED:
                raise
            manifest = self._same_book(self._read())
            if manifest.upto == upto:
                self.manifest, self._known = manifest, True
                return manifest
            self._move_out()
        with self._lock():
            manifest = self._same_book(self._read())
            upto = self.store.edge().size
            start = manifest.upto
            healed = False
            while manifest.upto < upto:
                rows = self.store.rows(manifest.upto, upto, _BATCH)
                try:
                    manifest, erased = self._extended(manifest, rows)
                except (pa.ArrowException, OSError) as error:
                    if healed or not manifest.upto or getattr(error, "errno", None) in _DISK:
                        raise
                    # A segment that is to be extended cannot be read: all of it comes anew.
                    healed, manifest, start = True, self._empty(manifest.generation + 1), 0
                    continue
                if erased:
                    # What was shredded must not outlive this in files that nobody lists any more.
                    self.manifest = manifest
                if progress is not None:
                    progress(manifest.upto - start, upto - start)
            self._sweep(manifest)
        self.manifest, self._known = manifest, True
        return manifest

    def _move_out(self) -> None:
        """Mirror into a folder of this process's own: the book's folder cannot be written."""
        self.folder = Path(tempfile.mkdtemp(prefix="driveaway-mirror-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.manifest = self._read()

    def drop(self) -> None:
        """Delete the mirror; it comes back at the next question."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.manifest, self._known = self._read(), False

    def problem(self) -> str:
        """What is wrong with the mirror on disk, in words; "" when it agrees with its manifest."""
        path = self.folder / "manifest.json"
        if not path.exists():
            return ""
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError) as error:
            return f"its manifest cannot be read ({error})"
        wrong = self._disagrees(manifest)
        if wrong:
            return wrong
        for segments in manifest.segments.values():
            for segment in segments:
                try:
                    rows = pq.read_metadata(self.folder / segment.file).num_rows
                except (OSError, pa.ArrowException):
                    return f"{segment.file} cannot be read"
                if rows != segment.rows:
                    return f"{segment.file} holds {rows} facts, not {segment.rows}"
        return ""

    def _disagrees(self, manifest: Manifest) -> str:
        """What of the files does not agree with a manifest; sizes and counts only, contents are not read."""
        counted = 0
        for segments in manifest.segments.values():
            for segment in segments:
                counted += segment.rows
                try:
                    size = (self.folder / segment.file).stat().st_size
                except OSError:
                    return f"{segment.file} is missing"
                if size != segment.bytes:
                    return f"{segment.file} has {size} bytes, not {segment.bytes}"
        return "" if counted == manifest.upto else f"it counts {counted} facts of {manifest.upto}"

    def reload(self) -> None:
        """Take up the generation that another process has published, and catch up from there."""
        self.manifest, self._known = self._read(), False
        self.catch_up()

    def _same_book(self, manifest: Manifest) -> Manifest:
        """The manifest, or an empty one when it mirrors another book (one restored or made anew)."""
        if not manifest.upto:
            return manifest
        last = self.store.by_seq([manifest.upto])
        if last and last[0].leaf.hex() == manifest.leaf:
            return manifest
        return self._empty(manifest.generation)

    def _extended(self, manifest: Manifest, rows: Sequence[Row]) -> tuple[Manifest, bool]:
        generation = manifest.generation + 1
        first, last = rows[0].seq, rows[-1].seq
        segments = dict(manifest.segments)
        by_kind: dict[str, list[Row]] = {}
        for row in rows:
            by_kind.setdefault(row.kind, []).append(row)
        replaced = dict(self.store.replacements(first - 1, last))
        forgets = "subject.erased" in by_kind
        if forgets:
            erased = {row.subject for row in by_kind["subject.erased"]}
            segments = self._forget(segments, erased, generation)
        if replaced:
            segments = self._supersede(segments, replaced, generation)
        for kind, members in by_kind.items():
            table = build(kind, members, replaced, self.zone)
            known = segments.get(kind, ())
            if known and known[-1].rows < _FULL:
                tail = known[-1]
                table = pa.concat_tables([pq.read_table(self.folder / tail.file, schema=schema(kind)), table])
                known = known[:-1]
            segments[kind] = (*known, self._write(kind, table, generation))
        new = Manifest(_FORMAT, str(self.zone), last, generation, rows[-1].leaf.hex(), segments, _versions())
        self._publish(new)
        return new, forgets

    def _supersede(
        self, segments: dict[str, tuple[Segment, ...]], replaced: dict[int, int], generation: int
    ) -> dict[str, tuple[Segment, ...]]:
        """Rewrite the segments that hold replaced facts."""
        wanted = pa.array(sorted(replaced), pa.int64())
        by = pa.array([replaced[seq] for seq in sorted(replaced)], pa.int64())

        def change(table: pa.Table) -> pa.Table:
            where = pc.index_in(table["seq"], wanted)
            column = pc.coalesce(table["superseded_at"], pc.take(by, where))
            return table.set_column(table.schema.get_field_index("superseded_at"), "superseded_at", column)

        def touched(segment: Segment) -> bool:
            return any(segment.first <= seq <= segment.last for seq in replaced)

        return self._rewrite(segments, touched, change, generation)

    def _forget(
        self, segments: dict[str, tuple[Segment, ...]], erased: set[str], generation: int
    ) -> dict[str, tuple[Segment, ...]]:
        """Rewrite the segments of kinds with personal fields without those of erased subjects."""
        personal = {k: v for k, v in segments.items() if KINDS[k].body.personal}
        names = pa.array(sorted(erased), pa.string())
        out = dict(segments)
        for kind, members in personal.items():
            fields = KINDS[kind].body.personal

            def change(table: pa.Table, fields: frozenset[str] = fields) -> pa.Table:
                gone = pc.is_in(table["subject"], names)
                for name in fields:
                    blank = pc.if_else(gone, pa.scalar(None, table.schema.field(name).type), table[name])
                    table = table.set_column(
                        table.schema.get_field_index(name), table.schema.field(name), blank
                    )
                return table

            out |= self._rewrite({kind: members}, lambda _: True, change, generation)
        return out

    def _rewrite(
        self,
        segments: dict[str, tuple[Segment, ...]],
        touched: Callable[[Segment], bool],
        change: Callable[[pa.Table], pa.Table],
        generation: int,
    ) -> dict[str, tuple[Segment, ...]]:
        out = dict(segments)
        for kind, members in segments.items():
            kept: list[Segment] = []
            for segment in members:
                if touched(segment):
                    old = pq.read_table(self.folder / segment.file, schema=schema(kind))
                    new = change(old)
                    segment = segment if new.equals(old) else self._write(kind, new, generation)
                kept.append(segment)
            out[kind] = tuple(kept)
        return out

    def _write(self, kind: str, table: pa.Table, generation: int) -> Segment:
        first, last = table["seq"][0].as_py(), table["seq"][-1].as_py()
        name = f"{kind}-{first}-{last}-g{generation}.parquet"
        pq.write_table(table, self.folder / name, compression="lz4", row_group_size=122_880)
        return Segment(name, first, last, table.num_rows, (self.folder / name).stat().st_size)

    def _publish(self, manifest: Manifest) -> None:
        temporary = self.folder / "manifest.json.new"
        temporary.write_bytes(msgspec.json.encode(manifest))
        os.replace(temporary, self.folder / "manifest.json")

    def _read(self) -> Manifest:
        """The manifest on disk; an empty one when it or a file is missing, damaged, or of another layout."""
        try:
            found = msgspec.json.decode((self.folder / "manifest.json").read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError):
            return self._empty(0)
        same = found.layout == _FORMAT and found.zone == str(self.zone) and found.versions == _versions()
        if not same or self._disagrees(found):
            return self._empty(found.generation)
        return found

    def _empty(self, generation: int) -> Manifest:
        return Manifest(_FORMAT, str(self.zone), 0, generation, "", {}, _versions())

    def _sweep(self, manifest: Manifest) -> None:
        """Delete files that no manifest of the last two generations lists."""
        listed = {s.file for ss in manifest.segments.values() for s in ss}
        listed |= {s.file for ss in self.manifest.segments.values() for s in ss}
        for path in self.folder.glob("*.parquet"):
            if path.name not in listed:
                path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        handle = os.open(self.folder / "catching-up.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _versions() -> dict[str, int]:
    return {kind.name: kind.version for kind in KINDS.values()}
