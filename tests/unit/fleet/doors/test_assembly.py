"""From samples to trips: golden cases, and laws on any drive."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.facts.trips import TripSegment
from driveaway.fleet.doors.assembly import Assembled, CarState, Sample, assemble

VIN = "LNBSU7M05RB000001"
SECOND = 1_000_000


def at(seconds: float, odometer: int | None = None, function: str | None = None, **more: Any) -> Sample:
    return Sample(at=round(seconds * SECOND), odometer_m=odometer, function=function, **more)


def told(samples: Sequence[Sample], **more: Any) -> list[tuple[int, int, int, int, int, int, str | None]]:
    """Of each segment: trip and start and end in seconds, segment, metres, assisted, function."""
    done = assemble(VIN, CarState(), samples, **{"finish": True, **more})
    return [_short(piece.segment) for piece in done.pieces]


def _short(one: TripSegment) -> tuple[int, int, int, int, int, int, str | None]:
    seconds = (one.trip // SECOND, one.start // SECOND, one.end // SECOND)
    return (*seconds, one.segment, one.distance_m, one.assisted_m, one.function)


def test_a_drive_with_a_function_in_the_middle() -> None:
    drive = [at(0, 1_000), at(60, 2_000, "pilot"), at(120, 4_000), at(180, 6_000, ""), at(240, 6_500)]
    assert told(drive) == [
        (0, 0, 60, 0, 1_000, 0, None),
        (0, 60, 180, 1, 4_000, 4_000, "pilot"),
        (0, 180, 240, 2, 500, 0, None),
    ]


def test_a_stop_of_ten_minutes_ends_a_trip_and_a_shorter_one_does_not() -> None:
    drive = [at(0, 0), at(60, 900), at(659, 900), at(719, 1_800), at(1_319, 1_800), at(1_379, 2_000)]
    assert told(drive) == [(0, 0, 719, 0, 1_800, 0, None), (1_319, 1_319, 1_379, 0, 200, 0, None)]
    assert len(told(drive, stop_s=300)) == 3


def test_metres_driven_unseen_are_no_functions_and_lie_just_before_they_are_seen() -> None:
    parked = [at(0, 0), at(60, 900, "pilot"), at(50_000, 6_900), at(50_060, 7_800, "pilot")]
    assert told(parked) == [
        (0, 0, 60, 0, 900, 0, None),
        (49_400, 49_400, 50_000, 0, 6_000, 0, None),
        (49_400, 50_000, 50_060, 1, 900, 900, "pilot"),
    ]


def test_a_gap_that_the_metres_fill_ends_no_trip() -> None:
    tunnel = [at(0, 0), at(60, 1_500), at(960, 24_000), at(1_020, 25_500)]
    assert told(tunnel) == [(0, 0, 1_020, 0, 25_500, 0, None)]


def test_an_odometer_that_falls_begins_a_new_trip() -> None:
    drive = [at(0, 5_000), at(60, 6_000), at(120, 10), at(180, 700)]
    done = assemble(VIN, CarState(), drive, finish=True)
    assert done.resets == 1
    assert [piece.segment.distance_m for piece in done.pieces] == [1_000, 690]
    assert len({piece.segment.trip for piece in done.pieces}) == 2


def test_counters_energy_software_and_place() -> None:
    first = {"energy_wh": 1_000, "driver_overrides": 5, "software": "a", "level": 2}
    drive = [
        at(0, 0, "pilot", **first, latitude=39.9, longitude=116.4),
        at(60, 900, energy_wh=1_200, driver_overrides=7, system_deactivations=3),
        at(120, 1_800, energy_wh=1_250, system_deactivations=4, software="b"),
        at(180, 2_700, energy_wh=1_240, driver_overrides=0),
    ]  # fmt: skip
    done = assemble(VIN, CarState(), drive, finish=True)
    one, two = (piece.segment for piece in done.pieces)
    assert (one.software, one.level, one.driver_overrides, one.system_deactivations) == ("a", 2, 2, 1)
    assert one.energy_wh == 250
    assert (two.software, two.driver_overrides, two.energy_wh) == ("b", 0, None)
    assert (one.odometer_m, two.odometer_m) == (1_800, 2_700)
    assert (done.pieces[0].latitude, done.pieces[0].longitude) == (39.9, 116.4)


def test_a_trip_is_told_once_it_is_over() -> None:
    begun = assemble(VIN, CarState(), [at(0, 0), at(60, 900)])
    assert begun.pieces == ()
    still = assemble(VIN, begun.state, [at(659, 900)])
    assert still.pieces == ()
    over = assemble(VIN, still.state, [at(660, 900)])
    assert [_short(piece.segment) for piece in over.pieces] == [(0, 0, 60, 0, 900, 0, None)]
    assert over.state.open == ()
    assert assemble(VIN, over.state, [], finish=True).pieces == ()


def test_what_is_late_or_comes_again_is_harmless() -> None:
    drive = [at(0, 0), at(60, 900), at(120, 1_800), at(900, 1_800), at(960, 2_700)]
    done = assemble(VIN, CarState(), drive)
    assert [piece.segment.distance_m for piece in done.pieces] == [1_800]
    again = assemble(VIN, done.state, [*drive, at(30, 450, "pilot")])
    assert again.pieces == ()
    assert again.late == 5
    assert again.state == done.state
    late_but_open = assemble(VIN, done.state, [at(930, 2_200), at(2_000, 2_700)])
    assert [piece.segment.distance_m for piece in late_but_open.pieces] == [900]


def test_a_car_that_stands_for_days_keeps_one_sample() -> None:
    state = CarState()
    for hour in range(100):
        state = assemble(VIN, state, [at(3_600 * hour, 7_000)]).state
    assert state == CarState(base=at(3_600 * 99, 7_000))


def test_cars_that_never_say_their_odometer_make_no_trips() -> None:
    assert told([at(0, None, "pilot"), at(60, None, "")]) == []


# --- laws ---


@st.composite
def drives(draw: st.DrawFn) -> list[Sample]:
    """A drive with stops and gaps, the odometer never falling."""
    time = odometer = 0
    out = []
    for _ in range(draw(st.integers(1, 25))):
        time += draw(st.sampled_from((1, 30, 60, 300, 599, 600, 601, 4_000)))
        odometer += draw(st.sampled_from((0, 0, 1, 900, 5_000)))
        function = draw(st.sampled_from((None, "", "pilot", "parking")))
        out.append(at(time, draw(st.sampled_from((odometer, odometer, None))), function))
    return out


def _all(parts: Sequence[Sequence[Sample]]) -> tuple[list[TripSegment], list[Assembled]]:
    state = CarState()
    done = []
    for part in parts:
        done.append(assemble(VIN, state, part))
        state = done[-1].state
    done.append(assemble(VIN, state, [], finish=True))
    return [piece.segment for each in done for piece in each.pieces], done


@settings(max_examples=40)
@given(drives())
def test_the_metres_are_the_odometers(drive: list[Sample]) -> None:
    said = [sample.odometer_m for sample in drive if sample.odometer_m is not None]
    segments, _ = _all([drive])
    assert sum(one.distance_m for one in segments) == (said[-1] - said[0] if said else 0)
    assert all(one.assisted_m in (0, one.distance_m) for one in segments)
    for one, two in pairwise(segments):
        assert one.start < one.end <= two.start
        assert (one.trip, one.segment) < (two.trip, two.segment)
        assert one.trip != two.trip or two.segment == one.segment + 1


@settings(max_examples=40)
@given(drives(), st.randoms(use_true_random=False))
def test_it_does_not_matter_how_samples_are_cut_shuffled_and_doubled(
    drive: list[Sample], dice: random.Random
) -> None:
    whole, _ = _all([drive])
    cuts = sorted(dice.sample(range(len(drive) + 1), min(3, len(drive))))
    parts = [drive[one:two] for one, two in zip([0, *cuts], [*cuts, len(drive)], strict=True)]
    assert _all(parts)[0] == whole
    messy = [dice.sample(part, len(part)) + dice.sample(part, len(part) // 2) for part in parts]
    assert _all(messy)[0] == whole
    assert _all([[*drive, *drive]])[0] == whole


@settings(max_examples=40)
@given(drives())
def test_what_was_told_is_not_told_again(drive: list[Sample]) -> None:
    segments, done = _all([drive, drive, drive])
    assert len({(one.trip, one.segment) for one in segments}) == len(segments)
    assert done[1].pieces == done[2].pieces == ()
