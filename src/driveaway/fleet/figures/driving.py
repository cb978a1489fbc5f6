"""Figures of distance, energy and what ended assistance: sums over the daily ledger."""

from __future__ import annotations

from typing import Literal

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Asked, Measure
from driveaway.fleet.figures.arguments import single
from driveaway.fleet.figures.sums import DIMENSIONS, Sums

_EVIDENCE = ("trips.landed",)
_ASKED = Asked()


@figure(
    "fleet.distance",
    title="Distance driven",
    title_zh="总行驶里程",
    unit="m",
    counts="events",
    evidence=_EVIDENCE,
    dimensions=DIMENSIONS,
)
def distance(view: View, *, asked: Asked = _ASKED, window: str = "ever", function: str = "any") -> Measure:
    """Metres that cars drove on the days of the window, assisted or not, of trips that have landed.

    A segment over local midnight counts on both days, in parts by time. By function, the metres of segments
    in which it was used.

    Args:
        window: so many local days up to the as-of, such as 28d, or ever; ever, since mileage is told in all.
        function: only segments in which this driving function was used; alternatives joined by |.
    """
    return Sums(view, asked, window, function).measure(
        ["distance_m"], lambda part, _: part["distance_m"], "nothing was driven"
    )


@figure(
    "fleet.assisted_distance",
    title="Distance driven with assistance",
    title_zh="辅助驾驶里程",
    unit="m",
    counts="events",
    evidence=_EVIDENCE,
    dimensions=DIMENSIONS,
)
def assisted_distance(
    view: View, *, asked: Asked = _ASKED, window: str = "ever", function: str = "any"
) -> Measure:
    """Metres that cars drove with a driving function engaged, on the days of the window.

    Only metres with the function engaged count, not the whole trip in which it was used once.

    Args:
        window: so many local days up to the as-of, such as 28d, or ever; ever, since mileage is told in all.
        function: only this driving function; alternatives joined by |; any: of all functions, which are
            told apart by function and level and never mixed silently.
    """
    return Sums(view, asked, window, function).measure(
        ["assisted_m"], lambda part, _: part["assisted_m"], "nothing was driven"
    )


@figure(
    "fleet.assisted_share",
    title="Share of the distance that was driven with assistance",
    title_zh="辅助驾驶里程占比",
    unit="share",
    evidence=_EVIDENCE,
    dimensions=DIMENSIONS,
)
def assisted_share(
    view: View, *, asked: Asked = _ASKED, window: str = "28d", function: str = "any"
) -> Measure:
    """Metres driven with a driving function engaged, of all metres driven on the days of the window.

    By function or level, each one's share of all metres: the metres below the line are those of the same day,
    car, city and software, whatever was engaged.

    Args:
        window: so many local days up to the as-of, such as 28d, or ever; 28d are four whole weeks, so that
            no weekday weighs more than another.
        function: only metres with this driving function above the line; alternatives joined by |.
    """
    return Sums(view, asked, window, function).measure(
        ["assisted_m", "distance_m"],
        lambda part, whole: _ratio(part["assisted_m"], whole["distance_m"]),
        "nothing was driven",
    )


@figure(
    "fleet.energy_per_100km",
    title="Energy drawn from the battery per 100 km",
    title_zh="百公里电耗",
    unit="kWh/100 km",
    evidence=_EVIDENCE,
    dimensions=tuple(name for name in DIMENSIONS if name not in ("function", "level")),
)
def energy_per_100km(view: View, *, asked: Asked = _ASKED, window: str = "28d") -> Measure:
    """Net energy drawn from the battery per 100 km on the road, of segments that report energy.

    Metres of segments that report none are left out above and below the line. Energy from the wall is more:
    charging loses some of it.

    Args:
        window: so many local days up to the as-of, such as 28d, or ever; 28d are four whole weeks.
    """
    # Wh per metre × 100: one kWh/100 km is 1,000 Wh over 100,000 m.
    return Sums(view, asked, window, "any").measure(
        ["energy_wh", "energy_m"],
        lambda part, _: _ratio(100 * part["energy_wh"], part["energy_m"]),
        "no trip of these days reports energy",
    )


@figure(
    "fleet.deactivations_per_1000km",
    title="Ends of assistance per 1,000 km",
    title_zh="每千公里退出次数",
    unit="per 1000 km",
    evidence=_EVIDENCE,
    dimensions=DIMENSIONS,
)
def deactivations_per_1000km(
    view: View,
    *,
    asked: Asked = _ASKED,
    kind: Literal["system_deactivation", "driver_override"] = "system_deactivation",
    window: str = "28d",
    function: str = "any",
) -> Measure:
    """How often a driving function ended per 1,000 km driven with it, on the days of the window.

    What the system ended by itself and what the driver took over are told apart and never added: the one is
    a limit of the function, the other often a wish. A segment over midnight counts its ends on the first day.

    Args:
        kind: ends by the system itself, which speak of the function, or overrides by the driver.
        window: so many local days up to the as-of, such as 28d, or ever; 28d are four whole weeks.
        function: only this driving function; alternatives joined by |.
    """
    by_itself = single("kind", kind) == "system_deactivation"
    column = "system_deactivations" if by_itself else "driver_overrides"
    said = "ended by the system itself; " if by_itself else "taken over by the driver; "
    return Sums(view, asked, window, function, said).measure(
        ["assisted_m", column],
        lambda part, _: _ratio(1_000_000 * part[column], part["assisted_m"]),
        "no function was engaged",
    )


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None


FIGURES = (distance, assisted_distance, assisted_share, energy_per_100km, deactivations_per_1000km)
