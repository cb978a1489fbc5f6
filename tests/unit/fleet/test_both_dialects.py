"""Every figure about driving is an expression that DuckDB and Spark both understand."""

from __future__ import annotations

from itertools import product
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from driveaway.book.view import View
from driveaway.catalogue import FIGURES
from driveaway.figures.figure import Figure
from driveaway.figures.measure import Asked, Grouped
from driveaway.launch.launch import Launch
from tests.laws.histories import empty_launch
from tests.unit.fleet.test_driving_figures import drive, land, reported

DRIVING = [
    figure
    for figure in FIGURES
    if figure.groups_itself or figure.name in ("fleet.retention", "fleet.by_release")
]
_CHOICES: dict[str, tuple[Any, ...]] = {
    "window": ("ever", "28d"),
    "of": ("delivered", "equipped", "driven"),
    "at_least_m": (1, 500),
    "function": ("any", "parking"),
    "release": ("", "one-2"),
    "since": ("first_use", "release"),
}


def expressions(launch: Launch, figure: Figure) -> list[ir.Table]:
    view = launch.at("2024-04-09").view
    by = [(), *((name,) for name in figure.dimensions)]
    if {"day", "city"} <= set(figure.dimensions):
        by += [("day", "city", "trim"), ("day", "software", "function")]
    names = [p.name for p in figure.parameters if p.name in _CHOICES]
    out: list[ir.Table] = []
    ways = [*product(by if figure.groups_itself else [()], *(_CHOICES[name] for name in names))]
    # Each costs a tenth of a second: a few that differ in everything.
    for dimensions, *values in ways[:: max(1, len(ways) // 20)]:
        extra: dict[str, Any] = {"asked": Asked(dimensions)} if figure.groups_itself else {}
        measure = figure.compute(view, **extra, **dict(zip(names, values, strict=True)))
        if isinstance(measure, Grouped):
            out.append(measure.table)
    return out


@pytest.mark.parametrize("figure", DRIVING, ids=lambda figure: figure.name)
def test_it_compiles_for_spark_and_runs_in_duckdb(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    with empty_launch() as launch:
        launch.apply()
        land(launch, "one", [drive(1, 3, 500, 400)])
        reported(launch, 1, 2, "one-2")
        held: list[ir.Table] = []
        hold = View.hold

        def recorded(view: View, expression: ir.Table) -> ir.Table:
            held.append(expression)
            return hold(view, expression)

        monkeypatch.setattr(View, "hold", recorded)
        found = expressions(launch, figure)
        assert found
        for expression in [*held, *found]:
            assert ibis.to_sql(expression, dialect="pyspark")
        for expression in found[::5]:
            launch.at("2024-04-09").view.run(expression)
