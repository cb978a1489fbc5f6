"""Files of trips as batches: the same file gives the same batches with the same ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.normal import NAMES, TEXTS
from driveaway.fleet.landing.texts import read_csv, read_ndjson_file
from driveaway.values.errors import BadValue, NotFound, Unavailable

BATCH_ROWS: Final = 1_000_000
"""Rows of a batch, about: as many whole row groups as reach them."""
_SPLIT: Final = "f1"
"""Changes when files are split otherwise than before: a batch's id means one content for ever."""


@dataclass(frozen=True)
class Source:
    """A file that is to be taken in.

    Attributes:
        path: where it is.
        form: ``parquet``, ``ipc``, ``csv`` or ``ndjson``.
        sha256: of its bytes.
        size: bytes.
    """

    path: Path
    form: str
    sha256: str
    size: int

    def batch_id(self, part: int) -> str:
        """The id of its part, from 0."""
        return f"{_SPLIT}-{self.sha256[:32]}-{part}"

    def batch(self, part: int, table: pa.Table, *, simulated: bool, **more: Any) -> Batch:
        """A part as a batch."""
        more |= {"origin": self.path.name, "sha256": self.sha256, "simulated": simulated}
        return Batch(self.batch_id(part), "file", table, **more)


def open_source(path: Path) -> Source:
    """Look at a file: what it is, and its digest.

    Raises:
        NotFound: there is none.
        BadValue: it is empty, or of no known form.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            file.seek(0)
            form = _form(path, head)
            digest = file_digest(file, "sha256").hexdigest()
            return Source(path, form, digest, file.tell())
    except FileNotFoundError:
        raise NotFound(
            f"there is no file {path}", code="trips.no_file", remedy="look at the name; quote patterns"
        ) from None
    except OSError as error:
        raise Unavailable(
            error.strerror or str(error), code="trips.file", place=str(path), remedy="try again"
        ) from error


def _form(path: Path, head: bytes) -> str:
    suffix = path.suffix.lower()
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:6] == b"ARROW1" or head[:4] == b"\xff\xff\xff\xff":
        return "ipc"
    if not head:
        raise BadValue("the file is empty", code="trips.file", place=str(path), remedy="write it again")
    if suffix in (".parquet", ".pq", ".arrow", ".arrows", ".feather", ".ipc"):
        raise BadValue(
            f"it is no {'Parquet' if suffix in ('.parquet', '.pq') else 'Arrow IPC'} file",
            code="trips.file",
            place=str(path),
            remedy="it was not written to its end, or is something else: write it again",
        )
    if suffix in (".ndjson", ".jsonl", ".json") or head.lstrip()[:1] == b"{":
        return "ndjson"
    return "csv"


def parts(source: Source) -> int | None:
    """How many batches a file has; None: that shows only at its end."""
    if source.form != "parquet":
        return None
    with readable(source.path), pq.ParquetFile(source.path) as file:
        return len(_groups(file))


def batches(source: Source, *, simulated: bool = False, first: int = 0) -> Iterator[Batch]:
    """The batches of a file, in order.

    Args:
        first: number of the first one that is wanted; those before it are passed over.

    Raises:
        BadValue: the file is not whole, or of another form than its name or beginning says.
    """
    with readable(source.path):
        if source.form == "parquet":
            yield from _parquet(source, simulated, first)
        elif source.form == "ipc":
            yield from _ipc(source, simulated, first)
        else:
            read = read_csv if source.form == "csv" else read_ndjson_file
            for part, piece in enumerate(read(source.path)):
                if part >= first:
                    more = {"rejects": piece.rejects, "rows": piece.rows}
                    yield source.batch(part, piece.table, simulated=simulated, **more)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Errors of a file in our words."""
    try:
        yield
    except (pa.ArrowException, EOFError) as error:
        raise BadValue(
            f"it cannot be read: {str(error).splitlines()[0][:300]}",
            code="trips.file",
            place=str(path),
            remedy="it was not written to its end, or is damaged: write it again",
        ) from error
    except OSError as error:
        # Arrow raises plain OSErrors for what a damaged file says.
        if error.errno is None:
            raise BadValue(
                f"it cannot be read: {str(error).splitlines()[0][:300]}",
                code="trips.file",
                place=str(path),
                remedy="it was not written to its end, or is damaged: write it again",
            ) from error
        raise Unavailable(
            error.strerror or str(error), code="trips.file", place=str(path), remedy="try again"
        ) from error


def _groups(file: pq.ParquetFile) -> list[list[int]]:
    """Row groups of each batch."""
    out: list[list[int]] = []
    rows = BATCH_ROWS
    for number in range(file.num_row_groups):
        if rows >= BATCH_ROWS:
            out.append([])
            rows = 0
        out[-1].append(number)
        rows += file.metadata.row_group(number).num_rows
    return out


def _parquet(source: Source, simulated: bool, first: int) -> Iterator[Batch]:
    names = pq.read_schema(source.path).names
    with pq.ParquetFile(source.path, read_dictionary=[name for name in TEXTS if name in names]) as file:
        # Columns that nobody knows are not even read; without one that is needed the batch says which.
        wanted = [name for name in names if name in NAMES] or names[:1]
        for part, groups in enumerate(_groups(file)):
            if part >= first:
                table = file.read_row_groups(groups, columns=wanted)
                yield source.batch(part, table, simulated=simulated)


def _ipc(source: Source, simulated: bool, first: int) -> Iterator[Batch]:
    with pa.OSFile(str(source.path)) as file:
        whole = file.read(6) == b"ARROW1"
        file.seek(0)
        reader: Any = pa.ipc.open_file(file) if whole else pa.ipc.open_stream(file)
        each = (reader.get_batch(n) for n in range(reader.num_record_batches)) if whole else iter(reader)
        part, held, rows = 0, [], 0
        for piece in each:
            held.append(piece)
            rows += piece.num_rows
            if rows >= BATCH_ROWS:
                if part >= first:
                    yield source.batch(part, pa.Table.from_batches(held, reader.schema), simulated=simulated)
                part, held, rows = part + 1, [], 0
        if held and part >= first:
            yield source.batch(part, pa.Table.from_batches(held, reader.schema), simulated=simulated)
