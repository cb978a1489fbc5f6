"""How many cars, actions and rollouts stand how."""

from __future__ import annotations

from typing import Final

from driveaway.book.state.state import Reading
from driveaway.updates.rollouts.plan import Rollout

STATES: Final = ("running", "notstarted", "scheduled", "cancelled", "finished", "error")
"""What hawkBit counts a rollout's targets under."""
_COUNTED: Final = (
    "CASE WHEN a.id IS NULL THEN 'notstarted'"
    " WHEN a.outcome IN ('installed', 'downloaded') THEN 'finished'"
    " WHEN a.outcome = 'cancelled' THEN 'cancelled' WHEN a.outcome <> '' THEN 'error'"
    " WHEN a.active = 0 THEN 'scheduled' ELSE 'running' END"
)


def rollout_counts(reading: Reading, rollout: int) -> dict[str, int]:
    """Cars of a rollout by state; none before it is started."""
    rows = reading.rows(
        f"SELECT {_COUNTED} AS how, COUNT(*) FROM rollout_members m LEFT JOIN actions a ON a.id = m.action"
        " WHERE m.rollout = :rollout GROUP BY how",
        rollout=rollout,
    )
    return {**dict.fromkeys(STATES, 0), **dict(rows)}


def group_counts(reading: Reading, rollout: int) -> dict[int, dict[str, int]]:
    """Cars of each group, by its id, that were given an action, by state."""
    rows = reading.rows(
        f"SELECT a.rollout_group, {_COUNTED} AS how, COUNT(*) FROM rollout_members m"
        " JOIN actions a ON a.id = m.action WHERE m.rollout = :rollout GROUP BY a.rollout_group, how",
        rollout=rollout,
    )
    out: dict[int, dict[str, int]] = {}
    for group, how, count in rows:
        out.setdefault(group or 0, dict.fromkeys(STATES, 0))[how] += count
    return out


def in_group(rollout: Rollout) -> str:
    """A condition: that a target ``t`` is in the group ``:group`` at ``:position`` of ``:rollout``.

    Cars of hawkBit's groups are in them from the beginning, those of others once they are given something.
    """
    if rollout.plan.hawkbit:
        return (
            "t.id IN (SELECT m.target FROM rollout_members m WHERE m.rollout = :rollout"
            " AND m.segment = CAST(:position + 1 AS TEXT) AND :group > 0)"
        )
    return (
        "t.id IN (SELECT m.target FROM rollout_members m JOIN actions a ON a.id = m.action"
        " WHERE m.rollout = :rollout AND a.rollout_group = :group AND :position >= 0)"
    )


def set_statistics(reading: Reading, distribution_set: int) -> dict[str, dict[str, int]]:
    """Actions and rollouts of a set by state, ``total`` included."""
    out = {}
    for name, table in (("actions", "actions"), ("rollouts", "rollouts")):
        rows = reading.rows(
            f"SELECT status, COUNT(*) FROM {table} WHERE distribution_set = :set GROUP BY status",
            set=distribution_set,
        )
        counts = {status.upper(): int(count) for status, count in rows}
        out[name] = {**counts, "total": sum(counts.values())}
    return out


def filters_of_set(reading: Reading, distribution_set: int) -> int:
    """How many target filters give a set automatically."""
    ((count,),) = reading.rows(
        "SELECT COUNT(*) FROM target_filters WHERE distribution_set = :set", set=distribution_set
    )
    return int(count)
