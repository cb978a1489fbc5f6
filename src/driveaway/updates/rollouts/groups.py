"""Groups of a rollout as the Management API shows them: hawkBit's own, or the stages and groups of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from driveaway.book.state.state import Change, Reading
from driveaway.updates.rollouts.columns import Cars
from driveaway.updates.rollouts.decision import Decision, Standing
from driveaway.updates.rollouts.plan import RolloutPlan
from driveaway.updates.rollouts.plans import ByGroups, ByStages
from driveaway.updates.rollouts.thresholding import groups_of
from driveaway.updates.rollouts.thresholds import group_name

HOLDOUT: Final = "holdout"


class Group(NamedTuple):
    """A row of ``rollout_groups``.

    ``status`` is ready, scheduled, running, finished or error, as in hawkBit.
    """

    id: int
    position: int
    name: str
    plan: str
    status: str
    total: int


def create(change: Change, rollout: int, plan: RolloutPlan) -> None:
    """Enter the groups of a rollout that is planned; their cars are counted by the worker."""
    for position, (name, own) in enumerate(_planned(plan)):
        change.insert(
            "rollout_groups",
            rollout=rollout,
            position=position,
            name=name,
            plan=msgspec.json.encode(own).decode(),
            status="ready",
        )


def _planned(plan: RolloutPlan) -> list[tuple[str, object]]:
    growth = plan.rules.growth
    if plan.hawkbit:
        return [(group_name(plan.hawkbit, number), group) for number, group in enumerate(plan.hawkbit)]
    if isinstance(growth, ByStages):
        out: list[tuple[str, object]] = [
            (f"stage {number} ({stage.share:.4g})", stage) for number, stage in enumerate(growth.stages, 1)
        ]
    elif isinstance(growth, ByGroups):
        out = [(", ".join(group.segments)[:128], group) for group in growth.groups]
    else:
        out = [("all", growth)]
    return [*out, (HOLDOUT, {})] if plan.held_back else out


def all_groups(reading: Reading, rollout: int) -> list[Group]:
    """The groups of a rollout, by position."""
    rows = reading.rows(
        "SELECT id, position, name, plan, status, total FROM rollout_groups WHERE rollout = :rollout"
        " ORDER BY position",
        rollout=rollout,
    )
    return [Group(*row) for row in rows]


def position_of(plan: RolloutPlan, step: int, segment: str, held_out: bool) -> int:
    """The position of the group in which a car is given the release.

    Args:
        plan: the rollout's.
        step: the stage that is open.
        segment: the car's.
        held_out: whether it was in the holdout.
    """
    growth = plan.rules.growth
    if plan.hawkbit:
        return int(segment) - 1 if segment else 0
    if held_out:
        return len(_planned(plan)) - 1
    if isinstance(growth, ByGroups):
        return next((n for n, group in enumerate(growth.groups) if segment in group.segments), 0)
    return max(0, step - 1) if isinstance(growth, ByStages) else 0


def totals(plan: RolloutPlan, standing: Standing) -> NDArray[np.int64]:
    """How many cars each group has, by position."""
    cars, growth = standing.cars, plan.rules.growth
    size = len(_planned(plan))
    free = ~cars.held_out
    if plan.hawkbit:
        groups = groups_of(standing)
        return np.bincount(groups[groups >= 0], minlength=size)
    if isinstance(growth, ByGroups):
        number = {name: n for n, group in enumerate(growth.groups) for name in group.segments}
        of = np.array([number.get(name, size) for name in standing.segments], np.int64)[cars.segment[free]]
        out = np.bincount(of, minlength=size + 1)[:size]
    elif isinstance(growth, ByStages):
        ends = np.ceil(np.array([stage.share for stage in growth.stages]) * free.sum() - 1e-9)
        out = np.diff(ends, prepend=0).astype(np.int64)
        out = np.concatenate((out, np.zeros(size - len(out), np.int64)))
    else:
        out = np.zeros(size, np.int64)
        out[0] = free.sum()
    if plan.held_back:
        out[-1] = _held_back(cars)
    return out


def _held_back(cars: Cars) -> int:
    return int(cars.held_out.sum())


def count(change: Change, rollout: int, totals: Sequence[int]) -> None:
    """Write how many cars each group has, by position."""
    for position, total in enumerate(totals):
        change.run(
            "UPDATE rollout_groups SET total = :total WHERE rollout = :rollout AND position = :position",
            total=total,
            rollout=rollout,
            position=position,
        )


def refresh(change: Change, rollout: int, plan: RolloutPlan, standing: Standing, decision: Decision) -> None:
    """Write how the groups stand after a decision, where that is new."""
    counted = totals(plan, standing).tolist()
    open_until = max(len(standing.steps), decision.step if decision.action == "advance" else 0)
    if decision.action == "finish":
        open_until = len(counted)
    failing = {finding.name for finding in decision.findings if finding.verdict == "pause"}
    for group in all_groups(change, rollout):
        status = "running" if group.position < open_until else "scheduled"
        if decision.action == "finish":
            status = "finished"
        elif plan.hawkbit and group.name in failing:
            status = "error"
        total = counted[group.position]
        if (status, total) != (group.status, group.total):
            change.run(
                "UPDATE rollout_groups SET status = :status, total = :total WHERE id = :id",
                status=status,
                total=total,
                id=group.id,
            )
