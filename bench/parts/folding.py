"""The peer that folds in Python, the way beancount does: FOLDER AS_OF MARK.

All entries are read into memory once; each question walks over all of them in order and keeps a
state for each order. The entries are slimmer than ours (no body but the trim), which favours the peer.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from datetime import UTC, datetime
from sys import intern
from typing import NamedTuple

import msgspec

from bench.questions import LOCAL_OFFSET, PER_DAY, WAITING, Answer, answer


class _Entry(NamedTuple):
    seq: int
    kind: str
    subject: str
    happened: int
    replaces: int | None
    trim: str | None


class _Body(msgspec.Struct):
    trim: str | None = None


class _Order:
    __slots__ = ("changed", "locked", "open", "trim")

    def __init__(self) -> None:
        self.locked = False
        self.open = True
        self.trim: str | None = None
        self.changed: tuple[int, int, str | None] | None = None


_entries: list[_Entry] = []


def _load() -> None:
    decode = msgspec.json.Decoder(_Body).decode
    connection = sqlite3.connect(f"file:{folder}/data/book.sqlite?mode=ro", uri=True)
    for seq, kind, subject, happened, replaces, body in connection.execute(
        "SELECT seq, kind, subject, happened, replaces, body FROM fact WHERE seq <= ? ORDER BY seq", (mark,)
    ):
        trim = decode(body).trim if kind in ("order.locked", "order.changed") else None
        _entries.append(_Entry(seq, intern(kind), subject, happened, replaces, trim and intern(trim)))
    connection.close()


def _waiting() -> Answer:
    replaced = {entry.replaces for entry in _entries if entry.replaces is not None}
    orders: dict[str, _Order] = {}
    for entry in _entries:
        if entry.happened > as_of or entry.seq in replaced:
            continue
        kind = entry.kind
        if kind not in ("order.locked", "order.changed", "order.cancelled", "order.handed_over"):
            continue
        order = orders.get(entry.subject)
        if order is None:
            order = orders[entry.subject] = _Order()
        if kind == "order.locked":
            order.locked, order.trim = True, entry.trim
        elif kind == "order.changed":
            change = (entry.happened, entry.seq, entry.trim)
            if order.changed is None or change[:2] > order.changed[:2]:
                order.changed = change
        else:
            order.open = False
    count: Counter[str] = Counter()
    for order in orders.values():
        if order.locked and order.open:
            count[str(order.trim if order.changed is None else order.changed[2])] += 1
    return count


def _per_day() -> Answer:
    replaced = {entry.replaces for entry in _entries if entry.replaces is not None}
    days: Counter[int] = Counter()
    for entry in _entries:
        if entry.kind == "order.locked" and entry.happened <= as_of and entry.seq not in replaced:
            days[(entry.happened + LOCAL_OFFSET) // 86_400_000_000] += 1
    return {f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}": n for day, n in days.items()}


if __name__ == "__main__":
    folder, as_of, mark = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    answer({WAITING: _waiting, PER_DAY: _per_day}, _load, again=3)
