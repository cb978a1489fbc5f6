"""What there is to tell of software, releases, keys and signed metadata, as plain values for doors."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from driveaway.launch.updates import adding
from driveaway.launch.updates.opening import Updates
from driveaway.updates import releases, sets, software
from driveaway.updates.model import DistributionSet
from driveaway.values.clock import show
from driveaway.values.errors import NotFound


def told_releases(updates: Updates) -> list[dict[str, Any]]:
    """A row for each release: its slug, stage, modules and functions."""
    return [_row(updates, found) for found in releases.all_releases(updates.state)]


def told_release(updates: Updates, slug: str) -> dict[str, Any]:
    """All about one release.

    Raises:
        NotFound: there is none.
    """
    found = releases.find(updates.state, slug)
    record = releases.record_of(found)
    told = _row(updates, found)
    told["notes"] = record.notes or None
    told["proposed_by"] = record.proposed_by or None
    told["approved_by"] = record.approved_by or None
    told["withdrawn"] = _time(record.withdrawn, updates.zone)
    told["withdrawn_by"] = record.withdrawn_by or None
    told["reason"] = record.reason or None
    told["modules"] = []
    for module in sets.modules_of(updates.state, found.id):
        said, terms = releases.about(updates.state, module.id), record.terms.get(module.name)
        told["modules"].append(
            {
                "name": module.name,
                "version": module.version,
                "type": module.type,
                "vendor": module.vendor or None,
                "hardware": list(said.hardware),
                "version_scheme": said.version_scheme,
                "minimum_version": terms.minimum_version if terms else None,
                "excluded_versions": list(terms.excluded_versions) if terms else [],
                "needs": [_need(need) for need in terms.needs] if terms else [],
                "functions": list(terms.functions) if terms else [],
                "files": [
                    {"filename": file.filename, "size": file.size, "sha256": file.sha256}
                    for file in software.artifacts(updates.state, module.id)
                ],
            }
        )
    told["awaits"] = _awaits(updates, record.proposal) if record.proposal and not record.published else []
    return told


def told_software(updates: Updates) -> list[dict[str, Any]]:
    """A row for each module."""
    rows = []
    for module in adding.modules(updates):
        files = software.artifacts(updates.state, module.id)
        rows.append(
            {
                "module": module.name,
                "version": module.version,
                "type": module.type,
                "hardware": ", ".join(releases.about(updates.state, module.id).hardware) or None,
                "files": len(files),
                "bytes": sum(file.size for file in files),
                "vendor": module.vendor or None,
                "description": module.description or None,
            }
        )
    return rows


def told_keys(updates: Updates) -> list[dict[str, Any]]:
    """A row for each key: its holder, and the kind of place where its private half is."""
    ring = updates.keys
    return [
        {
            "key": name,
            "holder": ring.holder(name) or None,
            "keyid": ring.public(name).keyid,
            "kind": ring.public(name).keytype,
            "place": ring.place(name) or None,
        }
        for name in ring
    ]


def told_status(updates: Updates, at: int) -> dict[str, Any]:
    """Where the signed metadata stands: each role's expiry and threshold, and what awaits whose signature."""
    repository = updates.repository()
    try:
        roles = repository.status(at)
    except NotFound:
        roles = ()
    return {
        "roles": [
            {
                "role": role.role,
                "version": role.version,
                "expires": show(role.expires, updates.zone),
                "state": "expired" if role.expired else "due" if role.due else "good",
                "threshold": role.threshold,
                "keys": len(role.holders),
                "signed_by": "the worker" if role.online else ", ".join(role.holders),
            }
            for role in roles
        ],
        "proposals": [
            {
                "proposal": proposal.name,
                "author": proposal.author,
                "reason": proposal.reason or None,
                "awaits": _awaits(updates, proposal.name),
            }
            for proposal in repository.proposals()
        ],
    }


def _awaits(updates: Updates, proposal: str) -> list[dict[str, Any]]:
    """Of each role that a proposal changes: who has signed, how many signatures are missing, who may sign."""
    repository = updates.repository()
    # What is signed names holders whose keys this place has never seen.
    holders = repository.holders(proposal)
    holders |= {updates.keys.public(name).keyid: updates.keys.holder(name) for name in updates.keys}
    found = repository.proposal(proposal)
    rows = []
    for stand in repository.standing(proposal):
        may = {holders.get(keyid, keyid[:8]) for keyid in found.signers.get(stand.role, ())}
        rows.append(
            {
                "role": stand.role,
                "signed": list(stand.signed),
                "missing": stand.missing,
                "four_eyes": stand.four_eyes,
                "may_sign": sorted(may - set(stand.signed)),
            }
        )
    return rows


def _row(updates: Updates, found: DistributionSet) -> dict[str, Any]:
    record = releases.record_of(found)
    modules = sets.modules_of(updates.state, found.id)
    return {
        "release": releases.slug_of(found),
        "stage": record.stage.value if found.valid or record.withdrawn else "invalid",
        "type": found.type,
        "modules": ", ".join(f"{module.name} {module.version}" for module in modules) or None,
        "functions": ", ".join(record.functions) or None,
        "published": _time(record.published, updates.zone),
    }


def _need(need: releases.Need) -> str:
    versions = "" if need.minimum_version is None else f" >= {need.minimum_version}"
    versions += "".join(f", not {version}" for version in need.excluded_versions)
    return ("conflicts with " if need.conflicts else "") + need.module + versions


def _time(at: int | None, zone: ZoneInfo) -> str | None:
    return None if at is None else show(at, zone)
