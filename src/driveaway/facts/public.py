"""Kinds that are public by nature: outlets, targets, claims, events, tests. Subject: slug."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from driveaway.facts.base import Body, Count, Day, Name, Province, Text

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Qualifier = Literal["exactly", "more than", "at least", "about"]


class OutletOpened(Body, frozen=True, kw_only=True):
    """A store, service centre or delivery centre opened its doors. Position in WGS-84 degrees."""

    role: Literal["store", "service", "delivery"]
    name: Name | None = None
    province: Province
    city: Name
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class OutletClosed(Body, frozen=True, kw_only=True):
    """The outlet closed for good."""

    reason: Name | None = None


class TargetSet(Body, frozen=True, kw_only=True):
    """The maker set itself a target; setting the same subject again raises or lowers it.

    ``measure`` is a figure, counted over the days ``from_day`` to ``until_day`` (both included)
    where the figure counts events, or read at ``until_day`` where it counts a stock. ``role``
    narrows an outlet target.
    """

    measure: Name
    amount: Count
    qualifier: Qualifier = "at least"
    from_day: Day
    until_day: Day
    role: Name | None = None
    said: Text | None = None
    reference: Text | None = None


class ClaimMade(Body, frozen=True, kw_only=True):
    """Somebody said a figure in public.

    ``value`` is a decimal number as written (its digits carry the rounding); ``percent`` True when
    it was said in percent. ``arguments`` are the figure's parameters and filters as in a query
    (``previous_brand=Audi|BMW``). ``as_of`` is the time that the claim speaks of. ``figure`` empty:
    no figure answers it, and ``why_not`` says why.
    """

    speaker: Name
    said: Text
    said_zh: Text | None = None
    figure: Name | None = None
    arguments: Text | None = None
    qualifier: Qualifier
    value: Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")] | None = None
    percent: bool = False
    unit: Name | None = None
    as_of: Name
    grade: Literal["A", "B", "C"] = "A"
    reference: Text | None = None
    trap: Text | None = None
    by_construction: bool = False
    why_not: Text | None = None


class EventHeld(Body, frozen=True, kw_only=True):
    """A show, a livestream, a launch: something that was meant to be noticed."""

    role: Name = "event"
    title: Text
    title_zh: Text | None = None
    ends: Name | None = None
    reach: Text | None = None
    reference: Text | None = None


class CarTested(Body, frozen=True, kw_only=True):
    """A car was tested: distance in metres, energy in watt-hours (wall or battery as said).

    ``claimed_distance`` is the maker's range under ``claimed_cycle``; ``usable_energy`` the pack's
    energy in watt-hours where the test drove it empty.
    """

    car: Name
    rival: bool
    tester: Name
    condition: Name
    cycle: Name | None = None
    distance: Count | None = None
    energy: Count | None = None
    energy_at: Literal["battery", "wall"] | None = None
    claimed_distance: Count | None = None
    claimed_cycle: Name | None = None
    claimed_energy: Count | None = None
    grade: Literal["A", "B", "C"] = "B"
    reference: Text | None = None
