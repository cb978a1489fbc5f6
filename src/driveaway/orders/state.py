"""What the live facts of an order and of a car add up to."""

from __future__ import annotations

from dataclasses import dataclass, field

from driveaway.facts.orders import Configuration


@dataclass(slots=True)
class OrderState:
    """One order, folded in valid-time order.

    Money in minor units: ``held`` is the deposit that the maker holds; ``paid`` the balance received;
    ``forfeited`` what the maker kept. Times are instants, None: has not happened.
    """

    reserved: int | None = None
    locked: int | None = None
    queued: int | None = None
    cancelled: int | None = None
    handed_over: int | None = None
    configuration: Configuration | None = None
    edition: str | None = None
    foreign_id: str | None = None
    buyer: str | None = None
    car: str | None = None
    cars: set[str] = field(default_factory=set)
    currency: str | None = None
    taken: int = 0
    refunded: int = 0
    forfeited: int = 0
    paid: int = 0
    described: bool = False
    last: int = 0

    @property
    def held(self) -> int:
        """The deposit that the maker still holds: taken − refunded − forfeited."""
        return self.taken - self.refunded - self.forfeited

    @property
    def status(self) -> str:
        """One word for people."""
        if self.handed_over is not None:
            return "handed over"
        if self.cancelled is not None:
            return "cancelled"
        if self.locked is not None:
            return "locked"
        return "reserved" if self.reserved is not None else "unknown"


@dataclass(slots=True)
class CarState:
    """One car, folded in valid-time order."""

    built: int | None = None
    purpose: str = "order"
    trim: str | None = None
    colour: str | None = None
    order: str | None = None
    shipped: int | None = None
    handed_over_to: str | None = None
    returned: int | None = None
    last: int = 0
