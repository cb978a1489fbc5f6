"""Changes printed back: in the grammar, as TOML, and as a plain sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import singledispatch

import msgspec

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
from driveaway.delivery.whatif.reader import KEYWORDS, MONTHS, NOT_SHIFTS

_BARE = re.compile(r"[^\W\d_]+(?:[ /-][^\W\d_]+)*|[a-z][a-z0-9/.-]*|\d+(?:\.\d+)? kWh pack|\d{6}")


def number(value: float) -> str:
    """A number with all its digits and no exponent, which reads back as the same number."""
    # Adding 0 takes the sign from a zero.
    text = format(Decimal(repr(float(value) + 0.0)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quoted(name: str) -> str:
    """A name as the grammar takes it: in quotes where its words could be mistaken."""
    words = re.findall(r"\w+", name.lower())
    if _BARE.fullmatch(name) and not KEYWORDS & set(words):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def toml(changes: Iterable[Change]) -> str:
    """Changes as a TOML file; what is not said is left out."""
    tables = []
    for change in changes:
        attributes = msgspec.to_builtins(change)
        lines = [
            f"{name} = {_value(value)}" for name, value in attributes.items() if value not in (None, [], ())
        ]
        tables.append("\n".join(("[[changes]]", *lines)))
    return "\n\n".join(tables) + "\n" if tables else ""


def _value(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    assert isinstance(value, int | float)
    return number(value)


@singledispatch
def show(change: Change) -> str:
    """A change in the grammar, with its days in full: ``parse(show(change))`` gives the change again."""
    raise TypeError(change)


@singledispatch
def sentence(change: Change) -> str:
    """A change in one plain sentence."""
    raise TypeError(change)


@show.register
def _(change: AddShift) -> str:
    hours = "" if change.hours is None else f" of {number(change.hours)} h"
    return f"{_shift(change.name)} shift{hours}{_when(change)}{_on(change.lines)}"


@sentence.register
def _(change: AddShift) -> str:
    hours = "" if change.hours is None else f" of {number(change.hours)} hours"
    return f"A further shift ({change.name}){hours} runs{_where(change.lines)}{_told(change)}."


@show.register
def _(change: EndShift) -> str:
    return f"no {_shift(change.name)} shift from {change.from_day}{_on(change.lines)}"


@sentence.register
def _(change: EndShift) -> str:
    return f"The {change.name} shift does not run{_where(change.lines)} from {_day(change.from_day)} on."


@show.register
def _(change: LineStop) -> str:
    return f"line stop {change.from_day}..{change.until_day}{_on(change.lines)}"


@sentence.register
def _(change: LineStop) -> str:
    lines = "Every line stands" if not change.lines else f"{', '.join(change.lines)} stand"
    return f"{lines} still {_span(change.from_day, change.until_day)}."


@show.register
def _(change: LineRate) -> str:
    if change.takt_seconds is not None:
        return f"takt {number(change.takt_seconds)} s{_when(change)}{_on(change.lines)}"
    return f"jobs per hour {_level(change.percent, change.jobs_per_hour)}{_when(change)}{_on(change.lines)}"


@sentence.register
def _(change: LineRate) -> str:
    if change.percent is not None:
        rate = f"{_more(change.percent)} cars an hour"
    elif change.takt_seconds is not None:
        rate = f"a car every {number(change.takt_seconds)} seconds"
    else:
        rate = f"{number(change.jobs_per_hour or 0)} cars an hour"
    return f"The line runs at {rate}{_where(change.lines)}{_told(change)}."


@show.register
def _(change: Availability) -> str:
    return f"availability {_level(change.percent, change.share)}{_when(change)}{_on(change.lines)}"


@sentence.register
def _(change: Availability) -> str:
    share = (
        f"{_more(change.percent)} than it was"
        if change.percent is not None
        else f"{number(round((change.share or 0) * 100, 10))}% of the worked time"
    )
    return f"The line is available {share}{_where(change.lines)}{_told(change)}."


@show.register
def _(change: ShiftHours) -> str:
    return f"shift hours {_level(change.percent, change.hours)}{_when(change)}{_on(change.lines)}"


@sentence.register
def _(change: ShiftHours) -> str:
    hours = _more(change.percent) if change.percent is not None else number(change.hours or 0)
    return f"Each shift works {hours} hours{_where(change.lines)}{_told(change)}."


@show.register
def _(change: WorkingWeek) -> str:
    return f"{change.days} days a week{_when(change)}{_on(change.lines)}"


@sentence.register
def _(change: WorkingWeek) -> str:
    return f"Shifts run on {change.days} days a week{_where(change.lines)}{_told(change)}."


@show.register
def _(change: WorkOn) -> str:
    return f"work on {change.from_day}..{change.until_day}"


@sentence.register
def _(change: WorkOn) -> str:
    return f"All shifts work {_span(change.from_day, change.until_day)}, weekend or holiday."


@show.register
def _(change: LimitTo) -> str:
    if change.percent is None and change.amount is None:
        return f"{quoted(change.limit)} unlimited{_when(change)}"
    per = "" if change.per is None else f" per {change.per}"
    return f"{quoted(change.limit)} {_level(change.percent, change.amount)}{per}{_when(change)}"


@sentence.register
def _(change: LimitTo) -> str:
    if change.percent is not None:
        said = f"allows {_more(change.percent)}"
    elif change.amount is not None:
        said = f"allows {number(change.amount)} cars a {change.per}"
    else:
        said = "does not hold"
    return f"The limit {change.limit!r} {said}{_told(change)}."


@show.register
def _(change: PartArrival) -> str:
    return f"{quoted(change.part)} {number(change.amount)} arrive on {change.day}"


@sentence.register
def _(change: PartArrival) -> str:
    return f"{number(change.amount)} more of {change.part!r} arrive on {_day(change.day)}."


@show.register
def _(change: TransportTime) -> str:
    days = _signed(change.more_days) if change.more_days is not None else number(change.days or 0)
    to = f" to {', '.join(map(quoted, change.regions))}" if change.regions else ""
    return f"transport {days} days{to}"


@sentence.register
def _(change: TransportTime) -> str:
    if change.more_days is not None:
        word = "longer" if change.more_days >= 0 else "less"
        days = f"{number(abs(change.more_days))} days {word}"
    else:
        days = f"{number(change.days or 0)} days"
    return f"Transport to {', '.join(change.regions) or 'every region'} takes {days}."


@show.register
def _(change: Handovers) -> str:
    level = (
        f"{number(change.per_day)} per day"
        if change.per_day is not None
        else f"{_signed(change.percent or 0)}%"
    )
    where = f" in {', '.join(map(quoted, change.regions))}" if change.regions else ""
    return f"handovers {level}{where}{_when(change)}"


@sentence.register
def _(change: Handovers) -> str:
    if change.per_day is not None:
        each = f"in each of {', '.join(change.regions)}"
        return f"At most {number(change.per_day)} cars a day are handed over {each}{_told(change)}."
    where = f" in {', '.join(change.regions)}" if change.regions else ""
    return f"Delivery centres{where} can hand over {_more(change.percent or 0)} cars{_told(change)}."


@show.register
def _(change: TargetAmount) -> str:
    return f"target {quoted(change.target)} {change.amount}"


@sentence.register
def _(change: TargetAmount) -> str:
    return f"The target {change.target} is {change.amount:,}."


@show.register
def _(change: Cancelling) -> str:
    return f"cancellations {_signed(change.percent)}%"


@sentence.register
def _(change: Cancelling) -> str:
    return f"Firm orders are called off {_more(change.percent)} often."


def _shift(name: str) -> str:
    plain = re.fullmatch(r"[^\W\d_][\w.-]*", name) and name == name.lower() and name not in NOT_SHIFTS
    return name if plain else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _signed(value: float) -> str:
    return number(value) if value < 0 else f"+{number(value)}"


def _level(percent: float | None, value: float | None) -> str:
    return f"{_signed(percent)}%" if percent is not None else number(value or 0)


def _more(percent: float) -> str:
    return f"{number(abs(percent))}% {'more' if percent >= 0 else 'less'}"


def _when(change: AddShift | LineRate | Availability | ShiftHours | WorkingWeek | LimitTo | Handovers) -> str:
    start = "" if change.from_day is None else f" from {change.from_day}"
    return start + ("" if change.until_day is None else f" until {change.until_day}")


def _told(change: AddShift | LineRate | Availability | ShiftHours | WorkingWeek | LimitTo | Handovers) -> str:
    if change.until_day is None:
        return "" if change.from_day is None else f" from {_day(change.from_day)} on"
    if change.from_day is None:
        return f" until {_day(change.until_day)}"
    return f" {_span(change.from_day, change.until_day)}"


def _on(lines: Sequence[str]) -> str:
    return f" on {', '.join(map(quoted, lines))}" if lines else ""


def _where(lines: Sequence[str]) -> str:
    return f" on {', '.join(lines)}" if lines else ""


def _span(first: str, last: str) -> str:
    return f"on {_day(first)}" if first == last else f"from {_day(first)} to {_day(last)}"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
