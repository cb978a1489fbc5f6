"""What cars say of themselves, and the fleet by what it says: a million cars have a few hundred answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.resolving.stepping import Car
from driveaway.updates.resolving.universe import Bringing, Universe
from driveaway.updates.rows import parts, places

HARDWARE: Final = "hardware"
"""The attribute in which a car names its control units, between commas."""
VERSION: Final = ".version"
"""What follows a module's name in the attribute that has its version."""


class Configuration(msgspec.Struct, frozen=True):
    """Cars that are alike in all on which a release depends.

    Attributes:
        car: what they say.
        cars: how many they are.
        example: controller id of one of them.
    """

    car: Car
    cars: int
    example: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What is read of cars for a release.

    Attributes:
        keys: attributes.
        alone: name of its one module, where that has the release's own version, so that the version which a
            car reports is the module's; else "".
    """

    keys: tuple[str, ...]
    alone: str

    @classmethod
    def of(cls, release: Bringing, names: Iterable[str]) -> Asked:
        """Of modules of these names."""
        one = release.modules[0] if len(release.modules) == 1 else None
        alone = one.name if one is not None and one.version == release.version else ""
        return cls((HARDWARE, *(name + VERSION for name in sorted(set(names)))), alone)

    def car(self, universe: Universe, said: Mapping[str, str], reported: str) -> Car:
        """A car that said this."""
        versions = {key.removesuffix(VERSION): each for key, each in said.items() if key.endswith(VERSION)}
        if self.alone and reported:
            versions.setdefault(self.alone, reported)
        hardware = frozenset(part.strip() for part in said.get(HARDWARE, "").split(",")) - {""}
        return Car.of(universe, hardware, {name: each for name, each in versions.items() if each})


def said_by(
    reading: Reading, asked: Asked, target_ids: Iterable[int]
) -> Iterator[tuple[int, Mapping[str, str], str]]:
    """What each of some cars says, and the version that it reports; cars that said nothing are left out.

    One or two statements for each 500 cars.
    """
    keys = {f"k{number}": key for number, key in enumerate(asked.keys)}
    wanted = ", ".join(f":{name}" for name in keys)
    for part in parts(target_ids):
        reported: dict[int, str] = {}
        if asked.alone:
            reported = dict(
                reading.rows(
                    "SELECT id, version_reported FROM targets"
                    f" WHERE version_reported <> '' AND id IN ({places()})",
                    **part,
                )
            )
        said: dict[int, dict[str, str]] = {target: {} for target in reported}
        rows = reading.rows(
            f"SELECT target, key, value FROM target_attributes WHERE target IN ({places()})"
            f" AND key IN ({wanted})",
            **keys,
            **part,
        )
        for target, key, value in rows:
            if value:
                said.setdefault(target, {})[key] = value
        yield from ((target, each, reported.get(target, "")) for target, each in said.items())


def configurations(
    reading: Reading,
    universe: Universe,
    asked: Asked,
    condition: str = "1 = 1",
    values: Mapping[str, Any] | None = None,
) -> Sequence[Configuration]:
    """The configurations of cars, the most frequent first: grouped by the database, one statement.

    Args:
        reading: the tables.
        universe: the releases.
        asked: what is read.
        condition: which cars, in SQL over ``targets t``.
        values: its parameters.
    """
    keys = {f"said_{number}": key for number, key in enumerate(asked.keys)}
    wanted = ", ".join(f":{name}" for name in keys)
    object_of = "json_group_object(x.key, x.value)"
    if reading.dialect == "postgresql":
        object_of = "CAST(json_object_agg(x.key, x.value ORDER BY x.key) AS TEXT)"
    reported = "t.version_reported" if asked.alone else "''"
    rows = reading.rows(
        f"SELECT said, reported, COUNT(*), MIN(controller_id) FROM (SELECT t.controller_id, {reported} AS"
        f" reported, (SELECT {object_of} FROM target_attributes x WHERE x.target = t.id AND x.key IN"
        f" ({wanted})) AS said FROM targets t WHERE {condition}) AS cars GROUP BY said, reported",
        **keys,
        **(values or {}),
    )
    alike: dict[bytes, Configuration] = {}
    for text, version, number, example in rows:
        car = asked.car(universe, msgspec.json.decode(text or "{}", type=dict[str, str]), version)
        key = msgspec.json.encode((sorted(car.hardware), car.versions), order="sorted")
        before = alike.get(key)
        if before is not None:
            number, example = before.cars + number, min(before.example, example)
        alike[key] = Configuration(car, number, example)
    return sorted(alike.values(), key=lambda each: (-each.cars, each.example))
