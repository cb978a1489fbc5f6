"""The delivered cars in columns: what they are, and how their simulated owners drive and decide.

What nothing public says is an assumption, and stands here with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from driveaway.facts import Draft
from driveaway.facts.cars import CarBuilt
from driveaway.facts.orders import OrderHandedOver
from driveaway.values.clock import DAY, HOUR

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

COCKPIT: Final = "cockpit"
_USERS: Final = 0.8
"""Owners who use driving assistance: the maker says more than 79%."""
_ASSISTED_PER_DAY: Final = (11_000.0, 0.75)
"""Metres a day of an owner who uses it, median and spread of the logarithm: some 600,000 km of all by
24 April, as the maker says."""
_DRIVEN_PER_DAY: Final = (38_000.0, 0.45)
"""Metres a day: near the mean of private cars; an assumption."""
_HIGHEST_SHARE: Final = 0.85
"""Of the distance that is driven with assistance."""
_CONSENT_HOURS: Final = (9.0, 1.2)
"""Hours from the offer to the owner's consent, median and spread of the logarithm."""
_NEVER: Final = 0.03
"""Owners who do not install for as long as the demo lasts."""


@dataclass(frozen=True)
class Fleet:
    """Cars in order of VIN; every column has a row for each.

    Attributes:
        vins, trims, provinces, cities: of the car and its handover; provinces by six-digit code.
        cockpits: hardware of the cockpit's control unit.
        lidar: 1 or 0.
        handed: when it was handed over, microseconds since 1970 UTC.
        driven, assisted: metres a day, with assistance among them.
        consent: microseconds from an offer to the owner's consent; more than a year: never.
    """

    vins: tuple[str, ...]
    trims: tuple[str, ...]
    provinces: tuple[str, ...]
    cities: tuple[str, ...]
    cockpits: tuple[str, ...]
    lidar: NDArray[np.int64]
    handed: Times
    driven: Floats
    assisted: Floats
    consent: Floats

    def __len__(self) -> int:
        return len(self.vins)


@dataclass
class Watched:
    """Takes note of the cars as drafts pass by."""

    built: dict[str, CarBuilt] = field(default_factory=dict)
    handed: dict[str, tuple[int, OrderHandedOver]] = field(default_factory=dict)

    def watch(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The drafts as they are."""
        for draft in drafts:
            body = draft.body
            if isinstance(body, CarBuilt):
                self.built[draft.subject] = body
            elif isinstance(body, OrderHandedOver) and body.vin is not None:
                self.handed[body.vin] = (draft.happened, body)
            yield draft

    def fleet(self, rng: Generator, lidar: Mapping[str, bool]) -> Fleet:
        """The cars that were handed over, with owners.

        Args:
            rng: of the owners' habits.
            lidar: whether a trim has it.
        """
        vins = tuple(sorted(self.handed))
        count = len(vins)
        trims = tuple(self.built[vin].trim for vin in vins)
        driven = rng.lognormal(np.log(_DRIVEN_PER_DAY[0]), _DRIVEN_PER_DAY[1], count)
        assisted = rng.lognormal(np.log(_ASSISTED_PER_DAY[0]), _ASSISTED_PER_DAY[1], count)
        assisted *= rng.random(count) < _USERS
        consent = rng.lognormal(np.log(_CONSENT_HOURS[0] * HOUR), _CONSENT_HOURS[1], count)
        consent[rng.random(count) < _NEVER] = 1_000 * DAY
        return Fleet(
            vins=vins,
            trims=trims,
            provinces=tuple(self.handed[vin][1].province or "" for vin in vins),
            cities=tuple(self.handed[vin][1].city or "" for vin in vins),
            cockpits=tuple(_hardware(self.built[vin]) for vin in vins),
            lidar=np.array([lidar.get(trim, False) for trim in trims], np.int64),
            handed=np.array([self.handed[vin][0] for vin in vins], np.int64),
            driven=driven,
            assisted=np.minimum(assisted, _HIGHEST_SHARE * driven),
            consent=consent,
        )


def _hardware(built: CarBuilt) -> str:
    return next((unit.hardware for unit in built.ecus if unit.name == COCKPIT), "")
