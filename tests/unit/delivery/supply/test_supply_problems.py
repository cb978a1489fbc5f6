"""What makes no sense is named with its place and its value, and the rest is planned."""

from __future__ import annotations

from datetime import date

import pytest

from driveaway.delivery.planning.problem import Configuration
from driveaway.delivery.supply import supply
from driveaway.values.errors import BadValue
from tests.unit.delivery.supply.described import CARS, DAY_SHIFT, LINE, MONDAY, WORKS, codes, launch, modelled

LINE_PLACE = "launch.toml plants.north.lines.1"
LATE = "[[plants.lines.shifts]]\nname = 'late'\nhours = 8\n"
WEEK = [40.0] * 5 + [0.0] * 2


@pytest.mark.parametrize(
    ("text", "code", "place", "says", "output"),
    [
        (WORKS.replace("= 10", "= 0"), "capacity", f"{LINE_PLACE}.jobs_per_hour", "0", None),
        (WORKS.replace("= 10", "= -4"), "capacity", f"{LINE_PLACE}.jobs_per_hour", "-4", None),
        (
            WORKS.replace("jobs_per_hour = 10", "takt_seconds = 0"),
            "capacity",
            f"{LINE_PLACE}.takt_seconds",
            "0",
            None,
        ),
        (WORKS.replace("jobs_per_hour = 10", ""), "rate", LINE_PLACE, "not given", None),
        (
            WORKS.replace("= 10", "= 10\ntakt_seconds = 360"),
            "rate_twice",
            LINE_PLACE,
            "both",
            WEEK,
        ),
        (WORKS.replace("= 0.5", "= 85"), "share", f"{LINE_PLACE}.availability", "85", [80] * 5 + [0] * 2),
        (WORKS.replace("= 8", "= -8"), "hours", f"{LINE_PLACE}.shifts.day.hours", "-8", [0] * 7),
        (WORKS.replace("= 8", "= 30"), "hours", f"{LINE_PLACE}.shifts.day.hours", "30", [120] * 5 + [0] * 2),
        (
            WORKS + LATE + LATE.replace("late", "night").replace("8", "12"),
            "hours",
            f"{LINE_PLACE}.shifts",
            "28",
            [120] * 5 + [0] * 2,
        ),
        (
            WORKS + "from_day = '2024-07-31'\nuntil_day = '2024-07-01'\n",
            "days",
            f"{LINE_PLACE}.shifts.day",
            "before its first",
            [0] * 7,
        ),
        (
            WORKS + "until_day = '2024-06-31'\n",
            "day",
            f"{LINE_PLACE}.shifts.day.until_day",
            "2024-06-31",
            [0] * 7,
        ),
        (
            WORKS + "until_day = '2024-07-02'\n" + LATE + "from_day = '2024-07-04'\n",
            "calendar_gap",
            f"{LINE_PLACE}.shifts",
            "2024-07-03 to 2024-07-03",
            [40, 40, 0, 40, 40, 0, 0],
        ),
        (
            WORKS + "until_day = '2024-07-03'\n",
            "calendar_gap",
            f"{LINE_PLACE}.shifts",
            "2024-07-04 to 2024-07-07",
            [40, 40, 40, 0, 0, 0, 0],
        ),
        (
            WORKS + "until_day = '2024-07-03'\n" + DAY_SHIFT.replace("8", "4") + "from_day = '2024-07-03'\n",
            "shifts",
            f"{LINE_PLACE}.shifts.day",
            "overlap",
            [40, 40, 20, 20, 20, 0, 0],
        ),
        (
            WORKS + "starts = '08:00'\n" + LATE + "starts = '14:00'\n",
            "shifts",
            f"{LINE_PLACE}.shifts.late",
            "overlap by 10 hours a week",
            [70] * 5 + [0] * 2,
        ),
        (WORKS + "starts = '8 am'\n", "clock", f"{LINE_PLACE}.shifts.day.starts", "8 am", WEEK),
        (
            WORKS + "[[plants.lines.ramps]]\nfrom_day = '2024-07-01'\nfull_share = 1.2\n",
            "share",
            f"{LINE_PLACE}.ramps.full_share",
            "1.2",
            WEEK,
        ),
        (
            WORKS + "[[plants.lines.ramps]]\nfrom_day = '2024-07-01'\ndays_to_full = 0\n",
            "ramp_days",
            f"{LINE_PLACE}.ramps.days_to_full",
            "0 days",
            WEEK,
        ),
        (WORKS + "[[plants.lines.ramps]]\n", "ramp_day", f"{LINE_PLACE}.ramps.from_day", "first day", WEEK),
        (
            WORKS + "[[plants.lines.ramps]]\nfrom_day = '2024-06-01'\ndays_to_full = 5\nhalf_life_days = 5\n",
            "ramp_twice",
            f"{LINE_PLACE}.ramps",
            "both",
            WEEK,
        ),
        (WORKS.replace("= 0.5", "= 0.5\nspread = -1"), "spread", f"{LINE_PLACE}.spread", "-1", WEEK),
        (
            WORKS + "[[plants.lines.steps]]\nfrom_day = '2024-07-02'\njobs_per_hour = -1\n",
            "capacity",
            f"{LINE_PLACE}.steps.2024-07-02.jobs_per_hour",
            "-1",
            WEEK,
        ),
        (WORKS + "[planning]\nscale = 0\n", "planning", "launch.toml planning.scale", "0", WEEK),
        (
            WORKS
            + "[calendar]\nworking_days = ['2024-07-02']\n"
            + "holidays = [{ name = 'a', from_day = '2024-07-02' }]\n",
            "calendar",
            "launch.toml calendar.working_days",
            "2024-07-02",
            [40, 0, 40, 40, 40, 0, 0],
        ),
        (
            WORKS.replace('"north"', '"north"\nyearly_capacity = 9_000'),
            "",
            "",
            "",
            WEEK,
        ),
    ],
)
def test_a_line_is_planned_as_far_as_it_makes_sense(
    text: str, code: str, place: str, says: str, output: list[float] | None
) -> None:
    found = modelled(text, days=7)
    mine = [p for p in found.problems if p.code not in ("delivery.no_output", "delivery.no_lines")]
    assert [problem.code for problem in mine] == ([f"delivery.{code}"] if code else [])
    for problem in mine:
        assert problem.place == place
        assert says in problem.message
        assert problem.remedy
    lines = [line.output.tolist() for line in found.supply.lines]
    assert lines == ([] if output is None else [pytest.approx(output)])


@pytest.mark.parametrize(
    ("text", "code", "place", "says"),
    [
        ("[[limits]]\nname = 'a'\namount = -1\n", "limit", "limits.a.amount", "-1"),
        (
            "[[limits]]\nname = 'a'\namount = 1\ncovers = { trims = ['Mux'] }\n",
            "name",
            "limits.a.covers.trims",
            "Mux",
        ),
        (
            "[[limits]]\nname = 'a'\namount = 1\ncovers = { colours = ['Green'] }\n",
            "name",
            "limits.a.covers.colours",
            "Green",
        ),
        (
            "[[limits]]\nname = 'a'\namount = 1\ncovers = { battery_wh = [5] }\n",
            "battery",
            "limits.a.covers.battery_wh",
            "5 Wh",
        ),
        ("[[parts]]\nname = 'a'\nstock = -1\n", "parts", "parts.a.stock", "-1"),
        (
            "[[parts]]\nname = 'a'\n[[parts.arrivals]]\nday = '2024-13-01'\namount = 1\n",
            "day",
            "parts.a.arrivals.2024-13-01.from_day",
            "2024-13-01",
        ),
        (
            "[[parts]]\nname = 'a'\n[[parts.arrivals]]\nday = '2024-07-01'\namount = 1\nevery_days = 0\n",
            "arrivals",
            "parts.a.arrivals.2024-07-01.every_days",
            "0",
        ),
        ("[[parts]]\nname = 'a'\n[[limits]]\nname = 'a'\n", "twice", "limits.a", "'a'"),
        ("[transport]\ndays = -2\n", "lead", "transport.days", "-2"),
        (
            "[[transport.to]]\nregions = ['999999']\ndays = 2\n",
            "name",
            "transport.to.1.regions",
            "999999",
        ),
        (
            "[[handover.centres]]\nname = 'c'\nregion = '310000'\nper_day = 0\n",
            "handovers",
            "handover.centres.c.per_day",
            "0",
        ),
        (
            "[[handover.centres]]\nname = 'c'\nregion = '31'\nper_day = 1\n",
            "name",
            "handover.centres.c.region",
            "31",
        ),
        ("[planning]\nstop_chance = 2\n", "share", "planning.stop_chance", "2"),
    ],
)
def test_whatever_else_makes_no_sense_is_named(text: str, code: str, place: str, says: str) -> None:
    found = modelled(WORKS, text)
    (problem,) = found.problems
    assert problem.code == f"delivery.{code}"
    assert problem.place == f"launch.toml {place}"
    assert says in problem.message
    assert found.supply.lines[0].output.sum() == 400
    assert all(lim.amount.min() >= 0 for lim in found.supply.limits)


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    found = modelled(WORKS, "[[limits]]\nname = 'a'\namount = 1\ncovers = { trims = ['Mux', 'Base'] }\n")
    (problem,) = found.problems
    assert "'Max'" in problem.remedy
    # What is known of the limit is kept.
    assert found.supply.limits[0].covers.tolist() == [True, False, False, True]


def test_what_no_line_builds_for_one_reason_is_told_once() -> None:
    found = modelled(LINE + "builds = { trims = ['Max'] }\n" + DAY_SHIFT)
    assert len(found.unplannable) > 1
    (problem,) = found.problems
    assert problem.message.count("does not build trim 'Base'") == 1
    assert problem.message.count("Base") > len(found.unplannable)


def test_an_option_that_no_line_builds_stops_nobody_else() -> None:
    text = LINE + "builds = { trims = ['Base', 'Max'], options = ['roof box'] }\n" + DAY_SHIFT
    other = "[[plants.lines]]\nname = '2'\njobs_per_hour = 1\nbuilds = { colours = ['Red'], options = [] }\n"
    found = modelled(text, other, DAY_SHIFT)
    assert found.unplannable == (3,)
    (problem,) = found.problems
    assert problem.code == "delivery.unbuildable"
    assert "Base, Blue, tow bar" in problem.message
    assert "north/1 does not build option 'tow bar'" in problem.message
    assert "north/2 does not build colour 'Blue' and option 'tow bar'" in problem.message
    assert [line.builds.tolist() for line in found.supply.lines] == [
        [True, True, True, False],
        [True, True, False, False],
    ]


def test_plants_with_overlapping_vins_are_both_named() -> None:
    text = WORKS.replace(
        '"north"', '"north"\nvins = [{ first = "L00AAAAA0R1000000", last = "L00AAAAA9R1499999" }]'
    )
    south = """
[[plants]]
name = "south"
daily_output = 5
vins = [{ first = "L00AAAAA1R1", last = "L00AAAAA1R2" }, { first = "L00B", last = "L00A" }]
"""
    found = modelled(text, south)
    assert codes(found) == ["delivery.vin_range", "delivery.vins"]
    assert "L00B–L00A" in found.problems[0].message
    assert found.problems[1].place == "launch.toml plants.north.vins.1"
    assert "plants.south.vins.1" in found.problems[1].message
    assert len(found.supply.lines) == 2
    # The check digit does not count; ranges beside one another do not overlap.
    apart = south.replace("1R1", "1R15").replace("1R2", "1R2Z").replace("L00B", "M").replace('"L00A"', '"N"')
    assert modelled(text, apart).problems == ()


def test_two_lines_of_one_name_are_one() -> None:
    found = modelled(WORKS, WORKS.replace('[[plants]]\nname = "north"\n', ""))
    assert codes(found) == ["delivery.lines"]
    assert len(found.supply.lines) == 1


def test_a_plant_of_which_nothing_is_known_is_left_out() -> None:
    found = modelled(WORKS, "[[plants]]\nname = 'south'\ntakt_seconds = 60\n")
    assert codes(found) == ["delivery.no_capacity"]
    assert [line.name for line in found.supply.lines] == ["north/1"]


def test_lines_beyond_what_the_plant_states_are_noted() -> None:
    text = WORKS.replace('"north"', '"north"\nyearly_capacity = 9_000')
    found = modelled(text, days=364)
    assert codes(found) == ["delivery.above_capacity"]
    assert "10,429" in found.problems[0].message
    assert found.supply.lines[0].output.sum() == 52 * 200


def test_a_plan_from_before_the_launch_says_so() -> None:
    assert codes(modelled(WORKS, first=date(2024, 3, 27))) == ["delivery.before_launch"]
    assert codes(modelled(WORKS, first=date(2024, 3, 28))) == []


@pytest.mark.parametrize("days", [0, -1, 3661])
def test_a_horizon_has_days(days: int) -> None:
    with pytest.raises(BadValue, match=str(days)):
        supply(launch(WORKS), CARS, 19_900, days)


def test_nobody_ordered_anything() -> None:
    found = modelled(WORKS, "[[limits]]\nname = 'a'\namount = 1\n", cars=())
    assert (found.problems, found.unplannable, found.supply.limits) == ((), (), ())
    assert found.supply.lines[0].builds.shape == (0,)
    assert found.supply.first_day == (MONDAY - date(1970, 1, 1)).days


def test_a_trim_that_nobody_describes_can_be_built_where_any_is() -> None:
    found = modelled(WORKS, cars=(Configuration("Odd"),))
    assert (found.problems, found.unplannable) == ((), ())
