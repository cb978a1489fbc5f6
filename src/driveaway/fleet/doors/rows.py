"""A trip segment as a door reads it, and the table that many make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Final

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Meta

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.batch import Reject

Wide = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Narrow = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Level = Annotated[int, Meta(ge=-128, le=127)]
"""Integers of 64, 32 and 8 bits: what the columns hold. What may be in them is judged when rows land."""
LONGEST: Final = 2_000
"""Characters of a row's content that are kept when it cannot be read."""


class TripRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The fields of ``facts.trips.TripSegment``, and what a record may say beside.

    Attributes:
        latitude, longitude: where it began, degrees, WGS-84; kept as the city or a coarse cell alone.
        sent: the car's own clock when it made the record ready to be sent, microseconds since 1970 UTC.
    """

    vin: str
    trip: Wide
    start: Wide
    end: Wide
    distance_m: Wide
    segment: Narrow = 0
    assisted_m: Wide = 0
    function: str | None = None
    level: Level | None = None
    driver_overrides: Narrow = 0
    system_deactivations: Narrow = 0
    energy_wh: Wide | None = None
    odometer_m: Wide | None = None
    software: str | None = None
    city: str | None = None
    cell: str | None = None
    simulated: bool = False
    latitude: float | None = None
    longitude: float | None = None
    sent: Wide | None = None


@dataclass(frozen=True)
class Rows:
    """What a body says.

    Attributes:
        table: rows that could be read, in columns named as the fields of ``TripRow``.
        rejects: what could not.
        numbers: in the body, from 0, of each row of the table; None: 0, 1, 2 …
        sent: the latest time at which a record was sent, as its car says; None: no record says it.
    """

    table: pa.Table
    rejects: tuple[Reject, ...] = ()
    numbers: Sequence[int] | None = None
    sent: int | None = None


_NUMBERS: Final = frozenset(
    each.name for each in TRIPS if pa.types.is_integer(each.type) and not each.nullable
)
_PLACE: Final = (("latitude", pa.float64()), ("longitude", pa.float64()))


def table_of(rows: Sequence[TripRow]) -> pa.Table:
    """Rows as a table with the columns of ``TRIPS``, and with positions where there are any."""
    if not rows:
        return TRIPS.empty_table()
    # Column by column costs less than a tuple for each row, turned into columns.
    table = pa.Table.from_arrays([_column(rows, name) for name in TRIPS.names], schema=TRIPS)
    if any(row.latitude is not None or row.longitude is not None for row in rows):
        for name, kind in _PLACE:
            table = table.append_column(name, pa.array(map(attrgetter(name), rows), kind))
    return table


def _column(rows: Sequence[TripRow], name: str) -> pa.Array:
    values = map(attrgetter(name), rows)
    kind = TRIPS.field(name).type
    if name in _NUMBERS:
        return pa.array(np.fromiter(values, kind.to_pandas_dtype(), len(rows)))
    return pa.array(list(values), kind)


@dataclass
class Clock:
    """Compares when cars say that they sent a record with the clock here.

    A record may be late for many reasons; ahead of the clock here it is for one only: the car's clock is
    fast. Its times are then wrong too, and the record is put aside.

    Attributes:
        received: now, microseconds since 1970 UTC.
        tolerance: microseconds by which a car may be ahead.
        latest: the latest ``sent`` that was seen.
    """

    received: int
    tolerance: int
    latest: int | None = field(default=None, init=False)

    def look(self, sent: int | None) -> int | None:
        """Take note of a record; the seconds by which it is too far ahead, None when it is not."""
        if sent is None:
            return None
        if sent - self.received > self.tolerance:
            return (sent - self.received) // 1_000_000
        if self.latest is None or sent > self.latest:
            self.latest = sent
        return None


def clock_reject(number: int, ahead: int, content: str) -> Reject:
    """A row of a car whose clock is ahead by so many seconds."""
    return Reject(
        number,
        "trips.clock",
        f"the car's clock is {ahead} s ahead of the server's",
        "set the car's clock; release the row if its times are right",
        content,
    )
