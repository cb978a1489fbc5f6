"""A launch that has everything a change can speak of."""

from __future__ import annotations

from datetime import date

from driveaway.delivery.planning.problem import Configuration
from driveaway.delivery.supply import Modelled, supply
from driveaway.delivery.supply.reading import number_of
from driveaway.facts.description import Description, read_description

AS_OF = date(2024, 4, 25)
EVERYTHING = read_description(
    """
launch = "wished"
zone = "Asia/Shanghai"
currency = "CNY"
today = "2024-04-25"
colours = ["Red", "Blue"]
options = ["tow bar"]
[car]
name = "Wished"
[[trims]]
name = "Base"
battery_wh = 73_600
[[trims]]
name = "Max"
battery_wh = 101_000
lidar = true
[[editions]]
name = "first"
[[plants]]
name = "north"
[[plants.lines]]
name = "1"
jobs_per_hour = 10
availability = 0.5
[[plants.lines.shifts]]
name = "day"
hours = 8
from_day = "2024-04-01"
[plants.lines.shifts.ramp]
start_share = 0.5
days_to_full = 10
[[plants]]
name = "south"
daily_output = 5
[calendar]
holidays = [{ name = "feast", from_day = "2024-06-08", until_day = "2024-06-12" }]
[[limits]]
name = "lidar"
amount = 12
covers = { lidar = true }
steps = [{ from_day = "2024-06-03", amount = 20 }]
[[limits]]
name = "odd; \\"name\\""
amount = 30
covers = { trims = ["Base"] }
[[parts]]
name = "motors"
stock = 100
arrivals = [{ day = "2024-05-01", amount = 10, every_days = 7 }]
[transport]
days = 4
to = [{ regions = ["650000", "540000"], days = 8, spread_days = 2 }]
[[handover.centres]]
name = "yizhuang"
region = "110000"
per_day = 20
[[targets]]
name = "deliveries-2024"
set_on = "2024-04-01"
measure = "cars.delivered"
amount = 100
from_day = "2024-01-01"
until_day = "2024-12-31"
[[targets]]
name = "deliveries-2024"
set_on = "2024-04-20"
measure = "cars.delivered"
amount = 200
from_day = "2024-01-01"
until_day = "2024-12-31"
[[cancellations]]
per_day = 0.001
"""
)
CARS = (Configuration("Base", "Red"), Configuration("Max", "Blue"))
FIRST = date(2024, 4, 29)
DAYS = 182


def modelled(description: Description) -> Modelled:
    """26 weeks from a Monday on."""
    return supply(description, CARS, number_of(FIRST), DAYS)


def day(text: str) -> int:
    """Its place in the horizon."""
    return (date.fromisoformat(text) - FIRST).days
