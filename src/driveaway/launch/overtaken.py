"""Keeping the states of one writer when another one has written meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from driveaway.facts import Fact, kind_named
from driveaway.facts.keys import BUYER, SHARED, keys_of
from driveaway.facts.orders import OrderReserved
from driveaway.orders.rules import Desk

_CLOSING = {"order.cancelled": True, "order.handed_over": False}
"""Kinds that close an order, and whether that also frees its place in an edition."""
_UNSETTLING = frozenset({"launch.described", "fact.withdrawn", "subject.erased"})


def catch_up(desk: Desk, counted: set[str], facts: Iterable[Fact]) -> bool:
    """Bring states up to what others recorded; False: they cannot be, and must be loaded anew.

    An order or a car that such a fact speaks of is forgotten, and loaded again when it is asked for. What
    limits count is kept up, for counting a large edition again takes tens of milliseconds.

    Args:
        desk: the states.
        counted: the shared keys that were counted whole.
        facts: what others recorded since, by seq.
    """
    for fact in facts:
        if fact.replaces is not None or fact.kind in _UNSETTLING:
            return False
        if kind_named(fact.kind).subject == "slug":
            continue
        subject, body = fact.subject, fact.body
        if isinstance(body, OrderReserved):
            for key in counted.intersection(keys_of(body)):
                counts = desk.buyers if key.startswith(BUYER) else desk.editions
                counts.setdefault(key.partition(":")[2], set()).add(subject)
        elif fact.kind in _CLOSING and counted:
            state = desk.orders.get(subject)
            if state is None:
                return False
            if state.buyer is not None:
                desk.buyers.get(state.buyer, set()).discard(subject)
            if state.edition is not None and _CLOSING[fact.kind]:
                desk.editions.get(state.edition, set()).discard(subject)
        for name in (subject, *(key for key in keys_of(body) if not key.startswith(SHARED))):
            desk.orders.pop(name, None)
            desk.cars.pop(name, None)
    return True
