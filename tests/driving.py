"""What cars drove, counted once more in plain Python: segment by segment, day by day, car by car."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from driveaway.facts.trips import TripSegment

DAY = timedelta(days=1)
_MEASURES = ("distance_m", "assisted_m", "duration_s", "energy_wh")


@dataclass(frozen=True)
class Part:
    """What one segment is worth on one local day."""

    segment: TripSegment
    day: date
    first: bool
    sums: Mapping[str, int]


@dataclass
class World:
    """What happened, with the seq by which the book knows it.

    Attributes:
        landed: (seq, seq from which it is gone or None, segments) of each batch.
        handed, returned: (seq, happened, day, vin).
        trims: of cars.
    """

    zone: ZoneInfo
    landed: list[tuple[int, int | None, Sequence[TripSegment]]] = field(default_factory=list)
    handed: list[tuple[int, int, date, str]] = field(default_factory=list)
    returned: list[tuple[int, int, date, str]] = field(default_factory=list)
    trims: dict[str, str] = field(default_factory=dict)

    def parts(self, mark: int, last: date) -> list[Part]:
        """All parts that were known at a mark, of days up to the last."""
        segments = [
            segment
            for seq, gone, batch in self.landed
            if seq <= mark and (gone is None or gone > mark)
            for segment in batch
        ]
        return [part for segment in segments for part in cut(segment, self.zone) if part.day <= last]

    def delivered(self, mark: int, day: date) -> set[str]:
        """Cars that are their buyers' at the end of a day."""
        events = [(at, seq, on, vin, True) for seq, at, on, vin in self.handed if seq <= mark]
        events += [(at, seq, on, vin, False) for seq, at, on, vin in self.returned if seq <= mark]
        state = {vin: out for _, _, on, vin, out in sorted(events) if on <= day}
        return {vin for vin, out in state.items() if out}


def cut(segment: TripSegment, zone: ZoneInfo) -> list[Part]:
    """A segment in parts by local day: of each total, what had been reached by midnight, rounded down."""
    begin, end = _moment(segment.start), _moment(segment.end)
    day = begin.astimezone(zone).date()
    totals = {
        "distance_m": segment.distance_m,
        "assisted_m": segment.assisted_m,
        "duration_s": (segment.end - segment.start) // 1_000_000,
        "energy_wh": segment.energy_wh or 0,
    }
    done = dict.fromkeys(_MEASURES, 0)
    out: list[Part] = []
    while True:
        midnight = datetime.combine(day + DAY, datetime.min.time(), zone).astimezone(UTC)
        last = end <= midnight
        passed = (midnight - begin) // timedelta(microseconds=1)
        upto = {
            name: total if last else total * passed // (segment.end - segment.start)
            for name, total in totals.items()
        }
        sums = {name: upto[name] - done[name] for name in _MEASURES}
        first = not out
        sums["energy_m"] = sums["distance_m"] if segment.energy_wh is not None else 0
        sums["segments"] = int(first)
        sums["driver_overrides"] = segment.driver_overrides if first else 0
        sums["system_deactivations"] = segment.system_deactivations if first else 0
        out.append(Part(segment, day, first, sums))
        if last:
            return out
        done, day = upto, day + DAY


def _moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def total(parts: Iterable[Part], name: str) -> int:
    return sum(part.sums[name] for part in parts)


def active(
    parts: Sequence[Part], start: date, last: date, functions: Sequence[str] | None, least: int = 1
) -> set[str]:
    """Cars with so many assisted metres from one day to another."""
    metres: dict[str, int] = {}
    for part in parts:
        if start <= part.day <= last and (functions is None or part.segment.function in functions):
            vin = part.segment.vin
            metres[vin] = metres.get(vin, 0) + part.sums["assisted_m"]
    return {vin for vin, n in metres.items() if n >= least}


def driven(parts: Sequence[Part], start: date, last: date) -> set[str]:
    """Cars with any metre from one day to another."""
    return {p.segment.vin for p in parts if start <= p.day <= last and p.sums["distance_m"] > 0}


def last_of(parts: Sequence[Part], start: date, last: date, name: str) -> dict[str, Any]:
    """Car → city, software or level of its last day: that of most metres, of as many the last by name."""
    measure = "assisted_m" if name == "level" else "distance_m"
    metres: dict[tuple[str, date], dict[Any, int]] = {}
    for part in parts:
        if start <= part.day <= last:
            values = metres.setdefault((part.segment.vin, part.day), {})
            value = getattr(part.segment, name)
            values[value] = values.get(value, 0) + part.sums[measure]
    out: dict[str, Any] = {}
    for (vin, _), values in sorted(metres.items(), key=lambda item: item[0]):
        some = [(n, value is not None, str(value), value) for value, n in values.items() if n > 0]
        if some:
            best = max(some, key=lambda one: one[:3])
            out |= {vin: best[3]}
    return out
