"""Quotas by linear programming: how many cars of each signature, by week, never order by order.

Orders of one signature, one weight and one due week have the same columns in the order-by-order program,
so that adding them up loses nothing: both programs have the same optimum (column aggregation of identical
variables; H. P. Williams, *Model Building in Mathematical Programming*, 5th ed., ch. 3).

The objective is weighted lateness: an order built in week w costs weight × w, one not built within the
horizon of W weeks weight × W; a promised window that is missed costs ``BREACH`` × heaviest weight for every
week. Solved by HiGHS (Q. Huangfu and J. A. J. Hall, Math. Program. Comput. 10, 2018), inside SciPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from driveaway.delivery.planning.problem import Amounts, Counts, Flags
from driveaway.delivery.planning.signatures import Signatures
from driveaway.values.errors import Unavailable

BREACH = 100.0
"""What a week's breach of a promise weighs against a week of the heaviest order."""


_LARGE = 5_000
"""Columns from which the interior point method is the faster one."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Orders that are alike to the program.

    Attributes:
        signature: shape (groups,).
        weight: what a week of waiting costs for each order, shape (groups,).
        count: orders, shape (groups,).
        due: last week that keeps their windows; the number of weeks where nothing is promised, may be
            negative, shape (groups,).
    """

    signature: Counts
    weight: Amounts
    count: Amounts
    due: Counts


@dataclass(frozen=True, slots=True)
class Room:
    """What can be built in each week.

    Attributes:
        pools: shape (pools, weeks).
        limits: what each limit adds, shape (limits, weeks).
        kept: whether what a limit adds and is not used is kept for later weeks, shape (limits,).
        released: orders of each signature that may be built by the end of each week, shape
            (signatures, weeks); None: all.
    """

    pools: Amounts
    limits: Amounts
    kept: Flags
    released: Amounts | None = None


@dataclass(frozen=True, slots=True)
class Quotas:
    """An optimum of the program.

    Attributes:
        cost: weighted car-weeks of waiting and breaches.
        built: cars of each signature in each week, shape (signatures, weeks).
        by_group: cars of each group in each week, shape (groups, weeks).
        by_pool: cars of each signature that each pool builds in the horizon, shape (signatures, pools).
        pools: what one more car of each pool in each week saves, shape (pools, weeks).
        limits: the same of each limit, shape (limits, weeks).
        proven: whether it is an optimum; not when a time limit ended the search for whole numbers.
    """

    cost: float
    built: Amounts
    by_group: Amounts
    by_pool: Amounts
    pools: Amounts
    limits: Amounts
    proven: bool = True


def costs(groups: Groups, weeks: int) -> Amounts:
    """Cost of one order of each group built in each week; the last column: not in the horizon."""
    week = np.arange(weeks + 1)
    heaviest = float(groups.weight.max(initial=1.0))
    late = np.maximum(week - groups.due[:, None], 0) * (groups.due < weeks)[:, None]
    total: Amounts = groups.weight[:, None] * week + BREACH * heaviest * late
    return total


def solve(
    groups: Groups,
    room: Room,
    found: Signatures,
    *,
    price: Amounts | None = None,
    integral: bool = False,
    seconds: float = 60.0,
) -> Quotas:
    """Solve the program.

    Args:
        groups: the orders.
        room: what can be built.
        found: signatures.
        price: cost of an order of each group in each week and never, shape (groups, weeks + 1);
            None: ``costs``.
        integral: whole cars only (HiGHS's branch and bound); without dual prices.
        seconds: time limit.

    Raises:
        Unavailable: the solver found nothing within its time.
    """
    weeks = room.pools.shape[1]
    price = costs(groups, weeks) if price is None else price
    program = _Program(len(groups.count), len(found), weeks)
    rows = _Rows(program, groups, room, found)
    gain = np.zeros(rows.columns)
    gain[: price[:, :-1].size] = (price[:, :-1] - price[:, -1:]).reshape(-1)
    upper = coo_array(
        (rows.upper_values, (rows.upper_rows, rows.upper_columns)), shape=(rows.uppers, rows.columns)
    )
    equal = coo_array(
        (rows.equal_values, (rows.equal_rows, rows.equal_columns)), shape=(rows.equals, rows.columns)
    )
    whole = None
    if integral:
        whole = np.zeros(rows.columns, np.uint8)
        whole[: price[:, :-1].size] = 1
        whole[rows.first_split : rows.first_stock] = 1

    def run(method: Literal["highs", "highs-ipm"]) -> Any:
        return linprog(
            gain,
            A_ub=upper.tocsr(),
            b_ub=rows.upper_bounds,
            A_eq=equal.tocsr(),
            b_eq=rows.equal_bounds,
            integrality=whole,
            method=method,
            options={"time_limit": seconds, **({"mip_rel_gap": 0.0} if integral else {})},
        )

    # The interior point method, which goes on to a corner, takes half the simplex method's time on large
    # programs; should it fail, the simplex method is asked.
    answer = run("highs-ipm") if not integral and rows.columns > _LARGE else None
    if answer is None or answer.status != 0:
        answer = run("highs")
    if answer.x is None:
        raise Unavailable(
            f"the quotas were not solved: {answer.message}",
            code="delivery.quotas_unsolved",
            remedy="shorten the horizon, or allow the solver more time",
        )
    return rows.read(answer, float(price[:, -1] @ groups.count), integral)


@dataclass(frozen=True, slots=True)
class _Program:
    groups: int
    signatures: int
    weeks: int


class _Rows:
    """The program's rows and columns: x (groups × weeks), z (signatures × weeks), splits, stocks."""

    def __init__(self, size: _Program, groups: Groups, room: Room, found: Signatures) -> None:
        self.size, self.found, self.room = size, found, room
        weeks = size.weeks
        self.first_built = size.groups * weeks
        self.first_split = self.first_built + size.signatures * weeks
        choices = found.builds.sum(axis=1)
        # A signature that one pool builds needs no split: its column stands in the pool's row itself.
        self.split = [
            (s, p) for s in range(len(found)) if choices[s] > 1 for p in np.flatnonzero(found.builds[s])
        ]
        self.first_stock = self.first_split + len(self.split) * weeks
        self.columns = self.first_stock
        self._upper: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._equal: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._upper_bounds: list[Amounts] = []
        self._equal_bounds: list[Amounts] = []
        self.uppers = self.equals = 0
        week = np.arange(weeks)
        self._add_orders(groups, week)
        self._add_pools(room, week)
        self.limit_rows = self._add_limits(room, week)
        if room.released is not None:
            for s in range(len(found)):
                if room.released[s, 0] < groups.count[groups.signature == s].sum():
                    self._add_stock(np.diff(room.released[s], prepend=0.0), [s], week)
        self.upper_rows, self.upper_columns, self.upper_values = _joined(self._upper)
        self.equal_rows, self.equal_columns, self.equal_values = _joined(self._equal)
        self.upper_bounds = np.concatenate(self._upper_bounds)
        self.equal_bounds = np.concatenate(self._equal_bounds)

    def _built(self, s: int, week: np.ndarray) -> np.ndarray:
        return self.first_built + s * self.size.weeks + week

    def _add_orders(self, groups: Groups, week: np.ndarray) -> None:
        count, weeks = self.size.groups, self.size.weeks
        cells = np.arange(count * weeks)
        self._upper.append((cells // weeks, cells, np.ones(len(cells))))
        self._upper_bounds.append(groups.count)
        self.uppers = count
        row = groups.signature[cells // weeks] * weeks + cells % weeks
        built = np.arange(self.size.signatures * weeks)
        self._equal.append((row, cells, np.ones(len(cells))))
        self._equal.append((built, self.first_built + built, -np.ones(len(built))))
        self._equal_bounds.append(np.zeros(len(built)))
        self.equals = len(built)
        by_signature: dict[int, list[int]] = {}
        for nth, (s, _) in enumerate(self.split):
            by_signature.setdefault(s, []).append(nth)
        for s, nths in by_signature.items():
            rows = self.equals + week
            self._equal.append((rows, self._built(s, week), -np.ones(weeks)))
            for nth in nths:
                self._equal.append((rows, self.first_split + nth * weeks + week, np.ones(weeks)))
            self._equal_bounds.append(np.zeros(weeks))
            self.equals += weeks

    def _add_pools(self, room: Room, week: np.ndarray) -> None:
        self.first_pool = self.uppers
        weeks = self.size.weeks
        for pool in range(self.found.pools):
            rows = self.uppers + week
            for s in map(int, np.flatnonzero(self.found.builds[:, pool])):
                if self.found.builds[s].sum() == 1:
                    self._upper.append((rows, self._built(s, week), np.ones(weeks)))
            for nth, (_, of) in enumerate(self.split):
                if of == pool:
                    self._upper.append((rows, self.first_split + nth * weeks + week, np.ones(weeks)))
            self._upper_bounds.append(room.pools[pool])
            self.uppers += weeks

    def _add_limits(self, room: Room, week: np.ndarray) -> list[tuple[bool, int]]:
        where: list[tuple[bool, int]] = []
        for limit in range(len(room.limits)):
            using = [int(s) for s in np.flatnonzero(self.found.uses[:, limit])]
            if room.kept[limit]:
                where.append((True, self.equals))
                self._add_stock(room.limits[limit], using, week)
                continue
            where.append((False, self.uppers))
            rows = self.uppers + week
            for s in using:
                self._upper.append((rows, self._built(s, week), np.ones(len(week))))
            self._upper_bounds.append(room.limits[limit])
            self.uppers += len(week)
        return where

    def _add_stock(self, added: Amounts, using: list[int], week: np.ndarray) -> None:
        """What is left at the end of a week = what was left before + what came − what was built."""
        rows = self.equals + week
        stock = self.columns + week
        self._equal.append((rows, stock, np.ones(len(week))))
        self._equal.append((rows[1:], stock[:-1], -np.ones(len(week) - 1)))
        for s in using:
            self._equal.append((rows, self._built(s, week), np.ones(len(week))))
        self._equal_bounds.append(added)
        self.equals += len(week)
        self.columns += len(week)

    def read(self, answer: object, constant: float, integral: bool) -> Quotas:
        """The solver's answer in our terms."""
        x = np.asarray(answer.x)  # type: ignore[attr-defined]
        weeks, found = self.size.weeks, self.found
        built = x[self.first_built : self.first_split].reshape(-1, weeks)
        by_pool = np.zeros((len(found), found.pools))
        for s in range(len(found)):
            if found.builds[s].sum() == 1:
                by_pool[s, np.argmax(found.builds[s])] = built[s].sum()
        for nth, (s, pool) in enumerate(self.split):
            start = self.first_split + nth * weeks
            by_pool[s, pool] = x[start : start + weeks].sum()
        pools = np.zeros((found.pools, weeks))
        limits = np.zeros((len(self.limit_rows), weeks))
        if not integral:
            upper = -np.asarray(answer.ineqlin.marginals)  # type: ignore[attr-defined]
            equal = -np.asarray(answer.eqlin.marginals)  # type: ignore[attr-defined]
            pools = upper[self.first_pool : self.first_pool + pools.size].reshape(-1, weeks)
            for limit, (kept, row) in enumerate(self.limit_rows):
                limits[limit] = (equal if kept else upper)[row : row + weeks]
        return Quotas(
            cost=float(answer.fun) + constant,  # type: ignore[attr-defined]
            built=built,
            by_group=x[: self.first_built].reshape(-1, weeks),
            by_pool=by_pool,
            pools=np.maximum(pools, 0.0),
            limits=np.maximum(limits, 0.0),
            proven=answer.status == 0,  # type: ignore[attr-defined]
        )


def _joined(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Worth:
    """What binds, and what one more unit of it in each week is worth.

    Attributes:
        pool_days: car-days of waiting saved within the horizon, shape (pools, weeks).
        limit_days: the same of limits, shape (limits, weeks).
        pool_cars: cars more built within the horizon, shape (pools, weeks).
        limit_cars: the same of limits, shape (limits, weeks).
    """

    pool_days: Amounts
    limit_days: Amounts
    pool_cars: Amounts
    limit_cars: Amounts


def worth(count: Amounts, room: Room, found: Signatures) -> Worth:
    """Dual prices of two programs in which all orders weigh the same: waiting, and cars built.

    Args:
        count: orders of each signature, shape (signatures,).
        room: what can be built.
        found: signatures.
    """
    weeks = room.pools.shape[1]
    groups = Groups(
        np.arange(len(count), dtype=np.int64),
        np.ones(len(count)),
        count,
        np.full(len(count), weeks, np.int64),
    )
    days = solve(groups, room, found)
    never = np.zeros((len(count), weeks + 1))
    never[:, -1] = 1.0
    cars = solve(groups, room, found, price=never)
    return Worth(days.pools * 7, days.limits * 7, cars.pools, cars.limits)
