"""Promises, quotes, what-ifs and line orders of a launch."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from driveaway.delivery.whatif import show
from driveaway.launch.launch import Launch
from driveaway.launch.planning import comparing, promising, sequencing, telling
from driveaway.launch.planning.fared import fared
from driveaway.launch.planning.proposing import Proposal, propose
from driveaway.values.errors import BadValue, NotFound, Refused
from driveaway.values.ids import OrderId


@pytest.fixture
def proposal(launch: Launch) -> Proposal:
    return propose(launch, launch.at())


def _waiting(proposal: Proposal) -> OrderId:
    """An order that is not built yet and was promised nothing."""
    names = ("order_id", "built", "promised_last")
    columns = zip(*(proposal.orders[name].to_pylist() for name in names), strict=True)
    return OrderId(next(order for order, built, promised in columns if built is None and promised is None))


def test_an_estimate_says_when_how_sure_and_why(launch: Launch, proposal: Proposal) -> None:
    (estimate,) = promising.estimates(launch, proposal, [_waiting(proposal)])
    days = [estimate.dates[level] for level in (0.5, 0.8, 0.9)]
    assert all(day is not None for day in days)
    assert days == sorted(days)  # type: ignore[type-var]
    assert estimate.window is not None
    first, last = estimate.window
    assert last - first >= timedelta(days=proposal.settings.window_days - 1)
    assert (estimate.committed, estimate.keeps, estimate.reason) == (None, None, "")
    assert len(estimate.history) == 1
    assert telling.of_estimate(estimate)["moved_days"] == 0


def test_all_orders_are_told_in_the_order_of_their_queue(launch: Launch, proposal: Proposal) -> None:
    told = list(promising.estimates(launch, proposal, None))
    assert [each.order_id for each in told] == proposal.orders["order_id"].to_pylist()
    assert any(each.built for each in told)


def test_an_order_that_does_not_wait_is_named(launch: Launch, proposal: Proposal) -> None:
    with pytest.raises(NotFound, match="O-000000001Y is no open firm order"):
        list(promising.estimates(launch, proposal, [OrderId("O-000000001Y")]))


def test_a_promise_is_a_fact_and_is_changed_with_a_reason(launch: Launch, proposal: Proposal) -> None:
    order = _waiting(proposal)
    (given,) = promising.commit(launch, proposal, [order], reason=None, at=None)
    assert given.added
    later = propose(launch, launch.at())
    (estimate,) = promising.estimates(launch, later, [order])
    assert estimate.committed == estimate.window
    assert estimate.keeps
    with pytest.raises(Refused) as refused:
        promising.commit(launch, later, [order], reason=None, at=None)
    assert refused.value.code == "promise.reason"
    (again,) = promising.commit(launch, later, [order], reason="the buyer asked for it in writing", at=None)
    assert again.added


def test_all_are_promised_once(launch: Launch, proposal: Proposal) -> None:
    outcomes = promising.commit(launch, proposal, None, reason=None, at=None)
    # One buyer of each trim had been promised a window already.
    assert len(outcomes) == proposal.open - 3
    later = propose(launch, launch.at())
    assert promising.commit(launch, later, None, reason=None, at=None) == []
    assert len(later.plan.breaches.order) == 0
    answer = launch.at().figure("delivery.promises")
    assert sum(row["value"] for row in answer.rows or ()) == proposal.open


def test_a_quote_stands_behind_everybody_who_waits(launch: Launch, proposal: Proposal) -> None:
    quoted = promising.quote(proposal, "Max", "Aqua Blue", "310000")
    last = max(
        (each.dates[0.5] or date.max)
        for each in promising.estimates(launch, proposal, None)
        if each.configuration.trim == "Max"
    )
    day = quoted.dates[0.5]
    assert day is not None
    assert day >= last - timedelta(days=8)
    assert quoted.ahead > 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [(("Ultra", None, None), "promise.configuration"), (("Max", "Mauve", None), "promise.configuration")],
)
def test_a_quote_for_what_is_not_sold_says_what_is(
    proposal: Proposal, asked: tuple[str, str | None, str | None], code: str
) -> None:
    with pytest.raises(BadValue) as refused:
        promising.quote(proposal, *asked)
    assert refused.value.code == code
    assert "Standard" in (refused.value.remedy or "")


def test_a_buyer_names_a_province_or_a_city(proposal: Proposal) -> None:
    assert promising.region_of(proposal, "Shanghai", None) == "310000"
    assert promising.region_of(proposal, None, "Shanghai") == "310000"
    assert promising.region_of(proposal, None, None) is None
    with pytest.raises(NotFound):
        promising.region_of(proposal, None, "Atlantis")


def _compared(launch: Launch, *texts: str) -> comparing.Comparison:
    cut = launch.at()
    return comparing.compare(launch, cut, comparing.changes_of(launch, cut, texts))


def test_a_second_shift_makes_the_year_likelier_and_a_stop_less_likely(launch: Launch) -> None:
    def odds(found: comparing.Comparison) -> list[tuple[float, float]]:
        told = telling.of_comparison(found)["targets"]
        return [(row["odds_before"], row["odds_after"]) for row in told]

    more = odds(_compared(launch, "second shift from 2024-06-01"))
    less = odds(_compared(launch, "line stop 2024-06-01..2024-06-20"))
    assert all(after >= before for before, after in more)
    assert any(after > before for before, after in more)
    assert all(after <= before for before, after in less)
    assert any(after < before for before, after in less)
    # The same futures, whatever is changed.
    assert [before for before, _ in more] == [before for before, _ in less]


def test_changes_come_from_files_too(launch: Launch, tmp_path: Path) -> None:
    cut = launch.at()
    said = comparing.changes_of(launch, cut, ["second shift from 2024-09-01"])
    file = tmp_path / "changes.toml"
    from driveaway.delivery.whatif import toml

    file.write_text(toml(said), encoding="utf-8")
    assert comparing.changes_of(launch, cut, [str(file)]) == said
    assert "2024-09-01" in show(said[0])
    with pytest.raises(NotFound):
        comparing.changes_of(launch, cut, [str(tmp_path / "nowhere.toml")])


def test_a_change_that_breaks_a_promise_names_the_order(launch: Launch, proposal: Proposal) -> None:
    promising.commit(launch, proposal, None, reason=None, at=None)
    found = _compared(launch, "line stop 2024-05-01..2024-06-30")
    assert found.broken
    assert set(found.broken) <= set(proposal.orders["order_id"].to_pylist())
    assert not found.mended


def test_a_day_is_put_in_line_order(proposal: Proposal, tmp_path: Path) -> None:
    day = date(2024, 5, 2)
    cars = sequencing.cars_of(proposal, day)
    found = sequencing.sequenced(proposal, day)
    assert sorted(car.name for car in found.cars) == sorted(car.name for car in cars)
    assert found.found.score.total <= found.found.given.total
    file = tmp_path / "day.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(sequencing.COLUMNS))
        writer.writeheader()
        writer.writerows(found.rows())
    assert sequencing.read_cars(file) == list(found.cars)
    behind = sequencing.sequenced(proposal, day + timedelta(days=1), before=sequencing.read_cars(file))
    assert len(behind.problem.before or ()) == len(found.cars)


@pytest.mark.parametrize("day", [date(2024, 4, 1), date(2030, 1, 1)])
def test_a_day_outside_the_plan_is_refused(proposal: Proposal, day: date) -> None:
    with pytest.raises(NotFound) as refused:
        sequencing.cars_of(proposal, day)
    assert refused.value.code == "sequence.day"


def test_before_a_promise_is_due_nothing_is_said_of_how_it_fared(launch: Launch) -> None:
    told = fared(launch, launch.at(), "month", "first")
    assert told["cohorts"] == []
    assert told["curve"] == []
    assert told["curve_unknown"] == "no day that an adopted plan named has passed yet"


def test_days_of_a_plan_that_passed_without_a_car_did_not_come_true(launch: Launch) -> None:
    told = fared(launch, launch.at("2024-06-30"), "month", "first")
    assert told["cohorts"][0]["value"] == 0
    levels = [point["level"] for point in told["curve"]]
    assert levels == sorted(levels)
    assert {0.5, 0.8, 0.9} <= set(levels)
    assert all(point["kept"] == 0 for point in told["curve"])
