"""Changes of lines: shifts, rates, availability, stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from driveaway.delivery.supply.output import SECONDS_OF_AN_HOUR, jobs_per_hour, lines_of
from driveaway.delivery.whatif.changes import AddShift, Availability, EndShift, LineRate, LineStop
from driveaway.delivery.whatif.reader import nearest
from driveaway.delivery.whatif.stepping import day_before, stepped
from driveaway.delivery.whatif.vocabulary import vocabulary
from driveaway.facts.description import Description, Plant
from driveaway.facts.planning import Line, LineStep, Shift, Stop
from driveaway.values.errors import BadValue


def on_lines(
    description: Description, names: Sequence[str], change: Callable[[Plant, Line], Line]
) -> Description:
    """The description with some lines changed; a plant without lines gets the one that it is planned as.

    Args:
        description: of the launch.
        names: plants or plant/line; none: all lines.
        change: gives the line as it will be.

    Raises:
        BadValue: no such plant or line, or there is no line at all.
    """
    _check(description, names)
    plants = []
    for plant in description.plants:
        lines = tuple(change(plant, line) if _meant(plant, line, names) else line for line in lines_of(plant))
        plants.append(plant if lines == lines_of(plant) else replace(plant, lines=lines))
    return replace(description, plants=tuple(plants))


def stopped(description: Description, change: LineStop) -> Description:
    """Lines stand still: a stop of the plant where all of it is meant, else of the line."""
    _check(description, change.lines)
    stop = Stop(from_day=change.from_day, until_day=change.until_day, reason="what-if")
    plants = tuple(
        replace(plant, stops=(*plant.stops, stop))
        if not change.lines or plant.name in change.lines
        else plant
        for plant in description.plants
    )
    single = [name for name in change.lines if "/" in name]
    stopped = replace(description, plants=plants)
    if not single:
        return stopped
    return on_lines(stopped, single, lambda _, line: replace(line, stops=(*line.stops, stop)))


def shift_added(line: Line, change: AddShift, plant: str) -> Line:
    """The line with a further shift, after the pattern of the first that runs on its first day."""
    running = [
        shift
        for shift in line.shifts
        if (shift.from_day or "") <= change.from_day
        and (shift.until_day is None or shift.until_day >= change.from_day)
    ]
    if any(shift.name == change.name for shift in running):
        raise BadValue(
            f"the line {plant}/{line.name} has a shift {change.name!r} on {change.from_day} already",
            code="whatif.shift",
            remedy="give the new one another name, or change its hours: shift hours 10 from …",
        )
    pattern = next(iter(running or line.shifts), Shift(name=change.name))
    ramp = None if pattern.ramp is None else replace(pattern.ramp, from_day=None)
    new = replace(
        pattern,
        name=change.name,
        hours=pattern.hours if change.hours is None else change.hours,
        starts=None,
        from_day=change.from_day,
        until_day=change.until_day,
        ramp=ramp,
    )
    return replace(line, shifts=(*line.shifts, new))


def shift_ended(line: Line, change: EndShift) -> Line:
    """The line without a shift from a day on."""
    shifts = []
    for shift in line.shifts:
        if shift.name != change.name or (shift.until_day is not None and shift.until_day < change.from_day):
            shifts.append(shift)
        elif (shift.from_day or "") < change.from_day:
            shifts.append(replace(shift, until_day=day_before(change.from_day)))
    return replace(line, shifts=tuple(shifts))


def rated(line: Line, change: LineRate, plant: Plant) -> Line:
    """The line at another rate for a time."""
    before = jobs_per_hour(line, plant)
    if before is None and (change.percent is not None or change.from_day is not None):
        raise BadValue(
            f"the rate of line {plant.name}/{line.name} is not described",
            code="whatif.rate",
            remedy="describe jobs_per_hour or takt_seconds in launch.toml",
        )
    if change.percent is not None:
        factor = 1 + change.percent / 100
    else:
        factor = 0.0
        fixed = change.jobs_per_hour
        if change.takt_seconds is not None:
            fixed = SECONDS_OF_AN_HOUR / change.takt_seconds
    rates = [(step.from_day, rate) for step in line.steps if (rate := jobs_per_hour(step)) is not None]
    base, steps = stepped(
        before or 0.0,
        rates,
        change.from_day,
        change.until_day,
        (lambda rate: rate * factor) if change.percent is not None else (lambda _: fixed or 0.0),
    )
    if change.from_day is None:
        line = replace(line, jobs_per_hour=base, takt_seconds=None)
    others = [
        LineStep(from_day=step.from_day, availability=step.availability)
        for step in line.steps
        if step.availability is not None
    ]
    new = [LineStep(from_day=day, jobs_per_hour=rate) for day, rate in steps]
    return replace(line, steps=_ordered([*new, *others]))


def shared(line: Line, change: Availability) -> Line:
    """The line at another availability for a time."""
    shares = [(step.from_day, step.availability) for step in line.steps if step.availability is not None]

    def changed(share: float) -> float:
        if change.percent is not None:
            return min(1.0, share * (1 + change.percent / 100))
        return change.share or 0.0

    base, steps = stepped(line.availability, shares, change.from_day, change.until_day, changed)
    others = [replace(step, availability=None) for step in line.steps if jobs_per_hour(step) is not None]
    new = [LineStep(from_day=day, availability=share) for day, share in steps]
    return replace(line, availability=base, steps=_ordered([*others, *new]))


def _ordered(steps: list[LineStep]) -> tuple[LineStep, ...]:
    return tuple(sorted(steps, key=lambda step: step.from_day))


def _meant(plant: Plant, line: Line, names: Sequence[str]) -> bool:
    return not names or plant.name in names or f"{plant.name}/{line.name}" in names


def _check(description: Description, names: Sequence[str]) -> None:
    known = vocabulary(description).lines
    for name in names:
        if name not in known:
            raise BadValue(
                f"there is no line {name!r}",
                code="whatif.line",
                remedy=f"did you mean {' or '.join(nearest(name, known) or known)}?",
            )
    if not any(lines_of(plant) for plant in description.plants):
        raise BadValue(
            "the launch describes no line",
            code="whatif.no_line",
            remedy="describe a plant with its lines in launch.toml",
        )
