"""Files of trips: written whole or not at all, never changed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.values.errors import Unavailable
from driveaway.values.files import sync_folder

_TEXTS: Final = ("function", "software", "city", "cell")
_COUNTERS: Final = ("trip", "segment", "start", "end", "distance_m", "assisted_m", "driver_overrides",
                    "system_deactivations", "energy_wh", "odometer_m", "seq")  # fmt: skip
ROW_GROUP: Final = 262_144
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLOSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO})


@dataclass(frozen=True)
class Written:
    """A file that lies safe on the disk.

    Attributes:
        name: within its folder.
        rows: in it.
        sha256: of its bytes.
    """

    name: str
    rows: int
    sha256: str


def encode(table: pa.Table) -> pa.Buffer:
    """A table of trips as Parquet that every engine reads: plain strings, no Arrow schema beside.

    Counters of cars sorted by time differ little from one to the next: delta encoding makes them small
    for less work than a general compression of the same numbers would need.
    """
    out = pa.BufferOutputStream()
    names = set(table.column_names)
    pq.write_table(
        table,
        out,
        compression="lz4",
        use_dictionary=[name for name in _TEXTS if name in names],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in _COUNTERS if name in names},
        write_statistics=[name for name in ("vin", "start", "end", "seq") if name in names],
        row_group_size=ROW_GROUP,
        store_schema=False,
    )
    return out.getvalue()


def write(folder: Path, staging: Path, stem: str, content: pa.Buffer | bytes, rows: int) -> Written:
    """Put a file there that is named after its content; one that is there already is the same.

    It is written beside, synchronised, and linked under its name: no reader ever sees a half.

    Raises:
        Unavailable: the disk is full or cannot be written; nothing is left behind.
    """
    digest = sha256(content).hexdigest()
    name = f"{stem}-{digest[:16]}.parquet"
    with writable(folder):
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if new:
            sync_folder(folder.parent)
        staging.mkdir(parents=True, exist_ok=True)
        temporary = staging / f"{name}.{os.getpid()}"
        try:
            write_synced(temporary, content)
            try:
                os.link(temporary, folder / name)
            except FileExistsError:
                # Left by somebody who was stopped before the fact; it may have been cut short by a crash.
                os.replace(temporary, folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder)
    return Written(name, rows, digest)


def write_synced(path: Path, content: Any) -> None:
    """Write a file and wait until the disk has it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writable(place: Path) -> Iterator[None]:
    """Errors of a disk in our words."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(
                "the disk is full",
                code="disk.full",
                place=str(place),
                remedy="free some space and try again; nothing that was accepted is lost",
            ) from error
        if error.errno in _CLOSED:
            raise Unavailable(
                error.strerror or str(error), code="disk.closed", place=str(place), remedy="try again"
            ) from error
        raise
