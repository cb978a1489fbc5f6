"""Whether any car could ever take a release: asked before it is signed, of all versions that are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from resolvelib import BaseReporter
from resolvelib.resolvers import Resolution, ResolutionImpossible, ResolutionTooDeep

from driveaway.book.state.state import Reading
from driveaway.updates.resolving.configurations import VERSION
from driveaway.updates.resolving.resolution import ROUNDS
from driveaway.updates.resolving.solving import Choice, Key, Provider, Wish
from driveaway.updates.resolving.stepping import Car
from driveaway.updates.resolving.universe import Bringing, Universe
from driveaway.values.errors import Refused

Versions = Mapping[str, frozenset[str]]


def check_possible(reading: Reading, universe: Universe, release: Bringing) -> None:
    """Refuse a release that no configuration of its hardware could ever take.

    Versions are known that were added, published or reported by a car. Of a module of which no version is
    known anything is taken to be possible.

    Raises:
        Refused: ``release.unsolvable``, with the requirements that contradict each other.
    """
    names = universe.relevant(release)
    chain = impossible(universe, release, known_versions(reading, universe, names))
    if chain:
        raise Refused(
            f"no car could ever take {release.slug}: {'; '.join(chain)}",
            code="release.unsolvable",
            remedy="add or release what it needs first, or change what it asks for",
        )


def impossible(universe: Universe, release: Bringing, versions: Versions) -> tuple[str, ...]:
    """What keeps every car from taking a release, in words; nothing: some car could."""
    for module in release.modules:
        least = module.terms.minimum_version
        counted = universe.about(module.name, module.version).counter is not None
        if (
            least is not None
            and not counted
            and universe.compare(module.name, module.version, least, module.version) < 0
        ):
            return (
                f"{module.name} {module.version} is installed over {least} or later, which is a step back",
            )
    every = {each for m in release.modules for each in universe.about(m.name, m.version).hardware}
    reason: tuple[str, ...] = ()
    for hardware in (frozenset[str](), *(frozenset({each}) for each in sorted(every))):
        provider = _AnyCar(universe, release, hardware, versions)
        resolution: Resolution[Wish, Choice, Key] = Resolution(provider, BaseReporter())
        try:
            resolution.resolve(provider.roots(), max_rounds=ROUNDS)
        except ResolutionImpossible as error:
            reason = reason or provider.chain(error.causes)
        except ResolutionTooDeep:
            return ()
        else:
            return ()
    return reason


def known_versions(reading: Reading, universe: Universe, names: frozenset[str]) -> dict[str, frozenset[str]]:
    """Every version of some modules that was added, published or reported, by name."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, version in reading.rows("SELECT name, version FROM software_modules WHERE deleted = 0"):
        if name in found:
            found[name].add(version)
    for name in names:
        found[name] |= {module.version for _, module in universe.bringing(name)}
        rows = reading.rows(
            "SELECT DISTINCT value FROM target_attributes WHERE key = :key AND value <> ''",
            key=name + VERSION,
        )
        found[name] |= {value for (value,) in rows}
    return {name: frozenset(versions) for name, versions in found.items()}


class _AnyCar(Provider):
    """A car with whatever versions are known, for each module the best for the release."""

    def __init__(
        self, universe: Universe, release: Bringing, hardware: frozenset[str], versions: Versions
    ) -> None:
        super().__init__(universe, release, Car(hardware, {}, {}))
        self._known = versions

    def _meets(self, wish: Wish, candidate: Choice) -> bool:
        if not candidate.version and wish.need is not None and not wish.need.conflicts:
            return not self._known.get(candidate.key)
        return super()._meets(wish, candidate)

    def _dependencies(self, choice: Choice) -> Iterator[Wish]:
        if choice.release is not None:
            yield from super()._dependencies(choice)
        elif choice.version:
            name, version = choice.key, choice.version
            yield from (
                self._needing(f"{name} {version}", need) for need in self._universe.stated(name, version)
            )

    def _listed(self, key: Key) -> Iterator[Choice]:
        name = key
        if name in self._brought:
            yield Choice(key, self._brought[name].version, self._release)
            return
        yield Choice(key, "")
        yield from (Choice(key, version) for version in sorted(self._known.get(name, ()), reverse=True))

    def _there(self, name: str) -> Iterator[str]:
        if name in self._brought:
            yield f"{self._release.slug} brings {self._brought[name].version}"
        else:
            known = sorted(self._known.get(name, ()), key=self._universe.order_of(name))
            yield f"known versions: {', '.join(known) or 'none'}"
