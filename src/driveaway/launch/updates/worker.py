"""The worker: one leader that decides rollouts, signs what is due, tells webhooks, and keeps house."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from driveaway.book.state.state import Change, State
from driveaway.launch.fleet.keeping import FleetKeeper
from driveaway.launch.hooks.delivering import Couriers
from driveaway.launch.launch import Launch
from driveaway.launch.updates.opening import DEMO_MARKER, open_updates
from driveaway.launch.updates.placing import asked_at_work, place_cars
from driveaway.updates import changes, software
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.leases import Lease
from driveaway.updates.management.targetfilters import assign_due
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.driving import Driver
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus
from driveaway.values.clock import DAY, HOUR, SECOND, now
from driveaway.values.errors import DriveawayError

LEASE: Final = "worker"
EVERY: Final = 10.0
"""Seconds from one round to the next."""
_log = logging.getLogger(__name__)
_MINUTE: Final = 60 * SECOND
_KEPT: Final = DAY
"""How long changes are kept for device servers that were away."""
_PRUNED_AT_ONCE: Final = 20_000
_WATCHED: Final = 30 * DAY
_UNDER_WAY: Final = (
    RolloutStatus.WAITING_FOR_APPROVAL,
    RolloutStatus.READY,
    RolloutStatus.RUNNING,
    RolloutStatus.PAUSED,
)


@dataclass
class Job:
    """Something that is done again and again.

    Attributes:
        name: for the log.
        run: does it, given the time in microseconds since 1970 UTC.
        every: microseconds from one time to the next; 0: in each round.
    """

    name: str
    run: Callable[[int], Any]
    every: int = 0
    due: int = 0


@dataclass
class Worker:
    """What one process does; of several that run, one leads and the others wait.

    Attributes:
        launch: whose updates.
        clock: microseconds since 1970 UTC.
        holder: name of this process in the lease.
        jobs: what is done, in this order; more may be added before the first round.
        file_keys: forces the use of online keys in files; a demonstration needs no force.
    """

    launch: Launch
    clock: Callable[[], int] = now
    holder: str = ""
    jobs: list[Job] = field(default_factory=list)
    file_keys: bool = False

    def __post_init__(self) -> None:
        state: State = self.launch.state
        self.holder = self.holder or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.lease = Lease(state, LEASE, self.holder, self.clock)
        self.artifacts = ArtifactStore(self.launch.data / "artifacts")
        self.simulated = (self.launch.folder / DEMO_MARKER).is_file()
        self.couriers = Couriers(self.launch.book_url, self.lease, self.clock)
        self._state = state
        self._fleet = FleetKeeper(self.launch)
        self._drivers: dict[int, Driver] = {}
        self._tended: dict[int, int] = {}
        self._failing: dict[str, str] = {}
        self.jobs += [
            Job("places of cars", self._place, _MINUTE),
            Job("rollouts", self._drive),
            Job("webhooks", lambda _: self.couriers.tend(self._state)),
            Job("target filters", self._assign, _MINUTE),
            Job("signed metadata", self._sign, _MINUTE),
            Job("changes for device servers", self._prune, HOUR),
            Job("artifacts", self._sweep, DAY),
            Job("trips of cars handed over since", self._fleet.release, _MINUTE),
            Job("files of trips", self._fleet.compact, 5 * _MINUTE),
            Job("erasures that were stopped", lambda _: self.launch.finish_erasing(), _MINUTE),
        ]

    def tick(self) -> bool:
        """One round; False: another process leads. No error leaves it."""
        leads = self._tried("lease", self.lease.take)
        if not leads:
            self._drivers.clear()
            return False
        for job in self.jobs:
            at = self.clock()
            # A clock that was set back must not stop a job for long.
            if job.due <= at or job.due > at + job.every:
                job.due = at + job.every
                self._tried(job.name, lambda job=job, at=at: job.run(at))  # type: ignore[misc]
            if not self.lease.held and not self._tried("lease", self.lease.take):
                return False
        return True

    def run(self, stop: threading.Event, every: float = EVERY) -> None:
        """Round after round until ``stop`` is set; then the next process may lead at once."""
        leading: bool | None = None
        while not stop.is_set():
            leads = self.tick()
            if leads is not leading:
                _log.info("%s %s", self.holder, "leads" if leads else "waits: another worker leads")
                leading = leads
            stop.wait(every)
        self._tried("webhooks", self.couriers.close)
        if leading:
            self._tried("lease", self.lease.release)

    def _tried(self, what: str, work: Callable[[], Any]) -> Any:
        """Do it; an error is logged once, until it ends or becomes another, and stops nothing else."""
        try:
            done = work()
        except DriveawayError as error:
            self._fails(what, str(error))
            return None
        except Exception as error:  # noqa: BLE001 - a defect in one job must not stop the others
            self._fails(what, repr(error), defect=error)
            return None
        if self._failing.pop(what, None) is not None:
            _log.info("%s: works again", what)
        return done

    def _fails(self, what: str, said: str, defect: BaseException | None = None) -> None:
        if self._failing.get(what) != said:
            self._failing[what] = said
            _log.error("%s: %s", what, said, exc_info=defect)

    # --- jobs ---

    def _drive(self, at: int) -> None:
        """Look at every rollout that goes on, each by itself."""
        under_way = [each for each in keeping.all_rollouts(self._state) if _goes_on(each, at)]
        ids = {each.id for each in under_way}
        self._drivers = {key: driver for key, driver in self._drivers.items() if key in ids}
        for rollout in under_way:
            driver = self._drivers.setdefault(
                rollout.id, Driver(self._state, rollout.id, self.simulated, self.lease.fence)
            )
            self._tried(f"rollout {rollout.name}", lambda driver=driver: self._look(driver))  # type: ignore[misc]

    def _look(self, driver: Driver) -> None:
        at = self.clock()
        if not self._tended.get(driver.rollout, 0) <= at < self._tended.get(driver.rollout, 0) + _MINUTE:
            driver.tend(at)
            self._tended[driver.rollout] = at
        driver.look(at)

    def _place(self, at: int) -> None:
        """Say where cars are at home, while a filter at work asks for it."""
        if asked_at_work(self._state):
            place_cars(self.launch, self.lease.fence)

    def _sign(self, at: int) -> None:
        """Sign again what is due of the signed metadata."""
        # Loaded when it is due: whoever only decides needs no signing libraries.
        from driveaway.launch.updates.resigning import resign_due

        resign_due(open_updates(self.launch), at, files=self.file_keys)

    def _assign(self, at: int) -> None:
        """Give the sets of target filters to cars that they find by now."""
        for (number,) in self._state.rows(
            "SELECT id FROM target_filters WHERE distribution_set IS NOT NULL ORDER BY id"
        ):
            self._tried(f"target filter {number}", lambda number=number: self._assign_all(number, at))  # type: ignore[misc]

    def _assign_all(self, number: int, at: int) -> None:
        last: int | None = 0
        while last is not None:
            with self._change() as change:
                last = assign_due(change, number, at, after=last, simulated=self.simulated).last

    def _prune(self, at: int) -> None:
        """Forget what every device server has seen, some at a time."""
        limit, more = at - _KEPT, True
        while more:
            with self._change() as change:
                rows = change.rows(
                    "SELECT at FROM target_changes ORDER BY id LIMIT 1 OFFSET :some", some=_PRUNED_AT_ONCE
                )
                some = rows[0][0] if rows else limit
                pruned = changes.prune(change, min(some, limit))
                if pruned == 0:
                    # Very many of one moment, or none is old.
                    changes.prune(change, limit)
                more = pruned > 0 and some < limit

    def _sweep(self, at: int) -> list[str]:
        """Remove contents that no software names any more."""
        return self.artifacts.sweep(lambda: software.known_contents(self._state))

    @contextmanager
    def _change(self) -> Iterator[Change]:
        with self._state.change() as change:
            self.lease.fence(change)
            yield change


def run(launch: Launch, stop: threading.Event, every: float = EVERY, *, file_keys: bool = False) -> None:
    """Do the worker's jobs until ``stop`` is set, as on SIGTERM: what is under way is ended first.

    Args:
        launch: whose updates.
        stop: set it to end.
        every: seconds from one round to the next.
        file_keys: forces the use of online keys in files; a demonstration needs no force.
    """
    Worker(launch, file_keys=file_keys).run(stop, every)


def _goes_on(rollout: Rollout, at: int) -> bool:
    """Whether a rollout is to be looked at: its cars may still fail for a while after its end."""
    if rollout.status in _UNDER_WAY or rollout.record.settling is not None:
        return True
    return rollout.status is RolloutStatus.FINISHED and rollout.modified > at - _WATCHED
