"""Under which keys, beside its subject, a fact is found: what it names, and what must stay unique."""

from __future__ import annotations

from driveaway.facts.base import Body
from driveaway.facts.cars import CarPegged, CarReturned, CarUnpegged
from driveaway.facts.orders import OrderHandedOver, OrderReserved

BUYER = "buyer:"
EDITION = "edition:"


def keys_of(body: Body) -> tuple[str, ...]:
    """The keys of a fact: the order that a car's fact names, the car of a handover, buyer and edition."""
    if isinstance(body, OrderReserved):
        keys: tuple[str, ...] = ()
        if body.buyer is not None:
            keys += (BUYER + body.buyer,)
        if body.edition is not None:
            keys += (EDITION + body.edition,)
        return keys
    if isinstance(body, CarPegged | CarUnpegged | CarReturned):
        return (body.order,)
    if isinstance(body, OrderHandedOver) and body.vin is not None:
        return (body.vin,)
    return ()
