"""Kinds about one order: from reservation to handover, and its money. Subject: order id."""

from __future__ import annotations

from typing import ClassVar, Literal

from driveaway.facts.base import Body, Currency, Money, Name, Province


class Configuration(Body, frozen=True, kw_only=True):
    """What car was chosen, and where the buyer wants it."""

    trim: Name | None = None
    colour: Name | None = None
    options: tuple[Name, ...] = ()
    price: Money | None = None
    currency: Currency | None = None
    province: Province | None = None
    city: Name | None = None
    outlet: Name | None = None


class OrderReserved(Configuration, frozen=True, kw_only=True):
    """A buyer reserved a car with a deposit that can still be refunded (小订/大定).

    ``buyer`` is a pseudonym (never a name), personal, and counts the limit per person;
    ``edition`` a limited edition such as ``founder``; ``foreign_id`` the id in another system.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"buyer"})

    edition: Name | None = None
    channel: Name | None = None
    buyer: Name | None = None
    foreign_id: Name | None = None


class OrderLocked(Configuration, frozen=True, kw_only=True):
    """The buyer's order became a firm order (锁单): production is bound, the deposit is not refunded.

    ``rule`` says by which rule: ``buyer`` (the buyer confirmed), ``unclaimed-reservation``
    (the clock locked a reservation that nobody took back), or ``edition-at-payment``.
    A configuration left out is that of the order at this moment.
    """

    rule: Name = "buyer"
    edition: Name | None = None


class OrderChanged(Configuration, frozen=True, kw_only=True):
    """The configuration of an order changed; the whole new configuration is given.

    ``requeues`` True: the order goes to the end of the queue, as if locked now.
    ``rule`` names the window that allowed it, if there was one.
    """

    requeues: bool = False
    rule: Name | None = None


class OrderCancelled(Body, frozen=True, kw_only=True):
    """The order was called off, before or after its lock (退订)."""

    by: Literal["buyer", "maker"] = "buyer"
    reason: Name | None = None


class DepositTaken(Body, frozen=True, kw_only=True):
    """A deposit came in."""

    amount: Money
    currency: Currency
    method: Name | None = None


class DepositRefunded(Body, frozen=True, kw_only=True):
    """A deposit, or part of it, was paid back."""

    amount: Money
    currency: Currency
    reason: Name | None = None


class DepositForfeited(Body, frozen=True, kw_only=True):
    """A deposit, or part of it, was kept by the maker when a firm order was called off."""

    amount: Money
    currency: Currency
    reason: Name | None = None


class PaymentReceived(Body, frozen=True, kw_only=True):
    """The balance of the price, or part of it, came in; the deposit counts towards the price."""

    amount: Money
    currency: Currency
    method: Name | None = None


class PaymentRefunded(Body, frozen=True, kw_only=True):
    """A payment, or part of it, was paid back."""

    amount: Money
    currency: Currency
    reason: Name | None = None


class OrderHandedOver(Body, frozen=True, kw_only=True):
    """The buyer took over the car (交付): delivered, which is not invoiced and not registered.

    ``vin`` may be missing only where the launch sells goods without one.
    """

    vin: Name | None = None
    province: Province | None = None
    city: Name | None = None
    outlet: Name | None = None


class BuyerDescribed(Body, frozen=True, kw_only=True):
    """Attributes of the buyer of one order, all personal, none that names a person."""

    personal: ClassVar[frozenset[str]] = frozenset({"sex", "age_band", "phone_brand", "previous_brand"})

    sex: Literal["female", "male", "other"] | None = None
    age_band: Name | None = None
    phone_brand: Name | None = None
    previous_brand: Name | None = None
