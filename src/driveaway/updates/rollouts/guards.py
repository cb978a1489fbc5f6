"""What a rollout watches: comparisons with its control, and guards that need none. Defined once."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from driveaway.facts.base import Name
from driveaway.facts.health import SAFETY_SIGNALS, Signal
from driveaway.updates.rollouts.coins import Exposure
from driveaway.updates.rollouts.plans import DAY, ByStages, Plan, Seconds

Stop = Literal["pause", "abort"]
"""Pause: nothing is offered until a person resumes it. Abort: ended, open actions are cancelled."""
Alpha = Annotated[float, Meta(gt=0, le=0.5)]
"""Chance of a false stop over the whole rollout, however often one looks."""
Signals = Annotated[tuple[Signal, ...], Meta(min_length=1)]
InstallFailure = Literal["failed", "fallback", "silent"]


class _Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes: name: under which it is shown, and cleared by a person."""

    name: Name


class Comparison(_Watched, frozen=True, kw_only=True):
    """Opened cars against those that are not: do more of them have such an event?

    Attributes:
        signals: what counts; a car has one event for all of them.
        exposure: cars (holds by the random order alone, whatever the cars are like), or metres (where the
            update changes how much is driven).
        tolerated: the ratio up to which more events are accepted.
        weight: of this comparison in the mean that decides.
        settling_s: seconds after opening in which a car counts on neither side, so that it may install.
        window_s: with exposure "cars", 0: a car has one event in the whole rollout, which is exact; else one
            in each window of so many seconds, which finds more where cars are alike.
    """

    signals: Signals
    exposure: Exposure = "cars"
    tolerated: Annotated[float, Meta(ge=1)] = 1.0
    weight: Annotated[float, Meta(gt=0)] = 1.0
    settling_s: Seconds = 0
    window_s: Seconds = 0


class SafetyGuard(_Watched, frozen=True, kw_only=True, tag_field="kind", tag="safety"):
    """A single event on a car that has begun to install opens a triage, which holds the next wave.

    Attributes:
        signals: what counts.
        triage_s: seconds that a person has to clear it with a reason; 0: it stops at once.
        action: what happens when nobody has.
    """

    signals: Signals = SAFETY_SIGNALS
    triage_s: Seconds = DAY
    action: Stop = "abort"


class InstallGuard(_Watched, frozen=True, kw_only=True, tag_field="kind", tag="install"):
    """The share of installations that fail, of those that began.

    An installation in flight counts as begun and not failed: failures are known sooner than successes.

    Attributes:
        failures: what counts: the installer said so; the car came back on its old slot; it did not come
            back in its time.
        threshold: the share that is accepted.
        minimum: installations before anything is concluded.
        alpha: of the test; see ``bound``.
        bound: "anytime": evidence at level ``alpha`` that the true share is above the threshold;
            "observed": the share itself is above it, as other servers do.
        action: what happens then.
    """

    failures: Annotated[tuple[InstallFailure, ...], Meta(min_length=1)] = ("failed", "fallback", "silent")
    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    minimum: Annotated[int, Meta(ge=1)] = 20
    alpha: Alpha = 0.01
    bound: Literal["anytime", "observed"] = "anytime"
    action: Stop = "pause"


class RateGuard(_Watched, frozen=True, kw_only=True, tag_field="kind", tag="rate"):
    """Events per 1,000 km on cars with the release: for functions that no control has.

    A car has at most one event in a window. Cars count once their installation has succeeded.

    Attributes:
        signals: what counts.
        threshold: events per 1,000 km that are accepted.
        assisted: whether kilometres with driving assistance count, and not all.
        minimum_km: kilometres before anything is concluded.
        alpha, bound, action: as of an install guard.
    """

    signals: Signals
    threshold: Annotated[float, Meta(gt=0)]
    assisted: bool = False
    minimum_km: Annotated[float, Meta(ge=0)] = 1_000.0
    alpha: Alpha = 0.01
    bound: Literal["anytime", "observed"] = "anytime"
    action: Stop = "pause"


Guard: TypeAlias = SafetyGuard | InstallGuard | RateGuard

COMPARISONS = (
    Comparison(name="trouble_codes", signals=("trouble_code",)),
    Comparison(name="deactivations", signals=("system_deactivation",), exposure="assisted_distance"),
    Comparison(name="emergency_braking", signals=("emergency_braking",), exposure="distance"),
)
GUARDS: tuple[Guard, ...] = (SafetyGuard(name="safety"), InstallGuard(name="installs"))


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a rollout grows and what stops it.

    Attributes:
        growth: its plan.
        comparisons: with the control; decided together, by the weighted mean of their e-processes.
        guards: each decides for itself, with its own ``alpha``: the chance that a harmless rollout is
            stopped is at most the sum of all.
        alpha: of the comparisons together.
        action: what happens when they show harm.
        silence_s: seconds after it was last heard of within which a car that began to install comes back.
        time_limit_s: seconds after which an installation that began has failed, heard of or not.
        level: of the intervals that are shown.
    """

    growth: Plan = msgspec.field(default_factory=ByStages)
    comparisons: tuple[Comparison, ...] = COMPARISONS
    guards: tuple[Guard, ...] = GUARDS
    alpha: Alpha = 0.01
    action: Stop = "pause"
    silence_s: Seconds = DAY
    time_limit_s: Seconds = 7 * DAY
    level: Annotated[float, Meta(gt=0, lt=1)] = 0.95

    def __post_init__(self) -> None:
        names = [watched.name for watched in (*self.comparisons, *self.guards)]
        if len(set(names)) != len(names):
            raise ValueError("comparisons and guards have different names")
