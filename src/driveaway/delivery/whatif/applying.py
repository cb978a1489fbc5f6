"""A launch as it would be described after changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch

from msgspec.structs import replace

from driveaway.delivery.supply.lead import leg_of
from driveaway.delivery.supply.reading import Notes
from driveaway.delivery.whatif.changes import (
    AddShift,
    Availability,
    Cancelling,
    Change,
    EndShift,
    Handovers,
    LimitTo,
    LineRate,
    LineStop,
    PartArrival,
    ShiftHours,
    TargetAmount,
    TransportTime,
    WorkingWeek,
    WorkOn,
)
from driveaway.delivery.whatif.limits import arrived, limited
from driveaway.delivery.whatif.lines import on_lines, rated, shared, shift_added, shift_ended, stopped
from driveaway.delivery.whatif.reader import nearest
from driveaway.delivery.whatif.stepping import day_after, day_before, reshaped
from driveaway.delivery.whatif.vocabulary import vocabulary
from driveaway.facts.description import Description
from driveaway.facts.planning import WEEKDAYS, Centre, Holiday, Leg, Shift
from driveaway.values.errors import BadValue


def apply(description: Description, changes: Iterable[Change]) -> Description:
    """The description after the changes, one after the other; without any it is the same.

    Raises:
        BadValue: a change names what the launch does not have, or cannot be made.
    """
    for change in changes:
        description = _applied(change, description)
    return description


@singledispatch
def _applied(change: Change, description: Description) -> Description:
    raise TypeError(change)


@_applied.register
def _(change: AddShift, description: Description) -> Description:
    return on_lines(description, change.lines, lambda plant, line: shift_added(line, change, plant.name))


@_applied.register
def _(change: EndShift, description: Description) -> Description:
    changed = on_lines(description, change.lines, lambda plant, line: shift_ended(line, change))
    if changed == description:
        names = {s.name for p in description.plants for line in p.lines for s in line.shifts}
        raise BadValue(
            f"no shift {change.name!r} runs from {change.from_day} on",
            code="whatif.no_shift",
            remedy=f"there are: {', '.join(sorted(names)) or 'none'}",
        )
    return changed


@_applied.register
def _(change: LineStop, description: Description) -> Description:
    return stopped(description, change)


@_applied.register
def _(change: LineRate, description: Description) -> Description:
    return on_lines(description, change.lines, lambda plant, line: rated(line, change, plant))


@_applied.register
def _(change: Availability, description: Description) -> Description:
    return on_lines(description, change.lines, lambda _, line: shared(line, change))


@_applied.register
def _(change: ShiftHours, description: Description) -> Description:
    def longer(shift: Shift) -> Shift:
        hours = shift.hours * (1 + change.percent / 100) if change.percent is not None else change.hours
        return replace(shift, hours=hours)

    return _shifts(description, change, longer)


@_applied.register
def _(change: WorkingWeek, description: Description) -> Description:
    return _shifts(description, change, lambda shift: replace(shift, weekdays=WEEKDAYS[: change.days]))


def _shifts(
    description: Description, change: ShiftHours | WorkingWeek, how: Callable[[Shift], Shift]
) -> Description:
    return on_lines(
        description,
        change.lines,
        lambda _, line: replace(line, shifts=reshaped(line.shifts, change.from_day, change.until_day, how)),
    )


@_applied.register
def _(change: WorkOn, description: Description) -> Description:
    days, day = [], change.from_day
    while day <= change.until_day:
        days.append(day)
        day = day_after(day)
    calendar = description.calendar
    holidays: list[Holiday] = []
    for holiday in calendar.holidays:
        first, last = holiday.from_day, holiday.until_day or holiday.from_day
        if last < change.from_day or first > change.until_day:
            holidays.append(holiday)
            continue
        if first < change.from_day:
            holidays.append(replace(holiday, until_day=day_before(change.from_day)))
        if last > change.until_day:
            holidays.append(replace(holiday, from_day=day_after(change.until_day), until_day=last))
    worked = (*calendar.working_days, *(day for day in days if day not in calendar.working_days))
    return replace(
        description, calendar=replace(calendar, holidays=tuple(holidays), working_days=tuple(worked))
    )


@_applied.register
def _(change: LimitTo, description: Description) -> Description:
    return limited(description, change)


@_applied.register
def _(change: PartArrival, description: Description) -> Description:
    return arrived(description, change)


@_applied.register
def _(change: TransportTime, description: Description) -> Description:
    transport = description.transport

    def days(before: float) -> float:
        return max(0.0, before + (change.more_days or 0)) if change.days is None else change.days

    if not change.regions:
        legs = tuple(replace(leg, days=days(leg.days)) for leg in transport.to)
        return replace(description, transport=replace(transport, days=days(transport.days), to=legs))
    codes = _regions(description, change.regions)
    new = []
    for code in codes:
        leg = leg_of(description, code)[0]
        before = transport.days if leg is None else leg.days
        new.append(
            Leg(regions=(code,), days=days(before), spread_days=None if leg is None else leg.spread_days)
        )
    return replace(description, transport=replace(transport, to=(*transport.to, *new)))


def _regions(description: Description, names: Iterable[str]) -> tuple[str, ...]:
    known = vocabulary(description).regions
    for name in names:
        if name not in known:
            raise BadValue(
                f"there is no region {name!r}",
                code="whatif.region",
                remedy=f"did you mean {' or '.join(nearest(name, known)) or 'a code such as 650000'}?",
            )
    return tuple(known[name] for name in names)


@_applied.register
def _(change: Handovers, description: Description) -> Description:
    codes = _regions(description, change.regions)
    centres = description.handover.centres
    meant = [centre for centre in centres if not codes or centre.region in codes]
    others = tuple(centre for centre in centres if centre not in meant)
    if change.percent is not None:
        if not meant:
            raise BadValue(
                "no delivery centre there has a capacity that could change by a percentage",
                code="whatif.handovers",
                remedy="describe it in launch.toml, or say: handovers 40 per day in 110000",
            )
        factor = 1 + change.percent / 100
        new = reshaped(
            meant,
            change.from_day,
            change.until_day,
            lambda centre: replace(centre, per_day=centre.per_day * factor),
        )
    else:
        assert change.per_day is not None
        new = reshaped(meant, change.from_day, change.until_day, lambda centre: None)
        new += tuple(
            Centre(
                name=f"region-{code}",
                region=code,
                per_day=change.per_day,
                from_day=change.from_day,
                until_day=change.until_day,
            )
            for code in codes
        )
    return replace(description, handover=replace(description.handover, centres=(*others, *new)))


@_applied.register
def _(change: TargetAmount, description: Description) -> Description:
    named = [target for target in description.targets if target.name == change.target]
    if not named:
        names = [target.name for target in description.targets]
        raise BadValue(
            f"there is no target {change.target!r}",
            code="whatif.target",
            remedy=f"did you mean {' or '.join(nearest(change.target, names) or names or ['none'])}?",
        )
    last = max(named, key=lambda target: target.set_on)
    targets = tuple(
        replace(target, amount=change.amount) if target is last else target for target in description.targets
    )
    return replace(description, targets=targets)


@_applied.register
def _(change: Cancelling, description: Description) -> Description:
    if not description.cancellations:
        raise BadValue(
            "no cancellations are described",
            code="whatif.cancellations",
            remedy="describe [[cancellations]] in launch.toml",
        )
    factor = 1 + change.percent / 100
    notes = Notes()
    steps = tuple(
        replace(step, per_day=notes.share(step.per_day * factor, "cancellations"))
        for step in description.cancellations
    )
    return replace(description, cancellations=steps)
