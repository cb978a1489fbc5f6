"""The artifact store: contents on disk under their SHA-256, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from driveaway.updates.quotas import ARTIFACT_BYTES, exceeded
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable
from driveaway.values.files import sync_folder

_BUFFER: Final = 1 << 20
_LONGEST_NAME: Final = 255
_RESERVED: Final = ".MD5SUM"
_AGE: Final = 3600.0
"""Seconds that a content without a module, or an upload that broke off, is left alone."""


class Stored(msgspec.Struct, frozen=True):
    """A content in the store: its bytes and hashes, in lower-case hexadecimal digits."""

    size: int
    sha1: str
    md5: str
    sha256: str


def check_filename(name: str) -> str:
    """A file name as given, one that is nothing but a name.

    Raises:
        BadValue: empty, too long, or it has separators, control characters or a meaning of its own.
    """
    plain = unicodedata.normalize("NFC", name)
    wrong = (
        not name
        or plain != name
        or len(name.encode(errors="surrogatepass")) > _LONGEST_NAME
        or any(letter in "/\\:" or unicodedata.category(letter)[0] == "C" for letter in name)
        or name != name.strip()
        or name.strip(".") == ""
        or name.upper().endswith(_RESERVED)
    )
    if wrong:
        raise BadValue(
            f"{name[:80]!r} cannot be a file name",
            code="artifact.filename",
            remedy="a plain name of at most 255 bytes, without / \\ : and control characters,"
            f" and not ending in {_RESERVED}",
        )
    return name


class Upload:
    """One content on its way into the store; a context manager that leaves nothing when it fails."""

    def __init__(self, store: ArtifactStore, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._size = 0
        self._hashes = {
            "sha1": hashlib.sha1(usedforsecurity=False),
            "md5": hashlib.md5(usedforsecurity=False),
            "sha256": hashlib.sha256(),
        }
        self._path = store.incoming / f"{os.getpid()}-{time.time_ns()}-{id(self)}"
        with store.failing():
            store.incoming.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb")

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            Refused: more than the limit (``quota.artifact``).
            Unavailable: the disk is full or fails.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            self.abandon()
            exceeded("artifact", "bytes of an artifact", self._limit, "split it, or raise the limit")
        for one in self._hashes.values():
            one.update(chunk)
        with self._store.failing():
            self._file.write(chunk)

    def finish(self, *, sha1: str = "", md5: str = "", sha256: str = "", size: int | None = None) -> Stored:
        """Put the content in its place, synced to disk, once it is what was announced.

        Raises:
            BadValue: it has another hash or size than given; nothing is kept.
            Unavailable: the disk is full or fails.
        """
        found = {name: one.hexdigest() for name, one in self._hashes.items()}
        given = {"sha1": sha1, "md5": md5, "sha256": sha256}
        for name, text in given.items():
            if text and text.strip().lower() != found[name]:
                self.abandon()
                raise BadValue(
                    f"the content's {name} is {found[name]}, not {text[:128]}",
                    code=f"artifact.{name}",
                    remedy="send it again; it changed on the way, or the hash is another file's",
                )
        if size is not None and size != self._size:
            self.abandon()
            raise BadValue(
                f"{self._size} bytes came, {size} were announced",
                code="artifact.size",
                remedy="send it again",
            )
        stored = Stored(self._size, found["sha1"], found["md5"], found["sha256"])
        place = self._store.path(stored.sha256)
        with self._store.failing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            place.parent.mkdir(parents=True, exist_ok=True)
            # One that is there already is replaced: it may be damaged, or old enough to be swept.
            self._path.replace(place)
            sync_folder(place.parent)
            sync_folder(place.parent.parent)
        return stored

    def abandon(self) -> None:
        """Leave nothing behind; harmless once finished."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class ArtifactStore:
    """Contents in a folder, each once, under its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"

    def path(self, sha256: str) -> Path:
        """Where a content stands, or would stand.

        Raises:
            BadValue: that is no SHA-256.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise BadValue("this is no SHA-256", code="artifact.sha256", remedy="64 hexadecimal digits")
        return self.folder / sha256[:2] / sha256

    def existing(self, sha256: str) -> Path:
        """Where a content stands.

        Raises:
            NotFound: it is not in the store.
        """
        place = self.path(sha256)
        if not place.is_file():
            raise NotFound(
                f"the content {sha256} is not in the store",
                code="artifact.content",
                place=str(self.folder),
                remedy="restore the artifact folder from its backup, or upload the file again",
            )
        return place

    def upload(self, *, limit: int = ARTIFACT_BYTES) -> Upload:
        """Begin to take a content of at most ``limit`` bytes."""
        return Upload(self, limit)

    def put(self, chunks: Iterable[bytes], *, limit: int = ARTIFACT_BYTES, **given: str) -> Stored:
        """Take a content that comes in chunks; ``given`` hashes are compared as in ``Upload.finish``."""
        with self.upload(limit=limit) as upload:
            for chunk in chunks:
                upload.write(chunk)
            return upload.finish(
                sha1=given.get("sha1", ""), md5=given.get("md5", ""), sha256=given.get("sha256", "")
            )

    def put_file(self, file: Path, *, limit: int = ARTIFACT_BYTES, **given: str) -> Stored:
        """Take the content of a file."""
        with file.open("rb") as opened:
            return self.put(iter(lambda: opened.read(_BUFFER), b""), limit=limit, **given)

    def check(self, sha256: str) -> None:
        """See that a content is what its name says.

        Raises:
            NotFound: it is not in the store.
            Refused: it is damaged.
        """
        with self.existing(sha256).open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != sha256:
            raise Refused(
                f"the content {sha256} is damaged",
                code="artifact.damaged",
                place=str(self.folder),
                remedy="restore it from the backup, or upload the file again",
            )

    def sweep(self, known: Callable[[], Set[str]], *, age: float = _AGE) -> list[str]:
        """Remove contents that no module uses and uploads that broke off; the contents' SHA-256.

        Only what is older than ``age`` seconds: an upload stands in the store before its module names it.
        ``known`` is asked after the store was listed.
        """
        before = time.time() - age
        old = [file for file in self._contents() if file.stat().st_mtime < before]
        used = known()
        removed = []
        for file in old:
            # An upload of the same content may have renewed it meanwhile.
            if file.name not in used and file.stat().st_mtime < before:
                file.unlink()
                removed.append(file.name)
        if self.incoming.is_dir():
            for file in self.incoming.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if file.stat().st_mtime < before:
                        file.unlink()
        return sorted(removed)

    def _contents(self) -> Iterator[Path]:
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            yield from folder.iterdir()

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """The disk's errors as ours."""
        try:
            yield
        except OSError as error:
            raise Unavailable(
                error.strerror or str(error),
                code="artifact.disk",
                place=str(self.folder),
                remedy="see to the disk and try again",
            ) from error
