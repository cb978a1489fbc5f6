"""Where a gate opens its function, and from when: what is asked of a car's position and of the time alone."""

from __future__ import annotations

from driveaway.updates.gates.expression import All, Any_, From, Gate, Not, Until, Within, leaves

Region = frozenset[str] | None
"""Codes of places, of which any will do; None: everywhere."""


def openings(gate: Gate, until: int, since: int) -> tuple[tuple[int, Region], ...]:
    """From when the gate opens which places to cars that lack nothing else, step by step.

    Args:
        gate: what is asked. Nothing is said of one that negates, asks for several
            places at once, or closes in between.
        until: steps up to this time; microseconds since 1970 UTC.
        since: the first step's time where the gate names none.
    """
    times = sorted({leaf.at for leaf in leaves(gate) if isinstance(leaf, From) and leaf.at <= until})
    steps: list[tuple[int, Region]] = []
    before: Region = frozenset()
    for at in times or [since]:
        try:
            region = _region(gate, at)
        except _Unsaid:
            return ()
        if steps and not region and region is not None:
            return ()
        if region != before:
            steps.append((at, region))
            before = region
    return tuple(steps)


class _Unsaid(Exception):
    """The gate is none of which this can be said."""


def _region(gate: Gate, at: int) -> Region:
    match gate:
        case Within(places=places):
            return frozenset(places)
        case From(at=begin):
            return None if at >= begin else frozenset()
        case Until(at=end):
            return None if at <= end else frozenset()
        case Any_(of=parts):
            regions = [_region(part, at) for part in parts]
            return None if None in regions else frozenset().union(*(each or () for each in regions))
        case All(of=parts):
            narrow = {region for part in parts if (region := _region(part, at)) is not None}
            if not narrow or frozenset() in narrow:
                return frozenset() if narrow else None
            if len(narrow) > 1:
                # Places may overlap: a city lies in its province.
                raise _Unsaid
            return narrow.pop()
        case Not():
            raise _Unsaid
        case _:
            return None
