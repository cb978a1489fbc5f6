"""Which releases could come to a car at all, by steps over versions: a first and cheap answer.

Whatever was reached stays at hand here, as if every version that a car could once run were there at the same
time (the delete relaxation of planning; Bonet and Geffner, "Planning as heuristic search", 2001).
So what is not reached here is never reached; and why is told step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from driveaway.updates.releases import Need
from driveaway.updates.resolving.stepping import Car, steps_over
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

_SHOWN: Final = 6
_DEEP: Final = 4


class Blocked(NamedTuple):
    """What keeps a release from a car: in words, and the module that is not as it should be."""

    text: str
    module: str
    asks: Need | Brought


class Reach:
    """What a car can come to.

    Attributes:
        reached: releases that could be taken at some time, among those that may be taken before.
        blocked: what keeps the others, by id; the one that is asked about among them.
    """

    def __init__(self, universe: Universe, release: Bringing, car: Car, helpful: Sequence[Bringing]) -> None:
        self._universe = universe
        self._release = release
        self._car = car
        self._have = {name: {version} for name, version in car.versions.items()}
        self._helpful = helpful
        self.reached: list[Bringing] = []
        self.blocked: dict[int, Blocked] = {}
        waiting = list(reversed(helpful))
        while waiting:
            before, waiting = waiting, []
            for each in before:
                why = self._why(each)
                if why is None:
                    self.reached.append(each)
                    for module in universe.fitting(each, car.hardware):
                        if module.name in self._have:
                            self._have[module.name].add(module.version)
                else:
                    self.blocked[each.id] = why
                    waiting.append(each)
            if len(waiting) == len(before):
                break
        for each in self.reached:
            self.blocked.pop(each.id, None)
        why = self._why(release)
        if why is not None:
            self.blocked[release.id] = why

    def _why(self, release: Bringing) -> Blocked | None:
        universe = self._universe
        fitting = universe.fitting(release, self._car.hardware)
        brought = {module.name: module.version for module in fitting}
        for module in fitting:
            have = self._have.get(module.name)
            if have is not None and not any(steps_over(universe, module, each) for each in have):
                return Blocked(_stepping(release, module), module.name, module)
            for need in module.terms.needs:
                there = {brought[need.module]} if need.module in brought else self._have.get(need.module, ())
                if there and all(universe.broken(need, each) for each in there):
                    said = f"{module.name} {module.version} of {release.slug}"
                    return Blocked(needing(said, need), need.module, need)
        return None

    def chain(self) -> tuple[str, ...]:
        """Why the release that is asked about is not reached: who asks for what, and what there is."""
        return tuple(dict.fromkeys(self._chain(self._release, (self._release.id,))))

    def _chain(self, release: Bringing, told: tuple[int, ...]) -> Iterator[str]:
        why = self.blocked[release.id]
        yield why.text
        yield f"of {why.module}: {'; '.join(there(self._universe, self._release, self._car, why.module))}"
        helping = [
            each
            for each in reversed(self._helpful)
            if each.id in self.blocked and each.id != release.id and self._would_help(each, why)
        ]
        if any(each.id in told for each in helping):
            yield "these wait for each other, and one release is taken at a time: put them into one"
        elif helping and len(told) <= _DEEP:
            yield from self._chain(helping[0], (*told, helping[0].id))

    def _would_help(self, other: Bringing, why: Blocked) -> bool:
        for module in self._universe.fitting(other, self._car.hardware):
            if module.name == why.module:
                if isinstance(why.asks, Need):
                    return not self._universe.broken(why.asks, module.version)
                return steps_over(self._universe, why.asks, module.version)
        return False


def needing(who: str, need: Need) -> str:
    """That somebody needs a module, or does not go with it, in words."""
    least = f" {need.minimum_version} or later" if need.minimum_version is not None else ""
    but = f" (not {', '.join(need.excluded_versions)})" if need.excluded_versions else ""
    return f"{who} {'does not go with' if need.conflicts else 'needs'} {need.module}{least}{but}"


def there(universe: Universe, release: Bringing, car: Car, name: str) -> Iterator[str]:
    """Which versions of a module there are for a car, in words."""
    if runs := car.versions.get(name):
        yield f"the car runs {runs}"
    for module in universe.fitting(release, car.hardware):
        if module.name == name:
            yield f"{release.slug} brings {module.version}"
    offered = [
        f"{module.version} ({other.slug})"
        for other, module in universe.bringing(name)
        if other.offered and other.id != release.id and universe.runs_on(module, car.hardware)
    ]
    yield f"published for it: {', '.join(offered[-_SHOWN:])}" if offered else "no other release brings it"


def _stepping(release: Bringing, module: Brought) -> str:
    terms, said = module.terms, []
    if terms.minimum_version is not None:
        said.append(f"over {terms.minimum_version} or later")
    if terms.excluded_versions:
        said.append(f"never over {', '.join(terms.excluded_versions)}")
    said.append("never back from a later one")
    return f"{module.name} {module.version} of {release.slug} is installed {', '.join(said)}"
