"""The simulated cars in columns: from the line, over the order they are pegged to, to the handover.

Handovers fill slots that grow from day to day and sum exactly to the checkpoint. Cars of editions
with priority go first; ordinary cars follow from the day on which their trim is handed over, in
the order of their locks. Slots after the end of the data are laid out too: their cars are in the
pipeline, built or on the way and not yet handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo import checkpoints as points
from driveaway.demo.choices import Choices, Indexes
from driveaway.demo.orderbook import OrderBook
from driveaway.demo.rhythm import MS_PER_HOUR, Hours, Milliseconds, apportion

_FIRST_DAY_WEIGHT, _LAST_DAY_WEIGHT = 130.0, 400.0
_PIPELINE_DAYS: Final = 7
_PIPELINE_PER_DAY: Final = 420
_PRIORITY_SHARE: Final = 0.6
"""Part of each day's slots that goes to editions once ordinary cars are handed over too."""
_EDITION_LINE: Final = (-662.0, 350.0)
"""Cars of editions are built from 1 March to 12 April (hours since orders opened)."""
_SWAPPED: Final = 0.012
_TEST_CARS: Final = 12
_STOCK_CARS: Final = 8


@dataclass
class Cars:
    """Cars that are built for an order, one row a slot in order of handover; milliseconds.

    Attributes:
        order: index of the order.
        built, pegged, shipped, paid, handed: when; any of them may lie after the end of the data.
    """

    order: Indexes
    built: Milliseconds
    pegged: Milliseconds
    shipped: Milliseconds
    paid: Milliseconds
    handed: Milliseconds


@dataclass
class Swaps:
    """A car that was pegged to another order first and taken from it.

    Attributes:
        car: index of the car.
        order: index of the other order, which gets a later car.
        pegged, unpegged: when.
        damaged: True: damaged, False: rejected at inspection.
    """

    car: Indexes
    order: Indexes
    pegged: Milliseconds
    unpegged: Milliseconds
    damaged: NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    """What the description says about handovers, in hours since orders opened.

    Attributes:
        first_hour: midnight of the first day of handovers.
        trim_hours: for each trim the midnight of its first ordinary handover.
        priority: for each edition whether it is delivered before all others.
    """

    first_hour: float
    trim_hours: tuple[float, ...]
    priority: tuple[bool, ...]


def make_cars(rng: Generator, book: OrderBook, choices: Choices, calendar: Calendar, scale: float) -> Cars:
    """Cars whose handovers by the end of the data are exactly the checkpoint's number."""
    handed = _slots(rng, calendar.first_hour, points.scaled(points.DELIVERED.count, scale), scale)
    order, first = _assign(rng, book, choices, calendar, handed / MS_PER_HOUR)
    filled = order >= 0
    handed, order, first = handed[filled], order[filled], first[filled]
    count = len(order)

    hours = handed / MS_PER_HOUR
    start, end = _EDITION_LINE
    place = np.cumsum(first) / max(1, int(first.sum()))
    line = start + (end - start) * place + rng.uniform(-6, 6, count)
    line = np.where(first, np.minimum(line, hours - 84), hours - rng.uniform(84, 150, count))
    built = _in_shift(rng, line)
    ready = np.maximum(built, book.resolved[order])
    shipped = handed - _hours(rng, 22, 42, count)
    pegged = ready + _hours(rng, 0.5, 3, count)
    paid = handed - _hours(rng, 1, 20, count)
    return Cars(order, built, pegged, shipped, paid, handed)


def make_swaps(rng: Generator, book: OrderBook, choices: Choices, cars: Cars) -> Swaps:
    """For a few cars an earlier peg that was undone; the final peg of such a car moves behind it."""
    count = len(cars.order)
    chosen = np.sort(rng.choice(count, max(1, int(count * _SWAPPED)), replace=False))
    alike: dict[tuple[int, int, int], list[int]] = {}
    key = [
        (int(choices.locked_trim[o]), int(choices.locked_colour[o]), int(book.edition[o])) for o in cars.order
    ]
    for index, configuration in enumerate(key):
        alike.setdefault(configuration, []).append(index)
    rows: list[tuple[int, int, int, int]] = []
    used: set[int] = set()
    gaps = _hours(rng, 2, 14, len(chosen))
    for car, gap in zip(chosen.tolist(), gaps.tolist(), strict=True):
        if car in used:
            continue
        same = alike[key[car]]
        for other in same[same.index(car) + 1 :]:
            if other in used:
                continue
            order = int(cars.order[other])
            start = max(int(cars.built[car]), int(book.resolved[order])) + MS_PER_HOUR // 2
            stop = start + gap
            again = max(stop + MS_PER_HOUR, int(cars.pegged[car]))
            if again < cars.shipped[car] - MS_PER_HOUR and stop < cars.pegged[other]:
                cars.pegged[car] = again
                rows.append((car, order, start, stop))
                used |= {car, other}
                break
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Swaps(table[:, 0], table[:, 1], table[:, 2], table[:, 3], rng.random(len(table)) < 0.6)


def make_show_cars(rng: Generator, stores: int) -> tuple[Milliseconds, Milliseconds, NDArray[np.int8]]:
    """Cars without an order: when built, when shipped, purpose (0 demonstration, 1 test, 2 stock).

    One demonstration car for each store, shipped before the stores show it; the others stay.
    """
    purpose = np.repeat(np.array([0, 1, 2], np.int8), [stores, _TEST_CARS, _STOCK_CARS])
    built = _in_shift(rng, rng.uniform(-620.0, -420.0, len(purpose)))
    return built, built + _hours(rng, 20, 300, len(purpose)), purpose


def _slots(rng: Generator, first_hour: float, count: int, scale: float) -> Milliseconds:
    days = round((points.END_HOUR - first_hour) / 24)
    per_day = apportion(count - 1, np.linspace(_FIRST_DAY_WEIGHT, _LAST_DAY_WEIGHT, days))
    per_day[0] += 1
    after = np.full(_PIPELINE_DAYS, max(1, points.scaled(_PIPELINE_PER_DAY, scale)))
    counts = np.concatenate((per_day, after))
    midnight = np.repeat(first_hour + 24.0 * np.arange(len(counts)), counts)
    # Between 10:00 and 19:30, the ceremony first.
    hours = midnight + 10.0 + 9.5 * rng.random(len(midnight))
    return np.sort(np.ceil(hours * MS_PER_HOUR).astype(np.int64))


def _assign(
    rng: Generator, book: OrderBook, choices: Choices, calendar: Calendar, hours: Hours
) -> tuple[Indexes, NDArray[np.bool_]]:
    """For each slot its order (-1: none is left), and whether it is one with priority."""
    before = book.locks & (book.resolved < points.END_HOUR * MS_PER_HOUR)
    editions = np.array([i for i, yes in enumerate(calendar.priority) if yes], np.int8)
    has_priority = np.isin(book.edition, editions)
    queue = np.flatnonzero(before & has_priority)
    queue = queue[np.argsort(book.resolved[queue], kind="stable")]
    trim_hours = np.array(calendar.trim_hours)
    opens = trim_hours[choices.locked_trim]
    ordinary_from = float(trim_hours.min())
    ordinary = np.flatnonzero(before & ~has_priority & (opens <= ordinary_from))
    ordinary = ordinary[np.argsort(book.resolved[ordinary], kind="stable")]

    late = hours >= ordinary_from
    first = ~late | (rng.random(len(hours)) < _PRIORITY_SHARE)
    first &= np.cumsum(first) <= len(queue)
    order = np.full(len(hours), -1, np.int64)
    order[first] = queue[: int(first.sum())]
    rest = np.flatnonzero(~first & late)[: len(ordinary)]
    order[rest] = ordinary[: len(rest)]
    return order, first


def _in_shift(rng: Generator, hours: Hours) -> Milliseconds:
    """Times moved into the day shift of the same local day, 8:00 to 20:00: at most 20 hours later."""
    midnight = np.floor((hours + points.OPENING_HOUR) / 24.0) * 24.0 - points.OPENING_HOUR
    moved = midnight + 8.0 + 12.0 * rng.random(len(hours))
    return np.ceil(moved * MS_PER_HOUR).astype(np.int64)


def _hours(rng: Generator, low: float, high: float, count: int) -> Milliseconds:
    return (rng.uniform(low, high, count) * MS_PER_HOUR).astype(np.int64)
