"""A day's cars, what limits their order, and what an order costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driveaway.values.errors import BadValue

Order = NDArray[np.int64]
"""Cars in line order: a permutation of the rows of ``Cars``, shape (cars,)."""

MOST_RATIOS = 63
"""Ratio constraints that one problem may have: the options of a car are one machine word."""


class Objective(Enum):
    """What is counted in an order."""

    COLOUR_CHANGES = "colour changes"
    HIGH_RATIOS = "high-priority ratio violations"
    LOW_RATIOS = "low-priority ratio violations"


WEIGHTS = (1_000_000, 1_000, 1)
"""What one unit of the first, second and third objective costs (ROADEF/EURO challenge 2005)."""


@dataclass(frozen=True)
class Ratio:
    """At most ``most`` cars with an option in any ``window`` consecutive cars."""

    name: str
    most: int
    window: int
    high_priority: bool = True


@dataclass(frozen=True)
class Cars:
    """Cars of one day, in the order in which they are given.

    Attributes:
        colours: code of the paint colour, not negative, shape (cars,).
        options: which car has which ratio's option, shape (cars, ratios).
    """

    colours: NDArray[np.int64]
    options: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many cars there are."""
        return len(self.colours)


@dataclass(frozen=True)
class Counting:
    """Which windows count, and for how much.

    Attributes:
        measure: "excess": each window costs the cars above its ``most``; "windows": each window above it
            costs 1.
        ends: "all": every window that ends on a car of the day, whatever is known of the day before, and
            the shrinking ones past the day's end; "whole": only windows that lie inside the day.
    """

    measure: Literal["excess", "windows"] = "excess"
    ends: Literal["all", "whole"] = "all"


@dataclass(frozen=True)
class Problem:
    """Everything an order of the day's cars is judged by.

    Attributes:
        cars: the day's cars.
        ratios: the ratio constraints, one for each column of ``cars.options``.
        objectives: first to last; one left out is not looked at.
        paint_limit: longest run of one colour within the day; never broken. None: no limit.
        before: the last cars of the day before, in line order; the last one gives the paint shop's
            colour. None: nothing went before.
        counting: how violations are counted.

    Raises:
        BadValue: ``delivery.sequence.*``: shapes that do not fit, a ratio or limit below 1, too many
            ratios, or an objective named twice.
    """

    cars: Cars
    ratios: tuple[Ratio, ...]
    objectives: tuple[Objective, ...] = (
        Objective.HIGH_RATIOS,
        Objective.COLOUR_CHANGES,
        Objective.LOW_RATIOS,
    )
    paint_limit: int | None = None
    before: Cars | None = None
    counting: Counting = field(default_factory=Counting)

    def __post_init__(self) -> None:
        _fit("cars", self.cars, len(self.ratios))
        if self.before is not None:
            _fit("before", self.before, len(self.ratios))
        if len(self.ratios) > MOST_RATIOS:
            raise BadValue(
                f"{len(self.ratios)} ratio constraints",
                code="delivery.sequence.ratios",
                remedy=f"at most {MOST_RATIOS}: leave out those that cannot be violated",
            )
        for ratio in self.ratios:
            if ratio.most < 0 or ratio.window < 1:
                raise BadValue(
                    f"{ratio.most} in {ratio.window} cars is not a ratio",
                    code="delivery.sequence.ratio",
                    place=ratio.name,
                    remedy="at most N (from 0) in any P (from 1) consecutive cars",
                )
        if self.paint_limit is not None and self.paint_limit < 1:
            raise BadValue(
                f"a paint batch of at most {self.paint_limit} cars",
                code="delivery.sequence.paint_limit",
                remedy="1 or more, or no limit",
            )
        if len(set(self.objectives)) != len(self.objectives):
            raise BadValue("an objective stands twice", code="delivery.sequence.objectives")

    def weight(self, objective: Objective) -> int:
        """What one unit of an objective costs; 0 when it is not looked at."""
        return WEIGHTS[self.objectives.index(objective)] if objective in self.objectives else 0

    def ratio_weights(self) -> NDArray[np.int64]:
        """What one violation of each ratio costs, shape (ratios,)."""
        high, low = self.weight(Objective.HIGH_RATIOS), self.weight(Objective.LOW_RATIOS)
        return np.array([high if ratio.high_priority else low for ratio in self.ratios], dtype=np.int64)


def _fit(place: str, cars: Cars, ratios: int) -> None:
    if cars.colours.ndim != 1 or cars.options.shape != (len(cars.colours), ratios):
        raise BadValue(
            f"colours of shape {cars.colours.shape} and options of shape {cars.options.shape} "
            f"for {ratios} ratios",
            code="delivery.sequence.shape",
            place=place,
            remedy="one colour and one row of options for each car, one column for each ratio",
        )
    if len(cars) and int(cars.colours.min()) < 0:
        raise BadValue("a colour code is negative", code="delivery.sequence.colour", place=place)
