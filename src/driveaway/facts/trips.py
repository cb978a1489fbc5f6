"""What cars report of their drives: a landed table, one row for each segment of a trip; kinds about batches.

A trip is what a car drives between two stops; a segment is a stretch of it with one driving function,
one software and one city. A trip without assistance is one segment. Rows are immutable and known by
(``vin``, ``trip``, ``segment``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from driveaway.facts.base import Body, Count, Day, Name, Text

Level = Annotated[int, Meta(ge=0, le=5)]
"""SAE level of driving automation (SAE J3016)."""
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal digits."""

VSS: Final[Mapping[str, str]] = {
    "vin": "Vehicle.VehicleIdentification.VIN",
    "start": "Vehicle.StartTime",
    "duration_s": "Vehicle.TripDuration",
    "distance_m": "Vehicle.TraveledDistanceSinceStart",
    "odometer_m": "Vehicle.TraveledDistance",
    "level": "Vehicle.ADAS.ActiveAutonomyLevel",
}
"""Column → signal of COVESA's Vehicle Signal Specification 6, read when a trip has ended.

``StartTime`` is an ISO 8601 text in UTC, ``TripDuration`` in seconds (float), both distances in whole metres
(uint32), ``ActiveAutonomyLevel`` a text such as ``SAE_2`` or ``SAE_2_DISENGAGING``. Start, duration and
distance are the whole trip's: a trip of several segments needs the overlay. There is no standard signal for
a trip's energy: ``TractionBattery.AccumulatedConsumedEnergy`` is the battery's whole life in kWh, and
nothing that was recovered is taken off.
"""

OVERLAY: Final[Mapping[str, str]] = {
    "trip": "Vehicle.Driveaway.Trip.Number",
    "segment": "Vehicle.Driveaway.Trip.Segment.Number",
    "start": "Vehicle.Driveaway.Trip.Segment.StartTime",
    "duration_s": "Vehicle.Driveaway.Trip.Segment.Duration",
    "distance_m": "Vehicle.Driveaway.Trip.Segment.Distance",
    "assisted_m": "Vehicle.Driveaway.Trip.Segment.AssistedDistance",
    "function": "Vehicle.Driveaway.Trip.Segment.Function",
    "level": "Vehicle.Driveaway.Trip.Segment.AutonomyLevel",
    "driver_overrides": "Vehicle.Driveaway.Trip.Segment.DriverOverrideCount",
    "system_deactivations": "Vehicle.Driveaway.Trip.Segment.SystemDeactivationCount",
    "energy_wh": "Vehicle.Driveaway.Trip.Segment.Energy",
    "latitude": "Vehicle.Driveaway.Trip.Segment.StartLatitude",
    "longitude": "Vehicle.Driveaway.Trip.Segment.StartLongitude",
    "software": "Vehicle.Driveaway.SoftwareVersion",
}
"""Column → signal of the overlay for what the standard has no name for (``driveaway.vspec``)."""


class TripSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One segment of a trip, as a car reports it.

    Attributes:
        vin: the car.
        trip: the car's own counter of trips, or any other number that it never uses again.
        segment: within the trip, from 0.
        start, end: microseconds since 1970 UTC, ``end`` excluded.
        distance_m: metres driven.
        assisted_m: metres of them with ``function`` engaged.
        function: driving function that was used; None: none.
        level: SAE level of the function while engaged; None where no function was used.
        driver_overrides: times that the driver took over from the engaged function.
        system_deactivations: times that the function ended by itself.
        energy_wh: net energy drawn from the battery; None: not reported; below 0: more was recovered.
        odometer_m: metres in the car's life at the segment's end; None: not reported.
        software: release or version that the car ran; None: not reported.
        city: where it began, by name; None: not reported.
        cell: where it began, as a cell of a tenth of a degree such as ``39.9,116.4``; None: not kept.
        simulated: whether it was made up by a simulation.
    """

    vin: str
    trip: int
    start: int
    end: int
    distance_m: int
    segment: int = 0
    assisted_m: int = 0
    function: str | None = None
    level: int | None = None
    driver_overrides: int = 0
    system_deactivations: int = 0
    energy_wh: int | None = None
    odometer_m: int | None = None
    software: str | None = None
    city: str | None = None
    cell: str | None = None
    simulated: bool = False


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    pass


class TripFile(_Part, frozen=True, kw_only=True):
    """A Parquet file of trips that began on one local day.

    ``file`` is its path below the folder of trips, ``DAY/NAME.parquet``. Batches that arrived together may
    share a file: the rows of this one are ``rows`` from ``first`` on.
    """

    day: Day
    file: Name
    rows: Count
    sha256: Digest
    first: Count = 0


class Quarantined(_Part, frozen=True, kw_only=True):
    """So many rows of a batch were put aside for one reason (its stable code)."""

    code: Name
    rows: Count


class TripsLanded(Body, frozen=True, kw_only=True):
    """A batch of trips was taken in whole. Subject: slug of the batch; happened: start of its earliest trip.

    Attributes:
        door: by which it came.
        origin: file name, device or topic.
        sha256: digest of what was sent, by which a batch that is sent again is known.
        files: where the accepted rows are; none when none was accepted.
        rows: accepted.
        repeated: rows that were there already with the same content.
        quarantined: rows put aside, by reason.
        residency: region in which the data stays.
    """

    door: Literal["file", "http", "mqtt", "quarantine", "demo"]
    origin: Name | None = None
    sha256: Digest | None = None
    files: tuple[TripFile, ...] = ()
    rows: Count = 0
    repeated: Count = 0
    quarantined: tuple[Quarantined, ...] = ()
    residency: Name | None = None


class TripsCompacted(Body, frozen=True, kw_only=True):
    """Files of one local day were replaced by one that holds the same rows, each with its batch's seq."""

    local_day: Day
    replaced: tuple[Name, ...]
    files: tuple[TripFile, ...]


class QuarantineSettled(Body, frozen=True, kw_only=True):
    """Rows of a batch left the quarantine. Subject: slug of the batch.

    ``released`` rows were landed, or were there already; ``discarded`` rows are given up.
    """

    outcome: Literal["released", "discarded"]
    code: Name
    rows: Count
    reason: Text | None = None
    by: Name | None = None
