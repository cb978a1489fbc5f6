"""Releases: distribution sets with what their signers say, and how far their signing has come.

The record of a release is canonical JSON beside its distribution set; a module's own part of it (hardware,
order of versions, counter) stands with the module, since a module may be in several releases.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from driveaway.book.state.state import Change, Reading
from driveaway.updates import changes, software
from driveaway.updates.model import DistributionSet
from driveaway.updates.outcomes import release_slug
from driveaway.updates.rows import SET, set_of
from driveaway.values.errors import NotFound

UNSIGNED: Final = "releases.unsigned.enabled"
"""The setting that lets sets be given to cars that nobody signed."""
FOLDER_KEY: Final = "tuf.path"
"""Note on each chunk that cars see: what stands before its files' names in signed metadata."""
METADATA_KEY: Final = "tuf.metadata"
"""Note on each chunk that cars see: where that metadata is, relative to the document's own address."""
METADATA_PLACE: Final = "../../../../tuf/metadata/"
ABOUT_KEY: Final = "driveaway.about"
"""Note on a module, kept from cars, with what is said of it."""


class Stage(StrEnum):
    """Where a release stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of a module whatever release it is in.

    Attributes:
        hardware: identifiers of what it runs on.
        version_scheme: how its versions are ordered.
        counter: release counter; None: the next one when it is proposed, kept here once it is published.
        supplier: name of the supplier that signs its files under its own path; "": the maker does.
    """

    hardware: tuple[str, ...] = ()
    version_scheme: str = "semver"
    counter: int | None = None
    supplier: str = ""


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """What another module of the car must be, or with ``conflicts`` must not be."""

    module: str
    minimum_version: str | None = None
    excluded_versions: tuple[str, ...] = ()
    conflicts: bool = False


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """On what a module of a release may be installed.

    Attributes:
        minimum_version: of the module in the car; None: any.
        excluded_versions: of the module in the car.
        needs: of other modules.
        functions: slugs of the functions that it carries.
    """

    minimum_version: str | None = None
    excluded_versions: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    functions: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a release says beyond its modules. Times are microseconds UTC, persons account names.

    Attributes:
        notes: what changes, for people.
        terms: of each module, by its name.
        policies: availability policy of each function, canonical JSON, by slug.
        proposal: name of the proposal that carries its signatures, "" before.
        targets: SHA-256 of what is proposed, by path.
        proposed_by: who proposed it.
        approved_by: who approved it, written before it is published.
        published: when cars could be given it; None: not yet.
        withdrawn: when it was withdrawn.
        withdrawn_by: by whom.
        reason: of the withdrawal.
    """

    notes: str = ""
    terms: dict[str, Terms] = {}
    policies: dict[str, str] = {}
    proposal: str = ""
    targets: dict[str, str] = {}
    proposed_by: str = ""
    approved_by: str = ""
    published: int | None = None
    withdrawn: int | None = None
    withdrawn_by: str = ""
    reason: str = ""

    @property
    def stage(self) -> Stage:
        """Where the release stands."""
        if self.withdrawn is not None:
            return Stage.WITHDRAWN
        if self.published is not None:
            return Stage.PUBLISHED
        return Stage.PROPOSED if self.proposal else Stage.DRAFT

    @property
    def functions(self) -> tuple[str, ...]:
        """Slugs of the functions that its modules carry."""
        return tuple(sorted({name for terms in self.terms.values() for name in terms.functions}))


def record_of(found: DistributionSet) -> Record:
    """The record of a distribution set; an empty one where it was not made as a release."""
    return msgspec.json.decode(found.release, type=Record)


def write_record(change: Change, distribution_set: int, record: Record, at: int) -> None:
    """Keep a record."""
    change.run(
        "UPDATE distribution_sets SET release = :release, modified = :at WHERE id = :id",
        release=encode(record),
        at=at,
        id=distribution_set,
    )
    changes.tell_everyone(change, at)


def encode(record: Record) -> str:
    """A record as canonical JSON."""
    return msgspec.json.encode(record, order="sorted").decode()


def slug_of(found: DistributionSet) -> str:
    """The slug by which a release is named, also in facts."""
    return release_slug(found.name, found.version)


def folder_of(found: DistributionSet, module: str, supplier: str = "") -> str:
    """What stands before the names of a module's files in signed metadata."""
    return f"suppliers/{supplier}" if supplier else f"{found.name}/{found.version}/{module}"


def all_releases(reading: Reading) -> list[DistributionSet]:
    """Every distribution set that was not deleted, in order of making."""
    rows = reading.rows(f"SELECT {SET} FROM distribution_sets d WHERE d.deleted = 0 ORDER BY d.id")
    return [set_of(row) for row in rows]


def find(reading: Reading, slug: str) -> DistributionSet:
    """A release by its slug.

    Raises:
        NotFound: there is none.
    """
    for found in all_releases(reading):
        if slug_of(found) == slug:
            return found
    raise NotFound(
        f"there is no release {slug!r}", code="release.unknown", remedy="see driveaway release list"
    )


def about(reading: Reading, module: int) -> About:
    """What is said of a module; nothing where it was not added as part of a release."""
    rows = reading.rows(
        "SELECT value FROM module_metadata WHERE module = :module AND key = :key",
        module=module,
        key=ABOUT_KEY,
    )
    return msgspec.json.decode(rows[0][0], type=About) if rows else About()


def set_about(change: Change, module: int, said: About, at: int) -> None:
    """Keep what is said of a module; cars are told by its signers, not by the server."""
    software.set_metadata(
        change, "module", module, ABOUT_KEY, msgspec.json.encode(said, order="sorted").decode(), at
    )


def told(found: DistributionSet, module: str, supplier: str = "") -> tuple[tuple[str, str], ...]:
    """What the documents that cars get say of a published release: where its signed metadata is.

    Hints alone: a car believes the metadata, not the document that leads to it.
    """
    if record_of(found).published is None:
        return ()
    return (METADATA_KEY, METADATA_PLACE), (FOLDER_KEY, folder_of(found, module, supplier))
