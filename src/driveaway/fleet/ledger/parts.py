"""Parquet files of the ledger's tables: sorted by day, small ones merged so that they stay few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.fleet.columns import ACTIVITY, CARS, DAILY, DAYS, LEDGER, LONG
from driveaway.fleet.ledger.manifest import Part

TABLES: Final[dict[str, pa.Schema]] = {
    "cars": CARS, "ledger": LEDGER, "daily": DAILY, "days": DAYS, "long": LONG, "activity": ACTIVITY,
}  # fmt: skip
_TEXTS: Final = ("scope", "function", "software", "city")
_REPEATED: Final = (
    "seq", "day", "previous", "weight", "level", "segments", "driver_overrides", "system_deactivations",
)  # fmt: skip
"""Numbers of few values: as dictionaries they are read twice as fast as packed."""
_PRUNED: Final = ("seq", "scope", "car", "day")
"""Columns by which readers leave out row groups; those of others, texts above all, cost more than
they save."""
FULL: Final = 150_000
"""Rows from which a file is never merged again."""
_TOGETHER: Final = 8
"""So many files of one size are merged into one."""
_GROUP: Final = 122_880


def write(folder: Path, table: str, scope: str, stem: str, columns: dict[str, Any]) -> Part:
    """Write one file of a table.

    Args:
        table: name of the table.
        scope: of all rows, in the table of activity.
        stem: of the file's name.
        columns: in the table's order and already sorted by day; texts may be dictionaries.
    """
    schema = TABLES[table]
    arrays = [_array(columns[field.name], field) for field in schema]
    return _written(folder, pa.Table.from_arrays(arrays, names=schema.names), table, scope, stem)


def _array(values: Any, field: pa.Field) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if field.type == pa.date32():
        return pa.array(values, pa.int32()).cast(pa.date32())
    return pa.array(values, field.type)


def _written(folder: Path, rows: pa.Table, table: str, scope: str, stem: str) -> Part:
    name = f"{stem}.parquet"
    fields = zip(TABLES[table], rows.schema, strict=True)
    rows = rows.cast(pa.schema([pa.field(f.name, r.type, nullable=f.nullable) for f, r in fields]))
    # Texts go in as dictionaries and are plain for every reader: the Arrow schema is not written.
    pq.write_table(
        rows,
        folder / name,
        compression="lz4",
        row_group_size=_GROUP,
        use_dictionary=[name for name in rows.column_names if name in _TEXTS or name in _REPEATED],
        column_encoding={field.name: "DELTA_BINARY_PACKED" for field in rows.schema if _packed(field)},
        write_statistics=[name for name in rows.column_names if name in _PRUNED],
        store_schema=False,
    )
    first = last = 0
    if "day" in rows.column_names:
        days = rows.column("day").cast(pa.int32()).to_numpy()
        first, last = int(days[0]), int(days[-1])
    size = (folder / name).stat().st_size
    return Part(table, scope, name, rows.num_rows, size, first, last)


def _packed(field: pa.Field) -> bool:
    whole = pa.types.is_integer(field.type) or pa.types.is_date32(field.type)
    return bool(whole and field.name not in _REPEATED)


def merged(folder: Path, parts: Sequence[Part], stem: str) -> list[Part]:
    """The same rows in fewer files: those of about the same size are put together, eight at a time.

    So a row is rewritten a few times at the most, and thousands of small batches make some dozens of files.
    """
    out = list(parts)
    count = 0
    while True:
        sizes: dict[tuple[str, str, int], list[Part]] = {}
        for part in out:
            if part.rows < FULL:
                sizes.setdefault((part.table, part.scope, part.rows.bit_length() // 3), []).append(part)
        full = next((members for members in sizes.values() if len(members) >= _TOGETHER), None)
        if full is None:
            return out
        count += 1
        together = _merge(folder, full[:_TOGETHER], f"{stem}-{count}")
        place = out.index(full[0])
        gone = set(full[:_TOGETHER])
        out = [part for part in out[:place] if part not in gone] + [
            together,
            *(part for part in out[place:] if part not in gone),
        ]


def _merge(folder: Path, parts: Sequence[Part], stem: str) -> Part:
    schema = TABLES[parts[0].table]
    texts = [name for name in schema.names if name in _TEXTS]
    tables = [pq.read_table(folder / part.file, read_dictionary=texts) for part in parts]
    rows = pa.concat_tables(tables).unify_dictionaries()
    if "day" in schema.names:
        days = rows.column("day").cast(pa.int32()).to_numpy()
        if (np.diff(days) < 0).any():
            rows = rows.take(pa.array(np.argsort(days, kind="stable")))
    table, scope = parts[0].table, parts[0].scope
    return _written(folder, rows.combine_chunks(), table, scope, f"{table}-{stem}")
