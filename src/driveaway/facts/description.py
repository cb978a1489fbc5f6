"""``launch.toml`` as typed classes: what is sold, where it is built, which rules hold.

One attribute is defined once, here: the parser, the error messages and the reference page
all read these classes. Units stand in each attribute's description.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from driveaway.facts.fleet import Fleet
from driveaway.facts.planning import (
    BuyerDate,
    Calendar,
    Cancellation,
    Handover,
    Limit,
    Line,
    Part,
    Planning,
    Priority,
    Sequencing,
    Stop,
    Table,
    Transport,
    VinRange,
)
from driveaway.values.errors import BadValue

NotNegative = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class Car(Table, frozen=True, kw_only=True):
    """What is launched."""

    name: Annotated[str, Meta(description="the car's name")]
    name_zh: Annotated[str | None, Meta(description="its name in Chinese")] = None
    maker: Annotated[str, Meta(description="the maker's name")] = ""
    orders_open: Annotated[
        str | None, Meta(description="when orders opened, ISO 8601; day 1 is its local day")
    ] = None
    deliveries_open: Annotated[str | None, Meta(description="day of the first handover")] = None
    world_manufacturer: Annotated[str | None, Meta(description="first three characters of the VINs")] = None


class Trim(Table, frozen=True, kw_only=True):
    """One trim that can be ordered."""

    name: Annotated[str, Meta(description="as buyers say it")]
    price: Annotated[str | None, Meta(description="list price in major units, with `currency`")] = None
    battery_wh: Annotated[NotNegative | None, Meta(description="pack energy, Wh")] = None
    range_m: Annotated[NotNegative | None, Meta(description="declared range, m")] = None
    range_cycle: Annotated[str, Meta(description="cycle of the declared range")] = "CLTC"
    curb_kg: Annotated[NotNegative | None, Meta(description="kerb mass, kg")] = None
    motor_w: Annotated[NotNegative | None, Meta(description="motor power, W")] = None
    lidar: Annotated[bool, Meta(description="has a LiDAR")] = False
    deliveries_open: Annotated[str | None, Meta(description="day of the trim's first ordinary handover")] = (
        None
    )
    reference: Annotated[str | None, Meta(description="source of these figures")] = None


class Edition(Table, frozen=True, kw_only=True):
    """A limited edition."""

    name: Annotated[str, Meta(description="slug used in facts")]
    quota: Annotated[NotNegative | None, Meta(description="cars, all told")] = None
    deposit: Annotated[str | None, Meta(description="deposit in major units")] = None
    locks_at_payment: Annotated[
        bool, Meta(description="the order is firm as soon as the deposit is paid")
    ] = False
    opens: Annotated[str | None, Meta(description="when it can be reserved, ISO 8601")] = None
    priority: Annotated[bool, Meta(description="is delivered before all others")] = False


class ChangeWindow(Table, frozen=True, kw_only=True):
    """A window in which firm orders may change their configuration."""

    name: Annotated[str, Meta(description="name of the rule, repeated in each fact")]
    from_time: Annotated[str, Meta(description="ISO 8601")]
    until_time: Annotated[str, Meta(description="ISO 8601")]
    requeues: Annotated[bool, Meta(description="a change puts the order at the end of the queue")] = True


class Rules(Table, frozen=True, kw_only=True):
    """Rules of the order desk; each refusal names its rule."""

    refundable_hours: Annotated[
        Positive | None,
        Meta(description="hours during which a reservation is refundable; then the clock locks it"),
    ] = None
    limit_per_person: Annotated[Positive | None, Meta(description="open orders that one buyer may hold")] = (
        None
    )
    handover_needs: Annotated[
        tuple[Literal["built", "paid", "pegged"], ...],
        Meta(description="what must be true before handover; without `built` and `pegged` goods need no VIN"),
    ] = ("built", "paid", "pegged")
    change_windows: Annotated[
        tuple[ChangeWindow, ...],
        Meta(description="when firm orders may change configuration; none: always, keeping the place"),
    ] = ()


class Plant(Table, frozen=True, kw_only=True):
    """A plant, with what is known of its capacity.

    Plans rest on its lines. A plant without lines is planned as one line, five days a week, from the first
    of these that is given: ``daily_output``; ``shifts`` of 8 hours at ``takt_seconds`` and an availability
    of 0.85; ``yearly_capacity`` spread over 250 days.
    """

    name: Annotated[str, Meta(description="slug used in facts")]
    takt_seconds: Annotated[Positive | None, Meta(description="line cycle time at full rate, s per car")] = (
        None
    )
    yearly_capacity: Annotated[NotNegative | None, Meta(description="cars a year at full rate")] = None
    shifts: Annotated[NotNegative | None, Meta(description="shifts a day now")] = None
    daily_output: Annotated[NotNegative | None, Meta(description="cars a day last stated")] = None
    daily_output_on: Annotated[str | None, Meta(description="day for which it was stated")] = None
    vins: Annotated[tuple[VinRange, ...], Meta(description="ranges of its VINs")] = ()
    lines: Annotated[tuple[Line, ...], Meta(description="its assembly lines")] = ()
    stops: Annotated[tuple[Stop, ...], Meta(description="planned stops of all its lines")] = ()
    reference: Annotated[str | None, Meta(description="source of these figures")] = None


class Target(Table, frozen=True, kw_only=True):
    """A target; the fact `target.set` is recorded when the file is applied."""

    name: Annotated[str, Meta(description="slug; setting it again changes it")]
    set_on: Annotated[str, Meta(description="when the maker said so: a day or ISO 8601")]
    measure: Annotated[str, Meta(description="the figure it speaks of")]
    amount: Annotated[int, Meta(description="the number aimed at", ge=0)]
    qualifier: Annotated[
        Literal["exactly", "more than", "at least", "about"], Meta(description="how it was worded")
    ] = "at least"
    from_day: Annotated[str, Meta(description="first day that counts")]
    until_day: Annotated[str, Meta(description="last day that counts")]
    role: Annotated[str | None, Meta(description="for outlets: store, service or delivery")] = None
    said: Annotated[str | None, Meta(description="in words")] = None
    reference: Annotated[str | None, Meta(description="source")] = None


class Region(Table, frozen=True, kw_only=True):
    """A province or region of a launch outside China's GB/T 2260 list."""

    code: Annotated[str, Meta(description="six digits", pattern="^[0-9]{6}$")]
    name: Annotated[str, Meta(description="as shown")]


class Description(Table, frozen=True, kw_only=True):
    """A launch: everything in ``launch.toml``."""

    launch: Annotated[str, Meta(description="slug of the launch")]
    zone: Annotated[str, Meta(description="IANA time zone of days and doors")]
    currency: Annotated[str, Meta(description="ISO 4217", pattern="^[A-Z]{3}$")]
    today: Annotated[str | None, Meta(description="default as-of, a day or ISO 8601; none: the clock")] = None
    language: Annotated[Literal["en", "zh"], Meta(description="language of statements")] = "en"
    suppress_under: Annotated[
        int, Meta(description="shares of buyers resting on fewer people are not shown", ge=0)
    ] = 10
    car: Annotated[Car, Meta(description="what is launched")]
    trims: Annotated[tuple[Trim, ...], Meta(description="what can be ordered; none listed: any")] = ()
    colours: Annotated[tuple[str, ...], Meta(description="what can be ordered; none listed: any")] = ()
    options: Annotated[tuple[str, ...], Meta(description="options that there are; none listed: any")] = ()
    editions: Annotated[tuple[Edition, ...], Meta(description="limited editions")] = ()
    rules: Annotated[Rules, Meta(description="rules of the order desk")] = Rules()
    plants: Annotated[tuple[Plant, ...], Meta(description="where it is built")] = ()
    targets: Annotated[tuple[Target, ...], Meta(description="targets set")] = ()
    regions: Annotated[tuple[Region, ...], Meta(description="regions beside China's provinces")] = ()
    planning: Annotated[Planning, Meta(description="how the plan is made")] = Planning()
    sequencing: Annotated[Sequencing, Meta(description="in which order a day's cars go down the line")] = (
        Sequencing()
    )
    calendar: Annotated[Calendar, Meta(description="holidays and make-up days")] = Calendar()
    limits: Annotated[tuple[Limit, ...], Meta(description="limits on some cars")] = ()
    parts: Annotated[tuple[Part, ...], Meta(description="parts that arrive and are kept")] = ()
    transport: Annotated[Transport, Meta(description="the way to the buyer")] = Transport()
    handover: Annotated[Handover, Meta(description="what follows arrival")] = Handover()
    priorities: Annotated[tuple[Priority, ...], Meta(description="who is served first")] = ()
    dates: Annotated[tuple[BuyerDate, ...], Meta(description="dates that matter to buyers")] = ()
    cancellations: Annotated[
        tuple[Cancellation, ...],
        Meta(description="chance that firm orders are cancelled; none: nobody cancels"),
    ] = ()
    fleet: Annotated[Fleet, Meta(description="what cars report, and how it is counted")] = Fleet()
    figures: Annotated[
        tuple[str, ...],
        Meta(description="Python files beside `launch.toml` that define figures of one's own"),
    ] = ()

    def trim(self, name: str) -> Trim | None:
        """The trim of this name, or None."""
        return next((t for t in self.trims if t.name == name), None)

    def edition(self, name: str) -> Edition | None:
        """The edition of this name, or None."""
        return next((e for e in self.editions if e.name == name), None)


def read_description(text: str, place: str = "launch.toml") -> Description:
    """Read the text of a ``launch.toml``.

    Raises:
        BadValue: not TOML, an unknown attribute, or a wrong type; the place is named.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(str(error), code="description.toml", place=place) from error
    try:
        return msgspec.convert(content, Description)
    except msgspec.ValidationError as error:
        raise BadValue(
            str(error),
            code="description.shape",
            place=place,
            remedy="the reference page launch.toml lists every attribute",
        ) from error
