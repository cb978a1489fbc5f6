"""What each kind of fact needs before it may be recorded, judged by the state before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from driveaway.facts import cars as c
from driveaway.facts import delivery as d
from driveaway.facts import orders as o
from driveaway.facts.base import Body
from driveaway.orders.state import CarState, DeskState, OrderState
from driveaway.values.errors import Refused


def _refuse(code: str, message: str, remedy: str, field: str = "") -> NoReturn:
    """Refuse; ``field`` is the one that the rule speaks of, left out where it is the subject."""
    raise Refused(message, code=code, remedy=remedy, field=field)


def _check_configuration(desk: DeskState, body: o.Configuration) -> None:
    if body.trim is not None and desk.trims and body.trim not in desk.trims:
        _refuse(
            "order.trim",
            f"trim {body.trim!r} is not sold here",
            f"one of {', '.join(sorted(desk.trims))}",
            "trim",
        )
    if body.colour is not None and desk.colours and body.colour not in desk.colours:
        known = ", ".join(sorted(desk.colours))
        _refuse("order.colour", f"colour {body.colour!r} is not sold here", f"one of {known}", "colour")
    sold_in = desk.description.currency
    if body.currency is not None and body.currency != sold_in:
        _refuse(
            "order.currency",
            f"the price is in {body.currency}, and this launch sells in {sold_in}",
            f"give the price in {sold_in}",
            "currency",
        )


def _check_reserved(desk: DeskState, subject: str, happened: int, body: o.OrderReserved) -> None:
    state = desk.order(subject)
    if state.reserved is not None:
        _refuse("order.reserved_twice", f"{subject} is reserved already", "take another order id")
    _check_configuration(desk, body)
    if body.edition is not None:
        edition = desk.description.edition(body.edition)
        if edition is None:
            if desk.description.editions:
                _refuse(
                    "order.edition", f"there is no edition {body.edition!r}", "see launch.toml", "edition"
                )
        elif edition.quota is not None and len(desk.editions.get(body.edition, ())) >= edition.quota:
            _refuse(
                "order.quota",
                f"edition {body.edition} has its {edition.quota} orders",
                "reserve without the edition",
                "edition",
            )
    limit = desk.description.rules.limit_per_person
    if limit is not None and body.buyer is not None and len(desk.buyers.get(body.buyer, ())) >= limit:
        _refuse(
            "order.limit",
            f"this buyer holds {limit} open orders, the limit per person",
            "cancel one of them first",
            "buyer",
        )


def _open(desk: DeskState, subject: str, field: str = "") -> OrderState:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse(
            "order.not_reserved",
            f"{subject} has no reservation by then",
            "record the reservation first",
            field,
        )
    if state.handed_over is not None:
        _refuse(
            "order.handed_over_already",
            f"the car of {subject} is handed over",
            "what comes after is car.returned; or correct the handover",
            field,
        )
    if state.cancelled is not None:
        _refuse(
            "order.cancelled_already",
            f"{subject} is cancelled",
            "withdraw the cancellation if it was wrong",
            field,
        )
    return state


def _check_locked(desk: DeskState, subject: str, happened: int, body: o.OrderLocked) -> None:
    state = _open(desk, subject)
    if state.locked is not None:
        _refuse("order.locked_twice", f"{subject} is locked already", "an order is locked once")
    _check_configuration(desk, body)
    if body.edition is not None and body.edition != state.edition:
        reserved = state.edition or "no edition"
        _refuse(
            "order.edition_differs",
            f"{subject} was reserved as {reserved}, not {body.edition}",
            "leave the edition out",
            "edition",
        )


def _check_changed(desk: DeskState, subject: str, happened: int, body: o.OrderChanged) -> None:
    state = _open(desk, subject)
    _check_configuration(desk, body)
    if state.locked is None or not desk.windows:
        return
    for start, end, window in desk.windows:
        if start <= happened <= end:
            if window.requeues and not body.requeues:
                _refuse(
                    "order.requeue",
                    f"a change in the window {window.name} re-queues",
                    "set requeues",
                    "requeues",
                )
            return
    names = ", ".join(w.name for _, _, w in desk.windows)
    _refuse(
        "order.change_closed",
        "a firm order changes its configuration in a window only",
        f"windows: {names}",
        "happened",
    )


def _check_cancelled(desk: DeskState, subject: str, happened: int, body: o.OrderCancelled) -> None:
    _open(desk, subject)


def _check_money(desk: DeskState, subject: str, happened: int, body: Any) -> None:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse("order.not_reserved", f"{subject} has no reservation by then", "record the reservation first")
    priced = state.configuration.currency if state.configuration else None
    for currency in (state.currency, priced):
        if currency is not None and currency != body.currency:
            _refuse(
                "money.currency_differs",
                f"{subject} is paid in {currency}, not {body.currency}",
                f"give the amount in {currency}",
                "currency",
            )
    if isinstance(body, o.DepositRefunded | o.DepositForfeited) and body.amount > state.held:
        _refuse(
            "money.more_than_held",
            f"{body.amount} is more than the {state.held} minor units of deposit held for {subject}",
            "record what was taken first",
            "amount",
        )
    if isinstance(body, o.PaymentRefunded) and body.amount > state.paid:
        _refuse(
            "money.more_than_paid",
            f"{body.amount} is more than the {state.paid} minor units paid for {subject}",
            "record what was paid first",
            "amount",
        )
    if isinstance(body, o.DepositForfeited) and state.locked is None and state.cancelled is None:
        _refuse(
            "money.not_forfeit", f"the deposit of {subject} can still be taken back", "lock or cancel first"
        )


def _check_payment(desk: DeskState, subject: str, happened: int, body: o.PaymentReceived) -> None:
    _check_money(desk, subject, happened, body)
    state = desk.order(subject)
    if state.cancelled is not None:
        _refuse("order.cancelled_already", f"{subject} is cancelled", "nothing is paid for it any more")
    price = state.configuration.price if state.configuration else None
    # Without the deposit, which some makers count towards the price and others give back at handover.
    if price is not None and state.paid + body.amount > price:
        _refuse(
            "money.more_than_price",
            f"with {body.amount} more, {subject} would have paid over its price of {price} minor units",
            f"what is still owed is at most {max(0, price - state.paid)}",
            "amount",
        )


def _check_handed_over(desk: DeskState, subject: str, happened: int, body: o.OrderHandedOver) -> None:
    state = _open(desk, subject)
    if state.locked is None:
        _refuse("order.not_locked", f"{subject} is not locked by then", "only a firm order is handed over")
    if body.vin is None:
        if desk.needs & {"built", "pegged"}:
            _refuse("handover.no_vin", "a handover names the car", "give its VIN", "vin")
    else:
        car = desk.car(body.vin)
        if "built" in desk.needs and car.built is None:
            _refuse("handover.not_built", f"{body.vin} is not built by then", "record car.built first", "vin")
        if "pegged" in desk.needs and car.order != subject:
            _refuse(
                "handover.not_pegged", f"{body.vin} is not pegged to {subject}", "peg the car first", "vin"
            )
        if car.handed_over_to is not None:
            _gone(car, body.vin, "vin")
        _compatible(state, car, subject, body.vin, "vin")
    if "paid" in desk.needs:
        price = state.configuration.price if state.configuration else None
        have = state.held + state.paid
        if have < price if price is not None else state.paid == 0:
            wanted = "its price" if price is None else f"{price} minor units"
            _refuse(
                "handover.not_paid", f"{subject} has paid {have} of {wanted}", "record payment.received first"
            )


def _check_built(desk: DeskState, subject: str, happened: int, body: c.CarBuilt) -> None:
    if desk.car(subject).built is not None:
        _refuse("car.built_twice", f"{subject} is built already", "correct that fact, or compare the VIN")
    if desk.trims and body.trim not in desk.trims:
        _refuse(
            "order.trim",
            f"trim {body.trim!r} is not built here",
            f"one of {', '.join(sorted(desk.trims))}",
            "trim",
        )


def _built(desk: DeskState, subject: str) -> CarState:
    car = desk.car(subject)
    if car.built is None:
        _refuse("car.not_built", f"{subject} is not built by then", "record car.built first")
    return car


def _check_shipped(desk: DeskState, subject: str, happened: int, body: c.CarShipped) -> None:
    _built(desk, subject)


def _check_pegged(desk: DeskState, subject: str, happened: int, body: c.CarPegged) -> None:
    car = _built(desk, subject)
    if car.order is not None:
        _refuse("peg.taken", f"{subject} is pegged to {car.order}", "unpeg it first")
    if car.handed_over_to is not None and car.returned is None:
        _gone(car, subject)
    if car.purpose != "order":
        _refuse("peg.purpose", f"{subject} is a {car.purpose} car", "only cars built for orders are pegged")
    state = _open(desk, body.order, "order")
    if state.locked is None:
        _refuse("order.not_locked", f"{body.order} is not locked by then", "peg cars to firm orders", "order")
    if state.car is not None:
        _refuse(
            "peg.order_served", f"{body.order} has {state.car} pegged to it", "unpeg that car first", "order"
        )
    _compatible(state, car, body.order, subject, "order")


def _gone(car: CarState, vin: str, field: str = "") -> NoReturn:
    _refuse(
        "handover.car_gone",
        f"{vin} was handed over to {car.handed_over_to}",
        "record car.returned first, if the buyer gave it back",
        field,
    )


def _compatible(state: OrderState, car: CarState, order: str, vin: str, field: str) -> None:
    """Refuse a car that is not what the order says, which a change since its pegging may have made so."""
    wanted = state.configuration
    if wanted is not None:
        for name, ordered, has in (("trim", wanted.trim, car.trim), ("colour", wanted.colour, car.colour)):
            if ordered is not None and has is not None and ordered != has:
                _refuse(
                    "peg.incompatible",
                    f"{order} wants {name} {ordered}, {vin} has {has}",
                    "peg another car",
                    field,
                )


def _check_unpegged(desk: DeskState, subject: str, happened: int, body: c.CarUnpegged) -> None:
    car = _built(desk, subject)
    if car.order != body.order:
        _refuse(
            "peg.other",
            f"{subject} is pegged to {car.order or 'no order'}, not to {body.order}",
            "name the order that it is pegged to",
            "order",
        )
    if car.handed_over_to is not None:
        _gone(car, subject)


def _check_returned(desk: DeskState, subject: str, happened: int, body: c.CarReturned) -> None:
    if desk.car(subject).handed_over_to != body.order:
        _refuse(
            "return.not_handed_over",
            f"{subject} was not handed over to {body.order} by then",
            "name the order that it was handed over to",
            "order",
        )


def _check_described(desk: DeskState, subject: str, happened: int, body: o.BuyerDescribed) -> None:
    state = desk.order(subject)
    if state.reserved is None:
        _refuse("order.not_reserved", f"{subject} has no reservation by then", "record the reservation first")
    if state.described:
        _refuse("buyer.described_twice", f"the buyer of {subject} is described already", "correct that fact")


def _firm(desk: DeskState, subject: str) -> OrderState:
    state = _open(desk, subject)
    if state.locked is None:
        _refuse("order.not_locked", f"{subject} is not locked by then", "only firm orders are planned")
    return state


def _check_promised(desk: DeskState, subject: str, happened: int, body: d.PromiseGiven) -> None:
    state = _firm(desk, subject)
    if body.last_day < body.first_day:
        _refuse(
            "promise.window",
            f"the window of {subject} ends before it begins",
            "first_day ≤ last_day",
            "last_day",
        )
    if state.promised is not None and body.reason is None:
        first, last = state.promised
        _refuse(
            "promise.reason",
            f"{subject} was promised {first} to {last} already",
            "a promise is changed with a recorded reason",
            "reason",
        )


def _check_firm(desk: DeskState, subject: str, happened: int, body: Body) -> None:
    _firm(desk, subject)


CHECKS: dict[type[Body], Callable[[DeskState, str, int, Any], None]] = {
    o.OrderReserved: _check_reserved,
    o.OrderLocked: _check_locked,
    o.OrderChanged: _check_changed,
    o.OrderCancelled: _check_cancelled,
    o.DepositTaken: _check_money,
    o.DepositRefunded: _check_money,
    o.DepositForfeited: _check_money,
    o.PaymentReceived: _check_payment,
    o.PaymentRefunded: _check_money,
    o.OrderHandedOver: _check_handed_over,
    o.BuyerDescribed: _check_described,
    c.CarBuilt: _check_built,
    c.CarShipped: _check_shipped,
    c.CarPegged: _check_pegged,
    c.CarUnpegged: _check_unpegged,
    c.CarReturned: _check_returned,
    d.PromiseGiven: _check_promised,
    d.HandoverPostponed: _check_firm,
    d.OrderPrioritised: _check_firm,
}
