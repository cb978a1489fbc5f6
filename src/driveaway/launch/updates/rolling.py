"""What a release manager does with rollouts of an opened launch, and what is told about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from driveaway.book.state.state import Change
from driveaway.facts import Fact
from driveaway.facts.updates import RolloutDecided
from driveaway.launch.launch import Launch
from driveaway.launch.persons import check_person
from driveaway.launch.updates.placing import asks_for_place, place_cars
from driveaway.launch.updates.resolving import passed_over
from driveaway.updates import sets
from driveaway.updates.model import DistributionSet
from driveaway.updates.outcomes import release_slug, rollout_slug
from driveaway.updates.rollouts import groups, keeping, tending
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.growth import Progress, earliest
from driveaway.updates.rollouts.plan import ENDED, Rollout, RolloutPlan, RolloutStatus
from driveaway.updates.rollouts.progress import progress
from driveaway.updates.rollouts.story import Story, story_of
from driveaway.updates.rollouts.thresholds import LABEL
from driveaway.updates.rows import SET, set_of
from driveaway.values.clock import HOUR, show
from driveaway.values.errors import NotFound, Refused


def release_named(launch: Launch, text: str) -> DistributionSet:
    """A release by ``NAME:VERSION``, or by its slug.

    Raises:
        NotFound: there is none.
    """
    name, colon, version = text.rpartition(":")
    if colon:
        return sets.set_named(launch.state, name, version)
    rows = launch.state.rows(f"SELECT {SET} FROM distribution_sets d WHERE d.deleted = 0 ORDER BY d.id")
    for found in map(set_of, rows):
        if release_slug(found.name, found.version) == text:
            return found
    raise NotFound(f"there is no release {text!r}", code="set.unknown", remedy="write NAME:VERSION")


def plan_rollout(
    launch: Launch,
    name: str,
    release: str,
    filter: str,
    plan: RolloutPlan,
    at: int,
    *,
    by: str,
    description: str = "",
    approval: bool = False,
    start_at: int | None = None,
) -> Rollout:
    """Plan a rollout of a release for the cars that a filter names; nothing is offered yet.

    Raises:
        BadValue, Conflict, NotFound, Refused: as of ``keeping.create_rollout``, or ``by`` may not.
    """
    check_person(launch, by, "publish")
    found = release_named(launch, release)
    if asks_for_place(filter):
        place_cars(launch)
    with launch.state.change() as change:
        return keeping.create_rollout(
            change,
            name,
            found.id,
            filter,
            plan,
            at,
            by=by,
            description=description,
            approval=approval,
            start_at=start_at,
        )


def approve(launch: Launch, name: str, at: int, *, by: str, denied: str | None = None) -> None:
    """Approve what somebody else planned, or deny it with a reason."""
    check_person(launch, by, "approve")
    with launch.state.change() as change:
        keeping.approve(change, keeping.find_rollout(change, name), at, by=by, denied=denied)


def start(launch: Launch, name: str, at: int, *, by: str, simulated: bool = False) -> None:
    """Start a rollout that is ready."""
    _operate(
        launch, name, by, lambda change, found: keeping.start(change, found, at, by=by, simulated=simulated)
    )


def pause(launch: Launch, name: str, at: int, *, by: str, reason: str, simulated: bool = False) -> None:
    """Offer nothing more until it is resumed; returns when every car is told so."""
    _operate(
        launch,
        name,
        by,
        lambda change, found: keeping.pause(change, found, at, reason=reason, by=by, simulated=simulated),
    )
    _settle(launch, name, at)


def resume(launch: Launch, name: str, at: int, *, by: str, reason: str, simulated: bool = False) -> None:
    """Go on, with a reason that stays."""
    _operate(
        launch,
        name,
        by,
        lambda change, found: keeping.resume(change, found, at, by=by, reason=reason, simulated=simulated),
    )
    _settle(launch, name, at)


def abort(launch: Launch, name: str, at: int, *, by: str, reason: str, simulated: bool = False) -> int:
    """End it for good; how many open actions are cancelled."""
    concerned = _operate(
        launch,
        name,
        by,
        lambda change, found: keeping.abort(change, found, at, reason=reason, by=by, simulated=simulated),
    )
    _settle(launch, name, at)
    return int(concerned)


def retry(launch: Launch, name: str, at: int, *, by: str, simulated: bool = False) -> int:
    """Try again what failed; how many cars.

    Raises:
        Refused: the rollout has not started, or was stopped.
    """
    check_person(launch, by, "operate")
    found = keeping.find_rollout(launch.state, name)
    if found.record.started is None or found.status not in tending.TENDED:
        raise Refused(
            f"rollout {name} is {found.status.value.replace('_', ' ')}",
            code="rollout.status",
            remedy="a rollout that runs, is paused or has finished is tried again",
        )
    failed = tending.failed_actions(launch.state, found)
    tried = 0
    for first in range(0, len(failed), tending.MOST):
        with launch.state.change() as change:
            some = failed[first : first + tending.MOST]
            tried += len(tending.retry(change, some, at, by=by, simulated=simulated))
    return tried


def _operate(launch: Launch, name: str, by: str, work: Callable[[Change, Rollout], Any]) -> Any:
    check_person(launch, by, "operate")
    with launch.state.change() as change:
        return work(change, keeping.find_rollout(change, name))


def _settle(launch: Launch, name: str, at: int) -> None:
    rollout = keeping.find_rollout(launch.state, name).id
    more = True
    while more:
        with launch.state.change() as change:
            more = keeping.settle(change, rollout, at)


# --- what is told ---------------------------------------------------------------------------------


def told(launch: Launch, rollout: Rollout) -> dict[str, Any]:
    """A rollout for people and programs: how it stands, how far it is, and what it waits for."""
    found = sets.find_set(launch.state, rollout.distribution_set, deleted=True)
    record = rollout.record
    standing: dict[str, Any] = {
        "name": rollout.name,
        "status": rollout.status.value,
        "release": f"{found.name}:{found.version}",
        "filter": rollout.filter,
        "rule": LABEL if rollout.plan.hawkbit else "evidence",
        "reason": rollout.reason or None,
        "planned_by": rollout.created_by,
        "approved_by": rollout.approved_by or None,
        "start_at": _time(launch, rollout.start_at),
        "started": _time(launch, record.started),
        "decided": _time(launch, record.decided),
        "waits_for": None if rollout.status in ENDED else record.text or None,
        "not_before": _time(launch, record.until),
        "step": len(record.steps),
        "steps": _steps(launch, rollout),
    }
    counts = msgspec.structs.asdict(progress(launch.state, rollout))
    waiting = counts["opened"] - counts["offered"] - counts["had_it"] > 0
    return standing | counts | {"passed_over": passed_over(launch.state, rollout) if waiting else 0}


def _steps(launch: Launch, rollout: Rollout) -> int:
    return sum(group.name != groups.HOLDOUT for group in groups.all_groups(launch.state, rollout.id))


def told_groups(launch: Launch, rollout: Rollout, at: int) -> list[dict[str, Any]]:
    """Its groups: stages, cities, or hawkBit's; those that are not open yet with when they may be."""
    opens = _not_before(rollout, at)
    return [
        {
            "group": each.name,
            "status": each.status,
            "cars": each.total,
            "not_before": _time(launch, opens.get(each.position)),
        }
        for each in groups.all_groups(launch.state, rollout.id)
    ]


def _not_before(rollout: Rollout, at: int) -> dict[int, int]:
    """When groups open at the earliest, by position; those that are open, and what no clock says, left out.

    hawkBit's groups wait for each other's outcomes alone, and what has no start has no times.
    """
    record, begins = rollout.record, rollout.record.started or rollout.start_at
    if begins is None or rollout.plan.hawkbit or rollout.status in ENDED:
        return {}
    standing = Progress(
        started=begins, cars=(), opened=(), reported=(), last_opened=begins,
        steps=record.steps, holds=record.holds,
    )  # fmt: skip
    opens = earliest(rollout.plan.rules.growth, at, standing)
    return {position: when for position, when in enumerate(opens) if position >= len(record.steps)}


def told_plan(rollout: Rollout) -> dict[str, Any]:
    """Its plan, with what was left out filled in, as JSON."""
    plan = msgspec.to_builtins(rollout.plan)
    assert isinstance(plan, dict)
    return plan | {"rules": msgspec.to_builtins(rollout.plan.rules)}


def decisions(launch: Launch, name: str) -> list[Fact]:
    """The facts of a rollout, in the order in which they were recorded; corrected ones left out.

    Raises:
        NotFound: there is no such rollout.
    """
    rollout = keeping.find_rollout(launch.state, name)
    facts = launch.book.about(rollout_slug(rollout.name))
    gone = {fact.replaces for fact in facts}
    return [fact for fact in facts if fact.kind == "rollout.decided" and fact.seq not in gone]


def told_decisions(launch: Launch, name: str) -> list[dict[str, Any]]:
    """The same with their evidence, as JSON."""
    out = []
    for fact in decisions(launch, name):
        body = fact.body
        assert isinstance(body, RolloutDecided)
        said: Mapping[str, Any] = msgspec.to_builtins(body)
        out.append(
            {
                "seq": fact.seq,
                "at": show(fact.happened, launch.zone),
                **said,
                "findings": list(said.get("findings", ())),
                "simulated": fact.simulated,
            }
        )
    return out


def story(launch: Launch, name: str, at: int) -> Story:
    """A rollout over time, for its picture.

    Raises:
        NotFound: there is no such rollout.
        Refused: it has not started.
    """
    rollout = keeping.find_rollout(launch.state, name)
    if rollout.record.started is None:
        raise Refused(f"rollout {name} has not started", code="rollout.status", remedy="start it first")
    if rollout.status is not RolloutStatus.RUNNING:
        ((last,),) = launch.state.rows(
            "SELECT COALESCE(MAX(modified), 0) FROM actions WHERE rollout = :rollout", rollout=rollout.id
        )
        at = min(at, max(rollout.modified, last) + HOUR)
    return story_of(Driver(launch.state, rollout.id).standing(rollout, at))


def _time(launch: Launch, at: int | None) -> str | None:
    return None if at is None else show(at, launch.zone)
