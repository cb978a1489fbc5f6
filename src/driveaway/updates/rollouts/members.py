"""The cars of a rollout in the tables: entered, opened some at a time, and divided into hawkBit's groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.book.state.state import Change, Reading
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.outcomes import release_slug
from driveaway.updates.rollouts.decision import Opening
from driveaway.updates.rollouts.order import held_out, places
from driveaway.updates.rollouts.plan import Rollout
from driveaway.updates.rollouts.thresholding import segment_name
from driveaway.updates.rollouts.thresholds import HawkbitGroup, hawkbit_groups
from driveaway.updates.sets import find_set

HALF: Final = 2**63
AT_ONCE: Final = 20_000
"""Cars entered or opened in one change: some 0.3 s, so that whoever else writes gets a turn."""


def enter(change: Change, rollout: Rollout, at: int, after: int = 0) -> int:
    """Enter cars that the filter names and that are not in the rollout yet.

    A car whose place is open already, and which is not held out, is open from now on.

    Args:
        change: where it is written.
        rollout: whose cars.
        at: now.
        after: of targets with a greater id, in their order.

    Returns:
        The id of the last one entered; 0: there was none left.
    """
    where = Filter(rollout.filter, target_fields()).where(change.dialect, Clock(at, at))
    segment, more = "''", {}
    if rollout.plan.segment:
        segment = (
            "COALESCE((SELECT x.value FROM target_attributes x WHERE x.target = t.id AND x.key = :seg), '')"
        )
        more = {"seg": rollout.plan.segment}
    rows = change.rows(
        f"SELECT t.id, t.controller_id, {segment} FROM targets t WHERE t.id > :after AND NOT EXISTS (SELECT 1"
        f" FROM rollout_members m WHERE m.rollout = :rollout AND m.target = t.id) AND ({where.sql})"
        " ORDER BY t.id LIMIT :most",
        rollout=rollout.id,
        after=after,
        most=AT_ONCE,
        **more,
        **where.parameters,
    )
    if not rows:
        return 0
    ids = [row[1] for row in rows]
    drawn = places(rollout.seed, ids)
    behind = held_out(rollout.seed, ids, rollout.plan.held_back)
    opening = rollout.record.opening
    change.run_many(
        "INSERT INTO rollout_members (rollout, target, place, held_out, segment, joined, opened)"
        " VALUES (:rollout, :target, :place, :held_out, :segment, :at, :opened)",
        [
            {
                "rollout": rollout.id,
                "target": row[0],
                "place": int(place) - HALF,
                "held_out": int(stays),
                "segment": row[2],
                "at": at,
                "opened": at if not stays and _opens(opening, int(place), row[2]) else None,
            }
            for row, place, stays in zip(rows, drawn, behind, strict=True)
        ],
    )
    return int(rows[-1][0])


def _opens(opening: Opening | None, place: int, segment: str) -> bool:
    if opening is None or (opening.segments and segment not in opening.segments):
        return False
    return opening.holds(place)


def open_places(change: Change, rollout: Rollout, opening: Opening, at: int, most: int = AT_ONCE) -> int:
    """Open what an opening names, as of a moment, some at a time; how many were opened.

    Who gets an action follows from it.
    """
    if not opening.cut:
        return 0
    cut = int(opening.cut, 16) - HALF
    if not opening.segments:
        return _open(change, rollout, at, "held_out = 0 AND place <= :cut", most, cut=cut)
    opened = 0
    for segment in opening.segments:
        inside = "held_out = 0 AND place <= :cut AND segment = :segment"
        opened += _open(change, rollout, at, inside, most - opened, cut=cut, segment=segment)
        if opened >= most:
            break
    return opened


def release_holdout(change: Change, rollout: Rollout, at: int, most: int = AT_ONCE) -> int:
    """Open the holdout too, some at a time: the campaign has ended; how many were opened."""
    return _open(change, rollout, at, "1 = 1", most)


def _open(change: Change, rollout: Rollout, at: int, which: str, most: int, **values: Any) -> int:
    return change.run(
        "UPDATE rollout_members SET opened = :at WHERE rollout = :rollout AND target IN (SELECT target FROM"
        f" rollout_members WHERE rollout = :rollout AND opened IS NULL AND {which} LIMIT :most)",
        at=at,
        rollout=rollout.id,
        most=most,
        **values,
    )


def divide(reading: Reading, rollout: Rollout, at: int) -> Iterator[list[dict[str, Any]]]:
    """What marks each car with its hawkBit group, in parts, as parameters of ``MARK``."""
    rows = reading.rows(
        "SELECT m.target, m.place FROM rollout_members m WHERE m.rollout = :rollout ORDER BY m.target",
        rollout=rollout.id,
    )
    if not rows:
        return
    targets, place = np.array(rows, np.int64).T
    group = _groups(reading, rollout, targets, place.view(np.uint64) ^ np.uint64(HALF), at)
    for start in range(0, len(targets), AT_ONCE):
        yield [
            {"rollout": rollout.id, "target": target, "segment": segment_name(number)}
            for target, number in zip(
                targets[start : start + AT_ONCE].tolist(), group[start : start + AT_ONCE].tolist(), strict=True
            )
            if number >= 0
        ]


MARK: Final = "UPDATE rollout_members SET segment = :segment WHERE rollout = :rollout AND target = :target"


def _groups(
    reading: Reading, rollout: Rollout, targets: NDArray[np.int64], place: NDArray[np.uint64], at: int
) -> NDArray[np.int32]:
    """The group of each car, from 0; -1: none has it."""
    groups = rollout.plan.hawkbit
    if not any(group.filter for group in groups):
        return hawkbit_groups(place, np.zeros(len(place), bool), groups)
    out = np.full(len(targets), -1, np.int32)
    for number, group in enumerate(groups):
        named = _named(reading, group, targets, at) & (out < 0)
        out[named & (hawkbit_groups(place, ~named, (group,)) == 0)] = number
    return out


def _named(
    reading: Reading, group: HawkbitGroup, targets: NDArray[np.int64], at: int
) -> NDArray[np.bool_]:
    if not group.filter:
        return np.ones(len(targets), bool)
    where = Filter(group.filter, target_fields()).where(reading.dialect, Clock(at, at))
    rows = reading.rows(f"SELECT t.id FROM targets t WHERE {where.sql}", **where.parameters)
    return np.isin(targets, np.array([row[0] for row in rows], np.int64))


def unserved(reading: Reading, rollout: Rollout, most: int) -> list[tuple[int, str, str, int]]:
    """(target, controller id, segment, held out) of open cars that have no action of the rollout yet."""
    rows = reading.rows(
        "SELECT m.target, t.controller_id, m.segment, m.held_out FROM rollout_members m"
        " JOIN targets t ON t.id = m.target"
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
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def release_of(reading: Reading, rollout: Rollout) -> str:
    """The slug of what is rolled out."""
    found = find_set(reading, rollout.distribution_set, deleted=True)
    return release_slug(found.name, found.version)
