"""Software and releases before anybody signs: modules with their files, and what is released together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from driveaway.book.state.state import Reading
from driveaway.launch.persons import check_person
from driveaway.launch.updates.opening import Updates
from driveaway.launch.updates.supplying import terms_of
from driveaway.updates import releases, sets, software
from driveaway.updates.artifacts import check_filename
from driveaway.updates.gates.policy import encode_policy
from driveaway.updates.model import DistributionSet, SoftwareModule
from driveaway.updates.outcomes import release_slug
from driveaway.updates.quotas import ARTIFACT_BYTES
from driveaway.updates.releases import About, Record, Terms
from driveaway.updates.resolving.possible import check_possible
from driveaway.updates.resolving.universe import Bringing, Brought, read_universe
from driveaway.updates.rows import MODULE, module_of
from driveaway.updates.signing.entries import check_path
from driveaway.updates.versions import SCHEMES, compare_in, is_version
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from driveaway.values.ids import parse_slug

_OWNED: Final = "suppliers"
"""First folder of what suppliers sign for themselves; no release may be called so."""
_LONGEST_SLUG: Final = 70


def add_software(
    updates: Updates,
    name: str,
    version: str,
    files: Sequence[Path],
    at: int,
    *,
    hardware: Sequence[str],
    type: str = "os",
    vendor: str = "",
    description: str = "",
    scheme: str = SCHEMES[0],
    counter: int | None = None,
    encrypted: bool = False,
    by: str = "",
    largest: int = ARTIFACT_BYTES,
) -> SoftwareModule:
    """Add a module with its files; to one that is there and not locked, further files.

    Files are streamed into the artifact store and hashed once; all are added or none.

    Args:
        updates: where.
        name: of the module.
        version: of the module.
        files: of the module; each keeps its name.
        at: now.
        hardware: identifiers of the control units that it runs on.
        type: such as ``os`` or ``application``.
        vendor: who made it.
        description: for people.
        scheme: how its versions are ordered (``SCHEMES``).
        counter: release counter, which must never fall; None: the next one when it is proposed.
        encrypted: whether the files are encrypted for the car.
        by: account name of who adds it.
        largest: bytes of a file at the most.

    Raises:
        BadValue: a name, version or file name that cannot be signed, or no hardware.
        NotFound: a file is not there.
        Conflict: it has a file of this name, or is known with other hardware.
        Refused: it is locked, ``by`` may not publish, or a quota is reached.
        Unavailable: the disk is full or fails.
    """
    check_person(updates, by, "publish")
    compare_in(scheme, version, version)
    _check_version(version, f"module {name}")
    said = About(tuple(dict.fromkeys(hardware)), scheme, counter)
    if not said.hardware or not all(part and part.isprintable() for part in said.hardware):
        raise BadValue(
            "what it runs on is not said", code="software.hardware", remedy="name a control unit's hardware"
        )
    if counter is not None and counter < 0:
        raise BadValue(f"{counter} cannot be a release counter", code="software.counter", remedy="0 or more")
    for file in files:
        check_path(f"release/version/{name}/{check_filename(file.name)}")
        if not file.is_file():
            raise NotFound(
                "there is no such file", code="artifact.file", place=str(file), remedy="name a file"
            )
    stored = [updates.artifacts.put_file(file, limit=largest) for file in files]
    with updates.state.change() as change:
        known = _modules_named(change, name, version, type)
        if known:
            module = known[0]
            if releases.about(change, module.id) != said:
                raise Conflict(
                    f"module {name} {version} is known with another hardware, scheme or counter",
                    code="module.differs",
                    remedy="what changes gets a new version",
                )
        else:
            module = software.create_module(
                change, name, version, type, at, vendor=vendor, description=description,
                encrypted=encrypted,
            )  # fmt: skip
            releases.set_about(change, module.id, said, at)
        for file, content in zip(files, stored, strict=True):
            software.add_artifact(change, module.id, file.name, content, at, largest=largest)
    return module


def modules(updates: Updates) -> list[SoftwareModule]:
    """Every module that was not deleted, in order of making."""
    rows = updates.state.rows(f"SELECT {MODULE} FROM software_modules m WHERE m.deleted = 0 ORDER BY m.id")
    return [module_of(row) for row in rows]


def find_module(updates: Updates, name: str, version: str, type: str = "") -> SoftwareModule:
    """A module by name and version, and by type where two are told apart by it.

    Raises:
        NotFound: there is none.
        BadValue: there are several.
    """
    found = _modules_named(updates.state, name, version, type)
    if not found:
        raise NotFound(
            f"there is no module {name} {version}", code="module.unknown", remedy="driveaway release add"
        )
    if len(found) > 1:
        raise BadValue(
            f"there are modules {name} {version} of several types",
            code="module.ambiguous",
            remedy=f"add one of :{', :'.join(module.type for module in found)}",
        )
    return found[0]


def create_release(
    updates: Updates,
    name: str,
    version: str,
    modules: Iterable[SoftwareModule],
    at: int,
    *,
    by: str = "",
    type: str = "",
    notes: str = "",
    terms: Mapping[str, Terms] | None = None,
    required_migration_step: bool = False,
) -> DistributionSet:
    """Put modules together to a release, which nobody has signed yet.

    Args:
        updates: where.
        name: slug of the release.
        version: of the release.
        modules: that a car gets together.
        at: now.
        by: account name of who makes it.
        type: of the distribution set; "": by the types of its modules.
        notes: what changes, for people.
        terms: on what each module may be installed, and the functions that it carries, by its name. Their
            gates are taken from ``functions.toml`` as it stands now.
        required_migration_step: hawkBit's mark of a version that may not be skipped.

    Raises:
        BadValue: a name that cannot be signed, or terms of what is not in the release.
        NotFound: a function or a place is not known.
        Conflict: there is one of this name and version, or of the same slug.
        Refused: it is not complete, contradicts itself, or needs what no car could have; ``by`` may not
            publish.
    """
    check_person(updates, by, "publish")
    given = list(modules)
    said = dict(terms or {})
    if parse_slug(name) == _OWNED:
        raise BadValue(f"no release is called {name}", code="release.name", remedy="take another name")
    slug = release_slug(name, version)
    if len(slug) > _LONGEST_SLUG:
        raise BadValue(
            "name and version are too long", code="release.name", remedy=f"{_LONGEST_SLUG} letters together"
        )
    names = [module.name for module in given]
    for module in given:
        check_path(f"{name}/{version}/{module.name}/file")
        if names.count(module.name) > 1:
            raise BadValue(
                f"module {module.name} is there twice", code="release.module_twice", remedy="keep one version"
            )
    if unknown := sorted(said.keys() - set(names)):
        raise BadValue(
            f"module {unknown[0]} is not in the release",
            code="release.terms",
            remedy=f"one of {', '.join(names) or 'none'}",
        )
    for module_name, term in said.items():
        _check_terms(module_name, term)
    for module in given:
        supplier = releases.about(updates.state, module.id).supplier
        if supplier and module.name in said:
            raise BadValue(
                f"what {module.name} needs is signed by its supplier {supplier}",
                code="release.supplier_terms",
                remedy="leave its terms out, or put them upon a module of the maker's own",
            )
        if supplier and (signed := terms_of(updates, module, supplier)) != Terms():
            said[module.name] = signed
    check_agreement(updates, given, said)
    universe = read_universe(updates.state)
    brought = tuple(Brought(each.name, each.version, said.get(each.name, Terms())) for each in given)
    check_possible(updates.state, universe, Bringing(0, slug, False, brought, version))
    record = Record(notes=notes, terms=said, policies=policies(updates, said.values()))
    with updates.state.change() as change:
        for found in releases.all_releases(change):
            if releases.slug_of(found) == slug:
                raise Conflict(
                    f"there is a release {slug} already", code="set.exists", remedy="take a new version"
                )
        return sets.create_set(
            change, name, version, type or _type_of(given), [module.id for module in given], at,
            description=notes[:200], required_migration_step=required_migration_step,
             release=releases.encode(record),
        )  # fmt: skip


def policies(updates: Updates, terms: Iterable[Terms]) -> dict[str, str]:
    """The availability policy of each function that is carried, as it is signed.

    Raises:
        NotFound: ``functions.toml``, a function or a place is not there.
        BadValue: the file cannot be read.
    """
    wanted = sorted({name for each in terms for name in each.functions})
    if not wanted:
        return {}
    from driveaway.updates.gates.making import policy_of
    from driveaway.updates.gates.tables import gate_of, given_places, read_functions

    file = updates.functions_file
    try:
        described = read_functions(file.read_text(encoding="utf-8"), str(file))
    except FileNotFoundError:
        raise NotFound(
            "it describes the functions, and is not there",
            code="function.file",
            place=str(file),
            remedy="write it: see how functions are opened",
        ) from None
    places = given_places(described, file.parent)
    return {
        name: encode_policy(
            policy_of(name, gate_of(described.named(name), updates.zone, str(file)), places)
        ).decode()
        for name in wanted
    }


def check_agreement(updates: Updates, given: Sequence[SoftwareModule], terms: Mapping[str, Terms]) -> None:
    """Refuse modules that need of each other what is not so; what the car must have is seen in the car.

    Raises:
        Refused: two modules contradict each other.
    """
    by_name = {module.name: module for module in given}
    for name, said in terms.items():
        for need in said.needs:
            other = by_name.get(need.module)
            if other is None:
                continue
            scheme = releases.about(updates.state, other.id).version_scheme
            meets = other.version not in need.excluded_versions
            if meets and need.minimum_version is not None:
                meets = compare_in(scheme, other.version, need.minimum_version) >= 0
            if meets is need.conflicts:
                verb = "does not go with" if need.conflicts else "needs another version of"
                raise Refused(
                    f"{name} {verb} {need.module}, which is {other.version} in this release",
                    code="release.contradiction",
                    remedy="release versions that go together",
                )


def _check_terms(name: str, term: Terms) -> None:
    """Refuse versions that no car could meet or miss: they would hold, signed, for nothing."""
    for version in (term.minimum_version, *term.excluded_versions):
        if version is not None:
            _check_version(version, f"what {name} is installed over")
    for need in term.needs:
        for version in (need.minimum_version, *need.excluded_versions):
            if version is not None:
                _check_version(version, f"what {name} says of {need.module}")


def _check_version(version: str, of: str) -> None:
    if not is_version(version) or "/" in version:
        raise BadValue(
            f"{version[:40]!r} is no version of {of}",
            code="version.shape",
            remedy="begin it with a number, such as 2024.5.1, and use no slash",
        )


def _type_of(given: Sequence[SoftwareModule]) -> str:
    types = {module.type for module in given}
    if "os" in types:
        return "os" if types == {"os"} else "os_app"
    return "app" if "application" in types else "release"


def _modules_named(reading: Reading, name: str, version: str, type: str) -> list[SoftwareModule]:
    rows = reading.rows(
        f"SELECT {MODULE} FROM software_modules m WHERE m.name = :name AND m.version = :version"
        " AND m.deleted = 0 ORDER BY m.id",
        name=name,
        version=version,
    )
    return [module for module in map(module_of, rows) if type in ("", module.type)]
