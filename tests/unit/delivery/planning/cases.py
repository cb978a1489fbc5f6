"""Small problems to plan."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from driveaway.delivery.planning.problem import NO_DAY, Configuration, Demand, Limit, Line, Region, Supply

DAY = 86_400_000_000
# A Monday.
MONDAY = 19_814


def demand_of(configuration, *, kinds=None, **given) -> Demand:
    """Orders with one lock a second, in the order given, and nothing else said about them."""
    configuration = np.asarray(configuration, np.int64)
    size = len(configuration)
    kinds = int(configuration.max(initial=0)) + 1 if kinds is None else kinds
    fields = {
        "order_ids": np.array([f"O-{nth:06d}" for nth in range(size)], dtype="U8"),
        "locked": MONDAY * DAY - 40 * DAY + np.arange(size) * 1_000_000,
        "priority": np.zeros(size, np.int64),
        "region": np.full(size, -1),
        "committed": np.full(size, NO_DAY),
        "slot": np.full(size, NO_DAY),
        "ready": np.zeros(size, np.int64),
        "configurations": tuple(Configuration(f"trim{nth}") for nth in range(kinds)),
    }
    fields |= {
        name: np.asarray(value) if name != "configurations" else value for name, value in given.items()
    }
    return Demand(configuration=configuration, **fields)


def line_of(output, days, kinds=1, name="one", builds=None, **spread) -> Line:
    mask = np.ones(kinds, np.bool_) if builds is None else np.asarray(builds, np.bool_)
    return Line(name, mask, np.broadcast_to(np.asarray(output, np.float64), days).copy(), **spread)


def limit_of(amount, days, covers, period="day", name="part", **spread) -> Limit:
    return Limit(
        name,
        np.asarray(covers, np.bool_),
        period,
        np.broadcast_to(np.asarray(amount, float), days).copy(),
        **spread,
    )


def region_of(lead, code="11", handovers=None) -> Region:
    return Region(code, np.asarray(lead, np.float64), handovers)


@st.composite
def problems(draw, *, promises=False, releases=False, frozen=False, days=(3, 20), most=24):
    """A demand and a supply with whole capacities by the day and part arrivals."""
    horizon = draw(st.integers(*days))
    kinds = draw(st.integers(1, 4))
    size = draw(st.integers(1, most))
    amounts = st.lists(st.integers(0, 3), min_size=horizon, max_size=horizon)
    masks = st.lists(st.booleans(), min_size=kinds, max_size=kinds)
    lines = [line_of(draw(amounts), horizon, kinds)]
    if draw(st.booleans()):
        lines.append(line_of(draw(amounts), horizon, kinds, "two", draw(masks)))
    limits = [
        limit_of(
            draw(amounts), horizon, draw(masks), draw(st.sampled_from(["day", "arrivals"])), f"part{nth}"
        )
        for nth in range(draw(st.integers(0, 2)))
    ]
    orders = st.lists(st.integers(0, kinds - 1), min_size=size, max_size=size)
    configuration = draw(orders)
    given = {}
    per_order = {"min_size": size, "max_size": size}
    given["priority"] = np.array(draw(st.lists(st.integers(0, 1), **per_order)))
    given["locked"] = MONDAY * DAY - np.array(draw(st.lists(st.integers(0, 5), **per_order))) * DAY - DAY
    if promises:
        windows = st.one_of(st.just(int(NO_DAY)), st.integers(-1, horizon - 1))
        given["committed"] = np.array(draw(st.lists(windows, **per_order)), np.int64)
    if releases:
        given["ready"] = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 2, horizon + 1]), **per_order)))
    if frozen:
        days_of = st.sampled_from([int(NO_DAY), int(NO_DAY), 0, 1])
        given["slot"] = np.array(draw(st.lists(days_of, **per_order)), np.int64)
    return demand_of(configuration, kinds=kinds, **given), Supply(
        MONDAY, horizon, tuple(lines), tuple(limits)
    )
