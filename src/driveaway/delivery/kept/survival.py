"""How long an order waits, learned while many orders are still waiting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driveaway.values.errors import BadValue

Amounts = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

_ROUNDING = 1e-12


class WaitCurve(NamedTuple):
    """The share of orders that wait longer than a time.

    Attributes:
        times: waits at which orders ended, ascending, shape (times,).
        waiting: share that waits longer than each of them, shape (times,).
        orders: how many orders the ended ones count for: Kish's effective number when they are weighted.
    """

    times: Amounts
    waiting: Amounts
    orders: float

    def bound(self, level: float, *, corrected: bool = False) -> float:
        """The shortest time within which a share ``level`` of the orders ends; infinite when not reached.

        With ``corrected``, the level is raised to level × (n + 1) / n for n orders, as split conformal
        prediction does: without censoring and weights a new order from the same source then ends within
        the bound with a probability of at least ``level`` (Vovk, Gammerman and Shafer, Algorithmic
        Learning in a Random World, 2005, section 2.2; with censoring that is an approximation). Where
        the record reaches the level itself and not the raised one, the bound is the longest wait seen.
        """
        raised = level * (1 + 1 / self.orders) if corrected and self.orders else level
        for wanted in (raised, level):
            reached = np.searchsorted(-self.waiting, wanted - 1 - _ROUNDING)
            if reached < len(self.times):
                return float(self.times[reached if wanted == raised else -1])
        return float("inf")


def kaplan_meier(waits: Amounts, ended: Flags, weights: Amounts | None = None) -> WaitCurve:
    """Kaplan and Meier's product-limit estimate (JASA 53, 1958, 457–481), with weights.

    An order that is open, or was called off, waits for at least as long as it did: it counts as being at
    risk until then. At equal times ends come before that.

    Weights that fall off exponentially with the age of the order's start are the same as weights that
    fall off with the time since each order was at risk: at one age both differ by one factor, which the
    hazard there does not see. So such a curve follows what happened lately at *every* age, also at ages
    that no recent order has reached.

    Args:
        waits: time from start to end or to the last time the order was seen, shape (orders,).
        ended: whether it ended then, shape (orders,).
        weights: of each order, positive, shape (orders,); None: all 1.

    Raises:
        BadValue: ``delivery.wait``: a wait is negative or not a number.
    """
    if len(waits) and not float(waits.min()) >= 0:
        raise BadValue(
            "a wait is negative or not a number",
            code="delivery.wait",
            remedy="an order ends no sooner than it starts, and is looked at no sooner",
        )
    order = np.argsort(waits, kind="stable")
    return of_sorted(waits[order], ended[order], None if weights is None else weights[order])


def of_sorted(waits: Amounts, ended: Flags, weights: Amounts | None = None) -> WaitCurve:
    """``kaplan_meier`` of orders that are sorted by their wait already."""
    weight = np.ones(len(waits)) if weights is None else weights
    done = np.where(ended, weight, 0.0)
    first = np.flatnonzero(np.diff(waits, prepend=-1.0))
    if not len(first):
        return WaitCurve(np.zeros(0), np.zeros(0), 0.0)
    at_risk = np.cumsum(weight[::-1])[::-1][first]
    ending = np.add.reduceat(done, first)
    steps = ending > 0
    left = np.cumprod(np.maximum(0.0, 1 - ending[steps] / at_risk[steps])).astype(np.float64)
    squares = float((done**2).sum())
    return WaitCurve(waits[first][steps], left, float(done.sum()) ** 2 / squares if squares else 0.0)
