"""What the simulated buyers choose, and who they are: all shares that are not public are assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo import checkpoints as points
from driveaway.demo.orderbook import CANCELS, CLOCK_LOCKS, OrderBook
from driveaway.demo.places import Places
from driveaway.demo.rhythm import MS_PER_HOUR, Milliseconds, apportion
from driveaway.facts.description import Description

Indexes = NDArray[np.int64]
Codes = NDArray[np.int16]

_TRIMS: Final = {"Standard": 0.31, "Pro": 0.26, "Max": 0.43}
_EDITION_TRIMS: Final = {"Standard": 0.35, "Max": 0.65}
_COLOURS: Final = (0.24, 0.17, 0.13, 0.10, 0.11, 0.10, 0.06, 0.06, 0.03)
_EDITION_COLOURS: Final = 7
_CHANGE_BEFORE_LOCK: Final = 0.015
_CHANGE_OF_TRIM: Final = 0.4
_SECOND_ORDER: Final = 0.015

SEXES: Final = ("female", "male")
_AGES: Final = {"18-24": 9, "25-29": 27, "30-34": 31, "35-39": 18, "40-49": 12, "50+": 3}
_OTHER_PHONES: Final = {
    "Xiaomi": 28.5,
    "Huawei": 12.0,
    "Honor": 2.0,
    "OPPO": 1.8,
    "vivo": 1.8,
    "Samsung": 0.8,
    "other": 1.2,
}
_GERMAN_PREMIUM: Final = {"Mercedes-Benz": 9.0, "BMW": 10.5, "Audi": 9.5}
_OTHER_CARS: Final = {
    "none": 17.0,
    "Tesla": 9.0,
    "BYD": 9.0,
    "Volkswagen": 8.0,
    "Toyota": 6.0,
    "Honda": 5.0,
    "Geely": 3.0,
    "NIO": 2.0,
    "XPeng": 2.0,
    "Li Auto": 2.0,
    "other": 8.0,
}
AGES: Final = tuple(_AGES)
PHONES: Final = ("Apple", *_OTHER_PHONES)
PREVIOUS: Final = (*_GERMAN_PREMIUM, *_OTHER_CARS)


@dataclass
class Choices:
    """One row an order: codes into the description's trims and colours, and into the places.

    Attributes:
        trim, colour: when reserved.
        locked_trim, locked_colour: when locked.
        city: index of the city.
        store: index of the outlet, -1 for none.
        buyer: number of the buyer; a few buyers hold two orders.
        changed: orders that change before their lock, and ``changed_at`` when.
    """

    trim: Codes
    colour: Codes
    locked_trim: Codes
    locked_colour: Codes
    city: Codes
    store: Codes
    buyer: Indexes
    changed: Indexes
    changed_at: Milliseconds


@dataclass
class Buyers:
    """One row a locked order: codes into ``SEXES``, ``AGES``, ``PHONES`` and ``PREVIOUS``."""

    sex: Codes
    age: Codes
    phone: Codes
    previous: Codes


def make_choices(rng: Generator, book: OrderBook, description: Description, places: Places) -> Choices:
    """Configuration, place and buyer of every order."""
    count = len(book)
    trims = _weights([trim.name for trim in description.trims], _TRIMS)
    colours = np.array([*_COLOURS, *np.full(max(0, len(description.colours) - len(_COLOURS)), 0.05)])
    colours = colours[: max(1, len(description.colours))]
    trim = _draw(rng, count, trims)
    colour = _draw(rng, count, colours)
    edition = np.flatnonzero(book.edition >= 0)
    trim[edition] = _draw(
        rng, len(edition), _weights([trim.name for trim in description.trims], _EDITION_TRIMS)
    )
    colour[edition] = _draw(rng, len(edition), colours[:_EDITION_COLOURS])

    city = _draw(rng, count, places.weights())
    store = np.full(count, -1, np.int16)
    order = np.argsort(city, kind="stable")
    bounds = np.searchsorted(city[order], np.arange(len(places.cities) + 1))
    for index, near in enumerate(places.stores_near()):
        rows = order[bounds[index] : bounds[index + 1]]
        if len(near):
            store[rows] = near[rng.integers(0, len(near), len(rows))]

    changed, changed_at = _changes_before_lock(rng, book)
    locked_trim, locked_colour = trim.copy(), colour.copy()
    locked_trim[changed], locked_colour[changed] = other_configuration(
        rng, trim[changed], colour[changed], len(trims), len(colours)
    )
    buyer = np.arange(count, dtype=np.int64)
    if (description.rules.limit_per_person or 2) >= 2:
        pairs = rng.choice(count, (int(count * _SECOND_ORDER), 2), replace=False)
        buyer[pairs[:, 1]] = pairs[:, 0]
    return Choices(trim, colour, locked_trim, locked_colour, city, store, buyer, changed, changed_at)


def other_configuration(
    rng: Generator, trim: Codes, colour: Codes, trims: int, colours: int
) -> tuple[Codes, Codes]:
    """Another colour for each, and for some another trim."""
    step = rng.integers(1, colours, len(colour)) if colours > 1 else 0
    moved = np.where(rng.random(len(trim)) < _CHANGE_OF_TRIM, 1, 0)
    new_trim = (trim + moved * rng.integers(1, max(2, trims), len(trim))) % trims
    return new_trim.astype(np.int16), ((colour + step) % colours).astype(np.int16)


def make_buyers(rng: Generator, count: int) -> Buyers:
    """Attributes of the buyers of ``count`` locked orders, each share met within its own rounding."""
    women = points.scaled(count, points.WOMEN)
    apple = points.scaled(count, points.APPLE)
    premium = points.scaled(count, points.GERMAN_PREMIUM)
    return Buyers(
        sex=_shuffled(rng, np.array([women, count - women])),
        age=_shuffled(rng, apportion(count, _parts(_AGES))),
        phone=_shuffled(rng, np.array([apple, *apportion(count - apple, _parts(_OTHER_PHONES))])),
        previous=_shuffled(
            rng,
            np.concatenate(
                (
                    apportion(premium, _parts(_GERMAN_PREMIUM)),
                    apportion(count - premium, _parts(_OTHER_CARS)),
                )
            ),
        ),
    )


def _changes_before_lock(rng: Generator, book: OrderBook) -> tuple[Indexes, Milliseconds]:
    waited = book.resolved - book.reserved
    able = np.flatnonzero((book.edition < 0) & (waited > MS_PER_HOUR))
    weight = np.where(book.fate[able] == CANCELS, 0.5, 1.0) * np.where(
        book.fate[able] == CLOCK_LOCKS, 1.5, 1.0
    )
    rows = np.sort(able[rng.random(len(able)) < weight * _CHANGE_BEFORE_LOCK])
    at = book.reserved[rows] + (waited[rows] * rng.uniform(0.1, 0.9, len(rows))).astype(np.int64)
    return rows, at


def _weights(names: list[str], known: dict[str, float]) -> NDArray[np.float64]:
    weights = np.array([known.get(name, 0.0) for name in names])
    return weights if weights.any() else np.ones(len(names))


def _parts(parts: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array(list(parts.values()), np.float64)


def _draw(rng: Generator, count: int, weights: NDArray[np.float64]) -> Codes:
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(count), "right"), len(weights) - 1).astype(np.int16)


def _shuffled(rng: Generator, counts: Indexes) -> Codes:
    codes = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    rng.shuffle(codes)
    return codes
