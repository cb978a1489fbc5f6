"""What the room speaks of: cars as targets, software, actions. The rows of the operational tables, typed.

Terms and states are those of Eclipse hawkBit, so that its tools and fleets find what they know. Times are
microseconds UTC, None where there is none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

LAST_ACTION_ID: Final = 2**31 - 1
"""Clients keep action ids in 32 bits."""


class _Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    pass


class TargetStatus(StrEnum):
    """How a car stands to what it was assigned."""

    UNKNOWN = "unknown"
    REGISTERED = "registered"
    PENDING = "pending"
    IN_SYNC = "in_sync"
    ERROR = "error"


class ActionType(StrEnum):
    """How urgently a car is asked: the user may choose, must, must from a time on, or only downloads."""

    SOFT = "soft"
    FORCED = "forced"
    TIME_FORCED = "timeforced"
    DOWNLOAD_ONLY = "downloadonly"


class ActionStatus(StrEnum):
    """Where an action stands, and what a message about it said."""

    SCHEDULED = "scheduled"
    WAIT_FOR_CONFIRMATION = "wait_for_confirmation"
    RUNNING = "running"
    RETRIEVED = "retrieved"
    DOWNLOAD = "download"
    DOWNLOADED = "downloaded"
    WARNING = "warning"
    CANCELING = "canceling"
    CANCEL_REJECTED = "cancel_rejected"
    CANCELED = "canceled"
    FINISHED = "finished"
    ERROR = "error"


class Outcome(StrEnum):
    """How an action ended for the car."""

    INSTALLED = "installed"
    DOWNLOADED = "downloaded"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    SILENT = "silent"
    FELL_BACK = "fell_back"


CLOSED: Final = frozenset({ActionStatus.FINISHED, ActionStatus.ERROR, ActionStatus.CANCELED})
"""States after which an action takes no feedback."""


class Target(_Row, frozen=True, kw_only=True):
    """A car, under the id by which it polls: its VIN, where the maker chose so.

    ``installed`` and ``assigned`` are ids of distribution sets, ``installed_action`` is the action that
    brought the former; ``polled`` is when it was last seen, ``version_reported`` what it last said it runs.
    """

    id: int
    controller_id: str
    name: str
    description: str
    type: str
    target_group: str
    security_token: str
    status: TargetStatus
    address: str
    created: int
    modified: int
    polled: int | None
    installed: int | None
    installed_at: int | None
    assigned: int | None
    attributes_requested: bool
    auto_confirm: bool
    auto_confirm_initiator: str
    auto_confirm_remark: str
    auto_confirm_at: int | None
    installed_action: int | None = None
    version_reported: str = ""


class Artifact(_Row, frozen=True, kw_only=True):
    """A file of a module; its content stands in the artifact store under its SHA-256."""

    id: int
    module: int
    filename: str
    size: int
    sha1: str
    md5: str
    sha256: str
    created: int


class SoftwareModule(_Row, frozen=True, kw_only=True):
    """A piece of software for one ECU or purpose (``type``: os, application, runtime, or the maker's own)."""

    id: int
    name: str
    version: str
    type: str
    vendor: str
    description: str
    encrypted: bool
    locked: bool
    deleted: bool
    created: int
    modified: int


class DistributionSet(_Row, frozen=True, kw_only=True):
    """A release: the modules that a car gets together. Locked at first use.

    ``release`` is canonical JSON with what the release says beyond its modules.
    """

    id: int
    name: str
    version: str
    type: str
    description: str
    required_migration_step: bool
    locked: bool
    valid: bool
    deleted: bool
    created: int
    modified: int
    release: str


class Action(_Row, frozen=True, kw_only=True):
    """One car is to get one distribution set.

    ``weight`` 0 to 1000: of several active actions the car sees the heaviest, then the oldest. The window
    fields are those of a maintenance window; "" without one. ``heard`` is when the car last said something
    about it, ``outcome`` how it ended ("" while it has not), ``verified`` whether the car then reported the
    version that it was to get (None: it said nothing of it).
    """

    id: int
    target: int
    distribution_set: int
    type: ActionType
    status: ActionStatus
    active: bool
    weight: int
    force_time: int | None
    window_schedule: str
    window_duration: str
    window_timezone: str
    rollout: int | None
    rollout_group: int | None
    initiated_by: str
    external_ref: str
    last_code: int | None
    created: int
    modified: int
    heard: int | None = None
    outcome: Outcome | None = None
    verified: bool | None = None


class ActionMessage(_Row, frozen=True, kw_only=True):
    """What was said about an action, by the car (``reported``: its own clock) or the server."""

    id: int
    action: int
    status: ActionStatus
    at: int
    reported: int | None
    code: int | None
    messages: tuple[str, ...]
