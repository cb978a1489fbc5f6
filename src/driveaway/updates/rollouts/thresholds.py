"""hawkBit's own rule, so that a rollout that moves over behaves as it did. Not evidence.

What it does (Eclipse hawkBit, ``ThresholdRolloutGroupErrorCondition`` and
``ThresholdRolloutGroupSuccessCondition``): a group's errors over *all* its targets, those that have not
answered included, above a percentage pause the rollout; its finished over all its targets, from a
percentage on, start the next group. There is no minimum sample, no comparison, and no time-out of targets
that fall silent. AWS IoT Jobs' abort criteria are an install guard whose bound is "observed".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from driveaway.updates.rollouts.columns import Cars, Flags, Outcome
from driveaway.updates.rollouts.findings import Finding
from driveaway.updates.rollouts.order import Places

Percent = Annotated[int, Meta(ge=0, le=100)]
LABEL: Final = "hawkBit's threshold, not evidence"
"""Stands wherever its decisions are shown."""


class HawkbitGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rollout group as hawkBit has it.

    Attributes:
        name: for people; "": group and its number.
        description: for people.
        filter: which of the rollout's targets it is for, in RSQL; "": all of them.
        target_percentage: of the targets that its filter names and that are in no group before it.
        success_threshold: percent of the group's targets finished, from which the next group starts.
        error_threshold: percent of the group's targets with an error, above which the rollout is paused;
            None: no error condition.
        after_success: ``pause``: a person starts the next group, by resuming the rollout.
        confirmation: whether the target's user must agree first; None: as the rollout says.
    """

    name: str = ""
    description: str = ""
    filter: str = ""
    target_percentage: Annotated[float, Meta(gt=0, le=100)] = 100.0
    success_threshold: Percent = 50
    error_threshold: Percent | None = 50
    after_success: Literal["next_group", "pause"] = "next_group"
    confirmation: bool | None = None


class HawkbitDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What hawkBit would do.

    Attributes:
        paused: whether an error condition is met.
        groups: how many groups are started, from the first.
        finished: whether the last group has met its success condition.
        held: whether the last group that is started has met its own, and a person starts the next one.
        findings: one for each started group.
    """

    paused: bool
    groups: int
    finished: bool
    held: bool = False
    findings: tuple[Finding, ...]


def group_name(groups: Sequence[HawkbitGroup], number: int) -> str:
    """The name of a group, from 0: its own, or its number."""
    return groups[number].name or f"hawkBit group {number + 1}"


def hawkbit_groups(place: Places, held_out: Flags, groups: Sequence[HawkbitGroup]) -> NDArray[np.int32]:
    """Which group each car falls in, in the order of places; −1 for the holdout and the rest.

    hawkBit fills its groups in the order of its pages instead, which is not random.
    """
    out = np.full(len(place), -1, dtype=np.int32)
    free = np.flatnonzero(~held_out)
    waiting = free[np.argsort(place[free], kind="stable")]
    for number, group in enumerate(groups):
        size = int(group.target_percentage / 100 * len(waiting) + 0.5)
        out[waiting[:size]] = number
        waiting = waiting[size:]
    return out


def hawkbit(
    cars: Cars,
    group_of: NDArray[np.int32],
    groups: Sequence[HawkbitGroup],
    *,
    running: int = 0,
    cleared: Mapping[str, int] | None = None,
) -> HawkbitDecision:
    """Apply the rule: group after group as far as success conditions are met and no error condition is.

    Args:
        cars: their outcomes; FAILED and those after it are errors.
        group_of: the group of each car, shape ``n``.
        groups: the conditions.
        running: how many groups are started already; they stay so.
        cleared: groups whose error condition a person overruled by resuming, by ``group_name``, with when.
    """
    findings = []
    overruled = cleared or {}
    paused, succeeded, held = False, True, False
    started = 0
    for number, group in enumerate(groups):
        before = groups[number - 1] if number else None
        if number >= running and before is not None and succeeded and not paused:
            held = before.after_success == "pause" and group_name(groups, number - 1) not in overruled
        if number >= running and (paused or held or not succeeded):
            break
        started = number + 1
        outcome = cars.outcome[group_of == number]
        total = len(outcome)
        errors = int((outcome >= Outcome.FAILED).sum())
        done = int((outcome == Outcome.SUCCEEDED).sum())
        limit = group.error_threshold
        name = group_name(groups, number)
        failed = limit is not None and total > 0 and errors > 0 and errors * 100 > limit * total
        failed = failed and name not in overruled
        succeeded = total == 0 or done * 100 >= group.success_threshold * total
        paused = paused or failed
        accepted = "no error condition" if limit is None else f"paused above {limit}%"
        findings.append(
            Finding(
                name=name,
                kind="threshold",
                verdict="pause" if failed else "clear",
                unit="share",
                value=errors / total if total else None,
                threshold=None if limit is None else limit / 100,
                events=errors,
                sample=total,
                text=f"{LABEL}: {errors:,} errors and {done:,} finished of all {total:,} targets "
                f"of the group, {accepted}, next group from {group.success_threshold}% finished",
            )
        )
    return HawkbitDecision(
        paused=paused,
        groups=started,
        finished=not paused and succeeded and started == len(groups),
        held=held,
        findings=tuple(findings),
    )
