"""Changes to a launch that a what-if asks about, each a typed table: the same in text and in TOML."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from driveaway.values.clock import parse_day
from driveaway.values.errors import BadValue

Lines = Annotated[tuple[str, ...], Meta(description="`plant` or `plant/line`; none: all lines")]
Regions = Annotated[tuple[str, ...], Meta(description="codes of six digits; none: everywhere")]
From = Annotated[str | None, Meta(description="first day; none: from the beginning")]
Until = Annotated[str | None, Meta(description="last day; none: goes on")]
Percent = Annotated[float | None, Meta(description="more (or, below 0, less) by so many percent")]


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="change"):
    pass


class AddShift(_Change, frozen=True, kw_only=True, tag="shift"):
    """A further shift, with the weekdays and the learning of the line's first shift."""

    name: Annotated[str, Meta(description="such as `second` or `night`")]
    hours: Annotated[float | None, Meta(description="net of breaks; none: as the first shift")] = None
    from_day: Annotated[str, Meta(description="first day")]
    until_day: Until = None
    lines: Lines = ()


class EndShift(_Change, frozen=True, kw_only=True, tag="no-shift"):
    """A shift that does not run any more."""

    name: Annotated[str, Meta(description="of the shift")]
    from_day: Annotated[str, Meta(description="first day without it")]
    lines: Lines = ()


class LineStop(_Change, frozen=True, kw_only=True, tag="stop"):
    """Lines stand still."""

    from_day: Annotated[str, Meta(description="first day")]
    until_day: Annotated[str, Meta(description="last day")]
    lines: Lines = ()


class LineRate(_Change, frozen=True, kw_only=True, tag="rate"):
    """Lines run faster or slower: one of ``jobs_per_hour``, ``takt_seconds``, ``percent``."""

    jobs_per_hour: Annotated[float | None, Meta(description="cars an hour")] = None
    takt_seconds: Annotated[float | None, Meta(description="line cycle time, s per car")] = None
    percent: Percent = None
    from_day: From = None
    until_day: Until = None
    lines: Lines = ()


class Availability(_Change, frozen=True, kw_only=True, tag="availability"):
    """Lines stand still more or less often: ``share`` or ``percent`` of what it was."""

    share: Annotated[float | None, Meta(description="0 to 1")] = None
    percent: Percent = None
    from_day: From = None
    until_day: Until = None
    lines: Lines = ()


class ShiftHours(_Change, frozen=True, kw_only=True, tag="hours"):
    """Every shift is longer or shorter: ``hours`` or ``percent``."""

    hours: Annotated[float | None, Meta(description="of each shift, net of breaks")] = None
    percent: Percent = None
    from_day: From = None
    until_day: Until = None
    lines: Lines = ()


class WorkingWeek(_Change, frozen=True, kw_only=True, tag="week"):
    """Every shift runs on so many days a week, from Monday on."""

    days: Annotated[int, Meta(description="1 to 7")]
    from_day: From = None
    until_day: Until = None
    lines: Lines = ()


class WorkOn(_Change, frozen=True, kw_only=True, tag="work"):
    """Days off, at the weekend or holidays, that are worked."""

    from_day: Annotated[str, Meta(description="first day")]
    until_day: Annotated[str, Meta(description="last day")]


class LimitTo(_Change, frozen=True, kw_only=True, tag="limit"):
    """A limit is another: ``percent``, or ``amount`` with ``per``, or neither: it is lifted.

    A trim, colour, edition, option, ``lidar`` or pack (``101 kWh pack``) that has no limit yet gets one.
    """

    limit: Annotated[str, Meta(description="name of a limit or part, or of the cars to limit")]
    percent: Percent = None
    amount: Annotated[float | None, Meta(description="cars")] = None
    per: Annotated[Literal["day", "week"] | None, Meta(description="of the amount")] = None
    from_day: From = None
    until_day: Until = None


class PartArrival(_Change, frozen=True, kw_only=True, tag="arrival"):
    """More of a part arrives."""

    part: Annotated[str, Meta(description="name of the part")]
    amount: Annotated[float, Meta(description="for how many cars")]
    day: Annotated[str, Meta(description="of arrival")]


class TransportTime(_Change, frozen=True, kw_only=True, tag="transport"):
    """The way to the buyer takes longer or shorter: ``days``, or ``more_days`` on top of what it took."""

    days: Annotated[float | None, Meta(description="on average")] = None
    more_days: Annotated[float | None, Meta(description="below 0: fewer")] = None
    regions: Regions = ()


class Handovers(_Change, frozen=True, kw_only=True, tag="handovers"):
    """Capacity for handovers: ``percent`` of that of the centres, or ``per_day`` for each region named."""

    percent: Percent = None
    per_day: Annotated[float | None, Meta(description="most handovers a day in each region")] = None
    regions: Regions = ()
    from_day: From = None
    until_day: Until = None


class TargetAmount(_Change, frozen=True, kw_only=True, tag="target"):
    """A target as last set aims at another amount."""

    target: Annotated[str, Meta(description="slug of the target")]
    amount: Annotated[int, Meta(description="the number aimed at")]


class Cancelling(_Change, frozen=True, kw_only=True, tag="cancellations"):
    """Firm orders are called off more or less often."""

    percent: Annotated[float, Meta(description="more (or, below 0, less) by so many percent")]


Change = (
    AddShift
    | EndShift
    | LineStop
    | LineRate
    | Availability
    | ShiftHours
    | WorkingWeek
    | WorkOn
    | LimitTo
    | PartArrival
    | TransportTime
    | Handovers
    | TargetAmount
    | Cancelling
)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    changes: tuple[Change, ...] = ()


# Of these attributes a change has exactly one (a lifted limit none).
_ONE_OF: dict[type, tuple[str, ...]] = {
    LineRate: ("jobs_per_hour", "takt_seconds", "percent"),
    Availability: ("share", "percent"),
    ShiftHours: ("hours", "percent"),
    TransportTime: ("days", "more_days"),
    Handovers: ("percent", "per_day"),
}
_POSITIVE = ("jobs_per_hour", "takt_seconds", "hours")
_NOT_NEGATIVE = ("amount", "per_day", "share")


def read_changes(text: str, place: str = "changes") -> tuple[Change, ...]:
    """Read a TOML file of changes: one ``[[changes]]`` each, ``change`` says which.

    Raises:
        BadValue: not TOML, an unknown attribute, a wrong type, or a change that says nothing; with its place.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(str(error), code="whatif.toml", place=place) from error
    try:
        found = msgspec.convert(content, _File).changes
    except msgspec.ValidationError as error:
        raise BadValue(
            str(error), code="whatif.shape", place=place, remedy="the guide to what-if lists every change"
        ) from error
    for i, change in enumerate(found):
        check(change, f"{place} changes.{i + 1}")
    return found


def check(change: Change, place: str = "") -> None:
    """Refuse a change that contradicts itself.

    Raises:
        BadValue: not exactly one of what it may say, a number out of range, or days in the wrong order.
    """
    values = msgspec.structs.asdict(change)
    choices = _ONE_OF.get(type(change), ())
    if choices and sum(values[name] is not None for name in choices) != 1:
        raise BadValue(
            f"give one of {', '.join(choices)}",
            code="whatif.one_of",
            place=place,
            remedy="leave the others out",
        )
    if isinstance(change, LimitTo):
        _check_limit(change, place)
    if isinstance(change, WorkingWeek) and not 1 <= change.days <= 7:
        raise _out(change.days, "days a week", "1 to 7", place)
    if isinstance(change, Handovers) and change.per_day is not None and not change.regions:
        raise BadValue(
            "a number of handovers a day needs its regions",
            code="whatif.regions",
            place=place,
            remedy="name them: handovers 200 per day in 310000",
        )
    for name in _POSITIVE:
        if (value := values.get(name)) is not None and not value > 0:
            raise _out(value, name, "more than 0", place)
    for name in _NOT_NEGATIVE:
        if (value := values.get(name)) is not None and not value >= 0:
            raise _out(value, name, "0 or more", place)
    if (share := values.get("share")) is not None and share > 1:
        raise _out(share, "share", "0 to 1", place)
    if (percent := values.get("percent")) is not None and not percent >= -100:
        raise _out(percent, "percent", "-100 or more", place)
    days = [values.get(name) for name in ("from_day", "until_day", "day")]
    for day in days:
        if day is not None:
            parse_day(day)
    if days[0] is not None and days[1] is not None and days[1] < days[0]:
        raise BadValue(
            f"the last day {days[1]} is before the first {days[0]}",
            code="whatif.days",
            place=place,
            remedy="from … until …",
        )


def _check_limit(change: LimitTo, place: str) -> None:
    if (change.amount is None) != (change.per is None) or (
        change.amount is not None and change.percent is not None
    ):
        raise BadValue(
            "a limit has a percentage, or an amount per day or week",
            code="whatif.limit",
            place=place,
            remedy="percent, or amount with per, or neither to lift it",
        )


def _out(value: float, name: str, bounds: str, place: str) -> BadValue:
    return BadValue(f"{name} {value:g} is out of range", code="whatif.range", place=place, remedy=f"{bounds}")
