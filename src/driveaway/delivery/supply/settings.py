"""How the plan is made: the description's ``[planning]`` with what makes no sense set to what is usual."""

from __future__ import annotations

from math import isfinite

from msgspec.structs import replace

from driveaway.delivery.supply.reading import Notes
from driveaway.facts.description import Description
from driveaway.facts.planning import Planning
from driveaway.values.errors import BadValue

_USUAL = Planning()
_LEAST = {"horizon_weeks": 1, "frozen_days": 0, "window_days": 1, "paths": 1}
_MOST = {"horizon_weeks": 520, "frozen_days": 3640, "window_days": 3640, "paths": 1_000_000}


def plan_settings(description: Description, notes: Notes) -> Planning:
    """The settings that can be used; each that cannot is noted and is the usual one instead.

    Confidences are sorted, each once.
    """
    given = description.planning
    usable = {}
    for name, least in _LEAST.items():
        value = getattr(given, name)
        if not least <= value <= _MOST[name]:
            usable[name] = getattr(_USUAL, name)
            _note(name, value, f"{least} to {_MOST[name]:,}", usable[name], notes)
    planning = replace(given, **usable)
    if not given.scale > 0 or not isfinite(given.scale):
        _note("scale", given.scale, "more than 0", 1.0, notes)
        planning = replace(planning, scale=1.0)
    low, high = given.window
    if not 0 <= low < high <= 1:
        _note("window", given.window, "0 ≤ first < last ≤ 1", _USUAL.window, notes)
        planning = replace(planning, window=_USUAL.window)
    chances = tuple(sorted({value for value in given.confidences if 0 < value < 1}))
    if len(chances) < len(set(given.confidences)) or not chances:
        chances = chances or _USUAL.confidences
        _note("confidences", given.confidences, "each between 0 and 1", chances, notes)
    return replace(planning, confidences=chances)


def _note(name: str, value: object, bounds: str, held: object, notes: Notes) -> None:
    notes.add(
        BadValue(
            f"{name} = {value}",
            code="delivery.planning",
            place=f"planning.{name}",
            remedy=f"{bounds}; planned with {held}",
        )
    )
