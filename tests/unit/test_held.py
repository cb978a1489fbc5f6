"""Tables that one question needs several times are worked out once, and never older than what landed."""

from __future__ import annotations

import ibis.expr.types as ir
import pytest

from driveaway.book import engine
from driveaway.book.engine import Engine
from driveaway.launch.launch import Launch
from tests.laws.histories import empty_launch
from tests.trips import land
from tests.unit.fleet.test_driving_figures import drive


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of held tables, each time that one was worked out."""
    names: list[str] = []
    hold = Engine._hold

    def counted(self: Engine, name: str, expression: ir.Table) -> None:
        names.append(name)
        hold(self, name, expression)

    monkeypatch.setattr(Engine, "_hold", counted)
    return names


def metres(launch: Launch, least: int) -> list[int]:
    view = launch.at("2024-04-30").view
    rows = view.landed("ledger")
    held = view.hold(rows.filter(rows.distance_m > least).select("distance_m"))
    both = held.union(held)
    return sorted(view.run(both)[0].column("distance_m").to_pylist())


def test_it_is_worked_out_once_until_something_lands(worked_out: list[str]) -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 500)])
        assert metres(launch, 10) == [500, 500]
        assert metres(launch, 10) == [500, 500]
        assert len(worked_out) == 1
        land(launch, "two", [drive(2, 3, 700)])
        assert metres(launch, 10) == [500, 500, 700, 700]
        assert len(worked_out) == 2


def test_what_was_pushed_out_comes_back(worked_out: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_MOST_HELD", 2)
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 500), drive(2, 3, 700)])
        view = launch.at("2024-04-30").view
        rows = view.landed("ledger")
        held = [view.hold(rows.filter(rows.distance_m > n).select("distance_m")) for n in (1, 500, 600, 800)]
        assert len(worked_out) == 4
        found = [view.run(table)[0].num_rows for table in held]
        assert found == [2, 1, 1, 0]
        assert len(worked_out) == 8
