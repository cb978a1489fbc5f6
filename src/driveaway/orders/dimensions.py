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
    """For locks: the configuration of the latest change after the lock, else the lock's own."""

    def enrich(rows: ir.Table) -> ir.Table:
        return _overridden(rows, latest(view.table("order.changed"), "subject_key"))

    return dict.fromkeys(CONFIGURATION, enrich)


_MINE = {f"new_{name}": name for name in (*CONFIGURATION, "subject_key", "happened", "seq")}


def _overridden(rows: ir.Table, newer: ir.Table) -> ir.Table:
    """Rows with the configuration of ``newer``, one row an order, where that came after them."""
    newer = newer.select(**_MINE)
    return _taken_over(rows.left_join(newer, rows.subject_key == newer.new_subject_key))


def _taken_over(joined: ir.Table) -> ir.Table:
    later = (joined.new_happened > joined.happened) | (
        (joined.new_happened == joined.happened) & (joined.new_seq > joined.seq)
    )
    columns = {name: ibis.ifelse(later, joined[f"new_{name}"], joined[name]) for name in CONFIGURATION}
    # The time of the last word, so that a yet newer one is compared with it.
    times = {name: ibis.ifelse(later, joined[f"new_{name}"], joined[name]) for name in ("happened", "seq")}
    return joined.mutate(**columns, **times).drop(*_MINE)


def beside_locks(view: View) -> tuple[ir.Table, Mapping[str, Enrich]]:
    """Reservations, each with its lock in ``lock_key`` and ``lock_simulated``, joined once for both uses.

    Returns:
        (the rows, the dimensions of the configuration that each order has by the as-of).
    """
    rows, locks = view.table("order.reserved"), view.table("order.locked")
    # A lock without a trim says nothing about the configuration: it never comes later.
    said = ibis.ifelse(locks.trim.notnull(), locks.happened, ibis.null("int64"))
    locks = locks.mutate(happened=said).select(**_MINE, lock_key="subject_key", lock_simulated="simulated")
    changed = configured(view)["trim"]

    def enrich(rows: ir.Table) -> ir.Table:
        return changed(_taken_over(rows))

    joined = rows.left_join(locks, rows.subject_key == locks.lock_key)
    return joined, dict.fromkeys(CONFIGURATION, enrich)


def at_last(view: View) -> Mapping[str, Enrich]:
    """For reservations: the configuration that the order has by the as-of, locked and changed since."""
    changed = configured(view)["trim"]

    def enrich(rows: ir.Table) -> ir.Table:
        locks = view.table("order.locked")
        # A lock without a trim says nothing about the configuration.
        return changed(_overridden(rows, locks.filter(locks.trim.notnull())))

    return dict.fromkeys(CONFIGURATION, enrich)


def from_reservation(view: View) -> Mapping[str, Enrich]:
    """For rows about orders that carry no configuration: that which the order has by the as-of."""
    changed = configured(view)["trim"]

    def enrich(rows: ir.Table) -> ir.Table:
        # Only the orders that the rows speak of: they are few beside all that were reserved.
        reserved = view.table("order.reserved").semi_join(rows, "subject_key")
        locks = view.table("order.locked")
        locks = locks.filter(locks.trim.notnull()).semi_join(rows, "subject_key")
        reserved = reserved.select("subject_key", "happened", "seq", *CONFIGURATION, "edition")
        last = changed(_overridden(reserved, locks)).rename(order_of="subject_key").drop("happened", "seq")
        return rows.left_join(last, rows.subject_key == last.order_of).drop("order_of")

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
