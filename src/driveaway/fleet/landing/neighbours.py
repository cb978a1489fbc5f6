"""Rows beside what the same car drove before and after.

Mostly a car's rows follow what it said last, which the index knows. Only where they do not are the files of
the days around them read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.fleet.landing.checking import EPOCH
from driveaway.fleet.landing.columns import Sorted, pack_keys, places_of
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.loops.near import Around, look, settle
from driveaway.fleet.landing.loops.rows import Limits
from driveaway.values.clock import DAY

_COLUMNS: Final = ("vin", "start", "end", "odometer_m", "cell")


def check_neighbours(
    of: Sorted,
    rows: NDArray[np.int64],
    index: Index,
    limits: Limits,
    *,
    waived: int = 0,
) -> None:
    """Give rows a code that overlap others of their car, or whose odometer or place jumps.

    Args:
        rows: new ones without a code, in their order.
        waived: a code that is not given.
    """
    cars = index.cars
    close, late = np.zeros(cars.count, bool), np.zeros(cars.count, bool)
    if not look(rows, of.car, of.rows, *of.places, cars.records, limits.speed, close, late):
        return
    rows = rows[close[of.car[rows]]]
    number = of.car[rows]
    group = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [len(rows)]]).astype(np.int64)
    around = _around(of, rows[late[number]], number[group[:-1]], index, limits)
    settle(
        rows, group, of.car, of.rows, *of.places, cars.records, late, around, limits.speed, waived,
        of.normal.code,
    )  # fmt: skip


def _around(
    of: Sorted,
    late: NDArray[np.int64],
    numbers: NDArray[np.int32],
    index: Index,
    limits: Limits,
) -> Around:
    """What was landed of the cars of late rows, on the days around these.

    Args:
        late: the late rows.
        numbers: of the cars that are looked at, as they follow.
    """
    tables: list[tuple[NDArray[np.int32], pa.Table]] = []
    if len(late):
        place = np.full(index.cars.count, -1, np.int32)
        place[numbers] = np.arange(len(numbers), dtype=np.int32)
        wanted = np.zeros(index.cars.count, bool)
        wanted[of.car[late]] = True
        for day in _days(of, late, limits):
            for share in index.shares([day]):
                table = index.read(share, _COLUMNS)
                car = index.cars.numbers(*pack_keys(_one(table["vin"])), add=False)
                here = (car >= 0) & wanted[car]
                if here.any():
                    tables.append((place[car[here]], table.filter(pa.array(here))))
    count = len(numbers)
    if not tables:
        none = np.zeros(0, np.int64)
        small = np.zeros(0, np.int16)
        return Around(np.zeros(count + 1, np.int64), none, none, none, none, np.zeros(0, bool), small, small)
    group = np.concatenate([groups for groups, _ in tables])
    table = pa.concat_tables([each for _, each in tables]).combine_chunks()
    start, end = table["start"].to_numpy(), table["end"].to_numpy()
    by = np.lexsort((start, group))
    group, start, end = group[by], start[by], end[by]
    first = np.searchsorted(group, np.arange(count + 1)).astype(np.int64)
    # The latest end so far within each car: the ends of one lie beyond every end of the one before.
    shift = group.astype(np.int64) * 2**44
    base = end.min()
    reach = np.maximum.accumulate(end - base + shift) - shift + base
    latitude, longitude = places_of(_one(table["cell"]).dictionary_encode())
    odometer = table["odometer_m"]
    return Around(
        first, start, end, reach,
        pc.fill_null(odometer, 0).to_numpy()[by], odometer.is_valid().to_numpy()[by],
        latitude[by], longitude[by],
    )  # fmt: skip


def _days(of: Sorted, late: NDArray[np.int64], limits: Limits) -> list[str]:
    """The local days on which something may have begun that stands beside these rows."""
    back = -(-limits.longest // DAY)
    length = int((of.rows.end[late] - of.rows.start[late]).max()) // DAY + 1
    day = np.unique(of.day[late]).astype(np.int64)
    around = np.unique(np.concatenate([day + step for step in range(-back, length + 1)]))
    return [(EPOCH + timedelta(days=int(each))).isoformat() for each in around]


def _one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
