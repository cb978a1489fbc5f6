"""Whether cars go on using a function, and what a release changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from driveaway.book.view import View
from driveaway.figures.figure import Days, figure
from driveaway.figures.measure import Grouped, Measure, Unknown
from driveaway.fleet.figures.arguments import day_number, functions_of, single
from driveaway.fleet.ledger.scopes import ASSISTED, scope_of

_WEEK = 7
_FAR_WEEKS = 7 * 100_000
Weeks = Annotated[int, Meta(ge=0, le=520)]


@figure(
    "fleet.retention",
    title="Cars that go on using a driving function",
    title_zh="功能留存率",
    unit="share",
    evidence=("trips.landed",),
)
def retention(
    view: View,
    *,
    function: str = "any",
    since: Literal["first_use", "release"] = "first_use",
    release: str = "",
    weeks_after: Weeks | None = None,
) -> Measure:
    """Share of cars that used a driving function in the n-th week after they first used it, or got it.

    Week 0 are the first day and the six after it. Only cars for which the whole week was over by the as-of
    are above or below the line, so that young cars do not press the share down.

    Args:
        function: any driving function, or this one.
        since: a car's first day with the function, or the day on which it first reported to run a release.
        release: the release, with since=release.
        weeks_after: the share in this week alone; default: all weeks as rows.
    """
    functions = functions_of(view, single("function", function))
    scope = ASSISTED if functions is None else scope_of(functions[0])
    rows = view.landed("activity")
    rows = rows.filter(rows.scope == scope).mutate(weight=rows.weight.cast("int64"))
    if single("since", since) == "release":
        if not release:
            return Unknown("since which release? name it by release")
        started = updated(view, release)
        cars = view.landed("cars").select("car", numbered="vin_key")
        began = started.left_join(cars, started.vin_key == cars.numbered)
        began = began.select("car", began="at", first_made_up=began.simulated)
        below = started.group_by("at").aggregate(
            cars=started.count(), made_up=started.simulated.cast("int64").sum()
        )
    else:
        # Of all rows of a car that have no day before them, one is left: their sum is its day.
        first = rows.filter(rows.previous.isnull())
        day = (first.weight * day_number(first.day)).sum().cast("int32")
        made_up = ibis.ifelse(first.simulated, first.weight, 0).sum()
        began = first.group_by("car").aggregate(began=day, first_made_up=made_up, left=first.weight.sum())
        began = began.filter(began.left > 0)
        began = view.hold(began.select("car", "began", first_made_up=began.first_made_up > 0))
        below = began.group_by(at=began.began).aggregate(
            cars=began.count(), made_up=began.first_made_up.cast("int64").sum()
        )
    last = day_number(ibis.literal(view.last_day))
    began = began.select("began", begun="car")
    used = rows.inner_join(began, rows.car == began.begun)
    # Cars with the same days count together: the arithmetic of weeks costs more than putting them together.
    used = used.group_by("began", "day", "previous").aggregate(weight=used.weight.sum().cast("int64"))
    after = day_number(used.day) - used.began
    before = day_number(used.previous) - used.began + _FAR_WEEKS
    # First days of weeks since the beginning, without division; what lies before it is made positive.
    used = used.mutate(since=after - after % _WEEK, before=before - before % _WEEK - _FAR_WEEKS, after=after)
    used = used.filter(used.after >= 0, used.before.isnull() | (used.before < used.since))
    used = used.filter(used.began + used.since + (_WEEK - 1) <= last)
    above = used.group_by("since").aggregate(active=used.weight.sum().cast("int64"))
    above = above.mutate(week=(above.since / _WEEK).cast("int32"))
    zero = ibis.literal(0, "int64")
    both = ibis.union(
        above.select(n="week", active=above.active, cars=zero, made_up=zero),
        below.select(n="at", active=zero, cars=below.cars.cast("int64"), made_up=below.made_up.cast("int64")),
    )
    end = (view.last_day - view.last_day.fromisoformat("1970-01-01")).days

    def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        active = {row["n"]: int(row["active"]) for row in found if not row["cars"] and row["active"]}
        starts = [row for row in found if row["cars"]]
        longest = max(((end - row["n"] + 1) // _WEEK for row in starts), default=0)
        out = []
        for week in range(longest) if weeks_after is None else [weeks_after]:
            over = [row for row in starts if row["n"] + _WEEK * week + _WEEK - 1 <= end]
            of = sum(int(row["cars"]) for row in over)
            share = active.get(week, 0) / of if of else None
            told: dict[str, Any] = {"weeks_after": week, "value": share, "active": active.get(week, 0)}
            told |= {"of": of, "simulated": any(row["made_up"] for row in over)}
            out.append(told if of else {**told, "unknown": "that week is not over for any car"})
        if not out:
            return [{"value": None, "simulated": False, "unknown": "no week of any car is over by this date"}]
        return out

    return Grouped(both, finish, several=weeks_after is None)


@figure(
    "fleet.by_release",
    title="Driving by software version, and before and after an update",
    title_zh="各版本行驶与升级前后对比",
    unit="share",
    evidence=("trips.landed",),
)
def by_release(view: View, *, release: str = "", days: Days = 28) -> Measure:
    """Share of metres driven with assistance by software version; or before and after cars got a release.

    Without a release: every version that trips report, with its metres. With one: the same cars in
    as many days before as after the day on which each first reported to run it; that day itself, and cars
    for which the days after are not over by the as-of, or which drove in one of the two only, are left out.
    It compares what was, and does not say that the release was the cause.

    Args:
        release: the release by name; default: all versions beside each other.
        days: so many days before and after; 28 are four whole weeks.
    """
    if not release:
        versions = view.landed("daily")
        sums = {name: versions[name].sum().cast("int64") for name in _SUMS[:-1]}
        made_up = ibis.ifelse(versions.simulated, versions.segments + versions.distance_m, 0)
        table = versions.group_by("software").aggregate(made_up=made_up.sum().cast("int64"), **sums)
        return Grouped(table.filter(table.distance_m > 0), _told("software"), several=True)
    rows = view.landed("ledger")
    started = updated(view, release)
    cars = view.landed("cars").select("car", numbered="vin_key")
    began = started.inner_join(cars, started.vin_key == cars.numbered).select("at", begun="car")
    last = day_number(ibis.literal(view.last_day))
    began = began.filter(began["at"] + days <= last)
    beside = rows.inner_join(began, rows.car == began.begun)
    apart = day_number(beside.day) - beside["at"]
    beside = beside.mutate(period=ibis.ifelse(apart < 0, "before", "after"), apart=apart)
    beside = beside.filter(beside.apart != 0, beside.apart >= -days, beside.apart <= days)
    drove = beside.group_by("car", "period").aggregate(metres=beside.distance_m.sum())
    drove = drove.filter(drove.metres > 0)
    both = drove.group_by("car").aggregate(periods=drove.count())
    paired = both.filter(both.periods == 2).select(paired="car")
    beside = beside.semi_join(paired, beside.car == paired.paired)
    if not view.run(started.limit(1).select("at"))[0].num_rows and view.holds(("trips.landed",)):
        return Unknown(f"no car has reported to run {release} by then")
    return Grouped(_summed(beside, "period"), _told("period"), several=True)


_SUMS = (
    "distance_m", "assisted_m", "energy_wh", "energy_m", "driver_overrides", "system_deactivations",
    "made_up",
)  # fmt: skip


def _summed(rows: ir.Table, key: str) -> ir.Table:
    rows = rows.mutate(made_up=ibis.ifelse(rows.simulated, rows.segments + rows.distance_m, 0))
    a_car = rows.group_by(key, "car").aggregate(**{name: rows[name].sum().cast("int64") for name in _SUMS})
    a_car = a_car.filter(a_car.distance_m > 0)
    sums = {name: a_car[name].sum().cast("int64") for name in _SUMS}
    return a_car.group_by(key).aggregate(cars=a_car.count(), **sums)


def _told(key: str) -> Any:
    def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        out = []
        for row in sorted(found, key=lambda row: (row[key] is None, str(row[key]))):
            metres, energy_m = row["distance_m"], row["energy_m"]
            told = {key: row[key], "value": row["assisted_m"] / metres}
            told |= {"cars": row["cars"]} if "cars" in row else {}
            told |= {name: row[name] for name in ("distance_m", "assisted_m")}
            told["kwh_per_100km"] = row["energy_wh"] / energy_m * 100 if energy_m else None
            told |= {name: row[name] for name in ("driver_overrides", "system_deactivations")}
            out.append({**told, "simulated": row["made_up"] > 0})
        if not out:
            return [{"value": None, "simulated": False, "unknown": "no car drove in these days"}]
        return out

    return finish


def updated(view: View, release: str) -> ir.Table:
    """Cars by ``vin_key``, and the day ``at`` (since 1970) on which each first reported to run a release."""
    rows = view.table("version.reported")
    rows = rows.filter(rows.release == release, rows.agrees.fill_null(False))
    window = ibis.window(group_by="subject_key", order_by=("happened", "seq"))
    first = rows.mutate(_rank=ibis.row_number().over(window))
    first = first.filter(first["_rank"] == 0, first.day <= ibis.literal(view.last_day))
    return first.select("simulated", vin_key="subject_key", at=day_number(first.day))


FIGURES = (retention, by_release)
