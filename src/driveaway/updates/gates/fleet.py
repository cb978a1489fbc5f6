"""Many cars judged by a gate at once: arrays, with the verdicts and reasons of ``judging``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.gates.columns import UNKNOWN, Cars, Categories, Numbers, Truth
from driveaway.updates.gates.conditions import Branch, Conditions, conditions_of
from driveaway.updates.gates.expression import (
    Amount,
    Assisted,
    Entitlement,
    From,
    Gate,
    Kind,
    Leaf,
    Market,
    Software,
    Training,
    Trim,
    Until,
    Within,
    places_of,
)
from driveaway.updates.gates.judging import Judge, Verdict, version_meets
from driveaway.updates.gates.versions import Compare, compare
from driveaway.updates.places.index import Located, PlaceIndex
from driveaway.updates.places.place import Place, kind_of


@dataclass(frozen=True)
class Verdicts:
    """What a gate says of many cars.

    Attributes:
        value: 1 true, 0 false, -1 unknown; int8, shape (cars,).
        blamed: which conditions keep which cars from being eligible, bool, shape (conditions, cars).
        conditions: the conditions of the rows.
    """

    value: Truth
    blamed: NDArray[np.bool_]
    conditions: Conditions

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Which cars the gate is open to."""
        answer: NDArray[np.bool_] = self.value == 1
        return answer

    def first(self) -> NDArray[np.int32]:
        """The first condition that each car fails, -1 where none does."""
        if not len(self.blamed):
            return np.full(len(self.value), -1, dtype=np.int32)
        return np.where(self.blamed.any(axis=0), self.blamed.argmax(axis=0), -1).astype(np.int32)

    def why_not(self) -> list[tuple[str, str, int, int]]:
        """For each condition its code, its text, cars that fail it first, and cars that fail it at all."""
        first = np.bincount(self.first() + 1, minlength=len(self.conditions.leaves) + 1)[1:]
        return [
            (entry.code, entry.needs, int(first[number]), int(self.blamed[number].sum()))
            for number, entry in enumerate(self.conditions.leaves)
        ]


class FleetJudge:
    """A gate with its places, ready for many cars.

    Args:
        gate: what is asked.
        places: polygons of the places that it names; one that is missing makes its condition unknown.
        order: how versions are compared.
    """

    def __init__(self, gate: Gate, places: Iterable[Place] = (), order: Compare = compare) -> None:
        self.conditions = conditions_of(gate)
        named = set(places_of(gate))
        self._places = tuple(place for place in places if place.code in named)
        self._index = PlaceIndex(self._places)
        self._order = order
        self._judge = Judge(gate, self._places, order)

    def verdicts(self, cars: Cars) -> Verdicts:
        """The verdicts on cars."""
        located = self._locate(cars)
        truths = []
        for entry in self.conditions.leaves:
            answer = self._answer(entry.leaf, cars, located)
            truths.append(
                answer if entry.wanted else np.where(answer < 0, answer, 1 - answer).astype(np.int8)
            )
        value = _value(self.conditions.root, truths, cars.count)
        blamed = np.zeros((len(truths), cars.count), dtype=bool)
        _blame(self.conditions.root, truths, np.ones(cars.count, dtype=bool), blamed)
        return Verdicts(value, blamed, self.conditions)

    def explain(self, cars: Cars, row: int) -> Verdict:
        """The verdict on one of the cars, with its reasons in words."""
        return self._judge.verdict(cars.car(row))

    def _locate(self, cars: Cars) -> Located | None:
        if cars.position is None or not self._places:
            return None
        return self._index.locate(cars.position.x, cars.position.y)

    def _answer(self, leaf: Leaf, cars: Cars, located: Located | None) -> Truth:
        match leaf:
            case Within(places=codes):
                return self._within(codes, cars, located)
            case Trim(among=among):
                return _among(cars.trim, among, cars.count)
            case Market(among=among):
                return _among(cars.market, among, cars.count)
            case Amount(hardware=name, compared=compared, to=to):
                amounts = cars.hardware.get(name)
                return amounts.truth(compared, to) if isinstance(amounts, Numbers) else _unknown(cars.count)
            case Kind(hardware=name, among=among):
                kinds = cars.hardware.get(name)
                return _among(kinds if isinstance(kinds, Categories) else None, among, cars.count)
            case Software(unit=unit, compared=compared):
                versions, order = cars.software.get(unit), self._order
                if versions is None:
                    return _unknown(cars.count)
                wanted = leaf.to
                return versions.truth(lambda version: version_meets(version, compared, wanted, order))
            case Assisted(compared=compared, to=to):
                driven = cars.assisted_metres
                return _unknown(cars.count) if driven is None else driven.truth(compared, to)
            case Entitlement(name=name):
                return _unknown(cars.count) if cars.entitlements is None else cars.entitlements.truth(name)
            case Training(name=name):
                return _unknown(cars.count) if cars.trainings is None else cars.trainings.truth(name)
            case From(at=at):
                return _unknown(cars.count) if cars.now is None else _same(cars.now >= at, cars.count)
            case Until(at=at):
                return _unknown(cars.count) if cars.now is None else _same(cars.now <= at, cars.count)

    def _within(self, codes: tuple[str, ...], cars: Cars, located: Located | None) -> Truth:
        at_home = _at_home(codes, cars)
        if cars.position is None:
            return at_home
        known = {place.code for place in self._places}
        otherwise = 0 if all(code in known for code in codes) else UNKNOWN
        within = np.zeros(cars.count, dtype=bool) if located is None else located.within(codes)
        answer = np.where(within, 1, otherwise)
        return np.where(cars.position.known, answer, at_home).astype(np.int8)


def _unknown(count: int) -> Truth:
    return np.full(count, UNKNOWN, dtype=np.int8)


def _at_home(codes: tuple[str, ...], cars: Cars) -> Truth:
    """Whether cars whose position is not known are at home in any of these places."""
    answer = np.zeros(cars.count, dtype=np.int8)
    for code in codes:
        homes = cars.places.get(kind_of(code))
        one = _unknown(cars.count) if homes is None else homes.truth(code.__eq__)
        answer = np.where((answer == 1) | (one == 1), 1, np.minimum(answer, one)).astype(np.int8)
    return answer


def _same(answer: bool, count: int) -> Truth:
    return np.full(count, int(answer), dtype=np.int8)


def _among(column: Categories | None, among: tuple[str, ...], count: int) -> Truth:
    return _unknown(count) if column is None else column.truth(lambda value: value in among)


def _value(node: int | Branch, truths: list[Truth], count: int) -> Truth:
    if isinstance(node, int):
        return truths[node]
    decides = np.int8(node.kind == "any")
    decided, unknown = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for part in node.parts:
        value = _value(part, truths, count)
        decided |= value == decides
        unknown |= value == UNKNOWN
    return np.where(decided, decides, np.where(unknown, np.int8(UNKNOWN), np.int8(1 - decides)))


def _blame(
    node: int | Branch, truths: list[Truth], cars: NDArray[np.bool_], blamed: NDArray[np.bool_]
) -> None:
    """Mark the conditions that are not true in parts that are not, among some cars."""
    failing = cars & (_value(node, truths, len(cars)) != 1)
    if isinstance(node, int):
        blamed[node] = failing
    else:
        for part in node.parts:
            _blame(part, truths, failing, blamed)
