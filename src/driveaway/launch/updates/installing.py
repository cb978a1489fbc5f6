"""Having cars install what they were only asked to download."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from driveaway.launch.launch import Launch
from driveaway.launch.persons import check_person
from driveaway.updates import assigning
from driveaway.updates.assigning import Terms
from driveaway.updates.fitting import unfit
from driveaway.updates.model import ActionType
from driveaway.updates.rollouts import keeping
from driveaway.values.errors import NotFound, Refused

_AT_ONCE: Final = 1_000
"""Cars asked in one change: some 0.1 s, so that whoever else writes gets a turn."""
_HOLDING: Final = (
    "SELECT DISTINCT t.id, t.controller_id FROM actions a JOIN targets t ON t.id = a.target"
    " WHERE a.rollout = :rollout AND a.outcome = 'downloaded' AND NOT EXISTS (SELECT 1 FROM actions b"
    " WHERE b.target = a.target AND b.id > a.id AND b.distribution_set = a.distribution_set"
    " AND b.outcome IN ('', 'installed')) ORDER BY t.id"
)


class Asked(NamedTuple):
    """What came of it: cars that were asked, and cars that hold it and that it does not fit any more."""

    cars: int
    unfit: int


def install_downloaded(
    launch: Launch,
    name: str,
    at: int,
    *,
    by: str,
    kind: ActionType = ActionType.SOFT,
    only: Collection[str] = (),
    simulated: bool = False,
) -> Asked:
    """Ask the cars that downloaded what a rollout brings to install it, all at once and outside the rollout.

    Args:
        launch: the launch.
        name: of a rollout that only asks for a download.
        at: now.
        by: who asks.
        kind: how urgently.
        only: of the cars, these; empty: all.
        simulated: whether a simulation asks.

    Raises:
        NotFound: there is no such rollout, or a car of ``only`` does not hold it.
        Refused: the rollout installs by itself, its release may not be given to cars, or ``by`` may not.
    """
    check_person(launch, by, "operate")
    rollout = keeping.find_rollout(launch.state, name)
    if rollout.plan.type is not ActionType.DOWNLOAD_ONLY:
        raise Refused(
            f"rollout {name} installs by itself",
            code="rollout.installs",
            remedy="name one that only asks for a download",
        )
    holding = {row[1]: row[0] for row in launch.state.rows(_HOLDING, rollout=rollout.id)}
    if missing := sorted(set(only) - holding.keys()):
        raise NotFound(
            f"{missing[0]} holds nothing of {name} that waits to be installed",
            code="rollout.not_downloaded",
            remedy=f"driveaway rollout explain {name} {missing[0]}",
        )
    wanted = {vin: target for vin, target in holding.items() if not only or vin in only}
    wrong = unfit(launch.state, rollout.distribution_set, wanted.values())
    cars = [vin for vin, target in wanted.items() if target not in wrong]
    terms = Terms(type=kind, weight=rollout.plan.weight, initiated_by=by)
    asked = 0
    for first in range(0, len(cars), _AT_ONCE):
        some = cars[first : first + _AT_ONCE]
        with launch.state.change() as change:
            made = assigning.assign(
                change,
                rollout.distribution_set,
                some,
                terms,
                at,
                most=None,
                checked=True,
                simulated=simulated,
            )
        asked += len(made.actions)
    return Asked(asked, len(wrong))
