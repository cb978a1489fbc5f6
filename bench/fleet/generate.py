"""Write a simulated fleet's drives as Parquet, one file a day: ``python -m bench.fleet.generate FOLDER``.

400,000 cars, 90 days and 100,000,000 segments unless said otherwise. Beside the days, ``cars.parquet`` says
what the cars are and when they were handed over.
"""

from __future__ import annotations

import argparse
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.fleet.cars import TRIMS, texts
from bench.fleet.drives import Fleet
from bench.measuring import note, tell

FIRST = date(2024, 7, 1)
_NAMES = ["function", "level", "software", "city", "segment", "driver_overrides", "system_deactivations"]
_ROW_GROUP = 262_144


def write_table(table: pa.Table, path: Path) -> None:
    """As Parquet that every engine reads: plain types (no word of Arrow's dictionaries), LZ4."""
    names = [name for name in _NAMES if name in table.column_names]
    pq.write_table(
        table,
        path,
        compression="lz4",
        use_dictionary=names,
        row_group_size=_ROW_GROUP,
        store_schema=False,
        write_statistics=False,
    )


def cars_table(fleet: Fleet) -> pa.Table:
    """VIN, trim, city and local day of handover."""
    cars = fleet.cars
    first = (fleet.first - date(1970, 1, 1)).days
    return pa.table(
        {
            "vin": texts(cars.vins),
            "trim": pa.array(TRIMS).take(pa.array(cars.trim)),
            "city": pa.array(fleet.cities).take(pa.array(cars.city)),
            "handed": pa.array((first + cars.handed).astype(np.int32), pa.int32()).cast(pa.date32()),
        }
    )


def write(folder: Path, rows: int, cars: int, days: int, first: date = FIRST, seed: int = 1) -> list[Path]:
    """Write all days below ``folder``; the files in order of days.

    Files of an earlier run with the same sizes are used again.
    """
    done = folder / f"{rows}-{cars}-{days}-{first}-{seed}.complete"
    paths = [folder / f"{first + timedelta(day)}.parquet" for day in range(days)]
    if done.exists():
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(rows, cars, days, first, seed)
    write_table(cars_table(fleet), folder / "cars.parquet")
    for day, path in enumerate(paths):
        write_table(fleet.encoded(day), path)
        if day % 10 == 9:
            note(f"{day + 1} of {days} days")
    done.touch()
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--cars", type=int, default=400_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    wall, cpu = time.perf_counter(), time.process_time()
    paths = write(given.folder, given.rows, given.cars, given.days, seed=given.seed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = sum(path.stat().st_size for path in paths)
    tell(
        rows=given.rows,
        wall_s=round(wall, 2),
        cpu_s=round(cpu, 2),
        rows_per_cpu_s=round(given.rows / cpu),
        bytes_per_row=round(size / given.rows, 1),
    )


if __name__ == "__main__":
    main()
