"""A repository of The Update Framework (TUF 1.0): what persons propose and sign, and a worker publishes.

Every file is written whole. Cars are led by the timestamp, which is written after all that it leads
to; so a crash between any two files leaves what was served before, or what is served next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, Root

from driveaway.updates.signing.bundle import pack
from driveaway.updates.signing.checking import check_role, check_supplied, check_targets
from driveaway.updates.signing.drafting import Drafting
from driveaway.updates.signing.entries import Entry
from driveaway.updates.signing.folder import Folder, write_whole
from driveaway.updates.signing.online import OnlineKeys, unversioned, verifies
from driveaway.updates.signing.proposals import Proposal, Standing, merged, standing, welcome
from driveaway.updates.signing.publishing import check_publishable, publication
from driveaway.updates.signing.roles import (
    ONLINE,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    Periods,
    Roles,
    Supplier,
    holder_of,
    holders_in,
    supplier_role,
)
from driveaway.updates.signing.state import State, read_state
from driveaway.values.clock import instant, moment
from driveaway.values.errors import Conflict, NotFound, Refused
from driveaway.values.ids import parse_slug


@dataclass(frozen=True)
class RoleStatus:
    """Where a role stands.

    Attributes:
        role: its name.
        version: of its metadata.
        expires: when, microseconds since 1970 in UTC.
        threshold: signatures that it needs.
        holders: of its keys, "" for a worker's.
        online: whether a worker signs it.
        due: whether it should be signed again now.
        expired: whether cars refuse it by now.
    """

    role: str
    version: int
    expires: int
    threshold: int
    holders: tuple[str, ...]
    online: bool
    due: bool
    expired: bool


class Repository:
    """The metadata of signed releases, in a folder.

    Args:
        folder: of the repository; ``metadata`` in it is what is served.
        online: signers of snapshot and timestamp; only a worker has them.
        periods: how long each role's metadata holds.
    """

    def __init__(self, folder: Path, online: Sequence[Signer] = (), periods: Periods | None = None) -> None:
        self._folder = Folder(folder)
        self._periods = periods or Periods()
        self._online = OnlineKeys(online, self._periods)

    @property
    def metadata(self) -> Path:
        """The folder that is served."""
        return self._folder.metadata

    @classmethod
    def create(
        cls,
        folder: Path,
        roles: Roles,
        signers: Sequence[Signer],
        at: int,
        periods: Periods | None = None,
    ) -> Repository:
        """A new, empty repository with all its keys at hand: for demonstrations and tests.

        Where the keys are with their holders, ``begin`` it, let each sign, and ``publish``.
        """
        repository = cls(folder, signers, periods)
        author = holder_of(roles.root.keys[0])
        repository.begin("founding", roles, by=author, at=at)
        for signer in signers:
            if signer.public_key.keyid not in {key.keyid for r in ONLINE for key in getattr(roles, r).keys}:
                repository.sign("founding", signer)
        repository.publish("founding", by=holder_of(roles.root.keys[1]), at=at)
        return repository

    # --- proposing ---------------------------------------------------------------------------

    def begin(self, name: str, roles: Roles, *, by: str, at: int) -> Proposal:
        """Propose the first root and empty targets of a new repository."""
        self._folder.make()
        return self._stage(name, None, self._drafting(by, "founding", at).first(roles))

    def propose(
        self,
        name: str,
        entries: Iterable[Entry] = (),
        *,
        by: str,
        at: int,
        role: str = TARGETS,
        remove: Collection[str] = (),
        reason: str = "",
    ) -> Proposal:
        """Propose the next targets of a role; without a change, to renew them.

        Args:
            name: slug of the proposal.
            entries: artifacts to add.
            by: account name of the author, who cannot be the one who approves.
            at: when, microseconds since 1970 in UTC.
            role: ``targets``, or a supplier's (``supplier_role``).
            remove: paths to withdraw.
            reason: why; it is signed and public.

        Raises:
            NotFound: no such role or path.
            Refused: a path belongs to another role, a release counter falls, a release is not whole.
            Conflict: a path was given to something else before, or there is such a proposal.
        """
        state = self.state()
        check_role(state, role)
        drafts = self._drafting(by, reason, at).targets(state, role, entries, remove)
        check_targets(state, role, drafts[role].signed)
        return self._stage(name, state, drafts)

    def delegate(self, name: str, supplier: Supplier, *, by: str, at: int, reason: str = "") -> Proposal:
        """Propose that a supplier signs the targets under its path, or that it does so with other keys."""
        state = self.state()
        return self._stage(name, state, self._drafting(by, reason, at).delegation(state, supplier))

    def undelegate(self, name: str, supplier: str, *, by: str, at: int, reason: str = "") -> Proposal:
        """Propose that a supplier signs no more; what it signed is worth nothing from then on."""
        state = self.state()
        drafts = self._drafting(by, reason, at).revocation(state, supplier_role(supplier))
        return self._stage(name, state, drafts)

    def rotate(self, name: str, roles: Roles | None, *, by: str, at: int, reason: str = "") -> Proposal:
        """Propose the next root, with other keys or thresholds; None: with the same, to renew it.

        The old root's threshold and the new one's must both sign it (TUF 1.0, section 6.1).
        """
        state = self.state()
        return self._stage(name, state, self._drafting(by, reason, at).root(state, roles))

    def drop(self, name: str) -> None:
        """Forget a proposal that was not published."""
        with self._folder.locked():
            self.proposal(name)
            self._staged(name).unlink()

    # --- signing -----------------------------------------------------------------------------

    def proposals(self) -> tuple[Proposal, ...]:
        """What is staged, by name."""
        return tuple(Proposal.parse(path.read_bytes()) for path in sorted(self._folder.staged.glob("*.json")))

    def proposal(self, name: str) -> Proposal:
        """A staged proposal; ``encode`` makes the file that is carried to where its keys are.

        Raises:
            NotFound: there is none.
        """
        try:
            return Proposal.parse(self._staged(name).read_bytes())
        except FileNotFoundError:
            raise NotFound(f"there is no proposal {name!r}", code="updates.proposal_unknown") from None

    def standing(self, name: str) -> list[Standing]:
        """Who has signed a proposal, and what is missing."""
        return standing(self._state_or_none(), self.proposal(name))

    def sign(self, name: str, signer: Signer) -> Proposal:
        """Add one person's signatures to a staged proposal.

        Raises:
            Refused: the key may not sign it.
            Unavailable: the key cannot be reached.
        """
        return self.add(self.proposal(name).signed_by(signer))

    def add(self, copy: Proposal) -> Proposal:
        """Take over the signatures of a copy that was signed elsewhere; each is verified.

        Raises:
            NotFound: no such proposal is staged.
            Refused: the copy says something else, or a signature is not valid.
        """
        with self._folder.locked():
            proposal = merged(self._state_or_none(), self.proposal(copy.name), copy)
            write_whole(self._staged(copy.name), proposal.encode())
        return proposal

    def take(self, copy: Proposal) -> Proposal:
        """Stage what a supplier proposed on its own side, with its signatures; each is verified.

        Raises:
            NotFound: nobody delegates to it.
            Refused: it says more than what the supplier signs, a path is not the supplier's, or a signature
                is not valid.
            Conflict: a path was given to something else before, or there is such a proposal.
        """
        state = self.state()
        role, signed = check_supplied(state, copy.name, copy.metadata())
        self._stage(copy.name, state, {role: Metadata(deepcopy(signed))})
        try:
            return self.add(copy)
        except Refused:
            self.drop(copy.name)
            raise

    # --- publishing --------------------------------------------------------------------------

    def publish(self, name: str, *, by: str, at: int) -> None:
        """Publish a proposal. After a crash in its midst ``resign`` completes it.

        Args:
            name: of the proposal.
            by: account name of who approves.
            at: when, microseconds since 1970 in UTC.

        Raises:
            NotFound: there is no such proposal.
            Refused: signatures are missing, nobody but the author has signed or approves, or the online
                keys are not here.
            Conflict: something else was published since it was proposed.
        """
        with self._folder.locked():
            self._publish(name, by, at)

    def due(self, at: int) -> tuple[str, ...]:
        """Roles that should be signed again: a worker does it for the online ones, persons for the others."""
        return tuple(role.role for role in self.status(at) if role.due)

    def resign(self, at: int) -> tuple[str, ...]:
        """Sign again what is due of snapshot and timestamp, and complete what a crash left half done.

        Nothing happens when nothing is due: a worker calls it as often as it likes.

        Returns:
            The roles that were signed.
        """
        with self._folder.locked():
            self._complete(at)
            state = self.state()
            due = [role for role in ONLINE if self._is_due(state, role, at)]
            if SNAPSHOT in due:
                snapshot = self._online.snapshot([state.root.signed], state, {}, at)
                content = (snapshot.signed.version, snapshot.to_bytes())
                self._folder.write(f"{content[0]}.snapshot.json", content[1])
            else:
                version = state.snapshot.signed.version
                content = (version, self._folder.read(f"{version}.snapshot.json") or b"")
            if due:
                timestamp = self._online.timestamp([state.root.signed], state, content, at)
                self._folder.write("snapshot.json", content[1])
                self._folder.write("timestamp.json", timestamp.to_bytes())
                state = self.state()
            for copy, original in unversioned(state).items():
                self._folder.write(copy, self._folder.read(original) or b"")
        if SNAPSHOT in due and TIMESTAMP not in due:
            due.append(TIMESTAMP)
        return tuple(due)

    # --- reading -----------------------------------------------------------------------------

    def state(self) -> State:
        """The metadata that cars are led to now.

        Raises:
            NotFound: nothing was published yet.
            Tampered: a file is missing or damaged.
        """
        return read_state(self._folder)

    def status(self, at: int) -> tuple[RoleStatus, ...]:
        """Where each role stands: version, threshold, holders, and whether it is due or expired."""
        state = self.state()
        return tuple(self._status(state, role, signed, at) for role, signed in state.signed())

    def holders(self, proposal: str) -> dict[str, str]:
        """Who holds the keys that a proposal is about, by the keys' ids: as published, and as proposed."""
        state = self._state_or_none()
        documents: list[Metadata[Any]] = [] if state is None else [state.root, *state.targets.values()]
        return holders_in([*documents, *self.proposal(proposal).metadata().values()])

    def bundle(self) -> bytes:
        """The metadata of now as one file, for cars that fetch artifacts only (``bundle``)."""
        state = self.state()
        names = [f"{version}.root.json" for version in self._folder.versions(ROOT)]
        names += ["timestamp.json", *sorted(set(unversioned(state).values()) - set(names))]
        return pack({name: self._folder.read(name) or b"" for name in names})

    def _status(self, state: State, role: str, signed: Any, at: int) -> RoleStatus:
        delegator = (
            state.targets[TARGETS].signed if role not in state.root.signed.roles else state.root.signed
        )
        rule = delegator.get_delegated_role(role)
        return RoleStatus(
            role=role,
            version=signed.version,
            expires=instant(signed.expires),
            threshold=rule.threshold,
            holders=tuple(sorted(holder_of(delegator.get_key(keyid)) for keyid in rule.keyids)),
            online=role in ONLINE,
            due=self._is_due(state, role, at),
            expired=signed.is_expired(moment(at)),
        )

    def _is_due(self, state: State, role: str, at: int) -> bool:
        signed = dict(state.signed())[role]
        if signed.expires - timedelta(seconds=self._periods.of(role).renew) <= moment(at):
            return True
        if role not in ONLINE:
            return False
        # After a rotation: signed by keys that are none any more.
        document: Metadata[Any] = state.snapshot if role == SNAPSHOT else state.timestamp
        root: Root = state.root.signed
        return not verifies(root, role, document)

    def _publish(self, name: str, by: str, at: int) -> None:
        proposal, state = self.proposal(name), self._state_or_none()
        check_publishable(state, proposal, by, at)
        for role, document in proposal.metadata().items():
            if state is not None and role in state.targets:
                check_targets(state, role, document.signed)
        files = publication(self._online, state, proposal, at)
        # All is signed by now: from here on nothing but a crash can interrupt, and then this says where.
        self._folder.begin(name, by)
        for file, content in files:
            self._folder.write(file, content)
        self._staged(name).unlink()
        self._folder.end()

    def _complete(self, at: int) -> None:
        begun = self._folder.begun()
        if begun is not None:
            if self._staged(begun[0]).exists():
                self._publish(*begun, at)
            self._folder.end()

    def _drafting(self, by: str, reason: str, at: int) -> Drafting:
        return Drafting(parse_slug(by), reason, at, self._periods)

    def _stage(self, name: str, state: State | None, drafts: dict[str, Metadata[Any]]) -> Proposal:
        signers = {role: welcome(role, state, drafts) for role in drafts}
        proposal = Proposal.of(name, drafts, signers)
        path = self._staged(name)
        with self._folder.locked():
            if path.exists():
                raise Conflict(
                    f"there is a proposal {name!r} already",
                    code="updates.proposal_exists",
                    remedy="take another name, or drop it",
                )
            write_whole(path, proposal.encode())
        return proposal

    def _staged(self, name: str) -> Path:
        return self._folder.staged / f"{parse_slug(name)}.json"

    def _state_or_none(self) -> State | None:
        try:
            return self.state()
        except NotFound:
            return None
