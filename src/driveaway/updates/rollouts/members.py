"""The cars of a rollout, in the tables and in columns; only what changed is read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.book.state.state import Change, Reading
from driveaway.facts.health import SIGNALS
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.model import Outcome as Ending
from driveaway.updates.outcomes import release_slug
from driveaway.updates.rollouts.columns import NEVER, Cars, Health, Outcome
from driveaway.updates.rollouts.decision import Opening
from driveaway.updates.rollouts.order import held_out, holdout_share, places
from driveaway.updates.rollouts.plan import Rollout
from driveaway.updates.sets import find_set

_HALF: Final = 2**63
_AT_ONCE: Final = 20_000
_UNSEEN: Final = int(np.iinfo(np.int64).min)
_ENDINGS: Final = {
    Ending.FAILED: Outcome.FAILED,
    Ending.SKIPPED: Outcome.FAILED,
    Ending.SILENT: Outcome.FAILED,
    Ending.FELL_BACK: Outcome.FALLBACK,
    Ending.CANCELLED: Outcome.CANCELLED,
    Ending.REJECTED: Outcome.DECLINED,
    Ending.DOWNLOADED: Outcome.SUCCEEDED,
}


def enter(change: Change, rollout: Rollout, at: int) -> int:
    """Enter the cars that the filter names and that are not in the rollout yet; how many.

    A car whose place is open already, and which is not held out, is open from now on.
    """
    where = Filter(rollout.filter, target_fields()).where(change.dialect, Clock(at, at))
    segment, more = "''", {}
    if rollout.plan.segment:
        segment = (
            "COALESCE((SELECT x.value FROM target_attributes x WHERE x.target = t.id AND x.key = :seg), '')"
        )
        more = {"seg": rollout.plan.segment}
    rows = change.rows(
        f"SELECT t.id, t.controller_id, {segment} FROM targets t WHERE NOT EXISTS (SELECT 1 FROM"
        f" rollout_members m WHERE m.rollout = :rollout AND m.target = t.id) AND ({where.sql})"
        " ORDER BY t.id LIMIT :most",
        rollout=rollout.id,
        most=_AT_ONCE,
        **more,
        **where.parameters,
    )
    if not rows:
        return 0
    ids = [row[1] for row in rows]
    drawn = places(rollout.seed, ids)
    behind = held_out(rollout.seed, ids, holdout_share(rollout.plan.purpose, rollout.plan.holdout))
    opening = rollout.record.opening
    change.run_many(
        "INSERT INTO rollout_members (rollout, target, place, held_out, segment, joined, opened)"
        " VALUES (:rollout, :target, :place, :held_out, :segment, :at, :opened)",
        [
            {
                "rollout": rollout.id,
                "target": row[0],
                "place": int(place) - _HALF,
                "held_out": int(stays),
                "segment": row[2],
                "at": at,
                "opened": at if not stays and _opens(opening, int(place), row[2]) else None,
            }
            for row, place, stays in zip(rows, drawn, behind, strict=True)
        ],
    )
    return len(rows)


def _opens(opening: Opening | None, place: int, segment: str) -> bool:
    if opening is None or (opening.segments and segment not in opening.segments):
        return False
    return opening.holds(place)


def open_places(change: Change, rollout: Rollout, opening: Opening, at: int) -> None:
    """Open what an opening names; who gets an action follows from it."""
    if not opening.cut:
        return
    cut = int(opening.cut, 16) - _HALF
    base = (
        "UPDATE rollout_members SET opened = :at WHERE rollout = :rollout AND held_out = 0"
        " AND opened IS NULL AND place <= :cut"
    )
    if not opening.segments:
        change.run(base, at=at, rollout=rollout.id, cut=cut)
    for segment in opening.segments:
        change.run(f"{base} AND segment = :segment", at=at, rollout=rollout.id, cut=cut, segment=segment)


def release_holdout(change: Change, rollout: Rollout, at: int) -> None:
    """Open the holdout too: the campaign has ended."""
    change.run(
        "UPDATE rollout_members SET opened = :at WHERE rollout = :rollout AND opened IS NULL",
        at=at,
        rollout=rollout.id,
    )


def unserved(reading: Reading, rollout: Rollout, most: int) -> list[tuple[int, str]]:
    """(target, controller id) of open cars that have no action of the rollout yet."""
    rows = reading.rows(
        "SELECT m.target, t.controller_id FROM rollout_members m JOIN targets t ON t.id = m.target"
        " WHERE m.rollout = :rollout AND m.opened IS NOT NULL AND m.action IS NULL LIMIT :most",
        rollout=rollout.id,
        most=most,
    )
    return [(row[0], row[1]) for row in rows]


_CAR: Final = (
    "SELECT m.target, m.place, m.held_out, m.segment, m.joined, m.opened, a.created, a.begun, a.modified,"
    " a.outcome, a.verified, t.polled, t.controller_id FROM rollout_members m"
    " JOIN targets t ON t.id = m.target LEFT JOIN actions a ON a.id = m.action WHERE m.rollout = :rollout"
)


@dataclass
class Members:
    """The columns of one rollout, kept between looks.

    The first look reads every car; a later one those that joined, were opened or whose action changed since,
    and when the cars that are installing were last heard of.
    """

    rollout: int
    success: str
    _row: dict[int, int] = field(default_factory=dict)
    _vin: dict[str, int] = field(default_factory=dict)
    _segments: dict[str, int] = field(default_factory=dict)
    _columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    _size: int = 0
    _since: int = 0

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that the columns number."""
        return tuple(self._segments) or ("",)

    def read(self, reading: Reading, now: int) -> Cars:
        """The columns as they stand."""
        if self._since == 0:
            rows = reading.rows(_CAR, rollout=self.rollout)
        else:
            rows = reading.rows(
                f"{_CAR} AND (m.joined >= :since OR m.opened >= :since OR a.modified >= :since"
                " OR (a.begun IS NOT NULL AND a.outcome = '')"
                " OR (a.outcome = 'installed' AND a.verified IS NULL))",
                rollout=self.rollout,
                since=self._since,
            )
        self._take(rows)
        self._since = now
        used = {name: column[: self._size].copy() for name, column in self._columns.items()}
        return Cars(**used) if used else Cars.waiting(np.empty(0, np.uint64), np.empty(0, bool), 0)

    def health(self, reading: Reading, releases: tuple[str, ...] = ()) -> Health:
        """Reports about these cars since the first of them joined, in the order of landing."""
        first = int(self._columns["joined"][: self._size].min(initial=NEVER)) if self._size else NEVER
        rows = reading.rows(
            "SELECT h.vin, h.signal, h.window_start, h.window_end, h.landed, h.count, h.exposure_m,"
            " h.assisted_m FROM car_health h WHERE h.window_end >= :first ORDER BY h.id",
            first=first,
        )
        kept = [(self._vin[row[0]], *row[1:]) for row in rows if row[0] in self._vin]
        if not kept:
            return Health.none()
        car, signal, start, end, landed, count, exposure, assisted = zip(*kept, strict=True)
        return Health(
            np.array(car, np.int32),
            np.array([SIGNALS.index(each) for each in signal], np.int16),
            np.array(start, np.int64),
            np.array(end, np.int64),
            np.maximum.accumulate(np.array(landed, np.int64)),
            np.array(count, np.int32),
            np.array(exposure, np.int64),
            np.array(assisted, np.int64),
        )

    def _take(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        fresh = [row for row in rows if row[0] not in self._row]
        for number, row in enumerate(fresh, start=self._size):
            self._row[row[0]] = number
            self._vin[row[12]] = number
            self._segments.setdefault(row[3], len(self._segments))
        self._grow(self._size + len(fresh))
        at = np.array([self._row[row[0]] for row in rows])
        columns = list(zip(*rows, strict=True))
        taken = self._columns
        taken["place"][at] = np.array(columns[1], np.int64).view(np.uint64) ^ np.uint64(_HALF)
        taken["held_out"][at] = np.array(columns[2], bool)
        taken["segment"][at] = [self._segments[name] for name in columns[3]]
        taken["joined"][at] = columns[4]
        for name, values in (("opened", columns[5]), ("offered", columns[6]), ("started", columns[7])):
            taken[name][at] = [NEVER if value is None else value for value in values]
        outcomes = [self._outcome(row[9], row[10]) for row in rows]
        taken["outcome"][at] = outcomes
        taken["finished"][at] = [
            NEVER if outcome is Outcome.PENDING else value
            for outcome, value in zip(outcomes, columns[8], strict=True)
        ]
        taken["seen"][at] = [_UNSEEN if value is None else value for value in columns[11]]

    def _outcome(self, ending: str | None, verified: int | None) -> Outcome:
        if not ending:
            return Outcome.PENDING
        if ending == Ending.INSTALLED:
            if verified or self.success == "finished":
                return Outcome.SUCCEEDED
            # Only its client has said so: it counts as on its way until it reports, or falls silent.
            return Outcome.PENDING if verified is None else Outcome.FALLBACK
        return _ENDINGS[Ending(ending)]

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


def release_of(reading: Reading, rollout: Rollout) -> str:
    """The slug of what is rolled out."""
    found = find_set(reading, rollout.distribution_set, deleted=True)
    return release_slug(found.name, found.version)
