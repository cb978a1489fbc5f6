"""Whether a position may be believed: a jump that no car can make is not.

A fix is plausible after another when the straight way between them is no longer than the car can have gone:
at the highest speed in the time between, and by the wheels. One that is not stays untrusted until fixes
have agreed with each other for a while at the new place (a ferry, a train, a garage left by lorry). While
nothing is trusted, the last trusted position stands for the next activation, within a grace distance and
time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from driveaway.updates.places.place import SCALE

METRES_A_DEGREE: Final = 6_371_008.8 * math.pi / 180
"""On the sphere of the mean radius (R1 of GRS 80; H. Moritz, *Journal of Geodesy* 74, 2000)."""
METRES_A_UNIT: Final = METRES_A_DEGREE / SCALE
SECOND: Final = 1_000_000
_Metres = Annotated[int, Meta(ge=0, le=1_000_000)]
_Seconds = Annotated[int, Meta(ge=0, le=86_400)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Numbers that an availability policy carries.

    Attributes:
        accuracy_metres: a fix that is less accurate is not used.
        speed: no car goes faster, m/s.
        wheels_percent: the wheels may show so much less than the way driven (tyres, slip).
        slack_metres: a jump of so much is believed whatever the wheels show.
        settle_seconds: fixes that agree for so long at a new place are believed.
        grace_metres: so far may be driven since the last trusted position.
        grace_seconds: so old may it be.
        announce_metres: leaving is announced so far ahead.
        announce_seconds: or so long ahead, whichever comes first.
    """

    accuracy_metres: _Metres = 100
    speed: Annotated[int, Meta(ge=1, le=200)] = 80
    wheels_percent: Annotated[int, Meta(ge=0, le=100)] = 10
    slack_metres: _Metres = 50
    settle_seconds: _Seconds = 60
    grace_metres: _Metres = 1000
    grace_seconds: _Seconds = 120
    announce_metres: _Metres = 1000
    announce_seconds: _Seconds = 60


@dataclass(frozen=True, kw_only=True)
class Fix:
    """One position as the receiver gives it.

    Attributes:
        x: longitude, units of 1e-7 degrees, WGS-84.
        y: latitude alike.
        accuracy: radius that holds the true position (95%), m.
        at: time of the fix on a clock that never jumps, microseconds since any moment.
        odometer: reading of the wheels at that time, m.
        heading: direction of travel, degrees clockwise from north; None: unknown.
        speed: m/s.
    """

    x: int
    y: int
    accuracy: float
    at: int
    odometer: float
    heading: float | None = None
    speed: float = 0.0


@dataclass(frozen=True)
class Track:
    """What is believed of the car's way so far.

    Attributes:
        trusted: the last fix that was believed.
        elsewhere: since when fixes agree at a place that is not believed yet, and the last of them.
    """

    trusted: Fix | None = None
    elsewhere: tuple[Fix, Fix] | None = None

    def position(self, at: int, odometer: float, limits: Limits) -> tuple[int, int] | None:
        """The position that stands for an activation now; None where it is too old or too far back."""
        fix = self.trusted
        if fix is None:
            return None
        old, driven = at - fix.at, odometer - fix.odometer
        if not 0 <= old <= limits.grace_seconds * SECOND or not 0 <= driven <= limits.grace_metres:
            return None
        return fix.x, fix.y


def metres(one: Fix, two: Fix) -> float:
    """The straight way between two fixes (haversine formula)."""
    north = math.radians((two.y - one.y) / SCALE)
    east = math.radians((two.x - one.x) / SCALE)
    lift = math.cos(math.radians(one.y / SCALE)) * math.cos(math.radians(two.y / SCALE))
    chord = math.sin(north / 2) ** 2 + lift * math.sin(east / 2) ** 2
    return 2 * math.degrees(math.asin(min(1.0, math.sqrt(chord)))) * METRES_A_DEGREE


def plausible(before: Fix, after: Fix, limits: Limits) -> bool:
    """Whether a car can have come from one fix to the other."""
    seconds = (after.at - before.at) / SECOND
    driven = after.odometer - before.odometer
    if seconds < 0 or driven < 0:
        return False
    by_wheels = driven * (1 + limits.wheels_percent / 100) + limits.slack_metres
    reach = min(limits.speed * seconds, by_wheels) + before.accuracy + after.accuracy
    return metres(before, after) <= reach


def usable(fix: Fix, limits: Limits) -> bool:
    """Whether a fix is a position on Earth, whole, and accurate enough."""
    on_earth = abs(fix.x) <= 180 * SCALE and abs(fix.y) <= 90 * SCALE
    whole = all(math.isfinite(value) for value in (fix.odometer, fix.speed, fix.heading or 0.0))
    return on_earth and whole and 0 <= fix.accuracy <= limits.accuracy_metres


def follow(track: Track, fix: Fix, limits: Limits) -> Track:
    """The track after one more fix. The first usable one is believed: nothing speaks against it."""
    last = track.elsewhere[1] if track.elsewhere else track.trusted
    if not usable(fix, limits) or (last is not None and fix.at <= last.at):
        return track
    if track.trusted is None or plausible(track.trusted, fix, limits):
        return Track(trusted=fix)
    if track.elsewhere is None or not plausible(track.elsewhere[1], fix, limits):
        return replace(track, elsewhere=(fix, fix))
    first = track.elsewhere[0]
    if fix.at - first.at >= limits.settle_seconds * SECOND:
        return Track(trusted=fix)
    return replace(track, elsewhere=(first, fix))
