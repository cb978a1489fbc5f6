"""How far a rollout has come, counted in the tables: for people who watch, not for decisions."""

from __future__ import annotations

from typing import Final

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.model import Outcome
from driveaway.updates.rollouts.plan import Rollout
from driveaway.updates.rollouts.tending import FAILURES

_NAMES: Final = {
    Outcome.FAILED: "failed",
    Outcome.SKIPPED: "failed",
    Outcome.SILENT: "silent",
    Outcome.FELL_BACK: "fallback",
    Outcome.CANCELLED: "cancelled",
    Outcome.REJECTED: "declined",
    Outcome.DOWNLOADED: "succeeded",
}
_FIRST: Final = (
    "SELECT a.outcome, CASE WHEN a.verified IS NULL THEN -1 ELSE a.verified END,"
    " CASE WHEN a.begun IS NULL THEN 0 ELSE 1 END, COUNT(*) FROM rollout_members m"
    " JOIN actions a ON a.id = m.action WHERE m.rollout = :rollout GROUP BY 1, 2, 3"
)
_AGAIN: Final = (
    "SELECT COUNT(DISTINCT a.target) FROM actions a JOIN rollout_members m ON m.rollout = a.rollout"
    " AND m.target = a.target AND m.action < a.id WHERE a.rollout = :rollout AND a.outcome = :installed"
    " AND (a.verified = 1 OR CAST(:finished AS BIGINT) = 1)"
)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Cars of a rollout by how far they are; each counts by its first try.

    Attributes:
        cars: in the rollout.
        held_out: of them, kept behind as a control.
        opened: whose place is open.
        offered: with an action.
        waiting: of those, nothing was heard.
        installing: began, and their end is not known, or only their client has said so.
        succeeded, declined, cancelled, failed, silent, fallback: by how it ended.
        had_it: open cars that had the release assigned already.
        recovered: of those that failed, how many succeeded on a later try.
        downloaded: cars that hold it since before the installing began, whatever became of them then.
    """

    cars: int
    held_out: int
    opened: int
    offered: int
    waiting: int = 0
    installing: int = 0
    succeeded: int = 0
    declined: int = 0
    cancelled: int = 0
    failed: int = 0
    silent: int = 0
    fallback: int = 0
    had_it: int = 0
    recovered: int = 0
    downloaded: int = 0


def progress(reading: Reading, rollout: Rollout) -> Progress:
    """Count; of a million cars it takes a second or two."""
    finished = rollout.plan.succeeds == "finished"
    ((cars, held_out, opened, had_it),) = reading.rows(
        "SELECT COUNT(*), COALESCE(SUM(held_out), 0), COUNT(opened),"
        " COALESCE(SUM(CASE WHEN action = 0 THEN 1 ELSE 0 END), 0)"
        " FROM rollout_members WHERE rollout = :rollout",
        rollout=rollout.id,
    )
    found: dict[str, int] = {}
    for outcome, verified, begun, number in reading.rows(_FIRST, rollout=rollout.id):
        name = _name(outcome, verified, begun, finished)
        found[name] = found.get(name, 0) + number
    recovered = 0
    if any(found.get(_NAMES[each]) for each in FAILURES):
        ((recovered,),) = reading.rows(
            _AGAIN, rollout=rollout.id, installed=Outcome.INSTALLED.value, finished=int(finished)
        )
    downloaded = 0
    if rollout.plan.install_at is not None:
        ((downloaded,),) = reading.rows(
            "SELECT COUNT(DISTINCT target) FROM actions WHERE rollout = :rollout AND outcome = :downloaded",
            rollout=rollout.id,
            downloaded=Outcome.DOWNLOADED.value,
        )
    return Progress(
        cars=cars,
        held_out=int(held_out),
        opened=opened,
        offered=sum(found.values()),
        had_it=int(had_it),
        recovered=recovered,
        downloaded=downloaded,
        **found,
    )


def _name(outcome: str, verified: int, begun: int, finished: bool) -> str:
    if not outcome:
        return "installing" if begun else "waiting"
    if outcome == Outcome.INSTALLED:
        if verified == 1 or finished:
            return "succeeded"
        return "installing" if verified < 0 else "fallback"
    return _NAMES[Outcome(outcome)]
