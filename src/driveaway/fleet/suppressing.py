"""Places where few cars drove do not leave the house: small cells are suppressed, and one more beside them.

Suppression of cells with fewer than k units, and complementary (secondary) suppression so that what is hidden
cannot be worked out from a total: Willenborg and de Waal, Elements of Statistical Disclosure Control (2001),
chapter 5. Where a total and all parts but one are known, the one is known: a hidden part is never alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)


def hidden(cars: Mapping[Place, int], least: int) -> frozenset[Place]:
    """Which places are hidden of those that share one total.

    Those with fewer than ``least`` cars; and, the smallest first, as many more as it takes for the hidden
    ones to be two at least and to have ``least`` cars together (a car counts in each place where it drove).
    Ties go by the place's name.

    Args:
        cars: distinct cars of each place.
        least: k; 0 and 1 hide nothing.
    """
    rare = {place for place, count in cars.items() if count < least}
    if not rare:
        return frozenset()
    for place in sorted(cars.keys() - rare, key=lambda place: (cars[place], str(place))):
        if len(rare) > 1 and sum(cars[each] for each in rare) >= least:
            break
        rare.add(place)
    return frozenset(rare)


def hidden_within(
    cars: Mapping[tuple[Place, Place], int], least: int, groups: Iterable[Place] = ()
) -> frozenset[tuple[Place, Place]]:
    """The same for parts of groups, each of which has a total of its own.

    Args:
        cars: distinct cars of each (group, part).
        least: k.
        groups: those whose parts are hidden whatever their numbers.
    """
    by_group: dict[Place, dict[Place, int]] = {}
    for (group, part), count in cars.items():
        by_group.setdefault(group, {})[part] = count
    gone = set(groups)
    return frozenset(
        (group, part)
        for group, parts in by_group.items()
        for part in (parts if group in gone else hidden(parts, least))
    )
