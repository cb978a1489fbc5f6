"""What a plan is made from: the open orders, and what can be built, carried and handed over.

Everything is arrays. Days are counted from ``Supply.first_day`` (column 0); a configuration is a row of
``Demand.configurations``, a region a row of ``Supply.regions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.values.clock import DAY

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Amounts = NDArray[np.float64]


class Configuration(NamedTuple):
    """What is built for an order, as far as supply can depend on it."""

    trim: str
    colour: str | None = None
    edition: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One assembly line.

    Attributes:
        name: plant and line, ``beijing/1``.
        builds: for each configuration whether this line can build it, shape (configurations,).
        output: expected cars on each day, shape (days,); 0 on days without a shift.
        spread: standard deviation of the logarithm of a week's output about what is expected
            (availability; independent between weeks).
        ramp_spread: the same for the whole level of a ramp (one draw for a path; shared by all weeks).
    """

    name: str
    builds: Flags
    output: Amounts
    spread: float = 0.0
    ramp_spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on any set of configurations: a part, a battery pack, a trim, a colour.

    Attributes:
        name: as it is told to people.
        covers: for each configuration whether its cars use the limit, shape (configurations,).
        period: "day" or "week" (Monday to Sunday): no more than ``amount`` in each; or "arrivals":
            ``amount`` arrives on each day and what is not used is kept as stock.
        amount: cars on each day of the horizon, shape (days,). For "week" the amount of the whole week
            stands on each of its days.
        spread: standard deviation of the logarithm of the amount (one draw for each week).
    """

    name: str
    covers: Flags
    period: Literal["day", "week", "arrivals"]
    amount: Amounts
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Region:
    """Where cars are handed over.

    Attributes:
        code: of the province or region (GB/T 2260 in China).
        lead: probability of each number of days from the end of the line to the handover of a buyer
            who is ready, shape (longest lead + 1,); sums to 1. Transport and the steps after arrival.
        handovers: most handovers on each day, shape (days,); None: not limited.
    """

    code: str
    lead: Amounts
    handovers: Amounts | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """What can be built, carried and handed over in the horizon.

    Attributes:
        first_day: day 0 of the horizon, in days since 1 January 1970 (local).
        days: length of the horizon.
        stops: probability, on each day, that every line stands still (unplanned), shape (days,).
    """

    first_day: int
    days: int
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    regions: tuple[Region, ...] = ()
    stops: Amounts | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """The open firm orders, in any order.

    Attributes:
        order_ids: of each order, shape (orders,).
        locked: instant of its lock (or re-queue), microseconds since 1970, shape (orders,).
        priority: 0 is served first, shape (orders,).
        configuration: row of ``configurations``, shape (orders,).
        region: row of ``Supply.regions``; -1 where it is not known, shape (orders,).
        configurations: every configuration that is ordered.
        committed: last day of the window promised to the buyer, in days of the horizon (may lie before
            day 0); ``NO_DAY`` where none was promised, shape (orders,).
        slot: day of the horizon that an adopted plan froze for the order; ``NO_DAY`` where none.
        ready: first day of the horizon on which the buyer takes the car (0: any day).
        cancels: chance that an order is cancelled within each day, by days since its lock, shape (ages,);
            the last holds for all later ages. Empty: nobody cancels.
        locked_on: local day of its lock (or re-queue), days since 1 January 1970, shape (orders,); None:
            the days of UTC.
    """

    order_ids: NDArray[np.str_]
    locked: Counts
    priority: Counts
    configuration: Counts
    region: Counts
    configurations: tuple[Configuration, ...]
    committed: Counts
    slot: Counts
    ready: Counts
    cancels: Amounts = field(default_factory=lambda: np.zeros(0))
    locked_on: Counts | None = None

    def __len__(self) -> int:
        """How many orders are open."""
        return len(self.locked)

    @property
    def lock_day(self) -> Counts:
        """Day of each lock, days since 1 January 1970, shape (orders,)."""
        return self.locked // DAY if self.locked_on is None else self.locked_on


NO_DAY = np.iinfo(np.int64).max
"""Stands in arrays of days where there is no day."""
