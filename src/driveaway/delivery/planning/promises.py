"""Keep promised windows: the least breach that any plan by the day has, in whole cars."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from driveaway.delivery.planning.capacity import Capacity
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Counts
from driveaway.delivery.planning.queue import Queue
from driveaway.delivery.planning.signatures import Signatures

_WHOLE = 3_000
"""Columns up to which whole cars are asked of the solver."""


def keep(line: Queue, capacity: Capacity, found: Signatures, seconds: float) -> tuple[Amounts, float] | None:
    """Build what is promised as late as the windows allow, with the least days of breach.

    A small program over signature × pool × day of promised cars alone: the shortfall of a signature on a
    day is how many promised cars are due by then and not built; the sum of shortfalls is the sum of days
    of breach (earliest promise first inside a signature). In whole cars by branch and bound where the
    program is small, else rounded down from the linear optimum.

    Returns:
        Cars of each signature by pool and day, shape (signatures, pools, days), and the days of breach
        that no plan can do without; None if the solver found nothing in its time.
    """
    days = capacity.pools.shape[1]
    promised = line.due != NO_DAY
    wanted = np.zeros((len(found), days))
    np.add.at(wanted, (line.signature[promised], np.maximum(line.due[promised], 0)), 1.0)
    wanted = np.cumsum(wanted, axis=1)
    some = [int(s) for s in np.flatnonzero(wanted[:, -1])]
    pairs = [(s, int(p)) for s in some for p in np.flatnonzero(found.builds[s])]
    built = {pair: nth * days for nth, pair in enumerate(pairs)}
    stock0 = len(pairs) * days
    short0 = stock0 + len(some) * days
    columns = short0 + len(some) * days
    day = np.arange(days)
    parts: list[tuple[Counts, Counts, Amounts]] = []
    lower: list[Amounts] = []
    equal: list[bool] = []
    rows = 0

    def row(bound: Amounts, exact: bool, *terms: tuple[Counts, float]) -> None:
        nonlocal rows
        for column, value in terms:
            # A term shifted by a day has one column less.
            at = rows + day[days - len(column) :]
            parts.append((at, column, np.full(len(column), value)))
        lower.append(bound)
        equal.append(exact)
        rows += days

    late = _released(line, days, len(found))
    for nth, s in enumerate(some):
        stock, short = stock0 + nth * days + day, short0 + nth * days + day
        made = [(built[pair] + day, 1.0) for pair in pairs if pair[0] == s]
        # `stock` is what is built in all by a day.
        row(np.zeros(days), True, (stock, -1.0), (stock[:-1], 1.0), *made)
        row(-wanted[s], False, (stock, -1.0), (short, -1.0))
        row(late[s], False, (stock, 1.0))
    for pool in range(found.pools):
        row(capacity.pools[pool], False, *[(built[pair] + day, 1.0) for pair in pairs if pair[1] == pool])
    for limit in range(len(capacity.limits)):
        using = [(built[pair] + day, 1.0) for pair in pairs if found.uses[pair[0], limit]]
        left = columns + day
        columns += days
        carried = ~capacity.fresh[limit, 1:]
        # What is left of a limit at the end of a day: nothing of it passes a day on which it lapses.
        row(capacity.limits[limit], False, (left, 1.0), *using)
        parts.append(
            (rows - days + 1 + np.flatnonzero(carried), left[:-1][carried], np.full(carried.sum(), -1.0))
        )
    matrix = coo_array(
        (
            np.concatenate([part[2] for part in parts]),
            (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])),
        ),
        shape=(rows, columns),
    ).tocsr()
    exact = np.repeat(equal, days)
    bound = np.concatenate(lower)
    price = np.zeros(columns)
    price[short0 : short0 + len(some) * days] = 1.0
    # The later a promised car is built, the more room is left to others.
    price[:stock0] = np.tile((days - day) / (days * (1.0 + wanted[:, -1].sum()) * 2), len(pairs))
    small = stock0 <= _WHOLE
    whole = np.zeros(columns, np.uint8)
    whole[:stock0] = 1
    answer = linprog(
        price,
        A_ub=matrix[~exact],
        b_ub=bound[~exact],
        A_eq=matrix[exact],
        b_eq=bound[exact],
        integrality=whole if small else None,
        method="highs" if small else "highs-ipm",
        options={"time_limit": seconds},
    )
    if answer.x is None:
        return None
    cars = np.zeros((len(found), found.pools, days))
    for (s, pool), at in built.items():
        cars[s, pool] = np.floor(answer.x[at : at + days] + 1e-6)
    short = float(answer.x[short0 : short0 + len(some) * days].sum())
    passed = np.minimum(line.due[promised], 0).sum()
    return cars, short - float(passed)


def _released(line: Queue, days: int, total: int) -> Amounts:
    """Promised orders that may be built by each day, shape (signatures, days)."""
    table = np.zeros((total, days))
    chosen = (line.due != NO_DAY) & (line.release < days)
    np.add.at(table, (line.signature[chosen], line.release[chosen]), 1.0)
    return np.cumsum(table, axis=1)
