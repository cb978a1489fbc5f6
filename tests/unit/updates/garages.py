"""Launches with delivered cars, for tests of functions and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driveaway.facts import Draft
from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import parse_instant
from driveaway.values.ids import make_vin, order_id

LAUNCH_TOML = """
launch = "functions"
zone = "Asia/Shanghai"
currency = "CNY"
today = "2024-06-01"

[car]
name = "Example"

[rules]
handover_needs = ["built", "pegged"]

[[trims]]
name = "Max"
lidar = true

[[trims]]
name = "Pro"
lidar = true

[[trims]]
name = "Standard"
"""


def vin(number: int) -> str:
    return make_vin("LNB", "SC3AB", 2024, "B", number)


def at(text: str) -> int:
    return parse_instant(f"{text}+08:00", None)


def new_launch(folder: Path, functions: str | None = None) -> Launch:
    """A launch that was applied once."""
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML, encoding="utf-8")
    if functions is not None:
        (folder / "functions.toml").write_text(functions, encoding="utf-8")
    launch = open_launch(folder)
    launch.book.store.create()
    return launch


def deliver(
    launch: Launch,
    number: int,
    trim: str,
    province: str | None = None,
    city: str | None = None,
    *,
    ecus: Sequence[c.ControlUnit] = (),
    simulated: bool = False,
) -> str:
    """Hand a car over on 1 May 2024; its VIN."""
    car, order = vin(number), order_id(number)
    steps: list[tuple[str, str, Any]] = [
        ("order.reserved", order, o.OrderReserved(trim=trim)),
        ("order.locked", order, o.OrderLocked()),
        ("car.built", car, c.CarBuilt(plant="one", trim=trim, ecus=tuple(ecus))),
        ("car.pegged", car, c.CarPegged(order=order)),
        ("order.handed_over", order, o.OrderHandedOver(vin=car, province=province, city=city)),
    ]
    launch.append(
        [
            Draft(kind, subject, at(f"2024-05-01T10:0{step}"), body, simulated=simulated)
            for step, (kind, subject, body) in enumerate(steps)
        ]
    )
    return car
