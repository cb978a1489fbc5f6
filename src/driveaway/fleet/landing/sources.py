"""Files of trips as batches: the same file gives the same batches with the same ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from driveaway.fleet.landing.texts import Piece, read_csv, read_ndjson_file
from driveaway.values.errors import BadValue, NotFound, Unavailable

BATCH_ROWS: Final = 400_000
"""Rows of a batch, about: of twice as many each costs as much time, and the process more memory."""


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

    def batch(self, first: int, table: pa.Table, *, simulated: bool, **more: Any) -> Batch:
        """Some of its rows as a batch, which is known by the file's content and which rows they are.

        However a file is split, a batch's id never stands for other rows.

        Args:
            first: number of the first row, from 0.
        """
        count = len(table) + len(more.get("rejects", ()))
        more |= {"origin": self.path.name, "sha256": self.sha256, "simulated": simulated}
        return Batch(f"f-{self.sha256[:40]}-{first}-{count}", "file", table, **more)


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


def batches(source: Source, *, simulated: bool = False) -> Iterator[Batch]:
    """The batches of a file, in order.

    Raises:
        BadValue: the file is not whole, or of another form than its name or beginning says.
    """
    first = 0
    with readable(source.path):
        for piece in _PIECES[source.form](source.path):
            batch = source.batch(
                first, piece.table, simulated=simulated, rejects=piece.rejects, rows=piece.rows
            )
            first += len(piece.table) + len(piece.rejects)
            yield batch


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


def _parquet(path: Path) -> Iterator[Piece]:
    names = pq.read_schema(path).names
    # Columns that nobody knows are not even read; without one that is needed the batch says which.
    wanted = [name for name in names if name in NAMES] or names[:1]
    with pq.ParquetFile(path, read_dictionary=[name for name in TEXTS if name in names]) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        if max(groups, default=0) > 2 * BATCH_ROWS:
            for batch in file.iter_batches(BATCH_ROWS, columns=wanted, use_threads=False):
                yield Piece(pa.Table.from_batches([batch]))
            return
        for together in _evenly(groups):
            # One thread: it reads ahead already, and several take twice the processor's time.
            yield Piece(file.read_row_groups(together, columns=wanted, use_threads=False))


def _evenly(groups: Sequence[int]) -> list[list[int]]:
    """Row groups of each batch: about so many rows each, none much smaller than the others."""
    rows = sum(groups)
    most = rows / max(round(rows / BATCH_ROWS), 1)
    out: list[list[int]] = []
    before = 0
    for number, size in enumerate(groups):
        # The batch in whose stretch of the file the middle of the group lies.
        place = int((before + size / 2) / most) if most else 0
        while len(out) <= place:
            out.append([])
        out[place].append(number)
        before += size
    return [together for together in out if together]


def _ipc(path: Path) -> Iterator[Piece]:
    with pa.OSFile(str(path)) as file:
        whole = file.read(6) == b"ARROW1"
        file.seek(0)
        reader: Any = pa.ipc.open_file(file) if whole else pa.ipc.open_stream(file)
        each = (reader.get_batch(n) for n in range(reader.num_record_batches)) if whole else iter(reader)
        held: list[pa.RecordBatch] = []
        rows = 0
        for piece in each:
            held.append(piece)
            rows += piece.num_rows
            if rows >= BATCH_ROWS:
                yield Piece(pa.Table.from_batches(held, reader.schema))
                held, rows = [], 0
        if held:
            yield Piece(pa.Table.from_batches(held, reader.schema))


_PIECES: Final[Mapping[str, Callable[[Path], Iterator[Piece]]]] = {
    "parquet": _parquet, "ipc": _ipc, "csv": read_csv, "ndjson": read_ndjson_file,
}  # fmt: skip
