"""A maker with two suppliers, its keys, and a repository in which two releases are signed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Key, Signer

from driveaway.updates.signing.entries import Custom, Dependency, Entry, Release
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.roles import Periods, Roles, Rule, Supplier, held, role_for
from driveaway.values.clock import instant

AT = int(instant(datetime(2024, 5, 1, tzinfo=UTC)))
PERSONS = ("ann", "ben", "cem", "dana", "eli", "fay", "gus", "hu", "ida", "jan")
SIGNERS: dict[str, Signer] = {
    name: CryptoSigner.generate_ed25519()
    for name in (*PERSONS, "snapshot", "timestamp", "snapshot2", "timestamp2")
}


def key(name: str) -> Key:
    public = SIGNERS[name].public_key
    return held(public, name) if name in PERSONS else public


def rule(threshold: int, *names: str) -> Rule:
    return Rule(tuple(key(name) for name in names), threshold)


def roles(
    *,
    root: Rule | None = None,
    targets: Rule | None = None,
    snapshot: str = "snapshot",
    timestamp: str = "timestamp",
) -> Roles:
    """Root: 2 of ann, ben, cem. Targets: 2 of dana, eli, fay."""
    return Roles(
        root or rule(2, "ann", "ben", "cem"),
        targets or rule(2, "dana", "eli", "fay"),
        rule(1, snapshot),
        rule(1, timestamp),
    )


LIDAR = Supplier("lidar", rule(2, "gus", "hu"))
MAPS = Supplier("maps", rule(1, "ida", "jan"))


def signers(*names: str) -> list[Signer]:
    return [SIGNERS[name] for name in names]


def custom(
    module: str,
    counter: int,
    release: Release | None = None,
    *,
    hardware: tuple[str, ...] = ("hpc",),
    dependencies: tuple[Dependency, ...] = (),
    minimum: str | None = None,
    excluded: tuple[str, ...] = (),
) -> Custom:
    return Custom(
        module, f"{counter}.0", "semver", "application", hardware, counter, release,
        dependencies=dependencies, minimum_version=minimum, excluded_versions=excluded,
    )  # fmt: skip


def entry(path: str, content: bytes, about: Custom) -> Entry:
    return Entry.of(path, BytesIO(content), about)


def payload(path: str) -> bytes:
    return f"software of {path} ".encode() * 20


def released(version: int, extra: Iterable[str] = ()) -> tuple[list[Entry], list[Entry]]:
    """The maker's and the supplier's entries of a release: an operating system, an application, a lidar."""
    paths = [f"su7/{version}/os.swu", f"su7/{version}/parking.swu", f"suppliers/lidar/lidar-{version}.bin"]
    release = Release("su7", f"{version}.0", {path: sha256(payload(path)).hexdigest() for path in paths})
    needs = (Dependency("os", f"{version}.0"),)
    return (
        [
            entry(paths[0], payload(paths[0]), custom("os", version, release)),
            entry(paths[1], payload(paths[1]), custom("parking", version, release, dependencies=needs)),
            *(entry(path, payload(path), custom("radio", version)) for path in extra),
        ],
        [entry(paths[2], payload(paths[2]), custom("lidar", version, hardware=("lidar",)))],
    )


def founded(folder: Path, given: Roles | None = None, periods: Periods | None = None) -> Repository:
    given = given or roles()
    ids = {public.keyid for _, each in given.items() for public in each.keys}
    return Repository.create(
        folder, given, [signer for signer in SIGNERS.values() if signer.public_key.keyid in ids], AT, periods
    )


def agree(repository: Repository, name: str, at: int, *who: str, by: str | None = None) -> None:
    """Sign a staged proposal by these persons, and publish it with the approval of the last."""
    for person in who:
        repository.sign(name, SIGNERS[person])
    repository.publish(name, by=by or who[-1], at=at)


def with_suppliers(repository: Repository, at: int = AT) -> None:
    repository.delegate("lidar", LIDAR, by="dana", at=at)
    agree(repository, "lidar", at, "dana", "eli", "gus", "hu")
    repository.delegate("maps", MAPS, by="dana", at=at)
    agree(repository, "maps", at, "dana", "eli", "ida")


def release(repository: Repository, version: int, at: int, extra: Iterable[str] = ()) -> list[str]:
    """Publish a release; gives its paths."""
    own, supplied = released(version, extra)
    repository.propose(f"lidar-{version}", supplied, by="gus", at=at, role=role_for(supplied[0].path))
    agree(repository, f"lidar-{version}", at, "gus", "hu")
    repository.propose(f"su7-{version}", own, by="dana", at=at)
    agree(repository, f"su7-{version}", at, "dana", "eli")
    assert own[0].custom.release is not None
    return list(own[0].custom.release.targets)
