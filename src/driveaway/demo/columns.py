"""The simulated launch in columns, with the words that its codes stand for."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.demo import checkpoints as points
from driveaway.demo.choices import Buyers, Choices, Indexes
from driveaway.demo.labels import Scramble, order_ids
from driveaway.demo.orderbook import OrderBook
from driveaway.demo.places import Outlet, Places
from driveaway.demo.rhythm import MS_PER_HOUR, Milliseconds
from driveaway.facts.description import Description
from driveaway.values.money import parse_money

ORDINARY_DEPOSIT: Final = "5000"
"""Major units; an edition's deposit stands in the description."""
END: Final = round(points.END_HOUR * MS_PER_HOUR)
"""The data end just before it (milliseconds since orders opened)."""


class Columns:
    """Orders, choices and buyers by row, and what their codes mean.

    Lists that are looked up with -1 for "none" end in None.

    Attributes:
        book, choices, buyers, places, description: as simulated.
        trims, colours, prices: by code; prices in minor units.
        editions, outlets: names by code, None at -1.
        cities, provinces: by code of the city.
        handover: outlet that hands cars over, by code of the city.
        deposits: minor units by code of the edition, the ordinary one at -1.
        locked: rows of the orders that lock within the data, in the order of ``buyers``.
    """

    def __init__(
        self,
        rng: Generator,
        opened: int,
        description: Description,
        places: Places,
        book: OrderBook,
        choices: Choices,
        buyers: Buyers,
    ) -> None:
        """``opened``: the instant at which orders opened."""
        currency = description.currency
        self.opened, self.description, self.places = opened, description, places
        self.book, self.choices, self.buyers = book, choices, buyers
        self.currency = currency
        self.trims = [trim.name for trim in description.trims]
        self.prices = [parse_money(trim.price or "0", currency) for trim in description.trims]
        self.colours: list[str | None] = [*description.colours] or [None]
        self.editions: list[str | None] = [*(edition.name for edition in description.editions), None]
        self.outlets: list[str | None] = [*(outlet.slug for outlet in places.outlets), None]
        self.cities = [city.name for city in places.cities]
        self.provinces = [city.province for city in places.cities]
        self.handover: dict[int, Outlet] = places.handover_at()
        self.deposits = [
            *(parse_money(edition.deposit or ORDINARY_DEPOSIT, currency) for edition in description.editions),
            parse_money(ORDINARY_DEPOSIT, currency),
        ]
        self.locked = np.flatnonzero(book.locks & (book.resolved < END))
        self._ids = order_ids(Scramble(rng)(np.arange(len(book))))
        self._buyer = Scramble(rng)

    def at(self, times: Milliseconds) -> NDArray[np.int64]:
        """Instants (microseconds since 1970 UTC) of times since orders opened."""
        return self.opened + times * 1000

    def order_ids(self, rows: Indexes) -> list[str]:
        """The orders' ids."""
        names: list[str] = self._ids[rows].astype("U").tolist()
        return names

    def buyer_numbers(self, rows: Indexes) -> list[int]:
        """Numbers of the orders' buyers, unlike the rows."""
        numbers: list[int] = self._buyer(self.choices.buyer[rows]).tolist()
        return numbers
