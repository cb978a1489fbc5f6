"""Output of lines day by day: shifts, holidays, make-up days, stops, rates, ramps."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from driveaway.delivery.supply import supply
from driveaway.delivery.supply.reading import number_of
from driveaway.facts.planning import WEEKDAYS, LineStep, Ramp, Shift, Stop
from tests.unit.delivery.supply.described import (
    CARS,
    DAY_SHIFT,
    HEAD,
    LINE,
    MONDAY,
    WORKS,
    codes,
    launch,
    modelled,
)

WEEK = [40.0] * 5 + [0.0] * 2


def output(*parts: str, first: date = MONDAY, days: int = 14) -> list[float]:
    """Of the first line, all problems being none."""
    found = modelled(*parts, first=first, days=days)
    assert found.problems == ()
    return found.supply.lines[0].output.tolist()


def test_output_is_hours_times_rate_times_availability() -> None:
    found = modelled(WORKS)
    assert found.problems == ()
    (line,) = found.supply.lines
    assert line.name == "north/1"
    assert line.output.tolist() == WEEK * 2
    assert line.spread == 0.05
    assert line.ramp_spread == 0.0
    assert line.builds.tolist() == [True] * 4
    assert found.unplannable == ()
    assert len(found.supply.regions) == 31


def test_line_cycle_time_stands_for_jobs_per_hour() -> None:
    takt = WORKS.replace("jobs_per_hour = 10", "takt_seconds = 360")
    assert output(takt) == pytest.approx(WEEK * 2)
    of_plant = WORKS.replace("jobs_per_hour = 10", "").replace('"north"', '"north"\ntakt_seconds = 360')
    assert output(of_plant) == pytest.approx(WEEK * 2)


def test_holidays_have_no_shift_and_make_up_days_have_one() -> None:
    calendar = """
[calendar]
working_days = ["2024-07-06"]
[[calendar.holidays]]
name = "feast"
from_day = "2024-07-03"
until_day = "2024-07-04"
"""
    assert output(WORKS, calendar, days=7) == [40, 40, 0, 0, 40, 40, 0]
    always = WORKS + "on_holidays = true\n"
    assert output(always, calendar, days=7) == [40, 40, 40, 40, 40, 40, 0]
    weekend = WORKS + 'weekdays = ["sat", "sun"]\n'
    without = modelled(weekend, calendar, days=7).supply.lines[0].output
    assert without.tolist() == [0, 0, 0, 0, 0, 40, 40]


def test_a_stop_takes_exactly_its_days() -> None:
    line = "[[plants.lines.stops]]\nfrom_day = '2024-07-02'\nuntil_day = '2024-07-04'\n"
    plant = "[[plants.stops]]\nfrom_day = '2024-07-12'\n"
    assert output(WORKS, line, plant) == [40, 0, 0, 0, 40, 0, 0, 40, 40, 40, 40, 0, 0, 0]


def test_steps_of_rate_and_availability_hold_from_their_day() -> None:
    steps = """
[[plants.lines.steps]]
from_day = "2024-07-03"
jobs_per_hour = 20
[[plants.lines.steps]]
from_day = "2024-07-09"
availability = 1.0
"""
    assert output(WORKS, steps) == [40, 40, 80, 80, 80, 0, 0, 80, 160, 160, 160, 160, 0, 0]


def test_a_second_shift_adds_its_hours_and_learns_by_itself() -> None:
    second = """
[[plants.lines.shifts]]
name = "second"
hours = 8
from_day = "2024-07-08"
ramp = { start_share = 0.5, days_to_full = 4, spread = 0.3 }
"""
    found = modelled(WORKS, second)
    line = found.supply.lines[0]
    assert line.output.tolist() == [*WEEK, *(40 + 40 * share for share in (0.5, 0.625, 0.75, 0.875, 1)), 0, 0]
    assert line.ramp_spread == 0.3


def test_a_half_life_halves_what_is_missing() -> None:
    ramp = "[[plants.lines.ramps]]\nfrom_day = '2024-07-01'\nstart_share = 0.2\nhalf_life_days = 2\n"
    assert output(WORKS, ramp, days=5) == pytest.approx(
        [40 * share for share in (0.2, 1 - 0.8 / 2**0.5, 0.6, 1 - 0.8 / 2**1.5, 0.8)]
    )


def test_a_later_ramp_takes_over() -> None:
    ramps = """
[[plants.lines.ramps]]
from_day = "2024-01-01"
full_share = 0.5
[[plants.lines.ramps]]
from_day = "2024-07-04"
start_share = 0.75
days_to_full = 1
"""
    assert output(WORKS, ramps, days=5) == [20, 20, 20, 30, 40]


def test_the_next_form_of_a_shift_ends_the_one_before() -> None:
    longer = DAY_SHIFT.replace("hours = 8", "hours = 10\nfrom_day = '2024-07-10'")
    assert output(WORKS, longer)[7:] == [40, 40, 50, 50, 50, 0, 0]


@pytest.mark.parametrize(
    ("stated", "a_day"),
    [
        ("daily_output = 400", 400),
        ("daily_output = 400\nyearly_capacity = 150_000", 400),
        ("shifts = 2\ntakt_seconds = 72", 2 * 8 * 50 * 0.85),
        ("yearly_capacity = 150_000", 600),
    ],
)
def test_a_plant_without_lines_builds_what_it_states(stated: str, a_day: float) -> None:
    found = modelled(f"[[plants]]\nname = 'north'\n{stated}\n", days=7)
    assert found.problems == ()
    assert found.supply.lines[0].output.tolist() == pytest.approx([a_day] * 5 + [0, 0])


def test_the_scale_multiplies_lines_and_not_what_a_plant_states() -> None:
    scale = "[planning]\nscale = 0.5\n"
    assert output(WORKS, scale, days=1) == [20]
    assert output("[[plants]]\nname = 'north'\ndaily_output = 400\n", scale, days=1) == [400]


def test_capacity_is_the_sum_over_lines() -> None:
    second = "[[plants.lines]]\nname = '2'\njobs_per_hour = 4\n" + DAY_SHIFT
    both = modelled(WORKS, second).supply.lines
    assert [line.name for line in both] == ["north/1", "north/2"]
    alone = modelled(LINE.replace("'1'", "'2'").replace("= 10", "= 4").replace("0.5", "0.85"), DAY_SHIFT)
    assert both[1].output.tolist() == alone.supply.lines[0].output.tolist()
    assert both[0].output.tolist() == output(WORKS)


def test_a_chance_of_unplanned_stops_holds_on_every_day() -> None:
    found = modelled(WORKS, "[planning]\nstop_chance = 0.02\n")
    assert found.supply.stops is not None
    assert found.supply.stops.tolist() == [0.02] * 14
    assert modelled(WORKS).supply.stops is None


SHIFTS = st.builds(
    Shift,
    name=st.sampled_from(["day", "late"]),
    weekdays=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(tuple),
    hours=st.floats(1, 12),
    on_holidays=st.booleans(),
    ramp=st.none()
    | st.builds(
        Ramp,
        from_day=st.just("2024-06-25"),
        start_share=st.floats(0, 1),
        days_to_full=st.floats(1, 40),
    ),
)
BASE = launch(
    WORKS,
    "[calendar]\nworking_days = ['2024-07-13']\n",
    "holidays = [{ name = 'feast', from_day = '2024-07-04' }]\n",
)


def total(
    shifts: tuple[Shift, ...], stops: tuple[Stop, ...] = (), steps: tuple[LineStep, ...] = ()
) -> np.ndarray:
    (plant,) = BASE.plants
    line = replace(plant.lines[0], shifts=shifts, stops=stops, steps=steps)
    described = replace(BASE, plants=(replace(plant, lines=(line,)),))
    return supply(described, CARS, number_of(MONDAY), 28, codes=()).supply.lines[0].output


@given(SHIFTS, st.floats(0, 6))
def test_more_hours_never_lower_output(shift: Shift, more: float) -> None:
    before, after = total((shift,)), total((replace(shift, hours=shift.hours + more),))
    assert (after >= before - 1e-9).all()
    assert ((after > 0) == (before > 0)).all()


@given(SHIFTS, SHIFTS)
def test_another_shift_adds_what_it_builds_alone(one: Shift, other: Shift) -> None:
    one, other = replace(one, name="one"), replace(other, name="other")
    assert total((one, other)) == pytest.approx(total((one,)) + total((other,)))


@given(SHIFTS, st.integers(-3, 30), st.integers(0, 9))
def test_a_stop_takes_exactly_the_output_of_its_days(shift: Shift, start: int, length: int) -> None:
    days = np.arange(28)
    first = date.fromordinal(MONDAY.toordinal() + start)
    last = date.fromordinal(first.toordinal() + length)
    stop = Stop(from_day=first.isoformat(), until_day=last.isoformat())
    inside = (days >= start) & (days <= start + length)
    assert total((shift,), (stop,)).tolist() == np.where(inside, 0.0, total((shift,))).tolist()


@given(SHIFTS, st.floats(0.1, 3))
def test_output_grows_with_the_rate(shift: Shift, factor: float) -> None:
    step = LineStep(from_day="2024-07-01", jobs_per_hour=10 * factor)
    assert total((shift,), steps=(step,)) == pytest.approx(total((shift,)) * factor)


def test_head_describes_a_launch_without_a_plant() -> None:
    found = modelled()
    assert "plants" not in HEAD
    assert codes(found) == ["delivery.no_lines"]
    assert found.supply.lines == ()
    assert found.unplannable == (0, 1, 2, 3)
