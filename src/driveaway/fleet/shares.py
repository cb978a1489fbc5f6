"""Which files of trips there are, and which rows of each came with which batch: as facts say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from driveaway.facts import Fact
from driveaway.facts.trips import TripsCompacted, TripsLanded

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Share:
    """Rows of one file that came with one batch: ``rows`` from ``first`` on, or all that say so themselves.

    ``seq`` None: the file has a column ``seq``.
    """

    seq: int | None
    first: int
    rows: int


class Place(NamedTuple):
    """A file of trips: its local day, and its name as facts have it, with the day's folder or without."""

    day: str
    name: str

    @property
    def path(self) -> str:
        """Below the folder of trips."""
        return self.name if "/" in self.name else f"{self.day}/{self.name}"


Shares = Mapping[Place, Sequence[Share]]
"""File → what lies in it."""


def shares_of(facts: Iterable[Fact]) -> dict[Place, list[Share]]:
    """What facts say of the files that there are now.

    Args:
        facts: of the kinds trips.landed and trips.compacted, those that were taken back among them: their
            files may lie there still.
    """
    found: dict[Place, list[Share]] = {}
    for fact in sorted(facts, key=lambda each: each.seq):
        body = fact.body
        if isinstance(body, TripsLanded):
            for file in body.files:
                share = Share(fact.seq, file.first, file.rows)
                found.setdefault(Place(file.day, file.file), []).append(share)
        elif isinstance(body, TripsCompacted):
            for name in body.replaced:
                found.pop(Place(body.local_day, name), None)
            for file in body.files:
                found[Place(file.day, file.file)] = [Share(None, 0, file.rows)]
    return found


def with_batch(table: pa.Table, shares: Sequence[Share], first: int) -> pa.Table:
    """Rows from ``first`` on of a file, each with the seq of its batch."""
    import numpy as np
    import pyarrow as pa

    if "seq" in table.column_names:
        return table
    seq = np.zeros(table.num_rows, np.int64)
    for share in shares:
        alone = len(shares) == 1
        begins = 0 if alone else max(share.first - first, 0)
        ends = table.num_rows if alone else max(share.first + share.rows - first, 0)
        seq[begins:ends] = share.seq or 0
    return table.append_column(pa.field("seq", pa.int64(), nullable=False), pa.array(seq))
