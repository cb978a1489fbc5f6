"""Rules that stop a rollout, ours and others', on simulated courses: the hour in which each first stops."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.updates.fleets import CARS, DAILY, HOLDOUT, HOUR, HOURS, STAGES, Course
from driveaway.updates.rollouts.bounds import share_bound
from driveaway.updates.rollouts.coins import events_by_cars
from driveaway.updates.rollouts.columns import Cars, Health
from driveaway.updates.rollouts.combining import Path
from driveaway.updates.rollouts.evidence import Bets

ALPHA = 0.01
SIGNAL = ("trouble_code",)
_LOOKS = np.arange(1, HOURS + 1)


def _first(stops: NDArray[np.bool_]) -> float:
    return float(_LOOKS[stops.argmax()]) if stops.any() else np.inf


def _ours(cars: Cars, health: Health, window_s: int = 0) -> float:
    events = events_by_cars(cars, health, SIGNAL, started=0, window_s=window_s)
    when = Path(events.known, Bets.start().after(events.coins)[1]).reached(ALPHA)
    return np.inf if when is None else float(np.ceil(when / HOUR))


def by_offer(course: Course) -> float:
    """The e-process as it is: arms by opened place, the first event of each car."""
    return _ours(course.cars, course.health)


def by_installation(course: Course) -> float:
    """The same with arms by installation, as owners chose."""
    columns = {name: getattr(course.cars, name) for name in course.cars.__slots__}
    return _ours(Cars(**{**columns, "opened": course.installed}), course.health)


def each_day(course: Course) -> float:
    """By offer, with the first event of a car on each day, as if days were independent."""
    return _ours(course.cars, course.health, 86_400)


def _by_hour(course: Course) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Events on opened cars and on all, and opened cars, hour by hour."""
    hour = np.minimum(course.health.start // HOUR, HOURS - 1)
    fell = course.cars.opened[course.health.car] <= course.health.start
    everything = np.bincount(hour, minlength=HOURS).astype(np.float64)
    on_opened = np.bincount(hour[fell], minlength=HOURS).astype(np.float64)
    cars = np.searchsorted(np.sort(course.cars.opened), _LOOKS * HOUR - 1, side="right")
    return on_opened, everything, cars.astype(np.float64)


def peeked_z(course: Course) -> float:
    """A z-test of two rates, one-sided at 2.5%, repeated every hour on all that was seen so far."""
    on_opened, everything, cars = _by_hour(course)
    a, c = np.cumsum(on_opened), np.cumsum(everything - on_opened)
    exposed, controls = np.cumsum(cars), np.cumsum(len(course.cars) - cars)
    pooled = (a + c) / (exposed + controls)
    z = (a / exposed - c / controls) / np.sqrt(pooled * (1 / exposed + 1 / controls) + 1e-300)
    return _first((z > 1.96) & (a >= 5) & (c >= 5))


def before_after(course: Course) -> float:
    """Opened cars' rate over the last day at least 50% above the fleet's rate before the rollout."""
    on_opened, _, cars = _by_hour(course)
    a, exposed = (np.cumsum(each) for each in (on_opened, cars))
    a[24:], exposed[24:] = a[24:] - a[:-24], exposed[24:] - exposed[:-24]
    return _first((a >= 5) & (a / exposed > 1.5 * DAILY / 24))


# --- installations ------------------------------------------------------------------------------


class Installs(msgspec.Struct, frozen=True):
    """Installations of one rollout that nobody stopped, hour by hour since its start.

    Attributes:
        group: wave of each car, from 0.
        started, known: hour in which it began, and in which its outcome came in; infinite: never.
        failed: whether it failed.
    """

    group: NDArray[np.int64]
    started: NDArray[np.float64]
    known: NDArray[np.float64]
    failed: NDArray[np.bool_]


SILENCE = 24.0


def installs(share: float, rng: np.random.Generator) -> Installs:
    """Cars ask after a day in the mean, 30% never; half of those that fail are never heard of again."""
    ends = np.round(np.array([part for part, _ in STAGES]) * CARS * (1 - HOLDOUT))
    starts = np.concatenate(([0], np.cumsum([hours for _, hours in STAGES])[:-1]))
    number = np.arange(round(CARS * (1 - HOLDOUT)))
    group = np.searchsorted(ends, number, side="right")
    started = starts[group] + rng.exponential(24.0, len(number))
    started[rng.random(len(number)) < 0.3] = np.inf
    failed = rng.random(len(number)) < share
    lost = failed & (rng.random(len(number)) < 0.5)
    known = np.where(lost, np.inf, started + np.where(failed, 0.2, 1.0))
    return Installs(group, started, known, failed)


def _hourly(moments: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(moments[np.isfinite(moments)]), _LOOKS, side="right")


def our_guard(of: Installs, threshold: float) -> float:
    """The install guard: begun installations, silence as failure, evidence at level 1%."""
    heard = np.where(np.isfinite(of.known), of.known, of.started + SILENCE)
    began, bad = _hourly(of.started), _hourly(heard[of.failed])
    stops = [
        n >= 20 and share_bound(int(k), int(n), threshold).log_e >= -np.log(ALPHA)
        for k, n in zip(bad, began, strict=True)
    ]
    return _first(np.array(stops))


def hawkbits(of: Installs, threshold: float) -> float:
    """hawkBit: errors that were reported over all targets of a group, for any group."""
    stop = np.zeros(HOURS, dtype=bool)
    for group in np.unique(of.group):
        own = of.group == group
        stop |= _hourly(of.known[own & of.failed]) > threshold * own.sum()
    return _first(stop)


def aws(of: Installs, threshold: float, times_out: bool) -> float:
    """AWS IoT Jobs: failed over executed at least the threshold, once 20 are executed."""
    known = np.where(np.isfinite(of.known) | (not times_out), of.known, of.started + SILENCE)
    executed, bad = _hourly(known), _hourly(known[of.failed])
    return _first((executed >= 20) & (bad >= threshold * executed))


def begun(of: Installs, hour: float) -> int:
    """Installations begun by an hour."""
    return int((of.started <= hour).sum())
