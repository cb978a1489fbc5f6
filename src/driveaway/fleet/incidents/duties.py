"""Duties to report: the packaged list, those of a launch, and whether one applies to an incident."""

from __future__ import annotations

import calendar
import tomllib
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from driveaway.facts.duties import Duty
from driveaway.facts.fleet import Fleet
from driveaway.fleet.incidents.engagement import engagement
from driveaway.fleet.incidents.register import Incident
from driveaway.values.clock import DAY, HOUR, SECOND, end_of_day, local_day
from driveaway.values.errors import NotFound

Applies = Literal["yes", "no", "unknown"]
_PACKAGED: Final = "duties.toml"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    duties: tuple[Duty, ...]


@cache
def packaged_duties() -> tuple[Duty, ...]:
    """The duties that come with the program."""
    text = files(__package__).joinpath(_PACKAGED).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File).duties


def duties_of(rules: Fleet) -> tuple[Duty, ...]:
    """The duties of a launch: its own, and the packaged ones that it does not replace; by name."""
    by_name = {duty.name: duty for duty in packaged_duties()}
    by_name |= {duty.name: duty for duty in rules.duties}
    return tuple(by_name[name] for name in sorted(by_name))


def duty_named(rules: Fleet, name: str) -> Duty:
    """One duty of a launch.

    Raises:
        NotFound: there is none of this name.
    """
    for duty in duties_of(rules):
        if duty.name == name:
            return duty
    raise NotFound(
        f"there is no duty {name!r}", code="duty.unknown", remedy="driveaway incident duties lists them"
    )


def applies(duty: Duty, incident: Incident, zone: ZoneInfo) -> Applies:
    """Whether a duty asks for a report on an incident; ``unknown`` where that hangs on what is not known.

    What is not known is what the functions did, or which level an engaged one has.
    """
    begins = base(duty, incident)
    if duty.every is not None or begins is None or incident.country not in duty.countries:
        return "no"
    day = local_day(begins, zone).isoformat()
    if day < duty.valid_from or (duty.valid_until is not None and day > duty.valid_until):
        return "no"
    came_to = set(incident.outcomes)
    if not came_to.issuperset(duty.all_of) or not came_to.isdisjoint(duty.none_of):
        return "no"
    if duty.any_of and came_to.isdisjoint(duty.any_of):
        return "no"
    if duty.engaged_within is None:
        return "yes"
    found = engagement(incident.states, duty.engaged_within)
    if found.engaged is None:
        return "unknown"
    if not found.engaged:
        return "no"
    if not duty.levels or set(found.levels) & set(duty.levels):
        return "yes"
    return "no" if found.levels else "unknown"


def base(duty: Duty, incident: Incident) -> int | None:
    """From when a duty's time runs, microseconds since 1970 UTC; None: it has not begun."""
    if duty.counts_from == "corrected":
        return incident.corrected
    if duty.counts_from == "learned" and incident.learned is not None:
        return incident.learned
    return incident.happened


def deadline(duty: Duty, incident: Incident, zone: ZoneInfo) -> int | None:
    """When a duty is due, microseconds since 1970 UTC; None: no number is stated.

    Of several terms the earliest holds. Hours and days run exactly; a day of a month ends in ``zone``, with
    its last whole second.
    """
    begins = base(duty, incident)
    if begins is None:
        return None
    terms = []
    if duty.hours is not None:
        terms.append(begins + duty.hours * HOUR)
    if duty.days is not None:
        terms.append(begins + duty.days * DAY)
    if duty.month_day is not None:
        last = _in_next_month(local_day(begins, zone), duty.month_day)
        terms.append(end_of_day(last, zone) + 1 - SECOND)
    return min(terms, default=None)


def period_ends(duty: Duty, until: date) -> list[tuple[date, date]]:
    """(first day, last day) of every period of a regular duty that had begun by a day.

    A period in which the duty began to hold counts from that day; none begins after its last one.
    """
    day = date.fromisoformat(duty.valid_from)
    stop = until if duty.valid_until is None else min(until, date.fromisoformat(duty.valid_until))
    found = []
    while duty.every is not None and day <= stop:
        month = 12 if duty.every == "year" else day.month
        last = date(day.year, month, calendar.monthrange(day.year, month)[1])
        found.append((day, last))
        day = last + timedelta(days=1)
    return found


def _in_next_month(day: date, number: int) -> date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(number, calendar.monthrange(year, month)[1]))
