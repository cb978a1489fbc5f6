"""From a release's modules to what is signed about each file, and to what clients of TUF fetch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from driveaway.launch.updates.opening import Updates
from driveaway.updates import releases, sets, software
from driveaway.updates.model import Artifact, DistributionSet, SoftwareModule
from driveaway.updates.releases import About, Record, Terms
from driveaway.updates.signing.bundle import BUNDLE
from driveaway.updates.signing.entries import Custom, Dependency, Entry, Function, Release, entry_of
from driveaway.updates.signing.folder import write_whole
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.roles import TARGETS
from driveaway.updates.signing.state import ever, suppliers_of
from driveaway.values.errors import Refused


def entries_of(updates: Updates, repository: Repository, found: DistributionSet) -> list[Entry]:
    """What is to be signed: every file of a release, each read once more from the artifact store.

    A module's release counter is the one that it was added with, that under which this version was signed
    before, or one above the highest that was signed.

    Raises:
        NotFound: a content is not in the store, or there is no repository.
        Refused: a content is damaged, a module has no file or no hardware, a supplier has not signed its
            part, or nothing of it is the maker's.
    """
    record = releases.record_of(found)
    files = files_of(updates, found)
    release = Release(
        found.name, found.version, {path: artifact.sha256 for path, (_, artifact) in files.items()}
    )
    counters = _counters(repository)
    signed = signed_targets(repository)
    carrying: set[str] = set()
    entries = []
    for path, (module, artifact) in sorted(files.items()):
        said = releases.about(updates.state, module.id)
        if said.supplier:
            if signed.get(path) != artifact.sha256:
                raise unsigned(said.supplier, path)
            continue
        # A module of several files says what it carries on its first.
        first = module.name not in carrying
        carrying.add(module.name)
        custom = _custom(module, said, counters, release, record, first=first)
        entries.append(_entry(updates, path, artifact, custom))
    if not entries:
        raise Refused(
            f"{found.name} {found.version} has no file that its maker signs",
            code="release.supplier_only",
            remedy="put a module of the maker's own into it: a release is the maker's word",
        )
    return entries


def files_of(updates: Updates, found: DistributionSet) -> dict[str, tuple[SoftwareModule, Artifact]]:
    """Each file of a release with its module, by its path in signed metadata.

    Raises:
        Refused: a module has no file.
    """
    out = {}
    for module in sets.modules_of(updates.state, found.id):
        folder = releases.folder_of(found, module.name, releases.about(updates.state, module.id).supplier)
        for artifact in _files(updates, module):
            out[f"{folder}/{artifact.filename}"] = (module, artifact)
    return out


def unsigned(supplier: str, path: str) -> Refused:
    """What is said where a supplier's signature is not published, or not any more."""
    return Refused(
        f"supplier {supplier} has not signed it, or is delegated to no longer",
        code="release.supplier_unsigned",
        place=path,
        remedy="publish what the supplier signed: driveaway release supplier take, then publish",
    )


def _files(updates: Updates, module: SoftwareModule) -> list[Artifact]:
    found = software.artifacts(updates.state, module.id)
    if not found:
        raise Refused(
            f"module {module.name} {module.version} has no file",
            code="release.no_file",
            remedy="driveaway release add",
        )
    return found


def _custom(
    module: SoftwareModule,
    said: About,
    counters: Mapping[str, Mapping[str, int]],
    release: Release,
    record: Record,
    *,
    first: bool,
) -> Custom:
    terms = record.terms.get(module.name, Terms())
    if not said.hardware:
        raise Refused(
            f"it is not said what module {module.name} {module.version} runs on",
            code="release.no_hardware",
            remedy="add it with its hardware",
        )
    return Custom(
        module.name,
        module.version,
        said.version_scheme,
        module.type,
        said.hardware,
        _counter(module, said, counters.get(module.name, {})),
        release,
        functions=tuple(Function(name, record.policies[name]) for name in terms.functions if first),
        minimum_version=terms.minimum_version,
        excluded_versions=terms.excluded_versions,
        dependencies=tuple(
            Dependency(need.module, need.minimum_version, need.excluded_versions, need.conflicts)
            for need in terms.needs
        ),
    )


def _counter(module: SoftwareModule, said: About, signed: Mapping[str, int]) -> int:
    if said.counter is not None:
        return said.counter
    if module.version in signed:
        return signed[module.version]
    return max(signed.values(), default=0) + 1


def _counters(repository: Repository) -> dict[str, dict[str, int]]:
    """Highest counter ever signed of each version of each module."""
    counters: dict[str, dict[str, int]] = {}
    for document in repository.state().targets.values():
        for target in ever(document.signed).values():
            custom = entry_of(target).custom
            versions = counters.setdefault(custom.module, {})
            versions[custom.version] = max(versions.get(custom.version, 0), custom.counter)
    return counters


def _entry(updates: Updates, path: str, artifact: Artifact, custom: Custom) -> Entry:
    with updates.artifacts.existing(artifact.sha256).open("rb") as content:
        entry = Entry.of(path, content, custom)
    if (entry.sha256, entry.length) != (artifact.sha256, artifact.size):
        raise Refused(
            f"the content {artifact.sha256} is damaged",
            code="artifact.damaged",
            place=str(updates.artifacts.folder),
            remedy="restore it from the backup, or upload the file again",
        )
    return entry


def signed_targets(repository: Repository) -> dict[str, str]:
    """SHA-256 of everything that the maker, and suppliers it delegates to, have signed now, by path."""
    return {path: str(target.hashes["sha256"]) for path, target in _named(repository).items()}


def signed_counters(repository: Repository) -> dict[str, int]:
    """Release counter of all of that, by path."""
    return {path: entry_of(target).custom.counter for path, target in _named(repository).items()}


def _named(repository: Repository) -> dict[str, Any]:
    """The targets themselves."""
    state = repository.state()
    roles = (TARGETS, *suppliers_of(state.targets[TARGETS].signed))
    return {path: target for role in roles for path, target in state.targets[role].signed.targets.items()}


def lay_out(updates: Updates, repository: Repository) -> None:
    """Put beside the metadata what is fetched by it: the files of signed targets, and the bundle.

    A file is a second name of the artifact's content where the disk can do that, else a copy. What is not
    signed any more is taken away.
    """
    folder = updates.tuf / "targets"
    wanted = {BUNDLE}
    for target in _named(repository).values():
        entry = entry_of(target)
        wanted.add(entry.served)
        _place(updates.artifacts.path(entry.sha256), folder / entry.served)
    for file in [path for path in folder.rglob("*") if path.is_file()]:
        if str(file.relative_to(folder)) not in wanted and not file.name.startswith("."):
            file.unlink()
    bundle, content = folder / BUNDLE, repository.bundle()
    folder.mkdir(parents=True, exist_ok=True)
    if not bundle.exists() or bundle.read_bytes() != content:
        write_whole(bundle, content)


def _place(content: Path, place: Path) -> None:
    if place.exists() or not content.is_file():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        os.link(content, draft)
    except OSError:  # another disk, or one without links
        shutil.copyfile(content, draft)
    draft.replace(place)
