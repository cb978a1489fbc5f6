"""What the live facts of an order and of a car add up to."""

from __future__ import annotations

from dataclasses import dataclass, field

from driveaway.facts.description import Description
from driveaway.facts.orders import Configuration
from driveaway.values.clock import HOUR, parse_instant, zone


@dataclass(slots=True)
class OrderState:
    """One order, folded in valid-time order.

    Money in minor units: ``held`` is the deposit that the maker holds; ``paid`` the balance received;
    ``forfeited`` what the maker kept. ``promised`` is the window last promised, its first and last day.
    ``withdrawals`` counts facts about it that were taken back.
    Times are instants, None: has not happened.
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
    promised: tuple[str, str] | None = None
    withdrawals: int = 0
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


@dataclass
class DeskState:
    """The states that a batch of facts touches, and what the launch says of its rules."""

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
