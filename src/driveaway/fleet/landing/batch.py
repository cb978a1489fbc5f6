"""What a door hands in, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

import pyarrow as pa

from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_slug

Door = Literal["file", "http", "mqtt", "quarantine", "demo"]
SHOWN: Final = 100
"""Bad rows that are told at once; all of them are in the quarantine."""


@dataclass(frozen=True)
class Reject:
    """A row that is put aside.

    Attributes:
        row: its number in the batch, from 0.
        code: stable, such as ``trips.vin_check_digit``.
        reason: what is wrong with it.
        remedy: what to do about it.
        content: the row as it was given, where it could not be read into columns.
    """

    row: int
    code: str
    reason: str
    remedy: str
    content: str = ""


@dataclass(frozen=True)
class Batch:
    """Rows that arrived together, not checked yet.

    Attributes:
        id: by which the sender knows it; the same id means the same content.
        door: by which it came.
        table: columns named like the fields of ``TripSegment``; ``duration_s`` may stand for ``end``, and
            ``latitude`` and ``longitude`` (degrees, WGS-84) for ``cell`` and ``city``. Others are passed
            over. Times are integers (microseconds since 1970 UTC), Arrow timestamps with a zone, or
            ISO 8601 texts with an offset.
        rejects: rows that could not be read.
        rows: number in the batch of each row of the table; None: 0, 1, 2 …
        origin: file name, device or topic.
        sha256: digest of what was sent.
        simulated: every row was made up by a simulation.
    """

    id: str
    door: Door
    table: pa.Table
    rejects: Sequence[Reject] = ()
    origin: str | None = None
    sha256: str | None = None
    simulated: bool = False
    rows: Sequence[int] | None = None

    @property
    def subject(self) -> str:
        """The slug by which the book knows it: the id itself, or a digest of one that is no slug."""
        return batch_subject(self.id)


@dataclass(frozen=True)
class Landed:
    """What became of a batch.

    Attributes:
        batch: its id.
        seq: of its fact; everything up to here is safe.
        rows: accepted.
        repeated: there already with the same content.
        quarantined: put aside, by code.
        reasons: of the first hundred that were put aside.
        duplicate: the batch had been landed before; nothing was added.
    """

    batch: str
    seq: int
    rows: int
    repeated: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    reasons: Sequence[Reject] = ()
    duplicate: bool = False

    @property
    def put_aside(self) -> int:
        """Rows in the quarantine."""
        return sum(self.quarantined.values())


def batch_subject(batch_id: str) -> str:
    """The slug of a batch's id.

    Raises:
        BadValue: the id is empty or not text.
    """
    if not batch_id:
        raise BadValue(
            "a batch needs an id", code="trips.batch_id", remedy="give one that is never used again"
        )
    try:
        return parse_slug(batch_id)
    except BadValue:
        try:
            return "b-" + sha256(batch_id.encode()).hexdigest()[:40]
        except UnicodeEncodeError as error:
            raise BadValue(
                "the id of the batch is no text", code="trips.batch_id", remedy="use letters and digits"
            ) from error
