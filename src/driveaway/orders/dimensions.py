"""Dimensions of orders and cars, joined only when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.measure import Enrich

CONFIGURATION = ("trim", "colour", "province", "city", "outlet")
ORDER_DIMENSIONS = (*CONFIGURATION, "edition", "day", "week", "month")
CAR_DIMENSIONS = (*CONFIGURATION, "day", "week", "month")


def configured(view: View) -> Mapping[str, Enrich]:
    """For rows that carry a configuration: that of the latest change by the as-of wins."""

    def enrich(rows: ir.Table) -> ir.Table:
        changes = latest(view.table("order.changed"), "subject_key")
        changes = changes.select(changed_key="subject_key", **{f"new_{name}": name for name in CONFIGURATION})
        joined = rows.left_join(changes, rows.subject_key == changes.changed_key)
        columns = {
            name: ibis.ifelse(joined.changed_key.notnull(), joined[f"new_{name}"], joined[name])
            for name in CONFIGURATION
        }
        return joined.mutate(**columns).drop("changed_key", *(f"new_{name}" for name in CONFIGURATION))

    return dict.fromkeys(CONFIGURATION, enrich)


def from_reservation(view: View) -> Mapping[str, Enrich]:
    """For rows about orders that carry no configuration: their reservation's, as changed since."""
    changed = configured(view)["trim"]

    def enrich(rows: ir.Table) -> ir.Table:
        reserved = view.table("order.reserved")
        reserved = reserved.select("subject_key", *CONFIGURATION, "edition")
        reserved = changed(reserved).rename(order_of="subject_key")
        return rows.left_join(reserved, rows.subject_key == reserved.order_of).drop("order_of")

    return dict.fromkeys((*CONFIGURATION, "edition"), enrich)


def from_car(view: View) -> Mapping[str, Enrich]:
    """For handovers: trim and colour of the car as built, else of the order."""
    order = from_reservation(view)["trim"]

    def enrich(rows: ir.Table) -> ir.Table:
        built = view.table("car.built").select(
            car_key="subject_key", built_trim="trim", built_colour="colour"
        )
        places = ("province", "city", "outlet")
        joined = rows.left_join(built, rows.vin_key == built.car_key)
        joined = joined.rename({f"own_{name}": name for name in places})
        joined = order(joined)
        return joined.mutate(
            trim=ibis.coalesce(joined.built_trim, joined.trim),
            colour=ibis.coalesce(joined.built_colour, joined.colour),
            **{name: ibis.coalesce(joined[f"own_{name}"], joined[name]) for name in places},
        )

    return dict.fromkeys(CONFIGURATION, enrich)


def latest(rows: ir.Table, key: str) -> ir.Table:
    """The last row of each key in valid time, ties by seq."""
    window = ibis.window(group_by=key, order_by=[rows.happened.desc(), rows.seq.desc()])
    return rows.mutate(_rank=ibis.row_number().over(window)).filter(lambda t: t["_rank"] == 0).drop("_rank")
