"""Arrow schemas of the fleet's tables. Plain columns that every engine reads: no dictionaries, no nesting."""

from __future__ import annotations

from typing import Final

import pyarrow as pa


def _schema(*fields: tuple[str, pa.DataType, bool]) -> pa.Schema:
    return pa.schema([pa.field(name, type_, nullable=nullable) for name, type_, nullable in fields])


TRIPS: Final = _schema(
    ("vin", pa.string(), False),
    ("trip", pa.int64(), False),
    ("segment", pa.int32(), False),
    ("start", pa.int64(), False),
    ("end", pa.int64(), False),
    ("distance_m", pa.int64(), False),
    ("assisted_m", pa.int64(), False),
    ("function", pa.string(), True),
    ("level", pa.int8(), True),
    ("driver_overrides", pa.int32(), False),
    ("system_deactivations", pa.int32(), False),
    ("energy_wh", pa.int64(), True),
    ("odometer_m", pa.int64(), True),
    ("software", pa.string(), True),
    ("city", pa.string(), True),
    ("cell", pa.string(), True),
    ("simulated", pa.bool_(), False),
)
"""Accepted rows as they lie in ``trips/DAY/*.parquet``, sorted by car, start and segment: the fields of
``facts.trips.TripSegment``. DAY is the local day of ``start``. A compacted file has ``seq`` beside."""

CARS: Final = _schema(
    ("car", pa.int32(), False),
    ("vin", pa.string(), False),
    ("vin_key", pa.int64(), False),
    ("seq", pa.int64(), False),
)
"""Every car that landed a trip: a dense number from 0 in the order of first landing (batch, then VIN), and
the integer key by which the mirror's tables know it (``subject_key``, ``vin_key``)."""

LEDGER: Final = _schema(
    ("seq", pa.int64(), False),
    ("car", pa.int32(), False),
    ("day", pa.date32(), False),
    ("function", pa.string(), True),
    ("level", pa.int8(), True),
    ("software", pa.string(), True),
    ("city", pa.string(), True),
    ("simulated", pa.bool_(), False),
    ("segments", pa.int64(), False),
    ("distance_m", pa.int64(), False),
    ("assisted_m", pa.int64(), False),
    ("duration_s", pa.int64(), False),
    ("energy_wh", pa.int64(), False),
    ("energy_m", pa.int64(), False),
    ("driver_overrides", pa.int64(), False),
    ("system_deactivations", pa.int64(), False),
)
"""Additive integers for one car, local day, function, level, software, city and batch (its ``seq``).

A segment over local midnight is split by time, in whole metres that sum to what was reported; its counts
stand on the day on which it began. ``energy_m`` are the metres of segments that report energy. Rows may
be negative: whoever sums them gets the truth at any mark.
"""

DAILY: Final = pa.schema([field for field in LEDGER if field.name != "car"])
"""LEDGER added up over cars: what sums need that ask for no car, some thousand times fewer rows."""

DAYS: Final = _schema(
    ("seq", pa.int64(), False),
    ("day", pa.date32(), False),
    ("most_rows", pa.int32(), False),
)
"""The most rows of LEDGER that a car which the batch touches has on the day, those of batches before counted;
127: as many or more. So a record is found without adding up every car's day."""

LONG: Final = _schema(
    ("seq", pa.int64(), False),
    ("car", pa.int32(), False),
    ("day", pa.date32(), False),
    ("function", pa.string(), True),
    ("simulated", pa.bool_(), False),
    ("distance_m", pa.int64(), False),
    ("assisted_m", pa.int64(), False),
    ("before", pa.int32(), False),
)
"""The rows of LEDGER of days on which a car has a long row (``counting.LONG_M``): that of the first such row
and all that come later. ``before`` stands at the first and says how many rows, all of them shorter, came
earlier and are not here: so a day's length is known but for so much."""

ACTIVITY: Final = _schema(
    ("seq", pa.int64(), False),
    ("scope", pa.string(), False),
    ("car", pa.int32(), False),
    ("day", pa.date32(), False),
    ("previous", pa.date32(), True),
    ("weight", pa.int8(), False),
    ("simulated", pa.bool_(), False),
)
"""Which cars were active on which local day, so that distinct cars in any window are a sum.

``scope`` is ``driven`` (any metre), ``assisted`` (any assisted metre) or a function's name. ``previous`` is
the car's last active day before ``day`` in the scope, as known at the batch ``seq``. A car counts once in
the window from s to D exactly when one of its days lies in it whose previous day does not:
``sum(weight) where s <= day <= D and (previous is null or previous < s)``. A day that lands late takes back
its successor's row (weight -1) and writes it anew, so the sum is right at every mark.
"""
