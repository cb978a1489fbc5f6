"""The simulated trips as batches of rows, by when they arrive: once a day, some of them days late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.random import PCG64, Generator, SeedSequence

from driveaway.demo.facts_of_cars import Handovers
from driveaway.demo.places import Places
from driveaway.demo.trips import assisting
from driveaway.demo.trips.drives import Drives, day_off, day_range, make_drives
from driveaway.demo.trips.habits import Flags, Ints
from driveaway.demo.trips.segments import Known, segments_of
from driveaway.facts.description import Description
from driveaway.values.clock import SECOND, local_day, start_of_day, zone

_ARRIVES: Final = 3 * 3_600 + 600
"""Seconds after midnight at which the drives that ended on the day before arrive."""
_LATE: Final = 0.015
"""Drives that arrive up to four days later than the others: cars that had no connection."""
_LONGEST_DAY: Final = date(2024, 4, 20)
"""A Saturday. The record does not say when it was."""
_STREAM: Final = 7


@dataclass(frozen=True)
class Arrival:
    """A batch of trips.

    Attributes:
        name: slug of the batch.
        at: when it arrives, microseconds since 1970 UTC.
        table: its rows, in the columns of ``fleet.columns.TRIPS``.
    """

    name: str
    at: int
    table: pa.Table


def arrivals(
    description: Description,
    handovers: Handovers,
    places: Places,
    last_day: date,
    *,
    seed: int = 1,
    scale: float = 1.0,
) -> list[Arrival]:
    """What the cars drove from their handover to the end of a day, as it arrived by the next morning.

    The same arguments give the same rows. A drive that ends after midnight arrives a day later.
    """
    if not handovers.vins:
        return []
    tz = zone(description.zone)
    days = day_range(local_day(int(handovers.at.min()), tz), last_day)
    free = [day_off(day, description.calendar) for day in days]
    midnight = np.array([start_of_day(day, tz) // SECOND for day in [*days, last_day + timedelta(1)]])
    streams = [Generator(PCG64(child)) for child in SeedSequence((seed, _STREAM)).spawn(4)]

    drives = make_drives(streams[0], handovers, places.weights(), midnight[:-1], days, free)
    users = assisting.choose_users(streams[1], _ended(drives, midnight[-1]), len(handovers.vins))
    drives, day_of_record = _with_longest_day(
        streams[2], description, handovers, drives, users, days, midnight
    )
    late = np.where(streams[1].random(len(drives.car)) < _LATE, streams[1].integers(1, 5, len(drives.car)), 0)
    late[day_of_record > 0] = 0
    arrives = np.searchsorted(midnight, drives.end, "left") - 1 + late
    table, at = segments_of(
        streams[3],
        drives,
        users,
        arrives < len(days),
        day_of_record,
        Known(description, handovers, places),
        scale,
    )
    rows = arrives[at]
    return [
        Arrival(
            f"demo-trips-{day}",
            int(midnight[number + 1] + _ARRIVES) * SECOND,
            table.filter(pa.array(rows == number)),
        )
        for number, day in enumerate(days)
        if (rows == number).any()
    ]


def _ended(drives: Drives, midnight: int) -> Drives:
    return drives.only(np.flatnonzero(drives.end <= midnight))


def _with_longest_day(
    rng: Generator,
    description: Description,
    handovers: Handovers,
    drives: Drives,
    users: Flags,
    days: Sequence[date],
    midnight: Ints,
) -> tuple[Drives, Ints]:
    """The drives with the longest day among them, and its assisted metres by row (0: another drive)."""
    nothing = np.zeros(len(drives.car), np.int64)
    if _LONGEST_DAY not in days:
        return drives, nothing
    start = int(midnight[days.index(_LONGEST_DAY)])
    packs = np.array([trim.battery_wh or 0 for trim in description.trims])[handovers.trims]
    able = (packs == packs.max()) & (handovers.at // SECOND < start - 7 * 86_400)
    found = assisting.longest_day(rng, drives, users, able, start)
    if found is None:
        return drives, nothing
    kept, legs, assisted = found
    joined = kept.joined(legs)
    out = np.zeros(len(joined.car), np.int64)
    here = np.flatnonzero((joined.car == legs.car[0]) & np.isin(joined.start, legs.start))
    out[here] = assisted
    return joined, out
