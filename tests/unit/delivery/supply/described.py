"""Small launches to plan for."""

from __future__ import annotations

from datetime import date

from driveaway.delivery.planning.problem import Configuration
from driveaway.delivery.supply import Modelled, supply
from driveaway.delivery.supply.reading import number_of
from driveaway.facts.description import Description, read_description

HEAD = """
launch = "small"
zone = "Asia/Shanghai"
currency = "CNY"
colours = ["Red", "Blue"]
options = ["tow bar", "roof box"]
[car]
name = "Small"
orders_open = "2024-03-28T22:00:00+08:00"
[[trims]]
name = "Base"
battery_wh = 73_600
[[trims]]
name = "Max"
battery_wh = 101_000
lidar = true
[[editions]]
name = "first"
priority = true
"""
LINE = """
[[plants]]
name = "north"
[[plants.lines]]
name = "1"
jobs_per_hour = 10
availability = 0.5
"""
DAY_SHIFT = """
[[plants.lines.shifts]]
name = "day"
hours = 8
"""
WORKS = LINE + DAY_SHIFT
CARS = (
    Configuration("Base", "Red"),
    Configuration("Max", "Red"),
    Configuration("Max", "Blue", "first"),
    Configuration("Base", "Blue", None, ("tow bar",)),
)
MONDAY = date(2024, 7, 1)


def launch(*parts: str) -> Description:
    """A launch of these parts of TOML after the head."""
    return read_description(HEAD + "".join(parts))


def modelled(
    *parts: str, first: date = MONDAY, days: int = 14, cars: tuple[Configuration, ...] = CARS
) -> Modelled:
    """What can be built in two weeks from a Monday on."""
    return supply(launch(*parts), cars, number_of(first), days)


def codes(found: Modelled) -> list[str]:
    """The codes of the problems."""
    return [problem.code for problem in found.problems]
