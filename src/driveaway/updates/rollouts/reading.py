"""The cars of a rollout in columns, kept between looks; only what may have changed is read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.book.state.state import Reading
from driveaway.facts.health import SIGNALS
from driveaway.updates.model import Outcome as Ending
from driveaway.updates.rollouts.columns import NEVER, Cars, Health, Outcome
from driveaway.updates.rollouts.members import HALF
from driveaway.values.clock import DAY, SECOND

_AT_ONCE: Final = 50_000
"""Rows in memory at a time: each costs some 500 bytes as Python's objects, and 80 in the columns."""
_OVERLAP: Final = 15 * 60 * SECOND
"""What was written so long before a look may have been committed after it, by clocks that differ."""
_UNSEEN: Final = int(np.iinfo(np.int64).min)
_OUTCOMES: Final = {
    Ending.FAILED: Outcome.FAILED,
    Ending.SKIPPED: Outcome.FAILED,
    Ending.SILENT: Outcome.SILENT,
    Ending.FELL_BACK: Outcome.FALLBACK,
    Ending.CANCELLED: Outcome.CANCELLED,
    Ending.REJECTED: Outcome.DECLINED,
    Ending.DOWNLOADED: Outcome.SUCCEEDED,
}
_NUMBERS: Final = (
    f"m.target, m.place, m.held_out, m.joined, COALESCE(m.opened, {NEVER}), COALESCE(a.created, {NEVER}),"
    f" COALESCE(a.begun, {NEVER}), COALESCE(a.modified, {NEVER}), COALESCE(t.polled, {_UNSEEN + 1})"
)
_ENDED: Final = " ".join(
    f"WHEN '{ending.value}' THEN {int(outcome)}" for ending, outcome in _OUTCOMES.items()
)
# Where only its client has said so, a car counts as on its way until it reports, or falls silent.
_OUTCOME: Final = (
    f"CASE a.outcome WHEN '{Ending.INSTALLED.value}' THEN CASE"
    f" WHEN a.verified = 1 OR CAST(:finished AS BIGINT) = 1 THEN {int(Outcome.SUCCEEDED)}"
    f" WHEN a.verified IS NULL THEN {int(Outcome.PENDING)} ELSE {int(Outcome.FALLBACK)} END"
    f" {_ENDED} ELSE {int(Outcome.PENDING)} END"
)
_COLUMNS: Final = f"{_NUMBERS}, {_OUTCOME}, m.segment"
_ALL: Final = (
    f"SELECT {_COLUMNS} FROM rollout_members m JOIN targets t ON t.id = m.target"
    " LEFT JOIN actions a ON a.id = m.action WHERE m.rollout = :rollout AND m.target > :after"
    " ORDER BY m.target LIMIT :most"
)
_JOINED: Final = (
    f"SELECT {_COLUMNS} FROM rollout_members m JOIN targets t ON t.id = m.target"
    " LEFT JOIN actions a ON a.id = m.action WHERE m.rollout = :rollout"
    " AND (m.joined >= :since OR m.opened >= :since)"
)
_ACTED: Final = (
    f"SELECT {_COLUMNS} FROM actions a JOIN rollout_members m ON m.rollout = a.rollout"
    " AND m.target = a.target AND m.action = a.id JOIN targets t ON t.id = m.target"
    " WHERE a.rollout = :rollout AND (a.modified >= :since OR (a.begun IS NOT NULL AND a.outcome = '')"
    f" OR (a.outcome = '{Ending.INSTALLED.value}' AND a.verified IS NULL AND :finished = 0))"
)
_HEALTH: Final = (
    "SELECT h.id, t.id, h.window_start, h.window_end, h.landed, h.count, h.exposure_m, h.assisted_m, h.signal"
    " FROM car_health h JOIN targets t ON t.controller_id = h.vin"
    " WHERE h.id > :after AND h.window_end >= :first ORDER BY h.id LIMIT :most"
)
_SIGNALS: Final = {name: number for number, name in enumerate(SIGNALS)}


@dataclass
class Members:
    """The columns of one rollout, kept between looks.

    The first look reads every car, and so does one a day, which forgets cars that are gone. The others read
    those that joined, were opened or whose action changed since, and when cars that are installing were
    last heard of. Reports of health are read once.

    Attributes:
        rollout: id of the rollout.
        success: when a car has succeeded, as its plan says.
    """

    rollout: int
    success: str
    _targets: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _segments: dict[str, int] = field(default_factory=dict)
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    _size: int = 0
    _since: int = 0
    _whole: int = 0
    _health: NDArray[np.int64] = field(default_factory=lambda: np.empty((9, 0), np.int64))

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that the columns number."""
        return tuple(self._segments) or ("",)

    def read(self, reading: Reading, now: int) -> Cars:
        """The columns as they stand."""
        finished = int(self.success == "finished")
        if self._since == 0 or not self._whole <= now < self._whole + DAY:
            self._size, self._whole = 0, now
            self._targets = self._order = np.empty(0, np.int64)
            after = 0
            while rows := reading.rows(
                _ALL, rollout=self.rollout, finished=finished, after=after, most=_AT_ONCE
            ):
                self._take(rows)
                after = rows[-1][0]
        else:
            for sql in (_JOINED, _ACTED):
                self._take(reading.rows(sql, rollout=self.rollout, finished=finished, since=self._since))
        self._since = max(1, now - _OVERLAP)
        used = {name: column[: self._size].copy() for name, column in self._columns.items()}
        return Cars(**used) if used else Cars.waiting(np.empty(0, np.uint64), np.empty(0, bool), 0)

    def health(self, reading: Reading) -> Health:
        """Reports about these cars, of windows that began after they joined, in the order of landing."""
        if not self._size:
            return Health.none()
        joined = self._columns["joined"][: self._size]
        first = int(joined.min())
        parts = [self._health]
        after = int(self._health[0, -1]) if self._health.shape[1] else 0
        while rows := reading.rows(_HEALTH, after=after, first=first, most=_AT_ONCE):
            columns = list(zip(*rows, strict=True))
            signals = [_SIGNALS[name] for name in columns[8]]
            parts.append(np.array([*columns[:8], signals], np.int64))
            after = rows[-1][0]
        if len(parts) > 1:
            self._health = np.concatenate(parts, axis=1)
        row, known = self._rows_of(self._health[1])
        known[known] = self._health[2][known] >= joined[row[known]]
        _, _, start, end, landed, count, exposure, assisted, signal = self._health[:, known]
        return Health(
            row[known].astype(np.int32),
            signal.astype(np.int16),
            start,
            end,
            np.maximum.accumulate(landed) if len(landed) else landed,
            count.astype(np.int32),
            exposure,
            assisted,
        )

    def flags(self, targets: Collection[int]) -> NDArray[np.bool_]:
        """Which rows are of these targets, in the order of the columns."""
        out = np.zeros(self._size, bool)
        rows, known = self._rows_of(np.fromiter(targets, np.int64, len(targets)))
        out[rows[known]] = True
        return out

    def _rows_of(self, targets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The row of each target, and whether it has one."""
        if not self._size:
            return np.zeros(len(targets), np.int64), np.zeros(len(targets), bool)
        sorted_targets = self._targets[self._order]
        found = np.minimum(np.searchsorted(sorted_targets, targets), self._size - 1)
        return self._order[found], sorted_targets[found] == targets

    def _take(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        targets = np.array(columns[0], np.int64)
        at, known = self._rows_of(targets)
        fresh = np.flatnonzero(~known)
        if len(fresh):
            at[fresh] = np.arange(self._size, self._size + len(fresh))
            self._targets = np.concatenate((self._targets, targets[fresh]))
            self._grow(self._size + len(fresh))
            self._order = np.argsort(self._targets, kind="stable")
        for name in dict.fromkeys(columns[10]):
            self._segments.setdefault(name, len(self._segments))
        taken = self._columns
        taken["place"][at] = np.array(columns[1], np.int64).view(np.uint64) ^ np.uint64(HALF)
        taken["held_out"][at] = np.array(columns[2], bool)
        for name, values in zip(("joined", "opened", "offered", "started"), columns[3:7], strict=True):
            taken[name][at] = np.array(values, np.int64)
        taken["seen"][at] = np.array(columns[8], np.int64)
        outcome = np.array(columns[9], np.uint8)
        taken["outcome"][at] = outcome
        ended = np.array(columns[7], np.int64)
        taken["finished"][at] = np.where(outcome == Outcome.PENDING, NEVER, ended)
        taken["segment"][at] = [self._segments[name] for name in columns[10]]

    def _grow(self, size: int) -> None:
        self._size = size
        room = len(self._columns.get("place", ()))
        if size <= room:
            return
        more = max(size, 2 * room)
        blank = Cars.waiting(np.zeros(more, np.uint64), np.zeros(more, bool), 0)
        for name in Cars.__dataclass_fields__:
            new = getattr(blank, name)
            if name in self._columns:
                new[:room] = self._columns[name]
            self._columns[name] = new
