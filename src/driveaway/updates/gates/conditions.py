"""A gate as its conditions: negations moved to the leaves, each condition with its reason.

By De Morgan's laws, which hold in Kleene's logic too, a negation may stand at the conditions alone. What is
left, "all" and "any" over conditions, only becomes truer when a condition does: so the conditions that are
not true say why a gate is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from driveaway.updates.gates.expression import CODES, All, Any_, Gate, Leaf, Not, checked
from driveaway.updates.gates.text import show_gate
from driveaway.values.errors import BadValue


@dataclass(frozen=True)
class Condition:
    """One condition of a gate.

    Attributes:
        leaf: what is asked.
        wanted: the answer that is needed; False after an odd number of negations.
    """

    leaf: Leaf
    wanted: bool

    @property
    def code(self) -> str:
        """The stable code of its reason."""
        return CODES[type(self.leaf)]

    @property
    def needs(self) -> str:
        """What is needed, as a line of text."""
        return show_gate(self.leaf if self.wanted else Not(self.leaf))


@dataclass(frozen=True)
class Branch:
    """Either all or any of conditions (by their index) and further branches."""

    kind: Literal["all", "any"]
    parts: tuple[int | Branch, ...]


@dataclass(frozen=True)
class Conditions:
    """A gate, ready to be evaluated.

    Attributes:
        leaves: its conditions, in the order in which they are written.
        root: how they are joined.
    """

    leaves: tuple[Condition, ...]
    root: int | Branch


def conditions_of(gate: Gate) -> Conditions:
    """The conditions of a gate.

    Raises:
        BadValue: it is nested too deeply.
    """
    found: list[Condition] = []

    def join(node: Gate, wanted: bool) -> int | Branch:
        if isinstance(node, Not):
            return join(node.of, not wanted)
        if isinstance(node, All | Any_):
            kind: Literal["all", "any"] = "all" if isinstance(node, All) == wanted else "any"
            return Branch(kind, tuple(join(part, wanted) for part in node.of))
        found.append(Condition(node, wanted))
        return len(found) - 1

    root = join(checked(gate), True)
    return Conditions(tuple(found), root)


def compares(difference: int, compared: str) -> bool:
    """Whether a comparison holds for the sign of left minus right."""
    match compared:
        case ">=":
            return difference >= 0
        case ">":
            return difference > 0
        case "<=":
            return difference <= 0
        case "<":
            return difference < 0
        case "=":
            return difference == 0
        case "!=":
            return difference != 0
    raise BadValue(f"{compared!r} is no comparison", code="gate.comparison", remedy=">= > <= < = or !=")
