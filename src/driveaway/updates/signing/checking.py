"""What may be signed: names that never change their bytes, counters that never fall, whole releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuf.api.metadata import Metadata, TargetFile, Targets

from driveaway.updates.signing.entries import Entry, Release, entry_of
from driveaway.updates.signing.roles import TARGETS, role_for
from driveaway.updates.signing.state import State, ever, suppliers_of
from driveaway.values.errors import Conflict, NotFound, Refused


def check_role(state: State, role: str) -> None:
    """Refuse a role that signs no targets here.

    Raises:
        NotFound: there is none of this name.
    """
    known = (TARGETS, *suppliers_of(state.targets[TARGETS].signed))
    if role not in known:
        raise NotFound(
            f"{role!r} signs no targets here",
            code="updates.supplier_unknown",
            remedy=f"one of {', '.join(known)}",
        )


def check_supplied(state: State, name: str, documents: Mapping[str, Metadata[Any]]) -> tuple[str, Targets]:
    """Refuse what a supplier proposed on its own side unless it is its own targets alone: role and targets.

    Raises:
        NotFound: nobody delegates to it.
        Refused: it says more than that, or breaks a promise (``check_targets``).
        Conflict: a path was given to something else before.
    """
    role = next(iter(documents), "")
    check_role(state, role)
    signed = documents[role].signed
    if (
        len(documents) > 1
        or role == TARGETS
        or not isinstance(signed, Targets)
        or signed.delegations is not None
    ):
        raise Refused(
            "a supplier proposes its own targets alone", code="updates.supplier_proposal", place=name,
            remedy="make it anew with driveaway release supplier sign",
        )  # fmt: skip
    check_targets(state, role, signed)
    return role, signed


def check_targets(state: State, role: str, draft: Targets) -> None:
    """Refuse targets of a role that break a promise which earlier ones made.

    Raises:
        Refused: a path belongs to another role, a release counter falls, or a release is not whole.
        Conflict: a path was given to something else before.
    """
    named = {other: ever(document.signed) for other, document in state.targets.items()}
    earlier, before = named[role], state.targets[role].signed.targets
    if lost := earlier.keys() - ever(draft).keys():
        raise Refused(
            "it is withdrawn without a trace", code="updates.name_taken", place=min(lost),
            remedy="drop the proposal, and withdraw it by `remove`",
        )  # fmt: skip
    counters = _counters(named)
    entries = {path: entry_of(target) for path, target in draft.targets.items()}
    for path, entry in entries.items():
        if path in before and before[path] == draft.targets[path]:
            continue
        if role_for(path) != role:
            raise Refused(
                f"{role} may not sign it", code="updates.path_owner", place=path,
                remedy=f"{role_for(path)} signs it, or take another path",
            )  # fmt: skip
        if role != TARGETS and not _delegated(state, role, path):
            raise Refused(
                f"{role} may not sign it", code="updates.path_owner", place=path,
                remedy="take a path that the maker delegates to it",
            )  # fmt: skip
        if path in earlier and earlier[path] != draft.targets[path]:
            raise Conflict(
                "this name was given to something else", code="updates.name_taken", place=path,
                remedy="take a new name: names never change what they mean",
            )  # fmt: skip
        _check_counter(entry, counters)
    if role == TARGETS:
        _check_releases(state, entries)
    elif any(entry.custom.release for entry in entries.values()):
        raise Refused(
            "a supplier composes no release", code="updates.release_owner", place=role,
            remedy="leave `release` out, and let the maker's release name the target",
        )  # fmt: skip


def _delegated(state: State, role: str, path: str) -> bool:
    """Whether a path has the pattern that is delegated to a supplier."""
    delegations = state.targets[TARGETS].signed.delegations
    named = (delegations.roles if delegations is not None else None) or {}
    return role in named and named[role].is_delegated_path(path)


def _counters(named: Mapping[str, Mapping[str, TargetFile]]) -> dict[str, tuple[int, str]]:
    """Highest release counter that was ever signed for each module, withdrawn ones too, with its version."""
    highest: dict[str, tuple[int, str]] = {}
    for targets in named.values():
        for target in targets.values():
            custom = entry_of(target).custom
            highest[custom.module] = max(
                highest.get(custom.module, (-1, "")), (custom.counter, custom.version)
            )
    return highest


def _check_counter(entry: Entry, counters: Mapping[str, tuple[int, str]]) -> None:
    custom = entry.custom
    highest, version = counters.get(custom.module, (-1, ""))
    if custom.counter < highest or (custom.counter == highest and custom.version != version):
        raise Refused(
            f"{custom.module} {custom.version} has release counter {custom.counter}, {version} has {highest}",
            code="updates.counter",
            place=entry.path,
            remedy=f"give it a counter above {highest}",
            field="counter",
        )


def _check_releases(state: State, entries: Mapping[str, Entry]) -> None:
    digests = {path: entry.sha256 for path, entry in entries.items()}
    for role in suppliers_of(state.targets[TARGETS].signed):
        signed = state.targets[role].signed.targets
        digests.update({path: target.hashes["sha256"] for path, target in signed.items()})
    releases: dict[tuple[str, str], Release] = {}
    for path, entry in entries.items():
        release = entry.custom.release
        if release is None:
            continue
        wrong = sorted(p for p, digest in release.targets.items() if digests.get(p) != digest)
        if wrong or path not in release.targets:
            what = wrong[0] if wrong else path
            raise Refused(
                f"release {release.name} {release.version} names {what} wrongly or not",
                code="updates.release",
                place=path,
                remedy="name each target of the release with the SHA-256 that is signed",
            )
        if releases.setdefault((release.name, release.version), release) != release:
            raise Refused(
                f"release {release.name} {release.version} is composed in two ways",
                code="updates.release",
                place=path,
                remedy="let each of its targets name the same release",
            )
