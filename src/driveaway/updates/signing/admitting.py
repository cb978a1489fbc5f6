"""Whether a car may install what it was told to: one whole signed release, and never backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from driveaway.updates.signing.entries import SUPPLIERS, Custom, Dependency, Entry, Release
from driveaway.values.errors import Refused

Order = Callable[[str, str, str], int]
"""Of two versions of a scheme: negative, 0 or positive as the first is lower, equal or higher."""


class Installed(msgspec.Struct, frozen=True):
    """A module in the car: its version and its release counter."""

    version: str
    version_scheme: str
    counter: int


class Car(msgspec.Struct, frozen=True):
    """What a car has.

    Attributes:
        hardware: identifiers of its control units.
        modules: what is installed, by name of the module.
    """

    hardware: frozenset[str]
    modules: Mapping[str, Installed]


class Signed(Protocol):
    """Looks up what is signed about a target."""

    def entry(self, path: str) -> Entry:
        """The entry of a path; raises when there is none that verifies."""
        ...


def admitted(signed: Signed, paths: Sequence[str], car: Car, order: Order) -> tuple[Entry, ...]:
    """The signed entries of what a server offers, when the car may install them together.

    Args:
        signed: the verified metadata.
        paths: all targets that the server offers at once.
        car: what it has now.
        order: compares versions, as the schemes declare.

    Raises:
        NotFound: something offered was never signed.
        Refused: it is not one whole release for this car, goes backwards, or depends on what is not there.
    """
    entries = {path: signed.entry(path) for path in paths}
    release = _release_of(entries)
    wanted = {path: signed.entry(path) for path in release.targets}
    fitting = {
        path: entry for path, entry in wanted.items() if car.hardware.intersection(entry.custom.hardware)
    }
    for path, entry in wanted.items():
        if entry.sha256 != release.targets[path]:
            raise Refused(
                "the release names it with other bytes",
                code="updates.mixed", place=path, remedy="install nothing of this offer",
            )  # fmt: skip
    for path in entries:
        if path not in release.targets:
            raise Refused(
                f"it is no part of {release.name} {release.version}",
                code="updates.extraneous", place=path, remedy="install nothing of this offer",
            )  # fmt: skip
        if path not in fitting:
            raise Refused(
                "it is for other hardware",
                code="updates.hardware", place=path, remedy="install nothing of this offer",
            )  # fmt: skip
    if missing := fitting.keys() - entries.keys():
        raise Refused(
            f"{release.name} {release.version} has it, and it is not offered",
            code="updates.partial", place=min(missing), remedy="install nothing of this offer",
        )  # fmt: skip
    after = dict(car.modules)
    for path, entry in entries.items():
        _check_step(path, entry.custom, car.modules.get(entry.custom.module), order)
        custom = entry.custom
        after[custom.module] = Installed(custom.version, custom.version_scheme, custom.counter)
    for path, entry in entries.items():
        for dependency in entry.custom.dependencies:
            _check_dependency(path, dependency, after.get(dependency.module), order)
    return tuple(entries.values())


def _release_of(entries: Mapping[str, Entry]) -> Release:
    releases = []
    for path, entry in entries.items():
        if path.startswith(SUPPLIERS) and entry.custom.release is not None:
            raise Refused(
                "a supplier composes no release",
                code="updates.release_owner", place=path, remedy="install nothing of this offer",
            )  # fmt: skip
        if entry.custom.release is not None and entry.custom.release not in releases:
            releases.append(entry.custom.release)
    if len(releases) == 1:
        return releases[0]
    names = ", ".join(f"{release.name} {release.version}" for release in releases) or "none"
    raise Refused(
        f"one release is installed at a time, and these name {names}",
        code="updates.mixed", place=min(entries, default=""), remedy="install nothing of this offer",
    )  # fmt: skip


def _check_step(path: str, new: Custom, old: Installed | None, order: Order) -> None:
    if old is None:
        return
    if new.counter < old.counter:
        raise Refused(
            f"release counter {new.counter} is below the installed {old.counter}",
            code="updates.rolled_back", place=path, remedy="install nothing of this offer",
        )  # fmt: skip
    if old.version in new.excluded_versions:
        raise Refused(
            f"it may not be installed over {old.version}",
            code="updates.excluded", place=path, remedy="install nothing of this offer",
        )  # fmt: skip
    if new.minimum_version is not None and order(old.version_scheme, old.version, new.minimum_version) < 0:
        raise Refused(
            f"it needs {new.minimum_version} at least, and {old.version} is installed",
            code="updates.minimum", place=path, remedy="install nothing of this offer",
        )  # fmt: skip


def _check_dependency(path: str, needs: Dependency, there: Installed | None, order: Order) -> None:
    meets = there is not None and there.version not in needs.excluded_versions
    if meets and there is not None and needs.minimum_version is not None:
        meets = order(there.version_scheme, there.version, needs.minimum_version) >= 0
    if meets is needs.conflicts:
        found = "which is not there" if there is None else f"which is {there.version}"
        verb = "does not go with" if needs.conflicts else "depends on"
        raise Refused(
            f"it {verb} {needs.module}, {found}",
            code="updates.dependency", place=path, remedy="install nothing of this offer",
        )  # fmt: skip
