"""Parquet: rows column by column, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.launch.imports.files import BrokenOff
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.rows import Rows
from driveaway.values.errors import BadValue

_TIME = pa.timestamp("us", "UTC")


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
            raise BadValue(f"not a Parquet file: {error}", code="file.damaged", place=place) from error
        meta = self._file.metadata
        unpacked = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if unpacked > limits.unpacked:
            raise BadValue(
                f"the file unpacks to {unpacked:,} bytes: it is taken for a bomb",
                code="file.bomb",
                place=place,
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
                first = self.done + 1
                self.done += batch.num_rows
                columns = {}
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    if name in self.instants:
                        column = pc.cast(column, _TIME, safe=False).cast(pa.int64())
                    columns[name] = column.to_pylist()
                yield Rows(list(range(first, self.done + 1)), columns)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise BrokenOff(
                f"the file is damaged after row {self.done}: {error}", code="file.damaged", place=self._place
            ) from error
