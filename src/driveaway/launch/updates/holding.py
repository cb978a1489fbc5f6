"""Who holds the keys: making and registering them, the roles that they fill, the first root, later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driveaway.launch.persons import check_person
from driveaway.launch.updates.opening import Updates
from driveaway.updates.signing.keys import FILES
from driveaway.updates.signing.public import check_uri, public_key
from driveaway.updates.signing.roles import ONLINE, ROOT, Roles, Rule
from driveaway.values.errors import BadValue, NotFound, Refused
from driveaway.values.ids import parse_slug

if TYPE_CHECKING:
    from driveaway.updates.signing.keys import Secret
    from driveaway.updates.signing.proposals import Proposal

FOUNDING = "founding"
"""Name of the proposal of a repository's first root."""


@dataclass(frozen=True)
class RoleKeys:
    """Names of the keys of a role, and how many of them must sign."""

    names: tuple[str, ...]
    threshold: int


def new_key(
    updates: Updates,
    name: str,
    holder: str,
    *,
    kind: str = "ed25519",
    passphrase: str = "",
    force: bool = False,
) -> None:
    """Make a key in a file: for demonstrations and tests.

    Args:
        updates: where.
        name: of the key.
        holder: account name of its holder; "" for one of the worker's.
        kind: ``ed25519``, ``ecdsa`` or ``rsa``.
        passphrase: encrypts the file; "": it is not.
        force: also where the launch is no demonstration.

    Raises:
        Refused: the launch is no demonstration, and it is not forced.
        BadValue: the name is taken, or one of the arguments cannot be.
    """
    _check_files(updates, force)
    if holder:
        parse_slug(holder)
    updates.keys.generate(str(parse_slug(name)), holder, kind=kind, passphrase=passphrase)
    # The launch folder is kept in git; private keys are not.
    (updates.keys_folder / ".gitignore").write_text("*.pem\n", encoding="utf-8")


def add_key(
    updates: Updates, name: str, holder: str, uri: str, public: bytes, *, force: bool = False
) -> None:
    """Register a key whose private half is in a security module, a key service, or with its holder alone.

    Args:
        updates: where.
        name: of the key.
        holder: account name of its holder; "" for one of the worker's.
        uri: by which securesystemslib reaches the private half; "": only its holder has it, who signs
            proposals that are carried there.
        public: the public half in PEM.
        force: also where the URI leads to a file.

    Raises:
        BadValue: no such scheme of URIs, not a public key, or the name is taken.
        Refused: it leads to a file, and is not forced.
    """
    if uri:
        check_uri(uri)
    elif not holder:
        raise BadValue(
            "a key that is not here has a holder", code="updates.holders", remedy="name who has it"
        )
    if uri.partition(":")[0] == FILES:
        _check_files(updates, force)
    if holder:
        parse_slug(holder)
    updates.keys.add(str(parse_slug(name)), holder, uri, public_key(public))


def init(
    updates: Updates,
    root: RoleKeys,
    targets: RoleKeys,
    snapshot: Sequence[str],
    timestamp: Sequence[str],
    *,
    by: str,
    at: int,
) -> Proposal:
    """Propose the first root: which keys sign for whom. Nothing holds before it is signed and published.

    Args:
        updates: where.
        root: keys of persons, who say which keys count.
        targets: keys of persons, who sign releases.
        snapshot: keys of the worker, any of which will do.
        timestamp: keys of the worker, any of which will do.
        by: account name of the author.
        at: now.

    Raises:
        NotFound: there is no such key.
        BadValue: a role that one person could fill alone, or a key for persons and the worker alike.
        Conflict: there is a repository already.
    """
    check_person(updates, by, "publish")
    return updates.repository().begin(
        FOUNDING, _roles(updates, root, targets, snapshot, timestamp), by=by, at=at
    )


def rotate(
    updates: Updates,
    name: str,
    root: RoleKeys,
    targets: RoleKeys,
    snapshot: Sequence[str],
    timestamp: Sequence[str],
    *,
    by: str,
    at: int,
    reason: str = "",
) -> Proposal:
    """Propose other keys or thresholds; the old root's threshold and the new one's must both sign it.

    Raises:
        NotFound, BadValue: as with ``init``.
        Conflict: there is a proposal of this name.
    """
    check_person(updates, by, "publish")
    roles = _roles(updates, root, targets, snapshot, timestamp)
    return updates.repository().rotate(name, roles, by=by, at=at, reason=reason)


def renew(updates: Updates, name: str, role: str, *, by: str, at: int, reason: str = "") -> Proposal:
    """Propose that root or targets hold for a further period, unchanged.

    Raises:
        NotFound: there is no such role.
        Conflict: there is a proposal of this name.
    """
    check_person(updates, by, "publish")
    repository = updates.repository()
    if role == ROOT:
        return repository.rotate(name, None, by=by, at=at, reason=reason or "renewal")
    return repository.propose(name, by=by, at=at, role=role, reason=reason or "renewal")


def online_signers(updates: Updates, *, secret: Secret | None = None, files: bool = False) -> list[Any]:
    """What signs snapshot and timestamp: every key of the ring that a root, signed or proposed, names for it.

    Raises:
        Refused: a key lies in a file and is not forced.
        Unavailable: a key cannot be reached.
    """
    repository = updates.repository()
    wanted: set[str] = set()
    for document in [proposal.metadata().get(ROOT) for proposal in repository.proposals()]:
        if document is not None:
            wanted.update(_online_ids(document.signed))
    try:
        wanted.update(_online_ids(repository.state().root.signed))
    except NotFound:
        if not wanted:
            raise
    names = [name for name in updates.keys if updates.keys.public(name).keyid in wanted]
    return [updates.keys.signer(name, secret, files=files or updates.is_trial) for name in names]


def _online_ids(root: Any) -> set[str]:
    return {keyid for role in ONLINE for keyid in root.roles[role].keyids}


def _roles(
    updates: Updates, root: RoleKeys, targets: RoleKeys, snapshot: Sequence[str], timestamp: Sequence[str]
) -> Roles:
    def rule(names: Sequence[str], threshold: int) -> Rule:
        return Rule(tuple(updates.keys.public(name) for name in names), threshold)

    return Roles(
        root=rule(root.names, root.threshold),
        targets=rule(targets.names, targets.threshold),
        snapshot=rule(snapshot, 1),
        timestamp=rule(timestamp, 1),
    )


def _check_files(updates: Updates, force: bool) -> None:
    if not (force or updates.is_trial):
        raise Refused(
            "private keys in files are for demonstrations and tests",
            code="updates.file_key",
            remedy="keep the key in a security module or a key service and add it by its URI, or force it",
        )
