"""Which cars can take a release, told by what they run: as they are, after other releases, or not at all."""

from __future__ import annotations

from collections import Counter
from typing import Any

from driveaway.book.state.state import Reading
from driveaway.updates.filters.filter import Clock, Filter
from driveaway.updates.filters.resources import target_fields
from driveaway.updates.fitting import asks
from driveaway.updates.resolving.configurations import Asked, configurations
from driveaway.updates.resolving.fleet import resolve_fleet
from driveaway.updates.resolving.stepping import misfits
from driveaway.updates.resolving.universe import Universe, read_universe
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus

EVERY_CAR = "controllerid==*"
_UNSERVED = (
    "EXISTS (SELECT 1 FROM rollout_members n WHERE n.rollout = :rollout AND n.target = t.id"
    " AND n.opened IS NOT NULL AND n.action IS NULL)"
)


def told_resolution(reading: Reading, distribution_set: int, filter: str, at: int) -> dict[str, Any]:
    """What becomes of a release in the cars that a filter names, one row for each of their configurations.

    Raises:
        NotFound: there is no such set.
        BadValue: the filter cannot be read.
    """
    wanted = Filter(filter, target_fields()).where(reading.dialect, Clock(at, at), "q")
    if not asks(reading, distribution_set):
        ((cars,),) = reading.rows(f"SELECT COUNT(*) FROM targets t WHERE {wanted.sql}", **wanted.parameters)
        return {"cars": cars, "verdicts": {"fits": cars} if cars else {}, "rows": []}
    verdicts: Counter[str] = Counter()
    rows = []
    for configuration, found in resolve_fleet(reading, distribution_set, wanted.sql, wanted.parameters):
        car = configuration.car
        verdicts[found.verdict] += configuration.cars
        rows.append(
            {
                "verdict": found.verdict,
                "cars": configuration.cars,
                "example": configuration.example,
                "hardware": sorted(car.hardware),
                "versions": dict(sorted(car.versions.items())),
                "first": [
                    {
                        "release": each.slug,
                        "brings": {module.name: module.version for module in each.modules},
                    }
                    for each in found.first
                ],
                "reasons": list(found.reasons),
            }
        )
    return {"cars": sum(verdicts.values()), "verdicts": dict(sorted(verdicts.items())), "rows": rows}


def passed_over(reading: Reading, rollout: Rollout) -> int:
    """Cars of a rollout whose turn has come and that its release does not fit as they are now."""
    if rollout.status not in (RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.FINISHED):
        return 0
    if not asks(reading, rollout.distribution_set):
        return 0
    universe: Universe = read_universe(reading, rollout.distribution_set)
    release = universe.releases[rollout.distribution_set]
    asked = Asked.of(release, universe.touching(release))
    return sum(
        each.cars
        for each in configurations(reading, universe, asked, _UNSERVED, {"rollout": rollout.id})
        if next(misfits(universe, release, each.car), None) is not None
    )
