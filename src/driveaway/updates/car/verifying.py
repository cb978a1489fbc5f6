"""The signers' word on what a deployment may install: the ``Verifier`` of cars that speak DDI.

The deployment's document only leads to what is signed: each chunk notes before which path its files are
named (``tuf.path``). Everything else is taken from metadata that verifies, from the root that was pinned in
the car when it was built: bytes, release, hardware, counters, versions, dependencies, functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import urllib3

from driveaway.updates.car.client import Part, manifest_of
from driveaway.updates.car.memory import Identity
from driveaway.updates.car.slots import InstalledFunction, Manifest
from driveaway.updates.releases import FOLDER_KEY
from driveaway.updates.signing.admitting import Car, Installed, admitted
from driveaway.updates.signing.entries import Entry
from driveaway.updates.signing.fetching import HttpFetcher
from driveaway.updates.signing.verifying import Trust, Verified
from driveaway.updates.versions import compare_in
from driveaway.values.clock import now
from driveaway.values.errors import Conflict, NotFound, Refused
from driveaway.values.files import write_whole

Look = Callable[[Trust, int], Verified]
"""Fetches and verifies the newest metadata, as of a time that the car believes."""
_FOLDER: Final = "trust"
_ROOT: Final = "root.json"
_COUNTERS: Final = "counters.json"
_KEPT: Final = "metadata"


def pin(folder: Path, root: bytes) -> None:
    """Build a root into a car: the beginning of all that it believes.

    Args:
        folder: of the car.
        root: ``N.root.json`` of the repository, from a source that is trusted.

    Raises:
        Conflict: the car has another root already.
    """
    place = folder / _FOLDER / _ROOT
    if place.exists() and place.read_bytes() != root:
        raise Conflict(
            "the car has another root",
            code="car.root_pinned",
            place=str(place),
            remedy="a root is replaced by its successor, which it has signed; begin with a new folder",
        )
    write_whole(place, root)


class SignedVerifier:
    """Says what a deployment may install.

    Args of the constructor: the car's folder; the hardware that it has; how it gets metadata (``online`` or
    ``from_bundle``); the time that it believes, microseconds since 1970 in UTC.
    """

    def __init__(
        self, folder: Path, hardware: Sequence[str], look: Look, *, clock: Callable[[], int] = now
    ) -> None:
        place = folder / _FOLDER
        try:
            root = (place / _ROOT).read_bytes()
        except FileNotFoundError:
            raise NotFound(
                "the car trusts nobody: it has no root",
                code="car.root",
                place=str(place / _ROOT),
                remedy="give it the root of its maker's repository",
            ) from None
        self.trust = Trust(place / _KEPT, root)
        self._counters = place / _COUNTERS
        self._hardware = frozenset(hardware)
        self._look = look
        self._clock = clock

    def __call__(
        self, deployment: Mapping[str, Any], parts: Sequence[Part], held: Manifest | None
    ) -> Manifest:
        """The manifest that the signers allow: of the files offered, those for this car's hardware.

        Raises:
            NotFound: a file is not signed.
            Refused: the metadata does not verify or has expired; the files are other than signed, not one
                whole release, for other hardware only, older than what the car had, or not to be installed
                upon it.
            Unavailable: the metadata cannot be fetched now.
        """
        verified = self._look(self.trust, self._clock())
        entries = dict(_signed(verified, deployment, parts))
        fitting = {
            path: part
            for path, (part, entry) in entries.items()
            if self._hardware.intersection(entry.custom.hardware)
        }
        if not fitting:
            raise Refused(
                "nothing of it is for this car's hardware",
                code="updates.hardware",
                place=min(entries, default=""),
                remedy="install nothing of this offer",
            )
        allowed = admitted(verified, list(fitting), self._car(held), compare_in)
        self._check_counters(allowed, held)
        return _manifest(allowed, fitting)

    def _car(self, held: Manifest | None) -> Car:
        modules = held.modules if held is not None else ()
        return Car(
            self._hardware,
            {
                module.name: Installed(module.version, module.version_scheme, module.counter)
                for module in modules
            },
        )

    def _check_counters(self, allowed: Sequence[Entry], held: Manifest | None) -> None:
        """Refuse what is below the highest counter that this car ever ran, also of modules gone since."""
        try:
            known = msgspec.json.decode(self._counters.read_bytes(), type=dict[str, int])
        except FileNotFoundError:
            known = {}
        highest = dict(known)
        for module in held.modules if held is not None else ():
            highest[module.name] = max(module.counter, highest.get(module.name, 0))
        if highest != known:
            write_whole(self._counters, msgspec.json.encode(highest, order="sorted"))
        for entry in allowed:
            custom = entry.custom
            if custom.counter < highest.get(custom.module, 0):
                raise Refused(
                    f"release counter {custom.counter} is below {highest[custom.module]}, which the car ran",
                    code="updates.rolled_back",
                    place=entry.path,
                    remedy="install nothing of this offer",
                )


def online(identity: Identity, url: str = "") -> Look:
    """Metadata from the car's own server, or from a mirror at ``url``; whom it comes from does not matter."""
    place = url or f"{identity.server.rstrip('/')}/{identity.tenant}/tuf/metadata/"
    pool = None
    if identity.certificates:
        pool = urllib3.PoolManager(retries=False, cert_reqs="CERT_REQUIRED", ca_certs=identity.certificates)
    return lambda trust, at: trust.online(place, at, HttpFetcher(pool))


def from_bundle(file: Path) -> Look:
    """Metadata from a bundle that was carried to the car, such as in a workshop without a network."""

    def look(trust: Trust, at: int) -> Verified:
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise NotFound("there is no bundle", code="car.bundle", place=str(file)) from None
        return trust.bundled(content, at)

    return look


def _signed(
    verified: Verified, deployment: Mapping[str, Any], parts: Sequence[Part]
) -> Iterator[tuple[str, tuple[Part, Entry]]]:
    """Each file's path and what is signed of it, once the document says the same of it."""
    folders = [
        _noted(chunk.get("metadata") or ()) for chunk in deployment["chunks"] for _ in chunk["artifacts"]
    ]
    for part, folder in zip(parts, folders, strict=True):
        if not folder:
            raise Refused(
                "the document does not say where it is signed",
                code="updates.unsigned_target",
                place=part.filename,
                remedy="install nothing that is not signed",
            )
        path = f"{folder}/{part.filename}"
        entry = verified.entry(path)
        said = (part.sha256, part.size, part.chunk[1], part.chunk[2])
        if said != (entry.sha256, entry.length, entry.custom.module, entry.custom.version):
            raise Refused(
                "the document says something else of it than its signers",
                code="updates.content",
                place=path,
                remedy="install nothing of this offer",
            )
        yield path, (part, entry)


def _noted(metadata: Sequence[Mapping[str, Any]]) -> str:
    return next((str(note["value"]) for note in metadata if note["key"] == FOLDER_KEY), "")


def _manifest(allowed: Sequence[Entry], fitting: Mapping[str, Part]) -> Manifest:
    about = {entry.custom.module: entry.custom for entry in allowed}
    release = next(entry.custom.release for entry in allowed if entry.custom.release is not None)
    made = manifest_of(
        release.name,
        release.version,
        [fitting[entry.path] for entry in allowed],
        {name: custom.counter for name, custom in about.items()},
    )
    modules = tuple(
        msgspec.structs.replace(module, version_scheme=about[module.name].version_scheme)
        for module in made.modules
    )
    functions = tuple(
        InstalledFunction(name=function.name, policy=function.gate)
        for entry in allowed
        for function in entry.custom.functions
    )
    return msgspec.structs.replace(made, modules=modules, functions=functions)
