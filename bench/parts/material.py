"""Write simulated facts, one a row in order of time, as Parquet and as CSV: FACTS PARQUET CSV."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from bench.launches import SEED, batches, described
from bench.measuring import tell
from driveaway.book.columns import body_schema
from driveaway.demo import simulate
from driveaway.facts import Draft

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMMON = (
    pa.field("kind", pa.string()),
    pa.field("subject", pa.string()),
    pa.field("happened", pa.timestamp("us", "UTC")),
    pa.field("source", pa.string()),
    pa.field("simulated", pa.bool_()),
)
_BATCH = 20_000


def _schema() -> pa.Schema:
    """The common columns and every field of the kinds that the simulation makes."""
    kinds = sorted({draft.kind for draft in simulate(described(0.01), seed=SEED, scale=0.01)})
    fields = {field.name: field for kind in kinds for field in body_schema(kind)}
    return pa.schema([*_COMMON, *fields.values()])


def _row(draft: Draft) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(draft.body)
    row |= {
        "kind": draft.kind,
        "subject": draft.subject,
        "happened": draft.happened,
        "source": draft.source,
        "simulated": draft.simulated,
    }
    return row


def _cell(value: Any) -> str:
    """A cell as the importer reads it: several texts with | between them, structures as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        if all(isinstance(part, str) for part in value):
            return "|".join(value)
        return msgspec.json.encode(value).decode()
    return str(value)


def write(facts: int, parquet: str, separated: str) -> None:
    """Write both files."""
    schema = _schema()
    names = schema.names
    with (
        pq.ParquetWriter(parquet, schema, compression="zstd") as columnar,
        open(separated, "w", encoding="utf-8", newline="") as text,
    ):
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(names)
        for batch in batches(facts, _BATCH):
            rows = [_row(draft) for draft in batch]
            columnar.write_table(pa.Table.from_pylist(rows, schema=schema))
            for row in rows:
                row["happened"] = (_EPOCH + timedelta(microseconds=row["happened"])).isoformat()
            lines.writerows([_cell(row.get(name)) for name in names] for row in rows)


if __name__ == "__main__":
    wanted, to_parquet, to_csv = sys.argv[1:]
    write(int(wanted), to_parquet, to_csv)
    tell(facts=int(wanted))
