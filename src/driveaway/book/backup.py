"""Backup and restore: a whole launch in one zip file, checked before anybody trusts it.

The file holds ``book.sqlite`` (whatever store the book is in), the launch folder's own small
files, ``heads.jsonl`` (the tree's heads as logged) and ``manifest.json`` with the size and root of
the tree and the SHA-256 of every other member. Columns that can be made again (the mirror) stay
out, and so does ``driveaway.toml``: it speaks of one machine and may hold a password.

The digests find damage, not a forger: who can rewrite the file can rewrite its manifest. Compare
the root with one that was kept elsewhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final
from zlib import error as ZlibError

import msgspec

from driveaway import __version__
from driveaway.book.book import Book, open_store
from driveaway.book.copying import restore_rows
from driveaway.book.private import private_file, private_folder
from driveaway.book.sqlite import SqliteStore
from driveaway.book.tree import Frontier
from driveaway.book.verify import read_heads, verify
from driveaway.values.clock import now, show
from driveaway.values.errors import BadValue, DriveawayError, Refused, Tampered, Unavailable

_FORMAT: Final = 1
_SQLITE: Final = "sqlite:///"
_BOOK: Final = "book.sqlite"
_HEADS: Final = "heads.jsonl"
_MANIFEST: Final = "manifest.json"
_FOLDER: Final = "launch/"
_LEFT_OUT: Final = frozenset({"driveaway.toml"})
_DESCRIPTION: Final = "launch.toml"
# Hidden files that belong to a launch folder; others are some program's own and stay out.
_HIDDEN: Final = frozenset({".gitignore", ".gitattributes", ".editorconfig"})
_SMALL: Final = 16 * 1024 * 1024
_CHUNK: Final = 1 << 20
_MANIFEST_LIMIT: Final = 64 * 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Member(msgspec.Struct, frozen=True):
    """One file of the backup: its name there, its length in bytes, its SHA-256."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds.

    Attributes:
        layout: of the file.
        program: version of Driveaway that wrote it.
        created: ISO 8601, UTC.
        size: facts in the book.
        root: head of the tree over them, hexadecimal.
        members: every file beside the manifest.
        left_out: files of the launch folder that are too large and were not taken along.
    """

    layout: int
    program: str
    created: str
    size: int
    root: str
    members: tuple[Member, ...]
    left_out: tuple[str, ...] = ()


def backup(book: Book, launch_folder: Path, file: Path) -> Manifest:
    """Write the book and the launch folder into one file, while others may go on writing.

    A file of that name is replaced, and only once the new one is whole and on disk.

    Raises:
        Unavailable: the disk is full, or a file cannot be read or written.
    """
    # Heads first: none may be of a larger tree than the copy, which is made afterwards.
    heads = book.head_log.read_bytes() if book.head_log.exists() else b""
    partial = file.with_name(file.name + ".partial")
    with _disk(file), tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as scratch:
        copy = Path(scratch) / _BOOK
        book.store.copy_to(str(copy))
        with closing(SqliteStore(copy)) as copied:
            edge = copied.edge()
        small, left_out = _launch_files(launch_folder, {book.folder, file, partial, Path(scratch)})
        try:
            # What an earlier one left behind may be anybody's to read.
            partial.unlink(missing_ok=True)
            private_file(partial)
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                members = [_add(archive, _BOOK, copy)]
                head_file = Path(scratch) / _HEADS
                head_file.write_bytes(heads)
                members.append(_add(archive, _HEADS, head_file))
                members += [_add(archive, _FOLDER + name, launch_folder / name) for name in small]
                root = Frontier(edge.size, edge.peaks).root().hex()
                manifest = Manifest(
                    _FORMAT, __version__, show(now()), edge.size, root, tuple(members), tuple(left_out)
                )
                archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    return manifest


def restore(file: Path, folder: Path, url: str | None = None, *, data: str = "data") -> Manifest:
    """Restore a backup into an empty folder, verbatim, and verify it.

    Args:
        file: what ``backup`` wrote.
        folder: a new or empty folder.
        url: of an empty PostgreSQL database, or ``sqlite:///…``; default: ``data/book.sqlite`` in the folder.
        data: the folder's data folder.

    Raises:
        BadValue: not a backup, or damaged; nothing was restored.
        Refused: the folder or the book restored into is not empty.
        Tampered: the book in it does not verify; nothing was restored.
        Unavailable: the disk or the database.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(
            "the folder to restore into is not empty",
            code="restore.not_empty",
            place=str(folder),
            remedy="name a new folder",
        )
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            scratch = Path(tempfile.mkdtemp(prefix=".restoring-", dir=folder))
            manifest = _extract(file, scratch, data)
            _check_book(scratch, manifest, file)
            private_folder(folder / data)
            (scratch / _HEADS).replace(folder / data / _HEADS)
            for entry in sorted((scratch / _FOLDER).iterdir()):
                _merge(entry, folder / entry.name)
            # Last, since it may stand elsewhere: what fails before it leaves nothing there.
            _place_book(scratch, folder / data, url)
        except BaseException:
            for entry in folder.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for place in made:
                place.rmdir()
            raise
        shutil.rmtree(scratch)
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What a backup says that it holds.

    Raises:
        BadValue: not a backup, damaged, or of a newer layout.
    """
    with _disk(file), _opened(file) as archive:
        return _manifest(archive, file)


# --- writing ---


def _launch_files(folder: Path, without: set[Path]) -> tuple[list[str], list[str]]:
    """Relative paths of the folder's own files: (small ones, those too large to take along)."""
    kept: list[str] = []
    large: list[str] = []
    skipped = {path.resolve() for path in without}
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (here / name).resolve() not in skipped
        )
        for name in sorted(files):
            path = here / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file() or path.resolve() in skipped or relative in _LEFT_OUT:
                continue
            if name.startswith(".") and name not in _HIDDEN:
                continue
            (kept if path.stat().st_size <= _SMALL else large).append(relative)
    return kept, large


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> Member:
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
            target.write(chunk)
    return Member(name, length, digest.hexdigest())


# --- reading ---


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, ZlibError, NotImplementedError, RuntimeError) as error:
        raise _damaged(file, f"not a whole backup file ({error})") from error


def _damaged(file: Path, what: str) -> BadValue:
    return BadValue(what, code="backup.damaged", place=str(file), remedy="use another backup")


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        info = archive.getinfo(_MANIFEST)
        if info.file_size > _MANIFEST_LIMIT:
            raise _damaged(file, "its manifest is too large to be one")
        manifest = msgspec.json.decode(archive.read(info), type=Manifest)
    except (KeyError, msgspec.DecodeError) as error:
        raise _damaged(file, f"it has no manifest that can be read ({error})") from error
    if manifest.layout != _FORMAT:
        raise BadValue(
            f"a backup of layout {manifest.layout}, this program reads {_FORMAT}",
            code="backup.layout",
            place=str(file),
            remedy=f"restore it with Driveaway {manifest.program}",
        )
    names = [member.name for member in manifest.members]
    needed = {_BOOK, _HEADS, _FOLDER + _DESCRIPTION}
    if len(set(names)) != len(names) or not needed <= set(names):
        raise _damaged(file, "its manifest does not list what a backup has")
    return manifest


def _extract(file: Path, scratch: Path, data: str) -> Manifest:
    """Unpack what the manifest lists, and nothing else, checking names, lengths and digests."""
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        present = set(archive.namelist())
        for member in manifest.members:
            if not _safe(member.name):
                raise _damaged(file, f"{member.name!r} would be written outside the folder")
            if not _belongs(member.name, data):
                raise _damaged(file, f"{member.name!r} is no file that a backup takes from a launch folder")
        for member in manifest.members:
            if member.name not in present:
                raise _damaged(file, f"{member.name} is missing")
            path = scratch / member.name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                target = path.open("xb")
            except (FileExistsError, NotADirectoryError) as error:
                raise _damaged(file, f"{member.name!r} cannot stand beside its other files") from error
            with target, archive.open(member.name) as source:
                if _copied(source, target, member.bytes) != member.sha256:
                    raise _damaged(file, f"{member.name} is not what was backed up: its digest differs")
    return manifest


def _safe(name: str) -> bool:
    """One of the book's own two files, or a relative path below ``launch/`` without any way out."""
    parts = PurePosixPath(name).parts
    plain = not any(part in ("..", ".") or "\\" in part or ":" in part or "\0" in part for part in parts)
    inside = name.startswith(_FOLDER) and len(parts) > 1 and "/".join(parts) == name
    return name in (_BOOK, _HEADS) or (plain and inside)


def _belongs(name: str, data: str) -> bool:
    """Whether it is no setting of a machine, nothing of the data folder and no hidden file of others."""
    if name in (_BOOK, _HEADS):
        return True
    parts = PurePosixPath(name.removeprefix(_FOLDER).casefold()).parts
    own = PurePosixPath(data.casefold()).parts
    hidden = any(part.startswith(".") for part in parts[:-1]) or (
        parts[-1].startswith(".") and parts[-1] not in _HIDDEN
    )
    return not hidden and "/".join(parts) not in _LEFT_OUT and parts[: len(own)] != own


def _copied(source: IO[bytes], target: IO[bytes], length: int) -> str | None:
    """Copy at most ``length`` bytes; their SHA-256, or None when there are more (a zip bomb) or fewer."""
    digest, left = hashlib.sha256(), length
    while chunk := source.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            return None
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest() if left == 0 else None


def _check_book(scratch: Path, manifest: Manifest, file: Path) -> None:
    """Recompute every leaf and the tree of the extracted book, with the heads that came along."""
    try:
        with closing(SqliteStore(scratch / _BOOK)) as store:
            verdict = verify(store, read_heads(scratch / _HEADS))
    except sqlite3.Error as error:
        raise _damaged(file, f"its book cannot be read ({error})") from error
    except Unavailable as error:
        if isinstance(error.__cause__, sqlite3.DatabaseError):
            raise _damaged(file, f"its book cannot be read ({error.__cause__})") from error
        raise
    what = "" if verdict.root.hex() == manifest.root else "its tree is not that of the manifest"
    if verdict.differences:
        what = verdict.differences[0].what
    if what:
        raise Tampered(what, code="restore.differs", place=str(file), remedy="use another backup")


def _place_book(scratch: Path, data: Path, url: str | None) -> None:
    path = scratch / _BOOK
    if url is not None and not url.startswith(_SQLITE):
        with closing(open_store(url)) as store:
            store.create()
            restore_rows(store, str(path))
        return
    target = data / _BOOK if url is None else Path(url.removeprefix(_SQLITE))
    if target.exists():
        raise Refused(
            "there is a book already",
            code="restore.book_not_empty",
            place=str(target),
            remedy="restore into a new folder",
        )
    private_folder(target.parent)
    try:
        path.chmod(0o600)
        shutil.move(path, target)
        with closing(SqliteStore(target)) as placed:
            placed.create()
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _merge(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for entry in sorted(source.iterdir()):
            _merge(entry, target / entry.name)
    else:
        source.replace(target)


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """The operating system's errors as ours."""
    try:
        yield
    except DriveawayError:
        raise
    except FileNotFoundError as error:
        name = error.filename or str(place)
        raise BadValue("there is no such file", code="file.missing", place=str(name)) from error
    except OSError as error:
        full = error.errno in _FULL
        raise Unavailable(
            "the disk is full" if full else error.strerror or str(error),
            code="disk.full" if full else "file.unreachable",
            place=str(place),
            remedy="free some space and try again; a retry is safe" if full else "",
        ) from error
