"""Why a car does, or does not, get what is rolled out: one rollout, or everything there is for it."""

from __future__ import annotations

from typing import Any

from driveaway.launch.launch import Launch
from driveaway.launch.updates.functions import functions_at
from driveaway.updates.outcomes import vin_of
from driveaway.updates.registry import target_named
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.explain import explain
from driveaway.updates.rollouts.plan import ENDED, Rollout
from driveaway.updates.rollouts.situations import situation_of
from driveaway.updates.sets import find_set
from driveaway.values.clock import show

_BY_HAND = (
    "SELECT d.name, d.version, a.type, a.status, a.weight, a.initiated_by, a.created FROM actions a"
    " JOIN distribution_sets d ON d.id = a.distribution_set"
    " WHERE a.target = :target AND a.active = 1 AND a.rollout IS NULL ORDER BY a.weight DESC, a.id"
)


def told_reasons(launch: Launch, name: str, vin: str, at: int) -> dict[str, Any]:
    """Why a car does, or does not, get what one rollout brings.

    Raises:
        NotFound: there is no such rollout or car.
    """
    return _told(launch, keeping.find_rollout(launch.state, name), vin, at)


def told_car(launch: Launch, vin: str, at: int) -> dict[str, Any]:
    """The same over all rollouts: those under way first, by weight as the car sees them, then the ended ones.

    ``by_hand`` are its active actions outside rollouts. ``functions`` are the open functions, whose gates
    ``driveaway functions why`` explains; a car whose id is no VIN has none.

    Raises:
        NotFound: there is no such car.
    """
    target = target_named(launch.state, vin)
    every = keeping.all_rollouts(launch.state)
    every.sort(key=lambda each: (each.status in ENDED, -each.plan.weight, each.id))
    by_hand = [
        {
            "release": f"{name}:{version}",
            "type": kind,
            "status": status,
            "weight": weight,
            "initiated_by": by or None,
            "since": _time(launch, created),
        }
        for name, version, kind, status, weight, by, created in launch.state.rows(_BY_HAND, target=target.id)
    ]
    functions: list[str] = []
    if vin_of(vin) is not None:
        found = functions_at(launch.at(at).view)
        functions = [state.name for state in found.values() if state.open]
    return {
        "car": vin,
        "runs": target.version_reported or None,
        "last_heard": _time(launch, target.polled),
        "rollouts": [_told(launch, each, vin, at) for each in every],
        "by_hand": by_hand,
        "functions": functions,
    }


def _told(launch: Launch, rollout: Rollout, vin: str, at: int) -> dict[str, Any]:
    reasons = explain(situation_of(launch.state, rollout, vin, at))
    release = find_set(launch.state, rollout.distribution_set, deleted=True)
    return {
        "rollout": rollout.name,
        "status": rollout.status.value,
        "release": f"{release.name}:{release.version}",
        "car": vin,
        "gets_it": all(reason.gets_it for reason in reasons),
        "reasons": [
            {
                "code": reason.code,
                "gets_it": reason.gets_it,
                "text": reason.text,
                "until": _time(launch, reason.until),
            }
            for reason in reasons
        ],
    }


def _time(launch: Launch, at: int | None) -> str | None:
    return None if at is None else show(at, launch.zone)
