"""What modules a car would run in the end: solved by ``resolvelib``, the resolver inside pip.

Each module of the car has a slot, whose candidates are what the car runs now and what releases bring. A
candidate that a release brings asks for what the release states of it, and for everything else that the
release brings, since a car takes a release whole. What a module is installed over is a second question of
its own (``over``), with the same candidates.

This says which modules could stand together, not in which order they come: whatever order there is, its end
is found here, so where nothing is found, nothing can help.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from resolvelib import AbstractProvider, BaseReporter
from resolvelib.resolvers import (
    RequirementInformation,
    Resolution,
    ResolutionImpossible,
    ResolutionTooDeep,
)

from driveaway.updates.releases import Need
from driveaway.updates.resolving.stepping import Car, steps_over
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

_SHOWN: Final = 6
Key = tuple[str, int]
"""Name of a module, and the release that is installed over it; 0: what it is in the end."""


@dataclass(frozen=True)
class Choice:
    """A module in a version: as a release brings it, or without one as the car runs it.

    ``version`` "" is a module that the car did not speak of: it may be anything.
    """

    key: Key
    version: str
    release: Bringing | None = None


@dataclass(frozen=True)
class Wish:
    """What a module must be, and who says so."""

    key: Key
    text: str
    pinned: Choice | None = None
    need: Need | None = None
    at_least: str = ""
    over: Brought | None = None


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


def solve(universe: Universe, release: Bringing, car: Car, rounds: int) -> Solved | Unsolvable | TooLarge:
    """Which releases' modules could stand together in a car with those of a release.

    Args:
        universe: all releases.
        release: that is to be taken in the end.
        car: what it runs now.
        rounds: choices that are tried at the most.
    """
    provider = Provider(universe, release, car)
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

    def __init__(self, universe: Universe, release: Bringing, car: Car) -> None:
        self._universe = universe
        self._release = release
        self._car = car
        self._brought = {module.name: module for module in universe.fitting(release, car.hardware)}
        self._every: dict[Key, tuple[Choice, ...]] = {}
        self._asks: dict[Choice, tuple[Wish, ...]] = {}

    def roots(self) -> list[Wish]:
        """The release that is to be taken, and what the car runs."""
        out = list(self._whole(self._release))
        out += [
            Wish((name, 0), f"{name} never goes back from {runs}, which the car runs", at_least=runs)
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
        return [
            choice
            for choice in self._choices(identifier)
            if choice not in out and all(self.is_satisfied_by(wish, choice) for wish in wishes)
        ]

    def is_satisfied_by(self, requirement: Wish, candidate: Choice) -> bool:
        """Whether a candidate is what is wished."""
        wish, universe, version = requirement, self._universe, candidate.version
        if wish.pinned is not None:
            return candidate == wish.pinned
        if not version:
            return True
        if wish.need is not None:
            return not universe.broken(wish.need, version)
        if wish.over is not None:
            return steps_over(universe, wish.over, version)
        name = wish.key[0]
        return universe.reaches(name, wish.at_least, version, self._versions(name))

    def get_dependencies(self, candidate: Choice) -> tuple[Wish, ...]:
        """What a candidate asks of the others."""
        if candidate not in self._asks:
            self._asks[candidate] = tuple(self._dependencies(candidate))
        return self._asks[candidate]

    def _dependencies(self, choice: Choice) -> Iterator[Wish]:
        name, over = choice.key
        if choice.release is None:
            if over == 0 and choice.version:
                yield from self._kept(name, choice.version)
            return
        if choice.release.id != self._release.id:
            yield from self._whole(choice.release)
        if over == 0:
            module = next(each for each in choice.release.modules if each.name == name)
            said = f"{name} {module.version} of {choice.release.slug}"
            yield from (self._needing(said, need) for need in module.terms.needs)

    def _kept(self, name: str, version: str) -> Iterator[Wish]:
        """What a module that stays asks of others, as far as it has it now."""
        for need in self._car.stated.get(name, ()):
            if not self._universe.broken(need, self._car.versions.get(need.module)):
                yield self._needing(f"{name} {version}, which the car runs,", need)

    def _needing(self, who: str, need: Need) -> Wish:
        verb = "does not go with" if need.conflicts else "needs"
        return Wish((need.module, 0), f"{who} {verb} {_range(need)}", need=need)

    def _whole(self, release: Bringing) -> Iterator[Wish]:
        """All that a release brings, and what each of it is installed over."""
        last = release.id == self._release.id
        for module in self._universe.fitting(release, self._car.hardware):
            name, said = module.name, f"{release.slug} brings {module.name} {module.version}"
            if last:
                yield Wish((name, 0), said, pinned=Choice((name, 0), module.version, release))
            else:
                yield Wish((name, 0), said, at_least=module.version)
            if name in self._car.versions:
                yield Wish((name, release.id), _stepping(release, module), over=module)

    def _choices(self, key: Key) -> tuple[Choice, ...]:
        """All that a module can be, what needs the least change first."""
        if key not in self._every:
            self._every[key] = tuple(self._listed(key))
        return self._every[key]

    def _listed(self, key: Key) -> Iterator[Choice]:
        name, over = key
        if over == 0 and name in self._brought:
            yield Choice(key, self._brought[name].version, self._release)
            return
        yield Choice(key, self._car.versions.get(name, ""))
        for release, module in reversed(self._offered(name)):
            if release.id not in (over, self._release.id):
                yield Choice(key, module.version, release)

    def _offered(self, name: str) -> list[tuple[Bringing, Brought]]:
        """Releases that could bring a module into this car."""
        return [
            (release, module)
            for release, module in self._universe.bringing(name)
            if release.offered and module in self._universe.fitting(release, self._car.hardware)
        ]

    def _versions(self, name: str) -> frozenset[str]:
        return frozenset(choice.version for choice in self._choices((name, 0)) if choice.version) | frozenset(
            module.version for _, module in self._offered(name)
        )

    # --- in words --------------------------------------------------------------------------------

    def chain(self, causes: Iterable[RequirementInformation[Wish, Choice]]) -> tuple[str, ...]:
        """Who asks for what, and which versions there are."""
        wishes = list(dict.fromkeys(cause.requirement for cause in causes))
        names = dict.fromkeys(wish.key[0] for wish in wishes)
        there = [f"of {name}: {'; '.join(self._there(name))}" for name in names]
        return tuple(dict.fromkeys([*(wish.text for wish in wishes), *there]))

    def _there(self, name: str) -> Iterator[str]:
        """Which versions of a module there are."""
        if runs := self._car.versions.get(name):
            yield f"the car runs {runs}"
        if name in self._brought:
            yield f"{self._release.slug} brings {self._brought[name].version}"
        offered = [(release, each) for release, each in self._offered(name) if release.id != self._release.id]
        shown = ", ".join(f"{module.version} ({release.slug})" for release, module in offered[-_SHOWN:])
        yield f"published for it: {shown}" if shown else "no other release brings it"


def _range(need: Need) -> str:
    least = f" {need.minimum_version} or later" if need.minimum_version is not None else ""
    but = f" (not {', '.join(need.excluded_versions)})" if need.excluded_versions else ""
    return need.module + least + but


def _stepping(release: Bringing, module: Brought) -> str:
    terms, said = module.terms, []
    if terms.minimum_version is not None:
        said.append(f"over {terms.minimum_version} or later")
    if terms.excluded_versions:
        said.append(f"never over {', '.join(terms.excluded_versions)}")
    said.append("never back from a later one")
    return f"{module.name} {module.version} of {release.slug} is installed {', '.join(said)}"
