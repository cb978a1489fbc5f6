"""What a person decides about a rollout before it starts, and what the worker remembers while it runs."""

from __future__ import annotations

import contextlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from driveaway.updates.assigning import HEAVIEST, Terms, Window
from driveaway.updates.model import ActionType
from driveaway.updates.rollouts.decision import Opening
from driveaway.updates.rollouts.guards import Rules
from driveaway.updates.rollouts.order import DEFAULT_HOLDOUT, Purpose, holdout_share
from driveaway.updates.rollouts.thresholds import HawkbitGroup
from driveaway.updates.windows import parse_night
from driveaway.values.clock import instant, moment, zone
from driveaway.values.errors import BadValue

_MINUTES_OF_DAY: Final = 1440
_MOST_GROUPS: Final = 500
"""hawkBit's quota of groups of a rollout."""
Success = Literal["reported", "finished"]
Moment = Annotated[datetime, Meta(tz=True)]


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


class Night(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Installing by night only, as the clocks show it where the car is.

    Attributes:
        hours: from when until when, such as ``22:00-06:00``.
        zone: IANA name of the time zone, such as ``Asia/Shanghai``.
        attribute: key of the attribute in which a car names its own zone; a car without a known one
            takes ``zone``. "": all take it.
    """

    hours: str
    zone: str
    attribute: str = ""

    def __post_init__(self) -> None:
        parse_night(self.hours)
        zone(self.zone)

    def window(self, at: int, own: str = "") -> Window:
        """The night as a maintenance window, by the offset that holds at this moment.

        Args:
            at: microseconds since 1970 UTC.
            own: the zone that the car named.
        """
        place = zone(self.zone)
        if own:
            with contextlib.suppress(BadValue):
                place = zone(own)
        first, last = parse_night(self.hours)
        lasts = (last.hour - first.hour) * 60 + last.minute - first.minute
        hours, minutes = divmod(lasts % _MINUTES_OF_DAY, 60)
        offset = moment(at, place).strftime("%z")
        return Window(
            f"0 {first.minute} {first.hour} * * ? *",
            f"{hours:02}:{minutes:02}:00",
            f"{offset[:3]}:{offset[3:5]}",
        )


class RolloutPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a release is rolled out.

    Attributes:
        seed: of the random order; the rollout's name where it is empty.
        purpose: what it is for; nobody is held back from a security fix or a recall.
        holdout: share of cars that stay behind as a control until it ends; none where ``hawkbit`` is given.
        rules: how it grows and what stops it.
        hawkbit: hawkBit's groups with its thresholds, in place of ``rules``, for rollouts that move over:
            counts of all targets of a group, no evidence; a car has succeeded once its client says so.
        success: ``reported``: a car has succeeded once it reports the new version after a boot;
            ``finished``: once its client says so, for clients that report no version.
        segment: key of the attribute that divides the cars (model, city); "": all are one.
        install_at: from when on it is installed, in waves that begin then; before that every car outside the
            holdout downloads it, as soon as the rollout runs. Left out: each wave downloads and installs.
        retries: further tries of a car whose installation failed; the first alone counts as evidence.
        retry_after_s: seconds from a failure to the next try, twice as long each time.
        type: how urgently cars are asked.
        weight: 0 to 1000; of several rollouts a car sees the heaviest.
        window: when it may be installed: a schedule by a clock with a fixed offset.
        night: installing by night only; in place of ``window``.
        confirmation: whether the car's user must agree first; None: as the launch is set.
    """

    seed: str = ""
    purpose: Purpose = "feature"
    holdout: Annotated[float, Meta(ge=0, lt=1)] = DEFAULT_HOLDOUT
    rules: Rules = msgspec.field(default_factory=Rules)
    hawkbit: Annotated[tuple[HawkbitGroup, ...], Meta(max_length=_MOST_GROUPS)] = ()
    success: Success = "reported"
    segment: str = ""
    type: ActionType = ActionType.SOFT
    weight: Annotated[int, Meta(ge=0, le=HEAVIEST)] = 500
    window: Window | None = None
    night: Night | None = None
    confirmation: bool | None = None
    install_at: Moment | None = None
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    retry_after_s: Annotated[int, Meta(ge=60)] = 3600

    def __post_init__(self) -> None:
        if self.window is not None and self.night is not None:
            raise ValueError("give a window or a night, one of the two")
        if self.hawkbit and self.segment:
            raise ValueError("hawkBit's groups divide the cars: leave the segment out")
        if self.type is ActionType.TIME_FORCED:
            raise ValueError("a rollout is soft, forced or downloadonly")
        if self.install_at is not None and (self.hawkbit or self.type is ActionType.DOWNLOAD_ONLY):
            raise ValueError("install_at goes with soft or forced, and not with hawkBit's groups")

    @property
    def installs_from(self) -> int | None:
        """``install_at`` in microseconds since 1970 UTC."""
        return None if self.install_at is None else instant(self.install_at)

    @property
    def held_back(self) -> float:
        """The share that stays behind as a control."""
        return 0.0 if self.hawkbit else holdout_share(self.purpose, self.holdout)

    @property
    def succeeds(self) -> Success:
        """When a car has succeeded."""
        return "finished" if self.hawkbit else self.success

    def terms(self, rollout: int, by: str) -> Terms:
        """The terms of its actions; the window of a night depends on the moment and on the car."""
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
        settling: since when what was decided is being done to the cars, some at a time; None: it is done.
        grouped: whether hawkBit's groups have their cars; from then on none joins.
        cleared: by name of a finding, when a person cleared it, with a reason that is a fact.
        decided: when the worker last decided.
        reason: stable, of the last decision.
        text: in words.
        until: when that may change at the earliest.
        by: who last paused, resumed or stopped it; "": its own rule.
    """

    started: int | None = None
    opening: Opening | None = None
    steps: tuple[int, ...] = ()
    holds: tuple[tuple[int, int], ...] = ()
    settling: int | None = None
    grouped: bool = False
    cleared: dict[str, int] = msgspec.field(default_factory=dict)
    decided: int | None = None
    reason: str = ""
    text: str = ""
    until: int | None = None
    by: str = ""


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

    @property
    def begun(self) -> int | None:
        """When its waves begin, or began; None: it is not started."""
        started, installs = self.record.started, self.plan.installs_from
        return started if started is None or installs is None else max(started, installs)

    @property
    def stopped_by(self) -> str:
        """Who last paused, resumed or stopped it."""
        return self.record.by or "the rollout's own rule"


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
