"""The names that changes may use, as a launch describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from driveaway.delivery.supply.output import lines_of
from driveaway.delivery.supply.selecting import LIDAR
from driveaway.facts.description import Description
from driveaway.facts.planning import Selection
from driveaway.values.provinces import PROVINCES


@dataclass(frozen=True)
class Vocabulary:
    """What is said → what it stands for.

    Attributes:
        lines: plants, and plant/line, to themselves.
        subjects: limits, parts and cars, to the name of the limit that is meant.
        parts: parts to themselves.
        regions: codes and names to codes.
        targets: targets to themselves.
        cars: subjects that are no limit yet, to the cars that they mean.
    """

    lines: Mapping[str, str]
    subjects: Mapping[str, str]
    parts: Mapping[str, str]
    regions: Mapping[str, str]
    targets: Mapping[str, str]
    cars: Mapping[str, Selection]


def vocabulary(description: Description) -> Vocabulary:
    """The names of a launch. Of the same name a limit comes first, then a part, then cars."""
    cars = _cars(description)
    held = [(item.name, item.covers) for item in description.limits]
    held += [(part.name, part.covers) for part in description.parts]
    subjects = {name: _limit_of(covers, held) or name for name, covers in cars.items()}
    subjects |= {name: name for name, _ in held}
    regions = {region.name: region.code for region in description.regions}
    regions |= {region.code: region.code for region in description.regions}
    for province in PROVINCES:
        regions |= dict.fromkeys(
            (province.code, province.name, province.name_zh, province.iso), province.code
        )
    return Vocabulary(
        lines=_same(
            name
            for plant in description.plants
            for name in (plant.name, *(f"{plant.name}/{line.name}" for line in lines_of(plant)))
        ),
        subjects=subjects,
        parts=_same(part.name for part in description.parts),
        regions=regions,
        targets=_same(target.name for target in description.targets),
        cars=cars,
    )


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


def pack_name(energy_wh: int) -> str:
    """A battery pack as people say it: ``101 kWh pack``."""
    return f"{energy_wh / 1000:g} kWh pack"


def _cars(description: Description) -> dict[str, Selection]:
    cars = {colour: Selection(colours=(colour,)) for colour in description.colours}
    energies = [trim.battery_wh for trim in description.trims if trim.battery_wh is not None]
    cars |= {pack_name(energy): Selection(battery_wh=(energy,)) for energy in energies}
    if any(trim.lidar for trim in description.trims):
        cars[LIDAR] = Selection(lidar=True)
    cars |= {option: Selection(options=(option,)) for option in description.options}
    cars |= {edition.name: Selection(editions=(edition.name,)) for edition in description.editions}
    return cars | {trim.name: Selection(trims=(trim.name,)) for trim in description.trims}


def _limit_of(covers: Selection, held: list[tuple[str, Selection]]) -> str | None:
    """The name of the one limit or part of exactly these cars."""
    names = [name for name, selection in held if selection == covers]
    return names[0] if len(names) == 1 else None
