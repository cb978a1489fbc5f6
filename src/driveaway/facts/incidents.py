"""Kinds about incidents of cars: what happened (subject: VIN), reports to authorities, legal holds.

An incident's facts have the car's VIN as their subject, so that erasing the car shreds what is personal in
them, and are found by the incident's slug as well. A correction is a fact that replaces the first one, as
everywhere in the book.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from driveaway.facts.base import Body, Name, Province, Text
from driveaway.facts.trips import Level

Outcome = Literal[
    "fatality",
    "hospital",
    "injury",
    "vulnerable_road_user",
    "airbag_deployed",
    "fire",
    "crash",
    "tow_away",
    "property_damage",
    "function_failed",
]
"""What an incident came to. ``hospital``: somebody was taken to one for treatment; ``function_failed``: a
driving function failed and ended by that, with or without a crash."""

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""From the gravest down."""

State = Literal["engaged", "overridden", "deactivated", "off"]
"""What a function was doing: driving; taken over by the driver; ended by itself; not in use."""

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Cell = Annotated[str, Meta(pattern="^-?[0-9]{1,2}\\.[0-9],-?[0-9]{1,3}\\.[0-9]$")]
"""A cell of a tenth of a degree by its south-west corner, WGS-84: ``39.9,116.4``."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    pass


class FunctionState(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """What a driving function did from a moment before the incident on, until its next entry.

    Attributes:
        second: whole seconds before the incident began, 30 to 0.
        function: as cars name it.
        state: ``overridden`` (by the driver) and ``deactivated`` (by the system itself) are never mixed.
        level: its SAE level (J3016) while engaged.
    """

    second: Annotated[int, Meta(ge=0, le=30)]
    function: Name
    state: State
    level: Level | None = None


class IncidentReported(Body, frozen=True, kw_only=True):
    """A car was in an incident. Subject: VIN.

    Attributes:
        incident: its slug, of its own for each car.
        outcomes: all that it came to.
        country: where it happened, by which duties to report are found.
        province, city, cell: where, never nearer than a cell of a tenth of a degree.
        learned: when the maker learned of it, microseconds since 1970 UTC; None: not said.
        states: what the driving functions did in the 30 seconds before; none: not known.
        speed: band of the speed at its beginning, km/h.
        software: release or version that the car ran.
        origin: who told of it.
        narrative: what happened, without names, plates or addresses.
    """

    personal = frozenset({"city", "cell", "narrative"})

    incident: Name
    outcomes: Annotated[tuple[Outcome, ...], Meta(min_length=1)]
    country: Country
    province: Province | None = None
    city: Name | None = None
    cell: Cell | None = None
    learned: int | None = None
    states: tuple[FunctionState, ...] = ()
    speed: Literal["standing", "under_30", "30_to_60", "60_to_90", "90_to_120", "over_120"] | None = None
    software: Name | None = None
    origin: Literal["car", "driver", "service", "police", "authority", "press", "other"] = "other"
    narrative: Text | None = None


class IncidentFiled(Body, frozen=True, kw_only=True):
    """A duty to report an incident was met, or does not apply. Subject: slug of the incident.

    ``not_needed`` says that the duty was looked into and asks for nothing; ``reason`` then says why.
    """

    duty: Name
    outcome: Literal["filed", "not_needed"] = "filed"
    reference: Name | None = None
    reason: Text | None = None
    by: Name | None = None


class HoldPlaced(Body, frozen=True, kw_only=True):
    """Nothing about the subject is erased until the hold is lifted. Subject: VIN, order, slug of an incident.

    A subject may be held for several matters, each lifted by itself.
    """

    matter: Name
    reason: Text
    by: Name | None = None


class HoldLifted(Body, frozen=True, kw_only=True):
    """A hold ended. Subject: that of the hold."""

    matter: Name
    reason: Text
    by: Name | None = None


class TransferAssessed(Body, frozen=True, kw_only=True):
    """Data may leave a region for another. Subject: slug of the assessment.

    Attributes:
        from_region, to_region: ISO 3166-1 alpha-2.
        what: what may be exported.
        identified: whether it may carry VINs.
        legal_basis: law and paragraph, or the contract.
        valid_until: last day on which it holds.
        by: who assessed it.
    """

    from_region: Country
    to_region: Country
    what: Annotated[tuple[Name, ...], Meta(min_length=1)]
    identified: bool = False
    legal_basis: Text
    valid_until: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    by: Name
