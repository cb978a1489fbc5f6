"""The expected output of a line on each day: hours × jobs per hour × availability × ramp."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Flags
from driveaway.delivery.supply.calendar import runs
from driveaway.delivery.supply.reading import Days, Notes, number_of
from driveaway.facts.description import Plant
from driveaway.facts.planning import Line, LineStep, Ramp, Shift, Stop
from driveaway.values.clock import parse_day
from driveaway.values.errors import BadValue

_HOURS_OF_A_SHIFT = 8.0
_WORKING_DAYS_OF_A_YEAR = 250
SECONDS_OF_AN_HOUR = 3600.0


def lines_of(plant: Plant) -> tuple[Line, ...]:
    """The lines of a plant; a plant that describes none is one line, from what it states of its capacity.

    Of ``daily_output``, ``shifts`` with ``takt_seconds``, and ``yearly_capacity`` the first that is given
    counts. Nothing given: no line.
    """
    if plant.lines:
        return plant.lines
    name = "line"
    if plant.daily_output is not None:
        return (_stated(name, plant.daily_output / _HOURS_OF_A_SHIFT),)
    if plant.shifts is not None and plant.takt_seconds is not None:
        shifts = tuple(Shift(name=f"shift-{i + 1}") for i in range(plant.shifts))
        return (Line(name=name, takt_seconds=plant.takt_seconds, shifts=shifts),)
    if plant.yearly_capacity is not None:
        return (_stated(name, plant.yearly_capacity / _WORKING_DAYS_OF_A_YEAR / _HOURS_OF_A_SHIFT),)
    return ()


def _stated(name: str, jobs_per_hour: float) -> Line:
    shift = Shift(name="day", hours=_HOURS_OF_A_SHIFT)
    return Line(name=name, jobs_per_hour=jobs_per_hour, availability=1.0, shifts=(shift,))


def output(plant: Plant, line: Line, days: Days, notes: Notes) -> tuple[Amounts, float] | None:
    """Expected cars on each day, shape (days,), and the spread of its ramps; None where it has no rate."""
    place = f"plants.{plant.name}.lines.{line.name}"
    rate = _rate(plant, line, place, days, notes)
    if rate is None:
        return None
    hours = np.zeros(days.count)
    spreads = [0.0]
    for run in runs(line.shifts, place, days, notes):
        learned = np.ones(days.count)
        if run.shift.ramp is not None:
            ramp = run.shift.ramp
            start = ramp.from_day or run.shift.from_day
            learned = _learned([(ramp, start, f"{run.place}.ramp")], days, notes)
            spreads.append(notes.spread(ramp.spread, f"{run.place}.ramp.spread"))
        hours += run.hours * learned
    ramps = [(ramp, ramp.from_day, f"{place}.ramps") for ramp in line.ramps]
    hours *= _learned(ramps, days, notes)
    spreads += [notes.spread(ramp.spread, f"{place}.ramps.spread") for ramp in line.ramps]
    for stops, where in ((line.stops, place), (plant.stops, f"plants.{plant.name}")):
        hours[_stopped(stops, f"{where}.stops", days, notes)] = 0.0
    return np.asarray(hours * rate), max(spreads)


def jobs_per_hour(item: Line | LineStep, plant: Plant | None = None) -> float | None:
    """The rate that is given, or that of the plant's line cycle time; None: none is given."""
    if item.jobs_per_hour is not None:
        return item.jobs_per_hour
    takt = item.takt_seconds
    if takt is None and plant is not None:
        takt = plant.takt_seconds
    if takt is None:
        return None
    return SECONDS_OF_AN_HOUR / takt if takt > 0 else float("nan")


def _rate(plant: Plant, line: Line, place: str, days: Days, notes: Notes) -> Amounts | None:
    """Cars an hour that the line runs, availability included, on each day."""
    given = jobs_per_hour(line, plant)
    if given is None or not _capacity(given, line, place, notes, "planned without this line"):
        if given is None:
            notes.add(
                BadValue(
                    "its rate is not given",
                    code="delivery.rate",
                    place=place,
                    remedy="give jobs_per_hour or takt_seconds; planned without this line",
                )
            )
        return None
    rates = np.full(days.count, given)
    shares = np.full(days.count, notes.share(line.availability, f"{place}.availability"))
    for step in sorted(line.steps, key=lambda step: step.from_day):
        where = f"{place}.steps.{step.from_day}"
        span = notes.span(step.from_day, None, where)
        if span is None:
            continue
        on = days.within(span)
        changed = jobs_per_hour(step)
        if changed is not None and _capacity(changed, step, where, notes, "planned at the rate before"):
            rates[on] = changed
        if step.availability is not None:
            shares[on] = notes.share(step.availability, f"{where}.availability")
    return np.asarray(rates * shares)


def _capacity(value: float, item: Line | LineStep, place: str, notes: Notes, how: str) -> bool:
    name = "jobs_per_hour" if item.jobs_per_hour is not None else "takt_seconds"
    if item.jobs_per_hour is not None and item.takt_seconds is not None:
        notes.add(
            BadValue(
                "jobs_per_hour and takt_seconds are both given",
                code="delivery.rate_twice",
                place=place,
                remedy="leave one out; planned with jobs_per_hour",
            )
        )
    if isfinite(value) and value > 0:
        return True
    notes.add(
        BadValue(
            f"a capacity of {getattr(item, name) if getattr(item, name) is not None else value}",
            code="delivery.capacity",
            place=f"{place}.{name}",
            remedy=f"more than 0 (for days without output describe a stop); {how}",
        )
    )
    return False


def _learned(ramps: Sequence[tuple[Ramp, str | None, str]], days: Days, notes: Notes) -> Amounts:
    """Share of full output on each day; a later ramp takes over from an earlier one."""
    share = np.ones(days.count)
    dated: list[tuple[int, Ramp, str]] = []
    for ramp, text, place in ramps:
        if text is None:
            notes.add(
                BadValue(
                    "the first day of the ramp is not given",
                    code="delivery.ramp_day",
                    place=f"{place}.from_day",
                    remedy="give from_day; planned without this ramp",
                )
            )
        elif (start := notes.day(text, f"{place}.from_day")) is not None:
            dated.append((start, ramp, place))
    for start, ramp, place in sorted(dated, key=lambda item: item[0]):
        since = days.first + np.arange(days.count) - start
        share = np.where(since >= 0, _curve(ramp, place, since, notes), share)
    return share


def _curve(ramp: Ramp, place: str, since: np.ndarray, notes: Notes) -> Amounts:
    low = notes.share(ramp.start_share, f"{place}.start_share")
    full = notes.share(ramp.full_share, f"{place}.full_share")
    length, half = ramp.days_to_full, ramp.half_life_days
    for name, value in (("days_to_full", length), ("half_life_days", half)):
        if value is not None and not value > 0:
            notes.add(
                BadValue(
                    f"a ramp of {value:g} days",
                    code="delivery.ramp_days",
                    place=f"{place}.{name}",
                    remedy="more than 0; planned at its full share from its first day",
                )
            )
            return np.full(len(since), full)
    if length is not None and half is not None:
        notes.add(
            BadValue(
                "days_to_full and half_life_days are both given",
                code="delivery.ramp_twice",
                place=place,
                remedy="leave one out; planned with days_to_full",
            )
        )
    after = np.maximum(since, 0).astype(np.float64)
    if length is not None:
        return np.asarray(low + (full - low) * np.minimum(1.0, after / length))
    if half is not None:
        return np.asarray(full - (full - low) * np.exp2(-after / half))
    return np.full(len(since), full)


def _stopped(stops: Sequence[Stop], place: str, days: Days, notes: Notes) -> Flags:
    on = np.zeros(days.count, np.bool_)
    for stop in stops:
        where = f"{place}.{stop.from_day}"
        span = notes.span(stop.from_day, stop.until_day or stop.from_day, where)
        if span is not None:
            on |= days.within(span)
    return on


def opened(text: str) -> int:
    """The day of a day or ISO 8601 time in its own zone, in days since 1970."""
    return number_of(parse_day(text[:10]))
