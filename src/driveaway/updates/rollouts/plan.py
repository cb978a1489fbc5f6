"""What a person decides about a rollout before it starts, and what the worker remembers while it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from driveaway.updates.assigning import HEAVIEST, Terms, Window
from driveaway.updates.model import ActionType
from driveaway.updates.rollouts.decision import Opening
from driveaway.updates.rollouts.guards import Rules
from driveaway.updates.rollouts.order import DEFAULT_HOLDOUT, Purpose
from driveaway.values.errors import BadValue

Success = Literal["reported", "finished"]


class RolloutStatus(StrEnum):
    """How a rollout stands; the names are hawkBit's."""

    WAITING_FOR_APPROVAL = "waiting_for_approval"
    APPROVAL_DENIED = "approval_denied"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


ENDED = frozenset({RolloutStatus.STOPPED, RolloutStatus.FINISHED, RolloutStatus.APPROVAL_DENIED})


class RolloutPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a release is rolled out.

    Attributes:
        seed: of the random order; the rollout's name where it is empty.
        purpose: what it is for; nobody is held back from a security fix or a recall.
        holdout: share of cars that stay behind as a control until it ends.
        rules: how it grows and what stops it.
        success: ``reported``: a car has succeeded once it reports the new version after a boot;
            ``finished``: once its client says so, for clients that report no version.
        segment: key of the attribute that divides the cars (model, city); "": all are one.
        type: how urgently cars are asked.
        weight: 0 to 1000; of several rollouts a car sees the heaviest.
        window: when it may be installed, such as local night.
        confirmation: whether the car's user must agree first; None: as the launch is set.
    """

    seed: str = ""
    purpose: Purpose = "feature"
    holdout: Annotated[float, Meta(ge=0, lt=1)] = DEFAULT_HOLDOUT
    rules: Rules = msgspec.field(default_factory=Rules)
    success: Success = "reported"
    segment: str = ""
    type: ActionType = ActionType.SOFT
    weight: Annotated[int, Meta(ge=0, le=HEAVIEST)] = 500
    window: Window | None = None
    confirmation: bool | None = None

    def terms(self, rollout: int, by: str) -> Terms:
        """The terms of its actions."""
        return Terms(
            type=self.type,
            weight=self.weight,
            window=self.window,
            confirmation=self.confirmation,
            rollout=rollout,
            initiated_by=by,
        )


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands from one decision to the next. Times are microseconds since 1970 UTC.

    Attributes:
        started: when it was started; None: not yet.
        opening: the newest.
        steps: when each stage or group was opened.
        holds: when it did not run, from and until; an open one ends in the far future.
        cleared: by name of a finding, when a person cleared it, with a reason that is a fact.
        decided: when the worker last decided.
        reason: stable, of the last decision.
        text: in words.
        until: when that may change at the earliest.
    """

    started: int | None = None
    opening: Opening | None = None
    steps: tuple[int, ...] = ()
    holds: tuple[tuple[int, int], ...] = ()
    cleared: dict[str, int] = msgspec.field(default_factory=dict)
    decided: int | None = None
    reason: str = ""
    text: str = ""
    until: int | None = None


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout. ``filter`` is the text that names its cars; ``reason`` why it stands as it does."""

    id: int
    name: str
    description: str
    status: RolloutStatus
    distribution_set: int
    filter: str
    plan: RolloutPlan
    record: Record
    reason: str
    created_by: str
    approved_by: str
    start_at: int | None
    created: int
    modified: int

    @property
    def seed(self) -> str:
        """Of its random order."""
        return self.plan.seed or self.name


def read_rollout_plan(content: object, place: str = "") -> RolloutPlan:
    """A plan from what JSON, TOML or a command line said.

    Raises:
        BadValue: it is none; names the attribute.
    """
    try:
        return msgspec.convert(content, RolloutPlan)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadValue(
            f"{error}", code="rollout.plan", place=place, remedy="see the reference of a rollout's plan"
        ) from error
