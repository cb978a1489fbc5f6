"""Random trips of the cars of a random history, landed in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from driveaway.facts import Draft
from driveaway.facts.cars import CarBuilt
from driveaway.facts.orders import OrderHandedOver
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing.batch import Batch
from driveaway.launch.fleet.opening import open_landing
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.ids import order_id
from tests.laws.histories import LAST, MINUTE, TRIMS, at, launch_of, vin

Rows = list[dict[str, Any]]
FUNCTIONS = ("highway_pilot", "parking")
CARS = 4
DESCRIBED = """
[[fleet.functions]]
name = "highway_pilot"
level = 2

[[fleet.functions]]
name = "parking"
level = 2
trims = ["Max"]
"""


@st.composite
def _segment(draw: st.DrawFn) -> dict[str, Any]:
    start = at(draw(st.integers(0, LAST)))
    function = draw(st.sampled_from((None, *FUNCTIONS)))
    metres = draw(st.integers(1, 40_000))
    return {
        "vin": vin(draw(st.integers(0, CARS - 1))),
        "trip": draw(st.integers(0, 10**6)),
        "segment": 0,
        "start": start,
        "end": start + draw(st.integers(10, 300)) * MINUTE,
        "distance_m": metres,
        "assisted_m": 0 if function is None else draw(st.integers(0, metres)),
        "function": function,
        "level": None if function is None else 2,
        "driver_overrides": draw(st.integers(0, 3)) if function else 0,
        "system_deactivations": draw(st.integers(0, 2)) if function else 0,
        "energy_wh": draw(st.one_of(st.none(), st.integers(-500, 5_000))),
        "odometer_m": None,
        "software": draw(st.sampled_from((None, "1.0", "1.10", "1.9"))),
        "city": draw(st.sampled_from((None, "Suzhou", "Nanjing"))),
        "cell": None,
        "simulated": draw(st.booleans()),
    }


def drives() -> st.SearchStrategy[list[Rows]]:
    """Batches."""
    return st.lists(st.lists(_segment(), min_size=1, max_size=12), min_size=1, max_size=3)


@contextmanager
def handed_over(simulated: bool) -> Iterator[Launch]:
    """A launch whose cars were handed over before they drive, with two functions, one for one trim."""
    facts: list[Any] = []
    for number in range(CARS):
        trim = TRIMS[number % len(TRIMS)]
        built = CarBuilt(plant="plant", trim=trim)
        taken = OrderHandedOver(vin=vin(number), province="320000", city="Suzhou")
        facts += [
            Draft("car.built", vin(number), at(-60), built, simulated=simulated),
            Draft("order.handed_over", order_id(900 + number), at(-number), taken, simulated=simulated),
        ]
    with launch_of(facts) as launch:
        path = launch.folder / "launch.toml"
        path.write_text(path.read_text() + DESCRIBED)
        with open_launch(launch.folder) as described:
            described.apply()
            yield described


def land(launch: Launch, batches: Sequence[Rows]) -> int:
    """Land them; how many rows were accepted."""
    landing = open_landing(launch, lambda: at(LAST + 3000))
    try:
        return sum(
            landing.land(Batch(f"batch-{number}", "file", pa.Table.from_pylist(rows, schema=TRIPS))).rows
            for number, rows in enumerate(batches)
        )
    finally:
        landing.close()
