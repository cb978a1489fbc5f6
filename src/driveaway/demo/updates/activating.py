"""Owners switch functions on, once the functions' gates allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.book.state.state import State
from driveaway.demo.updates.driving import Driving
from driveaway.demo.updates.fleet import Fleet
from driveaway.demo.updates.garage import Garage
from driveaway.facts import Draft
from driveaway.facts.updates import FunctionActivated, FunctionOpened
from driveaway.launch.functions import folder_places, function_name
from driveaway.launch.updates.columns import VEHICLE
from driveaway.updates.gates.columns import Cars, Categories, Numbers
from driveaway.updates.gates.expression import decode
from driveaway.updates.gates.fleet import FleetJudge
from driveaway.updates.places.homes import Homes
from driveaway.values.clock import DAY

_WANTED: Final = {"wireless-carplay": 0.52, "end-to-end-parking": 0.6, "city-navigation": 0.8}
"""Owners who will use it; an assumption: of CarPlay those with a phone by Apple (51.9%), rounded."""
_OTHERS: Final = 0.5
_A_DAY: Final = 0.15
"""Of those who may and will and have not yet, how many do so on a day; an assumption."""


@dataclass
class _Function:
    slug: str
    judge: FleetJudge
    wanted: NDArray[np.bool_]
    active: NDArray[np.bool_]


class Activating:
    """Which cars have which function, judged by the gates that the server judges by."""

    def __init__(
        self, folder: Path, state: State, fleet: Fleet, garage: Garage, driving: Driving, rng: Generator
    ) -> None:
        self._folder, self._state, self._fleet = folder, state, fleet
        self._garage, self._driving, self._rng = garage, driving, rng
        self._functions: list[_Function] = []
        homes = Homes(folder_places(folder))
        known: dict[tuple[str, str], str] = {}
        for place in zip(fleet.cities, fleet.provinces, strict=True):
            if place not in known:
                known[place] = homes.city(*place)
        self._trim = Categories.of(fleet.trims)
        self._lidar = Numbers.of(fleet.lidar.tolist())
        self._market = Categories.of("CN" for _ in fleet.vins)
        self._places = {
            "province": Categories.of(homes.province(code) for code in fleet.provinces),
            "city": Categories.of(known[place] for place in zip(fleet.cities, fleet.provinces, strict=True)),
        }

    def open(self, drafts: Sequence[Draft]) -> None:
        """Take note of functions that were opened."""
        for draft in drafts:
            if isinstance(draft.body, FunctionOpened):
                judge = FleetJudge(decode(draft.body.gate), folder_places(self._folder).values())
                wanted = self._rng.random(len(self._fleet)) < _WANTED.get(draft.subject, _OTHERS)
                idle = np.zeros(len(self._fleet), bool)
                self._functions.append(_Function(draft.subject, judge, wanted, idle))

    def day(self, now: int) -> None:
        """What was switched on in the 24 hours before, as facts."""
        if not self._functions:
            return
        cars = self._cars(now)
        drafts: list[Draft] = []
        for function in self._functions:
            draws = self._rng.random(len(self._fleet))
            waiting = function.judge.verdicts(cars).eligible & function.wanted & ~function.active
            rows = np.flatnonzero(waiting & (draws < _A_DAY))
            moments = self._rng.integers(now - DAY // 2, now, len(rows))
            function.active[rows] = True
            for row, at in zip(rows.tolist(), moments.tolist(), strict=True):
                version = self._garage.runs[int(self._garage.versions[row])]
                body = FunctionActivated(function=function_name(function.slug), version=version)
                drafts.append(Draft("function.activated", self._fleet.vins[row], at, body))
        drafts.sort(key=lambda draft: draft.happened)
        with self._state.change() as change:
            change.append(drafts)

    def _cars(self, now: int) -> Cars:
        """As the server sees them: what they reported, and the weeks that they told of."""
        assisted = self._driving.assisted
        return Cars(
            count=len(self._fleet),
            trim=self._trim,
            market=self._market,
            hardware={"lidar": self._lidar},
            software={VEHICLE: Categories(self._garage.versions.astype(np.int32), self._garage.runs)},
            assisted_metres=Numbers(assisted, np.ones(len(assisted), bool)),
            places=self._places,
            now=now,
        )
