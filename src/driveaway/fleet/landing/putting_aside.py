"""Rows put aside: a file for each batch, with what is wrong with each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing import wording
from driveaway.fleet.landing.batch import SHOWN, Reject
from driveaway.fleet.landing.normal import NAMES, Normal

PUT_ASIDE: Final = pa.schema([
    ("row", pa.int64()), ("code", pa.string()), ("reason", pa.string()), ("remedy", pa.string()),
    ("content", pa.string()), ("arrived", pa.int64()),
    *[pa.field(field.name, field.type) for field in TRIPS],
])  # fmt: skip
"""A row put aside: its number in the batch, why, what it was where it could not be read into columns, when it
arrived, and its columns."""


def of_rows(normal: Normal, which: NDArray[np.int64], numbers: NDArray[np.int64], now: int) -> pa.Table:
    """Bad rows of a batch.

    Args:
        normal: the columns, with the codes.
        which: rows of it.
        numbers: their numbers in the batch.
        now: when they arrived.
    """
    index = pa.array(which)
    columns = {name: normal.columns[name].take(index) for name in TRIPS.names}
    columns = {
        name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for name, column in columns.items()
    }
    code = normal.code[which]
    values = pa.array([normal.values.get(int(row)) for row in which], pa.string())
    field = pa.array(list(NAMES), pa.string()).take(pa.array(normal.field[which]))
    given = _own_values(columns, normal.field[which])
    said = columns | {"field": field, "value": pc.coalesce(values, given)}
    table = {
        "row": pa.array(numbers),
        "code": wording.names(code),
        "reason": wording.reasons(code, said, now),
        "remedy": wording.remedies(code),
        "content": values,
        "arrived": pa.array(np.full(len(which), now, np.int64)),
        **columns,
    }
    return pa.table([table[name] for name in PUT_ASIDE.names], schema=PUT_ASIDE)


def _own_values(columns: dict[str, pa.Array], field: NDArray[np.uint8]) -> pa.Array:
    """The value of the column that is meant, as text."""
    out = pa.nulls(len(field), pa.string())
    for number in np.unique(field):
        name = NAMES[int(number)]
        if name in columns:
            out = pc.if_else(pa.array(field == number), columns[name].cast(pa.string()), out)
    return out


def of_rejects(rejects: Sequence[Reject], now: int) -> pa.Table:
    """Rows that the door could not read."""
    rows = [
        {"row": each.row, "code": each.code, "reason": each.reason, "remedy": each.remedy,
         "content": each.content, "arrived": now}
        for each in rejects
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PUT_ASIDE)


def told(table: pa.Table) -> tuple[Reject, ...]:
    """The first rows, for whoever sent them."""
    first = table.select(["row", "code", "reason", "remedy", "content"]).slice(0, SHOWN).to_pylist()
    return tuple(
        Reject(each["row"], each["code"], each["reason"], each["remedy"], each["content"] or "")
        for each in first
    )


def counted(table: pa.Table) -> dict[str, int]:
    """Rows by code, sorted by code."""
    return dict(sorted(Counter(table["code"].to_pylist()).items()))


def encode(table: pa.Table) -> pa.Buffer:
    """As a file."""
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd", store_schema=False, row_group_size=65_536)
    return out.getvalue()
