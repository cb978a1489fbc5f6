"""From a signed proposal to files, in an order that never shows half of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuf.api.metadata import Metadata

from driveaway.updates.signing.folder import file_name
from driveaway.updates.signing.online import OnlineKeys, bridged, verifies
from driveaway.updates.signing.proposals import Proposal, standing
from driveaway.updates.signing.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from driveaway.updates.signing.state import State, suppliers_of
from driveaway.values.clock import moment
from driveaway.values.errors import Conflict, Refused


def check_publishable(state: State | None, proposal: Proposal, by: str, at: int) -> None:
    """Refuse a proposal that may not be published.

    Args:
        state: what is current; None: nothing is.
        proposal: with its signatures.
        by: account name of who approves.
        at: when, microseconds since 1970 in UTC.

    Raises:
        Conflict: something else was published since.
        Refused: see ``Repository.publish``.
    """
    documents = proposal.metadata()
    for role, document in documents.items():
        _check_next(state, proposal, role, document)
        if document.signed.is_expired(moment(at)):
            raise Refused(
                f"its {role} has expired", code="updates.expired", place=proposal.name,
                remedy="drop it, and propose it again",
            )  # fmt: skip
    if by == proposal.author:
        raise Refused(
            f"{by} proposed {proposal.name} and cannot approve it too", code="updates.four_eyes",
            remedy="let somebody else approve it",
        )  # fmt: skip
    # What was published before a crash is judged by the root of then, which its own may have replaced.
    for stand in standing(None if _is_current(state, ROOT, documents) else state, proposal):
        if stand.missing:
            raise Refused(
                f"{stand.role} lacks {stand.missing} signature{'s' if stand.missing > 1 else ''}",
                code="updates.unsigned",
                place=proposal.name,
                remedy="let further holders of its keys sign",
            )
        if not stand.four_eyes:
            raise Refused(
                f"nobody but its author {proposal.author} has signed {stand.role}", code="updates.four_eyes",
                place=proposal.name, remedy="let somebody else sign",
            )  # fmt: skip
    _check_still_valid(state, documents)


def publication(
    online: OnlineKeys, state: State | None, proposal: Proposal, at: int
) -> list[tuple[str, bytes]]:
    """The files that publish a proposal, in their order.

    A new root comes after everything else when that also has the old keys' signatures, so that cars
    find it valid before and after; and before the timestamp when old keys are lost.

    Raises:
        Refused, Unavailable: see ``OnlineKeys``.
    """
    documents = proposal.metadata()
    root = documents[ROOT].signed if ROOT in documents else None
    roots = [r for r in (root, state.root.signed if state else None) if r is not None]
    targets = {role: proposal.documents[role].encode() for role in documents if role != ROOT}
    changed = {role: c for role, c in targets.items() if not _is_current(state, role, documents)}
    snapshot = online.snapshot(roots, state, changed, at)
    content = snapshot.to_bytes()
    timestamp = online.timestamp(roots, state, (snapshot.signed.version, content), at)
    first = [(file_name(role, documents[role].signed.version), text) for role, text in changed.items()]
    first.append((file_name(SNAPSHOT, snapshot.signed.version), content))
    copies = [(file_name(role), text) for role, text in changed.items()]
    last = [*copies, (file_name(SNAPSHOT), content), (file_name(TIMESTAMP), timestamp.to_bytes())]
    if root is None:
        return [*first, *last]
    text = proposal.documents[ROOT].encode()
    new_root = [(file_name(ROOT, root.version), text), (file_name(ROOT), text)]
    signed: list[tuple[str, Metadata[Any]]] = [(SNAPSHOT, snapshot), (TIMESTAMP, timestamp)]
    if state is not None:
        signed.append((TARGETS, documents.get(TARGETS, state.targets[TARGETS])))
    if state is not None and bridged(state.root.signed, signed):
        return [*first, *last, *new_root]
    return [*first, *new_root, *last]


def _is_current(state: State | None, role: str, documents: Mapping[str, Metadata[Any]]) -> bool:
    """Whether a crash came after this document was published."""
    if state is None or role not in documents:
        return False
    current: Metadata[Any] | None = state.root if role == ROOT else state.targets.get(role)
    return current is not None and current.signed_bytes == documents[role].signed_bytes


def _check_next(state: State | None, proposal: Proposal, role: str, document: Metadata[Any]) -> None:
    current = state.version(role) if state else 0
    again = state is not None and _is_current(state, role, {role: document})
    if document.signed.version != current + 1 and not again:
        raise Conflict(
            f"{role} is at version {current}, and this is version {document.signed.version}",
            code="updates.overtaken",
            place=proposal.name,
            remedy="drop it, and propose it again upon what is published",
        )


def _check_still_valid(state: State | None, documents: Mapping[str, Metadata[Any]]) -> None:
    """Refuse what would leave metadata that cars cannot verify any more."""
    if state is None:
        return
    if TARGETS not in documents:
        if ROOT in documents and not verifies(documents[ROOT].signed, TARGETS, state.targets[TARGETS]):
            raise _stranded(TARGETS)
        return
    targets = documents[TARGETS].signed
    for role in suppliers_of(targets):
        own = documents.get(role, state.targets.get(role))
        if own is None or not targets.get_verification_result(role, own.signed_bytes, own.signatures):
            raise _stranded(role)


def _stranded(role: str) -> Refused:
    return Refused(
        f"what {role} signed before would not hold any more", code="updates.stranded",
        remedy=f"let the same proposal renew {role}",
    )  # fmt: skip
