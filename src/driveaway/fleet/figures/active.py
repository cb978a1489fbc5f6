"""How many cars are active, and of how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Asked, Grouped, Measure, Unknown
from driveaway.fleet.figures.arguments import Metres, functions_of, single, window_days
from driveaway.fleet.figures.cars import CAR, FAR, union, with_attributes
from driveaway.fleet.figures.equipped import trims_equipped
from driveaway.fleet.figures.rare import hide_rare
from driveaway.fleet.figures.spans import Spans
from driveaway.fleet.ledger.scopes import ASSISTED, DRIVEN, scope_of
from driveaway.values.errors import BadValue

LAST: Final = ("city", "software", "level")
"""Dimensions under which a car counts by what it did last."""
DIMENSIONS: Final = ("day", *CAR, *LAST, "function")
Of = Literal["delivered", "equipped", "driven"]
_ASKED = Asked()
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Active:
    """Which cars count as active, and of which.

    Attributes:
        view: the cut.
        asked: dimensions and filters.
        window, of, function, least: as the figures document them.
    """

    view: View
    asked: Asked
    window: str
    of: str
    function: str
    least: int

    def measure(self, *, rate: bool) -> Measure:
        """The share of active cars, or their number."""
        functions = functions_of(self.view, self.function)
        series = "day" in self.asked.dimensions
        days = self.asked.filters.get("day", ())
        if len(days) > 1 and "day" not in self.asked.by:
            raise BadValue(
                "cars of several days are no sum", code="figure.days", remedy="name one day, or group by day"
            )
        if self.of == "equipped" and not self.view.description.fleet.functions:
            return Unknown("launch.toml does not say which trims are equipped: list [[fleet.functions]]")
        spans = Spans(self.view, window_days(self.window), series)
        keys = [name for name in self.asked.by if name not in ("day", "function")]
        keys += [name for name in self.asked.filters if name not in (*keys, "day", "function")]
        table = self._table(spans, functions, keys, rate=rate)

        def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
            rows = self._shaped(found, functions, spans, rate=rate)
            if not rate:
                for row in rows:
                    del row["active"], row["of"]
            if "city" in self.asked.dimensions:
                hide_rare(rows, self.view, [name for name in self.asked.by if name != "city"])
            else:
                for row in rows:
                    row.pop("cars", None)
            return rows

        return Grouped(table, finish, self._note(rate=rate))

    # --- one expression ---

    def _table(
        self, spans: Spans, functions: tuple[str, ...] | None, keys: Sequence[str], *, rate: bool
    ) -> ir.Table:
        """Columns: the dimensions, ``at`` for a series, ``scope``, ``trim`` where equipped, sums."""
        apart = "function" in self.asked.by
        every = functions is None and not apart
        if self.least == 1 and (every or apart or len(functions or ()) == 1):
            if every:
                scopes: list[str] | None = [ASSISTED]
            else:
                scopes = None if functions is None else [scope_of(name) for name in functions]
            active = spans.active(scopes)
        else:
            active = spans.active_by_metres(functions, self.least, apart=apart)
        parts = [self._counted(spans, active, keys, "active")]
        if self.of == "driven" and rate:
            parts.append(self._counted(spans, spans.active([DRIVEN]), keys, "of", restricted=False))
        elif rate:
            parts += self._delivered(spans, keys)
        whole = union(*parts)
        groups = [name for name in whole.columns if name not in ("active", "of", "made_up")]
        sums = {name: whole[name].sum().cast("int64") for name in ("active", "of", "made_up")}
        return whole.group_by(groups).aggregate(**sums)

    def _counted(
        self, spans: Spans, rows: ir.Table, keys: Sequence[str], column: str, *, restricted: bool = True
    ) -> ir.Table:
        """Spans of cars that drove, dressed with the dimensions, as rows to be summed."""
        restricted = restricted and self.of != "driven"
        if restricted or any(name in CAR for name in keys):
            cars = self.view.landed("cars").select("vin_key", numbered="car")
            rows = rows.inner_join(cars, rows.car == cars.numbered).drop("numbered")
        if restricted:
            rows = spans.within(rows, spans.handed_over(), "vin_key", keep=())
        for name in keys:
            if name in LAST and not (column == "of" and name == "level"):
                rows = spans.within(rows, spans.last(name), "car", keep=(name,))
        return self._rows(spans, rows, keys, column)

    def _delivered(self, spans: Spans, keys: Sequence[str]) -> list[ir.Table]:
        """The cars below the line where these are delivered cars."""
        use = [name for name in keys if name in ("city", "software")]
        nothing = {name: ibis.literal(None, "string") for name in use}
        rows = spans.handed_over().mutate(scope=ibis.literal(None, "string"))
        out = [self._rows(spans, rows.mutate(**nothing), keys, "of")]
        if use:
            cars = self.view.landed("cars").select("car", numbered="vin_key")
            drove = rows.inner_join(cars, rows.vin_key == cars.numbered).drop("numbered")
            for name in use:
                drove = spans.within(drove, spans.last(name), "car", keep=(name,))
            # Under what a car drove, and no longer under nothing.
            out.append(self._rows(spans, drove, keys, "of"))
            away = drove.mutate(weight=-drove.weight, made_up=-drove.made_up, **nothing)
            out.append(self._rows(spans, away, keys, "of"))
        return out

    def _rows(self, spans: Spans, rows: ir.Table, keys: Sequence[str], column: str) -> ir.Table:
        wanted = [name for name in keys if name in CAR]
        if self.of == "equipped" and "trim" not in wanted:
            wanted.append("trim")
        rows = with_attributes(self.view, rows, wanted)
        for name, values in self.asked.filters.items():
            if name in CAR or name in ("city", "software"):
                rows = rows.filter(rows[name].isin(values))
            elif name == "level" and "level" in rows.columns:
                rows = rows.filter(rows.level.cast("string").isin(values))
        if "level" in keys and "level" not in rows.columns:
            rows = rows.mutate(level=ibis.literal(None, "int8"))
        columns: dict[str, Any] = {name: rows[name] for name in dict.fromkeys([*keys, *wanted])}
        columns["scope"] = rows.scope
        zero = ibis.literal(0, "int64")

        def sums(weight: ir.IntegerColumn, made_up: ir.IntegerColumn) -> dict[str, Any]:
            both = {"active": zero, "of": zero} | {column: weight}
            return both | {"made_up": made_up}

        if not spans.series:
            return rows.select(**columns, **sums(rows.weight, rows.made_up))
        comes = rows.select(**columns, at=rows.lo, **sums(rows.weight, rows.made_up))
        goes = rows.select(**columns, at=rows.hi, **sums(-rows.weight, -rows.made_up))
        return union(comes, goes)

    # --- its rows ---

    def _shaped(
        self,
        found: Sequence[Mapping[str, Any]],
        functions: tuple[str, ...] | None,
        spans: Spans,
        *,
        rate: bool,
    ) -> list[dict[str, Any]]:
        """A row for each day, function and group, from sums or from what changed each day."""
        names: list[str | None] = [None]
        if "function" in self.asked.by:
            scopes = sorted({row["scope"] for row in found} - {None, DRIVEN, ASSISTED})
            names = [scope.removeprefix("function ") for scope in scopes]
        out: list[dict[str, Any]] = []
        for function in names:
            equipped = self._equipped(functions if function is None else (function,))
            tally = _Tally(self.asked.by)
            for row in found:
                if equipped is not None and row["trim"] not in equipped:
                    continue
                if function is None or row["scope"] in (None, DRIVEN, scope_of(function)):
                    tally.add(row)
            for day in self._days(found, spans):
                out += self._of_day(tally, function, day, rate=rate)
        out = [row for row in out if row["of"] or row["cars"] or not self.asked.by]
        self._silent(out, spans)
        if "day" in self.asked.filters and "day" not in self.asked.by:
            for row in out:
                del row["day"]
        return sorted(out, key=lambda row: [(row[n] is None, str(row[n])) for n in self.asked.by])

    def _days(self, found: Sequence[Mapping[str, Any]], spans: Spans) -> list[date | None]:
        if not spans.series:
            return [None]
        last = self.view.last_day
        wanted = self.asked.filters.get("day")
        if wanted is not None:
            return sorted(day for day in wanted if day <= last)
        first = min((row["at"] for row in found), default=FAR)
        return [_EPOCH + timedelta(days=n) for n in range(first, (last - _EPOCH).days + 1)]

    def _of_day(
        self, tally: _Tally, function: str | None, day: date | None, *, rate: bool
    ) -> list[dict[str, Any]]:
        tally.advance(None if day is None else (day - _EPOCH).days)
        out = []
        for key in tally.groups(rate=rate):
            active, of, made_up = tally.of(key)
            row: dict[str, Any] = dict(zip(tally.use, key, strict=True))
            if day is not None:
                row["day"] = day.isoformat()
            if function is not None:
                row["function"] = function
            row = {name: row[name] for name in dict.fromkeys([*self.asked.by, *row])}
            row["value"] = active if not rate else active / of if of else None
            if rate and not of:
                row["unknown"] = f"no car was {self.of} by then"
            out.append({**row, "active": active, "of": of, "cars": max(of, active), "simulated": made_up > 0})
        return out

    def _silent(self, rows: Sequence[dict[str, Any]], spans: Spans) -> None:
        """Where nobody was active and no trip of the window has landed at all, nothing is known."""
        active: dict[str, int] = {}
        for row in rows:
            active[row.get("day", "")] = active.get(row.get("day", ""), 0) + row["active"]
        if all(active.values()):
            return
        drove = spans.active([DRIVEN])
        if not spans.series:
            total = self.view.run(drove.aggregate(n=drove.weight.sum().cast("int64")))[0]
            driven = {"": int(total.column("n")[0].as_py() or 0)}
        else:
            comes = drove.select("weight", at="lo")
            both = union(comes, drove.select(weight=-drove.weight, at="hi"))
            steps = both.group_by("at").aggregate(n=both.weight.sum().cast("int64"))
            changes = {row["at"]: int(row["n"]) for row in self.view.run(steps)[0].to_pylist()}
            driven = {}
            for day in active:
                end = (date.fromisoformat(day) - _EPOCH).days
                driven[day] = sum(n for at, n in changes.items() if at <= end)
        for row in rows:
            if not driven.get(row.get("day", ""), 0):
                row |= {"value": None, "simulated": False, "unknown": "no trip of these days has landed"}

    def _equipped(self, functions: tuple[str, ...] | None) -> frozenset[str] | None:
        return trims_equipped(self.view, functions) if self.of == "equipped" else None

    def _note(self, *, rate: bool) -> str:
        """What was chosen, by name or by default: without it the number says little."""
        function = "any function" if self.function == "any" else self.function
        cars = f"of {self.of} cars, those" if rate or self.of != "driven" else "cars"
        window = "ever" if window_days(self.window) is None else f"in {self.window}"
        chosen = f"{cars} with {self.least:,} m or more of {function} {window}"
        until = f"windows end with {self.view.last_day} at the latest"
        return f"{chosen}; {until}; trips of the last days may still land"


class _Tally:
    """Sums by group; for a series, running from day to day."""

    def __init__(self, by: Sequence[str]) -> None:
        self.use = [name for name in by if name not in ("day", "function")]
        self.broad = [name for name in self.use if name != "level"]
        self._steps: dict[int | None, list[Mapping[str, Any]]] = {}
        self._order: list[int] | None = None
        self._active: dict[tuple[Any, ...], int] = {}
        self._of: dict[tuple[Any, ...], int] = {}
        self._made_up: dict[tuple[Any, ...], int] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in what changes at a day; without a day, in all."""
        self._steps.setdefault(row.get("at"), []).append(row)

    def advance(self, day: int | None) -> None:
        """Go on to a day, which is later than the one before."""
        if self._order is None:
            self._order = sorted((at for at in self._steps if at is not None), reverse=True)
            self._take(self._steps.get(None, ()))
        while self._order and day is not None and self._order[-1] <= day:
            self._take(self._steps[self._order.pop()])

    def _take(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            use = tuple(row[name] for name in self.use)
            broad = tuple(row[name] for name in self.broad)
            # A row below the line is of no level: it makes no group of its own.
            if row["active"] or use in self._active:
                self._active[use] = self._active.get(use, 0) + row["active"]
            self._of[broad] = self._of.get(broad, 0) + row["of"]
            self._made_up[broad] = self._made_up.get(broad, 0) + row["made_up"]

    def groups(self, *, rate: bool) -> list[tuple[Any, ...]]:
        """The groups that there are on the day."""
        if not self.use:
            return [()]
        found = {key for key, active in self._active.items() if active}
        if rate and self.use == self.broad:
            found |= {key for key, of in self._of.items() if of}
        return list(found)

    def of(self, use: tuple[Any, ...]) -> tuple[int, int, int]:
        """(Active, of how many, simulated) of a group."""
        broad = tuple(value for name, value in zip(self.use, use, strict=True) if name in self.broad)
        return self._active.get(use, 0), self._of.get(broad, 0), self._made_up.get(broad, 0)


@figure(
    "fleet.active_rate",
    title="Share of cars that use a driving function",
    title_zh="辅助驾驶活跃率",
    unit="share",
    counts="stock",
    evidence=("trips.landed",),
    dimensions=DIMENSIONS,
)
def active_rate(
    view: View,
    *,
    asked: Asked = _ASKED,
    window: str = "28d",
    of: Of = "delivered",
    function: str = "any",
    at_least_m: Metres = 1,
) -> Measure:
    """Share of the cars of which at least ``at_least_m`` metres were driven with a function in the window.

    The window ends with the last local day that was over at the as-of; by day, each day's own window. A car
    counts once however often it drives. It counts under its trim as built, the province of its handover, and
    the city, software and level of its last day in the window. By function or level, each one's cars above
    the line and all cars of the group below it, so that these shares do not add up to the whole.

    Args:
        window: so many local days, such as 7d or 28d, or ever; 28d are four whole weeks, so that no weekday
            weighs more than another, and a car on holiday for a week stays in.
        of: the cars below the line: delivered (handed over and not given back; the default, since it flatters
            least), equipped (delivered, of a trim that launch.toml lists for the function), or driven (any
            metre in the window). What is above the line is always among them.
        function: any driving function, or this one; alternatives joined by |.
        at_least_m: metres driven with it in the window from which a car is active; 1: every use counts.
    """
    return Active(view, asked, window, single("of", of), function, at_least_m).measure(rate=True)


@figure(
    "fleet.active_cars",
    title="Cars that use a driving function",
    title_zh="辅助驾驶活跃车辆数",
    unit="cars",
    counts="stock",
    evidence=("trips.landed",),
    dimensions=DIMENSIONS,
)
def active_cars(
    view: View,
    *,
    asked: Asked = _ASKED,
    window: str = "28d",
    of: Of = "delivered",
    function: str = "any",
    at_least_m: Metres = 1,
) -> Measure:
    """Cars of which at least ``at_least_m`` metres were driven with a function in the window.

    It is what stands above the line of fleet.active_rate, asked in the same way.

    Args:
        window: so many local days, such as 7d or 28d, or ever; 28d are four whole weeks.
        of: which cars count: delivered (handed over and not given back), equipped, or driven (every car that
            landed a trip).
        function: any driving function, or this one; alternatives joined by |.
        at_least_m: metres driven with it in the window from which a car is active; 1: every use counts.
    """
    return Active(view, asked, window, single("of", of), function, at_least_m).measure(rate=False)


FIGURES = (active_rate, active_cars)
