"""From a figure and a View to an Answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir

from driveaway.book.view import View
from driveaway.facts.description import Description
from driveaway.figures.answer import Answer, Interval
from driveaway.figures.figure import TIME_DIMENSIONS, Figure
from driveaway.figures.measure import (
    Asked,
    Computed,
    Count,
    Distribution,
    Grouped,
    Measure,
    Rows,
    Share,
    Unknown,
)
from driveaway.figures.statistics import wilson
from driveaway.values.clock import parse_day, show
from driveaway.values.errors import BadValue, NotFound
from driveaway.values.provinces import province_code


class Ask(Protocol):
    """Asks another figure at the same mark, by default at the same as-of."""

    def __call__(
        self, name: str, *, as_of: int | None = None, by: Sequence[str] = (), **arguments: str
    ) -> Answer:
        """The other figure's answer."""
        ...

    def definition(self, name: str) -> Figure:
        """The other figure's definition."""
        ...


def compute(
    figure: Figure, view: View, ask: Ask, *, by: Sequence[str] = (), arguments: Mapping[str, str]
) -> Answer:
    """Answer a figure's question.

    Args:
        figure: what is asked.
        view: the book, already cut.
        ask: how the figure may ask others.
        by: dimensions to group by.
        arguments: the figure's parameters, and dimensions as filters (alternatives joined by ``|``).

    Raises:
        BadValue: an argument or dimension that the figure does not have.
    """
    unknown_dimensions = [name for name in by if name not in figure.dimensions]
    if unknown_dimensions:
        known = ", ".join(figure.dimensions) or "none"
        raise BadValue(
            f"{figure.name} has no dimension {unknown_dimensions[0]!r}",
            code="figure.dimension",
            remedy=f"one of {known}",
        )
    parameters = {p.name: p for p in figure.parameters}
    typed = {name: parameters[name].parse(text) for name, text in arguments.items() if name in parameters}
    filters = {name: text for name, text in arguments.items() if name not in parameters}
    for name in filters:
        if name not in figure.dimensions:
            known = ", ".join(dict.fromkeys([*parameters, *figure.dimensions])) or "none"
            raise BadValue(
                f"{figure.name} has no argument {name!r}", code="figure.argument", remedy=f"one of {known}"
            )
    run = _Run(figure, view, tuple(dict.fromkeys(by)), filters, dict(arguments))
    extra: dict[str, Any] = {"ask": ask} if figure.builds_on_others else {}
    try:
        if figure.groups_itself:
            extra["asked"] = run.asked()
        measure = figure.compute(view, **extra, **typed)
    except NotFound as error:
        if error.code != "launch.not_described":
            raise
        # Before launch.toml was taken into the book: that is not known, and no error of who asks.
        measure = Unknown(error.message)
    return run.answer(measure)


_PERIODS = {"week": "W", "month": "M"}
_LANDED = "trips.landed"
_CODE = re.compile(r"[0-9]{6}")


class _Run:
    """One question on its way to an answer."""

    def __init__(
        self,
        figure: Figure,
        view: View,
        by: tuple[str, ...],
        filters: Mapping[str, str],
        given: Mapping[str, str],
    ) -> None:
        self.figure, self.view, self.by, self.filters, self.given = figure, view, by, filters, given
        self.sql = ""
        self._all = 0

    def answer(self, measure: Measure) -> Answer:
        if isinstance(measure, Unknown):
            return self._make(unknown=measure.reason)
        if isinstance(measure, Computed):
            return self._rows(measure.rows, measure.note)
        if isinstance(measure, Rows):
            rows = self._fetch(measure.table)
            return self._rows(measure.finish(rows) if measure.finish else rows, measure.note)
        if isinstance(measure, Grouped):
            return self._grouped(measure)
        if isinstance(measure, Share) and measure.of_all and not self.by:
            return self._make(
                unknown=f"it is a share of whom? group by one of {', '.join(self.figure.dimensions)}"
            )
        rows_table = self._with_dimensions(measure)
        found = self._fetch(self._aggregate(measure, rows_table))
        if not any(row["n"] for row in found) and not self.view.holds(self.figure.evidence):
            return self._make(unknown=self._no_evidence())
        simulated = any(bool(row.get("simulated")) for row in found)
        self._all = sum(int(row["n"]) for row in found)
        shaped = [shape for row in found for shape in self._shape(measure, row)]
        if isinstance(measure, Share) and measure.of_all:
            _suppress_second(shaped)
        if self.by:
            return self._make(rows=shaped, simulated=simulated, note=measure.note)
        if isinstance(measure, Distribution):
            if not found[0]["n"]:
                return self._make(unknown="nothing to take quantiles of by this date")
            return self._make(rows=shaped, simulated=simulated, note=measure.note)
        only = shaped[0]
        if only["value"] is None:
            few = "it rests on too few people to be shown" if only.get("suppressed") else ""
            return self._make(unknown=few or "nothing to take a share of by this date")
        interval = Interval(only["low"], only["high"], 0.95) if "low" in only else None
        return self._make(value=only["value"], interval=interval, simulated=simulated, note=measure.note)

    def asked(self) -> Asked:
        """The dimensions and filters, typed, for a figure that groups and filters by itself."""
        return Asked(self.by, {name: self._wanted(name, text) for name, text in self.filters.items()})

    def _wanted(self, name: str, text: str) -> tuple[Any, ...]:
        values = text.split("|")
        if name in TIME_DIMENSIONS:
            return tuple(_first_day(name, value) for value in values)
        if name == "trim":
            self._check_sold(self.view.table("car.built"), name, values)
        return tuple(self._province(value) for value in values) if name == "province" else tuple(values)

    def _grouped(self, measure: Grouped) -> Answer:
        rows = measure.finish(self._fetch(measure.table))
        if not any(row.get("value") for row in rows) and not self.view.holds(self.figure.evidence):
            return self._make(unknown=self._no_evidence())
        shown = [{**row, **{name: _label(name, row[name]) for name in self.by}} for row in rows]
        simulated = any(bool(row.get("simulated")) for row in shown)
        lone = len(shown) == 1 and shown[0]["value"] is None and not self.by
        if (self.by or measure.several) and not lone:
            if not shown:
                return self._make(unknown="no row fits the arguments")
            return self._make(rows=shown, simulated=simulated, note=measure.note)
        (only,) = shown
        if only["value"] is None:
            few = "it rests on too few cars to be shown" if only.get("suppressed") else ""
            return self._make(unknown=few or only.get("unknown") or "nothing was counted by this date")
        note = only.get("note") or measure.note
        return self._make(value=only["value"], simulated=simulated, note=note)

    def _no_evidence(self) -> str:
        return f"the book holds no {' or '.join(self.figure.evidence)} by this date"

    def _with_dimensions(self, measure: Count | Share | Distribution) -> ir.Table:
        rows = measure.rows
        wanted = {*self.by, *self.filters}
        done: list[Any] = []
        for name in sorted(wanted):
            enrich = measure.enrich.get(name)
            if enrich is not None and not any(enrich is other for other in done):
                rows = enrich(rows)
                done.append(enrich)
        for name in sorted(wanted & _PERIODS.keys()):
            rows = rows.mutate(**{name: rows.day.truncate(_PERIODS[name])})
        for name, text in self.filters.items():
            values: list[Any] = text.split("|")
            if name in TIME_DIMENSIONS:
                values = [ibis.literal(_first_day(name, value)) for value in values]
            elif name == "province":
                values = [self._province(value) for value in values]
            else:
                self._check_sold(rows, name, values)
            rows = rows.filter(rows[name].isin(values))
        return rows

    def _province(self, text: str) -> str:
        """A province's code from a code or a name; facts may hold any code of six digits."""
        if _CODE.fullmatch(text):
            return text
        regions = {} if self.described is None else {r.code: r.name for r in self.described.regions}
        return province_code(text, regions)

    def _check_sold(self, rows: ir.Table, name: str, values: Sequence[str]) -> None:
        """Refuse a trim, colour or edition that neither is sold nor stands in a row: it would count 0.

        Raises:
            BadValue: there is such a value.
        """
        if self.described is None:
            return
        sold = {
            "trim": [trim.name for trim in self.described.trims],
            "colour": list(self.described.colours),
            "edition": [edition.name for edition in self.described.editions],
        }.get(name, [])
        others = [value for value in values if value not in sold]
        if not sold or not others:
            return
        found = {
            row[name] for row in self._fetch(rows.filter(rows[name].isin(others)).select(name).distinct())
        }
        for value in others:
            if value not in found:
                raise BadValue(
                    f"there is no {name} {value!r}", code="figure.filter", remedy=f"one of {', '.join(sold)}"
                )

    @cached_property
    def described(self) -> Description | None:
        """The launch as described in the cut; None before that."""
        try:
            return self.view.description
        except NotFound:
            return None

    def _aggregate(self, measure: Count | Share | Distribution, rows: ir.Table) -> ir.Table:
        values: dict[str, Any] = {"n": rows.count(), "simulated": rows.simulated.any()}
        if isinstance(measure, Count) and measure.distinct is not None:
            values["value"] = rows[measure.distinct].nunique()
        elif isinstance(measure, Share):
            values["hits"] = rows.hit.cast("int64").sum()
        elif isinstance(measure, Distribution):
            for quantile in measure.quantiles:
                values[f"q{quantile}"] = rows.value.quantile(quantile)
        if not self.by:
            return rows.aggregate(**values)
        return rows.group_by(list(self.by)).aggregate(**values).order_by(list(self.by))

    def _shape(self, measure: Count | Share | Distribution, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        group = {name: _label(name, row[name]) for name in self.by}
        simulated = {"simulated": bool(row["simulated"])} if self.by else {}
        people = int(row["n"])
        if isinstance(measure, Distribution):
            quantiles = [(q, row[f"q{q}"]) for q in measure.quantiles]
            return [
                {**group, "quantile": q, "value": value, "count": people, "simulated": bool(row["simulated"])}
                for q, value in quantiles
            ]
        if isinstance(measure, Share):
            if people < max(1, measure.suppress_under):
                return [{**group, "value": None, "suppressed": people > 0, **simulated}]
            hits = people if measure.of_all else int(row["hits"])
            base = self._all if measure.of_all else people
            if not measure.of_all and any(0 < few < measure.suppress_under for few in (hits, people - hits)):
                # Those who have the attribute, or those who do not, are as few as a hidden group.
                return [{**group, "value": None, "suppressed": True, **simulated}]
            out: dict[str, Any] = {**group, "value": hits / base}
            if measure.estimated:
                interval = wilson(hits, base)
                out |= {"low": interval.low, "high": interval.high}
            return [{**out, "people": hits, "of": base, **simulated}]
        return [{**group, "value": int(row.get("value", people)), **simulated}]

    def _rows(self, rows: Sequence[Mapping[str, Any]], note: str | None) -> Answer:
        kept = [
            dict(row)
            for row in rows
            if all(str(row.get(name)) in text.split("|") for name, text in self.filters.items())
        ]
        if not kept:
            reason = (
                self._no_evidence()
                if not self.view.holds(self.figure.evidence)
                else "no row fits the arguments"
            )
            return self._make(unknown=reason)
        simulated = any(bool(row.get("simulated")) for row in kept)
        if len(kept) == 1 and self.filters and not self.by and "value" in kept[0]:
            only = kept[0]["value"]
            if only is None:
                return self._make(unknown=kept[0].get("unknown") or "what it rests on was not recorded")
            return self._make(value=only, simulated=simulated, note=note)
        return self._make(rows=kept, simulated=simulated, note=note)

    def _fetch(self, table: ir.Table) -> list[dict[str, Any]]:
        result, self.sql = self.view.run(table)
        return [{name: _plain(value) for name, value in row.items()} for row in result.to_pylist()]

    def _make(self, **content: Any) -> Answer:
        if _LANDED in self.figure.evidence:
            content["note"] = _with_erased(content.get("note"), self.view.erased_since())
        return Answer(
            name=self.figure.name,
            title=self.figure.title,
            unit=self.figure.unit,
            as_of=show(self.view.when.as_of, self.view.zone),
            mark=self.view.when.mark,
            definition=self.figure.version,
            sql=self.sql,
            parameters=self.given,
            **content,
        )


def _with_erased(note: str | None, cars: int) -> str | None:
    """A figure's caveat, and how many cars were erased whose trips it would have counted."""
    if not cars:
        return note
    said = f"{cars:,} {'car was' if cars == 1 else 'cars were'} erased since"
    return said if note is None else f"{note}; {said}"


def _suppress_second(rows: list[dict[str, Any]]) -> None:
    """One hidden group alone could be told from the others' sum: hide the next smallest with it."""
    if sum(bool(row.get("suppressed")) for row in rows) == 1 and len(rows) > 1:
        shown = [row for row in rows if not row.get("suppressed")]
        least = min(shown, key=lambda row: row["people"])
        for name in ("low", "high", "people", "of"):
            least.pop(name, None)
        least |= {"value": None, "suppressed": True}


def _first_day(dimension: str, text: str) -> date:
    """The first day of a day, an ISO week (2024-W17) or a month (2024-04).

    Raises:
        BadValue: it is none.
    """
    try:
        if dimension == "week":
            return date.fromisoformat(f"{text}-1")
        return parse_day(f"{text}-01" if dimension == "month" else text)
    except ValueError:
        raise BadValue(
            f"{text!r} is not a week", code="time.week", remedy="write an ISO 8601 week such as 2024-W17"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # DuckDB adds whole numbers up in 128 bits, which Arrow calls a decimal.
        return int(value)
    return value.isoformat() if isinstance(value, date) else value


def _label(dimension: str, value: Any) -> Any:
    """A group's label: a week as 2024-W17 (ISO 8601), a month as 2024-04, else the value."""
    if value is None or dimension not in ("week", "month"):
        return value
    day = date.fromisoformat(str(value)[:10])
    if dimension == "month":
        return f"{day:%Y-%m}"
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
