"""The demo's trips pass through the public record and are possible in the world."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.cases import case_description
from driveaway.demo.simulation import simulated
from driveaway.demo.trips import arrivals
from driveaway.demo.trips.habits import one_after_another
from driveaway.fleet.columns import TRIPS

SU7 = case_description("su7")
LAST = date(2024, 4, 24)
SECOND = 1_000_000


def local_day(microseconds):
    """Days since 1970 in Shanghai, which is eight hours ahead all year."""
    return (microseconds // SECOND + 8 * 3600) // 86_400


class Driven:
    def __init__(self, scale):
        launch = simulated(SU7, scale=scale)
        self.handovers = launch.handovers
        self.arrivals = arrivals(SU7, launch.handovers, launch.places, LAST, scale=scale)
        self.table = pa.concat_tables([each.table for each in self.arrivals]).sort_by(
            [("vin", "ascending"), ("start", "ascending"), ("segment", "ascending")]
        )
        vins = pa.array(self.handovers.vins)
        self.car = pc.index_in(self.table["vin"].combine_chunks(), vins).to_numpy()
        for name in ("start", "end", "distance_m", "assisted_m", "odometer_m"):
            setattr(self, name, self.table[name].to_numpy())
        self.same = self.car[1:] == self.car[:-1]


@pytest.fixture(scope="module", params=[1.0, 0.02])
def driven(request):
    return Driven(request.param), request.param


def test_they_pass_through_the_record(driven):
    fleet, scale = driven
    cars = len(fleet.handovers.vins)
    active = len(np.unique(fleet.car[fleet.assisted_m > 0]))
    assert 0.79 < active / cars < 0.80
    if scale == 1:
        assert cars == 5_781
        assert round(100 * active / cars) == 79
    assert 600_000 * scale < fleet.assisted_m.sum() / 1000 < 650_000 * scale
    a_day = np.bincount(
        fleet.car * 100 + local_day(fleet.start) - local_day(fleet.start.min()), fleet.assisted_m
    )
    assert np.sort(a_day)[-1] == 1_400_000
    assert np.sort(a_day)[-2] < 1_000_000


def test_they_have_the_shape_of_trips_and_say_that_they_are_simulated(driven):
    fleet, _ = driven
    assert all(each.table.schema.equals(TRIPS) for each in fleet.arrivals)
    for each in fleet.arrivals:
        each.table.validate(full=True)
    assert pc.all(fleet.table["simulated"]).as_py()
    keys = pa.table({name: fleet.table[name] for name in ("vin", "trip", "segment")})
    assert keys.group_by(["vin", "trip", "segment"]).aggregate([]).num_rows == len(fleet.car)
    named = {function.name for function in SU7.fleet.functions}
    assert set(pc.unique(fleet.table["function"]).to_pylist()) - {None} <= named
    none = pc.is_null(fleet.table["function"])
    assert pc.all(pc.equal(none, pc.is_null(fleet.table["level"]))).as_py()
    assert pc.sum(pc.if_else(none, fleet.table["assisted_m"], 0)).as_py() == 0


def test_nothing_in_them_is_impossible(driven):
    fleet, _ = driven
    assert (fleet.start < fleet.end).all()
    assert (fleet.end[:-1] <= fleet.start[1:])[fleet.same].all(), "two drives of a car at a time"
    assert (fleet.start >= fleet.handovers.at[fleet.car]).all(), "driven before the handover"
    assert (fleet.assisted_m <= fleet.distance_m).all()
    assert (fleet.assisted_m >= 0).all()
    assert ((np.diff(fleet.odometer_m) >= fleet.distance_m[1:])[fleet.same]).all()
    speed = fleet.distance_m / ((fleet.end - fleet.start) / SECOND) * 3.6
    assert speed.max() < 120
    energy = pc.fill_null(fleet.table["energy_wh"], 0).to_numpy()
    assert 120 < energy.sum() / fleet.distance_m.sum() * 1000 < 180


def test_the_longest_day_has_breaks_to_charge(driven):
    fleet, _ = driven
    day = fleet.car * 100 + local_day(fleet.start) - local_day(fleet.start.min())
    rows = day == np.argmax(np.bincount(day, fleet.assisted_m))
    pauses = (fleet.start[rows][1:] - fleet.end[rows][:-1]) / SECOND
    assert (pauses > 1_500).sum() == 4
    energy = fleet.table["energy_wh"].fill_null(0).to_numpy()[rows]
    packs = max(trim.battery_wh for trim in SU7.trims)
    assert energy.max() < 0.8 * packs
    assert (fleet.end[rows].max() - fleet.start[rows].min()) / SECOND < 18 * 3600


def test_some_go_over_midnight_and_some_arrive_late(driven):
    fleet, scale = driven
    over = local_day(fleet.start) != local_day(fleet.end - 1)
    assert over.any() or scale < 1
    late = 0
    for each in fleet.arrivals:
        ends = each.table["end"].to_numpy()
        assert ends.max() <= each.at
        late += int((ends < each.at - 2 * 86_400 * SECOND).sum())
    assert late
    assert [each.at for each in fleet.arrivals] == sorted({each.at for each in fleet.arrivals})


def test_the_same_seed_makes_the_same_trips():
    launch = simulated(SU7, scale=0.02)

    def made(seed):
        return arrivals(SU7, launch.handovers, launch.places, LAST, seed=seed, scale=0.02)

    first, again, other = made(1), made(1), made(2)
    assert [each.name for each in first] == [each.name for each in again]
    assert all(a.table.equals(b.table) for a, b in zip(first, again, strict=True))
    assert not all(a.table.equals(b.table) for a, b in zip(first, other, strict=True))


def test_no_handover_no_trips():
    launch = simulated(SU7, scale=0.02)
    nothing = type(launch.handovers)((), *(np.zeros(0, np.int64) for _ in range(3)))
    assert arrivals(SU7, nothing, launch.places, LAST) == []


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(1, 60), st.integers(0, 9)), max_size=40
    )
)
def test_drives_follow_one_another_as_a_loop_would_have_them(rows):
    rows = sorted(rows)
    car, wanted, seconds, gap = (np.array([row[i] for row in rows], np.int64) for i in range(4))
    expected, free = [], {}
    for number, at, taken, before in rows:
        start = max(at, free[number] + before) if number in free else at
        free[number] = start + taken
        expected.append(start)
    assert one_after_another(car, wanted, seconds, gap).tolist() == expected


def test_trips_of_those_days_may_be_tried_years_later():
    fleet = SU7.fleet
    assert fleet.plausible.late_days >= 50 * 365
