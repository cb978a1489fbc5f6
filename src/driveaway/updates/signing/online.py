"""What a worker signs by itself: snapshot and timestamp, after each publication and before they expire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Timestamp

from driveaway.updates.signing.drafting import ending
from driveaway.updates.signing.folder import file_name
from driveaway.updates.signing.roles import SNAPSHOT, TARGETS, TIMESTAMP, Periods
from driveaway.updates.signing.state import State
from driveaway.values.errors import Refused, Unavailable


class OnlineKeys:
    """The keys that a worker signs with.

    Args:
        signers: of snapshot and timestamp. While those keys are rotated, of the old and the new ones.
        periods: how long what they sign holds.
    """

    def __init__(self, signers: Sequence[Signer], periods: Periods) -> None:
        self._signers = signers
        self._periods = periods

    def snapshot(
        self, roots: Sequence[Root], state: State | None, targets: Mapping[str, bytes], at: int
    ) -> Metadata[Snapshot]:
        """The next snapshot, with the length and the hash of each role's metadata.

        Hashes, although TUF leaves them to choice: so no two documents can pass as one version.

        Args:
            roots: newest first; signed for all whose keys are here, and for the newest at least.
            state: what is current; None: of a new repository.
            targets: new metadata of targets roles, as it is served.
            at: when, microseconds since 1970 in UTC.

        Raises:
            Refused: the keys for it are not here.
            Unavailable: they do not answer.
        """
        meta = dict(state.snapshot.signed.meta) if state else {}
        for role, content in targets.items():
            version = Metadata.from_bytes(content).signed.version
            meta[f"{role}.json"] = MetaFile.from_data(version, content, ["sha256"])
        version = state.snapshot.signed.version + 1 if state else 1
        expires = ending(at, self._periods.snapshot)
        return self._signed(roots, SNAPSHOT, Metadata(Snapshot(version=version, expires=expires, meta=meta)))

    def timestamp(
        self, roots: Sequence[Root], state: State | None, snapshot: tuple[int, bytes], at: int
    ) -> Metadata[Timestamp]:
        """The next timestamp, which leads to a snapshot of this version and content; see ``snapshot``."""
        version = state.timestamp.signed.version + 1 if state else 1
        return self._signed(roots, TIMESTAMP, Metadata(Timestamp(
            version=version, expires=ending(at, self._periods.timestamp),
            snapshot_meta=MetaFile.from_data(*snapshot, ["sha256"]),
        )))  # fmt: skip

    def _signed(self, roots: Sequence[Root], role: str, document: Metadata[Any]) -> Metadata[Any]:
        wanted = {keyid for root in roots for keyid in root.roles[role].keyids}
        for signer in self._signers:
            if signer.public_key.keyid in wanted:
                try:
                    document.sign(signer, append=True)
                except UnsignedMetadataError:
                    raise Unavailable(
                        f"a key of {role} did not sign", code="updates.key_unavailable",
                        remedy="check the key's device; what is served stays as it is",
                    ) from None  # fmt: skip
        if not verifies(roots[0], role, document):
            raise Refused(
                f"the keys of {role} are not here", code="updates.online_keys",
                remedy="run this where the online keys are: in the worker",
            )  # fmt: skip
        return document


def verifies(root: Root, role: str, document: Metadata[Any]) -> bool:
    """Whether a top-level document has the signatures that a root asks for."""
    return bool(root.get_verification_result(role, document.signed_bytes, document.signatures))


def bridged(root: Root, documents: Iterable[tuple[str, Metadata[Any]]]) -> bool:
    """Whether documents also have the signatures that another, the old root asks for."""
    return all(verifies(root, role, document) for role, document in documents)


def unversioned(state: State) -> dict[str, str]:
    """Names without versions, for clients that ask for those, and the files that they copy."""
    names = {file_name(SNAPSHOT): file_name(SNAPSHOT, state.snapshot.signed.version)}
    for role, document in state.targets.items():
        names[file_name(role)] = file_name(role, document.signed.version)
    names[file_name("root")] = file_name("root", state.root.signed.version)
    assert file_name(TARGETS) in names
    return names
