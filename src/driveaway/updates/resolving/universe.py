"""All that releases state about modules: what a resolution is about.

A release brings modules, and says of each over which versions it is installed and what other modules must,
or must not, be there. A car that runs a version goes on having what the releases of that version stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, cmp_to_key
from typing import Any, Final

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.outcomes import release_slug
from driveaway.updates.releases import ABOUT_KEY, About, Need, Terms
from driveaway.updates.versions import compare_in

DEFAULT_SCHEME: Final = About().version_scheme


class Brought(msgspec.Struct, frozen=True):
    """A module as a release brings it."""

    name: str
    version: str
    terms: Terms = Terms()


class Bringing(msgspec.Struct, frozen=True):
    """A release with what it brings.

    Attributes:
        id: of its distribution set.
        slug: of the release.
        offered: whether cars may be given it: published, not withdrawn, not invalidated.
        modules: that it brings, each name once.
        version: of the release.
    """

    id: int
    slug: str
    offered: bool
    modules: tuple[Brought, ...]
    version: str = ""


class Universe:
    """Releases, and what is said of modules by name and version.

    Args:
        releases: all that were published at some time, and any that is asked about.
        known: hardware, order of versions and counter of modules.
        published: ids of the releases whose statements hold for cars that run what they brought.
    """

    def __init__(
        self,
        releases: Iterable[Bringing],
        known: Mapping[tuple[str, str], About],
        published: Iterable[int] | None = None,
    ) -> None:
        self.releases = {release.id: release for release in releases}
        self.known = known
        self._published = set(self.releases if published is None else published)
        self._reached: dict[tuple[str, str, frozenset[str]], frozenset[str]] = {}

    def about(self, name: str, version: str) -> About:
        """What is said of a module; nothing where it is not known."""
        return self.known.get((name, version), About())

    def compare(self, name: str, one: str, other: str, own: str = "") -> int:
        """-1, 0 or 1, by the scheme of the version ``one``; where it is not known, of the version ``own``."""
        said = self.known.get((name, one)) or self.known.get((name, own))
        return compare_in(said.version_scheme if said else DEFAULT_SCHEME, one, other)

    def order_of(self, name: str) -> Callable[[str], Any]:
        """A key that orders versions of a module."""
        return cmp_to_key(lambda one, other: self.compare(name, one, other))

    def backwards(self, name: str, runs: str, new: str) -> bool:
        """Whether a version would be a step back: by release counters, as in the car, else by versions."""
        before, after = self.about(name, runs).counter, self.about(name, new).counter
        if before is not None and after is not None:
            return after < before
        return self.compare(name, new, runs) < 0

    def fitting(self, release: Bringing, has: frozenset[str]) -> tuple[Brought, ...]:
        """The modules of a release for hardware; of hardware that is not known: all."""
        return tuple(module for module in release.modules if self.runs_on(module, has))

    def runs_on(self, module: Brought, has: frozenset[str]) -> bool:
        """Whether a module is for some of this hardware, as far as either is known."""
        wanted = self.about(module.name, module.version).hardware
        return not has or not wanted or not has.isdisjoint(wanted)

    def stated(self, name: str, version: str) -> tuple[Need, ...]:
        """What every release of a version said of other modules: which of them a car took is unknown."""
        return self._stated.get((name, version), ())

    @cached_property
    def _stated(self) -> dict[tuple[str, str], tuple[Need, ...]]:
        out: dict[tuple[str, str], tuple[Need, ...]] = {}
        for release in self.releases.values():
            if release.id not in self._published:
                continue
            for module in release.modules:
                key = (module.name, module.version)
                before = out.get(key, module.terms.needs)
                out[key] = tuple(need for need in before if need in module.terms.needs)
        return out

    @cached_property
    def _bringing(self) -> dict[str, list[tuple[Bringing, Brought]]]:
        out: dict[str, list[tuple[Bringing, Brought]]] = {}
        for release in self.releases.values():
            for module in release.modules:
                out.setdefault(module.name, []).append((release, module))
        return out

    def bringing(self, name: str) -> list[tuple[Bringing, Brought]]:
        """Releases that bring a module, with it; offered or not."""
        return self._bringing.get(name, [])

    def broken(self, need: Need, there: str | None) -> bool:
        """Whether a module that is there is not what is needed; one that is not known never is."""
        if there is None:
            return False
        meets = there not in need.excluded_versions and (
            need.minimum_version is None or self.compare(need.module, there, need.minimum_version) >= 0
        )
        return meets is need.conflicts

    def reaches(self, name: str, runs: str, wanted: str, among: frozenset[str]) -> bool:
        """Whether steps over versions, none of them back, lead from one to another; ``among``: by way of."""
        if runs == wanted or not self.backwards(name, runs, wanted):
            return True
        key = (name, runs, among)
        if key not in self._reached:
            found, new = {runs}, [runs]
            while new:
                old = new.pop()
                more = {each for each in among - found if not self.backwards(name, old, each)}
                found |= more
                new += more
            self._reached[key] = frozenset(found)
        return any(not self.backwards(name, each, wanted) for each in self._reached[key])

    def relevant(self, release: Bringing) -> frozenset[str]:
        """Names of modules on which it can depend whether a release can be taken."""
        new = {module.name for module in release.modules}
        new |= {need.module for module in release.modules for need in module.terms.needs}
        seen: set[str] = set()
        while new:
            name = new.pop()
            seen.add(name)
            for other in (each for each, _ in self.bringing(name) if each.offered):
                for module in other.modules:
                    new.add(module.name)
                    new |= {need.module for need in module.terms.needs}
            new |= self.needing([name])
            new -= seen
        return frozenset(seen)

    def touching(self, release: Bringing) -> set[str]:
        """Names of modules on which it depends whether a release can be taken now, as a car is."""
        names = {module.name for module in release.modules}
        needed = {need.module for module in release.modules for need in module.terms.needs}
        return names | needed | self.needing(names)

    def needing(self, names: Iterable[str]) -> set[str]:
        """Modules of which some release said something about modules of these names."""
        return {other for name in names for other in self._needing.get(name, ())}

    @cached_property
    def _needing(self) -> dict[str, set[str]]:
        """Modules that said something of a module, by its name."""
        out: dict[str, set[str]] = {}
        for (name, _), needs in self._stated.items():
            for need in needs:
                out.setdefault(need.module, set()).add(name)
        return out


class _Said(msgspec.Struct, frozen=True):
    """What of a release's record matters here; the rest, such as places of functions, is not read."""

    terms: dict[str, Terms] = {}
    published: int | None = None
    withdrawn: int | None = None


def read_universe(reading: Reading, asked: int | None = None) -> Universe:
    """The releases that were ever published, and the one that is asked about; three statements."""
    modules: dict[int, list[tuple[str, str]]] = {}
    for distribution_set, name, version in reading.rows(
        "SELECT j.distribution_set, m.name, m.version FROM set_modules j JOIN software_modules m"
        " ON m.id = j.module ORDER BY m.id"
    ):
        modules.setdefault(distribution_set, []).append((name, version))
    releases, published = [], []
    for number, name, version, valid, deleted, text in reading.rows(
        "SELECT id, name, version, valid, deleted, release FROM distribution_sets ORDER BY id"
    ):
        said = msgspec.json.decode(text, type=_Said)
        if said.published is None and number != asked:
            continue
        if said.published is not None:
            published.append(number)
        offered = said.published is not None and said.withdrawn is None and bool(valid) and not deleted
        brought = {
            name: Brought(name, version, said.terms.get(name, Terms()))
            for name, version in modules.get(number, ())
        }
        slug = release_slug(name, version)
        releases.append(Bringing(number, slug, offered, tuple(brought.values()), version))
    return Universe(releases, read_known(reading), published)


def read_known(reading: Reading) -> dict[tuple[str, str], About]:
    """What is said of every module, by name and version."""
    rows = reading.rows(
        "SELECT m.name, m.version, x.value FROM software_modules m JOIN module_metadata x"
        " ON x.module = m.id AND x.key = :key ORDER BY m.id",
        key=ABOUT_KEY,
    )
    return {(name, version): msgspec.json.decode(text, type=About) for name, version, text in rows}
