"""Compile the room's loops ahead of their first use: ``python -m driveaway.delivery.warming``.

A first plan would otherwise wait some ten seconds for it. What is compiled is kept on disk.
"""

from __future__ import annotations

import numpy as np

from driveaway.delivery.planning.plan import make_plan
from driveaway.delivery.planning.problem import NO_DAY, Configuration, Demand, Limit, Line, Region, Supply
from driveaway.delivery.sequence.day import Car, sequence_cars
from driveaway.delivery.sequence.problem import Ratio

_DAYS, _ORDERS = 28, 60


def warm() -> None:
    """Make a small plan and a small line order that run every loop."""
    rows = np.arange(_ORDERS)
    none, zero = np.full(_ORDERS, NO_DAY), np.zeros(_ORDERS, np.int64)
    committed = none.copy()
    committed[:3] = 9
    demand = Demand(
        order_ids=rows.astype(str), locked=rows.astype(np.int64), priority=zero, configuration=rows % 2,
        region=rows % 2, configurations=(Configuration("one"), Configuration("two")), committed=committed,
        slot=none, ready=zero, cancels=np.array([0.001]),
    )  # fmt: skip
    both, first = np.array([True, True]), np.array([True, False])
    lead = np.array([0.0, 0.5, 0.5])
    supply = Supply(
        first_day=20_000,
        days=_DAYS,
        lines=(Line("line", both, np.full(_DAYS, 3.0), 0.1, 0.1),),
        limits=(Limit("limit", first, "day", np.full(_DAYS, 1.0), 0.1),),
        regions=(Region("900001", lead, np.full(_DAYS, 2.0)), Region("900002", lead)),
    )
    factors = np.ones((50, _DAYS))
    plan = make_plan(demand, supply, paths=50, factors=factors)
    make_plan(demand, supply, paths=50, previous=plan)
    cars = [Car(f"{row}", f"colour {row % 3}", frozenset({"two"} if row % 2 else ())) for row in range(30)]
    sequence_cars(cars, [Ratio("two", 1, 2)], paint_limit=5, moves=1_000)


if __name__ == "__main__":
    warm()
