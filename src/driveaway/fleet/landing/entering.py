"""The rows that facts stand for, wherever compaction has put them since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from driveaway.facts.base import Fact
from driveaway.facts.trips import TripFile, TripsCompacted, TripsLanded
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.reading import read_rows


class Entering:
    """Reads the rows of facts that follow one another, each row once.

    Args:
        folder: where the files are.
        after: seq of the last fact whose rows are known.
        facts: what follows, all of it.
    """

    def __init__(self, folder: FleetFolder, after: int, facts: Sequence[Fact]) -> None:
        self._folder = folder
        self._after = after
        self._followers: dict[str, tuple[TripFile, ...]] = {}
        self._read: set[str] = set()
        self._gone = {fact.replaces for fact in facts if fact.replaces is not None}
        for fact in facts:
            if isinstance(fact.body, TripsCompacted):
                self._followers.update(dict.fromkeys(fact.body.replaced, fact.body.files))

    def rows_of(self, fact: Fact) -> Iterator[pa.Table]:
        """The rows that a fact landed and that nobody took back.

        Raises:
            Unavailable: a file is gone or damaged.
        """
        if not isinstance(fact.body, TripsLanded) or fact.seq in self._gone:
            return
        for file in fact.body.files:
            if file.file not in self._followers:
                yield read_rows(self._folder, file)
                continue
            for now in self._now(file):
                if now.file not in self._read:
                    self._read.add(now.file)
                    yield self._since(read_rows(self._folder, now))

    def _now(self, file: TripFile) -> list[TripFile]:
        """The files that hold a file's rows now."""
        if file.file not in self._followers:
            return [file]
        return [now for follower in self._followers[file.file] for now in self._now(follower)]

    def _since(self, rows: pa.Table) -> pa.Table:
        """Rows of the batches that are entered, which are those after the last one known."""
        gone = pa.array(sorted(self._gone), pa.int64())
        wanted = pc.and_(pc.greater(rows["seq"], self._after), pc.invert(pc.is_in(rows["seq"], gone)))
        return rows.filter(wanted).select(TRIPS.names)
