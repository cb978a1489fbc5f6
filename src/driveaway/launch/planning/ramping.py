"""The plant's ramp, learned from other launches and from this one's record so far."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from driveaway.delivery.planning.problem import Amounts, Supply
from driveaway.delivery.ramp.forecasting import StatedRate, forecast
from driveaway.delivery.ramp.paths import Paths
from driveaway.delivery.ramp.record import Record
from driveaway.delivery.supply.reading import day_of
from driveaway.facts.description import Description
from driveaway.facts.planning import Planning
from driveaway.launch.launch import Cut
from driveaway.values.clock import local_day, parse_day

_USUAL = (1_000, 1)
"""Paths and seed that what is expected is read from, whatever a plan draws: slots follow from the input."""


def from_peers(
    cut: Cut, description: Description, settings: Planning, known: Supply, seed: int
) -> tuple[Supply, Amounts | None]:
    """The supply as it is expected to be built, and factors of its lines' output, shape (paths, days).

    What is expected of the lines is the capacity times the middle of the forecast's paths, so that slots are
    those of a launch that goes as expected; the factors are relative to that. Lines have no ramp errors of
    their own then. Without a line there is nothing to forecast.

    The forecast is made at the size of the real launch: a demo at another scale is brought to it first.

    Raises:
        BadValue: see ``forecast``.
    """
    if not known.lines:
        return known, None
    scale = settings.scale
    first = day_of(known.first_day)
    capacity = np.sum([line.output for line in known.lines], axis=0) / scale
    record = _record(cut, description, scale)
    waiting = cut.figure("orders.waiting").value
    stated = _stated(description, scale)

    def courses(paths: int, seed: int) -> Paths:
        return forecast(
            record,
            capacity,
            as_of=first - timedelta(days=1),
            open_orders=None if waiting is None else float(waiting) / scale,
            paths=paths,
            seed=seed,
            stated=stated,
        )

    made = courses(settings.paths, seed)
    share = (made if (settings.paths, seed) == _USUAL else courses(*_USUAL)).usual()
    lines = tuple(replace(line, output=line.output * share, ramp_spread=0.0) for line in known.lines)
    return replace(known, lines=lines), made.factors(expected=capacity * share)


def _record(cut: Cut, description: Description, scale: float) -> Record:
    rows = cut.figure("cars.delivered_per_day").rows or ()
    counts = [(date.fromisoformat(row["day"]), round(row["cumulative"] / scale)) for row in rows]
    last = local_day(cut.as_of + 1, cut.view.zone)
    counts = [count for count in counts if count[0] < last]
    if counts:
        return Record(counts[0][0], tuple(counts))
    opens = description.car.deliveries_open
    return Record(last if opens is None else max(last, parse_day(opens)))


def _stated(description: Description, scale: float) -> StatedRate | None:
    """The daily output that all plants together stated for a day, at the size of the real launch."""
    days = {plant.daily_output_on for plant in description.plants}
    if len(days) != 1 or None in days or any(plant.daily_output is None for plant in description.plants):
        return None
    total = sum(plant.daily_output or 0 for plant in description.plants)
    (day,) = days
    assert day is not None
    return StatedRate(parse_day(day), total / scale)
