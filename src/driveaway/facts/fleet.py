"""What the fleet needs of ``launch.toml``: driving functions, where data stays, what is plausible."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from driveaway.facts.duties import Duty
from driveaway.facts.incidents import Country
from driveaway.facts.planning import Table
from driveaway.facts.trips import Level

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]


class DrivingFunction(Table, frozen=True, kw_only=True):
    """A function that drives or parks, as cars name it in what they report."""

    name: Annotated[str, Meta(description="as cars report it", pattern="^[a-z][a-z0-9_]*$")]
    name_zh: Annotated[str | None, Meta(description="its name in Chinese")] = None
    said: Annotated[str | None, Meta(description="in words")] = None
    level: Annotated[Level | None, Meta(description="its SAE level (J3016), for rows that report none")] = (
        None
    )
    trims: Annotated[tuple[str, ...], Meta(description="trims equipped for it; none listed: all")] = ()


class Plausible(Table, frozen=True, kw_only=True):
    """What a report may say; what lies beyond is put into quarantine with its reason."""

    speed_kmh: Annotated[
        Positive, Meta(description="highest mean speed of a segment or between two odometer readings, km/h")
    ] = 250
    trip_hours: Annotated[
        Positive, Meta(description="longest segment, hours; one that is longer was not ended")
    ] = 24
    energy_wh_per_km: Annotated[
        Positive, Meta(description="highest energy beside 5 kWh, drawn or recovered, Wh/km")
    ] = 1_000
    clock_seconds: Annotated[
        Positive, Meta(description="how far a car's clock may be ahead of the server's, seconds")
    ] = 300
    late_days: Annotated[Positive, Meta(description="how long after its end a segment may arrive, days")] = (
        400
    )


class Fleet(Table, frozen=True, kw_only=True):
    """What cars report, and how it is taken in and counted."""

    functions: Annotated[
        tuple[DrivingFunction, ...],
        Meta(description="driving functions that cars may report; none listed: any"),
    ] = ()
    residency: Annotated[
        str | None,
        Meta(description="region that the trips may not leave without an assessment, ISO 3166-1 alpha-2"),
    ] = None
    delivered_only: Annotated[
        bool, Meta(description="trips of cars that were not handed over are put aside until they are")
    ] = True
    suppress_under: Annotated[
        NotNegative, Meta(description="cells and cities with fewer cars are not shown in public")
    ] = 5
    plausible: Annotated[Plausible, Meta(description="what a report may say")] = Plausible()
    countries: Annotated[
        tuple[Country, ...],
        Meta(
            description="countries whose regular reports are due, ISO 3166-1 alpha-2; duties about an"
            " incident follow from where it happened"
        ),
    ] = ()
    duties: Annotated[
        tuple[Duty, ...], Meta(description="duties to report, beside or instead of the packaged ones")
    ] = ()
