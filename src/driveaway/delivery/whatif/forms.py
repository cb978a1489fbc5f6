"""The forms of the grammar: one for each thing that a change can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

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
from driveaway.delivery.whatif.reader import Miss, Reader
from driveaway.delivery.whatif.vocabulary import Vocabulary


class Form(NamedTuple):
    """One form: how it is written, an example, and the function that reads it."""

    pattern: str
    example: str
    read: Callable[[Reader, Vocabulary], Change]


class _When(NamedTuple):
    from_day: str | None
    until_day: str | None
    lines: tuple[str, ...]


def _when(reader: Reader, words: Vocabulary, *, lines: bool = True) -> _When:
    """``[on LINES] [from DAY] [until DAY] [on LINES]``, or ``in MONTH``."""
    where = _where(reader, words) if lines else ()
    first = last = None
    if reader.try_words("in"):
        period = reader.day()
        first, last = period.first, period.last
    else:
        if reader.try_words("from"):
            first = reader.day().first
        if reader.try_words("until"):
            start, today = reader.at, reader.today
            reader.today = first or today
            last = reader.day().last
            reader.today = today
            if first is not None and last < first:
                raise reader.miss("a later day", at=start, complaint=f"{last} is before {first}")
    if lines and not where:
        where = _where(reader, words)
    return _When(None if first is None else str(first), None if last is None else str(last), where)


def _where(reader: Reader, words: Vocabulary) -> tuple[str, ...]:
    return reader.list_of(words.lines, "line") if reader.try_words("on") else ()


def _shift(reader: Reader, words: Vocabulary) -> Change:
    name = reader.shift()
    hours = None
    if reader.try_words("of"):
        hours = reader.number("hours")
        reader.words("h")
    when = _when(reader, words)
    if when.from_day is None:
        raise reader.miss("from DAY")
    return AddShift(
        name=name, hours=hours, from_day=when.from_day, until_day=when.until_day, lines=when.lines
    )


def _no_shift(reader: Reader, words: Vocabulary) -> Change:
    reader.words("no")
    name = reader.shift()
    where = _where(reader, words)
    reader.words("from")
    day = reader.day().first
    return EndShift(name=name, from_day=str(day), lines=where or _where(reader, words))


def _stop(reader: Reader, words: Vocabulary) -> Change:
    reader.words("line", "stop")
    where = _where(reader, words)
    period = reader.days()
    return LineStop(
        from_day=str(period.first), until_day=str(period.last), lines=where or _where(reader, words)
    )


def _jobs_per_hour(reader: Reader, words: Vocabulary) -> Change:
    reader.words("jobs", "per", "hour")
    percent, value = _level(reader)
    when = _when(reader, words)
    return LineRate(jobs_per_hour=value, percent=percent, **when._asdict())


def _takt(reader: Reader, words: Vocabulary) -> Change:
    reader.words("takt")
    value = reader.number("seconds")
    reader.words("s")
    return LineRate(takt_seconds=value, **_when(reader, words)._asdict())


def _availability(reader: Reader, words: Vocabulary) -> Change:
    reader.words("availability")
    percent, value = _level(reader)
    if value is not None and reader.try_words("%"):
        value /= 100
    return Availability(share=value, percent=percent, **_when(reader, words)._asdict())


def _hours(reader: Reader, words: Vocabulary) -> Change:
    reader.words("shift", "hours")
    percent, value = _level(reader)
    return ShiftHours(hours=value, percent=percent, **_when(reader, words)._asdict())


def _week(reader: Reader, words: Vocabulary) -> Change:
    start = reader.at
    days = reader.number("1 to 7")
    reader.words("days", "a", "week")
    if days not in range(1, 8):
        raise reader.miss("1 to 7", at=start, complaint=f"a week of {days:g} days")
    return WorkingWeek(days=int(days), **_when(reader, words)._asdict())


def _work(reader: Reader, words: Vocabulary) -> Change:
    del words
    reader.words("work", "on")
    period = reader.days()
    return WorkOn(from_day=str(period.first), until_day=str(period.last))


def _limit(reader: Reader, words: Vocabulary) -> Change:
    name = reader.name(words.subjects, "limit, part, trim, colour, edition, option or pack")
    percent = amount = None
    per: Literal["day", "week"] | None = None
    if not reader.try_words("unlimited"):
        percent, amount = _level(reader)
        if amount is not None:
            reader.words("per")
            per = "day" if reader.try_words("day") else "week"
            if per == "week":
                reader.words("week")
    when = _when(reader, words, lines=False)
    return LimitTo(
        limit=name,
        percent=percent,
        amount=amount,
        per=per,
        from_day=when.from_day,
        until_day=when.until_day,
    )


def _arrival(reader: Reader, words: Vocabulary) -> Change:
    part = reader.name(words.parts, "part")
    amount = reader.number()
    reader.words("arrive", "on")
    return PartArrival(part=part, amount=amount, day=str(reader.day().first))


def _transport(reader: Reader, words: Vocabulary) -> Change:
    reader.words("transport")
    more = days = None
    try:
        more = reader.signed("+N days")
    except Miss:
        days = reader.number("N days")
    if not reader.try_words("days"):
        reader.words("day")
    regions = reader.list_of(words.regions, "region") if reader.try_words("to") else ()
    return TransportTime(days=days, more_days=more, regions=regions)


def _handovers(reader: Reader, words: Vocabulary) -> Change:
    reader.words("handovers")
    percent, per_day = _level(reader)
    if per_day is not None:
        reader.words("per", "day")
    regions: tuple[str, ...] = ()
    at = reader.at
    if reader.try_words("in"):
        try:
            regions = reader.list_of(words.regions, "region")
        except Miss:
            if per_day is not None:
                raise
            reader.at = at
    elif per_day is not None:
        raise reader.miss("in REGIONS")
    when = _when(reader, words, lines=False)
    return Handovers(
        percent=percent,
        per_day=per_day,
        regions=regions,
        from_day=when.from_day,
        until_day=when.until_day,
    )


def _target(reader: Reader, words: Vocabulary) -> Change:
    reader.words("target")
    name = reader.name(words.targets, "target")
    start = reader.at
    amount = reader.number()
    if amount != int(amount):
        raise reader.miss("a whole number", at=start)
    return TargetAmount(target=name, amount=int(amount))


def _cancelling(reader: Reader, words: Vocabulary) -> Change:
    del words
    reader.words("cancellations")
    return Cancelling(percent=reader.percent())


def _level(reader: Reader) -> tuple[float | None, float | None]:
    """``+N%``, or ``N``: a percentage and a value, one of them None."""
    try:
        return reader.percent(), None
    except Miss:
        return None, reader.number("N")


FORMS: Final = (
    Form("NAME shift [of N h] from DAY [until DAY] [on LINES]", "second shift from 2024-09-01", _shift),
    Form("no NAME shift from DAY [on LINES]", "no day shift from 2024-12-01", _no_shift),
    Form("line stop DAYS [on LINES]", "line stop 1–7 July", _stop),
    Form(
        "jobs per hour N|±N% [from DAY] [until DAY] [on LINES]",
        "jobs per hour 50 from 2024-08-01",
        _jobs_per_hour,
    ),
    Form("takt N s [from DAY] [until DAY] [on LINES]", "takt 72 s from August", _takt),
    Form(
        "availability N%|±N% [from DAY] [until DAY] [on LINES]",
        "availability +5% from June",
        _availability,
    ),
    Form("shift hours N|±N% [from DAY] [until DAY] [on LINES]", "shift hours 11 in July", _hours),
    Form("N days a week [from DAY] [until DAY] [on LINES]", "7 days a week from June until August", _week),
    Form("work on DAYS", "work on 10 June", _work),
    Form("LIMIT ±N% [from DAY] [until DAY]", "lidar +20% from July", _limit),
    Form("LIMIT N per day|week [from DAY] [until DAY]", "101 kWh pack 300 per day from June", _limit),
    Form("LIMIT unlimited [from DAY] [until DAY]", "lidar unlimited from 2024-10-01", _limit),
    Form("PART N arrive on DAY", "motors 5000 arrive on 2024-06-01", _arrival),
    Form("transport N days|±N days [to REGIONS]", "transport +3 days to 650000", _transport),
    Form("handovers ±N% [in REGIONS] [from DAY] [until DAY]", "handovers +10% from June", _handovers),
    Form(
        "handovers N per day in REGIONS [from DAY] [until DAY]",
        "handovers 40 per day in Beijing, Shanghai",
        _handovers,
    ),
    Form("target NAME N", "target deliveries-2024 120000", _target),
    Form("cancellations ±N%", "cancellations +50%", _cancelling),
)
"""Every form, in the order in which it is tried."""
