"""Kinds about software updates: releases, rollouts, functions (subject: slug), and a car's own (VIN)."""

from __future__ import annotations

from typing import Literal

import msgspec

from driveaway.facts.base import Body, Count, Name, Text
from driveaway.facts.delivery import Chance


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


class Evidence(_Part, frozen=True, kw_only=True):
    """One signal as it stood at a decision.

    ``offered`` counts cars that were offered the release and ``control`` those held back; events are cars
    with at least one; exposures are in ``unit``. ``statistic`` is compared with ``limit``, under the test
    that ``method`` names.
    """

    signal: Name
    method: Name
    offered: Count
    offered_events: Count
    offered_exposure: float
    control: Count | None = None
    control_events: Count | None = None
    control_exposure: float | None = None
    unit: Name
    statistic: float
    limit: float


class RolloutDecided(Body, frozen=True, kw_only=True):
    """A rollout went on, was held or ended, by its own rule or by a person, with what that rested on.

    ``wave`` counts from 1; ``offered`` cars have the release on offer after the decision, which is
    ``share`` of those outside the holdout. ``decided_by`` is left out where the rule decided.
    """

    decision: Literal["started", "advanced", "held", "paused", "resumed", "aborted", "finished"]
    release: Name
    wave: Count = 0
    offered: Count = 0
    share: Chance | None = None
    installed: Count = 0
    verified: Count = 0
    failed: Count = 0
    silent: Count = 0
    evidence: tuple[Evidence, ...] = ()
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

    ``gate`` is the gate's canonical JSON; opening the same function again replaces its gate.
    """

    gate: Text
    release: Name | None = None
    opened_by: Name | None = None


class FunctionClosed(Body, frozen=True, kw_only=True):
    """A function allows no further activation; active sessions go on."""

    reason: Text
    closed_by: Name | None = None


class FunctionActivated(Body, frozen=True, kw_only=True):
    """The car switched a function on for the first time."""

    function: Name
    version: Name | None = None
