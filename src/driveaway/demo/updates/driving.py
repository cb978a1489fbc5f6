"""What the simulated cars tell of their health: metres each week, trouble codes when they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.book.state.state import State
from driveaway.demo.updates.builds import BUILDS
from driveaway.demo.updates.fleet import Fleet
from driveaway.demo.updates.garage import Garage
from driveaway.facts.health import CarHealth
from driveaway.updates import health
from driveaway.values.clock import DAY, HOUR
from driveaway.values.errors import Conflict

WEEK: Final = 7 * DAY
"""Length of the windows in which metres are told; they start at its multiples since 1970, on Thursdays."""
_SPREAD: Final = 0.3
"""Of the logarithm of one week's distance about the owner's own."""
_DEACTIVATIONS: Final = 0.004
"""A kilometre with assistance that the system ends by itself; an assumption."""
_TROUBLE_CODES: Final = 0.004
"""A day and car, whatever it runs; an assumption."""
_AT_ONCE: Final = 10_000


class Driving:
    """Lands reports of health.

    Attributes:
        assisted: metres with assistance that have been told of each car, shape (cars,).
    """

    def __init__(self, state: State, fleet: Fleet, garage: Garage, rng: Generator) -> None:
        self._state, self._fleet, self._garage, self._rng = state, fleet, garage, rng
        self.assisted: NDArray[np.int64] = np.zeros(len(fleet), np.int64)
        self._told_trouble: int | None = None
        self._told = int(fleet.handed.min(initial=0)) // WEEK * WEEK
        self._defects = {
            number: (np.array([each == build.defect.hardware for each in fleet.cockpits]), build.defect)
            for number, build in enumerate(BUILDS, 1)
            if build.defect is not None
        }

    def tell_weeks(self, now: int) -> None:
        """Land every week that has ended and was not told."""
        while self._told + WEEK <= now:
            self._land(self._week(self._told), now)
            self._told += WEEK

    def tell_trouble(self, now: int) -> None:
        """Land the trouble codes since the last time; a car has one at the most."""
        since, self._told_trouble = self._told_trouble or now - HOUR, now
        versions, days = self._garage.versions, (now - since) / DAY
        chance = np.full(len(self._fleet), _TROUBLE_CODES * days)
        for number, (concerned, defect) in self._defects.items():
            chance += concerned * (versions == number) * defect.trouble_codes * days
        rows = np.flatnonzero(self._rng.random(len(self._fleet)) < chance)
        moments = np.sort(self._rng.integers(since, now, len(rows)))
        self._land(
            (
                CarHealth(
                    vin=self._fleet.vins[row],
                    release=self._garage.release_of(row),
                    start=at,
                    end=at,
                    signal="trouble_code",
                    count=1,
                    simulated=True,
                )
                for row, at in zip(rows.tolist(), moments.tolist(), strict=True)
            ),
            now,
        )

    def _week(self, start: int) -> Iterator[CarHealth]:
        """Metres and deactivations of a week, of each car from its handover on."""
        fleet, rng = self._fleet, self._rng
        days = np.clip((start + WEEK - fleet.handed) / DAY, 0.0, WEEK / DAY)
        spread = rng.lognormal(0.0, _SPREAD, len(fleet))
        driven = (fleet.driven * days * spread).astype(np.int64)
        assisted = (fleet.assisted * days * spread).astype(np.int64)
        counts = rng.poisson(assisted / 1000 * _DEACTIVATIONS)
        self.assisted += assisted
        for row in np.flatnonzero(days > 0).tolist():
            yield CarHealth(
                vin=fleet.vins[row],
                release=self._garage.release_of(row),
                start=start,
                end=start + WEEK,
                signal="system_deactivation",
                count=int(counts[row]),
                exposure_m=int(driven[row]),
                assisted_m=int(assisted[row]),
                simulated=True,
            )

    def _land(self, reports: Iterator[CarHealth], now: int) -> None:
        rows = list(reports)
        for first in range(0, len(rows), _AT_ONCE):
            with self._state.change() as change:
                landed = health.land(change, rows[first : first + _AT_ONCE], now)
            if landed.refused:
                raise Conflict(landed.refused[0].reason, code="demo.health", remedy="a defect of the demo")
