"""Metadata that waits for its signatures: four eyes and thresholds, one person after another.

A proposal is one file. It can be carried to a machine without a network, be signed there, and come
back: what is added is verified again against the repository's own keys. Its author stands inside
what is signed, so that nobody can become another author's second pair of eyes by editing the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Targets

from driveaway.updates.signing.roles import ROOT, TARGETS, holder_of, key_named
from driveaway.updates.signing.state import State
from driveaway.values.errors import BadValue, Refused, Unavailable

AUTHOR: Final = "x-driveaway-author"
REASON: Final = "x-driveaway-reason"
Delegator = Root | Targets


class Proposal(msgspec.Struct, frozen=True):
    """New versions of some roles' metadata, published together or not at all.

    Attributes:
        name: slug.
        documents: the metadata of each role, as JSON text with the signatures gathered so far.
        signers: ids of the keys that may sign each role's; a help for whoever signs, no authority.
    """

    name: str
    documents: dict[str, str]
    signers: dict[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, name: str, documents: Mapping[str, Metadata[Any]], signers: Mapping[str, Iterable[str]]
    ) -> Proposal:
        """A proposal of these documents."""
        texts = {role: document.to_bytes().decode() for role, document in documents.items()}
        return cls(name, texts, {role: tuple(keyids) for role, keyids in signers.items()})

    @classmethod
    def parse(cls, content: bytes) -> Proposal:
        """Read a proposal's file.

        Raises:
            BadValue: it is none, or its documents name different authors.
        """
        try:
            proposal = msgspec.json.decode(content, type=cls)
            authors = {author_of(document) for document in proposal.metadata().values()}
            if len(authors) != 1 or "" in authors:
                raise ValueError("its documents do not have one author")
        except (msgspec.DecodeError, RepositoryError, ValueError) as error:
            raise BadValue(
                f"not a proposal: {error}", code="updates.proposal", remedy="export it again"
            ) from error
        return proposal

    def encode(self) -> bytes:
        """The proposal's file."""
        return msgspec.json.format(msgspec.json.encode(self))

    def metadata(self) -> dict[str, Metadata[Any]]:
        """The documents by role."""
        return {role: Metadata.from_bytes(text.encode()) for role, text in self.documents.items()}

    @property
    def author(self) -> str:
        """Account name of who proposed it, as it is signed."""
        return next(author_of(document) for document in self.metadata().values())

    @property
    def reason(self) -> str:
        """Why it was proposed, as it is signed."""
        document = next(iter(self.metadata().values()))
        return str(document.signed.unrecognized_fields.get(REASON, ""))

    def signed_by(self, signer: Signer) -> Proposal:
        """The same with one key's signatures added: needs the key alone, no repository and no network.

        Raises:
            Refused: the key signs nothing of this.
            Unavailable: the key cannot be reached.
        """
        documents = self.metadata()
        keyid = signer.public_key.keyid
        mine = [role for role in documents if keyid in self.signers.get(role, ())]
        if not mine:
            raise Refused(
                f"{key_named(signer.public_key)} signs nothing of {self.name}",
                code="updates.signer",
                remedy="sign with a key of the roles that it changes",
            )
        for role in mine:
            try:
                documents[role].sign(signer, append=True)
            except UnsignedMetadataError:
                raise Unavailable(
                    f"{key_named(signer.public_key)} did not sign",
                    code="updates.key_unavailable",
                    remedy="check the key's device and the secret given",
                ) from None
        return Proposal.of(self.name, documents, self.signers)


def author_of(document: Metadata[Any]) -> str:
    """Account name of a document's author, or ""."""
    return str(document.signed.unrecognized_fields.get(AUTHOR, ""))


@dataclass(frozen=True)
class Standing:
    """How far the signing of one role's document has come.

    Attributes:
        role: its role.
        signed: holders whose signatures are valid.
        missing: signatures that are still needed.
        four_eyes: whether somebody other than the author has signed.
    """

    role: str
    signed: tuple[str, ...]
    missing: int
    four_eyes: bool

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.missing == 0 and self.four_eyes


def delegators(role: str, state: State | None, documents: Mapping[str, Metadata[Any]]) -> list[Delegator]:
    """Who names the keys that must sign a role's document; for a new root, the old root and itself."""
    new_root = documents[ROOT].signed if ROOT in documents else None
    if role == ROOT:
        return [root for root in (state.root.signed if state else None, new_root) if root is not None]
    if role == TARGETS:
        return [new_root or _existing(state).root.signed]
    return [documents[TARGETS].signed if TARGETS in documents else _existing(state).targets[TARGETS].signed]


def welcome(role: str, state: State | None, documents: Mapping[str, Metadata[Any]]) -> dict[str, Key]:
    """Keys whose signatures are kept: those that must sign, and old ones that bridge a rotation."""
    among = delegators(role, state, documents)
    if role != ROOT and state is not None:
        among += delegators(role, state, {})[:1] if role == TARGETS or role in state.targets else []
    keys: dict[str, Key] = {}
    for delegator in among:
        try:
            named = delegator.get_delegated_role(role)
        except ValueError:  # a supplier that is not delegated to yet
            continue
        keys.update({keyid: delegator.get_key(keyid) for keyid in named.keyids})
    return keys


def standing(state: State | None, proposal: Proposal) -> list[Standing]:
    """How far each document of a proposal has come."""
    documents = proposal.metadata()
    return [_standing(role, state, documents) for role in documents]


def _standing(role: str, state: State | None, documents: Mapping[str, Metadata[Any]]) -> Standing:
    document = documents[role]
    results = [
        delegator.get_verification_result(role, document.signed_bytes, document.signatures)
        for delegator in delegators(role, state, documents)
    ]
    holders = {holder_of(key) for result in results for key in result.signed.values()}
    return Standing(
        role,
        tuple(sorted(holders)),
        max(result.missing for result in results),
        bool(holders - {author_of(document), ""}),
    )


def merged(state: State | None, staged: Proposal, other: Proposal) -> Proposal:
    """The staged proposal with the signatures of another copy, each verified.

    Raises:
        Refused: the copy says something else, or a signature is not of a key that may sign, or not valid.
    """
    documents, copies = staged.metadata(), other.metadata()
    if documents.keys() != copies.keys():
        raise _refused("it proposes other roles")
    for role, document in documents.items():
        payload = document.signed_bytes
        if copies[role].signed_bytes != payload:
            raise _refused(f"its {role} says something else")
        keys = welcome(role, state, documents)
        for keyid, signature in copies[role].signatures.items():
            if keyid not in keys:
                raise _refused(f"key {keyid[:8]} may not sign {role}")
            try:
                keys[keyid].verify_signature(signature, payload)
            except UnverifiedSignatureError:
                raise _refused(f"the signature of key {keyid[:8]} over {role} is not valid") from None
            document.signatures[keyid] = signature
    return Proposal.of(staged.name, documents, staged.signers)


def _refused(why: str) -> Refused:
    return Refused(
        why, code="updates.signature", remedy="export the staged proposal again, and sign what it says"
    )


def _existing(state: State | None) -> State:
    if state is None:
        raise Refused("a new repository starts with its root", code="updates.repository")
    return state
