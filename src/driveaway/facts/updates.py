"""Kinds about software updates: releases, rollouts, functions (subject: slug), and a car's own (VIN)."""

from __future__ import annotations

from typing import Literal

import msgspec

from driveaway.facts.base import Body, Count, Name, Text


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    pass


class ReleasedModule(_Part, frozen=True, kw_only=True):
    """A piece of software in a release, for the ECU or purpose that ``type`` names.

    ``sha256s`` are its files', in lower-case hexadecimal digits.
    """

    name: Name
    version: Name
    type: Name
    sha256s: tuple[Name, ...]


class ReleasePublished(Body, frozen=True, kw_only=True):
    """A release may be given to cars from now on. Subject: slug of its name and version.

    ``functions`` are the slugs of the functions that its software carries.
    """

    name: Name
    version: Name
    modules: tuple[ReleasedModule, ...]
    functions: tuple[Name, ...] = ()
    notes: Text | None = None
    published_by: Name | None = None
    approved_by: Name | None = None


class ReleaseWithdrawn(Body, frozen=True, kw_only=True):
    """A release is offered to no further car. What runs already goes on running."""

    reason: Text
    withdrawn_by: Name | None = None


Verdict = Literal["clear", "hold", "pause", "abort"]
"""What follows from a finding, in rising order."""


class Finding(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """What one comparison or guard says.

    Attributes:
        name: of the comparison, guard, segment or rule.
        kind: what it is.
        verdict: what follows from it alone.
        unit: of ``value``, ``low``, ``high`` and ``threshold``.
        value: as observed; None: unknown, or without bound (see ``text``).
        low, high: interval at ``level``, valid at every look; None: nothing bounds it.
        threshold: what ``value`` is held against.
        events: bad ones counted.
        sample: what they are out of: cars, installations, or events of both arms.
        log_e: natural logarithm of the evidence against harmlessness, as it stands.
        highest_log_e: the highest that it was at any moment; stops from ``needed_log_e`` on.
        since: when it first was enough, or when the first open safety event was recorded, microseconds
            since 1970 UTC.
        until: when a triage ends.
        text: all of it in words.
    """

    name: str
    kind: Literal["comparison", "combined", "segment", "safety", "install", "rate", "threshold"]
    verdict: Verdict
    unit: Literal["ratio", "share", "per_1000_km", "events"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    threshold: float | None = None
    events: int = 0
    sample: int = 0
    log_e: float | None = None
    highest_log_e: float | None = None
    needed_log_e: float | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""


class RolloutDecided(Body, frozen=True, kw_only=True):
    """A rollout went on, was held or ended, by its own rule or by a person, with what that rested on.

    ``wave`` counts from 1. Of the rollout's ``cars``, ``held_out`` stay behind as a control, ``opened`` may
    have the release after the decision, ``offered`` have it on offer before it; ``succeeded`` report the new
    version, ``silent`` began to install and did not come back in time. ``findings`` are the evidence.
    ``decided_by`` is left out where the rule decided.
    """

    decision: Literal["started", "advanced", "held", "paused", "resumed", "aborted", "finished"]
    release: Name
    wave: Count = 0
    cars: Count = 0
    held_out: Count = 0
    opened: Count = 0
    offered: Count = 0
    succeeded: Count = 0
    failed: Count = 0
    silent: Count = 0
    findings: tuple[Finding, ...] = ()
    reason: Text | None = None
    decided_by: Name | None = None


class UpdateFinished(Body, frozen=True, kw_only=True):
    """An action ended for a car.

    ``installed`` and ``downloaded`` are what the client said; ``skipped``: it closed an action that asked
    for a download alone without saying that it downloaded. ``silent``: it did not come back in time.
    ``fell_back``: it came back with the software that it had before. ``verified`` True only when the
    version was reported after the boot into it. ``code`` is the client's own.
    """

    action: Count
    release: Name
    outcome: Literal[
        "installed", "downloaded", "skipped", "failed", "cancelled", "rejected", "silent", "fell_back"
    ]
    rollout: Name | None = None
    from_version: Name | None = None
    to_version: Name
    code: int | None = None
    verified: bool = False


class VersionReported(Body, frozen=True, kw_only=True):
    """The car said after an update, or anew, which version it runs; ``agrees``: the one that it was given.

    ``release`` and ``action`` are those of the last finished update, left out where there was none.
    """

    version: Name
    previous: Name | None = None
    release: Name | None = None
    action: Count | None = None
    agrees: bool | None = None


class FunctionOpened(Body, frozen=True, kw_only=True):
    """A function is offered where its gate allows, from ``happened`` on.

    ``gate`` is the gate's canonical JSON; opening the same function again replaces its gate, and ``reason``
    says why.
    """

    gate: Text
    release: Name | None = None
    reason: Text | None = None
    opened_by: Name | None = None


class FunctionClosed(Body, frozen=True, kw_only=True):
    """A function allows no further activation; active sessions go on."""

    reason: Text
    closed_by: Name | None = None


class FunctionActivated(Body, frozen=True, kw_only=True):
    """The car switched a function on for the first time."""

    function: Name
    version: Name | None = None
