"""How the cars of a simulated fleet behave. Every choice follows from the seed, the car and the action."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from driveaway.values.errors import BadValue

Fetch = Literal["nothing", "head", "range", "whole"]


@dataclass(frozen=True)
class Behaviour:
    """What is the same for all cars.

    Attributes:
        seed: another one, other choices.
        failing: share of updates that fail.
        silent: share of updates after whose installation the car is not heard of again.
        install: seconds that an installation takes on the mean; between a half and one and a half of it.
        reboot: seconds until a car is back from its reboot, alike.
        poll: seconds between two polls; None: as the server says.
        fetch: what of the software is fetched: nothing, its headers, one range, or all of it.
    """

    seed: int = 1
    failing: float = 0.0
    silent: float = 0.0
    install: float = 10.0
    reboot: float = 20.0
    poll: float | None = None
    fetch: Fetch = "head"

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            BadValue: shares that are none.
        """
        if not (0 <= self.failing <= 1 and 0 <= self.silent <= 1 and self.failing + self.silent <= 1):
            raise BadValue(
                "shares lie between 0 and 1, and together do not exceed it",
                code="fleet.shares",
                remedy="such as 0.02",
            )

    def dice(self, car: str, about: str) -> float:
        """A number from 0 to 1, always the same for a car and a matter."""
        text = f"{self.seed}\0{car}\0{about}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64

    def ending(self, car: str, action: int) -> Literal["success", "failure", "silent"]:
        """How an update ends for a car."""
        at = self.dice(car, f"ending/{action}")
        if at < self.failing:
            return "failure"
        return "silent" if at < self.failing + self.silent else "success"

    def lasts(self, mean: float, car: str, about: str) -> float:
        """Seconds that something takes for a car."""
        return mean * (0.5 + self.dice(car, about))
