"""Opening a file: what it is, unpacked within limits."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import pyarrow as pa

from driveaway.launch.imports.limits import Limits
from driveaway.values.errors import BadValue, DriveawayError, NotFound, Unavailable

Format = Literal["csv", "parquet", "ndjson"]

_BY_NAME: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".cloudevents": "ndjson",
}
_PACKED_NAMES = (".gz", ".gzip", ".zip", ".zst", ".zstd")
_GZIP, _ZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1"
_EMPTY_ZIP = b"PK\x05\x06"
_ARCHIVES = {
    _EMPTY_ZIP: "zip",
    _GZIP: "gzip",
    _ZIP: "zip",
    _ZSTD: "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf": "7z",
}
_HEAD = 512
_BUFFER = 64 * 1024


class BrokenOff(BadValue):
    """The file cannot be read further: damaged, or taken for a bomb. What was read before stands."""


class Opened(NamedTuple):
    """A file being read.

    Attributes:
        path: where it is.
        format: what it holds.
        stream: its unpacked bytes (for Parquet: the file itself).
        position: bytes of the file itself that were read so far.
        size: bytes of the file itself.
    """

    path: Path
    format: Format
    stream: IO[bytes]
    position: Any
    size: int


class _Counted(io.RawIOBase):
    """A file that remembers how far it was read."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Guarded(io.RawIOBase):
    """What a compressed file unpacks to, as long as that is believable."""

    def __init__(self, inner: Any, packed: _Counted | None, size: int, limits: Limits, place: str) -> None:
        self._inner, self._packed, self._size = inner, packed, size
        self._limits, self._place = limits, place
        self._out = 0
        # One step at a time, so that what comes before a damage is not lost with it.
        self._read = getattr(inner, "read1", inner.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._read(len(buffer))
        except (
            EOFError,
            zlib.error,
            gzip.BadGzipFile,
            zipfile.BadZipFile,
            pa.ArrowException,
            OSError,
        ) as error:
            raise BrokenOff(
                "the compressed file is damaged or cut off",
                code="file.damaged",
                place=self._place,
                remedy="fetch or export it again; importing what was read once more adds nothing",
            ) from error
        self._out += len(data)
        read = self._size if self._packed is None else max(self._packed.count, 1)
        if self._out > self._limits.unpacked:
            self._refuse(f"unpacks to more than {self._limits.unpacked:,} bytes")
        if self._out > self._limits.ratio_from and self._out > self._limits.ratio * read:
            self._refuse(f"unpacks to more than {self._limits.ratio} times its size")
        buffer[: len(data)] = data
        return len(data)

    def _refuse(self, what: str) -> None:
        raise BrokenOff(
            f"the file {what}: it is taken for a zip bomb",
            code="file.bomb",
            place=self._place,
            remedy="unpack it yourself if you trust it, and import what was in it",
        )


def format_of(path: Path, head: bytes, declared: Format | None) -> Format:
    """What a file holds, by declaration, magic bytes, name, or its first character.

    Raises:
        BadValue: none of them tells.
    """
    if declared is not None:
        return declared
    if head.startswith(_PARQUET):
        return "parquet"
    name = path.name.lower()
    for ending in _PACKED_NAMES:
        name = name.removesuffix(ending)
    found = _BY_NAME.get(Path(name).suffix)
    if found is not None:
        return found
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first in (b"{", b"["):
        return "ndjson"
    raise BadValue(
        "it is not clear what this file holds",
        code="file.format",
        place=str(path),
        remedy="name it .csv, .parquet or .ndjson (then .gz, .zip or .zst), or give `format` in a mapping",
    )


@contextmanager
def opened(path: Path, declared: Format | None, limits: Limits) -> Iterator[Opened]:
    """A file, unpacked on the way.

    Raises:
        NotFound: there is no such file.
        BadValue: it is empty, damaged, an archive inside an archive, or of no known format.
        Unavailable: it cannot be read.
    """
    place = str(path)
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            head = raw.read(_HEAD)
            raw.seek(0)
            if not head:
                raise BadValue("the file is empty", code="file.empty", place=place, remedy="export it again")
            if not _packed(head):
                form = format_of(path, head, declared)
                counted = _Counted(raw)
                stream = raw if form == "parquet" else cast("IO[bytes]", io.BufferedReader(counted, _BUFFER))
                yield Opened(path, form, stream, lambda: counted.count, size)
                return
            with _unpacked(raw, head, size, limits, place) as (inner, packed, member):
                guarded = io.BufferedReader(_Guarded(inner, packed, size, limits, place), _BUFFER)
                peeked = guarded.peek(_HEAD)[:_HEAD]
                if not peeked:
                    raise BadValue(
                        "the file in it is empty", code="file.empty", place=place, remedy="export it again"
                    )
                if (archive := _packed(peeked)) is not None:
                    raise BadValue(
                        f"there is a {archive} archive inside the archive",
                        code="file.nested",
                        place=place,
                        remedy="unpack the outer one first",
                    )
                form = format_of(path if member is None else Path(member), peeked, declared)
                if form == "parquet":
                    raise BadValue(
                        "a Parquet file is compressed by itself",
                        code="file.nested",
                        place=place,
                        remedy="unpack it first",
                    )
                where = (lambda: packed.count) if packed is not None else raw.tell
                yield Opened(path, form, cast("IO[bytes]", guarded), where, size)
    except FileNotFoundError as error:
        raise NotFound(
            "there is no such file", code="file.missing", place=place, remedy="compare the name"
        ) from error
    except IsADirectoryError as error:
        raise BadValue(
            "this is a folder", code="file.folder", place=place, remedy="import its files one by one"
        ) from error
    except DriveawayError as error:
        raise error.at(place) from error.__cause__
    except PermissionError as error:
        raise Unavailable(
            f"the file cannot be read: {error.strerror}",
            code="file.unreadable",
            place=place,
            remedy="ask for the right to read it",
        ) from error


def _packed(head: bytes) -> str | None:
    return next((name for magic, name in _ARCHIVES.items() if head.startswith(magic)), None)


@contextmanager
def _unpacked(
    raw: IO[bytes], head: bytes, size: int, limits: Limits, place: str
) -> Iterator[tuple[Any, _Counted | None, str | None]]:
    if head.startswith(_GZIP):
        counted = _Counted(raw)
        with gzip.GzipFile(fileobj=cast("IO[bytes]", counted)) as inner:
            yield inner, counted, None
    elif head.startswith(_ZSTD):
        counted = _Counted(raw)
        yield pa.CompressedInputStream(pa.PythonFile(counted, mode="r"), "zstd"), counted, None
    elif head.startswith((_ZIP, _EMPTY_ZIP)):
        try:
            archive = zipfile.ZipFile(raw)
        except zipfile.BadZipFile as error:
            raise BadValue(
                "the zip file is damaged", code="file.damaged", place=place, remedy="fetch or export it again"
            ) from error
        with archive:
            members = [
                m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")
            ]
            if len(members) != 1:
                named = ", ".join(m.filename for m in members[:5])
                raise BadValue(
                    f"the zip file holds {len(members)} files: {named}",
                    code="file.zip_members",
                    place=place,
                    remedy="unpack it and import each file by itself",
                )
            try:
                inner_file = archive.open(members[0])
            except (RuntimeError, NotImplementedError) as error:
                raise BadValue(
                    f"the zip file cannot be unpacked: {error}",
                    code="file.zip",
                    place=place,
                    remedy="unpack it yourself",
                ) from error
            with inner_file:
                yield inner_file, None, members[0].filename
    else:
        raise BadValue(
            f"{_packed(head)} is not unpacked here",
            code="file.packing",
            place=place,
            remedy="use gzip, zip or zstd, or unpack it",
        )
