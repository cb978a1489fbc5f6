"""Rollouts in the operational tables: planned, approved, started, paused, ended; each step a fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.facts import Draft
from driveaway.facts.updates import RolloutDecided
from driveaway.updates import sets
from driveaway.updates.filters.filter import Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.model import ActionStatus
from driveaway.updates.outcomes import release_slug, rollout_slug
from driveaway.updates.rollouts import groups, members, settling
from driveaway.updates.rollouts.columns import NEVER
from driveaway.updates.rollouts.decision import Decision
from driveaway.updates.rollouts.plan import ENDED, Record, Rollout, RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.thresholds import group_name
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

_COLUMNS: Final = ", ".join(f"r.{name}" for name in Rollout.__struct_fields__)


def find_rollout(reading: Reading, rollout: int | str) -> Rollout:
    """A rollout by its id or its name.

    Raises:
        NotFound: there is none.
    """
    by = "id" if isinstance(rollout, int) else "name"
    rows = reading.rows(f"SELECT {_COLUMNS} FROM rollouts r WHERE r.{by} = :given", given=rollout)
    if not rows:
        raise NotFound(
            f"there is no rollout {rollout!r}", code="rollout.unknown", remedy="driveaway rollout list"
        )
    return _rollout(rows[0])


def all_rollouts(reading: Reading, *statuses: RolloutStatus) -> list[Rollout]:
    """Rollouts in these states, or all, the oldest first."""
    found = [_rollout(row) for row in reading.rows(f"SELECT {_COLUMNS} FROM rollouts r ORDER BY r.id")]
    return [each for each in found if not statuses or each.status in statuses]


def _rollout(row: tuple[Any, ...]) -> Rollout:
    fields = dict(zip(Rollout.__struct_fields__, row, strict=True))
    fields["status"] = RolloutStatus(fields["status"])
    fields["plan"] = msgspec.json.decode(fields["plan"], type=RolloutPlan)
    fields["record"] = msgspec.json.decode(fields["record"], type=Record)
    return Rollout(**fields)


def create_rollout(
    change: Change,
    name: str,
    distribution_set: int,
    filter: str,
    plan: RolloutPlan,
    at: int,
    *,
    by: str,
    description: str = "",
    approval: bool = False,
    start_at: int | None = None,
) -> Rollout:
    """Plan a rollout; nothing is offered before it is started.

    Args:
        change: where it is written.
        name: unique.
        distribution_set: what is rolled out.
        filter: which cars, in RSQL.
        plan: how.
        at: now.
        by: who plans it.
        description: for people.
        approval: whether somebody else must approve it first.
        start_at: when the worker starts it by itself; None: a person does.

    Raises:
        BadValue: the name, the filter or the holdout.
        Conflict: the name is taken.
        NotFound, Refused: there is no such set, or it may not be given to cars.
    """
    if not name.strip() or len(name) > 128 or not name.isprintable():
        raise BadValue(
            f"{name[:40]!r} is no name of a rollout",
            code="rollout.name",
            remedy="1 to 128 printable characters",
        )
    Filter(filter, target_fields())
    for group in plan.hawkbit:
        if group.filter:
            Filter(group.filter, target_fields())
    _ = plan.held_back
    sets.check_assignable(change, distribution_set)
    if change.rows("SELECT 1 FROM rollouts WHERE name = :name", name=name):
        raise Conflict(f"there is a rollout {name!r}", code="rollout.exists", remedy="choose another name")
    status = RolloutStatus.WAITING_FOR_APPROVAL if approval else RolloutStatus.READY
    made = change.insert(
        "rollouts",
        name=name,
        description=description,
        status=status.value,
        distribution_set=distribution_set,
        filter=filter,
        plan=msgspec.json.encode(plan).decode(),
        record="{}",
        created_by=by,
        start_at=start_at,
        created=at,
        modified=at,
    )
    groups.create(change, made, plan)
    return find_rollout(change, made)


def approve(change: Change, rollout: Rollout, at: int, *, by: str, denied: str | None = None) -> None:
    """Approve a rollout that somebody else planned, or deny it with a reason.

    Raises:
        Refused: it waits for no approval, or the same person planned it.
    """
    _expect(rollout, "approve", RolloutStatus.WAITING_FOR_APPROVAL)
    if by == rollout.created_by:
        raise Refused(
            f"{by} planned this rollout", code="rollout.four_eyes", remedy="somebody else approves it"
        )
    status = RolloutStatus.READY if denied is None else RolloutStatus.APPROVAL_DENIED
    _write(change, rollout, at, status=status, approved_by=by, reason=denied or "")


def start(change: Change, rollout: Rollout, at: int, *, by: str, simulated: bool = False) -> None:
    """Start a rollout: the worker enters its cars and opens the first wave.

    Raises:
        Refused: it is not ready, or its set may not be given to cars.
        Conflict: somebody else decided meanwhile.
    """
    _expect(rollout, "start", RolloutStatus.READY)
    sets.check_assignable(change, rollout.distribution_set)
    sets.lock(change, rollout.distribution_set, at)
    _write(
        change,
        rollout,
        at,
        status=RolloutStatus.RUNNING,
        record=_first_record(rollout, at),
    )
    _append(change, rollout, at, "started", by=by, simulated=simulated)


def _first_record(rollout: Rollout, at: int) -> Record:
    installs = rollout.plan.installs_from
    record = Record(started=at, grouped=rollout.record.grouped)
    if installs is None or installs <= at:
        return record
    text = "cars download it; the waves of installing begin later"
    return msgspec.structs.replace(record, text=text, until=installs)


def pause(
    change: Change,
    rollout: Rollout,
    at: int,
    *,
    reason: str,
    by: str | None = None,
    decision: Decision | None = None,
    simulated: bool = False,
) -> None:
    """Offer nothing more until a person resumes: what no car has begun is taken back too.

    Of very many cars, part of them at once: the rest follows as ``settle`` is called.

    Raises:
        Refused: it does not run.
        Conflict: somebody else decided meanwhile.
    """
    _expect(rollout, "pause", RolloutStatus.RUNNING)
    record = _noted(rollout.record, decision)
    if not record.holds or record.holds[-1][1] != NEVER:
        record = msgspec.structs.replace(record, holds=(*record.holds, (at, NEVER)))
    _end_settling(change, rollout, at)
    record = msgspec.structs.replace(record, settling=at, by=by or "")
    _write(change, rollout, at, status=RolloutStatus.PAUSED, reason=reason, record=record)
    settle(change, rollout.id, at)
    _append(change, rollout, at, "paused", by=by, reason=reason, decision=decision, simulated=simulated)


def resume(
    change: Change, rollout: Rollout, at: int, *, by: str, reason: str, simulated: bool = False
) -> None:
    """Go on: what was found until now is cleared, with a reason that stays.

    Raises:
        Refused: it is not paused, or its set may not be given to cars any more.
        Conflict: somebody else decided meanwhile.
    """
    _expect(rollout, "resume", RolloutStatus.PAUSED)
    sets.check_assignable(change, rollout.distribution_set)
    record = rollout.record
    names = ["comparisons", *(guard.name for guard in rollout.plan.rules.guards)]
    if rollout.plan.hawkbit:
        names = [group_name(rollout.plan.hawkbit, number) for number in range(len(record.steps))]
    holds = tuple((since, at if until == NEVER else until) for since, until in record.holds)
    record = msgspec.structs.replace(
        record, holds=holds, cleared={**record.cleared, **dict.fromkeys(names, at)}, settling=at, by=by
    )
    _write(change, rollout, at, status=RolloutStatus.RUNNING, reason="", record=record)
    settle(change, rollout.id, at)
    _append(change, rollout, at, "resumed", by=by, reason=reason, simulated=simulated)


def abort(
    change: Change,
    rollout: Rollout,
    at: int,
    *,
    reason: str,
    by: str | None = None,
    decision: Decision | None = None,
    simulated: bool = False,
) -> int:
    """End a rollout for good and cancel what is open; how many actions are concerned.

    Of very many cars, part of them at once: the rest follows as ``settle`` is called.

    Raises:
        Refused: it has ended.
        Conflict: somebody else decided meanwhile.
    """
    if rollout.status in ENDED:
        raise _wrong(rollout, "abort")
    record = msgspec.structs.replace(_noted(rollout.record, decision), settling=at, by=by or "")
    _write(change, rollout, at, status=RolloutStatus.STOPPED, reason=reason, record=record)
    (concerned,) = change.rows(
        "SELECT COUNT(*) FROM actions WHERE rollout = :rollout AND outcome = '' AND status <> :canceling",
        rollout=rollout.id,
        canceling=ActionStatus.CANCELING.value,
    )
    settle(change, rollout.id, at)
    _append(change, rollout, at, "aborted", by=by, reason=reason, decision=decision, simulated=simulated)
    return int(concerned[0])


def settle(change: Change, rollout: int, at: int) -> bool:
    """Do to some cars what was last decided; whether any are left for another change."""
    now = find_rollout(change, rollout)
    if now.record.settling is None:
        return False
    if settling.settle(change, now, at):
        return True
    if now.status is RolloutStatus.FINISHED and members.unserved(change, now, 1):
        return False
    _write(change, now, now.modified, record=msgspec.structs.replace(now.record, settling=None))
    return False


def note_grouped(change: Change, rollout: Rollout) -> None:
    """Keep that hawkBit's groups have their cars."""
    record = msgspec.structs.replace(rollout.record, grouped=True)
    _write(change, rollout, rollout.modified, record=record)


def _end_settling(change: Change, rollout: Rollout, at: int) -> None:
    """Open the rest of what an earlier decision opened, so that it is open as of that decision."""
    record = rollout.record
    if record.settling is None or record.opening is None:
        return
    while members.open_places(change, rollout, record.opening, record.settling) == members.AT_ONCE:
        pass


def note(
    change: Change,
    rollout: Rollout,
    decision: Decision,
    at: int,
    *,
    status: RolloutStatus | None = None,
    simulated: bool = False,
) -> None:
    """Keep what the worker decided; a fact where it opened more or ended."""
    record = _noted(rollout.record, decision)
    if decision.opening is not None or status is RolloutStatus.FINISHED:
        record = msgspec.structs.replace(record, settling=at)
    _write(change, rollout, at, status=status or rollout.status, record=record)
    if decision.action in ("advance", "finish"):
        said = "advanced" if decision.action == "advance" else "finished"
        _append(change, rollout, at, said, reason=decision.text, decision=decision, simulated=simulated)


def _noted(record: Record, decision: Decision | None) -> Record:
    if decision is None:
        return record
    steps, holds = record.steps, record.holds
    held = bool(holds) and holds[-1][1] == NEVER
    if decision.reason == "triage" and not held:
        holds = (*holds, (decision.as_of, NEVER))
    elif held and decision.reason != "triage" and decision.action != "pause":
        holds = (*holds[:-1], (holds[-1][0], decision.as_of))
    if decision.action == "advance" and decision.step > len(steps):
        steps = (*steps, *([decision.as_of] * (decision.step - len(steps))))
    return msgspec.structs.replace(
        record,
        opening=decision.opening or record.opening,
        steps=steps,
        holds=holds,
        decided=decision.as_of,
        reason=decision.reason,
        text=decision.text,
        until=decision.until,
    )


def _write(change: Change, rollout: Rollout, at: int, **values: Any) -> None:
    now = find_rollout(change, rollout.id)
    if (now.status, now.record) != (rollout.status, rollout.record):
        raise Conflict(
            f"rollout {rollout.name} was changed meanwhile", code="rollout.changed", remedy="look again"
        )
    given: Mapping[str, Any] = {
        name: msgspec.json.encode(value).decode() if isinstance(value, Record) else value
        for name, value in values.items()
    }
    setting = ", ".join(f"{name} = :{name}" for name in given)
    change.run(
        f"UPDATE rollouts SET {setting}, modified = :at WHERE id = :id",
        at=at,
        id=rollout.id,
        **{name: str(value) if isinstance(value, RolloutStatus) else value for name, value in given.items()},
    )


def _append(
    change: Change,
    rollout: Rollout,
    at: int,
    said: str,
    *,
    by: str | None = None,
    reason: str = "",
    decision: Decision | None = None,
    simulated: bool = False,
) -> None:
    found = sets.find_set(change, rollout.distribution_set, deleted=True)
    counts = decision.counts if decision is not None else {}
    body = RolloutDecided(
        decision=said,  # type: ignore[arg-type]
        release=release_slug(found.name, found.version),
        wave=0 if decision is None else decision.step,
        opened=counts.get("opened", 0) + (decision.opening.newly if decision and decision.opening else 0),
        offered=counts.get("offered", 0),
        succeeded=counts.get("succeeded", 0),
        failed=counts.get("failed", 0) + counts.get("fallback", 0),
        silent=counts.get("silent", 0),
        held_out=counts.get("held_out", 0),
        cars=counts.get("cars", 0),
        findings=() if decision is None else decision.findings,
        reason=reason or None,
        decided_by=by,
    )
    change.append([Draft("rollout.decided", rollout_slug(rollout.name), at, body, simulated=simulated)])


def _expect(rollout: Rollout, what: str, status: RolloutStatus) -> None:
    if rollout.status is not status:
        raise _wrong(rollout, what)


def _wrong(rollout: Rollout, what: str) -> Refused:
    return Refused(
        f"rollout {rollout.name} is {rollout.status.value.replace('_', ' ')}",
        code="rollout.status",
        remedy=f"it cannot be told to {what} now",
    )
