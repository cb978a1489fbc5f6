"""New versions of metadata, ready to be signed by persons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Targets
from tuf.api.metadata import Role as TufRole

from driveaway.updates.signing.entries import Entry, target_of
from driveaway.updates.signing.proposals import AUTHOR, REASON
from driveaway.updates.signing.roles import ROOT, TARGETS, Period, Periods, Roles, Rule, Supplier
from driveaway.updates.signing.state import WITHDRAWN, State
from driveaway.values.clock import moment
from driveaway.values.errors import NotFound


class Drafting:
    """Drafts of one author at one moment.

    Args:
        by: account name of the author; it is signed.
        reason: why; it is signed.
        at: when, microseconds since 1970 in UTC.
        periods: how long each role's metadata holds.
    """

    def __init__(self, by: str, reason: str, at: int, periods: Periods) -> None:
        self._said = {AUTHOR: by, REASON: reason}
        self._at = at
        self._periods = periods

    def first(self, roles: Roles) -> dict[str, Metadata[Any]]:
        """Root and targets of a new repository."""
        root = Root(version=1, expires=self._end(ROOT), consistent_snapshot=True)
        _set_roles(root, roles)
        return {
            ROOT: self._said_in(Metadata(root)),
            TARGETS: self._said_in(Metadata(Targets(version=1, expires=self._end(TARGETS)))),
        }

    def root(self, state: State, roles: Roles | None) -> dict[str, Metadata[Any]]:
        """The next root; with targets, when the keys that sign those change. None: the roles stay."""
        draft = self._next(ROOT, state.root)
        if roles is None:
            return {ROOT: draft}
        before = deepcopy(draft.signed.roles[TARGETS])
        _set_roles(draft.signed, roles)
        if draft.signed.roles[TARGETS] == before:
            return {ROOT: draft}
        return {ROOT: draft, TARGETS: self._next(TARGETS, state.targets[TARGETS])}

    def targets(
        self, state: State, role: str, entries: Iterable[Entry], remove: Collection[str]
    ) -> dict[str, Metadata[Any]]:
        """The next targets of a role, with entries added and paths removed.

        Raises:
            NotFound: nothing has the name of what shall be removed.
        """
        draft = self._next(role, state.targets[role])
        named: dict[str, Any] = draft.signed.targets
        if missing := set(remove) - named.keys():
            raise NotFound(f"{role} has no target {min(missing)}", code="updates.target_unknown")
        withdrawn = dict(draft.signed.unrecognized_fields.get(WITHDRAWN, {}))
        withdrawn.update({path: named.pop(path).to_dict() for path in remove})
        for entry in entries:
            named[entry.path] = target_of(entry)
        draft.signed.unrecognized_fields[WITHDRAWN] = withdrawn
        return {role: draft}

    def delegation(self, state: State, supplier: Supplier) -> dict[str, Metadata[Any]]:
        """The next targets with a supplier's keys and threshold, and the supplier's own next metadata."""
        draft = self._next(TARGETS, state.targets[TARGETS])
        rules = _suppliers(draft.signed)
        rules[supplier.role] = (supplier.rule, DelegatedRole(
            supplier.role, [key.keyid for key in supplier.rule.keys], supplier.rule.threshold,
            terminating=supplier.terminating, paths=[supplier.path],
        ))  # fmt: skip
        _set_suppliers(draft.signed, rules)
        own = state.targets.get(supplier.role)
        if own is None:
            new = Metadata(Targets(version=1, expires=self._end(supplier.role)))
            return {TARGETS: draft, supplier.role: self._said_in(new)}
        return {TARGETS: draft, supplier.role: self._next(supplier.role, own)}

    def revocation(self, state: State, role: str) -> dict[str, Metadata[Any]]:
        """The next targets without a supplier.

        Raises:
            NotFound: there is no such supplier.
        """
        draft = self._next(TARGETS, state.targets[TARGETS])
        rules = _suppliers(draft.signed)
        if rules.pop(role, None) is None:
            raise NotFound(f"there is no {role}", code="updates.supplier_unknown")
        _set_suppliers(draft.signed, rules)
        return {TARGETS: draft}

    def _next(self, role: str, current: Metadata[Any]) -> Metadata[Any]:
        draft: Metadata[Any] = Metadata(deepcopy(current.signed))
        draft.signed.version += 1
        draft.signed.expires = self._end(role)
        return self._said_in(draft)

    def _said_in(self, draft: Metadata[Any]) -> Metadata[Any]:
        draft.signed.unrecognized_fields.update(self._said)
        return draft

    def _end(self, role: str) -> datetime:
        return ending(self._at, self._periods.of(role))


def ending(at: int, period: Period) -> datetime:
    """When metadata of a period that is signed at an instant expires."""
    return moment(at).replace(microsecond=0) + timedelta(seconds=period.lifetime)


def _set_roles(root: Root, roles: Roles) -> None:
    root.keys = {key.keyid: key for _, rule in roles.items() for key in rule.keys}
    root.roles = {
        role: TufRole([key.keyid for key in rule.keys], rule.threshold) for role, rule in roles.items()
    }


def _suppliers(targets: Targets) -> dict[str, tuple[Rule, DelegatedRole]]:
    if targets.delegations is None or targets.delegations.roles is None:
        return {}
    keys = targets.delegations.keys
    return {
        name: (Rule(tuple(keys[keyid] for keyid in role.keyids), role.threshold), role)
        for name, role in targets.delegations.roles.items()
    }


def _set_suppliers(targets: Targets, rules: Mapping[str, tuple[Rule, DelegatedRole]]) -> None:
    keys = {key.keyid: key for rule, _ in rules.values() for key in rule.keys}
    roles = {name: role for name, (_, role) in sorted(rules.items())}
    targets.delegations = Delegations(keys, roles) if roles else None
