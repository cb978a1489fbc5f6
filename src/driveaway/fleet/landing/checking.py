"""What is asked of each row by itself, and the local day on which it began."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.facts.fleet import Fleet
from driveaway.fleet.landing.cars import Cars
from driveaway.fleet.landing.columns import Prepared, pack_keys
from driveaway.fleet.landing.loops.cars import hand_over
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.order import local_days
from driveaway.fleet.landing.loops.rows import FIELDS, Limits, check_rows
from driveaway.fleet.landing.normal import NAMES
from driveaway.values.clock import DAY, HOUR, SECOND, local_day, start_of_day

SLACK: Final = 1_000
"""Metres by which a distance may exceed what the highest speed allows: short segments, whole kilometres."""
EPOCH: Final = date(1970, 1, 1)
_ENERGY_SLACK: Final = 5_000
_EARLIEST: Final = 946_684_800_000_000
"""1 January 2000 UTC: what is before it came from a clock that was not set, or is in another unit."""
_FIELDS: Final = np.array([NAMES.index(name) for name in FIELDS], np.uint8)
_FUNCTION: Final = r"^[a-z][a-z0-9_]{0,59}$"


class DeliveredCars(Protocol):
    """Which cars were handed over, and when."""

    def changed(self, version: object, *, at_once: bool) -> tuple[object, pa.Array, pa.Array] | None:
        """What is known, if it is not what was known.

        Args:
            version: of what the asker knows; None at first.
            at_once: look again even if that was done a moment ago.

        Returns:
            (version, VINs, first handovers in microseconds since 1970 UTC); None where nothing changed.
        """
        ...


@dataclass(frozen=True)
class Checked:
    """What the checks found.

    Attributes:
        car: number of each row's car, -1 where the VIN is none.
        level: of each row, -1 for none.
        day: local day of the start of each row without a code, as days since 1970.
    """

    car: NDArray[np.int32]
    level: NDArray[np.int8]
    day: NDArray[np.int32]


class Checks:
    """The rules of one launch."""

    def __init__(
        self, rules: Fleet, zone: ZoneInfo, delivered: DeliveredCars, clock: Callable[[], int]
    ) -> None:
        self.rules = rules
        self.zone = zone
        self.clock = clock
        self._delivered = delivered
        self._version: object = None
        self._entered: Cars | None = None
        self._erased: frozenset[str] = frozenset()
        self._midnights = lru_cache(maxsize=4096)(lambda day: int(start_of_day(day, zone)))

    @property
    def version(self) -> object:
        """Of what is known of handovers."""
        return self._version

    def refresh(self, cars: Cars) -> None:
        """Bring the handovers up to date, now."""
        self._enter(cars, at_once=True)

    def erase(self, vins: Iterable[str]) -> None:
        """Put aside from now on what these cars report: they were erased."""
        self._erased |= frozenset(vins)

    def limits(self) -> Limits:
        """What is plausible now."""
        plausible = self.rules.plausible
        return Limits(
            now=self.clock(),
            ahead=plausible.clock_seconds * SECOND,
            far_ahead=max(DAY, plausible.clock_seconds * SECOND),
            late=plausible.late_days * DAY,
            earliest=_EARLIEST,
            longest=plausible.trip_hours * HOUR,
            speed=plausible.speed_kmh / 3.6e9 * 1000,
            slack=SLACK,
            energy_per_metre=plausible.energy_wh_per_km / 1000,
            energy_slack=_ENERGY_SLACK,
            delivered_only=self.rules.delivered_only,
        )

    def check(self, prepared: Prepared, cars: Cars, *, waived: int = 0) -> Checked:
        """Check all rows; codes and fields are written into the normal columns."""
        normal, rows = prepared.normal, prepared.rows
        car = cars.numbers(rows.high, rows.low, normal.code)
        if self.rules.delivered_only:
            self._enter(cars, at_once=False)
        allowed, declared = self._functions(normal.columns["function"].dictionary)
        level = rows.level.copy()
        field = np.zeros(normal.rows, np.uint8)
        if self._erased and waived != Code.ERASED:
            gone = cars.numbers(*pack_keys(pa.array(sorted(self._erased), pa.string())))
            normal.code[(normal.code == 0) & np.isin(car, gone)] = Code.ERASED
        limits = self.limits()
        arguments: tuple[Any, ...] = (allowed, declared, limits, waived, normal.code, field, level)
        given = normal.code != 0
        bad = check_rows(rows, self._handovers(cars, car), *arguments)
        if bad and self.rules.delivered_only:
            early = normal.code >= Code.NOT_DELIVERED
            early &= normal.code <= Code.BEFORE_HANDOVER
            if early.any() and self._enter(cars, at_once=True):
                normal.code[early] = 0
                check_rows(rows, self._handovers(cars, car), *arguments)
        new = ~given & (normal.code != 0)
        normal.field[new] = _FIELDS[field[new]]
        return Checked(car, level, self.days(rows.start, normal.code))

    def _handovers(self, cars: Cars, car: NDArray[np.int32]) -> NDArray[np.int64]:
        if not self.rules.delivered_only:
            return np.zeros(0, np.int64)
        found: NDArray[np.int64] = cars.records["handover"][car]
        return found

    def _functions(self, names: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
        known = {function.name: function.level for function in self.rules.functions}
        texts = names.to_pylist()
        if known:
            allowed = np.array([text in known for text in texts], bool)
        else:
            allowed = pc.match_substring_regex(names, _FUNCTION).to_numpy(zero_copy_only=False).astype(bool)
        levels = [known.get(text) for text in texts]
        return allowed, np.array([-1 if level is None else level for level in levels], np.int8)

    def _enter(self, cars: Cars, *, at_once: bool) -> bool:
        """Bring the handovers up to date; whether any changed."""
        version = self._version if self._entered is cars else None
        found = self._delivered.changed(version, at_once=at_once)
        if found is None:
            return False
        self._version, vins, happened = found
        self._entered = cars
        high, low, code = pack_keys(vins)
        numbers = cars.numbers(high, low, code)
        at = happened.to_numpy(zero_copy_only=False).astype(np.int64)
        # What was driven on the day of the handover counts from that day's beginning.
        hand_over(numbers, self._day_starts(at), cars.records, cars.count)
        return True

    def _day_starts(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(at):
            return at
        midnights = self._between(int(at.min()), int(at.max()))[0]
        starts: NDArray[np.int64] = midnights[np.searchsorted(midnights, at, side="right") - 1]
        return starts

    def _between(self, first: int, last: int) -> tuple[NDArray[np.int64], tuple[date, ...]]:
        """The midnights from the one before ``first`` to the one before ``last``, and their days."""
        day, until = local_day(first, self.zone), local_day(last, self.zone)
        days = tuple(day + timedelta(days=number) for number in range((until - day).days + 1))
        return np.array([self._midnights(each) for each in days], np.int64), days

    def days(self, start: NDArray[np.int64], code: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The local days of rows without a code, as days since 1970."""
        out = np.full(len(start), -1, np.int32)
        sound = start[code == 0] if code.any() else start
        if len(sound):
            midnights, days = self._between(int(sound.min()), int(sound.max()))
            local_days(start, code, midnights, (days[0] - EPOCH).days, out)
        return out
