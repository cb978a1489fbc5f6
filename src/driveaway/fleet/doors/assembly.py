"""From what a car says at points of time to the trips that it drove.

The rules, for one car:

- Samples are in order of their own time, whenever they arrive. What a sample does not say is as it was last.
- Between two samples the car drove as far as its odometer rose, with the function that was engaged at the
  earlier one. So the metres of all trips are what the odometer says, whichever samples are missing.
- A stop of ``stop_s`` seconds or more ends a trip: so long the odometer does not rise.
- Within a trip a new segment begins whenever function, level or software changes.
- Metres between two samples that are ``stop_s`` or more apart were driven unseen. They are taken as driven
  without a function, at 10 m/s, just before the later sample.
- An odometer that falls begins anew: nothing is driven between, and the trip ends.
- A trip is told once a sample shows that it is over; its number is the microsecond in which it began. What
  arrives later and lies before what was told changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from driveaway.facts.trips import TripSegment

_SECOND: Final = 1_000_000
_UNSEEN_SPEED: Final = 10
STOP_S: Final = 600
"""Seconds that end a trip: longer than a red light or a ferry's queue, shorter than a charge."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a car said at one time; None: not said.

    Attributes:
        at: microseconds since 1970 UTC.
        odometer_m: metres in the car's life.
        function: driving function that is engaged, "" for none.
        level: SAE level that is engaged.
        software: release or version.
        energy_wh: drawn from the battery in the car's life.
        driver_overrides, system_deactivations: in the car's life.
        latitude, longitude: degrees, WGS-84.
    """

    at: int
    odometer_m: int | None = None
    function: str | None = None
    level: int | None = None
    software: str | None = None
    energy_wh: int | None = None
    driver_overrides: int | None = None
    system_deactivations: int | None = None
    latitude: float | None = None
    longitude: float | None = None


class CarState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a car between two readings.

    Attributes:
        base: all that was known at the time up to which everything is told.
        open: samples after it.
    """

    base: Sample | None = None
    open: tuple[Sample, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A segment, and where it began."""

    segment: TripSegment
    latitude: float | None
    longitude: float | None


class Assembled(msgspec.Struct, frozen=True):
    """What became of samples.

    Attributes:
        pieces: segments of trips that are over, in order of time.
        state: what is kept for the next time.
        late: samples that lie before what was told; the same ones that came again are among them.
        resets: times that the odometer fell.
    """

    pieces: tuple[Piece, ...]
    state: CarState
    late: int
    resets: int


class _Leg(msgspec.Struct, frozen=True):
    """A stretch between two samples in which the car moved; the state at its begin and at its end."""

    start: int
    end: int
    metres: int
    before: Sample
    after: Sample
    seen: bool

    @property
    def key(self) -> tuple[str, int | None, str | None]:
        """What does not change within a segment."""
        function = (self.before.function or "") if self.seen else ""
        return function, self.before.level if function else None, self.before.software


def assemble(
    vin: str, state: CarState, samples: Iterable[Sample], *, stop_s: int = STOP_S, finish: bool = False
) -> Assembled:
    """Take a car's further samples; tell the trips that are over.

    Args:
        vin: the car.
        state: as it was returned the last time.
        samples: in any order; the same may come again.
        stop_s: seconds that end a trip.
        finish: nothing follows: the trip that is open is over too.
    """
    given = list(samples)
    told = -(2**63) if state.base is None else state.base.at
    fresh = [sample for sample in given if sample.at > told]
    late = len(given) - len(fresh)
    line = _merged([*state.open, *fresh])
    known = state.base
    if known is None:
        if not line:
            return Assembled((), state, late, 0)
        known, line = line[0], line[1:]
    filled = [known]
    for sample in line:
        filled.append(_after(filled[-1], sample))
    trips, resets = _trips(filled, stop_s * _SECOND)
    last = filled[-1].at
    over = [trip for trip in trips if finish or last - trip[-1].end >= stop_s * _SECOND]
    pieces = [piece for trip in over for piece in _pieces(vin, trip)]
    # All before the first trip that is not over is told: of a car that stands only the last is kept.
    begins = trips[len(over)][0].before.at if len(over) < len(trips) else last
    base = next(sample for sample in reversed(filled) if sample.at <= begins)
    kept = tuple(sample for sample in line if sample.at > base.at)
    return Assembled(tuple(pieces), CarState(base=base, open=kept), late, resets)


def _merged(samples: Sequence[Sample]) -> list[Sample]:
    """Samples in order of time, one for each; of two values at one time the greater, whichever came first."""
    by_time: dict[int, Sample] = {}
    for sample in samples:
        known = by_time.get(sample.at)
        by_time[sample.at] = sample if known is None else _greater(known, sample)
    return [by_time[at] for at in sorted(by_time)]


def _greater(one: Sample, other: Sample) -> Sample:
    values = {}
    for name in Sample.__struct_fields__:
        mine, theirs = getattr(one, name), getattr(other, name)
        values[name] = theirs if mine is None else mine if theirs is None else max(mine, theirs)
    return Sample(**values)


def _after(known: Sample, sample: Sample) -> Sample:
    """All that is known at a sample."""
    return Sample(
        **{
            name: getattr(known, name) if (value := getattr(sample, name)) is None else value
            for name in Sample.__struct_fields__
        }
    )


def _trips(filled: Sequence[Sample], stop: int) -> tuple[list[list[_Leg]], int]:
    trips: list[list[_Leg]] = []
    resets = 0
    broken = True
    for before, after in pairwise(filled):
        if before.odometer_m is None or after.odometer_m is None:
            continue
        metres = after.odometer_m - before.odometer_m
        if metres < 0:
            resets += 1
            broken = True
        if metres <= 0:
            continue
        leg = _leg(before, after, metres, stop)
        if broken or leg.start - trips[-1][-1].end >= stop:
            trips.append([])
            broken = False
        trips[-1].append(leg)
    return trips, resets


def _leg(before: Sample, after: Sample, metres: int, stop: int) -> _Leg:
    if after.at - before.at < stop:
        return _Leg(before.at, after.at, metres, before, after, True)
    took = min(after.at - before.at, metres * _SECOND // _UNSEEN_SPEED)
    return _Leg(after.at - max(took, 1), after.at, metres, before, after, False)


def _pieces(vin: str, trip: Sequence[_Leg]) -> list[Piece]:
    runs: list[list[_Leg]] = []
    for leg in trip:
        if not runs or runs[-1][0].key != leg.key:
            runs.append([])
        runs[-1].append(leg)
    number = trip[0].start
    pieces = []
    for index, run in enumerate(runs):
        function, level, software = run[0].key
        metres = sum(leg.metres for leg in run)
        first, last = run[0].before, run[-1].after
        segment = TripSegment(
            vin=vin,
            trip=number,
            segment=index,
            start=run[0].start,
            end=runs[index + 1][0].start if index + 1 < len(runs) else run[-1].end,
            distance_m=metres,
            assisted_m=metres if function else 0,
            function=function or None,
            level=level,
            driver_overrides=_rise(run, "driver_overrides"),
            system_deactivations=_rise(run, "system_deactivations"),
            energy_wh=None
            if first.energy_wh is None or last.energy_wh is None or last.energy_wh < first.energy_wh
            else last.energy_wh - first.energy_wh,
            odometer_m=last.odometer_m,
            software=software,
        )
        pieces.append(Piece(segment=segment, latitude=first.latitude, longitude=first.longitude))
    return pieces


def _rise(run: Sequence[_Leg], name: str) -> int:
    """How far a counter of the car's life rose; one that fell began anew."""
    total = 0
    for leg in run:
        before, after = getattr(leg.before, name), getattr(leg.after, name)
        if before is not None and after is not None:
            total += max(0, after - before)
    return total
