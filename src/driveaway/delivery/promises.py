"""Figures about what buyers were promised, and what became of it."""

from __future__ import annotations

from typing import Literal

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Distribution, Measure, Rows, Share
from driveaway.values.clock import local_day

_DIMENSIONS = ("trim", "province", "day", "week", "month")
Which = Literal["first", "last"]


@figure(
    "delivery.promise_kept",
    title="Promises kept",
    title_zh="承诺兑现率",
    unit="share",
    evidence=("promise.given",),
    dimensions=_DIMENSIONS,
)
def promise_kept(view: View, *, which: Which = "first") -> Measure:
    """Share of promised windows whose car was handed over by their last day.

    A promise is scored when its car is handed over or when its last day passes, whichever comes first; one
    whose car is still missing then is broken. A buyer who was not ready moves the last day to the day
    for which the handover was postponed. A promise to an order that was called off is not scored.
    Day, week and month are those on which the promise was given.

    Args:
        which: the first promise of each order (a later one does not heal it), or the last.
    """
    today = ibis.literal(local_day(view.when.as_of, view.zone))
    rows = fared(view, which)
    scored = rows.filter(rows.handed_on.notnull() | ((rows.due < today) & ~rows.called_off))
    hit = (scored.handed_on.notnull() & (scored.handed_on <= scored.due)).fill_null(False)
    note = "promises whose last day has not passed are not in it while their car is missing"
    return Share(scored.mutate(hit=hit), estimated=True, note=note)


@figure(
    "delivery.wait_quoted_vs_actual",
    title="Handover against the promised day",
    title_zh="实际交付与承诺日之差",
    unit="days",
    evidence=("promise.given", "order.handed_over"),
    dimensions=_DIMENSIONS,
)
def wait_quoted_vs_actual(view: View, *, which: Which = "first") -> Measure:
    """Days from the last day of the promised window to the handover; negative: it came earlier.

    As quantiles over the cars handed over by the as-of whose buyers had been promised a window.

    Args:
        which: the first promise of each order, or the last.
    """
    rows = fared(view, which)
    rows = rows.filter(rows.handed_on.notnull())
    value = rows.handed_on.delta(rows.due, unit="day").cast("float64")
    return Distribution(rows.mutate(value=value), note="cars still waiting are not in it")


@figure(
    "delivery.promises",
    title="Handover windows promised",
    title_zh="已承诺的交付时间窗",
    unit="orders",
    evidence=("promise.given",),
    dimensions=("trim",),
)
def promises(view: View) -> Measure:
    """Orders whose buyers were promised a handover window by the as-of, by trim, with the last one promised.

    ``value`` counts orders, not promises. ``first_day`` to ``last_day`` is the window promised last to a
    buyer of that trim, on ``day``; ``confidence`` the share of such promises that is to be kept.
    """
    given = view.table("promise.given")
    # Among promises of one moment the one recorded last.
    place = given.happened.cast("float64") + given.seq / 1e9
    columns = {
        name: given[name].argmax(place) for name in ("first_day", "last_day", "day", "confidence", "province")
    }
    rows = given.group_by("trim").aggregate(
        value=given.subject_key.nunique(), simulated=given.simulated.any(), **columns
    )
    return Rows(rows.order_by("trim"))


def fared(view: View, which: Which) -> ir.Table:
    """A promise of each order with ``due``, ``handed_on`` and whether, and when, it was ``called_off``."""
    given = view.table("promise.given")
    first = which == "first"
    order = [given.happened, given.seq] if first else [given.happened.desc(), given.seq.desc()]
    window = ibis.window(group_by="subject_key", order_by=order)
    given = given.mutate(rank=ibis.row_number().over(window)).filter(lambda t: t["rank"] == 0)
    handed = view.table("order.handed_over")
    handed = handed.select(handed_key="subject_key", handed_on="day", handed_simulated="simulated")
    off = view.table("order.cancelled").select(off_key="subject_key", called_off_on="day")
    postponed = view.table("handover.postponed").group_by("subject_key")
    late = postponed.aggregate(until=lambda t: t.until_day.max()).rename(late_key="subject_key")
    rows = given.left_join(handed, given.subject_key == handed.handed_key)
    rows = rows.left_join(off, rows.subject_key == off.off_key)
    rows = rows.left_join(late, rows.subject_key == late.late_key)
    return rows.mutate(
        # Days as ISO 8601 texts sort like the days that they name.
        due=ibis.greatest(rows.last_day, rows.until.fill_null("")).cast("date"),
        called_off=rows.off_key.notnull(),
        simulated=rows.simulated | rows.handed_simulated.fill_null(False),
    )


FIGURES = (promises, promise_kept, wait_quoted_vs_actual)
