"""Why a row is put aside: stable codes, each with what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from driveaway.fleet.landing.loops.codes import Code


@dataclass(frozen=True)
class Why:
    """What a code means.

    Attributes:
        name: stable, dotted; scripts may rely on it.
        reason: a sentence with ``{column}`` where a row's own value belongs.
        remedy: what to do about it.
        waivable: whether a person may accept such a row all the same.
    """

    name: str
    reason: str
    remedy: str
    waivable: bool = False


LOST: Final = frozenset({
    Code.UNREADABLE, Code.MISSING, Code.TYPE, Code.TEXT, Code.NAIVE_TIME, Code.OVERFLOW, Code.POSITION,
    Code.CELL,
})  # fmt: skip
"""Rows of which something could not be kept as it was given: the sender sends them again."""


_WHY: Final[Mapping[Code, Why]] = MappingProxyType({
    Code.UNREADABLE: Why("trips.unreadable", "the row cannot be read", "send it again as documented"),
    Code.MISSING: Why("trips.missing", "{field} is missing",
                      "every row has vin, trip, start, end and distance_m"),
    Code.TYPE: Why("trips.type", "{field} is {value}, which cannot be read",
                   "whole numbers, texts, and times with an offset"),
    Code.TEXT: Why("trips.text", "{field} has more than 200 characters", "send the name alone"),
    Code.NAIVE_TIME: Why("trips.naive_time", "{field} is {value}, without an offset",
                         "add one, such as +08:00 or Z"),
    Code.TIME_RANGE: Why("trips.time_range", "from {start} to {end} microseconds since 1970 is before 2000",
                         "give microseconds since 1970 UTC; a car whose clock was not set sends it again"),
    Code.VIN_SHAPE: Why("trips.vin_shape", "{vin} is not a VIN",
                        "17 digits and capitals without I, O and Q (ISO 3779)"),
    Code.VIN_CHECK_DIGIT: Why("trips.vin_check_digit", "the check digit of {vin} is wrong",
                              "read the VIN again from the car (GB 16735, 49 CFR 565.15)"),
    Code.ENDS_BEFORE: Why("trips.ends_before_start", "it ends {before_s} s before it starts",
                          "look at the car's clock; send it again corrected"),
    Code.TOO_LONG: Why("trips.too_long", "it lasts {duration_s} s",
                       "a trip that was not ended: close it and send it again, or raise plausible.trip_hours",
                       True),
    Code.CLOCK_AHEAD: Why("trips.clock_ahead", "it ends {ahead_s} s after it arrived",
                          "the car's clock is ahead: set it; release the row once the time has come"),
    Code.IN_FUTURE: Why("trips.in_future", "it ends {ahead_s} s after it arrived",
                        "the car's clock is wrong: send it again corrected"),
    Code.TOO_LATE: Why("trips.too_late", "it ended {late_days} days before it arrived",
                       "raise plausible.late_days, or release it", True),
    Code.NEGATIVE: Why("trips.negative", "{field} is {value}, below 0",
                       "a counter that ran over: send it again corrected"),
    Code.COUNTER: Why("trips.counter", "{field} is {value}, which no such trip has",
                      "a counter that ran over or was not reset: send it again corrected", True),
    Code.OVERFLOW: Why("trips.overflow", "{field} is {value}, beyond what is counted",
                       "a counter that ran over: send it again corrected"),
    Code.ASSISTED: Why("trips.assisted_exceeds", "{assisted_m} m with a function in {distance_m} m driven",
                       "assisted_m is part of distance_m: send it again corrected"),
    Code.TOO_FAST: Why("trips.too_fast", "{distance_m} m in {duration_s} s",
                       "a jump of the distance: send it again corrected, or raise plausible.speed_kmh", True),
    Code.FUNCTION: Why("trips.unknown_function", "{function} is no function of this launch",
                       "name it under fleet.functions in launch.toml, then release the row"),
    Code.FUNCTION_MISSING: Why("trips.function_missing",
                               "{assisted_m} m with assistance, and no function is named",
                               "name the function that was engaged"),
    Code.LEVEL_MISSING: Why("trips.level_missing", "{function} without its SAE level",
                            "report the level, or give the function one in launch.toml and release the row"),
    Code.LEVEL: Why("trips.level",
                    "level {level} of {function} is not what launch.toml says, or no SAE level",
                    "0 to 5 (SAE J3016), as under fleet.functions in launch.toml"),
    Code.ENERGY: Why("trips.energy", "{energy_wh} Wh over {distance_m} m",
                     "look at its unit, which is watt-hours; or raise plausible.energy_wh_per_km", True),
    Code.POSITION: Why("trips.position", "{value} is no place on Earth",
                       "degrees, WGS-84, latitude before longitude"),
    Code.CELL: Why("trips.cell", "what stands as cell is none",
                   "the south-western corner of a tenth of a degree, such as 39.9,116.4"),
    Code.NOT_DELIVERED: Why("trips.not_delivered", "{vin} was not handed over yet",
                            "nothing: the row is released once its handover is recorded"),
    Code.ERASED: Why("trips.erased_car", "{vin} was erased",
                     "discard it; a new owner's car is accepted by releasing its rows anyway", True),
    Code.BEFORE_HANDOVER: Why("trips.before_handover",
                              "it began before the day on which {vin} was handed over",
                              "a drive of the works or of a dealer: discard it; or correct the handover",
                              True),
    Code.RESENT_DIFFERS: Why("trips.resent_differs",
                             "trip {trip}, segment {segment} was landed before with other content",
                             "find out which is right; the first one stands"),
    Code.OVERLAPS: Why("trips.overlaps", "another trip of {vin} covers part of the same time",
                       "one car drives one trip at a time: find out which is right", True),
    Code.ODOMETER_BACK: Why("trips.odometer_back", "the odometer fell to {odometer_m} m",
                            "after an exchange of the instrument release the first row; others follow", True),
    Code.ODOMETER_JUMP: Why("trips.odometer_jump",
                            "the odometer came to {odometer_m} m faster than a car drives",
                            "a jump of the odometer: send it again corrected, or release the row", True),
    Code.POSITION_JUMP: Why("trips.position_jump", "{cell} is farther than the car can have driven since",
                            "a jump of the position: send it again corrected, or release the row", True),
})  # fmt: skip

BY_NAME: Final[Mapping[str, Code]] = MappingProxyType({why.name: code for code, why in _WHY.items()})


def why(code: int) -> Why:
    """What a code means."""
    return _WHY[Code(code)]
