"""Sums over the daily ledger: grouped and filtered by what stands in its rows and by what the car is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.figures.measure import Asked, Grouped
from driveaway.fleet.figures.arguments import functions_of, window_days
from driveaway.fleet.figures.cars import CAR, with_car
from driveaway.fleet.figures.rare import hide_rare

ROW: Final = ("function", "level", "software", "city")
"""Dimensions that every ledger row carries."""
DIMENSIONS: Final = ("day", "week", "month", *CAR, "city", "software", "function", "level")
USE: Final = ("function", "level")
"""Dimensions of the use that is made of a car: they never narrow what all metres are."""
_PERIODS: Final = {"week": "W", "month": "M"}
_ALL: Final = (
    "segments", "distance_m", "assisted_m", "duration_s", "energy_wh", "energy_m", "driver_overrides",
    "system_deactivations",
)  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sums:
    """Which rows are added up.

    Attributes:
        view: the cut.
        asked: dimensions and filters.
        window: as ``window_days`` reads it.
        function: as ``functions_of`` reads it.
        said: before the days in the note: what was chosen.
    """

    view: View
    asked: Asked
    window: str
    function: str
    said: str = ""

    def measure(
        self, columns: Sequence[str], worth: Callable[[Row, Row], int | float | None], none: str
    ) -> Grouped:
        """The figure.

        Args:
            columns: what is added up.
            worth: from the sums of a group, and those of the same group whatever the use, to its value;
                None: what it is divided by is 0.
            none: why there is no value then.
        """
        rows = self._rows()
        wanted = functions_of(self.view, self.function)
        keys = [name for name in self._keys(wanted) if name in rows.columns]
        rare = "city" in self.asked.dimensions
        sums = {name: _total(rows[name]) for name in columns}
        sums["n"] = _total(rows.segments + rows.distance_m + rows.duration_s)
        made_up = ibis.ifelse(rows.simulated, rows.segments + rows.distance_m + rows.duration_s, 0)
        sums["made_up"] = _total(made_up)
        if rare:
            a_car = rows.group_by([*keys, "car"]).aggregate(**sums)
            a_car = a_car.filter(a_car.n != 0)
            totals = {name: _total(a_car[name]) for name in sums} | {"cars": a_car.count()}
            table = a_car.group_by(keys).aggregate(**totals) if keys else a_car.aggregate(**totals)
        else:
            table = rows.group_by(keys).aggregate(**sums) if keys else rows.aggregate(**sums)
            table = table.filter(table.n != 0)

        def finish(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
            out = self._folded(found, wanted, worth, none, [*columns, "made_up", "n", *(["cars"] * rare)])
            if rare:
                hide_rare(out, self.view, [name for name in self.asked.by if name != "city"])
            return out

        return Grouped(table, finish, self.note)

    def _rows(self) -> ir.Table:
        wanted = self.asked.dimensions
        # Rare cities are told by their cars.
        cars = bool(wanted & {*CAR, "city"})
        rows = self.view.landed("ledger" if cars else "daily")
        days = window_days(self.window)
        if days is not None:
            rows = rows.filter(rows.day >= ibis.literal(first_day(self.view, days)))
        if wanted & set(CAR):
            rows = with_car(self.view, rows, sorted(wanted & set(CAR)))
        for name in wanted & _PERIODS.keys():
            rows = rows.mutate(**{name: rows.day.truncate(_PERIODS[name])})
        for name, values in self.asked.filters.items():
            if name in USE:
                continue
            column = rows[name]
            rows = rows.filter(column.isin([ibis.literal(v) if isinstance(v, date) else v for v in values]))
        return rows

    def _keys(self, wanted: tuple[str, ...] | None) -> list[str]:
        keys = list(self.asked.by)
        if wanted is not None:
            keys.append("function")
        keys += [name for name in self.asked.filters if name in USE]
        return list(dict.fromkeys(keys))

    def _folded(
        self,
        found: Sequence[Row],
        wanted: tuple[str, ...] | None,
        worth: Callable[[Row, Row], int | float | None],
        none: str,
        columns: Sequence[str],
    ) -> list[dict[str, Any]]:
        whole: dict[tuple[Any, ...], dict[str, int]] = {}
        part: dict[tuple[Any, ...], dict[str, int]] = {}
        broad = [name for name in self.asked.by if name not in USE]
        for row in found:
            _add(whole.setdefault(tuple(row[name] for name in broad), dict.fromkeys(columns, 0)), row)
            if wanted is not None and row["function"] not in wanted:
                continue
            levels = self.asked.filters.get("level")
            if levels is not None and str(row["level"]) not in levels:
                continue
            _add(part.setdefault(tuple(row[name] for name in self.asked.by), dict.fromkeys(columns, 0)), row)
        nothing = dict.fromkeys(columns, 0)
        if not self.asked.by:
            if not whole and not self._any():
                return [{"value": None, "simulated": False, "unknown": "no trip of these days has landed"}]
            part.setdefault((), nothing)
            whole.setdefault((), nothing)
        elif not self.asked.dimensions & set(USE) and wanted is not None:
            # Who drove and did not use the function has a value of its own: 0.
            part |= {key: nothing for key in whole if key not in part}
        out = []
        for key in sorted(part, key=_sortable):
            names = dict(zip(self.asked.by, key, strict=True))
            base = whole[tuple(names[name] for name in broad)]
            value = worth(part[key], base)
            row = {**names, "value": value, "simulated": base["made_up"] > 0}
            if "cars" in columns:
                row["cars"] = part[key]["cars"] or base["cars"]
            out.append(row if value is not None else {**row, "unknown": none})
        return out

    def _any(self) -> bool:
        """Whether any trip of the window has landed, whatever the filters."""
        rows = Sums(self.view, Asked(), self.window, "any")._rows()
        sums = rows.aggregate(n=_total(rows.segments + rows.distance_m + rows.duration_s))
        return bool(self.view.run(sums)[0].column("n")[0].as_py())

    @property
    def note(self) -> str:
        """What the answer rests on."""
        days = window_days(self.window)
        last = self.view.last_day
        span = f"{first_day(self.view, days)} to {last}" if days is not None else f"days up to {last}"
        return f"{self.said}{span}; trips of the last days may still land"


def first_day(view: View, days: int) -> date:
    """The first day of a window that ends with the cut's last day."""
    return view.last_day - timedelta(days=days - 1)


def _total(values: ir.IntegerColumn) -> ir.IntegerScalar:
    """A sum in 64 bits: DuckDB's own type is of 128, which others do not have."""
    return ibis.coalesce(values.sum(), 0).cast("int64")


def _add(sums: dict[str, int], row: Row) -> None:
    for name in sums:
        # A car may stand in several of the rows: at least so many are different ones.
        sums[name] = max(sums[name], int(row[name])) if name == "cars" else sums[name] + int(row[name])


def _sortable(key: tuple[Any, ...]) -> list[tuple[bool, str]]:
    return [(value is None, str(value)) for value in key]
