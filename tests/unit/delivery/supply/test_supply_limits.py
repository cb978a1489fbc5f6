"""Limits, parts, first days of trims, lead times, handovers, priorities, cancellations."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.delivery.planning.problem import Configuration, Limit
from driveaway.delivery.supply import NOT_LIMITED, Notes, cancellations, dates, plan_settings, priorities
from driveaway.delivery.supply.lead import discretised
from tests.unit.delivery.supply.described import CARS, WORKS, launch, modelled

NO = NOT_LIMITED


def limit(*parts: str, first: date = date(2024, 7, 1), days: int = 14) -> Limit:
    """The only limit, all problems being none."""
    found = modelled(WORKS, *parts, first=first, days=days)
    assert found.problems == ()
    (only,) = found.supply.limits
    return only


@pytest.mark.parametrize(
    ("covers", "which"),
    [
        ("", [True, True, True, True]),
        ("trims = ['Max']", [False, True, True, False]),
        ("trims = ['Max'], colours = ['Red']", [False, True, False, False]),
        ("editions = ['first']", [False, False, True, False]),
        ("options = ['tow bar', 'roof box']", [False, False, False, True]),
        ("battery_wh = [101_000]", [False, True, True, False]),
        ("lidar = true", [False, True, True, False]),
        ("lidar = false", [True, False, False, True]),
    ],
)
def test_a_selection_means_the_cars_that_meet_all_of_it(covers: str, which: list[bool]) -> None:
    found = limit(f"[[limits]]\nname = 'some'\namount = 5\ncovers = {{ {covers} }}\n")
    assert found.covers.tolist() == which
    assert found.amount.tolist() == [5.0] * 14
    assert (found.period, found.spread) == ("day", 0.0)


def test_a_limit_steps_and_ends() -> None:
    text = """
[[limits]]
name = "lidar"
amount = 3
spread = 0.2
from_day = "2024-07-02"
until_day = "2024-07-09"
steps = [{ from_day = "2024-07-04", amount = 6 }, { from_day = "2024-07-08" }]
"""
    assert limit(text, days=10).amount.tolist() == [NO, 3, 3, 6, 6, 6, 6, NO, NO, NO]


def test_a_weekly_limit_holds_in_whole_weeks() -> None:
    # From a Wednesday to the Saturday of the fourth week, a step on the Thursday of the second.
    text = """
[[limits]]
name = "pack"
per = "week"
amount = 30
from_day = "2024-07-03"
until_day = "2024-07-27"
steps = [{ from_day = "2024-07-11", amount = 50 }]
"""
    found = limit(text, days=28)
    assert found.period == "week"
    assert found.amount[::7].tolist() == [NO, 30, 50, NO]
    assert (found.amount.reshape(4, 7) == found.amount[::7, None]).all()
    # A horizon that begins within a week sees what holds on that week's Monday.
    assert limit(text, first=date(2024, 7, 12), days=4).amount.tolist() == [30, 30, 30, 50]


def test_parts_arrive_and_stock_is_there_on_the_first_day() -> None:
    text = """
[[parts]]
name = "lidar"
covers = { lidar = true }
stock = 7
[[parts.arrivals]]
day = "2024-06-20"
amount = 100
[[parts.arrivals]]
day = "2024-07-01"
amount = 1
[[parts.arrivals]]
day = "2024-06-26"
amount = 10
every_days = 7
until_day = "2024-07-10"
"""
    found = limit(text)
    assert found.period == "arrivals"
    assert found.amount.tolist() == [8, 0, 10, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0]


def test_no_ordinary_car_is_built_to_arrive_before_its_trim_is_handed_over() -> None:
    pro = "[[trims]]\nname = 'Pro'\ndeliveries_open = '2024-07-08'\n"
    transport = "[transport]\ndays = 2.5\nspread_days = 0\n"
    cars = (Configuration("Pro"), Configuration("Pro", None, "first"), Configuration("Base"))
    (only,) = modelled(pro, WORKS, transport, cars=cars).supply.limits
    assert only.covers.tolist() == [True, False, False]
    assert only.amount.tolist() == [0] * 5 + [NO] * 9
    assert modelled(pro, WORKS, transport).supply.limits == ()  # nobody ordered one


def test_lead_time_is_transport_and_the_steps_after_arrival() -> None:
    text = """
[transport]
days = 4
spread_days = 0
[[transport.to]]
regions = ["650000", "540000"]
days = 8
spread_days = 2
[[handover.steps]]
name = "inspection"
days = 0.5
[[handover.steps]]
name = "plate"
days = 1
spread_days = 1.5
by = "buyer"
"""
    found = modelled(WORKS, text).supply.regions
    leads = {region.code: region.lead for region in found}
    days = np.arange(200)
    for code, mean, variance in (("110000", 5.5, 2.25), ("650000", 9.5, 6.25)):
        chances = np.pad(leads[code], (0, 200 - len(leads[code])))
        assert chances.sum() == pytest.approx(1)
        assert (chances * days).sum() == pytest.approx(mean, abs=1e-4)
        # Whole days add at most a quarter of a day squared.
        assert variance <= (chances * (days - mean) ** 2).sum() + 1e-3 <= variance + 0.252
    assert np.array_equal(leads["650000"], leads["540000"])
    assert all(region.handovers is None for region in found)


def test_a_fixed_time_lies_on_the_days_beside_it() -> None:
    assert discretised(3.0, 0.0).tolist() == [0, 0, 0, 1]
    assert discretised(2.25, 0.0) == pytest.approx([0, 0, 0.75, 0.25])
    assert discretised(0.0, 2.0).tolist() == [1]


@given(st.floats(0, 60), st.floats(0, 2))
def test_a_lead_time_keeps_its_mean(mean: float, variation: float) -> None:
    chances = discretised(mean, mean * variation)
    assert (chances >= 0).all()
    assert chances.sum() == pytest.approx(1)
    assert (chances * np.arange(len(chances))).sum() == pytest.approx(mean, rel=2e-3, abs=2e-3)


def test_a_regions_capacity_is_the_sum_of_its_centres() -> None:
    text = """
[[handover.centres]]
name = "east"
region = "310000"
per_day = 5
weekdays = ["mon", "tue", "wed", "thu", "fri"]
[[handover.centres]]
name = "west"
region = "310000"
per_day = 2
from_day = "2024-07-06"
"""
    found = modelled(WORKS, text, days=8)
    assert found.problems == ()
    capacity = {region.code: region.handovers for region in found.supply.regions}
    assert capacity["310000"].tolist() == [5, 5, 5, 5, 5, 2, 2, 7]  # type: ignore[union-attr]
    assert capacity["110000"] is None


def test_editions_come_first_unless_priorities_say_otherwise() -> None:
    notes = Notes()
    assert priorities(launch(), CARS, notes).tolist() == [1, 1, 0, 1]
    text = """
[[priorities]]
rank = 5
covers = { colours = ["Blue"], trims = ["Max"] }
[[priorities]]
rank = 0
covers = { trims = ["Max"] }
"""
    assert priorities(launch(text), CARS, notes).tolist() == [1, 0, 5, 1]
    assert notes.problems == []


def test_cancellations_hold_up_to_their_day() -> None:
    notes = Notes()
    assert cancellations(launch(), notes).tolist() == []
    steps = "[[cancellations]]\nper_day = 0.01\n[[cancellations]]\nuntil_days = 2\nper_day = 0.2\n"
    assert cancellations(launch(steps), notes).tolist() == [0.2, 0.2, 0.2, 0.01]
    ends = "[[cancellations]]\nuntil_days = 1\nper_day = 0.2\n"
    assert cancellations(launch(ends), notes).tolist() == [0.2, 0.2, 0.0]
    assert notes.problems == []
    assert cancellations(launch("[[cancellations]]\nuntil_days = -1\nper_day = 2\n"), notes).tolist() == []
    assert [problem.code for problem in notes.problems] == ["delivery.share", "delivery.cancellations"]


def test_dates_matter_to_some_buyers() -> None:
    notes = Notes()
    text = """
[[dates]]
name = "subsidy"
day = "2024-12-31"
covers = { trims = ["Max"] }
regions = ["310000"]
locked_until = "2024-06-30"
[[dates]]
name = "odd"
day = "2024-12-32"
[[dates]]
name = "nowhere"
day = "2024-12-31"
regions = ["1"]
"""
    (subsidy,) = dates(launch(text), CARS, notes)
    assert (subsidy.name, subsidy.regions) == ("subsidy", ("310000",))
    assert subsidy.day - subsidy.locked[1] == 184
    assert subsidy.locked[0] < 0
    assert subsidy.covers.tolist() == [False, True, True, False]
    assert [problem.place for problem in notes.problems] == [
        "launch.toml dates.odd.day",
        "launch.toml dates.nowhere.regions",
    ]


def test_settings_that_cannot_be_used_are_the_usual_ones() -> None:
    notes = Notes()
    usual = plan_settings(launch(), notes)
    assert (usual.horizon_weeks, usual.confidences, notes.problems) == (52, (0.5, 0.8, 0.9), [])
    text = """
[planning]
horizon_weeks = 0
frozen_days = -1
confidences = [0.95, 0.5, 90, 0.5]
window = [0.9, 0.1]
paths = 250
scale = -1
"""
    held = plan_settings(launch(text), notes)
    assert (held.horizon_weeks, held.frozen_days, held.paths) == (52, 7, 250)
    assert (held.confidences, held.window, held.scale) == ((0.5, 0.95), (0.1, 0.9), 1.0)
    assert {problem.place.rpartition(".")[2] for problem in notes.problems} == {
        "horizon_weeks",
        "frozen_days",
        "confidences",
        "window",
        "scale",
    }
    assert {problem.code for problem in notes.problems} == {"delivery.planning"}
