"""Under which keys, beside its subject, a fact is found: what it names, and what must stay unique."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from driveaway.facts.base import Body
from driveaway.facts.cars import CarPegged, CarReturned, CarUnpegged
from driveaway.facts.incidents import IncidentReported
from driveaway.facts.orders import OrderHandedOver, OrderReserved

BUYER = "buyer:"
EDITION = "edition:"
SHARED = (BUYER, EDITION)
"""Keys that many orders have in common, and limits count."""


def keys_of(body: Body) -> tuple[str, ...]:
    """The keys of a fact: the order that a car's fact names, the car of a handover, buyer and edition."""
    find = _KEYS.get(type(body))
    return () if find is None else find(body)


def _of_reservation(body: OrderReserved) -> tuple[str, ...]:
    keys: tuple[str, ...] = ()
    if body.buyer is not None:
        keys += (BUYER + body.buyer,)
    if body.edition is not None:
        keys += (EDITION + body.edition,)
    return keys


def _of_car(body: CarPegged | CarUnpegged | CarReturned) -> tuple[str, ...]:
    return (body.order,)


def _of_handover(body: OrderHandedOver) -> tuple[str, ...]:
    return () if body.vin is None else (body.vin,)


def _of_incident(body: IncidentReported) -> tuple[str, ...]:
    return (body.incident,)


_KEYS: Final[dict[type[Body], Callable[[Any], tuple[str, ...]]]] = {
    OrderReserved: _of_reservation,
    CarPegged: _of_car,
    CarUnpegged: _of_car,
    CarReturned: _of_car,
    OrderHandedOver: _of_handover,
    IncidentReported: _of_incident,
}
KEYED: Final = frozenset(_KEYS)
"""The classes of bodies that may have keys."""
