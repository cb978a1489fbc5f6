"""Whether a file's rows stand in order of time, seen by reading its time column alone."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from driveaway.launch.imports.files import Opened

_COLUMN = "happened"
_TEXT = pcsv.ConvertOptions(include_columns=[_COLUMN], column_types={_COLUMN: pa.string()})
_FORM = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"


def in_order_of_time(file: Opened) -> bool:
    """Whether no row happened before the row above it.

    A quick look that may only err on one side: False is also said of a file that is in order but
    compressed or ragged, or has times of a rarer form. Such a file is sorted, which is slower and no
    less right.
    """
    try:
        if file.format == "parquet":
            batches = pq.ParquetFile(file.path).iter_batches(columns=[_COLUMN])
            return _rising(batch.column(0) for batch in batches)
        if file.format == "csv" and file.path.suffix.lower() in (".csv", ".tsv", ".txt"):
            separator = "\t" if file.path.suffix.lower() == ".tsv" else ","
            options = pcsv.ParseOptions(delimiter=separator, newlines_in_values=True)
            with pcsv.open_csv(file.path, parse_options=options, convert_options=_TEXT) as reader:
                return _rising(_comparable(batch.column(0)) for batch in reader)
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError):
        return False
    return False


def _comparable(texts: pa.Array) -> pa.Array:
    """ISO 8601 times as instants; some may have fractions of a second and others none.

    Raises:
        ValueError: one has no offset, or is of another form.
    """
    if texts.null_count or not pc.all(pc.match_substring_regex(texts, _FORM)).as_py():
        raise ValueError("times without an offset, or of another form")
    return pc.cast(texts, pa.timestamp("us", "UTC"))


def _rising(columns: Iterable[pa.Array]) -> bool:
    last = None
    for column in columns:
        if column.null_count:
            return False
        if len(column) == 0:
            continue
        if len(column) > 1 and pc.any(pc.less(column[1:], column[:-1])).as_py():
            return False
        first, end = column[0].as_py(), column[len(column) - 1].as_py()
        if last is not None and first < last:
            return False
        last = end
    return True
