"""Figures of the adopted plan: unknown without one, true to the last one that had been adopted."""

from __future__ import annotations

import msgspec
import pytest

from driveaway.facts import Draft
from driveaway.facts.delivery import Binding, DateAtRisk, PlanAdopted, PlannedWeek, TargetOdds
from driveaway.launch.launch import Launch
from tests.stores import acts

_FIGURES = (
    "delivery.expected", "delivery.target_odds", "delivery.binding", "delivery.at_risk_of_date",
    "delivery.backlog_weeks",
)  # fmt: skip


def _week(day: str, cars: int) -> PlannedWeek:
    return PlannedWeek(
        first_day=day, built_low=cars - 5, built=cars, built_high=cars + 5, delivered_low=cars - 6,
        delivered=cars - 1, delivered_high=cars + 4,
    )  # fmt: skip


_PLAN = PlanAdopted(
    as_of="2024-04-10T00:00:00+08:00", mark=3, first_day="2024-04-10", days=60, paths=1000, seed=1,
    orders=2, unplannable=0, table="0" * 64, cleared_by="2024-05-20",
    weeks=(
        _week("2024-04-10", 7), _week("2024-04-15", 10), _week("2024-04-22", 20), _week("2024-04-29", 20),
        _week("2024-05-06", 30), _week("2024-05-13", 99),
    ),
    odds=(TargetOdds(target="june", odds=0.75, low=9000, middle=10_500, high=12_000),),
    binding=(Binding(limit="lidar", first_day="2024-04-15", amount=10.0, used=10.0, car_days=42.5),),
    at_risk=(DateAtRisk(name="tax rule", day="2024-12-31", orders=2, after_low=0, after=1, after_high=2),),
)  # fmt: skip


def _adopted(hours: float, plan: PlanAdopted = _PLAN, **more: bool) -> Draft:
    return acts.draft("plan.adopted", "first-plan", hours, plan, **more)


@pytest.mark.parametrize("name", _FIGURES)
def test_without_a_plan_it_is_unknown(launch: Launch, name: str) -> None:
    launch.append([acts.reserved(1), acts.taken(1), acts.locked(1), _adopted(50)])
    assert "no plan had been adopted" in (launch.at(acts.at(49)).figure(name).unknown or "")
    assert launch.at(acts.at(50)).figure(name).unknown is None


def test_each_figure_reads_its_part_of_the_plan(launch: Launch) -> None:
    launch.append([_adopted(50)])
    cut = launch.at(acts.at(60))
    (odds,) = cut.figure("delivery.target_odds").rows or ()
    assert (odds["target"], odds["value"], odds["cars_low"], odds["cars_high"]) == (
        "june",
        0.75,
        9000,
        12_000,
    )
    weeks = cut.figure("delivery.expected").rows or ()
    assert [(row["week"], row["value"]) for row in weeks][:2] == [("2024-W15", 6), ("2024-W16", 9)]
    (bound,) = cut.figure("delivery.binding").rows or ()
    assert (bound["limit"], bound["week"], bound["value"]) == ("lidar", "2024-W16", 42.5)
    (risk,) = cut.figure("delivery.at_risk_of_date").rows or ()
    assert (risk["date"], risk["value"], risk["orders"]) == ("tax rule", 1, 2)


def test_the_last_plan_holds_and_says_which_it_is(launch: Launch) -> None:
    launch.append([_adopted(50)])
    newer = msgspec.structs.replace(
        _PLAN, odds=(TargetOdds(target="june", odds=0.5, low=1, middle=2, high=3),)
    )
    launch.append([_adopted(70, newer, simulated=True)])
    (before,) = launch.at(acts.at(60)).figure("delivery.target_odds").rows or ()
    answer = launch.at(acts.at(80)).figure("delivery.target_odds")
    (after,) = answer.rows or ()
    assert (before["value"], after["value"]) == (0.75, 0.5)
    assert (before["simulated"], after["simulated"], answer.simulated) == (False, True, True)
    assert "plan first-plan (fact 2)" in (answer.note or "")


def test_the_backlog_is_what_waits_over_the_output_of_four_whole_weeks(launch: Launch) -> None:
    launch.append([d for n in range(40) for d in (acts.reserved(n), acts.taken(n), acts.locked(n))])
    # 10 April 2024 is 290 hours after orders opened; the next whole week begins on the 15th.
    launch.append([_adopted(290)])
    (row,) = launch.at(acts.at(291)).figure("delivery.backlog_weeks").rows or ()
    assert row["value"] == 40 / 20
    assert (row["low"], row["high"]) == (40 / 25, 40 / 15)
    late = launch.at(acts.at(24 * 40)).figure("delivery.backlog_weeks")
    assert "adopt a newer one" in (late.unknown or "")
