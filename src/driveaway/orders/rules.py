"""The order desk's rules: what each kind of fact needs, and what it changes.

Every rule looks at the state *before* the fact in valid time, so the order of arrival does not
matter. ``check`` refuses, ``apply`` changes the state; they are apart because facts that stand in
the book are folded without being judged again by rules that may have changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.facts.base import Body
from driveaway.facts.description import Description
from driveaway.orders.state import CarState, OrderState
from driveaway.values.clock import HOUR, parse_instant, zone
from driveaway.values.errors import Refused

CLOCK_RULE = "unclaimed-reservation"


@dataclass
class Desk:
    """The states that a batch of facts touches, and the rules of one launch."""

    description: Description
    orders: dict[str, OrderState] = field(default_factory=dict)
    cars: dict[str, CarState] = field(default_factory=dict)
    buyers: dict[str, set[str]] = field(default_factory=dict)
    editions: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rules = self.description.rules
        tz = zone(self.description.zone)
        self.refundable = None if rules.refundable_hours is None else rules.refundable_hours * HOUR
        self.needs = frozenset(rules.handover_needs)
        self.windows = [
            (parse_instant(w.from_time, tz), parse_instant(w.until_time, tz), w) for w in rules.change_windows
        ]
        self.trims = {trim.name for trim in self.description.trims}
        self.colours = set(self.description.colours)

    def order(self, subject: str) -> OrderState:
        """The state of an order, new when nothing is known."""
        state = self.orders.get(subject)
        if state is None:
            state = self.orders[subject] = OrderState()
        return state

    def car(self, subject: str) -> CarState:
        """The state of a car, new when nothing is known."""
        state = self.cars.get(subject)
        if state is None:
            state = self.cars[subject] = CarState()
        return state

    def check(self, subject: str, happened: int, body: Body) -> None:
        """Refuse a fact that the rules forbid.

        Raises:
            Refused: with the rule's stable code.
        """
        check = _CHECKS.get(type(body))
        if check is not None:
            check(self, subject, happened, body)

    def apply(self, subject: str, happened: int, body: Body) -> None:
        """Fold a fact into the states."""
        change = _CHANGES.get(type(body))
        if change is not None:
            change(self, subject, happened, body)

    def clock_lock(self, subject: str, happened: int) -> int | None:
        """When the clock locked this order before ``happened``, if it did and no fact says so yet."""
        state = self.orders.get(subject)
        if self.refundable is None or state is None or state.reserved is None:
            return None
        due = state.reserved + self.refundable
        if state.locked is None and state.cancelled is None and due < happened:
            return due
        return None

    def last(self, subject: str, body: Body) -> int:
        """The latest valid time among the states that this fact would touch."""
        state = self.orders.get(subject) or self.cars.get(subject)
        time = 0 if state is None else state.last
        other = _OTHER.get(type(body))
        if other is not None:
            name = getattr(body, other)
            linked = self.orders.get(name) or self.cars.get(name)
            if linked is not None and linked.last > time:
                return linked.last
        return time


# The field by which a fact touches a second state.
_OTHER: dict[type[Body], str] = {
    c.CarPegged: "order",
    c.CarUnpegged: "order",
    c.CarReturned: "order",
    o.OrderHandedOver: "vin",
}


def _refuse(code: str, message: str, remedy: str = "") -> None:
    raise Refused(message, code=code, remedy=remedy)


def _check_configuration(desk: Desk, body: o.Configuration) -> None:
    if body.trim is not None and desk.trims and body.trim not in desk.trims:
        _refuse(
            "order.trim", f"trim {body.trim!r} is not sold here", f"one of {', '.join(sorted(desk.trims))}"
        )
    if body.colour is not None and desk.colours and body.colour not in desk.colours:
        known = ", ".join(sorted(desk.colours))
        _refuse("order.colour", f"colour {body.colour!r} is not sold here", f"one of {known}")


def _check_reserved(desk: Desk, subject: str, happened: int, body: o.OrderReserved) -> None:
    state = desk.order(subject)
    if state.reserved is not None:
        _refuse("order.reserved_twice", f"{subject} is reserved already", "take another order id")
    _check_configuration(desk, body)
    if body.edition is not None:
        edition = desk.description.edition(body.edition)
        if edition is None:
            if desk.description.editions:
                _refuse("order.edition", f"there is no edition {body.edition!r}", "see launch.toml")
        elif edition.quota is not None and len(desk.editions.get(body.edition, ())) >= edition.quota:
            _refuse("order.quota", f"edition {body.edition} has its {edition.quota} orders")
    limit = desk.description.rules.limit_per_person
    if limit is not None and body.buyer is not None and len(desk.buyers.get(body.buyer, ())) >= limit:
        _refuse("order.limit", f"this buyer holds {limit} open orders, the limit per person")


def _open(desk: Desk, subject: str) -> OrderState:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse("order.not_reserved", f"{subject} has no reservation by then", "record the reservation first")
    if state.handed_over is not None:
        _refuse("order.handed_over_already", f"the car of {subject} is handed over")
    if state.cancelled is not None:
        _refuse("order.cancelled_already", f"{subject} is cancelled")
    return state


def _check_locked(desk: Desk, subject: str, happened: int, body: o.OrderLocked) -> None:
    if _open(desk, subject).locked is not None:
        _refuse("order.locked_twice", f"{subject} is locked already", "an order is locked once")
    _check_configuration(desk, body)


def _check_changed(desk: Desk, subject: str, happened: int, body: o.OrderChanged) -> None:
    state = _open(desk, subject)
    _check_configuration(desk, body)
    if state.locked is None or not desk.windows:
        return
    for start, end, window in desk.windows:
        if start <= happened <= end:
            if window.requeues and not body.requeues:
                _refuse("order.requeue", f"a change in the window {window.name} re-queues", "set requeues")
            return
    names = ", ".join(w.name for _, _, w in desk.windows)
    _refuse(
        "order.change_closed", "a firm order changes its configuration in a window only", f"windows: {names}"
    )


def _check_cancelled(desk: Desk, subject: str, happened: int, body: o.OrderCancelled) -> None:
    _open(desk, subject)


def _check_money(desk: Desk, subject: str, happened: int, body: Any) -> None:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse("order.not_reserved", f"{subject} has no reservation by then", "record the reservation first")
    if state.currency is not None and state.currency != body.currency:
        _refuse("money.currency_differs", f"{subject} is paid in {state.currency}, not {body.currency}")
    if isinstance(body, o.DepositRefunded | o.DepositForfeited) and body.amount > state.held:
        _refuse(
            "money.more_than_held",
            f"{body.amount} is more than the {state.held} minor units of deposit held for {subject}",
            "record what was taken first",
        )


def _check_handed_over(desk: Desk, subject: str, happened: int, body: o.OrderHandedOver) -> None:
    state = _open(desk, subject)
    if state.locked is None:
        _refuse("order.not_locked", f"{subject} is not locked by then", "only a firm order is handed over")
    if body.vin is None:
        if desk.needs & {"built", "pegged"}:
            _refuse("handover.no_vin", "a handover names the car", "give its VIN")
    else:
        car = desk.car(body.vin)
        if "built" in desk.needs and car.built is None:
            _refuse("handover.not_built", f"{body.vin} is not built by then", "record car.built first")
        if "pegged" in desk.needs and car.order != subject:
            _refuse("handover.not_pegged", f"{body.vin} is not pegged to {subject}", "peg the car first")
        if car.handed_over_to is not None:
            _refuse("handover.car_gone", f"{body.vin} was handed over to {car.handed_over_to}")
    if "paid" in desk.needs:
        price = state.configuration.price if state.configuration else None
        have = state.held + state.paid
        if have < price if price is not None else state.paid == 0:
            wanted = "its price" if price is None else f"{price} minor units"
            _refuse(
                "handover.not_paid", f"{subject} has paid {have} of {wanted}", "record payment.received first"
            )


def _check_built(desk: Desk, subject: str, happened: int, body: c.CarBuilt) -> None:
    if desk.car(subject).built is not None:
        _refuse("car.built_twice", f"{subject} is built already")
    if desk.trims and body.trim not in desk.trims:
        _refuse(
            "order.trim", f"trim {body.trim!r} is not built here", f"one of {', '.join(sorted(desk.trims))}"
        )


def _built(desk: Desk, subject: str) -> CarState:
    car = desk.car(subject)
    if car.built is None:
        _refuse("car.not_built", f"{subject} is not built by then", "record car.built first")
    return car


def _check_shipped(desk: Desk, subject: str, happened: int, body: c.CarShipped) -> None:
    _built(desk, subject)


def _check_pegged(desk: Desk, subject: str, happened: int, body: c.CarPegged) -> None:
    car = _built(desk, subject)
    if car.order is not None:
        _refuse("peg.taken", f"{subject} is pegged to {car.order}", "unpeg it first")
    if car.handed_over_to is not None and car.returned is None:
        _refuse("handover.car_gone", f"{subject} was handed over to {car.handed_over_to}")
    if car.purpose != "order":
        _refuse("peg.purpose", f"{subject} is a {car.purpose} car", "only cars built for orders are pegged")
    state = _open(desk, body.order)
    if state.locked is None:
        _refuse("order.not_locked", f"{body.order} is not locked by then", "peg cars to firm orders")
    if state.car is not None:
        _refuse("peg.order_served", f"{body.order} has {state.car} pegged to it", "unpeg that car first")
    wanted = state.configuration
    if wanted is not None:
        for name, ordered, has in (("trim", wanted.trim, car.trim), ("colour", wanted.colour, car.colour)):
            if ordered is not None and has is not None and ordered != has:
                _refuse("peg.incompatible", f"{body.order} wants {name} {ordered}, {subject} has {has}")


def _check_unpegged(desk: Desk, subject: str, happened: int, body: c.CarUnpegged) -> None:
    car = _built(desk, subject)
    if car.order != body.order:
        _refuse("peg.other", f"{subject} is pegged to {car.order or 'no order'}, not to {body.order}")
    if car.handed_over_to is not None:
        _refuse("handover.car_gone", f"{subject} was handed over to {car.handed_over_to}")


def _check_returned(desk: Desk, subject: str, happened: int, body: c.CarReturned) -> None:
    if desk.car(subject).handed_over_to != body.order:
        _refuse("return.not_handed_over", f"{subject} was not handed over to {body.order} by then")


def _check_described(desk: Desk, subject: str, happened: int, body: o.BuyerDescribed) -> None:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse("order.not_reserved", f"{subject} has no reservation by then", "record the reservation first")
    if state.described:
        _refuse("buyer.described_twice", f"the buyer of {subject} is described already", "correct that fact")


def _do_reserved(desk: Desk, subject: str, happened: int, body: o.OrderReserved) -> None:
    state = desk.order(subject)
    state.reserved, state.last = happened, max(state.last, happened)
    state.configuration, state.edition, state.foreign_id, state.buyer = (
        body,
        body.edition,
        body.foreign_id,
        body.buyer,
    )
    if body.buyer is not None:
        desk.buyers.setdefault(body.buyer, set()).add(subject)
    if body.edition is not None:
        desk.editions.setdefault(body.edition, set()).add(subject)


def _do_locked(desk: Desk, subject: str, happened: int, body: o.OrderLocked) -> None:
    state = desk.order(subject)
    state.locked = state.queued = happened
    state.last = max(state.last, happened)
    if body.trim is not None:
        state.configuration = body


def _do_changed(desk: Desk, subject: str, happened: int, body: o.OrderChanged) -> None:
    state = desk.order(subject)
    state.configuration, state.last = body, max(state.last, happened)
    if body.requeues and state.locked is not None:
        state.queued = happened


def _close(desk: Desk, subject: str, state: OrderState) -> None:
    if state.buyer is not None:
        desk.buyers.get(state.buyer, set()).discard(subject)


def _do_cancelled(desk: Desk, subject: str, happened: int, body: o.OrderCancelled) -> None:
    state = desk.order(subject)
    state.cancelled, state.last = happened, max(state.last, happened)
    _close(desk, subject, state)
    if state.edition is not None:
        desk.editions.get(state.edition, set()).discard(subject)


def _do_money(desk: Desk, subject: str, happened: int, body: Any) -> None:
    state = desk.order(subject)
    state.last, state.currency = max(state.last, happened), body.currency
    if isinstance(body, o.DepositTaken):
        state.taken += body.amount
    elif isinstance(body, o.DepositRefunded):
        state.refunded += body.amount
    elif isinstance(body, o.DepositForfeited):
        state.forfeited += body.amount
    else:
        state.paid += body.amount


def _do_handed_over(desk: Desk, subject: str, happened: int, body: o.OrderHandedOver) -> None:
    state = desk.order(subject)
    state.handed_over, state.last = happened, max(state.last, happened)
    _close(desk, subject, state)
    if body.vin is not None:
        state.cars.add(body.vin)
        car = desk.car(body.vin)
        car.handed_over_to, car.last = subject, max(car.last, happened)


def _do_built(desk: Desk, subject: str, happened: int, body: c.CarBuilt) -> None:
    car = desk.car(subject)
    car.built, car.purpose, car.trim, car.colour = happened, body.purpose, body.trim, body.colour
    car.last = max(car.last, happened)


def _do_shipped(desk: Desk, subject: str, happened: int, body: c.CarShipped) -> None:
    car = desk.car(subject)
    car.shipped, car.last = happened, max(car.last, happened)


def _do_pegged(desk: Desk, subject: str, happened: int, body: c.CarPegged) -> None:
    car, state = desk.car(subject), desk.order(body.order)
    car.order, state.car = body.order, subject
    state.cars.add(subject)
    car.last, state.last = max(car.last, happened), max(state.last, happened)


def _do_unpegged(desk: Desk, subject: str, happened: int, body: c.CarUnpegged) -> None:
    car, state = desk.car(subject), desk.order(body.order)
    car.order = state.car = None
    car.last, state.last = max(car.last, happened), max(state.last, happened)


def _do_returned(desk: Desk, subject: str, happened: int, body: c.CarReturned) -> None:
    car = desk.car(subject)
    car.returned, car.order, car.handed_over_to = happened, None, None
    car.last = max(car.last, happened)
    state = desk.order(body.order)
    state.last = max(state.last, happened)


def _do_described(desk: Desk, subject: str, happened: int, body: o.BuyerDescribed) -> None:
    state = desk.order(subject)
    state.described, state.last = True, max(state.last, happened)


_Rule = Callable[[Desk, str, int, Any], None]
_CHECKS: dict[type[Body], _Rule] = {
    o.OrderReserved: _check_reserved,
    o.OrderLocked: _check_locked,
    o.OrderChanged: _check_changed,
    o.OrderCancelled: _check_cancelled,
    o.DepositTaken: _check_money,
    o.DepositRefunded: _check_money,
    o.DepositForfeited: _check_money,
    o.PaymentReceived: _check_money,
    o.OrderHandedOver: _check_handed_over,
    o.BuyerDescribed: _check_described,
    c.CarBuilt: _check_built,
    c.CarShipped: _check_shipped,
    c.CarPegged: _check_pegged,
    c.CarUnpegged: _check_unpegged,
    c.CarReturned: _check_returned,
}
_CHANGES: dict[type[Body], _Rule] = {
    o.OrderReserved: _do_reserved,
    o.OrderLocked: _do_locked,
    o.OrderChanged: _do_changed,
    o.OrderCancelled: _do_cancelled,
    o.DepositTaken: _do_money,
    o.DepositRefunded: _do_money,
    o.DepositForfeited: _do_money,
    o.PaymentReceived: _do_money,
    o.OrderHandedOver: _do_handed_over,
    o.BuyerDescribed: _do_described,
    c.CarBuilt: _do_built,
    c.CarShipped: _do_shipped,
    c.CarPegged: _do_pegged,
    c.CarUnpegged: _do_unpegged,
    c.CarReturned: _do_returned,
}
