"""What each kind of fact changes in the states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driveaway.facts import cars as c
from driveaway.facts import delivery as d
from driveaway.facts import orders as o
from driveaway.facts.base import Body
from driveaway.facts.launches import Withdrawn
from driveaway.orders.state import DeskState, OrderState


def _do_reserved(desk: DeskState, subject: str, happened: int, body: o.OrderReserved) -> None:
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


def _do_locked(desk: DeskState, subject: str, happened: int, body: o.OrderLocked) -> None:
    state = desk.order(subject)
    state.locked = state.queued = happened
    state.last = max(state.last, happened)
    if body.trim is not None:
        state.configuration = body


def _do_changed(desk: DeskState, subject: str, happened: int, body: o.OrderChanged) -> None:
    state = desk.order(subject)
    state.configuration, state.last = body, max(state.last, happened)
    if body.requeues and state.locked is not None:
        state.queued = happened


def _close(desk: DeskState, subject: str, state: OrderState) -> None:
    if state.buyer is not None:
        desk.buyers.get(state.buyer, set()).discard(subject)


def _do_cancelled(desk: DeskState, subject: str, happened: int, body: o.OrderCancelled) -> None:
    state = desk.order(subject)
    state.cancelled, state.last = happened, max(state.last, happened)
    _close(desk, subject, state)
    if state.edition is not None:
        desk.editions.get(state.edition, set()).discard(subject)


def _do_money(desk: DeskState, subject: str, happened: int, body: Any) -> None:
    state = desk.order(subject)
    state.last, state.currency = max(state.last, happened), body.currency
    if isinstance(body, o.DepositTaken):
        state.taken += body.amount
    elif isinstance(body, o.DepositRefunded):
        state.refunded += body.amount
    elif isinstance(body, o.DepositForfeited):
        state.forfeited += body.amount
    elif isinstance(body, o.PaymentRefunded):
        state.paid -= body.amount
    else:
        state.paid += body.amount


def _do_handed_over(desk: DeskState, subject: str, happened: int, body: o.OrderHandedOver) -> None:
    state = desk.order(subject)
    state.handed_over, state.last = happened, max(state.last, happened)
    _close(desk, subject, state)
    if body.vin is not None:
        state.cars.add(body.vin)
        car = desk.car(body.vin)
        car.handed_over_to, car.last = subject, max(car.last, happened)


def _do_built(desk: DeskState, subject: str, happened: int, body: c.CarBuilt) -> None:
    car = desk.car(subject)
    car.built, car.purpose, car.trim, car.colour = happened, body.purpose, body.trim, body.colour
    car.last = max(car.last, happened)


def _do_shipped(desk: DeskState, subject: str, happened: int, body: c.CarShipped) -> None:
    car = desk.car(subject)
    car.shipped, car.last = happened, max(car.last, happened)


def _do_pegged(desk: DeskState, subject: str, happened: int, body: c.CarPegged) -> None:
    car, state = desk.car(subject), desk.order(body.order)
    car.order, state.car = body.order, subject
    state.cars.add(subject)
    car.last, state.last = max(car.last, happened), max(state.last, happened)


def _do_unpegged(desk: DeskState, subject: str, happened: int, body: c.CarUnpegged) -> None:
    car, state = desk.car(subject), desk.order(body.order)
    car.order = state.car = None
    car.last, state.last = max(car.last, happened), max(state.last, happened)


def _do_returned(desk: DeskState, subject: str, happened: int, body: c.CarReturned) -> None:
    car = desk.car(subject)
    car.returned, car.order, car.handed_over_to = happened, None, None
    car.last = max(car.last, happened)
    state = desk.order(body.order)
    state.last = max(state.last, happened)


def _do_described(desk: DeskState, subject: str, happened: int, body: o.BuyerDescribed) -> None:
    state = desk.order(subject)
    state.described, state.last = True, max(state.last, happened)


def _do_promised(desk: DeskState, subject: str, happened: int, body: d.PromiseGiven) -> None:
    state = desk.order(subject)
    state.promised, state.last = (body.first_day, body.last_day), max(state.last, happened)


def _do_noted(desk: DeskState, subject: str, happened: int, body: Body) -> None:
    state = desk.order(subject)
    state.last = max(state.last, happened)


def _do_withdrawn(desk: DeskState, subject: str, happened: int, body: Withdrawn) -> None:
    if subject.startswith("O-"):
        desk.order(subject).withdrawals += 1


CHANGES: dict[type[Body], Callable[[DeskState, str, int, Any], None]] = {
    o.OrderReserved: _do_reserved,
    o.OrderLocked: _do_locked,
    o.OrderChanged: _do_changed,
    o.OrderCancelled: _do_cancelled,
    o.DepositTaken: _do_money,
    o.DepositRefunded: _do_money,
    o.DepositForfeited: _do_money,
    o.PaymentReceived: _do_money,
    o.PaymentRefunded: _do_money,
    o.OrderHandedOver: _do_handed_over,
    o.BuyerDescribed: _do_described,
    c.CarBuilt: _do_built,
    c.CarShipped: _do_shipped,
    c.CarPegged: _do_pegged,
    c.CarUnpegged: _do_unpegged,
    c.CarReturned: _do_returned,
    d.PromiseGiven: _do_promised,
    d.HandoverPostponed: _do_noted,
    d.OrderPrioritised: _do_noted,
    Withdrawn: _do_withdrawn,
}
