"""The cars there are, each configuration resolved once, however many cars have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from driveaway.book.state.state import Reading
from driveaway.updates.resolving.configurations import Asked, Configuration, configurations, said_by
from driveaway.updates.resolving.resolution import Resolution, resolve
from driveaway.updates.resolving.universe import read_universe


class Resolved(NamedTuple):
    """A configuration, and what becomes of the release in its cars."""

    configuration: Configuration
    resolution: Resolution


def resolve_fleet(
    reading: Reading,
    distribution_set: int,
    condition: str = "1 = 1",
    values: Mapping[str, Any] | None = None,
) -> Sequence[Resolved]:
    """What becomes of a release in the cars there are, by configuration, the most frequent first.

    Args:
        reading: the tables.
        distribution_set: the release.
        condition: which cars, in SQL over ``targets t``.
        values: its parameters.
    """
    universe = read_universe(reading, distribution_set)
    release = universe.releases[distribution_set]
    asked = Asked.of(release, universe.relevant(release))
    return [
        Resolved(each, resolve(universe, release, each.car))
        for each in configurations(reading, universe, asked, condition, values)
    ]


def resolve_cars(reading: Reading, distribution_set: int, target_ids: Iterable[int]) -> dict[int, Resolution]:
    """What becomes of a release in some cars; a car that said nothing of what matters is left out."""
    universe = read_universe(reading, distribution_set)
    release = universe.releases[distribution_set]
    asked = Asked.of(release, universe.relevant(release))
    known: dict[tuple[frozenset[tuple[str, str]], str], Resolution] = {}
    out = {}
    for target, said, reported in said_by(reading, asked, target_ids):
        key = (frozenset(said.items()), reported)
        if key not in known:
            known[key] = resolve(universe, release, asked.car(universe, said, reported))
        out[target] = known[key]
    return out
