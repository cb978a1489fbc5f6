"""Reading landed trips: the share of a file that one batch has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from driveaway.facts.trips import TripFile
from driveaway.fleet.folder import FleetFolder
from driveaway.values.errors import Unavailable


def path_of(folder: FleetFolder, file: TripFile) -> Path:
    """Where a file of trips is."""
    return folder.trips / file.file


def read_rows(
    folder: FleetFolder, file: TripFile, columns: Sequence[str] | None = None, *, seq: bool = False
) -> pa.Table:
    """The rows of a file that a fact names: all of them, or those of one batch among several.

    Args:
        columns: which; None: all.
        seq: with the column ``seq`` too, where the file has one.

    Raises:
        Unavailable: the file is gone or damaged.
    """
    path = path_of(folder, file)
    try:
        if columns is not None and seq and "seq" in pq.read_schema(path).names:
            columns = [*columns, "seq"]
        table = pq.read_table(path, columns=None if columns is None else list(columns), partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise Unavailable(
            f"{path.name} cannot be read: {error}",
            code="trips.file",
            place=str(path),
            remedy="restore it from a backup",
        ) from error
    if file.first or table.num_rows != file.rows:
        table = table.slice(file.first, file.rows)
    return table
