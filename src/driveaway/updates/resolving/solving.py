"""What modules a car would run in the end: solved by ``resolvelib``, the resolver inside pip.

Each module of the car has a slot, whose candidates are what the car runs now and what releases bring. A
candidate that a release brings asks for what the release states of it, and for everything else that the
release brings, since a car takes a release whole.

This says which modules could stand together, not in which order they come: whatever order there is, its end
is found here, so where nothing is found, nothing can help.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from resolvelib import AbstractProvider, BaseReporter
from resolvelib.resolvers import (
    RequirementInformation,
    Resolution,
    ResolutionImpossible,
    ResolutionTooDeep,
)

from driveaway.updates.releases import Need
from driveaway.updates.resolving.reaching import needing, there
from driveaway.updates.resolving.stepping import Car
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

Key = str
"""Name of a module."""


# Choices and wishes are made once each, so that they can be told apart by what they are in memory: comparing
# their contents is most of the work otherwise.
@dataclass(frozen=True, eq=False)
class Choice:
    """A module in a version: as a release brings it, or without one as the car runs it.

    ``version`` "" is a module that the car did not speak of: it may be anything.
    """

    key: Key
    version: str
    release: Bringing | None = None


@dataclass(frozen=True, eq=False)
class Wish:
    """What a module must be, and who says so."""

    key: Key
    text: str
    pinned: bool = False
    need: Need | None = None
    at_least: str = ""


@dataclass(frozen=True)
class Solved:
    """What stands together: the releases that bring it besides the one that is asked about."""

    releases: tuple[Bringing, ...]


@dataclass(frozen=True)
class Unsolvable:
    """Nothing stands together: what contradicts what, in words."""

    chain: tuple[str, ...]


@dataclass(frozen=True)
class TooLarge:
    """It was not found out in as many rounds as are allowed."""


def solve(
    universe: Universe, release: Bringing, car: Car, reached: Iterable[Bringing], rounds: int
) -> Solved | Unsolvable | TooLarge:
    """Which releases' modules could stand together in a car with those of a release.

    Args:
        universe: all releases.
        release: that is to be taken in the end.
        car: what it runs now.
        reached: releases that may be taken before.
        rounds: choices that are tried at the most.
    """
    provider = Provider(universe, release, car, reached)
    # Not `Resolver`: what it does afterwards to tell what is still needed does not end where modules need
    # each other in a circle (resolvelib 1.2.1, `_has_route_to_root`).
    resolution: Resolution[Wish, Choice, Key] = Resolution(provider, BaseReporter())
    roots = provider.roots()
    try:
        pinned = resolution.resolve(roots, max_rounds=rounds).mapping
    except ResolutionImpossible as error:
        return Unsolvable(provider.chain(error.causes))
    except ResolutionTooDeep:
        return TooLarge()
    found: dict[int, Bringing] = {}
    keys, seen = [wish.key for wish in roots], set[Key]()
    while keys:
        if (key := keys.pop()) in seen:
            continue
        seen.add(key)
        choice = pinned[key]
        keys += [wish.key for wish in provider.get_dependencies(choice)]
        if choice.release is not None and choice.release.id != release.id:
            found[choice.release.id] = choice.release
    return Solved(tuple(found[number] for number in sorted(found)))


class Provider(AbstractProvider[Wish, Choice, Key]):
    """What resolvelib asks about the modules of a car."""

    def __init__(
        self, universe: Universe, release: Bringing, car: Car, reached: Iterable[Bringing] = ()
    ) -> None:
        self._reached = {each.id for each in reached}
        self._universe = universe
        self._release = release
        self._car = car
        self._brought = {module.name: module for module in universe.fitting(release, car.hardware)}
        self._every: dict[Key, tuple[Choice, ...]] = {}
        self._asks: dict[Choice, tuple[Wish, ...]] = {}
        self._meeting: dict[Wish, frozenset[Choice]] = {}
        self._bring: dict[str, list[tuple[Bringing, Brought]]] = {}
        self._numbers: dict[str, frozenset[str]] = {}

    def roots(self) -> list[Wish]:
        """The release that is to be taken, and what the car runs."""
        out = list(self._whole(self._release))
        out += [
            Wish(name, f"{name} never goes back from {runs}, which the car runs", at_least=runs)
            for name, runs in self._car.versions.items()
        ]
        return out

    def identify(self, requirement_or_candidate: Wish | Choice) -> Key:
        """What is asked about."""
        return requirement_or_candidate.key

    def get_preference(
        self,
        identifier: Key,
        resolutions: Mapping[Key, Choice],
        candidates: Mapping[Key, Iterator[Choice]],
        information: Mapping[Key, Iterator[RequirementInformation[Wish, Choice]]],
        backtrack_causes: Sequence[RequirementInformation[Wish, Choice]],
    ) -> tuple[bool, int, Key]:
        """What was in the way last comes first, then what has the fewest candidates."""
        in_the_way = any(identifier == cause.requirement.key for cause in backtrack_causes)
        return not in_the_way, sum(1 for _ in candidates[identifier]), identifier

    def find_matches(
        self,
        identifier: Key,
        requirements: Mapping[Key, Iterator[Wish]],
        incompatibilities: Mapping[Key, Iterator[Choice]],
    ) -> list[Choice]:
        """Candidates that meet every wish, what changes least first."""
        wishes, out = list(requirements[identifier]), set(incompatibilities[identifier])
        meeting = [self._met(wish) for wish in wishes]
        return [
            choice
            for choice in self._choices(identifier)
            if choice not in out and all(choice in each for each in meeting)
        ]

    def is_satisfied_by(self, requirement: Wish, candidate: Choice) -> bool:
        """Whether a candidate is what is wished."""
        return candidate in self._met(requirement)

    def _met(self, wish: Wish) -> frozenset[Choice]:
        """The candidates that are what is wished."""
        if wish not in self._meeting:
            self._meeting[wish] = frozenset(
                choice for choice in self._choices(wish.key) if self._meets(wish, choice)
            )
        return self._meeting[wish]

    def _meets(self, wish: Wish, candidate: Choice) -> bool:
        universe, version = self._universe, candidate.version
        if wish.pinned:
            return candidate.release is self._release
        if not version:
            return True
        if wish.need is not None:
            return not universe.broken(wish.need, version)
        name = wish.key
        return universe.reaches(name, wish.at_least, version, self._versions(name))

    def get_dependencies(self, candidate: Choice) -> tuple[Wish, ...]:
        """What a candidate asks of the others."""
        if candidate not in self._asks:
            self._asks[candidate] = tuple(self._dependencies(candidate))
        return self._asks[candidate]

    def _dependencies(self, choice: Choice) -> Iterator[Wish]:
        name = choice.key
        if choice.release is None:
            if choice.version:
                yield from self._kept(name, choice.version)
            return
        if choice.release.id != self._release.id:
            yield from self._whole(choice.release)
        module = next(each for each in choice.release.modules if each.name == name)
        said = f"{name} {module.version} of {choice.release.slug}"
        yield from (self._needing(said, need) for need in module.terms.needs)

    def _kept(self, name: str, version: str) -> Iterator[Wish]:
        """What a module that stays asks of others, as far as it has it now."""
        for need in self._car.stated.get(name, ()):
            if not self._universe.broken(need, self._car.versions.get(need.module)):
                yield self._needing(f"{name} {version}, which the car runs,", need)

    def _needing(self, who: str, need: Need) -> Wish:
        return Wish(need.module, needing(who, need), need=need)

    def _whole(self, release: Bringing) -> Iterator[Wish]:
        """All that a release brings: each in the end, or something later."""
        last = release.id == self._release.id
        for module in self._universe.fitting(release, self._car.hardware):
            name, said = module.name, f"{release.slug} brings {module.name} {module.version}"
            if last:
                yield Wish(name, said, pinned=True)
            else:
                yield Wish(name, f"{said}, which is never taken back", at_least=module.version)

    def _choices(self, key: Key) -> tuple[Choice, ...]:
        """All that a module can be, what needs the least change first."""
        if key not in self._every:
            self._every[key] = tuple(self._listed(key))
        return self._every[key]

    def _listed(self, key: Key) -> Iterator[Choice]:
        if key in self._brought:
            yield Choice(key, self._brought[key].version, self._release)
            return
        yield Choice(key, self._car.versions.get(key, ""))
        for release, module in reversed(self._offered(key)):
            if release.id != self._release.id:
                yield Choice(key, module.version, release)

    def _offered(self, name: str) -> list[tuple[Bringing, Brought]]:
        """Releases that could bring a module into this car."""
        if name not in self._bring:
            self._bring[name] = [
                (release, module)
                for release, module in self._universe.bringing(name)
                if release.id in self._reached and self._universe.runs_on(module, self._car.hardware)
            ]
        return self._bring[name]

    def _versions(self, name: str) -> frozenset[str]:
        if name not in self._numbers:
            choices = (choice.version for choice in self._choices(name) if choice.version)
            offered = (module.version for _, module in self._offered(name))
            self._numbers[name] = frozenset((*choices, *offered))
        return self._numbers[name]

    # --- in words --------------------------------------------------------------------------------

    def chain(self, causes: Iterable[RequirementInformation[Wish, Choice]]) -> tuple[str, ...]:
        """Who asks for what, and which versions there are."""
        wishes = list(dict.fromkeys(cause.requirement for cause in causes))
        names = dict.fromkeys(wish.key for wish in wishes)
        there = [f"of {name}: {'; '.join(self._there(name))}" for name in names]
        return tuple(dict.fromkeys([*(wish.text for wish in wishes), *there]))

    def _there(self, name: str) -> Iterator[str]:
        """Which versions of a module there are."""
        return there(self._universe, self._release, self._car, name)
