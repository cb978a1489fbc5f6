"""A rollout over time: how many cars were how far, and how the evidence of harm grew."""

from __future__ import annotations

from math import log
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from driveaway.updates.rollouts.bounds import share_bound
from driveaway.updates.rollouts.columns import NEVER, Outcome
from driveaway.updates.rollouts.comparing import COMBINED, deciding
from driveaway.updates.rollouts.decision import Standing
from driveaway.updates.rollouts.guards import InstallGuard

_POINTS: Final = 240
_LOOKS: Final = 60
_KINDS: Final = {
    "failed": (Outcome.FAILED,),
    "fallback": (Outcome.FALLBACK,),
    "silent": (Outcome.SILENT,),
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Something over time.

    Attributes:
        name: what it is.
        points: (microseconds since 1970 UTC, value), in order.
        stops_at: the value from which it stops the rollout; None: it stops nothing.
    """

    name: str
    points: tuple[tuple[int, float], ...]
    stops_at: float | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Cars (opened, succeeded, failed) and evidence (logarithms) over time, from ``start`` to ``end``."""

    start: int
    end: int
    cars: tuple[Line, ...]
    evidence: tuple[Line, ...]


def story_of(standing: Standing) -> Story:
    """The story of a rollout as it stands; what a person cleared on the way starts its evidence anew."""
    cars, now = standing.cars, standing.now
    failed = cars.outcome >= Outcome.FAILED
    lines = (
        _counted("opened", cars.opened, standing.started, now),
        _counted("succeeded", cars.finished[cars.outcome == Outcome.SUCCEEDED], standing.started, now),
        _counted("failed", cars.finished[failed], standing.started, now),
    )
    return Story(start=standing.started, end=now, cars=lines, evidence=tuple(_evidence(standing)))


def _counted(name: str, moments: NDArray[np.int64], start: int, now: int) -> Line:
    """How many moments had come, as a curve of steps."""
    came = np.sort(moments[moments <= now])
    at = np.unique(came)
    if len(at) > _POINTS:
        at = np.unique(at[np.linspace(0, len(at) - 1, _POINTS).astype(int)])
    counts = np.searchsorted(came, at, side="right")
    points = [(start, 0.0)] if not len(at) or at[0] > start else []
    points += zip(at.tolist(), counts.astype(float).tolist(), strict=True)
    points.append((now, float(len(came))))
    return Line(name=name, points=tuple(points))


def _evidence(standing: Standing) -> list[Line]:
    rules, cars, now = standing.rules, standing.cars, standing.now
    out = []
    if rules.comparisons:
        path = deciding(
            rules,
            cars,
            standing.health,
            segments=standing.segments,
            started=standing.started,
            now=now,
            cleared=standing.cleared.get(COMBINED),
        )
        # What was landed after the rollout ended is known too late to be part of its story.
        told = int(np.count_nonzero(path.known <= now))
        # The highest of each part is kept, so that no stop is lost between two points.
        parts = np.array_split(np.arange(told), min(_POINTS, told) or 1)
        kept = [int(part[path.log_e[part].argmax()]) for part in parts if len(part)]
        points = [(standing.started, 0.0)] + [(int(path.known[i]), float(path.log_e[i])) for i in kept]
        points.append((now, float(path.log_e[told - 1]) if told else 0.0))
        out.append(Line(name=COMBINED, points=tuple(points), stops_at=-log(rules.alpha)))
    guards = [guard for guard in rules.guards if isinstance(guard, InstallGuard)]
    return out + [_installs(guard, standing) for guard in guards if guard.bound == "anytime"]


def _installs(guard: InstallGuard, standing: Standing) -> Line:
    """An install guard's evidence at equal steps of time; cars that are silent now count from now on."""
    cars, cleared = standing.cars, standing.cleared.get(guard.name)
    began = ~np.isin(cars.outcome, (Outcome.DECLINED, Outcome.CANCELLED)) & (cars.started != NEVER)
    if cleared is not None:
        began &= cars.started > cleared
    counted = [outcome for kind in guard.failures for outcome in _KINDS[kind]]
    starts = np.sort(cars.started[began])
    ends = np.sort(cars.finished[began & np.isin(cars.outcome, counted)])
    points = []
    for at in np.linspace(standing.started, standing.now, _LOOKS).astype(np.int64).tolist():
        sample = int(np.searchsorted(starts, at, side="right"))
        failures = int(np.searchsorted(ends, at, side="right"))
        found = share_bound(failures, sample, guard.threshold, standing.rules.level)
        points.append((at, found.log_e if sample >= guard.minimum else 0.0))
    return Line(name=guard.name, points=tuple(points), stops_at=-log(guard.alpha))
