"""A repository right or wrong: metadata signed by whoever is named, and what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface

from driveaway.updates.signing.entries import target_of
from driveaway.values.clock import moment
from tests.conformance.tuf.maker import AT, custom, entry

KEYS: tuple[Signer, ...] = tuple(CryptoSigner.generate_ed25519() for _ in range(10))
ROLES = ("root", "timestamp", "snapshot", "targets")


class Shelf(FetcherInterface):
    """Metadata of the four roles; ``publish`` signs one as it stands.

    Attributes:
        files: what is served, by name.
        asked: names that were asked for, in order.
        signers: of each role, as places in ``KEYS``.
    """

    def __init__(self, first: Sequence[int] = (0,), threshold: int = 1, by: Sequence[int] = (0,)) -> None:
        expires = moment(AT) + timedelta(days=30)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.root = Root(1, expires=expires, consistent_snapshot=True)
        self.timestamp = Timestamp(1, expires=expires)
        self.snapshot = Snapshot(1, expires=expires)
        self.targets = Targets(1, expires=expires)
        self.signers: dict[str, Sequence[int]] = {}
        self.trust("root", first, threshold, by)
        for number, role in enumerate(ROLES[1:], 1):
            self.trust(role, (number,), 1, (number,))
        self.publish("root")
        self.first = self.files["1.root.json"]
        self.go_on(step=0)

    def trust(self, role: str, keys: Sequence[int], threshold: int, by: Sequence[int]) -> None:
        """Let root name these keys for a role, which is signed by ``by`` from now on."""
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        for number in keys:
            self.root.add_key(KEYS[number].public_key, role)
        self.root.roles[role].threshold = threshold
        self.signers[role] = by

    def publish(self, role: str) -> bytes:
        """Sign a role's metadata as it stands and serve it."""
        signed: Any = getattr(self, role)
        document = Metadata(signed)
        for number in self.signers[role]:
            document.sign(KEYS[number], append=True)
        content = document.to_bytes()
        self.files["timestamp.json" if role == "timestamp" else f"{signed.version}.{role}.json"] = content
        return content

    def go_on(self, *, step: int = 1) -> None:
        """The next version of targets, with the snapshot and the timestamp that lead to it."""
        self.targets.version += step
        content = self.publish("targets")
        self.snapshot.version += step
        self.snapshot.meta["targets.json"] = MetaFile.from_data(self.targets.version, content, ["sha256"])
        self.lead(step=step)

    def lead(self, *, step: int = 1) -> None:
        """A snapshot as it stands, and a timestamp that leads to it."""
        content = self.publish("snapshot")
        self.timestamp.version += step
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, content, ["sha256"])
        self.publish("timestamp")

    def next_root(self) -> None:
        """The next version of root."""
        self.root.version += 1
        self.publish("root")

    def add(self, path: str, content: bytes, counter: int = 1) -> None:
        """Sign a target and serve it."""
        target: TargetFile = target_of(entry(path, content, custom("os", counter)))
        self.targets.targets[path] = target
        self.files[path] = content

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = urlsplit(url).path.lstrip("/")
        self.asked.append(name)
        if name not in self.files:
            raise DownloadHTTPError(f"no {name}", 404)
        return iter((self.files[name],))
