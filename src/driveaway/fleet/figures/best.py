"""The longest drives: which car drove how far in one day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import ibis
import ibis.expr.types as ir
import pyarrow.compute as pc
from msgspec import Meta

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Asked, Grouped, Measure
from driveaway.fleet.figures.arguments import functions_of, single, window_days
from driveaway.fleet.figures.cars import CAR, with_car
from driveaway.fleet.figures.sums import first_day
from driveaway.fleet.ledger.counting import LONG_M, MANY

_ASKED = Asked()
_TIES = 1000
"""Car-days beside those that are asked for, among which equals are told apart."""
_FEW = 1000
"""Car-days that are named in the question, so that files of other days are left out."""
_SHARE = 0.6
"""Of the length that is reached, what rows that are not looked at may make up: more leaves fewer rows to add
up, less leaves fewer days."""
Top = Annotated[int, Meta(ge=1, le=1000)]


@figure(
    "fleet.most_in_one_day",
    title="Most that one car drove in a day",
    title_zh="单车单日最长里程",
    unit="m",
    evidence=("trips.landed",),
    dimensions=("day", *CAR),
)
def most_in_one_day(
    view: View,
    *,
    asked: Asked = _ASKED,
    metres: Literal["assisted", "all"] = "assisted",
    window: str = "ever",
    function: str = "any",
    top: Top = 1,
) -> Measure:
    """The most metres that one car drove on one local day, and under which pseudonym.

    A day runs from local midnight to midnight: a drive over midnight counts in parts on both. A car is shown
    by a keyed hash of its VIN, the same each time; the key stays in the launch's folder.

    Args:
        metres: those with a driving function engaged, or all.
        window: so many local days up to the as-of, such as 28d, or ever; ever, for a record is one for ever.
        function: only metres with this driving function; alternatives joined by |; with all metres: of
            segments in which it was used.
        top: so many car-days, each as a row with its day and car; 1 gives the value alone.
    """
    days, wanted = window_days(window), functions_of(view, function)
    begin = None if days is None else first_day(view, days)
    column = "assisted_m" if single("metres", metres) == "assisted" else "distance_m"

    def in_days(rows: ir.Table) -> ir.Table:
        if begin is not None:
            rows = rows.filter(rows.day >= ibis.literal(begin))
        if "day" in asked.filters:
            rows = rows.filter(rows.day.isin([ibis.literal(day) for day in asked.filters["day"]]))
        return rows

    def chosen(long: ir.Table) -> ir.Table:
        amount = long[column]
        if wanted is not None:
            amount = ibis.ifelse(long.function.isin(wanted), amount, 0)
        return in_days(long.mutate(amount=amount))

    rows = in_days(view.landed("ledger"))
    if wanted is not None:
        rows = rows.filter(rows.function.isin(wanted))
    rows = rows.mutate(amount=rows[column]).filter(lambda row: row.amount != 0)
    if not asked.dimensions:
        rows = _promising(view, rows, chosen, LONG_M[column], top)
    made_up = ibis.ifelse(rows.simulated, rows.amount, 0).sum().cast("int64")
    a_day = rows.group_by("car", "day").aggregate(value=rows.amount.sum().cast("int64"), simulated_m=made_up)
    a_day = a_day.filter(a_day.value > 0)
    names = sorted(asked.dimensions & set(CAR))
    if names:
        a_day = with_car(view, a_day, names)
    for name in names:
        if name in asked.filters:
            a_day = a_day.filter(a_day[name].isin(asked.filters[name]))
    # Of as many metres, the earlier day and then the VIN that sorts first: told apart below.
    if asked.by:
        order = ibis.window(group_by=list(asked.by), order_by=a_day.value.desc())
        best = a_day.mutate(_rank=ibis.rank().over(order))
        best = best.filter(best["_rank"] < top).drop("_rank")
    else:
        best = a_day.order_by(a_day.value.desc(), "day", "car").limit(top + _TIES)
    cars = view.landed("cars").select("vin", numbered="car")
    best = best.inner_join(cars, best.car == cars.numbered).drop("car", "numbered")

    def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found.sort(key=lambda row: (-int(row["value"]), row["day"], row["vin"]))
        taken: dict[tuple[Any, ...], int] = {}
        out = []
        for row in found:
            group = tuple(row[name] for name in asked.by)
            taken[group] = taken.get(group, 0) + 1
            if taken[group] <= top:
                told = {name: row[name] for name in dict.fromkeys([*asked.by, "day"])}
                told |= {"car": view.pseudonym(row["vin"]), "value": int(row["value"])}
                out.append({**told, "simulated": (row["simulated_m"] or 0) > 0})
        if not out and not asked.by:
            return [{"value": None, "simulated": False, "unknown": "no such metre has landed"}]
        if top == 1 and not asked.by:
            out[0]["note"] = f"{out[0]['car']} on {out[0]['day']}"
        return sorted(out, key=lambda row: [str(row[name]) for name in asked.by])

    return Grouped(best, finish, several=top > 1)


def _promising(
    view: View, rows: ir.Table, chosen: Callable[[ir.Table], ir.Table], short: int, top: int
) -> ir.Table:
    """The rows of car-days that may be among the longest, so that not every car's every day is added up.

    Args:
        rows: of LEDGER that count, with their ``amount``.
        chosen: gives rows of LONG their ``amount``, 0 to those that do not count.
        short: what a row that is not long is below.
        top: so many are looked for.
    """
    days = view.landed("days")
    most = view.run(days.most_rows.max().name("most").as_table())[0].column("most")[0].as_py()
    if not most or most >= MANY:
        return rows
    long = chosen(view.landed("long"))
    made = {"least": long.amount.sum().cast("int64"), "others": long.before.max().cast("int64")}
    sums = view.hold(long.group_by("car", "day").aggregate(**made))
    best = sums.order_by(sums.least.desc()).limit(top)
    (reached,) = view.run(best.aggregate(least=best.least.min(), n=best.count()))[0].to_pylist()
    # A day without a long row has so many shorter ones at the most.
    if reached["n"] < top or reached["least"] <= most * short:
        return _among_all(view, rows, top, most)
    may = sums.filter(sums.least + sums.others * short >= int(reached["least"])).select("car", "day")
    found = view.run(may)[0]
    promising = rows.semi_join(view.hold(may), ["car", "day"])
    if len(found) > _FEW:
        return promising
    at, cars = (pc.unique(found.column(name)).to_pylist() for name in ("day", "car"))
    return promising.filter(promising.day.isin([ibis.literal(day) for day in at]), promising.car.isin(cars))


def _among_all(view: View, rows: ir.Table, top: int, most: int) -> ir.Table:
    """The same where long rows do not tell: by all rows of some length and more.

    Of a day that reaches what the longest reach at least, they make up all but so much.
    """
    least = _reached(view, rows, top)
    length = int(least * _SHARE) // most
    if length < 1:
        return rows
    long = rows.filter(rows.amount >= length)
    sums = long.group_by("car", "day").aggregate(metres=long.amount.sum().cast("int64"), n=long.count())
    # Its other rows are shorter than that, and so many at the most.
    promising = sums.filter(sums.metres + (most - sums.n) * length >= least)
    return rows.semi_join(promising, ["car", "day"])


def _reached(view: View, rows: ir.Table, top: int) -> int:
    """A length that so many car-days reach: those with the longest rows, added up; 0 if there are too few."""
    some = rows.order_by(rows.amount.desc(), "day", "car").limit(top + _TIES).select("car", "day")
    some = rows.semi_join(view.hold(some.distinct()), ["car", "day"])
    sums = some.group_by("car", "day").aggregate(value=some.amount.sum().cast("int64"))
    best = sums.order_by(sums.value.desc()).limit(top)
    (found,) = view.run(best.aggregate(least=best.value.min(), n=best.count()))[0].to_pylist()
    return int(found["least"]) if found["n"] == top else 0


FIGURES = (most_in_one_day,)
