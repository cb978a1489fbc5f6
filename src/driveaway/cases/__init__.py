"""Packaged cases: launches described by a ``launch.toml``, some with their public record.

``su7`` is the public record of one launch, ``bare`` the least that a launch needs, ``new`` the
commented example that a new launch folder starts from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from io import StringIO
from typing import Final

import msgspec

from driveaway.facts.base import Body, Draft
from driveaway.facts.description import Description, read_description
from driveaway.facts.public import CarTested, ClaimMade, EventHeld
from driveaway.values.clock import end_of_day, parse_as_of, parse_day, parse_instant, start_of_day, zone
from driveaway.values.errors import BadValue, NotFound

NAMES: Final = ("su7", "bare", "new")
_DAY_LENGTH: Final = len("2024-04-25")

# File → kind, body, column of the subject, column of the time, which end of a mere day is meant.
# A claim is known by the end of its day; an event or a test belongs to its day from the beginning.
_RECORDS: Final[dict[str, tuple[str, type[Body], str, str, bool]]] = {
    "claims.csv": ("claim.made", ClaimMade, "claim", "published", True),
    "events.csv": ("event.held", EventHeld, "event", "happened", False),
    "tests.csv": ("test.measured", CarTested, "test", "happened", False),
}


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
    drafts = [draft for file in _RECORDS for draft in _record(name, file)]
    yield from sorted(drafts, key=lambda draft: draft.happened)


def case_claims(name: str) -> Iterator[Draft]:
    """The claims of a case alone, in the order of its ``claims.csv``.

    Raises:
        NotFound: no such case.
    """
    yield from _record(name, "claims.csv")


def _record(name: str, file: str) -> Iterator[Draft]:
    description = case_description(name)
    if not files(__name__).joinpath(name, file).is_file():
        return
    tz = zone(description.zone)
    kind, body, subject_column, time_column, ends = _RECORDS[file]
    for number, row in enumerate(csv.DictReader(StringIO(case_text(name, file))), 2):
        place = f"{name}/{file} line {number}"
        subject, when = row.pop(subject_column), row.pop(time_column)
        if len(when) == _DAY_LENGTH:
            day = parse_day(when)
            happened = end_of_day(day, tz) if ends else start_of_day(day, tz)
        else:
            happened = parse_instant(when, tz)
        try:
            content = msgspec.convert(
                {column: cell for column, cell in row.items() if cell}, body, strict=False
            )
        except msgspec.ValidationError as error:
            raise BadValue(str(error), code="case.row", place=place) from error
        if isinstance(content, ClaimMade):
            parse_as_of(content.as_of, tz)
        yield Draft(
            kind=kind,
            subject=subject,
            happened=happened,
            body=content,
            source=f"urn:driveaway:case:{name}/{subject}",
            place=place,
        )
