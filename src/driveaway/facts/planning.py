"""What planning needs of ``launch.toml``: calendars, lines, limits, transport, handover, the buyer's dates.

Numbers are read as they stand; one that makes no sense (a capacity below zero, a ramp beyond 1) is named by
the plan and left out of it, so that the rest can be planned. Days are ``YYYY-MM-DD`` in the launch's zone; a
first and a last day both count.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of ``launch.toml``: an attribute that it does not name is refused."""


class Selection(Table, frozen=True, kw_only=True):
    """Some of the cars: those that meet every attribute given, by any of its values; none: all cars."""

    trims: Annotated[tuple[str, ...], Meta(description="names of trims")] = ()
    colours: Annotated[tuple[str, ...], Meta(description="names of colours")] = ()
    editions: Annotated[tuple[str, ...], Meta(description="slugs of limited editions")] = ()
    options: Annotated[tuple[str, ...], Meta(description="cars with any of these options")] = ()
    battery_wh: Annotated[
        tuple[int, ...], Meta(description="cars with a pack of any of these energies, Wh")
    ] = ()
    lidar: Annotated[
        bool | None,
        Meta(description="cars with a LiDAR, by their trim or by an option `lidar`; false: without"),
    ] = None


class Builds(Table, frozen=True, kw_only=True):
    """What a line can build; an attribute left out is no restriction."""

    trims: Annotated[tuple[str, ...], Meta(description="trims that it builds")] = ()
    colours: Annotated[tuple[str, ...], Meta(description="colours that it paints")] = ()
    options: Annotated[
        tuple[str, ...] | None, Meta(description="options that it fits; an empty list: none")
    ] = None


class Ramp(Table, frozen=True, kw_only=True):
    """Learning: the share of full output grows from the first day of a line or shift on.

    With ``days_to_full`` it grows in a straight line, with ``half_life_days`` what is missing halves in
    each half-life; with neither it is ``full_share`` at once.
    """

    from_day: Annotated[
        str | None, Meta(description="first day of the ramp; none: that of its shift, which must have one")
    ] = None
    start_share: Annotated[float, Meta(description="share of full output on the first day, 0 to 1")] = 0.5
    full_share: Annotated[float, Meta(description="share that it grows to, 0 to 1")] = 1.0
    days_to_full: Annotated[float | None, Meta(description="days until `full_share`, in a straight line")] = (
        None
    )
    half_life_days: Annotated[
        float | None,
        Meta(description="days in which half of what is missing is learned; not with `days_to_full`"),
    ] = None
    spread: Annotated[
        float, Meta(description="how far the level may be off: standard deviation of its logarithm")
    ] = 0.0


class Shift(Table, frozen=True, kw_only=True):
    """One shift of a line. The same name again, with later days, is the next form of the same shift."""

    name: Annotated[str, Meta(description="slug, such as `day`")]
    weekdays: Annotated[tuple[Weekday, ...], Meta(description="days of the week on which it runs")] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
    )
    hours: Annotated[float, Meta(description="hours worked, net of breaks")] = 8.0
    starts: Annotated[
        str | None, Meta(description="local time `HH:MM`; with it shifts are checked for overlaps")
    ] = None
    break_hours: Annotated[float, Meta(description="hours of breaks within it")] = 0.0
    from_day: Annotated[str | None, Meta(description="first day; none: always was")] = None
    until_day: Annotated[str | None, Meta(description="last day; none: goes on")] = None
    on_holidays: Annotated[bool, Meta(description="runs on the calendar's holidays, too")] = False
    ramp: Annotated[Ramp | None, Meta(description="learning of this shift")] = None


class Stop(Table, frozen=True, kw_only=True):
    """Days on which the line, or the whole plant, is planned to stand still."""

    from_day: Annotated[str, Meta(description="first day")]
    until_day: Annotated[str | None, Meta(description="last day; none: that one day")] = None
    reason: Annotated[str, Meta(description="in words")] = ""


class LineStep(Table, frozen=True, kw_only=True):
    """From a day on the line runs otherwise; what is left out stays as it was."""

    from_day: Annotated[str, Meta(description="first day")]
    jobs_per_hour: Annotated[
        float | None, Meta(description="cars an hour at full rate, before availability")
    ] = None
    takt_seconds: Annotated[
        float | None, Meta(description="line cycle time, s per car; not with `jobs_per_hour`")
    ] = None
    availability: Annotated[
        float | None, Meta(description="share of the worked time that it runs, 0 to 1")
    ] = None


class Line(Table, frozen=True, kw_only=True):
    """An assembly line: output of a day = hours of its shifts × jobs per hour × availability × ramp."""

    name: Annotated[str, Meta(description="slug; unique in its plant")]
    jobs_per_hour: Annotated[
        float | None, Meta(description="cars an hour at full rate, before availability")
    ] = None
    takt_seconds: Annotated[
        float | None,
        Meta(description="line cycle time, s per car; neither this nor `jobs_per_hour`: that of the plant"),
    ] = None
    availability: Annotated[float, Meta(description="share of the worked time that it runs, 0 to 1")] = 0.85
    spread: Annotated[
        float, Meta(description="standard deviation of the logarithm of a week's output (availability)")
    ] = 0.05
    builds: Annotated[Builds, Meta(description="what it can build")] = Builds()
    shifts: Annotated[tuple[Shift, ...], Meta(description="its shift calendar")] = ()
    ramps: Annotated[
        tuple[Ramp, ...], Meta(description="learning of the line; a later one takes over from an earlier")
    ] = ()
    steps: Annotated[tuple[LineStep, ...], Meta(description="changes of rate or availability")] = ()
    stops: Annotated[tuple[Stop, ...], Meta(description="planned stops of this line")] = ()


class VinRange(Table, frozen=True, kw_only=True):
    """Serial numbers of a plant. Beginnings of VINs will do; the check digit (ninth) does not count."""

    first: Annotated[str, Meta(description="first VIN, or its first characters")]
    last: Annotated[str, Meta(description="last VIN, or as many of its first characters")]


class Holiday(Table, frozen=True, kw_only=True):
    """Days off, first and last included, weekends among them or not."""

    name: Annotated[str, Meta(description="in words")]
    from_day: Annotated[str, Meta(description="first day")]
    until_day: Annotated[str | None, Meta(description="last day; none: that one day")] = None


class Calendar(Table, frozen=True, kw_only=True):
    """Holidays of all plants, and days at the weekend that are worked in exchange."""

    holidays: Annotated[tuple[Holiday, ...], Meta(description="days off")] = ()
    working_days: Annotated[
        tuple[str, ...],
        Meta(description="make-up days: a shift that runs on any day from Monday to Friday runs on them"),
    ] = ()
    reference: Annotated[str | None, Meta(description="source")] = None


class Step(Table, frozen=True, kw_only=True):
    """From a day on the amount is another."""

    from_day: Annotated[str, Meta(description="first day")]
    amount: Annotated[float | None, Meta(description="cars; none: not limited any more")] = None


class Limit(Table, frozen=True, kw_only=True):
    """No more than an amount of some cars in each day or week: a part, a battery pack, a trim, a colour."""

    name: Annotated[str, Meta(description="as it is told to people; unique among limits and parts")]
    amount: Annotated[float | None, Meta(description="cars; none: not limited before the first step")] = None
    per: Annotated[
        Literal["day", "week"],
        Meta(description="a week is Monday to Sunday; what holds on its Monday holds for all of it"),
    ] = "day"
    covers: Annotated[Selection, Meta(description="the cars that it limits")] = Selection()
    spread: Annotated[float, Meta(description="standard deviation of the logarithm of a week's amount")] = 0.0
    from_day: Annotated[str | None, Meta(description="first day; none: always held")] = None
    until_day: Annotated[str | None, Meta(description="last day; none: goes on")] = None
    steps: Annotated[tuple[Step, ...], Meta(description="other amounts from certain days on")] = ()
    reference: Annotated[str | None, Meta(description="source, or on what it is assumed")] = None


class Arrival(Table, frozen=True, kw_only=True):
    """Parts that arrive, once or again and again."""

    day: Annotated[str, Meta(description="day of arrival; they can be built in on the same day")]
    amount: Annotated[float, Meta(description="for how many cars")]
    every_days: Annotated[int | None, Meta(description="again after so many days; none: once")] = None
    until_day: Annotated[str | None, Meta(description="last day of repeated arrivals; none: goes on")] = None


class Part(Table, frozen=True, kw_only=True):
    """A part that arrives and is kept: what is not built in stays in stock."""

    name: Annotated[str, Meta(description="as it is told to people; unique among limits and parts")]
    covers: Annotated[Selection, Meta(description="the cars that need it, one each")] = Selection()
    stock: Annotated[
        float, Meta(description="for how many cars there is stock on the morning of the plan's first day")
    ] = 0.0
    arrivals: Annotated[
        tuple[Arrival, ...],
        Meta(description="those before the plan's first day count as built in or in stock"),
    ] = ()
    spread: Annotated[float, Meta(description="standard deviation of the logarithm of a week's arrivals")] = (
        0.0
    )
    reference: Annotated[str | None, Meta(description="source, or on what it is assumed")] = None


class Leg(Table, frozen=True, kw_only=True):
    """Transport to certain regions."""

    regions: Annotated[tuple[str, ...], Meta(description="codes of six digits")]
    days: Annotated[float, Meta(description="days on the way, on average")]
    spread_days: Annotated[
        float | None, Meta(description="standard deviation, days; none: the general one")
    ] = None


class Transport(Table, frozen=True, kw_only=True):
    """The way from the end of the line to the delivery centre."""

    days: Annotated[float, Meta(description="days on the way, on average, where `to` says nothing else")] = (
        3.0
    )
    spread_days: Annotated[float, Meta(description="standard deviation, days")] = 1.0
    to: Annotated[tuple[Leg, ...], Meta(description="regions with a way of their own")] = ()
    reference: Annotated[str | None, Meta(description="source, or on what it is assumed")] = None


class HandoverStep(Table, frozen=True, kw_only=True):
    """A step after arrival, for a buyer who is ready: inspection, payment, insurance, plate, appointment."""

    name: Annotated[str, Meta(description="in words")]
    days: Annotated[float, Meta(description="days that it takes, on average")]
    spread_days: Annotated[float, Meta(description="standard deviation, days")] = 0.0
    by: Annotated[
        Literal["maker", "buyer", "authority"],
        Meta(description="who does it; a delay by the buyer breaks no promise"),
    ] = "maker"


class Centre(Table, frozen=True, kw_only=True):
    """A delivery centre's capacity; a region's capacity is the sum of its centres; without any: no limit."""

    name: Annotated[str, Meta(description="slug of the outlet")]
    region: Annotated[str, Meta(description="code of six digits")]
    per_day: Annotated[float, Meta(description="most handovers in a day")]
    weekdays: Annotated[tuple[Weekday, ...], Meta(description="days of the week on which it is open")] = (
        WEEKDAYS
    )
    from_day: Annotated[str | None, Meta(description="first day; none: always was")] = None
    until_day: Annotated[str | None, Meta(description="last day; none: goes on")] = None


class Handover(Table, frozen=True, kw_only=True):
    """What follows arrival at the delivery centre."""

    steps: Annotated[tuple[HandoverStep, ...], Meta(description="one after the other; none: on arrival")] = ()
    centres: Annotated[tuple[Centre, ...], Meta(description="capacity of delivery centres")] = ()


class Priority(Table, frozen=True, kw_only=True):
    """Orders that do not simply wait for their turn. The first that fits an order counts."""

    rank: Annotated[
        int,
        Meta(
            description="0 is served first; without any entry editions with `priority` have 0, all others 1"
        ),
    ]
    covers: Annotated[Selection, Meta(description="the orders meant")] = Selection()
    reason: Annotated[
        str, Meta(description="why; it is logged with each exception to first come, first served")
    ] = ""


class BuyerDate(Table, frozen=True, kw_only=True):
    """A date that matters to buyers, such as the last day of a subsidy or of a tax rule."""

    name: Annotated[str, Meta(description="slug")]
    day: Annotated[str, Meta(description="last day on which the handover is in time")]
    covers: Annotated[Selection, Meta(description="the cars that it matters for")] = Selection()
    regions: Annotated[tuple[str, ...], Meta(description="codes of regions; none: everywhere")] = ()
    locked_from: Annotated[str | None, Meta(description="first day of locks that it matters for")] = None
    locked_until: Annotated[str | None, Meta(description="last day of locks that it matters for")] = None
    said: Annotated[str, Meta(description="what is lost after it, in words")] = ""
    reference: Annotated[str | None, Meta(description="source")] = None


class Cancellation(Table, frozen=True, kw_only=True):
    """How likely a firm order is cancelled, by the age of its lock."""

    until_days: Annotated[
        int | None, Meta(description="up to so many days since the lock; none: all later ones")
    ] = None
    per_day: Annotated[float, Meta(description="chance on each day, 0 to 1")]


class SequenceRatio(Table, frozen=True, kw_only=True):
    """No more than so many of certain cars in any so many that follow each other on the line."""

    name: Annotated[str, Meta(description="as it is told to people; unique")]
    most: Annotated[int, Meta(description="cars, at the most")]
    window: Annotated[int, Meta(description="in so many that follow each other")]
    covers: Annotated[Selection, Meta(description="the cars meant")] = Selection()
    high: Annotated[
        bool, Meta(description="it makes the work of a station overflow, and counts before colour changes")
    ] = True


class Sequencing(Table, frozen=True, kw_only=True):
    """In which order a day's cars go down the line: paint batches and ratios."""

    paint_batch: Annotated[
        int | None, Meta(description="most cars of one colour after each other; none: not limited")
    ] = None
    ratios: Annotated[tuple[SequenceRatio, ...], Meta(description="what must not come too close")] = ()
    objectives: Annotated[
        tuple[Literal["high ratios", "colour changes", "low ratios"], ...],
        Meta(description="what counts first, second and third"),
    ] = ("high ratios", "colour changes", "low ratios")


class Planning(Table, frozen=True, kw_only=True):
    """How the plan is made."""

    ramp: Annotated[
        Literal["lines", "peers"],
        Meta(
            description="how sure the ramp is: by the spreads of the lines' own ramps, or learned from other "
            "launches and this one's record so far"
        ),
    ] = "lines"
    arrivals_per_day: Annotated[
        float,
        Meta(
            description="firm orders still to come on each day, in the mix of those that are open; they "
            "get no promise, and count for targets"
        ),
    ] = 0.0
    horizon_weeks: Annotated[int, Meta(description="weeks that are planned ahead")] = 52
    frozen_days: Annotated[int, Meta(description="first days of the plan in which an adopted slot stays")] = 7
    confidences: Annotated[
        tuple[float, ...], Meta(description="confidences at which dates are given, 0 to 1")
    ] = (0.5, 0.8, 0.9)
    window: Annotated[
        tuple[float, float],
        Meta(description="chances that the handover lies before the first, and by the last day of a window"),
    ] = (0.1, 0.9)
    window_days: Annotated[int, Meta(description="the shortest window that is promised, days")] = 7
    paths: Annotated[int, Meta(description="simulated courses that odds rest on")] = 1000
    stop_chance: Annotated[
        float, Meta(description="chance on each day that all lines stand still unplanned, 0 to 1")
    ] = 0.0
    scale: Annotated[
        float,
        Meta(
            description="lines, limits, parts and handovers are multiplied by it (a demo at another scale), "
            "not what a plant states in `daily_output` and `yearly_capacity`"
        ),
    ] = 1.0
