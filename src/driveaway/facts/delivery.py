"""Kinds about plans and promises: an adopted plan (subject: slug), what a buyer was told (subject: order)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from driveaway.facts.base import Body, Count, Day, Name, Province, Text

Chance = Annotated[float, Meta(ge=0, le=1)]
"""A probability."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    pass


class PlannedWeek(_Part, frozen=True, kw_only=True):
    """Cars of one week, Monday to Sunday: the 5th, 50th and 95th percentile over all paths.

    ``first_day`` is the first day of the week that lies in the plan.
    """

    first_day: Day
    built_low: Count
    built: Count
    built_high: Count
    delivered_low: Count
    delivered: Count
    delivered_high: Count


class TargetOdds(_Part, frozen=True, kw_only=True):
    """How likely a target is reached, with the 5th, 50th and 95th percentile of what it counts."""

    target: Name
    odds: Chance
    low: Count
    middle: Count
    high: Count


class Binding(_Part, frozen=True, kw_only=True):
    """A limit that holds the plan back in one week.

    ``amount`` is what the limit allows in the week and ``used`` what the plan uses of it, in cars;
    ``car_days`` how many days of waiting one more car would spare, all orders together.
    """

    limit: Name
    first_day: Day
    amount: float
    used: float
    car_days: float


class DateAtRisk(_Part, frozen=True, kw_only=True):
    """Open orders that may be handed over after a day that matters to their buyers."""

    name: Name
    day: Day
    orders: Count
    after_low: Count
    after: Count
    after_high: Count


class PlanAdopted(Body, frozen=True, kw_only=True):
    """A plan was adopted: a forecast by simulation, resting on what the book said at ``mark``.

    ``table`` is the SHA-256 of the landed Parquet file with the slot and the dates of every open
    order. ``orders`` were open, ``unplannable`` of them can be built on no line. ``cleared_by`` is the
    day by which half of all paths have handed over every open order; left out: beyond the plan.
    """

    as_of: Name
    mark: Count
    first_day: Day
    days: Count
    paths: Count
    seed: Count
    orders: Count
    unplannable: Count
    table: Name
    cleared_by: Day | None = None
    weeks: tuple[PlannedWeek, ...] = ()
    odds: tuple[TargetOdds, ...] = ()
    binding: tuple[Binding, ...] = ()
    at_risk: tuple[DateAtRisk, ...] = ()


class PromiseGiven(Body, frozen=True, kw_only=True):
    """The buyer was promised a handover within a window, both days included: a commitment.

    ``confidence`` is the share of such promises that is to be kept by ``last_day``; ``trim`` and
    ``province`` are the order's at that time. A further promise for the same order takes the place of the
    earlier one and needs a ``reason``; a later ``last_day`` breaks the earlier promise.
    """

    first_day: Day
    last_day: Day
    confidence: Chance
    plan: Name | None = None
    trim: Name | None = None
    province: Province | None = None
    reason: Text | None = None


class HandoverPostponed(Body, frozen=True, kw_only=True):
    """The buyer is not ready before ``until_day``; a delay by the buyer breaks no promise."""

    until_day: Day
    step: Literal["inspection", "final payment", "insurance", "plate", "appointment", "other"] = "other"
    reason: Text | None = None


class OrderPrioritised(Body, frozen=True, kw_only=True):
    """An exception to first locked, first served, with its reason; rank 0 is served before all others."""

    rank: Annotated[int, Meta(ge=0, le=99)]
    reason: Text
