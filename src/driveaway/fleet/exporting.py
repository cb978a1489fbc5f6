"""What leaves the house of the fleet's data: rows without VINs, without rare places."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from driveaway.fleet.shares import Share, Shares, with_batch
from driveaway.fleet.suppressing import hidden, hidden_within

if TYPE_CHECKING:
    import pyarrow as pa

WHAT: Final = ("trips", "daily")
"""What can be exported: segments of trips, or sums for each car and day."""
_LEAVES_OUT: Final = ("odometer_m", "car", "seq")
"""Not in an export without VINs: a reading of the odometer alone names a car."""

Tables = Callable[[], Iterator["pa.Table"]]
"""Makes the rows anew, table after table; they are read twice."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        rows: so many.
        cars: so many distinct ones.
        hidden: rows whose city, or cell, was suppressed.
        simulated: whether any row was made up.
    """

    rows: int
    cars: int
    hidden: int
    simulated: bool


def trips_of(root: Path, shares: Shares, batches: frozenset[int], last_day: str) -> Tables:
    """Segments of trips as files hold them.

    Args:
        root: the folder of the fleet's data.
        shares: what facts say of its files.
        batches: seqs of the batches that count.
        last_day: last local day that counts.
    """

    def tables() -> Iterator[pa.Table]:
        import pyarrow.parquet as pq

        for place in sorted(shares):
            if place.day > last_day or _none_of(shares[place], batches):
                continue
            with pq.ParquetFile(root / "trips" / place.path) as file:
                first = 0
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    yield _of_batches(table, shares[place], batches, first)
                    first += file.metadata.row_group(group).num_rows

    return tables


def _none_of(shares: Iterable[Share], batches: frozenset[int]) -> bool:
    return all(share.seq is not None and share.seq not in batches for share in shares)


def _of_batches(table: pa.Table, shares: Iterable[Share], batches: frozenset[int], first: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    seq = with_batch(table, list(shares), first).column("seq").to_numpy()
    return table.filter(pa.array(np.isin(seq, list(batches))))


def export(tables: Tables, out: Path, *, least: int, identified: bool) -> Exported:
    """Write rows to a Parquet file that appears under its name only when it is complete.

    Without ``identified`` a car is a pseudonym that holds in this file alone: a keyed hash (BLAKE2b, RFC
    7693) whose key is forgotten. Cities and cells with fewer than ``least`` cars are left blank, and so
    many more beside them that none can be worked out from totals; a blank city has blank cells.

    Args:
        tables: rows with ``vin`` and, where there are any, ``city``, ``cell`` and ``simulated``.
        out: the file.
        least: k; 0 and 1 suppress nothing.
        identified: with VINs.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow.parquet as pq

    places = _Places(tables(), least)
    key = secrets.token_bytes(32)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    cars: set[str] = set()
    names: dict[str, str] = {}
    rows = blank = 0
    simulated = False
    writer: Any = None
    try:
        for table in tables():
            table, gone = places.blanked(table)
            vins = table.column("vin").to_pylist()
            cars.update(vins)
            rows += table.num_rows
            blank += gone
            simulated = simulated or ("simulated" in table.column_names and _any(table.column("simulated")))
            if not identified:
                table = _pseudonymous(table, vins, names, key)
            if writer is None:
                writer = pq.ParquetWriter(temporary, table.schema, compression="zstd", store_schema=False)
            writer.write_table(table)
        if writer is not None:
            writer.close()
            os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(rows, len(cars), blank, simulated)


class _Places:
    """Which cities and cells are hidden, by the distinct cars in each over the whole export."""

    def __init__(self, tables: Iterable[pa.Table], least: int) -> None:
        cities: dict[Any, set[str]] = {}
        cells: dict[tuple[Any, Any], set[str]] = {}
        for table in tables:
            for vin, city, cell in _distinct(table):
                if city is not None:
                    cities.setdefault(city, set()).add(vin)
                if cell is not None:
                    cells.setdefault((city, cell), set()).add(vin)
        self.cities = hidden({city: len(cars) for city, cars in cities.items()}, least)
        counted = {place: len(cars) for place, cars in cells.items()}
        self.cells = hidden_within(counted, least, self.cities)

    def blanked(self, table: pa.Table) -> tuple[pa.Table, int]:
        """The table with hidden places blank, and how many rows have one."""
        import pyarrow as pa

        if "city" not in table.column_names or not (self.cities or self.cells):
            return table, 0
        cities = table.column("city").to_pylist()
        keeps = [city not in self.cities for city in cities]
        gone = [not kept for kept in keeps]
        if "cell" in table.column_names:
            cells = table.column("cell").to_pylist()
            both = list(zip(cities, cells, strict=True))
            shown = [None if place in self.cells else place[1] for place in both]
            gone = [one or place in self.cells for one, place in zip(gone, both, strict=True)]
            table = _with(table, "cell", pa.array(shown, pa.string()))
        shown = [city if kept else None for city, kept in zip(cities, keeps, strict=True)]
        return _with(table, "city", pa.array(shown, pa.string())), sum(gone)


def _distinct(table: pa.Table) -> set[tuple[str, Any, Any]]:
    names = [name for name in ("vin", "city", "cell") if name in table.column_names]
    unique = table.select(names).group_by(names).aggregate([])
    columns = [
        unique.column(name).to_pylist() if name in names else [None] * unique.num_rows
        for name in ("vin", "city", "cell")
    ]
    return set(zip(*columns, strict=True))


def _pseudonymous(table: pa.Table, vins: list[str], names: dict[str, str], key: bytes) -> pa.Table:
    import pyarrow as pa

    for vin in set(vins) - names.keys():
        names[vin] = blake2b(vin.encode(), key=key, digest_size=10).hexdigest()
    table = _with(table, "vin", pa.array([names[vin] for vin in vins], pa.string()))
    table = table.rename_columns(["pseudonym" if name == "vin" else name for name in table.column_names])
    return table.drop_columns([name for name in _LEAVES_OUT if name in table.column_names])


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _any(column: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(column).as_py())
