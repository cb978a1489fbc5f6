"""What a rollout does about single cars: it gives up those that are silent, and tries again what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from driveaway.book.state.state import Change, Reading
from driveaway.updates import assigning
from driveaway.updates.actions import steering
from driveaway.updates.model import ActionType, Outcome
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus
from driveaway.updates.rows import parts, places
from driveaway.values.clock import DAY, SECOND

TENDED: Final = (RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.FINISHED)
MOST: Final = 1_000
"""Cars at a time: some 0.2 s under the lock."""
FAILURES: Final = (Outcome.FAILED, Outcome.SILENT, Outcome.FELL_BACK, Outcome.SKIPPED)
_FAILED: Final = ", ".join(f"'{each.value}'" for each in FAILURES)
_DOWNLOAD: Final = ActionType.DOWNLOAD_ONLY.value
_DOWNLOADS: Final = f"a.type = '{_DOWNLOAD}'"
_LONGEST_DOUBLING: Final = 10


class Tended(NamedTuple):
    """How many cars were given up, had fallen back, and are tried again."""

    silent: int = 0
    fell_back: int = 0
    tried_again: int = 0

    def __add__(self, other: object) -> Tended:
        assert isinstance(other, Tended)
        return Tended(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Due(NamedTuple):
    """Actions that something is due for: cars that are silent, that fell back, that are tried again."""

    silent: Sequence[int]
    fallen_back: Sequence[int]
    failed: Sequence[int]

    @property
    def more(self) -> bool:
        """Whether there may be more of them."""
        return max(map(len, self)) == MOST


def due(reading: Reading, rollout: Rollout, at: int) -> Due:
    """What is due; best asked outside a change, since it may look at every action of the rollout.

    hawkBit has no time-outs, so a rollout with its groups gives nobody up.
    """
    plan = rollout.plan
    goes_on = rollout.status in (RolloutStatus.RUNNING, RolloutStatus.FINISHED)
    return Due(
        [] if plan.hawkbit else silent_actions(reading, rollout, at),
        fallen_back(reading, rollout, at) if plan.succeeds == "reported" else [],
        retries_due(reading, rollout, at) if plan.retries and goes_on else [],
    )


def tend(change: Change, what: Due, at: int, *, simulated: bool = False) -> Tended:
    """Do what is due, as far as it still is."""
    silent = steering.give_up(
        change, what.silent, Outcome.SILENT, ["not heard of in its time"], at, simulated=simulated
    )
    fell = sum(steering.fell_back(change, action, at, simulated=simulated) for action in what.fallen_back)
    again = retry(change, what.failed, at, by="retry", simulated=simulated)
    return Tended(silent, fell, len(again))


def silent_actions(reading: Reading, rollout: Rollout, at: int) -> list[int]:
    """Actions of cars that began to install and were not heard of since, or did not finish, in their time.

    A download that goes before installing has no such time.
    """
    rules = rollout.plan.rules
    rows = reading.rows(
        "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target WHERE a.rollout = :rollout"
        " AND a.active = 1 AND a.begun IS NOT NULL AND (a.begun < :limit OR (a.begun < :lost"
        " AND COALESCE(t.polled, 0) < :lost))"
        f"{'' if rollout.plan.type is ActionType.DOWNLOAD_ONLY else f' AND NOT ({_DOWNLOADS})'} LIMIT :most",
        rollout=rollout.id,
        limit=at - rules.time_limit_s * SECOND,
        lost=at - rules.silence_s * SECOND,
        most=MOST,
    )
    return [row[0] for row in rows]


def fallen_back(reading: Reading, rollout: Rollout, at: int) -> list[int]:
    """Actions called finished a day ago or more, of cars that since said that they run something else."""
    rows = reading.rows(
        "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target AND t.installed_action = a.id"
        " JOIN distribution_sets d ON d.id = a.distribution_set WHERE a.rollout = :rollout"
        " AND a.outcome = :installed AND a.verified IS NULL AND t.version_reported <> ''"
        " AND t.version_reported <> d.version AND t.attributes_requested = 0 AND t.installed_at < :since"
        " AND t.polled > t.installed_at LIMIT :most",
        rollout=rollout.id,
        installed=Outcome.INSTALLED.value,
        since=at - DAY,
        most=MOST,
    )
    return [row[0] for row in rows]


def retries_due(reading: Reading, rollout: Rollout, at: int) -> list[int]:
    """Failed actions whose next try is due: each waits twice as long as the one before it."""
    plan = rollout.plan
    out = []
    for action, modified, tries in _failed(reading, rollout):
        wait = plan.retry_after_s * 2 ** min(tries - 1, _LONGEST_DOUBLING)
        if tries <= plan.retries and modified + wait * SECOND <= at:
            out.append(action)
    return out[:MOST]


def failed_actions(reading: Reading, rollout: Rollout) -> list[int]:
    """The last try of each car whose installation failed and that was given nothing else since."""
    return [action for action, _, _ in _failed(reading, rollout)]


def _failed(reading: Reading, rollout: Rollout) -> list[tuple[int, int, int]]:
    rows = reading.rows(
        "SELECT a.id, a.modified, (SELECT COUNT(*) FROM actions b WHERE b.target = a.target"
        f" AND b.rollout = a.rollout AND (b.type = '{_DOWNLOAD}') = ({_DOWNLOADS})) FROM actions a"
        f" WHERE a.rollout = :rollout AND a.outcome IN ({_FAILED})"
        " AND NOT EXISTS (SELECT 1 FROM actions c WHERE c.target = a.target AND c.id > a.id) ORDER BY a.id",
        rollout=rollout.id,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def retry(change: Change, actions: Sequence[int], at: int, *, by: str, simulated: bool = False) -> list[int]:
    """Try failed actions again, but for cars that were given something else meanwhile; ids of the new ones.

    What a car's first try said stays evidence; a later one is none.

    Raises:
        Refused: the release may not be given to cars any more, or a quota is reached.
    """
    out = []
    for part in parts(actions):
        rows = change.rows(
            f"SELECT a.id FROM actions a WHERE a.id IN ({places()}) AND a.outcome IN ({_FAILED})"
            " AND NOT EXISTS (SELECT 1 FROM actions c WHERE c.target = a.target AND c.id > a.id)"
            " ORDER BY a.id",
            **part,
        )
        out += [assigning.retry(change, row[0], at, initiated_by=by, simulated=simulated) for row in rows]
    return out


def values_of(reading: Reading, targets: Iterable[int], key: str) -> dict[int, str]:
    """What cars say under one key, by target; those that say nothing are left out."""
    out: dict[int, str] = {}
    for part in parts(targets):
        rows = reading.rows(
            f"SELECT target, value FROM target_attributes WHERE key = :key AND target IN ({places()})",
            key=key,
            **part,
        )
        out.update((row[0], row[1]) for row in rows)
    return out
