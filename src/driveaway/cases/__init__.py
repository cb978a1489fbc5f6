"""Packaged cases: launches described by a ``launch.toml``, some with their public record.

``su7`` is the public record of one launch, ``bare`` the least that a launch needs, ``new`` the
commented example that a new launch folder starts from.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from driveaway.cases.record import RECORDS, read_record, write_record
from driveaway.facts.base import Draft
from driveaway.facts.description import Description, read_description
from driveaway.values.clock import zone
from driveaway.values.errors import NotFound

NAMES: Final = ("su7", "bare", "new")


def case_text(name: str, file: str = "launch.toml") -> str:
    """The text of one file of a packaged case.

    Raises:
        NotFound: no such case, or it has no such file.
    """
    if name not in NAMES:
        raise NotFound(
            f"there is no packaged case {name!r}", code="case.unknown", remedy=f"one of {', '.join(NAMES)}"
        )
    resource = files(__name__).joinpath(name, file)
    if not resource.is_file():
        raise NotFound(f"the case {name!r} has no {file}", code="case.file")
    return resource.read_text(encoding="utf-8")


def case_description(name: str) -> Description:
    """The description in a case's ``launch.toml``.

    Raises:
        NotFound: no such case.
    """
    return read_description(case_text(name), place=f"{name}/launch.toml")


def case_drafts(name: str) -> Iterator[Draft]:
    """The public record of a case as drafts in order of time: its claims, events and tests.

    They are not simulated; each carries the source ``urn:driveaway:case:NAME/SUBJECT``. Targets
    are not among them: they stand in ``launch.toml`` and are recorded when it is applied.

    Raises:
        NotFound: no such case.
    """
    drafts = [draft for file in RECORDS for draft in _record(name, file)]
    yield from sorted(drafts, key=lambda draft: draft.happened)


def case_claims(name: str) -> Iterator[Draft]:
    """The claims of a case alone, in the order of its ``claims.csv``.

    Raises:
        NotFound: no such case.
    """
    yield from _record(name, "claims.csv")


def _record(name: str, file: str) -> Iterator[Draft]:
    if files(__name__).joinpath(name, file).is_file():
        tz = zone(case_description(name).zone)
        yield from read_record(
            file, case_text(name, file), tz, f"urn:driveaway:case:{name}", f"{name}/{file}"
        )


__all__ = [
    "NAMES",
    "RECORDS",
    "case_claims",
    "case_description",
    "case_drafts",
    "case_text",
    "read_record",
    "write_record",
]
