"""What a briefing asks about delivered cars that is no figure on facts: gates judged, rollouts over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from driveaway.updates.rollouts.story import Story


@dataclass(frozen=True)
class PlaceTold:
    """The delivered cars of one place: all, equipped, allowed to switch it on, and active (None: unknown)."""

    name: Mapping[str, str]
    delivered: int
    equipped: int
    eligible: int
    active: int | None


@dataclass(frozen=True)
class OpeningTold:
    """Where a gate opens a function from a time on: names of places, in their order; none: everywhere."""

    at: int
    places: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class FunctionTold:
    """A function that had been opened, and what it is to the delivered cars.

    Attributes:
        name: as cars and ``functions.toml`` have it.
        title: by language.
        open: False once it was closed.
        whole: all delivered cars, ``name`` aside.
        places: those that its gate names, by their cars, and one for all others; empty where it names none.
        simulated: whether anything counted was made up.
        openings: what its gate opens, step by step; empty where it names no place.
    """

    name: str
    title: Mapping[str, str]
    open: bool
    whole: PlaceTold
    places: tuple[PlaceTold, ...]
    simulated: bool
    openings: tuple[OpeningTold, ...] = ()


class Fleet(Protocol):
    """The delivered cars of the launch that is briefed on, at the briefing's cut."""

    def functions(self) -> Sequence[FunctionTold]:
        """Functions that had been opened, in order of time."""

    def story(self, rollout: str) -> Story | None:
        """A rollout, by its slug in facts, over time; None where that is not known any more."""
