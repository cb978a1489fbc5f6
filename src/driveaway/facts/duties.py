"""Duties to report incidents, as data: the packaged list and ``[[fleet.duties]]`` of ``launch.toml``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from driveaway.facts.base import Day
from driveaway.facts.incidents import Country, Outcome
from driveaway.facts.planning import Table
from driveaway.facts.trips import Level

Seconds = Annotated[int, Meta(ge=0, le=30)]
Span = Annotated[int, Meta(ge=0)]
DayOfMonth = Annotated[int, Meta(ge=1, le=31)]


class Duty(Table, frozen=True, kw_only=True):
    """A duty to report an incident, or to report regularly.

    It applies to an incident in one of its countries that meets every condition given. Where what a driving
    function did is not known, it is not known whether the duty applies: it is listed so. A duty of a name
    that the packaged list has replaces that one.
    """

    name: Annotated[str, Meta(description="by which filings name it", pattern="^[a-z0-9]+([.-][a-z0-9]+)*$")]
    said: Annotated[str, Meta(description="what is asked, in words")]
    to: Annotated[str, Meta(description="authority that is reported to")]
    reference: Annotated[str, Meta(description="law or order, and its section")]
    source: Annotated[str, Meta(description="where its text was read")]
    countries: Annotated[
        tuple[Country, ...], Meta(description="ISO 3166-1 alpha-2 codes of where it holds", min_length=1)
    ]
    all_of: Annotated[
        tuple[Outcome, ...], Meta(description="applies to incidents that came to all of these")
    ] = ()
    any_of: Annotated[
        tuple[Outcome, ...], Meta(description="applies to incidents that came to any of these; none: to all")
    ] = ()
    none_of: Annotated[
        tuple[Outcome, ...], Meta(description="does not apply to incidents that came to any of these")
    ] = ()
    engaged_within: Annotated[
        Seconds | None,
        Meta(description="applies where a function was engaged in so many seconds before, 0 to 30"),
    ] = None
    levels: Annotated[
        tuple[Level, ...], Meta(description="SAE levels of the engaged function; none: any")
    ] = ()
    counts_from: Annotated[
        Literal["learned", "happened", "corrected"],
        Meta(
            description="from when time runs: when the maker learned of it, when it happened (also where the"
            " former is not said), or when its record was corrected"
        ),
    ] = "learned"
    hours: Annotated[Span | None, Meta(description="due so many hours after")] = None
    days: Annotated[Span | None, Meta(description="due so many times 24 hours after")] = None
    month_day: Annotated[
        DayOfMonth | None,
        Meta(description="due at the end of this day of the following month, or of its last day"),
    ] = None
    when_said: Annotated[
        str | None, Meta(description="when it is due, in words, where no number is stated")
    ] = None
    every: Annotated[
        Literal["month", "year"] | None,
        Meta(description="a regular report that no incident starts; due by the end of each"),
    ] = None
    valid_from: Annotated[Day, Meta(description="first day on which it holds")]
    valid_until: Annotated[Day | None, Meta(description="last day on which it holds")] = None
    certain: Annotated[
        bool, Meta(description="whether deadline and conditions were read in a text that states them")
    ] = True
    note: Annotated[str | None, Meta(description="what the conditions leave out, or is not certain")] = None
