"""The order desk's rules: what each kind of fact needs, and what it changes.

Every rule looks at the state *before* the fact in valid time, so the order of arrival does not
matter. ``check`` refuses, ``apply`` changes the state; they are apart because facts that stand in
the book are folded without being judged again by rules that may have changed since.
"""

from __future__ import annotations

from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.facts.base import Body
from driveaway.orders.changes import CHANGES
from driveaway.orders.checks import CHECKS
from driveaway.orders.state import DeskState

CLOCK_RULE = "unclaimed-reservation"


class Desk(DeskState):
    """The order desk: states, and the rules that facts are held to."""

    def check(self, subject: str, happened: int, body: Body) -> None:
        """Refuse a fact that the rules forbid.

        Raises:
            Refused: with the rule's stable code.
        """
        check = CHECKS.get(type(body))
        if check is not None:
            check(self, subject, happened, body)

    def apply(self, subject: str, happened: int, body: Body) -> None:
        """Fold a fact into the states."""
        change = CHANGES.get(type(body))
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
