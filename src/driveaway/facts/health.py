"""How a car did with a release: a landed table, one row for each car, window and signal that is watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from driveaway.facts.base import Count, PlainName

Signal = Literal[
    "install_failed",
    "silent",
    "fallback",
    "trouble_code",
    "system_deactivation",
    "driver_override",
    "emergency_braking",
    "airbag_deployed",
    "crash",
    "fire",
    "loss_of_control",
    "unintended_motion",
]
"""What is watched. The closed list: whoever lands a row uses one of these names."""

SIGNALS: Final[tuple[Signal, ...]] = get_args(Signal)

SAFETY_SIGNALS: Final[tuple[Signal, ...]] = (
    "airbag_deployed",
    "crash",
    "fire",
    "loss_of_control",
    "unintended_motion",
)
"""Events that a person looks at, one by one."""

VSS: Final[Mapping[Signal, str]] = {
    "trouble_code": "Vehicle.Diagnostics.DTCCount",
    "system_deactivation": "Vehicle.ADAS.ActiveAutonomyLevel",
    "emergency_braking": "Vehicle.ADAS.EBA.IsEngaged",
    "airbag_deployed": "Vehicle.Cabin.Seat.Row1.DriverSide.Airbag.IsDeployed",
}
"""The signal of COVESA's Vehicle Signal Specification that is read, where there is one.

A trouble code is a rise of the count; a deactivation is a fall of the active level (through
``SAE_2_DISENGAGING`` and its like) that the driver did not ask for; any seat's airbag counts. The others
have no name there: what a driver took over, and what the installer says.
"""

_Instant = Annotated[int, Meta(ge=-(2**62), le=2**62)]


class CarHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What one car did in one window, as far as one signal goes.

    A row with count 0 says that the signal was watched and nothing happened; no row says nothing.

    Attributes:
        vin: the car.
        release: the release that it ran at the window's end.
        start, end: the window, microseconds since 1970 UTC, ``end`` excluded; equal for a moment.
            Windows of one source have one length and start at its multiples.
        signal: what was watched.
        count: how often it happened.
        exposure_m: metres driven in the window.
        assisted_m: metres of them with driving assistance active.
        simulated: whether it was made up by a simulation.
    """

    vin: PlainName
    release: PlainName
    start: _Instant
    end: _Instant
    signal: Signal
    count: Count
    exposure_m: Count = 0
    assisted_m: Count = 0
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("the window ends before it starts")
        if self.assisted_m > self.exposure_m:
            raise ValueError("more metres were driven with assistance than in all")
