"""The packaged case plans what is on public record, and says of the rest that it is assumed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from driveaway.cases import NAMES, case_description, case_text
from driveaway.delivery.planning.problem import Configuration
from driveaway.delivery.supply import supply
from driveaway.delivery.supply.reading import number_of
from driveaway.facts.description import Description

FIRST = date(2024, 4, 26)
SU7 = case_description("su7")
CARS = tuple(Configuration(trim.name, "Aqua Blue") for trim in SU7.trims)


def test_the_level_at_the_end_of_april_is_that_of_the_record() -> None:
    found = supply(SU7, CARS, number_of(FIRST), 364)
    assert found.problems == ()
    assert found.unplannable == ()
    (line,) = found.supply.lines
    assert 400 < line.output[0] < 412  # "more than 400 a day"
    # On every day of the year that is the capacity of the first phase.
    assert SU7.plants[0].yearly_capacity == 150_000
    assert line.output[-1] * 365 == pytest.approx(150_000, rel=0.01)


def test_holidays_of_2024_are_those_of_the_notice() -> None:
    start = date(2024, 4, 3)
    made = supply(_from_monday_to_saturday(SU7), CARS, number_of(start), 273).supply.lines[0].output
    off = {start + timedelta(days=int(day)) for day in (made == 0).nonzero()[0]}
    sundays = {d for i in range(273) if (d := start + timedelta(days=i)).weekday() == 6}
    worked = {date(2024, 4, 7), date(2024, 4, 28), date(2024, 9, 29)}
    assert sundays - off == worked
    assert off - sundays == {
        *(date(2024, 4, day) for day in (4, 5, 6)),
        *(date(2024, 5, day) for day in (1, 2, 3, 4)),
        date(2024, 6, 10),
        *(date(2024, 9, day) for day in (16, 17)),
        *(date(2024, 10, day) for day in (1, 2, 3, 4, 5, 7)),
    }


def _from_monday_to_saturday(description: Description) -> Description:
    """The same plant, if it kept the calendar."""
    (plant,) = description.plants
    (line,) = plant.lines
    (shift,) = line.shifts
    kept = replace(shift, weekdays=("mon", "tue", "wed", "thu", "fri", "sat"), on_holidays=False)
    return replace(description, plants=(replace(plant, lines=(replace(line, shifts=(kept,)),)),))


def test_pro_is_not_handed_over_before_its_day() -> None:
    found = supply(SU7, CARS, number_of(FIRST), 60)
    (first_day,) = [limit for limit in found.supply.limits if limit.name.startswith("Pro")]
    assert first_day.covers.tolist() == [False, True, False]
    opens = int((first_day.amount > 0).argmax())
    assert FIRST + timedelta(days=opens) <= date(2024, 5, 18) <= FIRST + timedelta(days=opens + 7)


def test_what_is_not_public_is_said_to_be_assumed() -> None:
    text = case_text("su7")
    for attribute in ("availability", "weekdays", "hours"):
        (line,) = [line for line in text.splitlines() if line.startswith(f"{attribute} = ")]
        assert "assumption" in line
    assert all(limit.reference == "assumption" for limit in SU7.limits)
    assert SU7.transport.reference == "assumption"


@pytest.mark.parametrize("name", NAMES)
def test_every_case_can_be_planned_for(name: str) -> None:
    described = case_description(name)
    cars = tuple(Configuration(trim.name) for trim in described.trims)
    found = supply(described, cars, number_of(date(2027, 5, 3)), 100)
    assert [problem.code for problem in found.problems] == (["delivery.no_lines"] if name == "bare" else [])
