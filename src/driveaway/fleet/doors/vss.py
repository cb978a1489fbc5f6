"""Trips under names of COVESA's Vehicle Signal Specification 6 and of the overlay ``driveaway.vspec``.

A record is what the signals say when a segment has ended: a flat object, signal → value, in the units of the
specification. Where both the overlay and the standard name a column, the overlay's value is taken: it is the
segment's, the standard's is the whole trip's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from driveaway.facts.trips import OVERLAY, VSS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEVEL: Final = re.compile(r"SAE_([0-5])(?:_DISENGAGING)?")
_BESIDE: Final = ("sent", "simulated")
"""Fields of a record that are no signals."""
_KNOWN: Final = frozenset((*VSS.values(), *OVERLAY.values(), *_BESIDE))
_OF_TRIP: Final = ("start", "duration_s", "distance_m")


def from_vss(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``TripRow`` of a record.

    Signals that are of no use here are passed over, also unknown ones below other branches than
    ``Vehicle.Driveaway``: cars send what they have.

    Raises:
        ValueError: a signal that is needed is missing, has a value that it cannot have, or a further
            segment names the whole trip's start, duration or distance.
    """
    for name in record:
        if name not in _KNOWN and (not name.startswith("Vehicle.") or name.startswith("Vehicle.Driveaway.")):
            raise ValueError(f"{name!r} is no signal of VSS 6 or of the overlay")
    row: dict[str, Any] = {}
    for column in (*VSS, *(each for each in OVERLAY if each not in VSS)):
        signal = OVERLAY.get(column, "")
        if record.get(signal) is None and column in VSS:
            signal = VSS[column]
            if column in _OF_TRIP and record.get(signal) is not None and record.get(OVERLAY["segment"]):
                raise ValueError(f"{signal} is the whole trip's: a further segment needs {OVERLAY[column]}")
        if record.get(signal) is not None:
            row[column] = record[signal]
    start = instant(row.get("start"), "the start")
    row["start"] = start
    row["end"] = start + _microseconds(row.pop("duration_s", None))
    # The signal says what is engaged now; without a function in the segment that is none of it.
    level = autonomy_level(row.pop("level", None))
    if row.get("function") is not None:
        row["level"] = level
    return row | {name: record[name] for name in _BESIDE if name in record}


def autonomy_level(value: Any) -> int | None:
    """The SAE level of ``ActiveAutonomyLevel``; one that is disengaging is engaged still.

    Raises:
        ValueError: not one of its values.
    """
    if value is None:
        return None
    found = _LEVEL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{repr(value)[:60]} is no autonomy level such as SAE_2")
    return int(found[1])


def instant(value: Any, what: str) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 text with an offset.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError(f"{what} is missing, or no text of ISO 8601")
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{what} {value[:60]!r} is no time of ISO 8601") from error
    if found.tzinfo is None:
        raise ValueError(f"{what} {value[:60]!r} does not say its offset from UTC")
    return (found - _EPOCH) // timedelta(microseconds=1)


def _microseconds(seconds: Any) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("the duration is missing, or no number of seconds")
    if not 0 <= seconds < 2**40:
        raise ValueError(f"a duration of {seconds} s")
    return round(seconds * 1_000_000)
