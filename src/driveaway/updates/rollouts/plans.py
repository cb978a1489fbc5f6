"""How a rollout grows: by stages, at a rate, exponentially, or group by group. Deterministic."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from driveaway.values.errors import BadValue

Seconds = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
OpenedShare = Annotated[float, Meta(gt=0, le=1)]
DAY = 86_400
"""Seconds."""


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="by"):
    pass


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One stage of growth.

    Attributes:
        share: of the cars outside the holdout that are open in this stage, those of earlier ones included.
        minimum_s: seconds that the stage lasts at least, time on hold not counted.
        reported: share of the opened cars that must have an outcome before the next stage; those that the
            release does not fit, or that had it already, do not count.
        at_most_s: seconds after which the next stage opens although fewer reported, since owners may
            never install; None: it waits for as long as it takes.
    """

    share: OpenedShare
    minimum_s: Seconds = DAY
    reported: Share = 0.0
    at_most_s: Seconds | None = None


STAGES = (
    Stage(share=0.01, minimum_s=DAY),
    Stage(share=0.05, minimum_s=DAY),
    Stage(share=0.20, minimum_s=2 * DAY),
    Stage(share=0.50, minimum_s=7 * DAY),
    Stage(share=1.0, minimum_s=3 * DAY),
)
"""Half of the cars stand against the other half for a whole week, so that small harm is found too."""


class ByStages(_Plan, frozen=True, kw_only=True, tag="stages"):
    """Growing shares of the cars outside the holdout, each after the one before it has lasted."""

    stages: tuple[Stage, ...] = STAGES

    def __post_init__(self) -> None:
        shares = [stage.share for stage in self.stages]
        if not shares or shares[-1] != 1 or sorted(set(shares)) != shares:
            raise ValueError("the shares of stages grow and end at 1")


class ByRate(_Plan, frozen=True, kw_only=True, tag="rate"):
    """So many cars an hour or a day while the rollout runs.

    Attributes:
        cars, per: how many, in which time.
        then_s: seconds that it lasts once all are open.
    """

    cars: Annotated[int, Meta(ge=1)]
    per: Literal["hour", "day"] = "hour"
    then_s: Seconds = 3 * DAY


class Exponential(_Plan, frozen=True, kw_only=True, tag="exponential"):
    """A rate that is multiplied each time so many cars more were told, or have succeeded.

    The parameters are those of AWS IoT Jobs' ``exponentialRate`` and ``maximumPerMinute``.

    Attributes:
        base_per_minute: cars a minute at the start.
        increment_factor: what the rate is multiplied with.
        every_notified: cars told; one of the two is given.
        every_succeeded: cars that report the new version after a verified boot.
        maximum_per_minute: the rate never exceeds it.
        then_s: seconds that it lasts once all are open.
    """

    base_per_minute: Annotated[float, Meta(gt=0)]
    increment_factor: Annotated[float, Meta(ge=1, le=5)] = 2.0
    every_notified: Annotated[int, Meta(ge=1)] | None = None
    every_succeeded: Annotated[int, Meta(ge=1)] | None = None
    maximum_per_minute: Annotated[float, Meta(gt=0)] = 1000.0
    then_s: Seconds = 3 * DAY

    def __post_init__(self) -> None:
        if (self.every_notified is None) == (self.every_succeeded is None):
            raise ValueError("give every_notified or every_succeeded, one of the two")


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Segments (cities, models) that are opened together, whole, outside the holdout.

    Attributes:
        segments: their names.
        minimum_s, reported, at_most_s: as of a stage, before the next group is opened.
    """

    segments: Annotated[tuple[str, ...], Meta(min_length=1)]
    minimum_s: Seconds = DAY
    reported: Share = 0.0
    at_most_s: Seconds | None = None


class ByGroups(_Plan, frozen=True, kw_only=True, tag="groups"):
    """City by city, or model by model. Segments that no group names are not opened.

    While a segment is whole open, its holdout is its only control.
    """

    groups: Annotated[tuple[Group, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        named = [name for group in self.groups for name in group.segments]
        if len(set(named)) != len(named):
            raise ValueError("a segment stands in one group")


Plan: TypeAlias = ByStages | ByRate | Exponential | ByGroups


def read_plan(content: object) -> Plan:
    """A plan from what JSON, TOML or a command line said: ``{"by": "stages", …}``.

    Raises:
        BadValue: it is none.
    """
    try:
        return msgspec.convert(content, Plan)  # type: ignore[no-any-return]
    except (msgspec.ValidationError, ValueError) as error:
        raise BadValue(
            f"growth: {error}", code="rollout.growth", remedy="by = stages, rate, exponential or groups"
        ) from error
