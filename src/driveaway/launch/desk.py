"""What the order desk does, as drafts: one command, all its facts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from driveaway.book.writer import Outcome
from driveaway.facts import Draft, kind_named
from driveaway.facts.orders import (
    Configuration,
    DepositForfeited,
    DepositRefunded,
    OrderLocked,
    PaymentRefunded,
)
from driveaway.launch.decide import LaunchDecider
from driveaway.launch.launch import Launch
from driveaway.launch.recording import moment_of, parse_body
from driveaway.orders.rules import Desk
from driveaway.orders.state import OrderState
from driveaway.values.clock import now
from driveaway.values.errors import NotFound
from driveaway.values.ids import OrderId, new_order_id, order_id_of_foreign
from driveaway.values.money import parse_money


def state_of(launch: Launch, order_id: str) -> OrderState:
    """What the live facts of an order add up to.

    Raises:
        NotFound: no fact speaks of it.
    """
    facts = launch.book.about(order_id)
    if not facts:
        raise NotFound(f"there is no order {order_id}", code="order.missing", remedy="compare the order id")
    replaced = {fact.replaces for fact in facts}
    desk = Desk(launch.description)
    for fact in sorted(facts, key=lambda fact: (fact.happened, fact.seq)):
        if fact.seq not in replaced:
            desk.apply(fact.subject, fact.happened, fact.body)
    return desk.order(order_id)


def reserve(
    launch: Launch,
    configuration: Mapping[str, Any],
    *,
    order_id: OrderId | None = None,
    deposit: str | None = None,
    at: int | None = None,
    source: str = "",
) -> tuple[OrderId, list[Outcome]]:
    """A reservation with its deposit; an edition that locks at payment is locked at once.

    Args:
        launch: whose order desk.
        configuration: fields of ``OrderReserved``; the price is the trim's list price when left out.
        order_id: of the new order; by default a fresh one, or with a source the one that belongs to it.
        deposit: amount in major units of the launch's currency.
        at: when it happened; default: now.
        source: unique source of the reservation; repeated, nothing is added.

    Raises:
        BadValue: a value that does not fit.
        Refused: a rule forbids it.
    """
    own = order_id_of_foreign(launch.description.launch, source) if source else new_order_id()
    subject = order_id or own
    happened = moment_of(launch, subject, source, at)
    currency = launch.description.currency
    fields = {name: value for name, value in configuration.items() if value is not None}
    trim = launch.description.trim(fields.get("trim", ""))
    if "price" not in fields and trim is not None and trim.price is not None:
        fields["price"] = parse_money(trim.price, currency)
    edition = launch.description.edition(fields.get("edition", ""))
    if deposit is None and edition is not None:
        deposit = edition.deposit
    body = parse_body(kind_named("order.reserved"), fields, launch.description)
    drafts = [Draft("order.reserved", subject, happened, body, source)]
    if deposit is not None:
        body = parse_body(kind_named("deposit.taken"), {"amount": deposit}, launch.description)
        drafts.append(Draft("deposit.taken", subject, happened, body, _second(source, "deposit")))
        if edition is not None and edition.locks_at_payment:
            lock = OrderLocked(rule="edition-at-payment")
            drafts.append(Draft("order.locked", subject, happened, lock, _second(source, "lock")))
    return subject, launch.append(drafts)


def _second(source: str, what: str) -> str:
    return f"{source}/{what}" if source else ""


def lock(launch: Launch, order_id: OrderId, *, at: int | None = None, source: str = "") -> list[Outcome]:
    """The buyer confirms: the order is firm."""
    happened = moment_of(launch, order_id, source, at)
    return launch.append([Draft("order.locked", order_id, happened, OrderLocked(), source)])


def change(
    launch: Launch,
    order_id: OrderId,
    changes: Mapping[str, Any],
    *,
    requeues: bool,
    at: int | None = None,
    source: str = "",
) -> list[Outcome]:
    """Change some of the configuration; the rest stays as it is. A new trim has its own list price."""
    state = state_of(launch, order_id)
    fields: dict[str, Any] = {}
    if state.configuration is not None:
        fields = {name: getattr(state.configuration, name) for name in Configuration.__struct_fields__}
    given = {name: value for name, value in changes.items() if value is not None}
    trim = launch.description.trim(given.get("trim", ""))
    if trim is not None and trim.price is not None and "price" not in given:
        given["price"] = parse_money(trim.price, launch.description.currency)
        given["currency"] = launch.description.currency
    happened = _at(at)
    desk = Desk(launch.description)
    rule = next((w.name for start, end, w in desk.windows if start <= happened <= end), None)
    given |= {"requeues": requeues, "rule": rule}
    body = parse_body(kind_named("order.changed"), {**fields, **given}, launch.description)
    return launch.append([Draft("order.changed", order_id, happened, body, source)])


def cancel(
    launch: Launch,
    order_id: OrderId,
    *,
    by: str,
    reason: str | None,
    at: int | None = None,
    source: str = "",
) -> list[Outcome]:
    """Call an order off and settle its money.

    The deposit is refunded before the lock and kept by the maker after it; a maker who calls off a firm
    order pays it back. What was paid beside it is paid back in any case.
    """
    state = state_of(launch, order_id)
    happened = _at(at)
    fields = {"by": by} if reason is None else {"by": by, "reason": reason}
    body = parse_body(kind_named("order.cancelled"), fields, launch.description)
    drafts = [Draft("order.cancelled", order_id, happened, body, source)]
    if state.held and state.currency:
        due = _clock_due(launch, state)
        firm = state.locked is not None or (due is not None and due < happened)
        kind, settle = (
            ("deposit.forfeited", DepositForfeited)
            if firm and by == "buyer"
            else ("deposit.refunded", DepositRefunded)
        )
        money = settle(amount=state.held, currency=state.currency, reason="cancelled")
        drafts.append(Draft(kind, order_id, happened, money, _second(source, "deposit")))
    if state.paid and state.currency:
        back = PaymentRefunded(amount=state.paid, currency=state.currency, reason="cancelled")
        drafts.append(Draft("payment.refunded", order_id, happened, back, _second(source, "payment")))
    return launch.append(drafts)


def pay(
    launch: Launch, order_id: OrderId, amount: str, *, at: int | None = None, source: str = ""
) -> list[Outcome]:
    """Part of the price comes in."""
    body = parse_body(kind_named("payment.received"), {"amount": amount}, launch.description)
    return launch.append([Draft("payment.received", order_id, _at(at), body, source)])


def hand_over(
    launch: Launch,
    order_id: OrderId,
    vin: str | None,
    place: Mapping[str, Any],
    *,
    at: int | None = None,
    source: str = "",
) -> list[Outcome]:
    """The buyer takes over the car; place: province, city, outlet."""
    fields = {name: value for name, value in {"vin": vin, **place}.items() if value is not None}
    body = parse_body(kind_named("order.handed_over"), fields, launch.description)
    return launch.append([Draft("order.handed_over", order_id, _at(at), body, source)])


def clock(launch: Launch, *, at: int | None = None) -> list[Outcome]:
    """Record every lock that the clock has made by now: reservations that nobody took back in time."""
    hours = launch.description.rules.refundable_hours
    if hours is None:
        return []
    happened = _at(at)
    view = launch.at(happened).view
    reserved = view.table("order.reserved")
    open_ones = reserved.anti_join(view.table("order.locked"), "subject_key")
    open_ones = open_ones.anti_join(view.table("order.cancelled"), "subject_key")
    due = open_ones.filter(open_ones.happened + hours * 3_600_000_000 <= happened)
    found = view.run(due.select("subject", "happened", "simulated").order_by("happened", "subject"))[
        0
    ].to_pylist()
    decider = LaunchDecider(launch.description)
    outcomes: list[Outcome] = []
    for start in range(0, len(found), 1000):
        drafts = [
            decider.clock_draft(row["subject"], row["happened"] + hours * 3_600_000_000, row["simulated"])
            for row in found[start : start + 1000]
        ]
        for outcome in launch.append(drafts, atomic=False):
            if outcome.added or outcome.error is not None:
                outcomes.append(outcome)
                continue
            # The clock locked this order before, and that was taken back: this is another lock.
            again = msgspec.structs.replace(outcome.draft, source=f"{outcome.draft.source}/{outcome.seq}")
            outcomes += launch.append([again], atomic=False)
    return outcomes


def _clock_due(launch: Launch, state: OrderState) -> int | None:
    hours = launch.description.rules.refundable_hours
    return None if hours is None or state.reserved is None else state.reserved + hours * 3_600_000_000


def _at(at: int | None) -> int:
    return now() if at is None else at
