"""One car judged by a gate: in the car, offline, and for explanations. No NumPy here.

An attribute that is not known makes its condition unknown: the car is then not eligible, for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from driveaway.updates.gates.conditions import Branch, Conditions, compares, conditions_of
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
)
from driveaway.updates.gates.versions import Compare, compare
from driveaway.updates.places.inside import inside_any
from driveaway.updates.places.place import Place, kind_of
from driveaway.values.clock import show
from driveaway.values.errors import BadValue


@dataclass(frozen=True, kw_only=True)
class CarState:
    """What is known of one car; None or a missing key is unknown.

    Attributes:
        trim: as it was sold.
        market: ISO 3166-1 code of the country where it was sold.
        hardware: name → how many (``lidar``: 1) or which (``compute``: ``orin-x``).
        software: control unit or function → the version that it reports.
        assisted_metres: distance driven with assistance, m.
        entitlements: what the car holds.
        trainings: what its driver has completed.
        position: longitude and latitude in units of 1e-7 degrees, WGS-84.
        places: where it is at home, used when its position is not known: kind of place → the one place of
            that kind (``city``: ``city:beijing``); of a kind that is missing nothing is known.
        now: microseconds since 1970 UTC.
    """

    trim: str | None = None
    market: str | None = None
    hardware: Mapping[str, int | str] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    assisted_metres: int | None = None
    entitlements: frozenset[str] | None = None
    trainings: frozenset[str] | None = None
    position: tuple[int, int] | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    now: int | None = None


@dataclass(frozen=True)
class Reason:
    """Why a car is not eligible.

    Attributes:
        code: stable, such as ``gate.trim``.
        needs: the condition, as text.
        has: what the car has, as text; None: unknown.
    """

    code: str
    needs: str
    has: str | None

    @property
    def unknown(self) -> bool:
        """Whether it is not known, rather than not so."""
        return self.has is None

    def __str__(self) -> str:
        return f"unknown: needs {self.needs}" if self.has is None else f"needs {self.needs}; has {self.has}"


@dataclass(frozen=True)
class Verdict:
    """What a gate says of a car.

    Attributes:
        value: True, False, or None where it is unknown.
        reasons: conditions that keep it from being true, in the gate's order; none when it is true or when
            the gate is never.
        conditions: their indices among the gate's conditions.
    """

    value: bool | None
    reasons: tuple[Reason, ...] = ()
    conditions: tuple[int, ...] = ()

    @property
    def eligible(self) -> bool:
        """Whether the gate is open to it: true, not unknown."""
        return self.value is True

    @property
    def first(self) -> Reason | None:
        """The first reason why not."""
        return self.reasons[0] if self.reasons else None


class Judge:
    """A gate with its places, ready for one car after another.

    Args:
        gate: what is asked.
        places: polygons of the places that it names; one that is missing makes its condition unknown.
        order: how versions are compared.
    """

    def __init__(self, gate: Gate, places: Iterable[Place] = (), order: Compare = compare) -> None:
        self.conditions: Conditions = conditions_of(gate)
        self._places = {place.code: place.polygons for place in places}
        self._order = order

    def verdict(self, car: CarState) -> Verdict:
        """The verdict on a car."""
        answers = [self._answer(entry.leaf, car) for entry in self.conditions.leaves]
        truths = [
            None if answer is None else answer == entry.wanted
            for answer, entry in zip(answers, self.conditions.leaves, strict=True)
        ]
        value = _value(self.conditions.root, truths)
        if value is True:
            return Verdict(True)
        blamed = sorted(_blamed(self.conditions.root, truths))
        reasons = tuple(self._reason(number, truths[number], car) for number in blamed)
        return Verdict(value, reasons, tuple(blamed))

    def allows(self, car: CarState) -> bool:
        """Whether the gate is open to a car."""
        truths: list[bool | None] = []
        for entry in self.conditions.leaves:
            answer = self._answer(entry.leaf, car)
            truths.append(None if answer is None else answer == entry.wanted)
        return _value(self.conditions.root, truths) is True

    def _reason(self, number: int, truth: bool | None, car: CarState) -> Reason:
        entry = self.conditions.leaves[number]
        return Reason(entry.code, entry.needs, None if truth is None else _has(entry.leaf, car))

    def _answer(self, leaf: Leaf, car: CarState) -> bool | None:
        match leaf:
            case Within(places=codes):
                return self._within(codes, car)
            case Trim(among=among):
                return None if car.trim is None else car.trim in among
            case Market(among=among):
                return None if car.market is None else car.market in among
            case Amount(hardware=name, compared=compared, to=to):
                count = car.hardware.get(name)
                return compares(count - to, compared) if isinstance(count, int) else None
            case Kind(hardware=name, among=among):
                kind = car.hardware.get(name)
                return kind in among if isinstance(kind, str) else None
            case Software(unit=unit, compared=compared, to=to):
                return version_meets(car.software.get(unit), compared, to, self._order)
            case Assisted(compared=compared, to=to):
                return None if car.assisted_metres is None else compares(car.assisted_metres - to, compared)
            case Entitlement(name=name):
                return None if car.entitlements is None else name in car.entitlements
            case Training(name=name):
                return None if car.trainings is None else name in car.trainings
            case From(at=at):
                return None if car.now is None else car.now >= at
            case Until(at=at):
                return None if car.now is None else car.now <= at

    def _within(self, codes: tuple[str, ...], car: CarState) -> bool | None:
        """Inside one that is known is true, even when another is not known."""
        if car.position is None:
            homes = [car.places.get(kind_of(code)) for code in codes]
            if any(home == code for home, code in zip(homes, codes, strict=True)):
                return True
            return None if None in homes else False
        missing = False
        for code in codes:
            polygons = self._places.get(code)
            if polygons is None:
                missing = True
            elif inside_any(polygons, *car.position):
                return True
        return None if missing else False


def version_meets(version: str | None, compared: str, to: str, order: Compare) -> bool | None:
    """Whether a reported version meets a condition; None where it is not known or cannot be read."""
    if version is None:
        return None
    try:
        return compares(order(version, to), compared)
    except BadValue:
        return None


def _value(node: int | Branch, truths: list[bool | None]) -> bool | None:
    if isinstance(node, int):
        return truths[node]
    parts = [_value(part, truths) for part in node.parts]
    decides = node.kind == "any"
    if decides in parts:
        return decides
    return None if None in parts else not decides


def _blamed(node: int | Branch, truths: list[bool | None]) -> list[int]:
    """Conditions that are not true in parts that are not."""
    if _value(node, truths) is True:
        return []
    if isinstance(node, int):
        return [node]
    return [number for part in node.parts for number in _blamed(part, truths)]


_HAS: dict[type, Callable[..., object]] = {
    Within: lambda leaf, car: "a position outside" if car.position else _at_home(leaf, car),
    Trim: lambda leaf, car: car.trim,
    Market: lambda leaf, car: car.market,
    Amount: lambda leaf, car: car.hardware.get(leaf.hardware),
    Kind: lambda leaf, car: car.hardware.get(leaf.hardware),
    Software: lambda leaf, car: car.software.get(leaf.unit),
    Assisted: lambda leaf, car: car.assisted_metres,
    Entitlement: lambda leaf, car: ", ".join(sorted(car.entitlements or ())) or "none",
    Training: lambda leaf, car: ", ".join(sorted(car.trainings or ())) or "none",
    From: lambda leaf, car: show(car.now),
    Until: lambda leaf, car: show(car.now),
}


def _at_home(leaf: Within, car: CarState) -> str:
    kinds = sorted({kind_of(code) for code in leaf.places})
    return ", ".join(car.places[kind] for kind in kinds if kind in car.places)


def _has(leaf: Leaf, car: CarState) -> str:
    return str(_HAS[type(leaf)](leaf, car))
