"""A small launch, and short ways to say what happened in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any, NamedTuple, Protocol

import psycopg

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.facts.delivery import HandoverPostponed, OrderPrioritised, PromiseGiven
from driveaway.facts.description import read_description
from driveaway.facts.launches import Withdrawn
from driveaway.facts.public import OutletClosed, OutletOpened
from driveaway.values.clock import HOUR, parse_instant
from driveaway.values.ids import make_vin, order_id

LAUNCH_TOML = """
launch = "small"
zone = "Asia/Shanghai"
currency = "CNY"
colours = ["blue", "green"]

[car]
name = "Car"

[[trims]]
name = "Max"
price = "300000"

[[trims]]
name = "Pro"
price = "250000"

[[editions]]
name = "founder"
quota = 2

[rules]
refundable_hours = 168
limit_per_person = 2

[[rules.change_windows]]
name = "april"
from_time = "2024-04-10T00:00:00+08:00"
until_time = "2024-04-20T00:00:00+08:00"
requeues = true
"""
DESCRIPTION = read_description(LAUNCH_TOML)
START = parse_instant("2024-03-28T22:00:00+08:00", None)
PRICE = 30_000_000
DEPOSIT = 500_000


class Ask(Protocol):
    """Run one SQL statement on a connection of its own, past the program."""

    def __call__(self, sql: str, /, *values: Any) -> list[Any]: ...


class Place(NamedTuple):
    """A book's URL, and how to reach it without the program."""

    url: str
    engine: str
    sql: Ask

    def tamper(self, sql: str, *values: Any) -> None:
        """Change rows as somebody could who owns the database: its triggers first put out of the way."""
        if self.engine == "postgresql":
            with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
                connection.execute("SET session_replication_role = replica")
                connection.execute(sql.replace("?", "%s").encode(), values)
        else:
            path = self.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path)) as connection, connection:
                found = connection.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                ).fetchall()
                for name, _ in found:
                    connection.execute(f"DROP TRIGGER {name}")
                connection.execute(sql, values)
                for _, text in found:
                    connection.execute(text)


def at(hours: float) -> int:
    """An instant so many hours after orders opened."""
    return START + round(hours * HOUR)


def order(number: int) -> str:
    return order_id(number)


def car(number: int) -> str:
    return make_vin("LNB", "SC3AB", 2024, "B", number)


def draft(kind: str, subject: str, hours: float, body: Any, **more: Any) -> Draft:
    more.setdefault("source", f"urn:test:{kind}/{subject}/{hours}")
    return Draft(kind, subject, at(hours), body, **more)


def reserved(
    number: int, hours: float = 0, *, source: str | None = None, replaces: int | None = None, **body: Any
) -> Draft:
    body = {"trim": "Max", "colour": "blue", "price": PRICE, "currency": "CNY"} | body
    more = {} if source is None else {"source": source}
    return draft("order.reserved", order(number), hours, o.OrderReserved(**body), replaces=replaces, **more)


def locked(number: int, hours: float = 1, **more: Any) -> Draft:
    return draft("order.locked", order(number), hours, o.OrderLocked(), **more)


def changed(number: int, hours: float, *, requeues: bool = False, trim: str = "Pro", **more: Any) -> Draft:
    body = o.OrderChanged(trim=trim, colour="blue", price=PRICE, currency="CNY", requeues=requeues)
    return draft("order.changed", order(number), hours, body, **more)


def cancelled(number: int, hours: float, **more: Any) -> Draft:
    return draft("order.cancelled", order(number), hours, o.OrderCancelled(), **more)


def taken(number: int, hours: float = 0, amount: int = DEPOSIT, currency: str = "CNY", **more: Any) -> Draft:
    return draft(
        "deposit.taken", order(number), hours, o.DepositTaken(amount=amount, currency=currency), **more
    )


def refunded(number: int, hours: float, amount: int = DEPOSIT, **more: Any) -> Draft:
    return draft(
        "deposit.refunded", order(number), hours, o.DepositRefunded(amount=amount, currency="CNY"), **more
    )


def paid(number: int, hours: float, amount: int = PRICE, **more: Any) -> Draft:
    return draft(
        "payment.received", order(number), hours, o.PaymentReceived(amount=amount, currency="CNY"), **more
    )


def described(number: int, hours: float = 0, **body: Any) -> Draft:
    return draft("buyer.described", order(number), hours, o.BuyerDescribed(**body))


def built(
    number: int, hours: float, *, trim: str = "Max", colour: str = "blue", purpose: Any = "order", **more: Any
) -> Draft:
    body = c.CarBuilt(plant="beijing", trim=trim, colour=colour, purpose=purpose)
    return draft("car.built", car(number), hours, body, **more)


def pegged(number: int, to: int, hours: float, **more: Any) -> Draft:
    return draft("car.pegged", car(number), hours, c.CarPegged(order=order(to)), **more)


def unpegged(number: int, of: int, hours: float, **more: Any) -> Draft:
    return draft("car.unpegged", car(number), hours, c.CarUnpegged(order=order(of), reason="damaged"), **more)


def handed_over(number: int, vin: int, hours: float, **more: Any) -> Draft:
    body = o.OrderHandedOver(vin=car(vin), province="110000", city="Beijing")
    return draft("order.handed_over", order(number), hours, body, **more)


def returned(vin: int, of: int, hours: float, **more: Any) -> Draft:
    return draft("car.returned", car(vin), hours, c.CarReturned(order=order(of)), **more)


def promised(number: int, hours: float, first: str, last: str, **body: Any) -> Draft:
    said = PromiseGiven(first_day=first, last_day=last, confidence=0.9, **body)
    return draft("promise.given", order(number), hours, said)


def postponed(number: int, hours: float, until: str) -> Draft:
    return draft("handover.postponed", order(number), hours, HandoverPostponed(until_day=until))


def prioritised(number: int, hours: float, rank: int = 0) -> Draft:
    body = OrderPrioritised(rank=rank, reason="the first car was damaged in transport")
    return draft("order.prioritised", order(number), hours, body)


def opened(name: str, hours: float, **more: Any) -> Draft:
    return draft(
        "outlet.opened", name, hours, OutletOpened(role="store", province="110000", city="Beijing"), **more
    )


def closed(name: str, hours: float, **more: Any) -> Draft:
    return draft("outlet.closed", name, hours, OutletClosed(), **more)


def withdrawn(subject: str, seq: int, hours: float = 0) -> Draft:
    source = f"urn:test:withdrawn/{seq}"
    return Draft(
        "fact.withdrawn", subject, at(hours), Withdrawn(reason="entered by mistake"), source, replaces=seq
    )


def delivered(number: int, vin: int, hours: float = 0) -> list[Draft]:
    """A whole life: reserved, locked, paid; the car built, pegged, handed over; an hour apart."""
    return [
        reserved(number, hours),
        taken(number, hours),
        locked(number, hours + 1),
        built(vin, hours + 2),
        pegged(vin, number, hours + 3),
        paid(number, hours + 4),
        handed_over(number, vin, hours + 5),
    ]
