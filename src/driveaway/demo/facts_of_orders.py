"""Facts about outlets, orders, deposits and buyers, out of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from driveaway.demo.choices import AGES, PHONES, PREVIOUS, SEXES, Indexes, other_configuration
from driveaway.demo.columns import END, Columns
from driveaway.demo.orderbook import BUYER_LOCKS, CANCELS, CLOCK_LOCKS
from driveaway.demo.rhythm import MS_PER_HOUR
from driveaway.demo.stream import Family, family
from driveaway.facts.base import Body
from driveaway.facts.orders import (
    BuyerDescribed,
    DepositRefunded,
    DepositTaken,
    OrderCancelled,
    OrderChanged,
    OrderLocked,
    OrderReserved,
)
from driveaway.facts.public import OutletOpened
from driveaway.values.clock import parse_instant, zone

Made = tuple[Sequence[str], Sequence[Body]]

_WINDOW_CHANGES: Final = 0.02
"""Part of the firm ordinary orders that use a configuration window; an assumption."""
_FIRST_OUTLET_HOUR, _LAST_OUTLET_HOUR = -2196.0, -700.0
"""Outlets open from the end of December to the end of February, before show cars are sent to them."""


def outlet_and_order_families(rng: Generator, columns: Columns, with_car: Indexes) -> list[Family]:
    """Families in the order that holds when two facts bear the same time.

    Orders ``with_car`` are not changed in a window: their cars are being built.
    """
    book, choices = columns.book, columns.choices
    early = choices.changed_at < END
    locked, cancelled = columns.locked, np.flatnonzero((book.fate == CANCELS) & (book.resolved < END))
    reserved_at = columns.at(book.reserved)
    locked_at = columns.at(book.resolved[locked])
    cancelled_at = columns.at(book.resolved[cancelled])
    return [
        _outlets(rng, columns),
        family("order.reserved", reserved_at, lambda rows: _reserved(columns, rows)),
        family("deposit.taken", reserved_at, lambda rows: _deposits(columns, rows)),
        family(
            "order.changed",
            columns.at(choices.changed_at[early]),
            lambda rows: _changed(columns, rows),
            choices.changed[early],
        ),
        family("order.locked", locked_at, lambda rows: _locked(columns, rows), locked),
        family("buyer.described", locked_at, lambda rows: _described(columns, rows)),
        *_window_changes(rng, columns, with_car),
        family("order.cancelled", cancelled_at, lambda rows: _cancelled(columns, rows), cancelled),
        family("deposit.refunded", cancelled_at, lambda rows: _refunded(columns, rows), cancelled),
    ]


def _outlets(rng: Generator, columns: Columns) -> Family:
    outlets = columns.places.outlets
    hours = np.floor(rng.uniform(_FIRST_OUTLET_HOUR, _LAST_OUTLET_HOUR, len(outlets)) / 24) * 24 + 12
    bodies = [
        OutletOpened(
            role="store" if outlet.role == "store" else "delivery",
            name=outlet.name,
            province=columns.provinces[outlet.city],
            city=columns.cities[outlet.city],
        )
        for outlet in outlets
    ]
    return family(
        "outlet.opened",
        columns.at((hours * MS_PER_HOUR).astype(np.int64)),
        lambda rows: ([outlets[i].slug for i in rows], [bodies[i] for i in rows]),
    )


def _reserved(columns: Columns, rows: Indexes) -> Made:
    choices = columns.choices
    trims, colours, prices, currency = columns.trims, columns.colours, columns.prices, columns.currency
    cities, provinces, outlets, editions = (
        columns.cities,
        columns.provinces,
        columns.outlets,
        columns.editions,
    )
    return columns.order_ids(rows), [
        OrderReserved(
            trim=trims[trim],
            colour=colours[colour],
            price=prices[trim],
            currency=currency,
            province=provinces[city],
            city=cities[city],
            outlet=outlets[store],
            edition=editions[edition],
            # Every other buyer with a store near by orders there, the others in the app.
            channel="store" if store >= 0 and edition < 0 and buyer & 1 else "app",
            buyer=f"B-{buyer:012X}",
        )
        for trim, colour, city, store, edition, buyer in zip(
            choices.trim[rows].tolist(),
            choices.colour[rows].tolist(),
            choices.city[rows].tolist(),
            choices.store[rows].tolist(),
            columns.book.edition[rows].tolist(),
            columns.buyer_numbers(rows),
            strict=True,
        )
    ]


def _deposits(columns: Columns, rows: Indexes) -> Made:
    taken = [DepositTaken(amount=amount, currency=columns.currency) for amount in columns.deposits]
    return columns.order_ids(rows), [taken[edition] for edition in columns.book.edition[rows].tolist()]


def _refunded(columns: Columns, rows: Indexes) -> Made:
    repaid = [
        DepositRefunded(amount=amount, currency=columns.currency, reason="cancelled")
        for amount in columns.deposits
    ]
    return columns.order_ids(rows), [repaid[edition] for edition in columns.book.edition[rows].tolist()]


def _cancelled(columns: Columns, rows: Indexes) -> Made:
    return columns.order_ids(rows), [OrderCancelled()] * len(rows)


def _locked(columns: Columns, rows: Indexes) -> Made:
    trims, colours, prices, currency = columns.trims, columns.colours, columns.prices, columns.currency
    cities, provinces, outlets, editions = (
        columns.cities,
        columns.provinces,
        columns.outlets,
        columns.editions,
    )
    at_payment = [edition.locks_at_payment for edition in columns.description.editions]

    def rule(fate: int, edition: int) -> str:
        if fate == BUYER_LOCKS:
            return "buyer"
        if fate == CLOCK_LOCKS:
            return "unclaimed-reservation"
        return "edition-at-payment" if at_payment[edition] else "buyer"

    return columns.order_ids(rows), [
        OrderLocked(
            trim=trims[trim],
            colour=colours[colour],
            price=prices[trim],
            currency=currency,
            province=provinces[city],
            city=cities[city],
            outlet=outlets[store],
            rule=rule(fate, edition),
            edition=editions[edition],
        )
        for trim, colour, city, store, fate, edition in zip(
            columns.choices.locked_trim[rows].tolist(),
            columns.choices.locked_colour[rows].tolist(),
            columns.choices.city[rows].tolist(),
            columns.choices.store[rows].tolist(),
            columns.book.fate[rows].tolist(),
            columns.book.edition[rows].tolist(),
            strict=True,
        )
    ]


def _described(columns: Columns, rows: Indexes) -> Made:
    """``rows`` count the locked orders, as the buyers' columns do."""
    buyers = columns.buyers
    known: dict[tuple[int, int, int, int], BuyerDescribed] = {}
    bodies = []
    for key in zip(
        buyers.sex[rows].tolist(),
        buyers.age[rows].tolist(),
        buyers.phone[rows].tolist(),
        buyers.previous[rows].tolist(),
        strict=True,
    ):
        body = known.get(key)
        if body is None:
            body = known[key] = BuyerDescribed(
                sex="female" if SEXES[key[0]] == "female" else "male",
                age_band=AGES[key[1]],
                phone_brand=PHONES[key[2]],
                previous_brand=PREVIOUS[key[3]],
            )
        bodies.append(body)
    return columns.order_ids(columns.locked[rows]), bodies


def _changed(columns: Columns, rows: Indexes) -> Made:
    choices = columns.choices
    bodies = [
        _change(columns, int(row), int(choices.locked_trim[row]), int(choices.locked_colour[row]))
        for row in rows
    ]
    return columns.order_ids(rows), bodies


def _change(columns: Columns, row: int, trim: int, colour: int, **rule: Any) -> OrderChanged:
    city = int(columns.choices.city[row])
    return OrderChanged(
        trim=columns.trims[trim],
        colour=columns.colours[colour],
        price=columns.prices[trim],
        currency=columns.currency,
        province=columns.provinces[city],
        city=columns.cities[city],
        outlet=columns.outlets[int(columns.choices.store[row])],
        **rule,
    )


def _window_changes(rng: Generator, columns: Columns, with_car: Indexes) -> list[Family]:
    book, choices = columns.book, columns.choices
    tz = zone(columns.description.zone)
    able = book.locks & (book.edition < 0)
    able[with_car] = False
    families = []
    for window in columns.description.rules.change_windows:
        start, end = (
            (parse_instant(text, tz) - columns.opened) // 1000
            for text in (window.from_time, window.until_time)
        )
        rows = np.flatnonzero(able & (book.resolved < start))
        rows = rows[rng.random(len(rows)) < _WINDOW_CHANGES]
        able[rows] = False
        times = rng.integers(start + 1, end, len(rows))
        trim, colour = other_configuration(
            rng,
            choices.locked_trim[rows],
            choices.locked_colour[rows],
            len(columns.trims),
            len(columns.colours),
        )
        bodies = [
            _change(columns, row, new_trim, new_colour, requeues=window.requeues, rule=window.name)
            for row, new_trim, new_colour in zip(rows.tolist(), trim.tolist(), colour.tolist(), strict=True)
        ]
        subjects = columns.order_ids(rows)
        within = np.flatnonzero(times < END)
        families.append(family("order.changed", columns.at(times[within]), _picker(subjects, bodies), within))
    return families


def _picker(subjects: list[str], bodies: Sequence[Body]) -> Any:
    return lambda rows: ([subjects[i] for i in rows], [bodies[i] for i in rows])
