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
        return _said(rows, changes_after_locks(view))

    return dict.fromkeys(CONFIGURATION, enrich)


def beside_locks(view: View) -> tuple[ir.Table, Mapping[str, Enrich]]:
    """Reservations, each with its lock in ``lock_key`` and ``lock_simulated``, joined once for both uses.

    Returns:
        (the rows, the dimensions of the configuration that each order has by the as-of).
    """
    rows, locks = view.table("order.reserved"), view.table("order.locked")
    locks = locks.select(**_NEWER, **_LOCK, lock_simulated="simulated").drop("new_key")
    joined = rows.left_join(locks, rows.subject_key == locks.lock_key)

    def enrich(rows: ir.Table) -> ir.Table:
        locked = _chosen(rows, _says(rows.new_trim))
        changes = latest(view.table("order.changed"), "subject_key")
        changes = changes.select(**_NEWER, new_happened="happened", new_seq="seq")
        beside = locked.left_join(changes, locked.subject_key == changes.new_key)
        return _chosen(beside, beside.new_key.notnull() & ~_locked_later(beside, "new_"))

    return joined, dict.fromkeys(CONFIGURATION, enrich)


def at_last(view: View) -> Mapping[str, Enrich]:
    """For reservations: the configuration that the order has by the as-of, locked and changed since."""

    def enrich(rows: ir.Table) -> ir.Table:
        return _said(_said(rows, _locks(view)), changes_after_locks(view))

    return dict.fromkeys(CONFIGURATION, enrich)


def from_reservation(view: View) -> Mapping[str, Enrich]:
    """For rows about orders that carry no configuration: that which the order has by the as-of."""

    def enrich(rows: ir.Table) -> ir.Table:
        reserved = view.table("order.reserved").select(*CONFIGURATION, "edition", order_of="subject_key")
        joined = rows.left_join(reserved, rows.subject_key == reserved.order_of).drop("order_of")
        return _said(_said(joined, _locks(view)), changes_after_locks(view))

    return dict.fromkeys((*CONFIGURATION, "edition"), enrich)


_NEWER = {"new_key": "subject_key", **{f"new_{name}": name for name in CONFIGURATION}}
_LOCK = {"lock_key": "subject_key", "lock_trim": "trim", "lock_happened": "happened", "lock_seq": "seq"}


def _locks(view: View) -> ir.Table:
    """Locks that say a configuration. No order locks before it was reserved: it is the later word."""
    locks = view.table("order.locked")
    return locks.filter(_says(locks.trim))


def _says(trim: ir.StringValue) -> ir.BooleanValue:
    """A lock without a trim says nothing about the configuration."""
    return trim.notnull()


def changes_after_locks(view: View) -> ir.Table:
    """The last change of each order that was not followed by a lock which says a configuration."""
    changes = latest(view.table("order.changed"), "subject_key")
    locks = view.table("order.locked").select(**_LOCK)
    beside = changes.left_join(locks, changes.subject_key == locks.lock_key)
    return beside.filter(~_locked_later(beside))


def _locked_later(changed: ir.Table, prefix: str = "") -> ir.BooleanValue:
    happened, seq = changed[f"{prefix}happened"], changed[f"{prefix}seq"]
    later = (changed.lock_happened > happened) | (
        (changed.lock_happened == happened) & (changed.lock_seq > seq)
    )
    return (_says(changed.lock_trim) & later).fill_null(False)


def _said(rows: ir.Table, newer: ir.Table) -> ir.Table:
    """Rows with the configuration of ``newer``, which has at most one row an order, where it has one."""
    newer = newer.select(**_NEWER)
    joined = rows.left_join(newer, rows.subject_key == newer.new_key)
    return _chosen(joined, joined.new_key.notnull()).drop("new_key")


def _chosen(joined: ir.Table, newer: ir.BooleanValue) -> ir.Table:
    columns = {name: ibis.ifelse(newer, joined[f"new_{name}"], joined[name]) for name in CONFIGURATION}
    return joined.mutate(**columns).drop(*(f"new_{name}" for name in CONFIGURATION))


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
