"""What other processes must hear of before a car polls again: written with each change, read by number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from driveaway.book.state.state import Change, Reading

EVERYONE: Final = ""
"""Stands among changed controller ids when whatever is known of any car may have changed."""
_ALL: Final = 0
_AT_ONCE: Final = 20_000


def tell(change: Change, targets: Iterable[int], at: int) -> None:
    """Note that the documents of these cars may have changed."""
    sql = "INSERT INTO target_changes (target, at) VALUES (:target, :at)"
    change.run_many(sql, [{"target": target, "at": at} for target in targets])


def tell_everyone(change: Change, at: int) -> None:
    """Note that the documents of any car may have changed: software, settings."""
    tell(change, (_ALL,), at)


def last(reading: Reading) -> int:
    """The number of the latest change."""
    return int(reading.rows("SELECT COALESCE(MAX(id), 0) FROM target_changes")[0][0])


def since(reading: Reading, seq: int) -> tuple[int, list[str]]:
    """Changes after one: the number of the last of them, and the ids of the cars that they mean.

    ``EVERYONE`` is among the ids where all cars are meant, or what came between was pruned.
    """
    rows = reading.rows(
        "SELECT c.id, t.controller_id FROM target_changes c LEFT JOIN targets t ON t.id = c.target"
        " WHERE c.id > :seq ORDER BY c.id LIMIT :most",
        seq=seq,
        most=_AT_ONCE,
    )
    if not rows:
        return seq, []
    # A car that is gone has no id any more.
    changed = {EVERYONE if row[1] is None else row[1] for row in rows}
    if rows[0][0] > seq + 1:
        (first,) = reading.rows("SELECT MIN(id) FROM target_changes")
        if first[0] > seq + 1:
            changed.add(EVERYONE)
    return rows[-1][0], sorted(changed)


def prune(change: Change, before: int) -> int:
    """Forget changes older than a time, the last one excepted; how many."""
    return change.run(
        "DELETE FROM target_changes WHERE at < :before AND id < (SELECT MAX(id) FROM target_changes)",
        before=before,
    )
