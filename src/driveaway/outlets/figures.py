"""Figures about outlets."""

from __future__ import annotations

from typing import Literal

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Count, Measure, Unknown
from driveaway.values.provinces import PROVINCES

Role = Literal["store", "service", "delivery"]
_DIMENSIONS = ("role", "province", "city", "outlet", "day", "week", "month")


def open_outlets(view: View, role: str | None) -> ir.Table:
    """Outlets whose last opening or closing by the as-of is an opening, one row each.

    ``place`` tells cities of one name in different provinces apart.
    """
    opened, closed = _last(view.table("outlet.opened")), _last(view.table("outlet.closed"))
    closed = closed.select(closed_key="subject_key", closed_at="happened", closed_seq="seq")
    joined = opened.left_join(closed, opened.subject_key == closed.closed_key)
    reopened = (joined.closed_at < joined.happened) | (
        (joined.closed_at == joined.happened) & (joined.closed_seq < joined.seq)
    )
    rows = joined.filter(joined.closed_key.isnull() | reopened)
    rows = rows.mutate(outlet=rows.subject, place=rows.province + " " + rows.city)
    return rows if role is None else rows.filter(rows.role.isin(role.split("|")))


def _last(rows: ir.Table) -> ir.Table:
    """The last row of each outlet in valid time, ties by seq."""
    window = ibis.window(group_by="subject_key", order_by=[rows.happened.desc(), rows.seq.desc()])
    return rows.mutate(_rank=ibis.row_number().over(window)).filter(lambda t: t["_rank"] == 0).drop("_rank")


def _missing(view: View, role: str | None) -> Unknown | None:
    """Why nothing can be said about a role of which no outlet was ever recorded: that is not 0."""
    if role is None:
        return None
    opened = view.table("outlet.opened")
    if view.run(opened.filter(opened.role.isin(role.split("|"))).limit(1).select("seq"))[0].num_rows:
        return None
    return Unknown(f"the book holds no outlet.opened with the role {role} by this date")


@figure(
    "outlets.open",
    title="Outlets open",
    title_zh="营业网点",
    unit="outlets",
    counts="stock",
    evidence=("outlet.opened",),
    dimensions=_DIMENSIONS,
)
def outlets_open(view: View, *, role: Role | None = None) -> Measure:
    """Outlets that had opened and not closed by the as-of.

    Args:
        role: only stores (门店), service centres (服务网点) or delivery centres (交付中心).
    """
    return _missing(view, role) or Count(open_outlets(view, role))


@figure(
    "outlets.cities",
    title="Cities with an outlet",
    title_zh="覆盖城市",
    unit="cities",
    counts="stock",
    evidence=("outlet.opened",),
    dimensions=("role", "province"),
)
def cities(view: View, *, role: Role | None = None) -> Measure:
    """Cities in which at least one outlet was open at the as-of.

    Args:
        role: only stores, service centres or delivery centres count.
    """
    return _missing(view, role) or Count(open_outlets(view, role), distinct="place")


@figure(
    "outlets.provinces_covered",
    title="Provinces covered",
    title_zh="覆盖省份",
    unit="provinces",
    counts="stock",
    evidence=("outlet.opened",),
    dimensions=("role", "province"),
)
def provinces_covered(view: View, *, role: Role | None = None) -> Measure:
    """Of the 31 mainland provinces, autonomous regions and municipalities: those with an open outlet.

    Args:
        role: only stores, service centres or delivery centres count.
    """
    rows = open_outlets(view, role)
    mainland = rows.filter(rows.province.isin([p.code for p in PROVINCES]))
    return _missing(view, role) or Count(mainland, distinct="province")


FIGURES = (outlets_open, cities, provinces_covered)
