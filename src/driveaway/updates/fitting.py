"""Which cars a release does not fit, by what they said of themselves: it would only be refused by them.

Asked once for each configuration among the cars, not for each car. What comes first where it does not fit, or
why nothing helps, is found by ``resolving``.
"""

from __future__ import annotations

from collections.abc import Iterable

from driveaway.book.state.state import Reading
from driveaway.updates.releases import record_of
from driveaway.updates.resolving.configurations import Asked, said_by
from driveaway.updates.resolving.stepping import Misfit
from driveaway.updates.resolving.stepping import misfits as misfits_of
from driveaway.updates.resolving.universe import read_universe
from driveaway.updates.sets import find_set


def unfit(reading: Reading, distribution_set: int, target_ids: Iterable[int]) -> dict[int, str]:
    """Why a release does not fit cars, in words; cars that it fits are left out.

    Args:
        reading: the tables. A few statements, and one or two for each 500 cars.
        distribution_set: the release. One that was not made as a release asks nothing.
        target_ids: of the cars.

    Raises:
        NotFound: there is no such set.
        BadValue: a module declares an order of versions that is not known.
    """
    found = misfits(reading, distribution_set, target_ids)
    return {target: "; ".join(misfit.text for misfit in each) for target, each in found.items()}


def misfits(
    reading: Reading, distribution_set: int, target_ids: Iterable[int]
) -> dict[int, tuple[Misfit, ...]]:
    """The same, each point by itself."""
    if not asks(reading, distribution_set):
        return {}
    universe = read_universe(reading, distribution_set)
    release = universe.releases[distribution_set]
    asked = Asked.of(release, universe.touching(release))
    known: dict[tuple[frozenset[tuple[str, str]], str], tuple[Misfit, ...]] = {}
    out = {}
    for target, said, reported in said_by(reading, asked, target_ids):
        key = (frozenset(said.items()), reported)
        if key not in known:
            known[key] = tuple(misfits_of(universe, release, asked.car(universe, said, reported)))
        if known[key]:
            out[target] = known[key]
    return out


def asks(reading: Reading, distribution_set: int) -> bool:
    """Whether a set was made as a release, so that it asks something of cars."""
    record = record_of(find_set(reading, distribution_set, deleted=True))
    return record.published is not None or bool(record.terms)
