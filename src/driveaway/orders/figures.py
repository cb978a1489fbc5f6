"""Figures about orders and cars."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from driveaway.book.view import View
from driveaway.figures.figure import Days, figure
from driveaway.figures.measure import Count, Distribution, Measure, Share, Unknown
from driveaway.orders.daily import per_day
from driveaway.orders.dimensions import (
    CAR_DIMENSIONS,
    ORDER_DIMENSIONS,
    at_last,
    beside_locks,
    configured,
    from_car,
    from_reservation,
)
from driveaway.values.clock import DAY, local_day, parse_as_of

_ORDERS = ("order.reserved", "order.locked")


@figure(
    "orders.reserved",
    title="Reservations",
    title_zh="预订量",
    unit="orders",
    counts="events",
    evidence=_ORDERS,
    dimensions=ORDER_DIMENSIONS,
)
def reserved(view: View) -> Measure:
    """Reservations made by the as-of, whatever became of them since."""
    return Count(view.table("order.reserved"), enrich=at_last(view))


@figure(
    "orders.locked",
    title="Locked orders",
    title_zh="锁单量",
    unit="orders",
    counts="events",
    evidence=_ORDERS,
    dimensions=ORDER_DIMENSIONS,
)
def locked(view: View) -> Measure:
    """Firm orders (锁单) made by the as-of, by their buyers or by the clock, cancelled later or not."""
    return Count(view.table("order.locked"), enrich=configured(view))


@figure(
    "orders.locked_net",
    title="Locked orders less cancellations",
    title_zh="净锁单量",
    unit="orders",
    counts="stock",
    evidence=_ORDERS,
    dimensions=ORDER_DIMENSIONS,
)
def locked_net(view: View) -> Measure:
    """Firm orders that were not cancelled by the as-of; those handed over count."""
    rows = view.table("order.locked").anti_join(view.table("order.cancelled"), "subject_key")
    return Count(rows, enrich=configured(view))


@figure(
    "orders.lock_rate",
    title="Lock rate",
    title_zh="锁单率",
    unit="share",
    evidence=("order.reserved",),
    dimensions=ORDER_DIMENSIONS,
)
def lock_rate(view: View) -> Measure:
    """Share of all reservations made by the as-of that were locked by then.

    Reservations that may still be refunded count below the line: the rate rises as they are decided.
    """
    joined, dimensions = beside_locks(view)
    simulated = joined.simulated | joined.lock_simulated.fill_null(False)
    return Share(joined.mutate(hit=joined.lock_key.notnull(), simulated=simulated), enrich=dimensions)


@figure(
    "orders.cancelled",
    title="Cancelled orders",
    title_zh="退订量",
    unit="orders",
    counts="events",
    evidence=_ORDERS,
    dimensions=ORDER_DIMENSIONS,
)
def cancelled(view: View, *, stage: Literal["before lock", "after lock"] | None = None) -> Measure:
    """Orders called off by the as-of, by the buyer or the maker.

    Args:
        stage: only those cancelled before, or after, they were locked.
    """
    rows = view.table("order.cancelled")
    if stage is not None:
        locks = view.table("order.locked")
        rows = (
            rows.semi_join(locks, "subject_key")
            if stage == "after lock"
            else rows.anti_join(locks, "subject_key")
        )
    return Count(rows, enrich=from_reservation(view))


@figure(
    "orders.waiting",
    title="Locked orders waiting for their car",
    title_zh="待交付锁单",
    unit="orders",
    counts="stock",
    evidence=_ORDERS,
    dimensions=ORDER_DIMENSIONS,
)
def waiting(view: View) -> Measure:
    """Firm orders that were neither cancelled nor handed over by the as-of."""
    rows = view.table("order.locked")
    rows = rows.anti_join(view.table("order.cancelled"), "subject_key")
    rows = rows.anti_join(view.table("order.handed_over"), "subject_key")
    return Count(rows, enrich=configured(view))


@figure(
    "orders.locked_per_day",
    title="Locked orders per day",
    title_zh="每日锁单量",
    unit="orders",
    counts="events",
    evidence=("order.locked",),
)
def locked_per_day(view: View) -> Measure:
    """Firm orders made on each local day, and their running total, from the first to the as-of."""
    return per_day(view, view.table("order.locked"))


@figure(
    "orders.wait_days",
    title="Wait from lock to handover",
    title_zh="锁单至交付天数",
    unit="days",
    evidence=("order.handed_over",),
    dimensions=ORDER_DIMENSIONS,
)
def wait_days(view: View) -> Measure:
    """Days from lock to handover, as quantiles over the cars handed over by the as-of.

    Cars still waiting are not in it, so while a launch ramps up it is shorter than what a buyer who
    locks now will wait.
    """
    locks = view.table("order.locked")
    locks = locks.select("subject_key", locked_at="happened", lock_simulated="simulated")
    handed = view.table("order.handed_over")
    handed = handed.select("subject_key", "happened", "seq", "day", "simulated")
    joined = handed.join(locks, "subject_key")
    rows = joined.mutate(
        value=(joined.happened - joined.locked_at).cast("float64") / DAY,
        simulated=joined.simulated | joined.lock_simulated,
    )
    return Distribution(rows, enrich=from_reservation(view), note="cars still waiting are not in it")


@figure(
    "cars.built",
    title="Cars built",
    title_zh="下线量",
    unit="cars",
    counts="events",
    evidence=("car.built",),
    dimensions=("trim", "colour", "plant", "purpose", "day", "week", "month"),
)
def built(view: View) -> Measure:
    """Cars that left the line by the as-of, whatever they were built for."""
    return Count(view.table("car.built"))


@figure(
    "cars.delivered",
    title="Cars delivered",
    title_zh="交付量",
    unit="cars",
    counts="events",
    evidence=(*_ORDERS, "order.handed_over"),
    dimensions=CAR_DIMENSIONS,
)
def delivered(view: View) -> Measure:
    """Cars handed over to their buyers (交付) by the as-of, returned later or not.

    Handed over is not invoiced and not registered.
    """
    return Count(view.table("order.handed_over"), enrich=from_car(view))


@figure(
    "cars.delivered_net",
    title="Cars delivered less returns",
    title_zh="净交付量",
    unit="cars",
    counts="stock",
    evidence=(*_ORDERS, "order.handed_over"),
    dimensions=CAR_DIMENSIONS,
)
def delivered_net(view: View) -> Measure:
    """Cars handed over by the as-of that were not given back by then."""
    handed = view.table("order.handed_over")
    returned = view.table("car.returned").select("order_key")
    return Count(handed.anti_join(returned, handed.subject_key == returned.order_key), enrich=from_car(view))


@figure(
    "cars.delivered_per_day",
    title="Cars delivered per day",
    title_zh="每日交付量",
    unit="cars",
    counts="events",
    evidence=("order.handed_over",),
)
def delivered_per_day(view: View) -> Measure:
    """Cars handed over on each local day, and their running total, from the first to the as-of."""
    return per_day(view, view.table("order.handed_over"))


@figure(
    "cars.delivered_since_launch_days",
    title="Cars delivered in the first days after launch",
    title_zh="上市后若干天内交付量",
    unit="cars",
    evidence=(*_ORDERS, "order.handed_over"),
    dimensions=("trim", "colour", "province"),
)
def delivered_since_launch_days(view: View, *, days: Days = 28) -> Measure:
    """Cars handed over in the first so many local days, the day on which orders opened being day 1.

    Args:
        days: how many days; 28 ends with the 27th day after the launch.
    """
    opened = view.description.car.orders_open
    if opened is None:
        return Unknown("launch.toml does not say when orders opened (car.orders_open)")
    first = local_day(parse_as_of(opened, view.zone), view.zone)
    last = first + timedelta(days=days - 1)
    today = local_day(view.when.as_of, view.zone)
    if today < last:
        return Unknown(f"day {days} is {last}, which is after the as-of")
    rows = view.table("order.handed_over")
    rows = rows.filter(rows.day <= last)
    start = view.run(rows.aggregate(day=rows.day.min()))[0].column("day")[0].as_py()
    note = f"day 1 is {first} and day {days} is {last}"
    if start is not None:
        note += f"; handovers began on {start}, day {(start - first).days + 1}"
    return Count(rows, enrich=from_car(view), note=note)


FIGURES = (
    reserved,
    locked,
    locked_net,
    lock_rate,
    cancelled,
    waiting,
    locked_per_day,
    wait_days,
    built,
    delivered,
    delivered_net,
    delivered_per_day,
    delivered_since_launch_days,
)
