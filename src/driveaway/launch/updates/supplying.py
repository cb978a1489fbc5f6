"""Suppliers who sign their own software: who they are, and what they signed taken into the maker's house."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from driveaway.book.state.state import Change
from driveaway.launch.persons import check_person
from driveaway.launch.updates.composing import unsigned
from driveaway.launch.updates.holding import RoleKeys
from driveaway.launch.updates.opening import Updates
from driveaway.updates import releases, software
from driveaway.updates.artifacts import check_filename
from driveaway.updates.model import SoftwareModule
from driveaway.updates.quotas import ARTIFACT_BYTES
from driveaway.updates.releases import About, Need, Stage, Terms
from driveaway.updates.signing.entries import SUPPLIERS, Custom, Dependency, Entry, entry_of
from driveaway.updates.signing.proposals import Proposal
from driveaway.updates.signing.roles import TARGETS, Rule, Supplier, holder_of, supplier_role
from driveaway.updates.signing.state import suppliers_of
from driveaway.updates.versions import SCHEMES, compare_in, is_version
from driveaway.values.clock import instant, show
from driveaway.values.errors import BadValue, Conflict, NotFound


def delegate(
    updates: Updates,
    supplier: str,
    keys: RoleKeys,
    *,
    prefix: str = "",
    terminating: bool = True,
    by: str,
    at: int,
    reason: str = "",
) -> Proposal:
    """Propose that a supplier signs what is under ``suppliers/SUPPLIER/``, or does so with other keys.

    Holders of the keys of targets and of the supplier sign it; it takes effect when it is published.

    Args:
        updates: where.
        supplier: slug.
        keys: the supplier's, of two persons at least, and how many of them must sign.
        prefix: with which the names of its files begin.
        terminating: whether the search for a target ends with the supplier.
        by: account name of the author.
        at: now.
        reason: why; it is signed and public.

    Raises:
        NotFound: there is no such key.
        BadValue: keys that one person could use alone, or a prefix that no file's name has.
        Conflict: there is a proposal of this name.
    """
    check_person(updates, by, "publish")
    rule = Rule(tuple(updates.keys.public(name) for name in keys.names), keys.threshold)
    described = Supplier(supplier, rule, prefix, terminating)
    return updates.repository().delegate(
        _proposal_name(supplier), described, by=by, at=at, reason=reason or f"supplier {supplier}"
    )


def undelegate(updates: Updates, supplier: str, *, by: str, at: int, reason: str = "") -> Proposal:
    """Propose that a supplier signs no more: cars then refuse what it signed, in releases too.

    Raises:
        NotFound: there is no such supplier.
        Conflict: there is a proposal of this name.
    """
    check_person(updates, by, "publish")
    return updates.repository().undelegate(
        f"{_proposal_name(supplier)}-removed", supplier, by=by, at=at, reason=reason or f"no {supplier}"
    )


def releases_with(updates: Updates, supplier: str) -> list[str]:
    """Slugs of published releases that hold files of a supplier."""
    begin = f"{SUPPLIERS}{supplier}/"
    out = []
    for found in releases.all_releases(updates.state):
        record = releases.record_of(found)
        if record.stage is Stage.PUBLISHED and any(path.startswith(begin) for path in record.targets):
            out.append(releases.slug_of(found))
    return out


def told_suppliers(updates: Updates) -> list[dict[str, Any]]:
    """A row for each supplier: pattern, holders of keys, threshold, what it signed, how long that holds."""
    state = updates.repository().state()
    targets = state.targets[TARGETS].signed
    rows = []
    for name in suppliers_of(targets):
        assert targets.delegations is not None
        role = targets.get_delegated_role(name)
        own = state.targets[name].signed
        supplier = name.removeprefix(supplier_role(""))
        rows.append(
            {
                "supplier": supplier,
                "paths": ", ".join(getattr(role, "paths", None) or ()),
                "threshold": role.threshold,
                "signed_by": ", ".join(sorted(holder_of(targets.get_key(keyid)) for keyid in role.keyids)),
                "terminating": bool(getattr(role, "terminating", False)),
                "files": len(own.targets),
                "expires": show(instant(own.expires), updates.zone),
                "releases": ", ".join(releases_with(updates, supplier)) or None,
            }
        )
    return rows


def entries_of(
    supplier: str,
    files: Sequence[Path],
    *,
    module: str,
    version: str,
    hardware: Sequence[str],
    type: str = "application",
    scheme: str = SCHEMES[0],
    counter: int | None = None,
    terms: Terms | None = None,
) -> list[Entry]:
    """What a supplier signs of the files of a module; needs no launch.

    Args:
        supplier: slug of the supplier.
        files: each keeps its name, which is given to nothing else ever.
        module: name of the module.
        version: of the module.
        hardware: identifiers of the control units that it runs on.
        type: of the module.
        scheme: how its versions are ordered (``SCHEMES``).
        counter: release counter; None: the next one when it is proposed.
        terms: over what it is installed, and what else it needs.

    Raises:
        BadValue: a name, version or scheme that cannot be signed, or no hardware.
    """
    compare_in(scheme, version, version)
    said = terms or Terms()
    for number in (version, said.minimum_version, *said.excluded_versions):
        if number is not None and not is_version(number):
            raise BadValue(
                f"{number[:40]!r} is no version of {module}",
                code="version.shape",
                remedy="begin it with a number, such as 2024.5.1",
            )
    if not hardware or not all(part and part.isprintable() for part in hardware):
        raise BadValue(
            "what it runs on is not said", code="software.hardware", remedy="name a control unit's hardware"
        )
    custom = Custom(
        module, version, scheme, type, tuple(dict.fromkeys(hardware)), counter or 0,
        minimum_version=said.minimum_version, excluded_versions=said.excluded_versions,
        dependencies=tuple(
            Dependency(need.module, need.minimum_version, need.excluded_versions, need.conflicts)
            for need in said.needs
        ),
    )  # fmt: skip
    out = []
    for file in files:
        with file.open("rb") as content:
            out.append(Entry.of(f"{SUPPLIERS}{supplier}/{check_filename(file.name)}", content, custom))
    return out


def take(
    updates: Updates,
    content: bytes,
    files: Sequence[Path],
    at: int,
    *,
    by: str,
    largest: int = ARTIFACT_BYTES,
) -> list[SoftwareModule]:
    """Take over what a supplier signed on its own side, with its files: as modules that releases may hold.

    Signatures and files are verified first. It is published like any proposal; further holders of the
    supplier's keys may sign before that.

    Args:
        updates: where.
        content: the supplier's proposal.
        files: that it adds, under the names by which they are signed.
        at: now.
        by: account name of who takes it over.
        largest: bytes of a file at the most.

    Raises:
        BadValue: it is no proposal, or a file is not what was signed.
        NotFound: a file that it adds is not given, or nobody delegates to it.
        Refused: a signature is not valid, or it says what the supplier may not sign.
        Conflict: a module is known already that is not this supplier's, or there is such a proposal.
    """
    check_person(updates, by, "publish")
    proposal = Proposal.parse(content)
    repository = updates.repository()
    added = _added(repository.state(), proposal)
    given = {file.name: file for file in files}
    if missing := sorted(entry.path for entry in added if _name(entry) not in given):
        raise NotFound(
            "it is signed, and its file is not given", code="artifact.file", place=missing[0],
            remedy="name the file beside the proposal",
        )  # fmt: skip
    repository.take(proposal)
    try:
        stored = [
            updates.artifacts.put_file(given[_name(entry)], limit=largest, sha256=entry.sha256)
            for entry in added
        ]
        made: dict[int, SoftwareModule] = {}
        with updates.state.change() as change:
            for entry, kept in zip(added, stored, strict=True):
                module = _module(change, entry, at)
                there = {file.filename: file.sha256 for file in software.artifacts(change, module.id)}
                # It was taken before, and that proposal was dropped.
                if there.get(_name(entry)) != entry.sha256:
                    software.add_artifact(change, module.id, _name(entry), kept, at, largest=largest)
                made[module.id] = module
    except Exception:
        repository.drop(proposal.name)
        raise
    return list(made.values())


def terms_of(updates: Updates, module: SoftwareModule, supplier: str) -> Terms:
    """What a supplier signed of its module, as the terms of a release that holds it.

    Raises:
        Refused: ``release.supplier_unsigned``: its signature is not published.
    """
    state = updates.repository().state()
    role = supplier_role(supplier)
    for file in software.artifacts(updates.state, module.id):
        path = f"{SUPPLIERS}{supplier}/{file.filename}"
        document = state.targets.get(role)
        if role not in suppliers_of(state.targets[TARGETS].signed) or document is None:
            raise unsigned(supplier, path)
        if path not in document.signed.targets:
            raise unsigned(supplier, path)
        custom = entry_of(document.signed.targets[path]).custom
        needs = tuple(
            Need(each.module, each.minimum_version, each.excluded_versions, each.conflicts)
            for each in custom.dependencies
        )
        return Terms(custom.minimum_version, custom.excluded_versions, needs)
    return Terms()


def _added(state: Any, proposal: Proposal) -> list[Entry]:
    """What a supplier's proposal names that is not signed yet."""
    out = []
    for role, document in proposal.metadata().items():
        before = state.targets[role].signed.targets if role in state.targets else {}
        named = getattr(document.signed, "targets", None)
        if named is None:
            raise BadValue(
                "it is not what a supplier proposes", code="updates.proposal", remedy="sign a proposal of it"
            )
        out += [entry_of(target) for path, target in sorted(named.items()) if path not in before]
    return out


def _name(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def _module(change: Change, entry: Entry, at: int) -> SoftwareModule:
    """The module that a supplier's file belongs to, entered where it is not known."""
    custom, supplier = entry.custom, entry.path.split("/")[1]
    said = About(custom.hardware, custom.version_scheme, custom.counter, supplier)
    known = change.rows(
        "SELECT id FROM software_modules WHERE name = :name AND version = :version AND deleted = 0",
        name=custom.module,
        version=custom.version,
    )
    if not known:
        module = software.create_module(
            change, custom.module, custom.version, custom.module_type, at, vendor=supplier
        )
        releases.set_about(change, module.id, said, at)
        return module
    module = software.find_module(change, known[0][0])
    if releases.about(change, module.id) != said:
        raise Conflict(
            f"module {custom.module} {custom.version} is known, and is not this one of {supplier}",
            code="module.differs",
            remedy="what changes gets a new version",
        )
    return module


def _proposal_name(supplier: str) -> str:
    return f"supplier-{supplier}"
