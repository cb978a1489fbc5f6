"""What a rollout with hawkBit's groups does next: its thresholds, and no evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.rollouts.columns import Outcome
from driveaway.updates.rollouts.decision import Action, Decision, Opening, Standing, counts
from driveaway.updates.rollouts.thresholds import LABEL, HawkbitGroup, group_name, hawkbit

_WHOLE = f"{2**64 - 1:016x}"


def segment_name(number: int) -> str:
    """How the members of a group are marked: its number, from 1."""
    return str(number + 1)


def groups_of(standing: Standing) -> NDArray[np.int32]:
    """The group of each car from 0, by its segment; -1 for those in none."""
    numbers = np.array([int(name) - 1 if name else -1 for name in standing.segments], np.int32)
    return numbers[standing.cars.segment]


def decide_by_thresholds(standing: Standing, groups: Sequence[HawkbitGroup]) -> Decision:
    """What to do now, as hawkBit would: open group after group whole, pause where errors are too many.

    A rollout is finished once the last group is open and no car of any group is still at it.
    """
    cars, now, running = standing.cars, standing.now, len(standing.steps)
    group_of = groups_of(standing)
    said = hawkbit(cars, group_of, groups, running=running, cleared=standing.cleared)
    step = max(running, said.groups)
    action: Action = "hold"
    reason, text, opening = "threshold", f"group {max(1, step)} of {len(groups)} ({LABEL})", None
    pending = bool(((cars.outcome == Outcome.PENDING) & (group_of >= 0)).any())
    over = [finding for finding in said.findings if finding.verdict == "pause"]
    if standing.paused:
        step, reason, text = running, "paused", standing.paused
    elif over:
        step, action = running, "pause"
        text = "; ".join(f"{finding.name}: {finding.text}" for finding in over)
    elif said.groups > running:
        action, reason = "advance", "plan"
        names = tuple(segment_name(number) for number in range(said.groups))
        inside = (group_of >= 0) & (group_of < said.groups)
        newly = int((inside & (cars.opened > now)).sum())
        opening = Opening(cut=_WHOLE, segments=names, cars=int(inside.sum()), newly=newly)
    elif said.held:
        action = "pause"
        text = f"{group_name(groups, running - 1)} has succeeded; a person starts the next one"
    elif step == len(groups) and not pending:
        action, reason, text = "finish", "complete", f"no car of its {len(groups)} groups is still at it"
    return Decision(
        action=action,
        as_of=now,
        mark=standing.mark,
        reason=reason,
        text=text,
        step=max(1, step),
        steps=len(groups),
        opening=opening,
        counts=counts(cars, np.zeros(len(cars), bool), now),
        findings=said.findings,
    )
