"""On which days of the horizon a shift runs, and for how many hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driveaway.delivery.planning.problem import Amounts, Flags
from driveaway.delivery.supply.reading import ALWAYS_FROM, ALWAYS_UNTIL, Days, Notes, day_of
from driveaway.facts.planning import WEEKDAYS, Calendar, Shift
from driveaway.values.errors import BadValue

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WEEK = 7 * 24 * 60
_HOURS = 24.0


def horizon(calendar: Calendar, first: int, count: int, notes: Notes) -> Days:
    """The days of a horizon with the calendar's holidays and make-up days.

    A day that is both is a holiday, and a problem.
    """
    numbers = first + np.arange(count)
    bare = Days(first, count, (numbers + 3) % 7, np.zeros(count, np.bool_), np.zeros(count, np.bool_))
    off = np.zeros(count, np.bool_)
    for holiday in calendar.holidays:
        place = f"calendar.holidays.{holiday.name}"
        span = notes.span(holiday.from_day, holiday.until_day or holiday.from_day, place)
        if span is not None:
            off |= bare.within(span)
    worked = np.zeros(count, np.bool_)
    for text in calendar.working_days:
        day = notes.day(text, "calendar.working_days")
        if day is None or not 0 <= day - first < count:
            continue
        if off[day - first]:
            notes.add(
                BadValue(
                    f"{text} is a holiday and a day worked in exchange",
                    code="delivery.calendar",
                    place="calendar.working_days",
                    remedy="take it out of one of them; planned as a holiday",
                )
            )
        else:
            worked[day - first] = True
    return Days(first, count, bare.weekday, off, worked)


@dataclass(frozen=True)
class Run:
    """A shift in the horizon.

    Attributes:
        shift: as described.
        place: path of the attribute.
        span: first and last day on which it is in force.
        hours: worked on each day, shape (days,).
    """

    shift: Shift
    place: str
    span: tuple[int, int]
    hours: Amounts


def runs(shifts: Sequence[Shift], place: str, days: Days, notes: Notes) -> list[Run]:
    """The shifts of a line in the horizon; overlaps are counted once, gaps are noted."""
    valid = [item for shift in shifts if (item := _valid(shift, f"{place}.shifts.{shift.name}", days, notes))]
    followed = _followed(valid, days, notes)
    _note_gaps(followed, place, days, notes)
    return _within_a_day(_apart(followed, days, notes), place, notes)


def working(shift: Shift, days: Days) -> Flags:
    """On which days a shift runs by weekday, holidays and make-up days, shape (days,)."""
    names = np.array([name in shift.weekdays for name in WEEKDAYS])
    on = names[days.weekday] | (days.makeup & bool(names[:5].any()))
    return np.asarray(on if shift.on_holidays else on & ~days.holiday)


def _valid(shift: Shift, place: str, days: Days, notes: Notes) -> Run | None:
    span = notes.span(shift.from_day, shift.until_day, place)
    if span is None:
        return None
    hours = shift.hours
    if not 0 < hours <= _HOURS:
        notes.add(
            BadValue(
                f"a shift of {hours:g} hours",
                code="delivery.hours",
                place=f"{place}.hours",
                remedy="more than 0 and at most 24; "
                + ("planned with 24" if hours > 0 else "planned without this shift"),
            )
        )
        if not hours > 0:
            return None
        hours = _HOURS
    return Run(shift, place, span, np.where(working(shift, days) & days.within(span), hours, 0.0))


def _followed(runs: list[Run], days: Days, notes: Notes) -> list[Run]:
    """The next form of a shift ends the one before it; both in force at once is a problem."""
    kept: list[Run] = []
    for name in dict.fromkeys(run.shift.name for run in runs):
        forms = sorted((run for run in runs if run.shift.name == name), key=lambda run: run.span[0])
        for form, following in zip(forms, [*forms[1:], None], strict=True):
            if following is None or following.span[0] > form.span[1]:
                kept.append(form)
                continue
            same_start = following.span[0] == form.span[0]
            if form.span[1] != ALWAYS_UNTIL or same_start:
                notes.add(
                    BadValue(
                        f"two forms of the shift overlap: {_said(form)} and {_said(following)}",
                        code="delivery.shifts",
                        place=form.place,
                        remedy="end the first on the day before the second; planned with the second there",
                    )
                )
            if not same_start:
                span = (form.span[0], following.span[0] - 1)
                kept.append(Run(form.shift, form.place, span, form.hours * days.within(span)))
    return kept


def _note_gaps(runs: list[Run], place: str, days: Days, notes: Notes) -> None:
    """Days of the horizon without any shift in force, after a shift that was."""
    if not runs:
        return
    last = days.first + days.count - 1
    reached = min(run.span[0] for run in runs) - 1
    for start, end in [*sorted(run.span for run in runs), (last + 1, last + 1)]:
        begin, stop = max(reached + 1, days.first), min(start - 1, last)
        if begin <= stop:
            notes.add(
                BadValue(
                    f"no shift is in force from {day_of(begin)} to {day_of(stop)}",
                    code="delivery.calendar_gap",
                    place=f"{place}.shifts",
                    remedy="let a shift go on or begin there, or describe a stop; planned without output",
                )
            )
        reached = max(reached, end)


def _apart(runs: list[Run], days: Days, notes: Notes) -> list[Run]:
    """Hours that two shifts share by the clock are counted in the first only."""
    minutes = [_minutes(run, notes) for run in runs]
    kept: list[Run] = []
    for i, run in enumerate(runs):
        hours = run.hours
        for other, clock in zip(runs[:i], minutes[:i], strict=True):
            mine = minutes[i]
            both = (max(run.span[0], other.span[0]), min(run.span[1], other.span[1]))
            if mine is None or clock is None or both[0] > both[1] or other.shift.name == run.shift.name:
                continue
            shared = int((mine & clock).sum())
            if shared:
                notes.add(
                    BadValue(
                        f"the shifts {other.shift.name!r} and {run.shift.name!r} overlap by "
                        f"{shared / 60:g} hours a week",
                        code="delivery.shifts",
                        place=run.place,
                        remedy="change starts, hours or break_hours; what they share is planned once",
                    )
                )
                hours = np.where(days.within(both), hours * (1 - shared / int(mine.sum())), hours)
        kept.append(Run(run.shift, run.place, run.span, hours))
    return kept


def _minutes(run: Run, notes: Notes) -> NDArray[np.bool_] | None:
    """Which minutes of a week the shift takes, breaks included; None where it has no time of the clock."""
    shift = run.shift
    if shift.starts is None:
        return None
    clock = _CLOCK.fullmatch(shift.starts)
    if clock is None:
        notes.add(
            BadValue(
                f"{shift.starts!r} is no time of the clock",
                code="delivery.clock",
                place=f"{run.place}.starts",
                remedy="write HH:MM; planned without looking for overlaps",
            )
        )
        return None
    taken = np.zeros(_WEEK, np.bool_)
    length = round(min(_HOURS, shift.hours + max(0.0, shift.break_hours)) * 60)
    for name in shift.weekdays:
        start = WEEKDAYS.index(name) * 24 * 60 + int(clock[1]) * 60 + int(clock[2])
        taken[np.arange(start, start + length) % _WEEK] = True
    return taken


def _within_a_day(runs: list[Run], place: str, notes: Notes) -> list[Run]:
    if not runs:
        return runs
    total = np.sum([run.hours for run in runs], axis=0)
    longest = float(total.max())
    if longest <= _HOURS + 1e-9:
        return runs
    notes.add(
        BadValue(
            f"shifts of {longest:g} hours on one day",
            code="delivery.hours",
            place=f"{place}.shifts",
            remedy="at most 24 hours in all; planned with 24",
        )
    )
    factor = _HOURS / np.maximum(total, _HOURS)
    return [Run(run.shift, run.place, run.span, run.hours * factor) for run in runs]


def _said(run: Run) -> str:
    start, end = run.span
    return (
        f"{'the beginning' if start == ALWAYS_FROM else day_of(start)} to "
        f"{'an open end' if end == ALWAYS_UNTIL else day_of(end)}"
    )
