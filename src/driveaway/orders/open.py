"""The firm orders that wait for their car, one row each: what a plan serves."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from driveaway.book.view import View
from driveaway.orders.dimensions import changes_after_locks, configured, latest


def open_orders(view: View) -> pa.Table:
    """Firm orders neither cancelled nor handed over, by their place in the queue.

    Returns:
        A row for each: ``order_id``; ``queued``, the instant of its lock or of the last change that put
        it at the end of the queue, microseconds since 1970; ``trim``, ``colour``, ``options`` (joined by
        ``|``), ``province``, ``city``, ``edition``; ``simulated``; ``rank`` and ``rank_reason`` of an
        exception to first come, null where there is none; ``ready_day``, before which the buyer does not
        take the car, or null; ``promised_first`` and ``promised_last``, the window last promised, or null;
        ``built``, the instant at which the car pegged to it left the line, or null.
    """
    rows = view.table("order.locked")
    rows = rows.anti_join(view.table("order.cancelled"), "subject_key")
    rows = rows.anti_join(view.table("order.handed_over"), "subject_key")
    rows = rows.select(
        "subject", "subject_key", "happened", "seq", "simulated", "edition",
        "trim", "colour", "province", "city", "outlet", "options",
    )  # fmt: skip
    rows = rows.mutate(locked=rows.happened)
    rows = configured(view)["trim"](rows)
    changes = changes_after_locks(view).select(changed_key="subject_key", changed_options="options")
    rows = _beside(rows, changes, "changed", keep=True)
    options = ibis.ifelse(rows.changed_key.notnull(), rows.changed_options, rows.options)
    rows = rows.mutate(options=options.join("|").fill_null(""))
    rows = _beside(rows, _requeued(view), "requeued")
    rows = _beside(rows, _last(view, "order.prioritised", rank="rank", rank_reason="reason"), "ranked")
    rows = _beside(rows, _last(view, "handover.postponed", ready_day="until_day"), "postponed")
    promised = _last(view, "promise.given", promised_first="first_day", promised_last="last_day")
    rows = _beside(rows, promised, "promised")
    rows = _beside(rows, _cars(view), "pegged")
    queued = ibis.greatest(rows.locked, rows.requeued_at.fill_null(0))
    rows = rows.select(
        "trim", "colour", "options", "province", "city", "edition", "simulated", "rank", "rank_reason",
        "ready_day", "promised_first", "promised_last", "built", order_id="subject", queued=queued,
    )  # fmt: skip
    found, _ = view.run(rows.order_by("queued", "order_id"))
    return found


def _beside(rows: ir.Table, other: ir.Table, key: str, *, keep: bool = False) -> ir.Table:
    """Rows with the columns of ``other``, which has at most one row an order."""
    joined = rows.left_join(other, rows.subject_key == other[f"{key}_key"])
    return joined if keep else joined.drop(f"{key}_key")


_KEYS = {"order.prioritised": "ranked", "handover.postponed": "postponed", "promise.given": "promised"}


def _last(view: View, kind: str, **columns: str) -> ir.Table:
    """The last fact of a kind about each order."""
    key = f"{_KEYS[kind]}_key"
    return latest(view.table(kind), "subject_key").select(**{key: "subject_key"}, **columns)


def _requeued(view: View) -> ir.Table:
    """When each order was last put at the end of the queue."""
    changes = view.table("order.changed")
    changes = changes.filter(changes.requeues)
    return (
        changes.group_by("subject_key")
        .aggregate(requeued_at=changes.happened.max())
        .rename(requeued_key="subject_key")
    )


def _cars(view: View) -> ir.Table:
    """The car pegged to each order, with when it was built."""
    pegs = latest(view.table("car.pegged"), "order_key").select(
        pegged_key="order_key", car_key="subject_key", pegged_at="happened"
    )
    freed = view.table("car.unpegged").select(
        freed_order="order_key", freed_car="subject_key", freed_at="happened"
    )
    pegs = pegs.anti_join(
        freed,
        (pegs.pegged_key == freed.freed_order)
        & (pegs.car_key == freed.freed_car)
        & (freed.freed_at >= pegs.pegged_at),
    )
    built = view.table("car.built").select(built_key="subject_key", built="happened")
    return pegs.join(built, pegs.car_key == built.built_key).select("pegged_key", "built")
