"""A simulated launch: drafts of every fact from the first outlet to the last handover."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from numpy.random import PCG64, Generator, SeedSequence

from driveaway.demo import checkpoints as points
from driveaway.demo.cars import Calendar, make_cars, make_show_cars, make_swaps
from driveaway.demo.choices import make_buyers, make_choices
from driveaway.demo.columns import Columns
from driveaway.demo.facts_of_cars import Fleet, Handovers, car_families
from driveaway.demo.facts_of_orders import outlet_and_order_families
from driveaway.demo.orderbook import make_orders
from driveaway.demo.places import Places, read_places
from driveaway.demo.rhythm import MS_PER_HOUR, Rhythm
from driveaway.demo.stream import Family, merge
from driveaway.facts.base import Draft
from driveaway.facts.description import Description
from driveaway.values.clock import HOUR, Instant, moment, parse_day, parse_instant, start_of_day, zone
from driveaway.values.errors import BadValue

_REMEDY: Final = "the demo simulates the packaged launch su7; start from its launch.toml"


@dataclass(frozen=True)
class Simulated:
    """A launch that was simulated, before its facts are written out.

    Attributes:
        seed: from which it was drawn.
        families: events in columns.
        places: where buyers live.
        handovers: the cars that are handed over within the data.
    """

    seed: int
    families: Sequence[Family]
    places: Places
    handovers: Handovers

    def drafts(self, until: int | None = None) -> Iterator[Draft]:
        """Every fact up to an instant, in order of ``happened``."""
        return merge(self.families, f"urn:driveaway:demo:{self.seed}/", until)


def simulate(
    description: Description, *, seed: int = 1, scale: float = 1.0, until: int | None = None
) -> Iterator[Draft]:
    """Simulate the order book of a launch, in order of ``happened``: the drafts of ``simulated``."""
    return simulated(description, seed=seed, scale=scale).drafts(until)


def simulated(description: Description, *, seed: int = 1, scale: float = 1.0) -> Simulated:
    """Simulate the order book of a launch.

    The same description, seed and scale give the same drafts; ``until`` (an instant) only cuts the
    stream. Every draft is marked simulated and carries the source ``urn:driveaway:demo:SEED/N``.
    The counts pass through every public checkpoint (``driveaway.demo.checkpoints``), multiplied by
    ``scale`` (0.01 to 100) and rounded; what no checkpoint fixes is an assumption.

    Raises:
        BadValue: the seed is negative, the scale out of range, or the description lacks what the
            simulation rests on (trims with prices, a refundable time, an edition with priority,
            orders that open at 22:00).
    """
    if seed < 0:
        raise BadValue(f"seed {seed} is negative", code="demo.seed", remedy="give 0 or more")
    points.parse_scale(scale)
    opened, hours_of = _opening(description)
    calendar = _calendar(description, hours_of)
    refundable = description.rules.refundable_hours
    if refundable is None or any(trim.price is None for trim in description.trims):
        raise BadValue("the rules or the trims lack a number", code="demo.launch", remedy=_REMEDY)
    editions = [
        (index, edition, hours_of(edition.opens) if edition.opens else 0.0)
        for index, edition in enumerate(description.editions)
        if edition.name in points.EDITION_SIZES
    ]

    # One stream of random numbers for each part, so that a change to one leaves the others alone.
    rngs = [Generator(PCG64(child)) for child in SeedSequence(seed).spawn(6)]
    places = read_places()
    book = make_orders(rngs[0], Rhythm(points.OPENING_HOUR), editions, refundable, scale)
    choices = make_choices(rngs[1], book, description, places)
    cars = make_cars(rngs[2], book, choices, calendar, scale)
    swaps = make_swaps(rngs[3], book, choices, cars)
    show = make_show_cars(rngs[3], sum(outlet.role == "store" for outlet in places.outlets))
    locked_by_end = int((book.locks & (book.resolved < points.END_HOUR * MS_PER_HOUR)).sum())
    buyers = make_buyers(rngs[4], locked_by_end)

    columns = Columns(rngs[5], opened, description, places, book, choices, buyers)
    families = outlet_and_order_families(rngs[5], columns, cars.order)
    fleet = Fleet(rngs[5], columns, cars, show)
    families = [*families, *car_families(columns, cars, swaps, fleet)]
    return Simulated(seed, families, places, fleet.handovers())


def _opening(description: Description) -> tuple[Instant, Callable[[str], float]]:
    """When orders opened, and what turns a text of ``launch.toml`` into hours since then."""
    tz = zone(description.zone)
    if description.car.orders_open is None:
        raise BadValue("car.orders_open is not given", code="demo.launch", remedy=_REMEDY)
    opened = parse_instant(description.car.orders_open, tz)
    local = moment(opened, tz)
    if local.hour + local.minute / 60 != points.OPENING_HOUR:
        raise BadValue("orders do not open at 22:00", code="demo.launch", remedy=_REMEDY)

    def hours_of(text: str) -> float:
        at = parse_instant(text, tz) if "T" in text else start_of_day(parse_day(text), tz)
        return (at - opened) / HOUR

    return opened, hours_of


def _calendar(description: Description, hours_of: Callable[[str], float]) -> Calendar:
    first = description.car.deliveries_open
    trims = [trim.deliveries_open or first for trim in description.trims]
    priority = tuple(edition.priority for edition in description.editions)
    if first is None or not trims or not any(priority):
        raise BadValue(
            "days of delivery, trims or an edition with priority are missing",
            code="demo.launch",
            remedy=_REMEDY,
        )
    return Calendar(hours_of(first), tuple(hours_of(day) for day in trims if day), priority)
