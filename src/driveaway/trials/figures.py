"""Figures about tests of cars."""

from __future__ import annotations

import ibis

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Measure, Rows

_COLUMNS = ("car", "condition", "tester", "rival", "grade", "reference", "day", "simulated")


@figure(
    "trials.range_kept",
    title="Share of the claimed range kept",
    title_zh="续航达成率",
    unit="share",
    evidence=("test.measured",),
    dimensions=("car", "condition", "tester"),
)
def range_kept(view: View) -> Measure:
    """Distance driven in a test until empty, over the range that the maker claims; a row a test."""
    tests = view.table("test.measured")
    tests = tests.filter(tests.distance.notnull(), tests.claimed_distance.notnull())
    rows = tests.select(
        *_COLUMNS,
        "claimed_cycle",
        value=tests.distance / tests.claimed_distance.nullif(0),
        distance_m=tests.distance,
        claimed_distance_m=tests.claimed_distance,
    )
    return Rows(rows.order_by("condition", rows.value.desc(), "car"))


NO_ENERGY = "no measured energy of this car under this condition is in the record"


@figure(
    "trials.consumption",
    title="Consumption",
    title_zh="百公里电耗",
    unit="kWh/100 km",
    evidence=("test.measured",),
    dimensions=("car", "condition", "tester", "basis"),
)
def consumption(view: View) -> Measure:
    """Energy over distance of a test, beside what the pack holds over the claimed range; a row each.

    ``basis`` says which: ``measured`` (energy at the battery or at the wall, as ``energy_at`` says) or
    ``claimed`` (pack energy over claimed range: no test, no declared consumption, and not comparable
    to one). Beside each claimed row stands what was measured, or in ``measured_unknown`` why it is
    not known.
    """
    tests = view.table("test.measured")
    measured = tests.filter(tests.energy.notnull(), tests.distance.notnull())
    claimed = tests.filter(tests.claimed_energy.notnull(), tests.claimed_distance.notnull())
    shape = (*_COLUMNS, "basis", "energy_at", "value", "measured", "measured_unknown")
    per_100_km = measured.energy * 100.0 / measured.distance.nullif(0)
    nothing = ibis.null().cast("string")
    one = measured.mutate(
        basis=ibis.literal("measured"), value=per_100_km, measured=per_100_km, measured_unknown=nothing
    )
    in_test = claimed.energy * 100.0 / claimed.distance.nullif(0)
    two = claimed.mutate(
        basis=ibis.literal("claimed"),
        value=claimed.claimed_energy * 100.0 / claimed.claimed_distance.nullif(0),
        measured=in_test,
        measured_unknown=ibis.ifelse(in_test.isnull(), NO_ENERGY, nothing),
    )
    rows = one.select(*shape).union(two.select(*shape))
    return Rows(rows.order_by("condition", "car", "basis", "tester"))


FIGURES = (range_kept, consumption)
