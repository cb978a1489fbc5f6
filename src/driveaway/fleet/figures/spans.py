"""Spans of days: from when until when a car counts as active, as driven, as delivered, as being in a city.

Every table has ``car`` or ``vin_key``, the ``weight`` with which it counts, and, unless only the last day
is asked for, ``lo`` and ``hi``: the window ends on a day D with ``lo`` ≤ D < ``hi`` (days since 1970). All
weights are whole numbers, and everything is linear in them, so that rows which take others back do so at
every mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.fleet.figures.arguments import day_number
from driveaway.fleet.figures.cars import FAR, delivered, union
from driveaway.fleet.ledger.scopes import ASSISTED, DRIVEN, scope_of

_EPOCH: Final = date(1970, 1, 1)
_CODES: Final = 1 << 24
"""More than there are names of cities or software; metres of a day times this fit into 64 bits."""


@dataclass(frozen=True)
class Spans:
    """How spans are made.

    Attributes:
        view: the cut.
        days: of the trailing window; None: ever.
        series: every day's window is asked for, not only the last day's.
    """

    view: View
    days: int | None
    series: bool

    # --- who is active ---

    def active(self, scopes: Sequence[str] | None) -> ir.Table:
        """Cars that were active in the window: ``scope``, ``car``, ``weight``, ``made_up``.

        A car counts by the first of its active days in the window. ``made_up`` is the weight of those whose
        day is simulated.

        Args:
            scopes: which; None: every function's.
        """
        rows = self._activity(scopes)
        rows = rows.mutate(made_up=ibis.ifelse(rows.simulated, rows.weight, 0).cast("int64"))
        if self.series:
            previous, day = day_number(rows.previous), day_number(rows.day)
            if self.days is None:
                rows = rows.filter(rows.previous.isnull()).mutate(lo=day, hi=ibis.literal(FAR, "int32"))
            else:
                again = ibis.coalesce(previous + self.days, ibis.literal(-FAR, "int32"))
                rows = rows.mutate(lo=ibis.greatest(day, again), hi=day + self.days)
            return rows.select("scope", "car", "weight", "made_up", "lo", "hi")
        if self.days is None:
            rows = rows.filter(rows.previous.isnull())
        else:
            rows = rows.filter(rows.previous.isnull() | (rows.previous < self._first))
        return rows.select("scope", "car", "weight", "made_up")

    def _activity(self, scopes: Sequence[str] | None) -> ir.Table:
        rows = self.view.landed("activity")
        if scopes is None:
            rows = rows.filter(rows.scope.notin((DRIVEN, ASSISTED)))
        else:
            rows = rows.filter(rows.scope.isin(scopes))
        rows = rows.mutate(weight=rows.weight.cast("int64"))
        return rows if self.series or self.days is None else rows.filter(rows.day >= self._first)

    @property
    def _first(self) -> ir.DateScalar:
        assert self.days is not None
        return ibis.literal(self.view.last_day - timedelta(days=self.days - 1))

    def active_by_metres(self, functions: Sequence[str] | None, least: int, *, apart: bool) -> ir.Table:
        """Cars with at least so many assisted metres in the window; as ``active``, by metres in the ledger.

        Args:
            functions: that count; None: any.
            least: metres.
            apart: each function by itself, in ``scope``; else they add up.
        """
        rows = self._window(self.view.landed("ledger"))
        rows = rows.filter(rows.assisted_m != 0)
        if functions is not None:
            rows = rows.filter(rows.function.isin(functions))
        whose = ["car"]
        if apart:
            rows = rows.filter(rows.function.notnull())
            named_so = {name: scope_of(name) for name in (DRIVEN, ASSISTED)}
            rows = rows.mutate(scope=rows.function.substitute(named_so))
            whose.append("scope")
        if self.series:
            found = self._long_enough(rows, whose, least)
        else:
            metres = rows.group_by(whose).aggregate(**_metres(rows))
            metres = metres.filter(metres.metres >= least)
            found = metres.select(*whose, **_one(metres))
        return found if apart else found.mutate(scope=ibis.literal(ASSISTED))

    def _long_enough(self, rows: ir.Table, whose: Sequence[str], least: int) -> ir.Table:
        """From when until when the metres of the trailing window are enough."""
        comes = rows.group_by(*whose, "day").aggregate(**_metres(rows))
        comes = comes.select(*whose, "metres", "simulated_m", at=day_number(comes.day))
        if self.days is not None:
            goes = comes.select(
                *whose, metres=-comes.metres, simulated_m=-comes.simulated_m, at=comes["at"] + self.days
            )
            comes = union(comes, goes)
        steps = comes.group_by(*whose, "at").aggregate(
            metres=comes.metres.sum().cast("int64"), simulated_m=comes.simulated_m.sum().cast("int64")
        )
        running = ibis.window(group_by=whose, order_by="at", preceding=None, following=0)
        following = ibis.window(group_by=whose, order_by="at")
        steps = steps.mutate(
            metres=steps.metres.sum().over(running),
            simulated_m=steps.simulated_m.sum().over(running),
            hi=steps["at"].lead().over(following),
        )
        steps = steps.filter(steps.metres >= least)
        return steps.select(
            *whose, **_one(steps), lo=steps["at"], hi=ibis.coalesce(steps.hi, ibis.literal(FAR, "int32"))
        )

    def _window(self, rows: ir.Table) -> ir.Table:
        return rows if self.series or self.days is None else rows.filter(rows.day >= self._first)

    # --- whose the car is ---

    def handed_over(self) -> ir.Table:
        """Cars that are delivered: ``vin_key``, ``weight``, ``made_up``."""
        spans = delivered(self.view)
        made_up = spans.handed_made_up.cast("int64")
        weight = ibis.literal(1, "int64")
        if self.series:
            return spans.select("vin_key", lo="since", hi="until", weight=weight, made_up=made_up)
        last = day_number(ibis.literal(self.view.last_day))
        spans = spans.filter(spans.since <= last, spans.until > last)
        return spans.select("vin_key", weight=weight, made_up=made_up)

    # --- under what it counts ---

    def last(self, name: str) -> ir.Table:
        """The last city, software or level of a car in the window: ``car`` and a column of that name.

        That in which it drove the most metres on the last day on which it drove in the window (for the
        level: most assisted metres, on the last day with any); of as many, the last by name.
        """
        coded = self._last_coded(name, self._window(self.view.landed("ledger")))
        spans = self.view.hold(coded)
        if name == "level":
            return spans.mutate(level=(spans.code - 1).nullif(-1).cast("int8")).drop("code")
        codes = self.view.hold(self._codes(name))
        return spans.left_join(codes, spans.code == codes.number).drop("code", "number")

    def _codes(self, name: str) -> ir.Table:
        """The names that a column holds, ``number``ed from 1 in their order: whole numbers compare faster."""
        names = self.view.landed("daily").select(name).distinct().drop_null()
        return names.mutate(number=ibis.row_number().over(ibis.window(order_by=name)).cast("int64") + 1)

    def _last_coded(self, name: str, rows: ir.Table) -> ir.Table:
        """What ``last`` gives, with ``code`` for its column: a number, 0 for no name, of a level one more."""
        metres = rows.assisted_m if name == "level" else rows.distance_m
        if name == "level":
            rows = rows.mutate(code=ibis.coalesce(rows.level.cast("int64") + 1, 0))
        else:
            codes = self.view.hold(self._codes(name))
            rows = rows.left_join(codes.rename(named=name), rows[name] == codes[name])
            rows = rows.mutate(code=ibis.coalesce(rows.number, 0))
        rows = rows.mutate(metres=metres, day_of=day_number(rows.day))
        if not self.series:
            last = self._last_day(ASSISTED if name == "level" else DRIVEN)
            rows = rows.inner_join(last, [rows.car == last.last_of, rows.day_of == last.last_day])
        a_day = rows.group_by("car", "day_of", "code").aggregate(metres=rows.metres.sum().cast("int64"))
        a_day = a_day.filter(a_day.metres > 0)
        # The most metres, then the last by name, and no name before any.
        best = a_day.group_by("car", "day_of").aggregate(best=(a_day.metres * _CODES + a_day.code).max())
        if not self.series:
            return best.select("car", code=best.best % _CODES)
        first = best.select("car", lo="day_of", code=best.best % _CODES)
        by_day = ibis.window(group_by="car", order_by="lo")
        end = ibis.literal(FAR, "int32") if self.days is None else first.lo + self.days
        follows = ibis.coalesce(first.lo.lead().over(by_day), ibis.literal(FAR, "int32"))
        spans = first.mutate(hi=ibis.least(end, follows))
        # Spans that touch and say the same become one: a car that stays in its city has few.
        same = spans.code.lag().over(by_day) == spans.code
        joined = (spans.hi.lag().over(by_day) == spans.lo) & same
        spans = spans.mutate(_new=ibis.ifelse(joined.fill_null(False), 0, 1))
        running = ibis.window(group_by="car", order_by="lo", preceding=None, following=0)
        spans = spans.mutate(_run=spans["_new"].sum().over(running))
        return (
            spans.group_by("car", "code", "_run").aggregate(lo=spans.lo.min(), hi=spans.hi.max()).drop("_run")
        )

    def _last_day(self, scope: str) -> ir.Table:
        """Car → its last active day in the window: ``last_of``, ``last_day``.

        Each active day adds what lies between it and the one before, so the sum ends with the last, and rows
        that take others back do so in it.
        """
        rows = self._activity([scope])
        none = -FAR if self.days is None else (self.view.last_day - _EPOCH).days - self.days
        since = ibis.greatest(ibis.coalesce(day_number(rows.previous), none), none)
        days = (rows.weight * (day_number(rows.day) - since)).sum().cast("int64")
        last = rows.group_by("car").aggregate(days=days)
        return last.filter(last.days > 0).select(last_of="car", last_day=(last.days + none).cast("int32"))

    def within(self, rows: ir.Table, other: ir.Table, key: str, *, keep: Sequence[str]) -> ir.Table:
        """Rows where they overlap with the spans of another table, with its columns ``keep``."""
        other = other.select(
            **{f"{key}_of": key},
            **{name: name for name in keep},
            **({"other_lo": "lo", "other_hi": "hi"} if self.series else {}),
        )
        both = rows.inner_join(other, rows[key] == other[f"{key}_of"]).drop(f"{key}_of")
        if not self.series:
            return both
        both = both.mutate(
            lo=ibis.greatest(both.lo, both.other_lo), hi=ibis.least(both.hi, both.other_hi)
        ).drop("other_lo", "other_hi")
        return both.filter(both.lo < both.hi)


def _metres(rows: ir.Table) -> dict[str, ir.IntegerScalar]:
    """Assisted metres, and the simulated among them."""
    simulated = ibis.ifelse(rows.simulated, rows.assisted_m, 0)
    return {
        "metres": rows.assisted_m.sum().cast("int64"),
        "simulated_m": simulated.sum().cast("int64"),
    }


def _one(rows: ir.Table) -> dict[str, Any]:
    """Each row counts as one car, a simulated one where it has simulated metres."""
    return {
        "weight": ibis.literal(1, "int64"),
        "made_up": ibis.ifelse(rows.simulated_m > 0, 1, 0).cast("int64"),
    }
