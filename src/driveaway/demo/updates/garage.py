"""The simulated cars as clients of the update server: they report, install, and say what came of it.

What they say is taken by the same functions that take what cars say over the wire.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from driveaway.book.state.state import Change, State
from driveaway.demo.updates.builds import AS_BUILT, BUILDS, COCKPIT, NAME, Build
from driveaway.demo.updates.fleet import Fleet
from driveaway.updates import changes, registry, seen
from driveaway.updates.actions import acting
from driveaway.updates.actions.machine import Execution, Finished, Report
from driveaway.updates.model import ActionStatus
from driveaway.updates.outcomes import release_slug
from driveaway.updates.registry import Mode
from driveaway.values.clock import DAY, HOUR, SECOND

ADDRESS: Final = ""
_VERSION: Final = "version"
"""The attribute by which cars say what they run: the setting ``verification.attribute``."""
_MINUTE: Final = 60 * SECOND
_INSTALLING: Final = (35 * _MINUTE, 55 * _MINUTE)
_FAILED: Final = 0.006
"""Share of installations that fail with a good build; an assumption."""
_SILENT: Final = 0.001
_NEVER: Final = 365 * DAY
_NEW: Final = (
    "SELECT a.id, t.controller_id, a.created, d.version FROM actions a JOIN targets t ON t.id = a.target"
    " JOIN distribution_sets d ON d.id = a.distribution_set WHERE a.id > :after ORDER BY a.id"
)
_CANCELLING: Final = (
    "SELECT a.id, t.controller_id FROM actions a JOIN targets t ON t.id = a.target"
    f" WHERE a.active = 1 AND a.status = '{ActionStatus.CANCELING}' AND a.heard IS NULL ORDER BY a.id"
)

Event = Callable[[Change, int], None]


class Garage:
    """All cars, and what each is about to do.

    Attributes:
        versions: index into ``runs`` of what each car runs, shape (cars,).
        runs: versions that cars can run, the oldest first.
    """

    runs: Final = (AS_BUILT, *(build.version for build in BUILDS))

    def __init__(self, state: State, fleet: Fleet, rng: Generator) -> None:
        self._state, self._fleet, self._rng = state, fleet, rng
        self._row = {vin: row for row, vin in enumerate(fleet.vins)}
        self._builds = {build.version: build for build in BUILDS}
        self._events: list[tuple[int, int, Event]] = []
        self._numbers = count()
        self._offered = 0
        self._told = 0
        self._seen: dict[str, tuple[int, str]] = {}
        self.versions = np.zeros(len(fleet), np.int64)

    def release_of(self, row: int) -> str:
        """The slug of the release that a car runs."""
        return release_slug(NAME, self.runs[int(self.versions[row])])

    def enter(self, first: int, last: int) -> None:
        """Let every car poll for the first time, at some moment between two times."""
        moments = self._rng.integers(first, last, len(self._fleet)).tolist()
        for row, at in enumerate(moments):
            self._at(at, partial(self._first_poll, row))

    def step(self, now: int) -> None:
        """Do what is due by now, in order of time, in one change."""
        cancelling: list[tuple[Any, ...]] = []
        if (told := changes.last(self._state)) != self._told:
            # Somebody did something about some car: as with a server, only then is there anything new.
            self._told = told
            self._take_up()
            cancelling = self._state.rows(_CANCELLING)
        if not cancelling and (not self._events or self._events[0][0] > now):
            return
        with self._state.change() as change:
            while self._events and self._events[0][0] <= now:
                at, _, event = heapq.heappop(self._events)
                event(change, at)
            for action, vin in cancelling:
                self._cancel(change, vin, action, now)
            seen.note(change, self._seen)
            self._seen.clear()

    def poll_all(self, now: int) -> None:
        """Every car that has polled yet polls once more, within the last five minutes."""
        moments = now - self._rng.integers(0, 5 * _MINUTE, len(self._fleet))
        with self._state.change() as change:
            seen.note(
                change,
                {vin: (at, ADDRESS) for vin, at in zip(self._fleet.vins, moments.tolist(), strict=True)},
            )

    # --- what cars do ---

    def _at(self, at: int, event: Event) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), event))

    def _first_poll(self, row: int, change: Change, at: int) -> None:
        vin = self._fleet.vins[row]
        registry.register(change, vin, ADDRESS, at)
        self._say(change, row, AS_BUILT, at, COCKPIT, "city")

    def _say(self, change: Change, row: int, version: str, at: int, *more: str) -> None:
        """What a car says about itself."""
        vin = self._fleet.vins[row]
        known = {COCKPIT: self._fleet.cockpits[row], "city": self._fleet.cities[row]}
        said = {_VERSION: version} | {name: known[name] for name in more if known[name]}
        registry.put_attributes(change, vin, said, Mode.MERGE, at, version_attribute=_VERSION, simulated=True)
        self._seen[vin] = (at, ADDRESS)

    def _take_up(self) -> None:
        """Cars hear of new actions; their owners will consent some time later."""
        rows = self._state.rows(_NEW, after=self._offered)
        if not rows:
            return
        self._offered = rows[-1][0]
        waits = self._rng.uniform(0.7, 1.4, len(rows))
        for (action, vin, created, version), spread in zip(rows, waits.tolist(), strict=True):
            row = self._row[vin]
            wait = self._fleet.consent[row] * spread
            if wait < _NEVER:
                begin = created + 5 * _MINUTE + int(wait)
                self._at(begin, partial(self._begin, row, action, self._builds[version]))

    def _begin(self, row: int, action: int, build: Build, change: Change, at: int) -> None:
        """Begin to install, unless the offer was taken back meanwhile."""
        vin = self._fleet.vins[row]
        _, found = acting.find(change, action, vin)
        # The draws do not depend on what others do: so a later change of the script changes little.
        draw, length = self._rng.random(), int(self._rng.uniform(*_INSTALLING))
        if not found.active or found.status is ActionStatus.CANCELING:
            return
        self._report(change, vin, action, at, Execution.PROCEEDING)
        failed, fell_back = self._shares(row, build)
        if draw < failed:
            end = self._fail
        elif draw < failed + fell_back:
            end = self._fall_back
        elif draw < failed + fell_back + _SILENT:
            return
        else:
            end = self._succeed
        self._at(at + length, partial(end, row, action, build))

    def _shares(self, row: int, build: Build) -> tuple[float, float]:
        """Of installations that fail, and that come back with the old software."""
        defect = build.defect
        if defect is not None and self._fleet.cockpits[row] == defect.hardware:
            return defect.failed, defect.fell_back
        return _FAILED, 0.0

    def _fail(self, row: int, action: int, build: Build, change: Change, at: int) -> None:
        self._report(
            change, self._fleet.vins[row], action, at, Execution.CLOSED, Finished.FAILURE, code=71,
            message=f"simulated: the cockpit does not start {build.version}",
        )  # fmt: skip

    def _fall_back(self, row: int, action: int, build: Build, change: Change, at: int) -> None:
        self._report(change, self._fleet.vins[row], action, at, Execution.CLOSED, Finished.SUCCESS)
        old = self.runs[int(self.versions[row])]
        self._at(at + 5 * _MINUTE, lambda change, at: self._say(change, row, old, at))
        self._at(at + DAY + HOUR, lambda change, at: self._say(change, row, old, at))

    def _succeed(self, row: int, action: int, build: Build, change: Change, at: int) -> None:
        self._report(change, self._fleet.vins[row], action, at, Execution.CLOSED, Finished.SUCCESS)
        self._at(at + 5 * _MINUTE, partial(self._runs, row, build))

    def _runs(self, row: int, build: Build, change: Change, at: int) -> None:
        self.versions[row] = self.runs.index(build.version)
        self._say(change, row, build.version, at)

    def _cancel(self, change: Change, vin: str, action: int, at: int) -> None:
        report = Report(
            execution=Execution.CLOSED, finished=Finished.SUCCESS, reported=at, digest=f"c{action}/{at}"
        )
        acting.take_cancel_report(change, vin, action, report, at, simulated=True)
        self._seen[vin] = (at, ADDRESS)

    def _report(
        self,
        change: Change,
        vin: str,
        action: int,
        at: int,
        execution: Execution,
        finished: Finished = Finished.NONE,
        *,
        code: int | None = None,
        message: str = "",
    ) -> None:
        messages: Sequence[str] = (message,) if message else ()
        report = Report(
            execution=execution, finished=finished, code=code, messages=tuple(messages), reported=at,
            digest=f"d{action}/{execution}",
        )  # fmt: skip
        acting.take_report(change, vin, action, report, at, simulated=True)
        self._seen[vin] = (at, ADDRESS)
