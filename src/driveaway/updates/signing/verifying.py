"""What a car believes: The Update Framework's client workflow (TUF 1.0, section 5), online or from a bundle.

python-tuf's ``ngclient`` verifies. Added here: the car's own idea of the time, delegations of one step
only, bounds on size and pace, and errors that say what to do.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    SlowRetrievalError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from driveaway.updates.signing.bundle import LARGEST, unpack
from driveaway.updates.signing.entries import Entry, check_path, entry_of, target_of
from driveaway.updates.signing.fetching import LOCAL, BundleFetcher, HttpFetcher
from driveaway.updates.signing.folder import file_name
from driveaway.updates.signing.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from driveaway.values.clock import instant, moment
from driveaway.values.errors import DriveawayError, NotFound, Refused, Unavailable

STEPS = 1
"""Delegations that a car follows in a row: from targets to a supplier. A supplier's own are never
followed, so its keys cannot answer under the name of another's role."""


@dataclass(frozen=True)
class Limits:
    """The most that a car reads, in bytes, and the most roots that it follows in one go."""

    root: int = 64 << 10
    timestamp: int = 16 << 10
    snapshot: int = 256 << 10
    targets: int = 8 << 20
    bundle: int = LARGEST
    roots: int = 64


class Trust:
    """What a car has verified so far, kept in a folder of its own.

    Args:
        folder: kept across restarts: it is what older metadata is recognised by. One process at a time.
        root: the root that was put into the car when it was built; later ones are reached from it.
        limits: the most that is read.
    """

    def __init__(self, folder: Path, root: bytes, limits: Limits | None = None) -> None:
        self._folder = folder
        self._root = root
        self._limits = limits or Limits()
        folder.mkdir(parents=True, exist_ok=True)

    def online(self, url: str, at: int, fetcher: FetcherInterface | None = None) -> Verified:
        """What a repository says now.

        Args:
            url: of its folder of metadata.
            at: the time that the car believes, microseconds since 1970 in UTC.
            fetcher: how to fetch; default: over HTTP, bounded in time.

        Raises:
            Refused: what it serves does not verify, is older than what was seen, expired or too long.
            Unavailable: it cannot be reached, or is too slow.
        """
        return self._verified(url, fetcher or HttpFetcher(), at)

    def bundled(self, bundle: bytes, at: int) -> Verified:
        """What a bundle says, by the same rules and without a network.

        Raises:
            Refused: see ``online``.
            Unavailable: something is missing in it.
        """
        return self._verified(LOCAL, BundleFetcher(unpack(bundle, self._limits.bundle)), at)

    @property
    def until(self) -> int | None:
        """When what was verified last expires; a car that hears nothing newer by then is being kept back.

        Microseconds since 1970 in UTC; None: nothing was verified yet.
        """
        try:
            return min(instant(self._kept(role).signed.expires) for role in _TOP)
        except FileNotFoundError:
            return None

    def _verified(self, url: str, fetcher: FetcherInterface, at: int) -> Verified:
        limits = self._limits
        config = UpdaterConfig(
            max_root_rotations=limits.roots, max_delegations=STEPS, root_max_length=limits.root,
            timestamp_max_length=limits.timestamp, snapshot_max_length=limits.snapshot,
            targets_max_length=limits.targets,
        )  # fmt: skip
        with meaning(url):
            updater = Updater(str(self._folder), url, fetcher=fetcher, config=config, bootstrap=self._root)
            _set_clock(updater, at)
            before = self._delegations()
            updater.refresh()
        self._forget_changed(before, self._delegations())
        return Verified(updater)

    def _delegations(self) -> dict[str, Any]:
        """What top-level targets say of each supplier: role, keys and threshold."""
        try:
            delegations = self._kept(TARGETS).signed.delegations
        except (FileNotFoundError, RepositoryError):
            return {}
        if delegations is None or delegations.roles is None:
            return {}
        keys = delegations.keys
        return {
            name: (role.to_dict(), [keys[keyid].to_dict() for keyid in role.keyids if keyid in keys])
            for name, role in delegations.roles.items()
        }

    def _forget_changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Drop what suppliers signed under a delegation that is another by now: it is to be fetched anew."""
        for role in before.keys() | after.keys():
            if before.get(role) != after.get(role):
                (self._folder / file_name(role)).unlink(missing_ok=True)

    def _kept(self, role: str) -> Metadata[Any]:
        return Metadata[Any].from_bytes((self._folder / file_name(role)).read_bytes())


class Verified:
    """A verified view of a repository: one consistent moment of it."""

    def __init__(self, updater: Updater) -> None:
        self._updater = updater

    def entry(self, path: str) -> Entry:
        """What is signed about a target.

        Raises:
            NotFound: nobody signed a target of this name.
            Refused: what is signed does not verify, or cannot be read.
            Unavailable: it cannot be fetched.
        """
        check_path(path)
        with meaning(path):
            target = self._updater.get_targetinfo(path)
        if target is None:
            raise NotFound(
                "nobody signed a target of this name", code="updates.unsigned_target", place=path,
                remedy="install nothing that is not signed",
            )  # fmt: skip
        return entry_of(target)

    def check(self, entry: Entry, file: Path) -> None:
        """Refuse a file that is not, byte for byte, what was signed."""
        with meaning(str(file)), file.open("rb") as content:
            target_of(entry).verify_length_and_hashes(content)

    def fetch(self, entry: Entry, url: str, file: Path, fetcher: FetcherInterface | None = None) -> None:
        """Fetch a target: at most as many bytes as are signed, and only those.

        Args:
            entry: of the target.
            url: where it is.
            file: where to put it; it is there only once it is verified.
            fetcher: how to fetch; default: over HTTP, bounded in time.
        """
        partial = file.with_name(f".{file.name}.part")
        received = 0
        chunks: Iterator[bytes] = iter(())
        try:
            with meaning(url), partial.open("w+b") as content:
                chunks = (fetcher or HttpFetcher()).fetch(url)
                for chunk in chunks:
                    received += len(chunk)
                    check_length(received, entry)
                    content.write(chunk)
                content.seek(0)
                target_of(entry).verify_length_and_hashes(content)
                os.fsync(content.fileno())
            partial.replace(file)
        finally:
            if isinstance(chunks, Generator):
                chunks.close()  # hangs up on what was refused
            partial.unlink(missing_ok=True)


_TOP = (ROOT, TIMESTAMP, SNAPSHOT, TARGETS)


def check_length(received: int, entry: Entry) -> None:
    """Refuse more bytes than were signed, as soon as they come."""
    if received > entry.length:
        raise DownloadLengthMismatchError(f"more than the {entry.length} bytes that were signed")


def _set_clock(updater: Updater, at: int) -> None:
    """Let ngclient judge expiry by the time that the car believes: by itself it asks the machine's clock."""
    trusted = updater._trusted_set
    assert hasattr(trusted, "reference_time"), "ngclient keeps its clock elsewhere by now"
    trusted.reference_time = moment(at)


@contextmanager
def meaning(place: str) -> Iterator[None]:
    """Turn tuf's errors into errors that say what to do."""
    try:
        yield
    except (RepositoryError, DownloadError) as error:
        raise _meant(error, str(error) or type(error).__name__, place) from error


def _meant(error: Exception, what: str, place: str) -> DriveawayError:
    match error:
        case ExpiredMetadataError():
            return Refused(what, code="updates.expired", place=place, remedy="fetch newer metadata")
        case BadVersionNumberError():
            return Refused(what, code="updates.rolled_back", place=place, remedy="fetch the newest metadata")
        case UnsignedMetadataError():
            return Refused(
                what, code="updates.signature", place=place, remedy="install nothing from this server"
            )
        case LengthOrHashMismatchError():
            return Refused(
                what, code="updates.content", place=place, remedy="fetch it again, or from another server"
            )
        case RepositoryError():
            return Refused(
                what, code="updates.metadata", place=place, remedy="install nothing from this server"
            )
        case DownloadLengthMismatchError():
            return Refused(
                what, code="updates.too_long", place=place, remedy="install nothing from this server"
            )
        case SlowRetrievalError():
            return Unavailable(
                what, code="updates.slow", place=place, remedy="try again, over another network or mirror"
            )
        case _:
            return Unavailable(what, code="updates.unreachable", place=place, remedy="try again later")
