"""What a car is and to whom it went: its trim, its province, the days on which it counts as delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.fleet.figures.arguments import day_number

CAR: Final = ("trim", "province")
"""Dimensions of a car that no trip changes."""
FAR: Final = 4_000_000
"""A day beyond all days."""


def attributes(view: View, names: Sequence[str]) -> ir.Table:
    """Car by ``vin_key`` → its trim as built, and the province of its last handover, where asked for."""
    cars: ir.Table | None = None
    if "trim" in names:
        built = _last(view.table("car.built"), "subject_key")
        cars = built.select(vin_key="subject_key", trim="trim")
    if "province" in names:
        handed = view.table("order.handed_over")
        handed = _last(handed.filter(handed.vin_key.notnull()), "vin_key").select("vin_key", "province")
        if cars is None:
            return handed
        both = cars.outer_join(handed, "vin_key")
        key = ibis.coalesce(both.vin_key, both.vin_key_right)
        return both.select("trim", "province", vin_key=key)
    assert cars is not None
    return cars


def with_attributes(view: View, rows: ir.Table, names: Sequence[str]) -> ir.Table:
    """Rows with ``vin_key`` and the trim and province of their car."""
    if not names:
        return rows
    beside = attributes(view, names).rename(beside_key="vin_key")
    return rows.left_join(beside, rows.vin_key == beside.beside_key).drop("beside_key")


def with_car(view: View, rows: ir.Table, names: Sequence[str]) -> ir.Table:
    """Rows with ``car``, and the trim and province of that car."""
    cars = with_attributes(view, view.landed("cars").select("car", "vin_key"), names)
    cars = cars.select(*names, numbered="car")
    return rows.left_join(cars, rows.car == cars.numbered).drop("numbered")


def delivered(view: View) -> ir.Table:
    """The spans of days on which a car is its buyer's.

    Columns: ``vin_key``, ``since``, ``until`` (days since 1970, ``until`` excluded), ``handed_made_up``
    (whether the handover was simulated). Spans of one car never overlap: each ends where the car is given
    back or handed over anew.
    """
    handed = view.table("order.handed_over")
    handed = handed.filter(handed.vin_key.notnull())
    handed = handed.select("vin_key", "happened", "seq", "day", "simulated", out=ibis.literal(True))
    back = view.table("car.returned")
    back = back.select("happened", "seq", "day", "simulated", vin_key="subject_key", out=ibis.literal(False))
    both = union(handed, back)
    window = ibis.window(group_by="vin_key", order_by=("happened", "seq"))
    both = both.mutate(follows=both.day.lead().over(window))
    spans = both.filter(both.out).select(
        "vin_key",
        since=day_number(both.day),
        until=ibis.coalesce(day_number(both.follows), ibis.literal(FAR, "int32")),
        handed_made_up=both.simulated,
    )
    return spans.filter(spans.since < spans.until)


def union(*tables: ir.Table) -> ir.Table:
    """Rows of several tables, whose columns are those of the first in any order.

    Ibis tells types apart by whether they may be null, engines do not: they are made equal.
    """
    types = {name: type_.copy(nullable=True) for name, type_ in tables[0].schema().items()}
    return ibis.union(*(table.select(*types).cast(types) for table in tables))


def _last(rows: ir.Table, key: str) -> ir.Table:
    """The last row of each key in valid time, ties by seq."""
    window = ibis.window(group_by=key, order_by=[rows.happened.desc(), rows.seq.desc()])
    ranked = rows.mutate(_rank=ibis.row_number().over(window))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")
