"""The cars of a rollout in the tables: entered, opened some at a time, and divided into hawkBit's groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
AT_ONCE: Final = 10_000
"""Cars entered or opened in one change: some 0.15 s, so that whoever else writes gets a turn."""


def strangers(
    reading: Reading, rollout: Rollout, at: int, after: int = 0, most: int = AT_ONCE
) -> list[tuple[int, str, str]]:
    """(target, controller id, segment) of cars that the filter names and that are not in the rollout yet.

    Args:
        reading: where from; best outside a change, since it may look at every car there is.
        rollout: whose cars.
        at: now.
        after: of targets with a greater id, in their order.
        most: how many.
    """
    where = Filter(rollout.filter, target_fields()).where(reading.dialect, Clock(at, at))
    segment, more = "''", {}
    if rollout.plan.segment:
        segment = (
            "COALESCE((SELECT x.value FROM target_attributes x WHERE x.target = t.id AND x.key = :seg), '')"
        )
        more = {"seg": rollout.plan.segment}
    rows = reading.rows(
        f"SELECT t.id, t.controller_id, {segment} FROM targets t WHERE t.id > :after AND NOT EXISTS (SELECT 1"
        f" FROM rollout_members m WHERE m.rollout = :rollout AND m.target = t.id) AND ({where.sql})"
        " ORDER BY t.id LIMIT :most",
        rollout=rollout.id,
        after=after,
        most=most,
        **more,
        **where.parameters,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def enter(change: Change, rollout: Rollout, cars: Sequence[tuple[int, str, str]], at: int) -> None:
    """Enter cars; those that are in the rollout already stay as they are.

    A car whose place is open already, and which is not held out, is open from now on.
    """
    ids = [controller_id for _, controller_id, _ in cars]
    drawn = places(rollout.seed, ids)
    behind = held_out(rollout.seed, ids, rollout.plan.held_back)
    opening = rollout.record.opening
    change.run_many(
        "INSERT INTO rollout_members (rollout, target, place, held_out, segment, joined, opened)"
        " VALUES (:rollout, :target, :place, :held_out, :segment, :at, :opened)"
        " ON CONFLICT (rollout, target) DO NOTHING",
        [
            {
                "rollout": rollout.id,
                "target": target,
                "place": int(place) - HALF,
                "held_out": int(stays),
                "segment": segment,
                "at": at,
                "opened": at if not stays and _opens(opening, int(place), segment) else None,
            }
            for (target, _, segment), place, stays in zip(cars, drawn, behind, strict=True)
        ],
    )


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
                targets[start : start + AT_ONCE].tolist(),
                group[start : start + AT_ONCE].tolist(),
                strict=True,
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


def _named(reading: Reading, group: HawkbitGroup, targets: NDArray[np.int64], at: int) -> NDArray[np.bool_]:
    if not group.filter:
        return np.ones(len(targets), bool)
    where = Filter(group.filter, target_fields()).where(reading.dialect, Clock(at, at))
    rows = reading.rows(f"SELECT t.id FROM targets t WHERE {where.sql}", **where.parameters)
    return np.isin(targets, np.array([row[0] for row in rows], np.int64))


def unserved(
    reading: Reading, rollout: Rollout, most: int, after: int = 0
) -> list[tuple[int, str, str, int]]:
    """(target, controller id, segment, held out) of open cars that have no action of the rollout yet.

    In the order of targets, from those with a greater id than ``after``.
    """
    rows = reading.rows(
        "SELECT m.target, t.controller_id, m.segment, m.held_out FROM rollout_members m"
        " JOIN targets t ON t.id = m.target"
        " WHERE m.rollout = :rollout AND m.opened IS NOT NULL AND m.action IS NULL AND m.target > :after"
        " ORDER BY m.target LIMIT :most",
        rollout=rollout.id,
        after=after,
        most=most,
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def to_download(reading: Reading, rollout: Rollout, most: int, after: int = 0) -> list[tuple[int, str, str]]:
    """(target, controller id, segment) of cars outside the holdout that were asked nothing by the rollout.

    In the order of targets, from those with a greater id than ``after``; without those that have it.
    """
    rows = reading.rows(
        "SELECT m.target, t.controller_id, m.segment FROM rollout_members m JOIN targets t ON t.id = m.target"
        " WHERE m.rollout = :rollout AND m.held_out = 0 AND m.target > :after"
        " AND (t.assigned IS NULL OR t.assigned <> :set) AND NOT EXISTS (SELECT 1 FROM actions a"
        " WHERE a.target = m.target AND a.rollout = :rollout) ORDER BY m.target LIMIT :most",
        rollout=rollout.id,
        set=rollout.distribution_set,
        after=after,
        most=most,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def had_it(reading: Reading, rollout: Rollout) -> set[int]:
    """Open cars that had the release assigned already when their turn came."""
    rows = reading.rows(
        "SELECT target FROM rollout_members WHERE rollout = :rollout AND action = 0", rollout=rollout.id
    )
    return {row[0] for row in rows}


def release_of(reading: Reading, rollout: Rollout) -> str:
    """The slug of what is rolled out."""
    found = find_set(reading, rollout.distribution_set, deleted=True)
    return release_slug(found.name, found.version)
