"""What is known about one car and one rollout, from the tables: what ``explain`` gives reasons from."""

from __future__ import annotations

from typing import Any, Final

from driveaway.book.state.state import Reading
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.fitting import misfits
from driveaway.updates.model import Action, ActionStatus, ActionType, DistributionSet, Target
from driveaway.updates.model import Outcome as Ending
from driveaway.updates.records import record_of
from driveaway.updates.registry import attributes, target_named
from driveaway.updates.resolving.fleet import resolve_cars
from driveaway.updates.rollouts.columns import Outcome
from driveaway.updates.rollouts.explain import CarSituation, RolloutState
from driveaway.updates.rollouts.members import HALF
from driveaway.updates.rollouts.order import held_out, places
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus
from driveaway.updates.rollouts.plans import ByGroups, ByStages
from driveaway.updates.rollouts.tending import FAILURES
from driveaway.updates.rows import ACTION, action_of
from driveaway.updates.sets import find_set
from driveaway.updates.windows import parse_window
from driveaway.values.clock import SECOND

_STATES: Final[dict[RolloutStatus, RolloutState]] = {
    RolloutStatus.WAITING_FOR_APPROVAL: "planned",
    RolloutStatus.READY: "planned",
    RolloutStatus.PAUSED: "paused",
    RolloutStatus.STOPPED: "aborted",
    RolloutStatus.APPROVAL_DENIED: "aborted",
}
_OUTCOMES: Final = {
    Ending.FAILED: Outcome.FAILED,
    Ending.SKIPPED: Outcome.FAILED,
    Ending.SILENT: Outcome.SILENT,
    Ending.FELL_BACK: Outcome.FALLBACK,
    Ending.CANCELLED: Outcome.CANCELLED,
    Ending.REJECTED: Outcome.DECLINED,
    Ending.DOWNLOADED: Outcome.SUCCEEDED,
}


def situation_of(
    reading: Reading, rollout: Rollout, controller_id: str, at: int, *, gate: str = ""
) -> CarSituation:
    """Everything that decides whether a car gets what is rolled out.

    Args:
        reading: the tables.
        rollout: which one.
        controller_id: of the car: its VIN.
        at: now, microseconds since 1970 UTC.
        gate: why a gate of place or equipment is closed for it, where one is asked.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(reading, controller_id)
    said = attributes(reading, target.id)
    release = find_set(reading, rollout.distribution_set, deleted=True)
    actions = _actions(reading, rollout, target)
    holds = _holds(actions)
    if rollout.plan.type is not ActionType.DOWNLOAD_ONLY:
        actions = [each for each in actions if each.type is not ActionType.DOWNLOAD_ONLY]
    last = actions[-1] if actions else None
    place, behind, opened, segment = _member(reading, rollout, target, said, at)
    plan = rollout.plan
    failed = last is not None and last.outcome in FAILURES
    left = max(0, plan.retries + 1 - len(actions))
    wait = plan.retry_after_s * 2 ** max(0, len(actions) - 1) * SECOND
    begun = None if last is None or last.heard is None else _begun(reading, last)
    return CarSituation(
        release=release.version,
        running=target.version_reported or None,
        targeted=opened is not None or _targeted(reading, rollout, target, said, at),
        **_terms(reading, release, target),
        gate=gate,
        rollout=_state(rollout, last),
        why=rollout.reason or (rollout.record.text if rollout.record.reason == "triage" else ""),
        held_out=behind and opened is None,
        place=place / 2**64,
        opened=opened,
        opens_in=_opens_in(rollout, place, segment),
        stage=len(rollout.record.steps),
        next_step=rollout.start_at if rollout.record.started is None else rollout.record.until,
        first=_first(reading, target, last),
        window_opens=_window_opens(rollout, last, said, at),
        outcome=_outcome(rollout, last),
        attempts_left=left if failed else 0,
        retry_at=last.modified + wait if last is not None and failed and left else None,
        unconfirmed=last is not None and last.status is ActionStatus.WAIT_FOR_CONFIRMATION,
        offered=None if last is None else last.created,
        started=begun,
        silent=begun is not None and last is not None and last.active and _silent(rollout, target, begun, at),
        seen=target.polled,
        holds=holds,
    )


def _holds(actions: list[Action]) -> bool:
    """Whether the car downloaded the release, and was installed nothing since."""
    ends = [each.outcome for each in actions if each.outcome in (Ending.DOWNLOADED, Ending.INSTALLED)]
    return bool(ends) and ends[-1] is Ending.DOWNLOADED


def _actions(reading: Reading, rollout: Rollout, target: Target) -> list[Action]:
    rows = reading.rows(
        f"SELECT {ACTION} FROM actions a WHERE a.target = :target AND a.rollout = :rollout ORDER BY a.id",
        target=target.id,
        rollout=rollout.id,
    )
    return [action_of(row) for row in rows]


def _begun(reading: Reading, action: Action) -> int | None:
    ((begun,),) = reading.rows("SELECT begun FROM actions WHERE id = :id", id=action.id)
    return None if begun is None else int(begun)


def _member(
    reading: Reading, rollout: Rollout, target: Target, said: dict[str, str], at: int
) -> tuple[int, bool, int | None, str]:
    """Place, whether it is held out, when it was opened, and segment; as they will be if it joins."""
    rows = reading.rows(
        "SELECT place, held_out, opened, segment FROM rollout_members WHERE rollout = :rollout"
        " AND target = :target",
        rollout=rollout.id,
        target=target.id,
    )
    if rows:
        place, behind, opened, segment = rows[0]
        return place + HALF, bool(behind), opened, segment
    ids = [target.controller_id]
    behind = bool(held_out(rollout.seed, ids, rollout.plan.held_back)[0])
    return int(places(rollout.seed, ids)[0]), behind, None, said.get(rollout.plan.segment, "")


def _targeted(reading: Reading, rollout: Rollout, target: Target, said: dict[str, str], at: int) -> bool:
    record = record_of(reading, target, said)
    return Filter(rollout.filter, target_fields()).matches(record, Clock(at, at))


def _terms(reading: Reading, release: DistributionSet, target: Target) -> dict[str, Any]:
    """What of the release does not fit the car."""
    out: dict[str, Any] = {}
    others = []
    points_of = misfits(reading, release.id, [target.id]).get(target.id, ())
    for misfit in points_of:
        if misfit.code == "excluded_version":
            out["excluded"] = True
        elif misfit.code == "below_minimum_version":
            out["minimum"] = misfit.minimum
        else:
            others.append(misfit.text)
    out["incompatible"] = "; ".join(others)
    if out["incompatible"] or len(out) > 1:
        found = resolve_cars(reading, release.id, [target.id])[target.id]
        out["before"] = ", then ".join(each.slug for each in found.first)
        if found.verdict in ("unsolvable", "undecided"):
            points = {misfit.text for misfit in points_of}
            out["unsolvable"] = "; ".join(each for each in found.reasons if each not in points)
    return out


def _state(rollout: Rollout, last: Action | None) -> RolloutState:
    if rollout.status is RolloutStatus.FINISHED:
        # What was offered before its end goes on.
        return "running" if last is not None else "finished"
    if rollout.status is RolloutStatus.RUNNING:
        return "held" if rollout.record.reason == "triage" else "running"
    return _STATES[rollout.status]


def _opens_in(rollout: Rollout, place: int, segment: str) -> tuple[int, int] | None:
    plan, growth = rollout.plan, rollout.plan.rules.growth
    if plan.hawkbit:
        return (int(segment), len(plan.hawkbit)) if segment.isdigit() else None
    if isinstance(growth, ByStages):
        share = place / 2**64
        number = next(n for n, stage in enumerate(growth.stages, 1) if share <= stage.share)
        # The cut is drawn by counting cars: at the edge of a stage one may fall in the next.
        before = max(number, len(rollout.record.steps) + 1)
        return (min(before, len(growth.stages)), len(growth.stages))
    if isinstance(growth, ByGroups):
        found = [n for n, group in enumerate(growth.groups, 1) if segment in group.segments]
        return (found[0], len(growth.groups)) if found else None
    return None


def _first(reading: Reading, target: Target, last: Action | None) -> str:
    """What is before the rollout for this car: a heavier active action, or an older one as heavy."""
    rows = reading.rows(
        "SELECT a.id, a.weight, COALESCE(r.name, 'an assignment by hand') FROM actions a"
        " LEFT JOIN rollouts r ON r.id = a.rollout WHERE a.target = :target AND a.active = 1"
        " ORDER BY a.weight DESC, a.id LIMIT 1",
        target=target.id,
    )
    if not rows or last is None or not last.active or rows[0][0] == last.id:
        return ""
    return str(rows[0][2])


def _window_opens(rollout: Rollout, last: Action | None, said: dict[str, str], at: int) -> int | None:
    """When the car's window opens next; None: it is open, or there is none."""
    if last is not None and last.window_schedule:
        window = parse_window(last.window_schedule, last.window_duration, last.window_timezone)
    elif last is None and rollout.plan.night is not None:
        night = rollout.plan.night
        given = night.window(at, said.get(night.attribute, "") if night.attribute else "")
        window = parse_window(given.schedule, given.duration, given.timezone)
    elif last is None and rollout.plan.window is not None:
        own = rollout.plan.window
        window = parse_window(own.schedule, own.duration, own.timezone)
    else:
        return None
    opening = window.current_or_next(at)
    return None if opening is None or opening.start <= at else opening.start


def _outcome(rollout: Rollout, last: Action | None) -> Outcome:
    if last is None or last.outcome is None:
        return Outcome.PENDING
    if last.outcome is Ending.INSTALLED:
        if last.verified or rollout.plan.succeeds == "finished":
            return Outcome.SUCCEEDED
        return Outcome.PENDING if last.verified is None else Outcome.FALLBACK
    return _OUTCOMES[last.outcome]


def _silent(rollout: Rollout, target: Target, begun: int, at: int) -> bool:
    rules = rollout.plan.rules
    heard = max(begun, target.polled or 0)
    return heard < at - rules.silence_s * SECOND or begun < at - rules.time_limit_s * SECOND
