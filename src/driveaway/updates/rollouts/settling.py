"""Doing to the cars what was decided about their rollout, some at a time, so that nobody waits for the lock.

A rollout's record says first what holds; the cars follow in changes of their own, in any number. Whoever
is stopped between two of them leaves the rest to the next one who looks: each step asks only what is left.
"""

from __future__ import annotations

from typing import Final

from driveaway.book.state.state import Change
from driveaway.updates import changes
from driveaway.updates.actions import log
from driveaway.updates.model import ActionStatus, Outcome
from driveaway.updates.rollouts import members
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus
from driveaway.updates.rows import parts, places

MOST: Final = 5_000
"""Actions changed at a time: some 0.2 s under the lock."""
_UNHEARD: Final = (
    "SELECT id, target FROM actions WHERE rollout = :rollout AND active = :active AND status = :status"
    " AND heard IS NULL LIMIT :most"
)


def settle(change: Change, rollout: Rollout, at: int) -> bool:
    """Do a part of what is left; whether anything is left after it.

    Args:
        change: where it is written.
        rollout: as its record stands in this change.
        at: now.
    """
    since = rollout.record.settling
    match rollout.status:
        case RolloutStatus.RUNNING:
            if _offer_again(change, rollout, at) == MOST:
                return True
            opening = rollout.record.opening
            if opening is None or since is None:
                return False
            return members.open_places(change, rollout, opening, since) == members.AT_ONCE
        case RolloutStatus.PAUSED:
            return _withhold(change, rollout, at) == MOST
        case RolloutStatus.STOPPED:
            return _cancel(change, rollout, at) == MOST
        case RolloutStatus.FINISHED:
            return members.release_holdout(change, rollout, since or at) == members.AT_ONCE
        case _:
            return False


def _withhold(change: Change, rollout: Rollout, at: int) -> int:
    """Take back what no car has begun."""
    return _put(change, rollout, at, (1, ActionStatus.RUNNING), (0, ActionStatus.SCHEDULED))


def _offer_again(change: Change, rollout: Rollout, at: int) -> int:
    return _put(change, rollout, at, (0, ActionStatus.SCHEDULED), (1, ActionStatus.RUNNING))


def _put(
    change: Change,
    rollout: Rollout,
    at: int,
    before: tuple[int, ActionStatus],
    after: tuple[int, ActionStatus],
) -> int:
    rows = change.rows(_UNHEARD, rollout=rollout.id, active=before[0], status=before[1].value, most=MOST)
    for part in parts(action for action, _ in rows):
        change.run(
            f"UPDATE actions SET active = :active, status = :status, modified = :at WHERE id IN ({places()})",
            active=after[0],
            status=after[1].value,
            at=at,
            **part,
        )
    changes.tell(change, (target for _, target in rows), at)
    return len(rows)


def _cancel(change: Change, rollout: Rollout, at: int) -> int:
    """Ask cars to cancel what goes on, and end what they know nothing of."""
    rows = change.rows(
        "SELECT id, target, active FROM actions WHERE rollout = :rollout AND outcome = ''"
        " AND status <> :canceling LIMIT :most",
        rollout=rollout.id,
        canceling=ActionStatus.CANCELING.value,
        most=MOST,
    )
    by = f" by {rollout.stopped_by}"
    asked = [action for action, _, active in rows if active]
    ended = [action for action, _, active in rows if not active]
    entries = [log.entry(each, ActionStatus.CANCELING, at, [f"cancellation asked for{by}"]) for each in asked]
    entries += [
        log.entry(each, ActionStatus.CANCELED, at, [f"cancelled{by} before its time"]) for each in ended
    ]
    change.run_many(log.INSERT, entries)
    for some in parts(asked):
        change.run(
            f"UPDATE actions SET status = :status, modified = :at WHERE id IN ({places()})",
            status=ActionStatus.CANCELING.value,
            at=at,
            **some,
        )
    for some in parts(ended):
        change.run(
            "UPDATE actions SET status = :status, active = 0, outcome = :outcome, modified = :at"
            f" WHERE id IN ({places()})",
            status=ActionStatus.CANCELED.value,
            outcome=Outcome.CANCELLED.value,
            at=at,
            **some,
        )
    changes.tell(change, (target for _, target, _ in rows), at)
    return len(rows)
