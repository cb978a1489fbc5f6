"""What a repository says now: the metadata that its timestamp leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, TargetFile, Targets, Timestamp

from driveaway.updates.signing.folder import Folder, file_name
from driveaway.updates.signing.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from driveaway.values.errors import NotFound, Tampered

WITHDRAWN: Final = "x-driveaway-withdrawn"
"""Field of signed targets: what was withdrawn from them, by path, so that no name is ever given twice."""
S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True)
class State:
    """The newest metadata of every role that clients are led to.

    Attributes:
        root: the newest root.
        timestamp: what leads to everything else.
        snapshot: named by the timestamp.
        targets: the top-level targets and every supplier's, by role.
    """

    root: Metadata[Root]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Mapping[str, Metadata[Targets]]

    def signed(self) -> Iterator[tuple[str, Signed]]:
        """What is signed by each role that is still delegated to."""
        yield ROOT, self.root.signed
        for role, document in self.targets.items():
            if role == TARGETS or role in suppliers_of(self.targets[TARGETS].signed):
                yield role, document.signed
        yield SNAPSHOT, self.snapshot.signed
        yield TIMESTAMP, self.timestamp.signed

    def version(self, role: str) -> int:
        """Version of a role; 0: it has signed nothing yet."""
        if role == ROOT:
            return self.root.signed.version
        return self.targets[role].signed.version if role in self.targets else 0


def read_state(folder: Folder) -> State:
    """The state of a repository.

    Raises:
        NotFound: there is no repository.
        Tampered: a file is missing or cannot be read.
    """
    versions = folder.versions(ROOT)
    if not versions or folder.read(file_name(TIMESTAMP)) is None:
        raise NotFound(
            "there is no repository",
            code="updates.repository",
            place=str(folder.metadata),
            remedy="create it, with the keys of its root",
        )
    root = load(folder, file_name(ROOT, versions[-1]), Root)
    timestamp = load(folder, file_name(TIMESTAMP), Timestamp)
    snapshot = load(folder, file_name(SNAPSHOT, timestamp.signed.snapshot_meta.version), Snapshot)
    targets = {
        name.removesuffix(".json"): load(folder, file_name(name.removesuffix(".json"), meta.version), Targets)
        for name, meta in snapshot.signed.meta.items()
    }
    return State(root, timestamp, snapshot, targets)


def load(folder: Folder, name: str, kind: type[S]) -> Metadata[S]:
    """One file of metadata.

    Raises:
        Tampered: it is missing, cannot be read, or is of another role.
    """
    content = folder.read(name)
    if content is None:
        raise _damaged(folder, name, "it is missing")
    try:
        document: Metadata[S] = Metadata.from_bytes(content)
    except RepositoryError as error:
        raise _damaged(folder, name, str(error)) from error
    if not isinstance(document.signed, kind):
        raise _damaged(folder, name, f"it is {document.signed.type}")
    return document


def _damaged(folder: Folder, name: str, why: str) -> Tampered:
    return Tampered(
        f"metadata of the repository: {why}", code="updates.repository_damaged",
        place=str(folder.metadata / name), remedy="restore the folder from a backup",
    )  # fmt: skip


def suppliers_of(targets: Targets) -> tuple[str, ...]:
    """The roles that top-level targets delegate to."""
    if targets.delegations is None or targets.delegations.roles is None:
        return ()
    return tuple(targets.delegations.roles)


def ever(targets: Targets) -> dict[str, TargetFile]:
    """Every target that a role has named so far, by path: those of now, and those that it withdrew."""
    withdrawn = targets.unrecognized_fields.get(WITHDRAWN, {})
    return {path: TargetFile.from_dict(dict(named), path) for path, named in withdrawn.items()} | dict(
        targets.targets
    )
