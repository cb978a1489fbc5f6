"""The simulated order book in columns: who reserved when, and what became of it.

Every order first gets a fate of its own (its buyer locks it, its buyer cancels it, or the clock
locks it after the refundable hours). Then, window by window, as few fates as needed are turned
over (a cancellation becomes a lock at the same moment, or the reverse), so that the locks
pass through the checkpoints exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo import checkpoints as points
from driveaway.demo.rhythm import MS_PER_HOUR, Milliseconds, Rhythm, apportion
from driveaway.facts.description import Edition

CANCELS: Final = 0
BUYER_LOCKS: Final = 1
CLOCK_LOCKS: Final = 2
EDITION_LOCKS: Final = 3

# Reservations by day after the first 24 hours, and from 3 to 17 and 18 to 24 April; assumptions.
_FIRST_DAYS = (
    (24, 26, 0.06),
    (26, 50, 0.32),
    (50, 74, 0.25),
    (74, 98, 0.17),
    (98, 122, 0.13),
    (122, 132, 0.07),
)
_FIRST_NIGHT = ((27 / 60, 1, 0.22), (1, 2, 0.16), (2, 24, 0.62))
_LIVESTREAM_DAYS = (1.2, 1.15, 1.1, 1.1, 0.95, 0.9, 0.9)
_SOLD_OUT_MINUTES = 2.0


@dataclass(frozen=True)
class Fates:
    """How a cohort behaves: parts that lock and that wait for the clock; how fast the rest decides."""

    until_hour: float
    buyer_locks: float
    clock_locks: float
    quick: float
    mean_hours: float


# Orders reserved until the hour given; the rest of each cohort cancels. Assumptions, near what the
# checkpoints ask for, so that few fates need turning over.
_COHORTS: Final = (
    Fates(points.CEREMONY_HOUR, 0.43, 0.165, 0.6, 18.0),
    Fates(points.LIVESTREAM_DAY_HOUR, 0.46, 0.17, 0.5, 24.0),
    Fates(np.inf, 0.64, 0.10, 0.85, 11.0),
)


@dataclass
class OrderBook:
    """One row an order, sorted by reservation; times in milliseconds since orders opened.

    Attributes:
        reserved: when.
        edition: index of the edition, -1 for an ordinary order.
        fate: one of the constants above.
        resolved: when it locks or is cancelled; it may lie after the end of the data.
    """

    reserved: Milliseconds
    edition: NDArray[np.int8]
    fate: NDArray[np.int8]
    resolved: Milliseconds

    @property
    def locks(self) -> NDArray[np.bool_]:
        """True where the order locks, perhaps after the end of the data."""
        return np.asarray(self.fate != CANCELS, np.bool_)

    def __len__(self) -> int:
        """Number of orders."""
        return len(self.reserved)


def make_orders(
    rng: Generator,
    rhythm: Rhythm,
    editions: list[tuple[int, Edition, float]],
    refundable_hours: int,
    scale: float,
) -> OrderBook:
    """Reservations and fates that pass through every checkpoint at this scale.

    ``editions``: index, edition and the hour at which it opens.
    """
    reserved, edition = _reservations(rng, rhythm, editions, scale)
    ordinary = edition < 0
    fate = np.full(len(reserved), EDITION_LOCKS, np.int8)
    resolved = reserved.copy()
    previous = -np.inf
    for cohort in _COHORTS:
        rows = np.flatnonzero(
            ordinary & (reserved > previous * MS_PER_HOUR) & (reserved <= cohort.until_hour * MS_PER_HOUR)
        )
        previous = cohort.until_hour
        draw = rng.random(len(rows))
        kind = np.where(draw < cohort.buyer_locks, BUYER_LOCKS, CANCELS)
        kind[draw > 1 - cohort.clock_locks] = CLOCK_LOCKS
        quick = rng.random(len(rows)) < np.where(kind == CANCELS, 0.55, cohort.quick)
        delay = np.where(
            quick,
            rng.exponential(cohort.mean_hours, len(rows)) % refundable_hours,
            rng.random(len(rows)) * refundable_hours,
        )
        fate[rows] = kind
        resolved[rows] = np.where(
            kind == CLOCK_LOCKS,
            reserved[rows] + refundable_hours * MS_PER_HOUR,
            rhythm.later(reserved[rows], delay, refundable_hours),
        )
    book = OrderBook(reserved, edition, fate, resolved)
    _meet_lock_checkpoints(rng, book, scale)
    return book


def _reservations(
    rng: Generator, rhythm: Rhythm, editions: list[tuple[int, Edition, float]], scale: float
) -> tuple[Milliseconds, NDArray[np.int8]]:
    cumulative = [_met(rng, point, scale) for point in points.RESERVED]
    hours = [point.hour for point in points.RESERVED]
    steps = np.diff([0, *cumulative])
    sizes = {
        index: min(points.scaled(points.EDITION_SIZES[edition.name], scale), _quota(edition))
        for index, edition, _ in editions
    }
    later = {index: hour for index, _, hour in editions if hour > 0}

    parts = [rhythm.spread(rng, int(steps[0]), 0, hours[0])]
    parts += [rhythm.spread(rng, int(steps[k]), hours[k - 1], hours[k]) for k in (1, 2)]
    parts.append(_by_parts(rng, rhythm, int(steps[3]), _FIRST_NIGHT))
    afterwards = int(steps[4]) - sum(sizes[index] for index in later)
    parts.append(_by_parts(rng, rhythm, afterwards, _FIRST_DAYS))
    parts.append(_by_days(rng, rhythm, points.AFTER_CEREMONY, scale, points.CEREMONY_HOUR, np.ones(15)))
    parts.append(
        _by_days(
            rng,
            rhythm,
            points.AFTER_LIVESTREAM,
            scale,
            points.LIVESTREAM_DAY_HOUR,
            np.array(_LIVESTREAM_DAYS),
        )
    )
    labels = [np.full(len(part), -1, np.int8) for part in parts]
    for index, hour in later.items():
        parts.append(rhythm.spread(rng, sizes[index], hour, hour + _SOLD_OUT_MINUTES / 60))
        labels.append(np.full(sizes[index], index, np.int8))
    reserved, edition = np.concatenate(parts), np.concatenate(labels)
    order = np.argsort(reserved, kind="stable")
    reserved, edition = reserved[order], edition[order]
    for index, _, hour in editions:
        if hour <= 0:
            # Sold out within minutes: taken from among the first, three buyers for each car.
            first = np.flatnonzero(edition[: 3 * sizes[index]] < 0)
            edition[rng.choice(first, sizes[index], replace=False)] = index
    return reserved, edition


def _quota(edition: Edition) -> int:
    return 2**53 if edition.quota is None else edition.quota


def _met(rng: Generator, point: points.Checkpoint, scale: float) -> int:
    count = points.scaled(point.count, scale)
    if point.relation == "=":
        return count
    least = count + (point.relation == ">")
    return int(rng.integers(least, least + max(1, count // 100)))


def _by_parts(
    rng: Generator, rhythm: Rhythm, count: int, parts: tuple[tuple[float, float, float], ...]
) -> Milliseconds:
    shares = apportion(count, np.array([part for _, _, part in parts]))
    return np.concatenate(
        [
            rhythm.spread(rng, int(share), start, end)
            for share, (start, end, _) in zip(shares, parts, strict=True)
        ]
    )


def _by_days(
    rng: Generator, rhythm: Rhythm, count: int, scale: float, start: float, days: NDArray[np.float64]
) -> Milliseconds:
    """A count a few per cent off the one given, over whole days of which the first may be cut."""
    weights = days * rng.uniform(0.9, 1.1, len(days))
    midnight = start - (start + points.OPENING_HOUR) % 24.0
    parts = []
    for number, weight in enumerate(weights):
        begin, end = max(start, midnight + 24.0 * number), midnight + 24.0 * (number + 1)
        last = 1 / MS_PER_HOUR if end == points.END_HOUR else 0.0
        parts.append((begin, end - last, float(weight) * (end - begin) / 24.0))
    return _by_parts(rng, rhythm, points.scaled(int(count * rng.uniform(0.985, 1.015)), scale), tuple(parts))


def _meet_lock_checkpoints(rng: Generator, book: OrderBook, scale: float) -> None:
    ceremony, stated, end = points.LOCKED
    by_ceremony = _met(rng, ceremony, scale)
    by_end = points.scaled(end.count, scale)
    least = points.scaled(stated.count, scale) + 1
    most = by_end - points.scaled(points.LOCKED_IN_FOUR_DAYS.count, scale) - 1
    by_stated = int(rng.integers(least, most + 1))
    edges = [-1, *(round(point.hour * MS_PER_HOUR) for point in points.LOCKED)]
    wanted = np.diff([0, by_ceremony, by_stated, by_end])
    for low, high, count in zip(edges, edges[1:], wanted, strict=False):
        within = (book.resolved >= low) & (book.resolved < high)
        surplus = int((within & book.locks).sum()) - int(count)
        if surplus > 0:
            book.fate[_some(rng, within & (book.fate == BUYER_LOCKS), surplus)] = CANCELS
            continue
        turned = _some(rng, within & (book.fate == CANCELS), -surplus)
        book.fate[turned] = BUYER_LOCKS
        # In a small book the cancellations may not be enough: then undecided buyers lock earlier.
        undecided = (book.resolved >= high) & (book.reserved < high - 10_000)
        hurried = _some(rng, undecided, -surplus - len(turned))
        first = np.maximum(book.reserved[hurried] + 1000, low + 1)
        book.resolved[hurried] = first + (rng.random(len(hurried)) * (high - 1000 - first)).astype(np.int64)
        book.fate[hurried] = BUYER_LOCKS


def _some(rng: Generator, among: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(among)
    return rng.choice(rows, min(count, len(rows)), replace=False)
