"""Parquet: rows column by column, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.launch.imports.files import BrokenOff
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.rows import Columns, Rows
from driveaway.values.errors import BadValue

_TIME = pa.timestamp("us", "UTC")


class _Arrow(Columns):
    """Columns of Arrow arrays; those of times that have a zone give microseconds since 1970 UTC."""

    def __init__(
        self, batch: pa.RecordBatch, instants: Set[str], broken: Callable[[Exception], BrokenOff]
    ) -> None:
        super().__init__(batch.schema.names)
        self._batch, self._instants, self._broken = batch, instants, broken

    def _cells(self, name: str) -> list[Any]:
        column = self._batch.column(name)
        try:
            if name in self._instants:
                column = pc.cast(column, _TIME, safe=False).cast(pa.int64())
            cells: list[Any] = column.to_pylist()
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._broken(error) from error
        return cells

    def is_blank(self, name: str) -> bool:
        """Whether no cell of this column says anything."""
        column = self._batch.column(name)
        return column.null_count == len(column) or super().is_blank(name)

    def picked(self, indexes: Sequence[int]) -> Columns:
        """The same columns of some rows only."""
        return _Arrow(self._batch.take(pa.array(indexes, pa.int64())), self._instants, self._broken)


class Columnar:
    """A Parquet file.

    Attributes:
        names: its columns.
        rows: how many rows it has.
        instants: columns of times that have a zone; they come as microseconds since 1970 UTC.
        notes: what was assumed.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        """Read the file's own description.

        Raises:
            BadValue: damaged, too large when unpacked, or columns of the same name.
        """
        place = str(path)
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False, memory_map=False)
        except (pa.ArrowException, OSError) as error:
            raise BadValue(
                f"not a Parquet file: {error}", code="file.damaged", place=place, remedy="write it again"
            ) from error
        meta = self._file.metadata
        unpacked = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if unpacked > limits.unpacked:
            raise BrokenOff(
                f"the file unpacks to {unpacked:,} bytes: it is taken for a bomb",
                code="file.bomb",
                place=place,
                remedy="split it, if you trust it",
            )
        self._place = place
        self.rows = meta.num_rows
        self.names = list(self._file.schema_arrow.names)
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise BadValue(
                f"the column {twice[0]!r} stands there twice",
                code="columns.duplicate",
                place=place,
                remedy="give every column a name of its own",
            )
        schema = self._file.schema_arrow
        self.instants = {
            field.name for field in schema if pa.types.is_timestamp(field.type) and field.type.tz is not None
        }
        self.notes: list[str] = []
        self.blank = 0
        self.done = 0

    def batches(self, size: int) -> Iterator[Rows]:
        """The rows, about ``size`` at a time.

        Raises:
            BadValue: the file is damaged further on.
        """
        try:
            for batch in self._file.iter_batches(batch_size=size, use_threads=False):
                lines = list(range(self.done + 1, self.done + batch.num_rows + 1))
                yield Rows(lines, _Arrow(batch, self.instants, self._broken))
                self.done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> BrokenOff:
        return BrokenOff(
            f"the file is damaged after row {self.done}: {error}",
            code="file.damaged",
            place=self._place,
            remedy="export it again; importing what was read once more adds nothing",
        )
