"""No gate ends a session: only the driver, the ODD logic or the ignition does."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from driveaway.updates.gates.expression import Gate
from driveaway.updates.gates.judging import CarState
from driveaway.updates.gates.making import policy_of
from driveaway.updates.gates.policy import Policy
from driveaway.updates.gates.position import SECOND, Fix, Limits, Track, follow, metres
from driveaway.updates.gates.session import Availability, By, Session, Sight, Standing, State, plausible_time
from driveaway.updates.gates.text import parse
from driveaway.updates.places.place import SCALE, Place, units
from driveaway.values.errors import Refused

# Two squares of about 11 km side by side, one opened later; the gap of a third lies beyond.
WEST = tuple((units(x), units(y)) for x, y in ((100.0, 30.0), (100.1, 30.0), (100.1, 30.1), (100.0, 30.1)))
EAST = tuple((units(x), units(y)) for x, y in ((100.1, 30.0), (100.2, 30.0), (100.2, 30.1), (100.1, 30.1)))
GIVEN = {
    "city:west": Place(code="city:west", polygons=((WEST,),)),
    "city:east": Place(code="city:east", polygons=((EAST,),)),
}
WEST_ONLY = parse("place in [city:west] and software.vehicle >= 2 and from 1970-01-01T00:00:01Z")
BOTH = parse("place in [city:west, city:east] and software.vehicle >= 2")
GOOD = CarState(software={"vehicle": "2.1"}, now=5 * SECOND)


def policy(gate: Gate = WEST_ONLY, **limits: int) -> Policy:
    return policy_of("city_navigation", gate, GIVEN, Limits(**limits))


def fix(lon: float, lat: float, at: float, odometer: float = 0.0, **more: float) -> Fix:
    values: dict[str, float] = {"accuracy": 5.0, **more}
    return Fix(x=units(lon), y=units(lat), at=int(at * SECOND), odometer=odometer, **values)  # type: ignore[arg-type]


def sight(
    found: Fix | None, car: CarState = GOOD, standing: Standing = "valid", at: float = 0, odometer: float = 0
) -> Sight:
    if found is not None:
        return Sight(car=car, at=found.at, odometer=found.odometer, fix=found, standing=standing)
    return Sight(car=car, at=int(at * SECOND), odometer=odometer, standing=standing)


class Driving(RuleBasedStateMachine):
    """Everything that can happen to a car, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.session, self.before = Session(), Session()
        self.ended_by: By | None = None
        self.time, self.odometer = 0.0, 0.0
        self.at = (100.05, 30.05)

    @initialize()
    def start(self) -> None:
        self.availability = Availability(policy())
        self.see(found=self.fix(), driver=True)
        assert self.session.on

    def see(
        self,
        car: CarState = GOOD,
        standing: Standing = "valid",
        found: Fix | None = None,
        driver: bool = False,
    ) -> None:
        seen = sight(found, car, standing, self.time, self.odometer)
        self.before, self.ended_by = self.session, None
        if not driver:
            self.session = self.availability.observe(self.session, seen)
            return
        try:
            self.session = self.availability.activate(self.session, seen)
        except Refused:
            assert not self.session.on
        else:
            assert self.session.on

    def fix(self, **more: float) -> Fix:
        return fix(*self.at, self.time, self.odometer, **more)

    @rule(east=st.floats(-0.02, 0.02), north=st.floats(-0.02, 0.02), heading=st.none() | st.floats(0, 360))
    def drives(self, east: float, north: float, heading: float | None) -> None:
        self.at = self.at[0] + east, self.at[1] + north
        way = math.hypot(east, north) * 112_000
        self.time += way / 20 + 1
        self.odometer += way
        self.see(found=replace(self.fix(speed=20.0), heading=heading))

    @rule(
        lon=st.floats(-180, 180),
        lat=st.floats(-90, 90),
        accuracy=st.sampled_from((3.0, 50.0, 1e6)),
        back=st.floats(-100, 100),
    )
    def satellites_jump(self, lon: float, lat: float, accuracy: float, back: float) -> None:
        self.time += 1
        self.see(found=fix(lon, lat, self.time - back, self.odometer, accuracy=accuracy, speed=30.0))

    @rule(seconds=st.floats(0, 1e5), way=st.floats(0, 1e5))
    def drives_without_satellites(self, seconds: float, way: float) -> None:
        self.time, self.odometer = self.time + seconds, self.odometer + way
        self.see()

    @rule(standing=st.sampled_from(("expired", "withdrawn", "unverified")))
    def metadata_fails(self, standing: Standing) -> None:
        self.time += 1
        self.see(standing=standing, found=self.fix())

    @rule(now=st.none() | st.integers(0, 2**53))
    def clock_jumps(self, now: int | None) -> None:
        self.time += 1
        self.see(car=replace(GOOD, now=now), found=self.fix())

    @rule(version=st.none() | st.sampled_from(("1.0", "2.0", "nonsense")))
    def software_changes(self, version: str | None) -> None:
        self.time += 1
        self.see(car=replace(GOOD, software={"vehicle": version} if version else {}), found=self.fix())

    @rule(
        which=st.sampled_from((None, policy(), policy(BOTH), policy(parse("never")), policy(grace_metres=0)))
    )
    def another_policy(self, which: Policy | None) -> None:
        self.availability = Availability(which)
        self.time += 1
        self.see(found=self.fix())

    @rule()
    def driver_switches_on(self) -> None:
        self.time += 1
        self.see(found=self.fix(), driver=True)

    @rule(by=st.sampled_from(("driver", "odd", "ignition")))
    def ended(self, by: By) -> None:
        self.before, self.ended_by = self.session, by
        self.session = self.availability.end(self.session, by)

    @invariant()
    def only_who_may_end_it_ended_it(self) -> None:
        if self.before.on and not self.session.on:
            assert self.ended_by is not None
            assert self.session.ended == self.ended_by
        if self.ended_by is not None:
            assert not self.session.on
        assert (self.session.state is State.LEAVING) == (self.session.leaving is not None)
        if not self.session.on:
            assert (self.session.state is State.AVAILABLE) == self.session.verdict.eligible


Driving.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDriving = Driving.TestCase


def on(availability: Availability, found: Fix) -> Session:
    session = availability.activate(Session(), sight(found))
    assert session.on
    return session


def test_a_function_is_switched_on_only_where_its_gate_is_open() -> None:
    availability = Availability(policy())
    outside = sight(fix(100.5, 30.05, 1))
    session = availability.observe(Session(), outside)
    assert session.state is State.UNAVAILABLE
    with pytest.raises(Refused, match=r"needs place in \[city:west\]; has a position outside"):
        availability.activate(session, outside)
    with pytest.raises(Refused, match="unknown: needs place"):
        availability.activate(Session(), sight(None))
    with pytest.raises(Refused, match="needs a policy"):
        Availability(None).activate(Session(), outside)
    inside = sight(fix(100.05, 30.05, 1))
    assert availability.observe(Session(), inside).state is State.AVAILABLE
    session = availability.activate(Session(), inside)
    assert session.state is State.ACTIVE
    assert availability.activate(session, inside).on
    assert availability.end(session, "driver").state is State.AVAILABLE
    assert availability.end(Session(), "driver").ended is None


@pytest.mark.parametrize("standing", ["expired", "withdrawn", "unverified"])
def test_what_fails_around_a_session_shuts_the_next_one_only(standing: Standing) -> None:
    availability = Availability(policy())
    session = on(availability, fix(100.05, 30.05, 1))
    session = availability.observe(session, sight(fix(100.05, 30.05, 2), standing=standing))
    assert session.state is State.ACTIVE
    assert session.verdict.first is not None
    assert session.verdict.first.code == f"gate.{standing}"
    session = availability.end(session, "odd")
    assert session.state is State.UNAVAILABLE
    with pytest.raises(Refused, match=standing):
        availability.activate(session, sight(fix(100.05, 30.05, 3), standing=standing))


def test_leaving_is_announced_ahead_and_taken_back() -> None:
    availability = Availability(policy(announce_metres=1000, announce_seconds=60))
    session = on(availability, fix(100.05, 30.05, 1, heading=90.0, speed=10.0))
    assert session.state is State.ACTIVE
    near = fix(100.093, 30.05, 400, 4200, heading=90.0, speed=10.0)
    session = availability.observe(session, sight(near))
    assert session.state is State.LEAVING
    assert session.leaving is not None
    # 0.007 degrees east at 30.05° N, less 5 m of accuracy; the ray straight ahead is the shortest.
    assert session.leaving.metres == pytest.approx(0.007 * 111_195 * math.cos(math.radians(30.05)) - 5, abs=1)
    assert session.leaving.seconds == pytest.approx(session.leaving.metres / 10)
    back = replace(near, at=near.at + SECOND, heading=270.0)
    assert availability.observe(session, sight(back)).state is State.ACTIVE
    unknown = replace(near, at=near.at + SECOND, heading=None)
    assert availability.observe(session, sight(unknown)).leaving is not None
    fast = fix(100.06, 30.05, 90, 1000, heading=90.0, speed=70.0)
    assert availability.observe(on(availability, fix(100.05, 30.05, 1)), sight(fast)).state is State.LEAVING


def test_beyond_the_border_it_is_still_on_and_says_so() -> None:
    availability = Availability(policy())
    session = on(availability, fix(100.095, 30.05, 1))
    session = availability.observe(session, sight(fix(100.105, 30.05, 60, 1000, speed=20.0)))
    assert session.state is State.LEAVING
    assert session.leaving is not None
    assert session.leaving.metres == 0
    assert availability.end(session, "odd").state is State.UNAVAILABLE


def test_without_satellites_leaving_is_announced_by_the_wheels() -> None:
    availability = Availability(policy(announce_metres=1000, grace_metres=3000))
    session = on(availability, fix(100.08, 30.05, 1, heading=90.0, speed=10.0))
    assert session.state is State.ACTIVE
    session = availability.observe(session, sight(None, at=90, odometer=1000))
    assert session.leaving is not None
    assert session.leaving.metres == pytest.approx(
        0.02 * 111_195 * math.cos(math.radians(30.05)) - 1005, abs=1
    )


def test_a_border_between_two_opened_places_is_none() -> None:
    near = fix(100.095, 30.05, 1, heading=90.0, speed=10.0)
    assert on(Availability(policy()), near).state is State.LEAVING
    assert on(Availability(policy(BOTH)), near).state is State.ACTIVE


def test_a_clock_that_fails_announces_no_border() -> None:
    availability = Availability(policy())
    session = on(availability, fix(100.05, 30.05, 1))
    session = availability.observe(session, sight(fix(100.05, 30.05, 2), replace(GOOD, now=0)))
    assert session.state is State.ACTIVE
    assert not session.verdict.eligible


@given(st.floats(0, 360), st.floats(100.001, 100.099), st.floats(30.001, 30.099))
def test_the_announced_distance_is_never_longer_than_the_way(heading: float, lon: float, lat: float) -> None:
    availability = Availability(policy(announce_metres=50_000))
    here = fix(lon, lat, 1, heading=heading)
    session = on(availability, here)
    assert session.leaving is not None
    # Straight ahead in small steps until outside.
    step = 20.0
    for count in range(1, 1000):
        north = count * step * math.cos(math.radians(heading)) / 111_195
        east = count * step * math.sin(math.radians(heading)) / 111_195 / math.cos(math.radians(lat))
        if not (100.0 <= lon + east < 100.1 and 30.0 <= lat + north < 30.1):
            assert session.leaving.metres <= count * step
            break
    else:
        pytest.fail("the square is smaller than that")


def test_a_jump_is_not_believed_until_fixes_agree_for_a_while() -> None:
    limits = Limits()
    track = follow(Track(), fix(100.05, 30.05, 0), limits)
    away = follow(track, fix(101.0, 30.05, 1), limits)
    assert away.trusted == track.trusted
    assert away.position(2 * SECOND, 0, limits) == (units(100.05), units(30.05))
    for second in range(2, 61):
        away = follow(away, fix(101.0, 30.05, second), limits)
        assert away.trusted == track.trusted
    away = follow(away, fix(101.0, 30.05, 61), limits)
    assert away.trusted is not None
    assert away.trusted.x == units(101.0)
    # Back before it settled: nothing happened.
    back = follow(follow(track, fix(101.0, 30.05, 1), limits), fix(100.05, 30.05, 2), limits)
    assert back.trusted is not None
    assert back.elsewhere is None


def test_the_wheels_speak_against_a_jump_that_time_allows() -> None:
    limits = Limits()
    parked = follow(Track(), fix(100.05, 30.05, 0), limits)
    later = fix(100.06, 30.05, 3600)
    assert metres(fix(100.05, 30.05, 0), later) == pytest.approx(962, abs=2)
    assert follow(parked, later, limits).trusted == parked.trusted
    assert follow(parked, replace(later, odometer=980), limits).elsewhere is None


def test_grace_is_bounded_in_distance_and_time() -> None:
    limits = Limits(grace_metres=1000, grace_seconds=120)
    track = follow(Track(), fix(100.05, 30.05, 0, 500), limits)
    assert track.position(120 * SECOND, 1500, limits) is not None
    assert track.position(121 * SECOND, 500, limits) is None
    assert track.position(1 * SECOND, 1501, limits) is None
    assert track.position(-1, 500, limits) is None
    assert Track().position(0, 0, limits) is None


@pytest.mark.parametrize(
    "wrong",
    [
        fix(100.05, 30.05, 1, accuracy=101.0), fix(100.05, 30.05, 1, accuracy=math.nan),
        fix(100.05, 30.05, 1, math.nan), fix(100.05, 30.05, 1, heading=math.inf),
        fix(100.05, 30.05, 1, speed=math.nan), replace(fix(100.05, 30.05, 1), x=181 * SCALE),
    ],
)  # fmt: skip
def test_a_fix_that_is_none_is_not_used(wrong: Fix) -> None:
    assert follow(Track(), wrong, Limits()) == Track()


def test_an_older_fix_is_not_used() -> None:
    track = follow(Track(), fix(100.05, 30.05, 5), Limits())
    assert follow(track, fix(100.06, 30.05, 5, 1000), Limits()) == track


def test_a_clock_before_signed_time_is_not_believed() -> None:
    assert plausible_time(5, 4) == 5
    assert plausible_time(5, None) == 5
    assert plausible_time(3, 4) is None
    assert plausible_time(None, 4) is None
