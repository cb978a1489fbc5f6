"""A row beside what the same car drove before and after: overlaps, odometers, places."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.compiled import compiled
from driveaway.fleet.landing.loops.cars import NOWHERE, UNKNOWN, Cars
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.rows import Rows

Number = int | np.signedinteger[Any]
_OVERLAPS: Final = int(Code.OVERLAPS)
_BACK: Final = int(Code.ODOMETER_BACK)
_JUMP: Final = int(Code.ODOMETER_JUMP)
_FAR: Final = int(Code.POSITION_JUMP)
_TOLERANCE: Final = 1_000
"""Metres by which an odometer that counts whole kilometres may fall."""
_ROOM: Final = 5_000
"""Metres that an odometer may gain beyond the highest speed: it is read at other moments than the clock."""
_CELL: Final = 35_000.0
"""Metres: two corners of cells of a tenth of a degree, and what a receiver errs."""
_RADIUS: Final = 6_371_000.0
_CHAIN: Final = 400
"""Rows of one car of which the longest agreeing part is searched for; of more, each is held to the last."""


class Around(NamedTuple):
    """What was landed before of the cars that are looked at closely, by car and start.

    ``first`` has, for each such car, where its rows begin, and one entry more. ``reach`` is the latest end up
    to each row.
    """

    first: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    reach: NDArray[np.int64]
    odometer: NDArray[np.int64]
    has_odometer: NDArray[np.bool_]
    latitude: NDArray[np.int16]
    longitude: NDArray[np.int16]


@compiled
def metres_apart(latitude: Number, longitude: Number, latitude_b: Number, longitude_b: Number) -> float:
    """Great-circle distance between two corners of cells, given in tenths of a degree (haversine)."""
    one, two = math.radians(latitude / 10), math.radians(latitude_b / 10)
    across = math.radians((longitude_b - longitude) / 10)
    half = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(across / 2) ** 2
    return 2 * _RADIUS * math.asin(min(1.0, math.sqrt(half)))


@compiled
def odometer_fits(before: Number, before_at: Number, after: Number, after_at: Number, speed: float) -> int:
    """0 where the second reading can follow the first one, else the code that says why not."""
    if after < before - _TOLERANCE:
        return _BACK
    if after - before - _ROOM > speed * (after_at - before_at):
        return _JUMP
    return 0


@compiled
def look(
    rows: NDArray[np.int64],
    car: NDArray[np.int32],
    of: Rows,
    latitude: NDArray[np.int16],
    longitude: NDArray[np.int16],
    cars: Cars,
    speed: float,
    close: NDArray[np.bool_],
    late: NDArray[np.bool_],
) -> int:
    """Find the cars whose rows do not simply follow one another and what was landed of them.

    Args:
        rows: by car and start.
        speed: metres per microsecond.
        close: of each car, out: look closely.
        late: of each car, out: some of its rows began before the end of what was landed.

    Returns:
        cars to be looked at closely.
    """
    found = 0
    previous = np.int32(-1)
    landed = end = odometer = odometer_at = place_at = np.int64(UNKNOWN)
    north = east = np.int16(NOWHERE)
    for row in rows:
        number = car[row]
        if number != previous:
            previous = number
            known = cars[number]
            landed = end = known.end
            odometer, odometer_at = known.odometer, known.odometer_at
            north, east, place_at = known.latitude, known.longitude, known.place_at
        odd = False
        if of.start[row] < end:
            odd = True
            if of.start[row] < landed:
                late[number] = True
        end = max(end, of.end[row])
        if of.has_odometer[row]:
            if odometer_at != UNKNOWN:
                odd |= odometer_fits(odometer, odometer_at, of.odometer[row], of.end[row], speed) != 0
            odometer, odometer_at = of.odometer[row], of.end[row]
        if latitude[row] != NOWHERE:
            if place_at != UNKNOWN and (latitude[row] != north or longitude[row] != east):
                apart = metres_apart(north, east, latitude[row], longitude[row])
                odd |= apart - _CELL > speed * abs(of.start[row] - place_at)
            north, east, place_at = latitude[row], longitude[row], of.start[row]
        if odd and not close[number]:
            close[number] = True
            found += 1
    return found


@compiled
def settle(
    order: NDArray[np.int64],
    group: NDArray[np.int64],
    car: NDArray[np.int32],
    of: Rows,
    latitude: NDArray[np.int16],
    longitude: NDArray[np.int16],
    cars: Cars,
    late: NDArray[np.bool_],
    around: Around,
    speed: float,
    waived: int,
    code: NDArray[np.uint8],
) -> None:
    """Give rows a code that cannot stand beside others of their car; as many as can stay do.

    Args:
        order: rows of the cars that are looked at, by car and start.
        group: where the rows of each such car begin, and one entry more.
        around: what was landed of the same cars; none of those that have no late row.
        waived: a code that is not given.
        code: in and out.
    """
    for each in range(len(group) - 1):
        rows = order[group[each] : group[each + 1]]
        low, high = around.first[each], around.first[each + 1]
        if waived != _OVERLAPS:
            _overlaps(rows, car, of, cars, late, around, low, high, code)
        _agree(False, rows, car, of, latitude, longitude, cars, late, around, low, high, speed, waived, code)
        _agree(True, rows, car, of, latitude, longitude, cars, late, around, low, high, speed, waived, code)


@compiled
def _overlaps(
    rows: NDArray[np.int64],
    car: NDArray[np.int32],
    of: Rows,
    cars: Cars,
    late: NDArray[np.bool_],
    around: Around,
    low: int,
    high: int,
    code: NDArray[np.uint8],
) -> None:
    for row in rows:
        number = car[row]
        if not late[number]:
            continue
        # The last landed row that begins before this one ends: does it, or an earlier one, reach into it?
        at = low + np.searchsorted(around.start[low:high], of.end[row])
        if at > low and around.reach[at - 1] > of.start[row]:
            code[row] = _OVERLAPS
    # Taking those first that end first keeps the most.
    by_end = rows[np.argsort(of.end[rows], kind="mergesort")]
    end = np.int64(UNKNOWN)
    for row in by_end:
        if code[row] != 0:
            continue
        if of.start[row] < end:
            code[row] = _OVERLAPS
        else:
            end = of.end[row]


@compiled
def _fits(
    place: bool,
    before: int,
    before_b: int,
    before_at: int,
    after: int,
    after_b: int,
    after_at: int,
    speed: float,
) -> int:
    """0 where the second can follow the first: odometers, or places (latitude and longitude)."""
    if not place:
        return odometer_fits(before, before_at, after, after_at, speed)
    if before == after and before_b == after_b:
        return 0
    apart = metres_apart(before, before_b, after, after_b)
    return _FAR if apart - _CELL > speed * abs(after_at - before_at) else 0


@compiled
def _agree(
    place: bool,
    rows: NDArray[np.int64],
    car: NDArray[np.int32],
    of: Rows,
    latitude: NDArray[np.int16],
    longitude: NDArray[np.int16],
    cars: Cars,
    late: NDArray[np.bool_],
    around: Around,
    low: int,
    high: int,
    speed: float,
    waived: int,
    code: NDArray[np.uint8],
) -> None:
    """Odometers or places: nothing may disagree with what was landed, and the longest agreeing part stays."""
    some = np.empty(len(rows), np.int64)
    one, two, at = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    count = 0
    for row in rows:
        if code[row] != 0:
            continue
        if place and latitude[row] != NOWHERE:
            some[count], one[count], two[count] = row, latitude[row], longitude[row]
            at[count] = of.start[row]
            count += 1
        elif not place and of.has_odometer[row]:
            some[count], one[count], two[count], at[count] = row, of.odometer[row], 0, of.end[row]
            count += 1
    for number in range(count):
        row = some[number]
        why = _beside(
            place, car[row], one[number], two[number], at[number], cars, late, around, low, high, speed
        )
        if why != 0 and why != waived:
            code[row] = why
    kept = 0
    for number in range(count):
        if code[some[number]] == 0:
            some[kept], one[kept], two[kept], at[kept] = some[number], one[number], two[number], at[number]
            kept += 1
    _longest(place, some[:kept], one, two, at, speed, waived, code)


@compiled
def _beside(
    place: bool,
    number: int,
    one: int,
    two: int,
    at: int,
    cars: Cars,
    late: NDArray[np.bool_],
    around: Around,
    low: int,
    high: int,
    speed: float,
) -> int:
    """How one reading stands to the nearest landed ones before and after it."""
    if not late[number]:
        if place:
            if cars[number].place_at == UNKNOWN:
                return 0
            return _fits(
                True,
                cars[number].latitude,
                cars[number].longitude,
                cars[number].place_at,
                one,
                two,
                at,
                speed,
            )
        if cars[number].odometer_at == UNKNOWN:
            return 0
        return _fits(False, cars[number].odometer, 0, cars[number].odometer_at, one, 0, at, speed)
    middle = low + np.searchsorted(around.start[low:high], at)
    for other in range(middle - 1, low - 1, -1):
        if place and around.latitude[other] != NOWHERE:
            why = _fits(
                True,
                around.latitude[other],
                around.longitude[other],
                around.start[other],
                one,
                two,
                at,
                speed,
            )
            if why != 0:
                return why
            break
        if not place and around.has_odometer[other]:
            why = _fits(False, around.odometer[other], 0, around.end[other], one, 0, at, speed)
            if why != 0:
                return why
            break
    for other in range(middle, high):
        if place and around.latitude[other] != NOWHERE:
            return _fits(
                True,
                one,
                two,
                at,
                around.latitude[other],
                around.longitude[other],
                around.start[other],
                speed,
            )
        if not place and around.has_odometer[other]:
            # A reading that is too high before one that is right is itself a jump.
            why = _fits(False, one, 0, at, around.odometer[other], 0, around.end[other], speed)
            return _JUMP if why == _BACK else (_BACK if why == _JUMP else 0)
    return 0


@compiled
def _longest(
    place: bool,
    some: NDArray[np.int64],
    one: NDArray[np.int64],
    two: NDArray[np.int64],
    at: NDArray[np.int64],
    speed: float,
    waived: int,
    code: NDArray[np.uint8],
) -> None:
    """Of readings in order of time the longest part in which each can follow the one before."""
    count = len(some)
    plain = True
    for number in range(1, count):
        before = number - 1
        plain &= (
            _fits(place, one[before], two[before], at[before], one[number], two[number], at[number], speed)
            == 0
        )
    if plain:
        return
    length = np.ones(count, np.int64)
    back = np.full(count, -1, np.int64)
    if count <= _CHAIN:
        for number in range(count):
            for before in range(number - 1, -1, -1):
                if length[before] + 1 > length[number] and (
                    _fits(
                        place,
                        one[before],
                        two[before],
                        at[before],
                        one[number],
                        two[number],
                        at[number],
                        speed,
                    )
                    == 0
                ):
                    length[number], back[number] = length[before] + 1, before
        top = 0
        for number in range(count):
            if length[number] > length[top]:
                top = number
    else:
        top = 0
        for number in range(1, count):
            if _fits(place, one[top], two[top], at[top], one[number], two[number], at[number], speed) == 0:
                back[number] = top
                top = number
    stays = np.zeros(count, np.bool_)
    number = top
    while number >= 0:
        stays[number] = True
        number = back[number]
    before = -1
    for number in range(count):
        if stays[number]:
            before = number
            continue
        why = _FAR
        if not place:
            why = _JUMP
            if before >= 0 and one[number] < one[before]:
                why = _BACK
        if why != waived:
            code[some[number]] = why
