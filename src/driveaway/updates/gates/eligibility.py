"""How many delivered cars are eligible, equipped, offered and active, by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.updates.gates.columns import Cars, Categories
from driveaway.updates.gates.expression import ALWAYS, All, Amount, Any_, Gate, Kind, Leaf, Not, Trim
from driveaway.updates.gates.fleet import FleetJudge, Verdicts
from driveaway.updates.gates.versions import Compare, compare
from driveaway.updates.places.place import Place
from driveaway.values.errors import BadValue

_BUILT: Final = (Trim, Amount, Kind)
COLUMNS: Final = (
    "delivered",
    "equipped",
    "equipped_unknown",
    "eligible",
    "eligible_unknown",
    "offered",
    "offered_unknown",
    "active",
    "active_unknown",
)


def equipment(gate: Gate) -> Gate:
    """What of a gate is settled when the car leaves the line: trim and hardware; the rest is taken as met."""
    return _restricted(gate, lambda leaf: isinstance(leaf, _BUILT), True)


def count_cars(
    cars: Cars,
    gate: Gate,
    where: Categories,
    *,
    places: Iterable[Place] = (),
    offered: NDArray[np.int8] | None = None,
    active: NDArray[np.int8] | None = None,
    order: Compare = compare,
) -> tuple[pa.Table, Verdicts]:
    """Count cars by place.

    Args:
        cars: delivered cars.
        gate: of the function.
        where: each car's place, such as the city of handover or where it was last; unknown is a row of its
        own. places: polygons of the places that the gate names. offered: whether the release with the
        function was offered to each car; 1, 0, -1 unknown; None: unknown
            of all.
        active: whether the function is in use there, alike.
        order: how versions are compared.

    Returns:
        A table with one row for each place, sorted, and a last one with ``place`` null for cars whose place
        is not known: ``delivered``; ``equipped`` (trim and hardware meet the gate); ``eligible`` (all of it);
        ``offered``; ``active``; and of each but the first, how many cars it is not known of. Then the
        verdicts, for the reasons.

    Raises:
        BadValue: columns of different lengths.
    """
    nothing = np.full(cars.count, -1, dtype=np.int8)
    given = [nothing if column is None else column for column in (offered, active)]
    for name, rows in (("where", where.codes), ("offered", given[0]), ("active", given[1])):
        if len(rows) != cars.count:
            raise BadValue(
                f"{name} has {len(rows)} rows for {cars.count} cars", code="gate.columns",
                remedy="one row a car in every column",
            )  # fmt: skip
    polygons = tuple(places)
    verdicts = FleetJudge(gate, polygons, order).verdicts(cars)
    equipped = FleetJudge(equipment(gate), polygons, order).verdicts(cars)
    order_of = sorted(range(len(where.values)), key=lambda number: where.values[number])
    rank = np.empty(len(where.values) + 1, dtype=np.int64)
    rank[order_of] = np.arange(len(order_of))
    rank[-1] = len(order_of)
    group = rank[where.codes]
    groups = len(order_of) + 1

    def tally(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(group[flags], minlength=groups).astype(np.int64)

    columns = {"delivered": np.bincount(group, minlength=groups).astype(np.int64)}
    truths = {"equipped": equipped.value, "eligible": verdicts.value, "offered": given[0], "active": given[1]}
    for name, truth in truths.items():
        columns[name] = tally(truth == 1)
        columns[f"{name}_unknown"] = tally(truth < 0)
    present = columns["delivered"] > 0
    names = pa.array([where.values[number] for number in order_of] + [None], pa.string())
    table = pa.table({"place": names} | {name: pa.array(columns[name]) for name in COLUMNS})
    return table.filter(pa.array(present)), verdicts


def _restricted(gate: Gate, keeps: Callable[[Leaf], bool], wanted: bool) -> Gate:
    """The gate with every condition that is not kept taken as what it is wanted to be."""
    match gate:
        case All(of=parts):
            return All(tuple(_restricted(part, keeps, wanted) for part in parts))
        case Any_(of=parts):
            return Any_(tuple(_restricted(part, keeps, wanted) for part in parts))
        case Not(of=part):
            return Not(_restricted(part, keeps, not wanted))
        case _:
            if keeps(gate):
                return gate
            return ALWAYS if wanted else Any_()
