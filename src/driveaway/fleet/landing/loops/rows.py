"""The columns of many rows, and what can be checked of each row by itself."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled
from driveaway.fleet.landing.loops.codes import Code

Whole = NDArray[np.int64]
Small = NDArray[np.int32]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]
Days = NDArray[np.int32]


class Rows(NamedTuple):
    """Columns of rows, each of shape (n,), none of them writable. Anything stands in rows with a code.

    ``high`` and ``low`` are the VIN; a level of -1 and a text's code of -1 mean none.
    """

    high: Words
    low: Words
    trip: Whole
    segment: Small
    start: Whole
    end: Whole
    distance: Whole
    assisted: Whole
    function: Small
    level: NDArray[np.int8]
    overrides: Small
    deactivations: Small
    energy: Whole
    has_energy: Flags
    odometer: Whole
    has_odometer: Flags
    software: Small
    city: Small
    cell: Small
    simulated: Flags


class TextWords(NamedTuple):
    """64 bits for each text of a column of texts."""

    function: Words
    software: Words
    city: Words
    cell: Words


class Limits(NamedTuple):
    """What a row may say; times in microseconds, distances in metres."""

    now: int
    ahead: int
    far_ahead: int
    late: int
    earliest: int
    longest: int
    speed: float
    slack: int
    energy_per_metre: float
    energy_slack: int
    delivered_only: bool


FIELDS: Final = ("trip", "segment", "distance_m", "assisted_m", "driver_overrides", "system_deactivations",
                 "odometer_m")  # fmt: skip
"""Columns that must not be negative, as ``check_rows`` names them by index."""

# Numbers, so that compiled loops hold them as constants.
_TIME_RANGE: Final = int(Code.TIME_RANGE)
_ENDS_BEFORE: Final = int(Code.ENDS_BEFORE)
_TOO_LONG: Final = int(Code.TOO_LONG)
_CLOCK_AHEAD: Final = int(Code.CLOCK_AHEAD)
_IN_FUTURE: Final = int(Code.IN_FUTURE)
_TOO_LATE: Final = int(Code.TOO_LATE)
_NEGATIVE: Final = int(Code.NEGATIVE)
_COUNTER: Final = int(Code.COUNTER)
_ASSISTED: Final = int(Code.ASSISTED)
_TOO_FAST: Final = int(Code.TOO_FAST)
_FUNCTION: Final = int(Code.FUNCTION)
_FUNCTION_MISSING: Final = int(Code.FUNCTION_MISSING)
_LEVEL_MISSING: Final = int(Code.LEVEL_MISSING)
_LEVEL: Final = int(Code.LEVEL)
_ENERGY: Final = int(Code.ENERGY)
_NOT_DELIVERED: Final = int(Code.NOT_DELIVERED)
_BEFORE_HANDOVER: Final = int(Code.BEFORE_HANDOVER)
_SECOND: Final = 1_000_000
_NEVER: Final = 2**63 - 1


@compiled
def check_rows(
    of: Rows,
    day: Whole,
    allowed: Flags,
    declared: NDArray[np.int8],
    limits: Limits,
    waived: int,
    code: NDArray[np.uint8],
    field: NDArray[np.uint8],
    level: NDArray[np.int8],
) -> int:
    """Give every row that cannot stand the first code that says why.

    Args:
        of: the columns.
        day: of the handover of each row's car, microseconds since 1970 UTC; ``_NEVER`` for none.
        allowed: whether cars may report each function.
        declared: level of each function, -1 where none is declared.
        limits: what is plausible.
        waived: a code that is not given, 0 for none.
        code: in and out; rows that have one are passed over.
        field: out, which of ``FIELDS`` a code of counters means.
        level: out, with that of the function where the row names none.

    Returns:
        rows that got a code.
    """
    bad = 0
    for row in range(len(code)):
        if code[row] != 0:
            continue
        found = 0
        start, end = of.start[row], of.end[row]
        distance, function = of.distance[row], of.function[row]
        if not (limits.earliest <= start and end >= limits.earliest):
            found = _TIME_RANGE
        elif end < start:
            found = _ENDS_BEFORE
        elif end > limits.now + limits.ahead:
            found = _IN_FUTURE if end > limits.now + limits.far_ahead else _CLOCK_AHEAD
        elif end - start > limits.longest and waived != _TOO_LONG:
            found = _TOO_LONG
        elif end < limits.now - limits.late and waived != _TOO_LATE:
            found = _TOO_LATE
        elif of.trip[row] < 0:
            found, field[row] = _NEGATIVE, 0
        elif of.segment[row] < 0:
            found, field[row] = _NEGATIVE, 1
        elif distance < 0:
            found, field[row] = _NEGATIVE, 2
        elif of.assisted[row] < 0:
            found, field[row] = _NEGATIVE, 3
        elif of.overrides[row] < 0:
            found, field[row] = _NEGATIVE, 4
        elif of.deactivations[row] < 0:
            found, field[row] = _NEGATIVE, 5
        elif of.has_odometer[row] and of.odometer[row] < 0:
            found, field[row] = _NEGATIVE, 6
        elif of.assisted[row] > distance:
            found = _ASSISTED
        elif distance - limits.slack > limits.speed * (end - start) and waived != _TOO_FAST:
            found = _TOO_FAST
        elif of.overrides[row] > (end - start) // _SECOND + 60 and waived != _COUNTER:
            found, field[row] = _COUNTER, 4
        elif of.deactivations[row] > (end - start) // _SECOND + 60 and waived != _COUNTER:
            found, field[row] = _COUNTER, 5
        elif function >= 0 and not allowed[function]:
            found = _FUNCTION
        elif function < 0 and (of.assisted[row] > 0 or of.level[row] > 0):
            found = _FUNCTION_MISSING
        elif of.level[row] < -1 or of.level[row] > 5:
            found = _LEVEL
        elif (
            of.has_energy[row]
            and abs(of.energy[row]) - limits.energy_slack > limits.energy_per_metre * distance
            and waived != _ENERGY
        ):
            found = _ENERGY
        else:
            given = of.level[row]
            if function < 0:
                given = np.int8(-1)
            elif given < 0:
                given = declared[function]
                if given < 0:
                    found = _LEVEL_MISSING
            elif declared[function] >= 0 and given != declared[function]:
                found = _LEVEL
            level[row] = given
            if found == 0 and limits.delivered_only:
                given_at = day[row]
                if given_at == _NEVER:
                    found = _NOT_DELIVERED
                elif start < given_at and waived != _BEFORE_HANDOVER:
                    found = _BEFORE_HANDOVER
        if found != 0:
            code[row] = found
            bad += 1
    return bad
