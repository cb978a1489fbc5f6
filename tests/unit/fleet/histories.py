"""Small random fleets: trips over midnight, late and taken back, cars handed over and given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from driveaway.book import writer
from driveaway.facts import Draft
from driveaway.facts.cars import CarBuilt, CarReturned
from driveaway.facts.launches import Withdrawn
from driveaway.facts.orders import OrderHandedOver
from driveaway.facts.trips import TripSegment
from driveaway.launch.launch import Launch
from driveaway.values.clock import SECOND, local_day, start_of_day
from driveaway.values.ids import order_id
from tests.driving import World
from tests.laws.histories import _Anything, vin
from tests.trips import compact, landed

FIRST = date(2024, 3, 28)
"""Clocks go forward on the fourth day."""
DAYS = 12
CARS = 4
TRIMS = ("Max", "Pro")


@dataclass(frozen=True)
class Land:
    segments: tuple[TripSegment, ...]


@dataclass(frozen=True)
class TakeBack:
    pick: int


@dataclass(frozen=True)
class HandOver:
    car: int
    day: int


@dataclass(frozen=True)
class GiveBack:
    car: int
    day: int


@dataclass(frozen=True)
class Look:
    """Somebody asks: the ledger catches up."""


@dataclass(frozen=True)
class Compact:
    day: int


Act = Land | TakeBack | HandOver | GiveBack | Look | Compact


@st.composite
def segments(draw: st.DrawFn, number: int) -> TripSegment:
    midnight = start_of_day(FIRST + timedelta(days=draw(st.integers(0, DAYS - 1))), _zone())
    begin = draw(st.sampled_from((0, 3_600, 40_000, 82_000, 86_399)))
    lasts = draw(st.sampled_from((1, 60, 3_600, 7_201, 86_399, 86_400)))
    metres = draw(st.sampled_from((0, 1, 2, 999, 50_000)))
    function = draw(st.sampled_from((None, "highway_pilot", "parking", "driven")))
    assisted = 0 if function is None else draw(st.integers(0, metres))
    return TripSegment(
        vin=vin(draw(st.integers(1, CARS))),
        trip=number,
        start=midnight + begin * SECOND + draw(st.integers(0, 3)),
        end=midnight + (begin + lasts) * SECOND + 7,
        distance_m=metres,
        assisted_m=assisted,
        function=function,
        level=None if function is None else draw(st.sampled_from((2, 3, None))),
        driver_overrides=draw(st.integers(0, 2)),
        system_deactivations=draw(st.integers(0, 2)),
        energy_wh=draw(st.sampled_from((None, -7, 0, 12_345))),
        software=draw(st.sampled_from((None, "1", "2"))),
        city=draw(st.sampled_from((None, "Nanjing", "Suzhou"))),
        simulated=draw(st.integers(0, 3)) == 0,
    )


def _zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Berlin")


@st.composite
def histories(draw: st.DrawFn, most: int = 24) -> list[Act]:
    """Acts in order of their recording."""
    trips = [draw(segments(number)) for number in range(draw(st.integers(1, most)))]
    acts: list[Act] = []
    while trips:
        size = draw(st.integers(1, len(trips)))
        acts.append(Land(tuple(trips[:size])))
        trips = trips[size:]
    days = st.integers(0, DAYS - 1)
    cars = st.integers(1, CARS)
    others: st.SearchStrategy[Act] = st.one_of(
        st.builds(HandOver, cars, days),
        st.builds(HandOver, cars, days),
        st.builds(HandOver, cars, days),
        st.builds(GiveBack, cars, days),
        st.builds(TakeBack, st.integers(0, 9)),
        st.builds(Look),
        st.builds(Compact, days),
    )
    for act in draw(st.lists(others, min_size=4, max_size=10)):
        acts.insert(draw(st.integers(0, len(acts))), act)
    return acts


def play(launch: Launch, acts: Sequence[Act]) -> World:
    """Record all of it, asked of no rules; what happened."""
    world = World(launch.zone)
    world.trims = {vin(car): TRIMS[car % 2] for car in range(1, CARS)}
    built = [
        Draft("car.built", car, start_of_day(FIRST, launch.zone), CarBuilt(plant="one", trim=trim))
        for car, trim in world.trims.items()
    ]
    append(launch, built)
    for number, act in enumerate(acts):
        if isinstance(act, Land):
            draft = landed(launch, f"batch-{number}", act.segments)
            world.landed.append((append(launch, [draft]), None, act.segments))
        elif isinstance(act, TakeBack):
            take_back(launch, world, act.pick)
        elif isinstance(act, HandOver | GiveBack):
            _hand(launch, world, act, number)
        elif isinstance(act, Look):
            launch.at("2024-05-01").view.landed("ledger")
        else:
            day = (FIRST + timedelta(days=act.day)).isoformat()
            if list((launch.data / "fleet" / "trips" / day).glob("*.parquet")):
                compact(launch, day, number=number)
    return world


def take_back(launch: Launch, world: World, pick: int) -> None:
    live = [place for place, (_, gone, _) in enumerate(world.landed) if gone is None]
    if not live:
        return
    place = live[pick % len(live)]
    seq, _, batch = world.landed[place]
    (fact,) = launch.book.facts(seq - 1, seq)
    body = Withdrawn(reason="twice")
    gone = append(launch, [Draft("fact.withdrawn", fact.subject, fact.happened, body, replaces=seq)])
    world.landed[place] = (seq, gone, batch)


def _hand(launch: Launch, world: World, act: HandOver | GiveBack, number: int) -> None:
    at = start_of_day(FIRST + timedelta(days=act.day), launch.zone) + 9 * 3_600 * SECOND
    order, car = order_id(1000 + number), vin(act.car)
    day = local_day(at, launch.zone)
    if isinstance(act, HandOver):
        seq = append(launch, [Draft("order.handed_over", order, at, OrderHandedOver(vin=car))])
        world.handed.append((seq, at, day, car))
    else:
        seq = append(launch, [Draft("car.returned", car, at, CarReturned(order=order))])
        world.returned.append((seq, at, day, car))


def append(launch: Launch, drafts: Sequence[Draft]) -> int:
    """Record without rules; the last seq."""
    outcomes = writer.append(launch.book.store, drafts, _Anything(), atomic=True)
    seq = outcomes[-1].seq
    assert seq is not None
    return seq
