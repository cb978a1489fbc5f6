"""The log of an action: what was said about it, by the car and from here, within quotas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates.actions.machine import Report
from driveaway.updates.model import ActionMessage, ActionStatus
from driveaway.updates.quotas import MESSAGE_LENGTH, MESSAGES_PER_STATUS, STATUSES_PER_ACTION, exceeded
from driveaway.updates.rows import MESSAGE, message_of

HISTORY: int = 100
"""Messages that a car is given of an action's history at the most."""
INSERT = (
    "INSERT INTO action_statuses (action, status, at, reported, code, messages, digest)"
    " VALUES (:action, :status, :at, :reported, :code, :messages, :digest)"
)


class Known(msgspec.Struct, frozen=True):
    """What the log holds: how many entries, and whether one of them is the report at hand."""

    entries: int
    repeated: bool


def known(change: Change, action: int, digest: str) -> Known:
    """What an action's log holds, as far as taking a report depends on it.

    A cancellation that is asked for anew may be answered in the very words of an earlier answer: what was
    said before the last request is no repetition.
    """
    rows = change.rows(
        "SELECT COUNT(*), COALESCE(MAX(CASE WHEN digest = :digest THEN id END), 0),"
        " COALESCE(MAX(CASE WHEN status = :canceling THEN id END), 0)"
        " FROM action_statuses WHERE action = :action",
        action=action,
        digest=digest,
        canceling=ActionStatus.CANCELING.value,
    )
    entries, same, asked = rows[0]
    return Known(entries, same > (asked if digest.startswith("c") else 0))


def add(
    change: Change,
    action: int,
    status: ActionStatus,
    at: int,
    messages: Sequence[str] = (),
    *,
    report: Report | None = None,
) -> None:
    """Add an entry: the messages of a report, else those given."""
    change.run(INSERT, **entry(action, status, at, messages, report=report))


def add_to_all(
    change: Change, which: str, status: ActionStatus, message: str, at: int, values: Mapping[str, object]
) -> None:
    """Add the same entry to the logs of many actions.

    Args:
        change: where it is written.
        which: the condition that names them, in SQL.
        status: the state that it is kept under.
        message: what happened.
        at: now.
        values: the parameters of the condition.
    """
    change.run(
        "INSERT INTO action_statuses (action, status, at, messages)"
        f" SELECT id, '{status}', CAST(:logged AS BIGINT), :messages FROM actions WHERE {which}",
        logged=at,
        messages=msgspec.json.encode([message]).decode(),
        **values,
    )


def entry(
    action: int,
    status: ActionStatus,
    at: int,
    messages: Sequence[str] = (),
    *,
    report: Report | None = None,
) -> dict[str, object]:
    """The values of an entry, for ``INSERT``."""
    return {
        "action": action,
        "status": status.value,
        "at": at,
        "reported": None if report is None else report.reported,
        "code": None if report is None else report.code,
        "messages": msgspec.json.encode(within_quota(messages)).decode(),
        "digest": "" if report is None else report.digest,
    }


def within_quota(messages: Sequence[str]) -> list[str]:
    """Messages cut to their length; those beyond the quota are lines of the last one.

    SWUpdate sends its whole log with one report: refusing it would lose how an installation ended.
    """
    kept = list(messages[:MESSAGES_PER_STATUS])
    if len(messages) > MESSAGES_PER_STATUS:
        kept[-1] = "\n".join(messages[MESSAGES_PER_STATUS - 1 :])
    return [text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…" for text in kept]


def check_quota(entries: int) -> None:
    """Refuse one more entry to a log that is full.

    Raises:
        Refused: ``quota.statuses``.
    """
    if entries >= STATUSES_PER_ACTION:
        exceeded(
            "statuses", "entries about one action", STATUSES_PER_ACTION, "say only how it ended, or cancel it"
        )


def entries(
    reading: Reading, action: int, *, offset: int = 0, limit: int = 50, newest_first: bool = True
) -> list[ActionMessage]:
    """Entries of an action's log."""
    order = "DESC" if newest_first else "ASC"
    rows = reading.rows(
        f"SELECT {MESSAGE} FROM action_statuses s WHERE s.action = :action"
        f" ORDER BY s.id {order} LIMIT :limit OFFSET :offset",
        action=action,
        limit=limit,
        offset=offset,
    )
    return [message_of(row) for row in rows]


def history(reading: Reading, action: int, count: int) -> list[str]:
    """The latest messages that the car itself sent, newest first; a negative count: as many as it may get."""
    wanted = HISTORY if count < 0 else min(count, HISTORY)
    if not wanted:
        return []
    rows = reading.rows(
        "SELECT messages FROM action_statuses WHERE action = :action AND digest <> ''"
        " ORDER BY id DESC LIMIT :limit",
        action=action,
        limit=wanted,
    )
    told = (message for (text,) in rows for message in reversed(msgspec.json.decode(text, type=list[str])))
    return list(told)[:wanted]
