"""Spans of days: from when until when a car counts as active, as driven, as delivered, as being in a city.

Every table has ``car`` or ``vin_key``, the weight with which it counts, and, unless only the last day is
asked for, ``lo`` and ``hi``: the window's end lies in ``lo`` ≤ D < ``hi`` (days since 1970). All weights are whole
numbers, and everything here is linear in them: rows that take others back do so at every mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.fleet.figures.arguments import day_number
from driveaway.fleet.figures.cars import FAR, delivered, union
from driveaway.fleet.ledger.scopes import ASSISTED, DRIVEN, scope_of


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
        """Cars that were active in the window: columns ``scope``, ``car``, ``weight``.

        Args:
            scopes: which; None: every function's.
        """
        rows = self._rows(scopes)
        if self.series:
            previous, day = day_number(rows.previous), day_number(rows.day)
            if self.days is None:
                rows = rows.filter(rows.previous.isnull()).mutate(lo=day, hi=ibis.literal(FAR, "int32"))
            else:
                again = ibis.coalesce(previous + self.days, ibis.literal(-FAR, "int32"))
                rows = rows.mutate(lo=ibis.greatest(day, again), hi=day + self.days)
            return rows.select("scope", "car", "weight", "lo", "hi")
        if self.days is None:
            rows = rows.filter(rows.previous.isnull())
        else:
            rows = rows.filter(rows.previous.isnull() | (rows.previous < self._first))
        return rows.select("scope", "car", "weight")

    def made_up(self, scopes: Sequence[str] | None) -> ir.Table:
        """Simulated days in the window, each once: ``scope``, ``car``, ``weight``."""
        rows = self._rows(scopes)
        rows = rows.filter(rows.simulated)
        if not self.series:
            return rows.select("scope", "car", "weight")
        day = day_number(rows.day)
        hi = ibis.literal(FAR, "int32") if self.days is None else day + self.days
        return rows.select("scope", "car", "weight", lo=day, hi=hi)

    def _rows(self, scopes: Sequence[str] | None) -> ir.Table:
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
        if apart:
            rows = rows.filter(rows.function.notnull()).mutate(scope=rows.function)
        else:
            rows = rows.mutate(scope=ibis.literal(ASSISTED))
        if not self.series:
            metres = rows.group_by("scope", "car").aggregate(metres=rows.assisted_m.sum())
            metres = metres.filter(metres.metres >= least)
            return metres.select("scope", "car", weight=ibis.literal(1, "int64"))
        a_day = rows.group_by("scope", "car", "day").aggregate(metres=rows.assisted_m.sum().cast("int64"))
        comes = a_day.select("scope", "car", "metres", at=day_number(a_day.day))
        if self.days is not None:
            goes = comes.select("scope", "car", metres=-comes.metres, at=comes.at + self.days)
            comes = union(comes, goes)
        steps = comes.group_by("scope", "car", "at").aggregate(metres=comes.metres.sum().cast("int64"))
        running = ibis.window(group_by=("scope", "car"), order_by="at", preceding=None, following=0)
        steps = steps.mutate(metres=steps.metres.sum().over(running))
        following = ibis.window(group_by=("scope", "car"), order_by="at")
        steps = steps.mutate(hi=steps["at"].lead().over(following))
        steps = steps.filter(steps.metres >= least)
        return steps.select(
            "scope",
            "car",
            weight=ibis.literal(1, "int64"),
            lo=steps["at"],
            hi=ibis.coalesce(steps.hi, ibis.literal(FAR, "int32")),
        )

    def _window(self, rows: ir.Table) -> ir.Table:
        return rows if self.series or self.days is None else rows.filter(rows.day >= self._first)

    # --- whose the car is ---

    def handed_over(self) -> ir.Table:
        """Cars that are delivered: ``vin_key``, ``weight``, ``handed_made_up``."""
        spans = delivered(self.view)
        if self.series:
            return spans.select(
                "vin_key", "handed_made_up", lo="since", hi="until", weight=ibis.literal(1, "int64")
            )
        last = day_number(ibis.literal(self.view.last_day))
        spans = spans.filter(spans.since <= last, spans.until > last)
        return spans.select("vin_key", "handed_made_up", weight=ibis.literal(1, "int64"))

    # --- under what it counts ---

    def last(self, name: str) -> ir.Table:
        """The last city, software or level of a car in the window: ``car`` and a column of that name.

        That in which it drove the most metres on the last day on which it drove in the window (for the
        level: most assisted metres, on the last day with any); of as many, the first by name.
        """
        rows = self._window(self.view.landed("ledger"))
        metres = rows.assisted_m if name == "level" else rows.distance_m
        if name == "level":
            rows = rows.filter(rows.level.notnull())
        a_day = rows.group_by("car", "day", name).aggregate(metres=metres.sum().cast("int64"))
        a_day = a_day.filter(a_day.metres > 0)
        order = [a_day.metres.desc(), a_day[name].isnull(), a_day[name]]
        if not self.series:
            window = ibis.window(group_by="car", order_by=[a_day.day.desc(), *order])
            first = a_day.mutate(_rank=ibis.row_number().over(window))
            return first.filter(first["_rank"] == 0).select("car", name)
        window = ibis.window(group_by=("car", "day"), order_by=order)
        first = a_day.mutate(_rank=ibis.row_number().over(window))
        first = first.filter(first["_rank"] == 0).select("car", name, lo=day_number(first.day))
        by_day = ibis.window(group_by="car", order_by="lo")
        end = ibis.literal(FAR, "int32") if self.days is None else first.lo + self.days
        follows = ibis.coalesce(first.lo.lead().over(by_day), ibis.literal(FAR, "int32"))
        spans = first.mutate(hi=ibis.least(end, follows))
        # Spans that touch and say the same become one: a car that stays in its city has few.
        same = (spans[name].lag().over(by_day)).identical_to(spans[name])
        joined = (spans.hi.lag().over(by_day) == spans.lo) & same
        spans = spans.mutate(_new=ibis.ifelse(joined.fill_null(False), 0, 1))
        running = ibis.window(group_by="car", order_by="lo", preceding=None, following=0)
        spans = spans.mutate(_run=spans["_new"].sum().over(running))
        return (
            spans.group_by("car", name, "_run").aggregate(lo=spans.lo.min(), hi=spans.hi.max()).drop("_run")
        )

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


__all__ = ["ASSISTED", "DRIVEN", "Spans", "scope_of"]
