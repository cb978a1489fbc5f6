"""The updates of the maker's announcements, played hour by hour on the cars that the demo has handed over.

Everything goes through what real cars and a real worker go through: cars are registered and say what they
run, releases are signed by two persons and published in a TUF repository, a driver of rollouts decides in
simulated time, and every outcome is a fact, marked simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from numpy.random import PCG64, Generator, SeedSequence

from driveaway.demo.updates.activating import Activating
from driveaway.demo.updates.builds import BUILDS, FOUNDED, LAST, Build
from driveaway.demo.updates.driving import Driving
from driveaway.demo.updates.fleet import Watched
from driveaway.demo.updates.garage import Garage
from driveaway.demo.updates.maker import Maker
from driveaway.facts import Draft
from driveaway.launch.launch import Launch
from driveaway.launch.simulated import simulated_state
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import ENDED, RolloutStatus
from driveaway.values.clock import DAY, HOUR, parse_as_of, parse_instant

FIRST_POLLS: Final = 5 * DAY
"""In so long after the server is set up, every car polls for the first time."""
_LOOK_EVERY: Final = 2 * HOUR
"""A worker looks every ten seconds; twelve times a day costs the demo little, and stops a little later."""
_TENDED_AFTER: Final = 14 * DAY
"""So long after a rollout's end its cars are looked after, once a day."""


@dataclass
class _Rollout:
    build: Build
    distribution_set: int
    driver: Driver
    ended: int | None = None


def first_day(launch: Launch) -> int:
    """From when on there is something to play, microseconds since 1970 UTC."""
    return parse_instant(FOUNDED, launch.zone)


class Play:
    """One run through the announcements.

    Args:
        launch: whose book holds the simulated orders.
        watched: the cars that were handed over.
        later: drafts of the public record that happen while it is played: functions that open.
        seed: of the simulation.
        salts: that many bytes, derived from the seed.
        append: records drafts as they are.
    """

    def __init__(
        self,
        launch: Launch,
        watched: Watched,
        later: Sequence[Draft],
        *,
        seed: int,
        salts: Callable[[int], bytes],
        append: Callable[[Sequence[Draft]], object],
    ) -> None:
        rngs = [Generator(PCG64(child)) for child in SeedSequence((seed, 2024_05)).spawn(4)]
        self._launch = launch
        state = simulated_state(launch, salts, f"urn:driveaway:demo:{seed}/updates/")
        fleet = watched.fleet(rngs[0], {trim.name: trim.lidar for trim in launch.description.trims})
        self._state = state
        self._garage = Garage(state, fleet, rngs[1])
        self._driving = Driving(state, fleet, self._garage, rngs[2])
        self._functions = Activating(launch.folder, state, fleet, self._garage, self._driving, rngs[3])
        self._maker = Maker(launch, state)
        self._later = sorted(later, key=lambda draft: draft.happened)
        self._append = append
        self._rollouts: list[_Rollout] = []

    def run(self, until: int) -> None:
        """Play from the first day to a moment, or to the last day that is known of."""
        launch = self._launch
        start, last = first_day(launch), parse_as_of(LAST, launch.zone)
        until = min(until, last)
        starts = {int(parse_instant(build.starts, launch.zone)): build for build in BUILDS}
        self._maker.found(start)
        self._garage.enter(start, start + FIRST_POLLS)
        now = start
        while now + HOUR <= until:
            now += HOUR
            morning = (now - start) % DAY == 0
            self._open(now)
            self._garage.step(now)
            if morning or self._under_way:
                self._driving.tell_trouble(now)
            if now in starts:
                self._release(starts[now], now)
            if morning:
                self._driving.tell_weeks(now)
                self._functions.day(now)
            for rollout in self._rollouts:
                if morning or (rollout.ended is None and (now - start) % _LOOK_EVERY == 0):
                    self._look(rollout, now, morning=morning)
        self._open(until)
        self._garage.poll_all(until)
        self._maker.resign(until)

    @property
    def _under_way(self) -> bool:
        return any(rollout.ended is None for rollout in self._rollouts)

    def _open(self, now: int) -> None:
        due = [draft for draft in self._later if draft.happened <= now]
        if due:
            self._later = self._later[len(due) :]
            self._append(due)
            self._functions.open(due)

    def _release(self, build: Build, now: int) -> None:
        for earlier in self._rollouts:
            if earlier.ended is None:
                self._abort(earlier, now)
        made = self._maker.release(build, now)
        self._rollouts.append(_Rollout(build, made, self._maker.roll_out(build, made, now)))

    def _look(self, rollout: _Rollout, now: int, *, morning: bool) -> None:
        """What the worker does, and what a person does in the morning after a rollout has stopped itself."""
        if rollout.ended is not None and now > rollout.ended + _TENDED_AFTER:
            return
        rollout.driver.tend(now)
        rollout.driver.look(now)
        status = keeping.find_rollout(self._state, rollout.driver.rollout).status
        if status in ENDED:
            rollout.ended = rollout.ended or now
        elif status is RolloutStatus.PAUSED and morning:
            self._abort(rollout, now)

    def _abort(self, rollout: _Rollout, now: int) -> None:
        self._maker.abort(rollout.build, now)
        rollout.ended = now
