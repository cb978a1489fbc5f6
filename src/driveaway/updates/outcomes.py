"""What became of an update, as facts about the car."""

from __future__ import annotations

import re
from typing import Final

from driveaway.book.state.state import Change
from driveaway.facts import Draft
from driveaway.facts.updates import UpdateFinished, VersionReported
from driveaway.updates.model import Action, Outcome, Target
from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_vin

_NOT_IN_SLUGS: Final = re.compile(r"[^a-z0-9.]+")
_DOTS: Final = re.compile(r"[-.]*\.[-.]*")
_LONGEST: Final = 80
SIMULATED: Final = "simulated"
"""The type of targets that no car stands behind: facts about them say that they are simulated."""


def vin_of(controller_id: str) -> str | None:
    """The VIN that a car polls under; None: it polls under something else, and facts know nothing of it."""
    try:
        vin = parse_vin(controller_id)
    except BadValue:
        return None
    return vin if vin == controller_id else None


def release_slug(name: str, version: str) -> str:
    """The slug by which facts name a distribution set: its name and version in the letters of slugs."""
    text = _NOT_IN_SLUGS.sub("-", f"{name} {version}".lower())
    return _DOTS.sub(".", text).strip("-.")[:_LONGEST].rstrip("-.") or "release"


def rollout_slug(name: str) -> str:
    """The slug by which facts name a rollout."""
    return release_slug(name, "")


def append_finished(
    change: Change,
    target: Target,
    action: Action,
    outcome: Outcome,
    at: int,
    *,
    code: int | None,
    verified: bool = False,
    simulated: bool = False,
) -> None:
    """Append that an action ended for a car; nothing where its id is no VIN."""
    vin = vin_of(target.controller_id)
    if vin is None:
        return
    names = {
        row[0]: (row[1], row[2])
        for row in change.rows(
            "SELECT id, name, version FROM distribution_sets WHERE id IN (:set, :installed)",
            set=action.distribution_set,
            installed=target.installed or 0,
        )
    }
    name, version = names[action.distribution_set]
    rollout = (
        change.rows("SELECT name FROM rollouts WHERE id = :id", id=action.rollout) if action.rollout else []
    )
    body = UpdateFinished(
        action=action.id,
        release=release_slug(name, version),
        outcome=outcome.value,
        rollout=rollout_slug(rollout[0][0]) if rollout else None,
        from_version=names[target.installed][1] if target.installed in names else None,
        to_version=version,
        code=code,
        verified=verified,
    )
    source = f"urn:driveaway:updates/action/{action.id}/{outcome.value}"
    simulated = simulated or target.type == SIMULATED
    change.append_later([Draft("update.finished", vin, at, body, source, simulated=simulated)])


def append_reported(
    change: Change,
    target: Target,
    version: str,
    at: int,
    *,
    release: str | None,
    agrees: bool | None,
    simulated: bool = False,
) -> None:
    """Append which version a car said it runs; nothing where its id is no VIN."""
    vin = vin_of(target.controller_id)
    if vin is None:
        return
    body = VersionReported(
        version=version,
        previous=target.version_reported or None,
        release=release,
        action=target.installed_action if release else None,
        agrees=agrees,
    )
    simulated = simulated or target.type == SIMULATED
    change.append_later([Draft("version.reported", vin, at, body, simulated=simulated)])
