"""The book as one thing: where it is, up to where it goes, and the cut of it at a date."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from driveaway.book.engine import Engine
from driveaway.book.landed import Landed, Landing
from driveaway.book.mirror import Mirror
from driveaway.book.opening import open_store as open_store
from driveaway.book.private import private_folder
from driveaway.book.reading import fact_of
from driveaway.book.store import Edge
from driveaway.book.tree import Frontier
from driveaway.book.verify import Verdict, read_heads, verify
from driveaway.book.view import View
from driveaway.book.when import When
from driveaway.facts import Fact
from driveaway.values.errors import BadValue

DUCKDB: Final = "duckdb"
"""The engine within this process."""
_HEAD_EVERY = 1.0


class Book:
    """One book: a row store, its mirror, and an engine over the mirror.

    ``engine`` is ``duckdb``, or the Spark master on which figures are computed.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        zone: ZoneInfo,
        landing: Landing | None = None,
        engine: str = DUCKDB,
    ) -> None:
        self.store = open_store(url)
        self.zone = zone
        self.folder = folder
        self.mirror = Mirror(self.store, folder / "mirror", zone)
        self.landed = None if landing is None else landing(self.mirror)
        self.engine = _engine(engine, self.mirror, self.landed)
        self.progress: Callable[[int, int], None] | None = None
        self._head_due = 0.0

    def edge(self) -> Edge:
        """The right edge: last seq, when that was recorded, the tree's peaks."""
        return self.store.edge()

    def mark_at(self, recorded: int) -> int:
        """The mark as it was at a time: the last seq recorded by then."""
        return self.store.mark_at(recorded)

    def at(self, when: When) -> View:
        """The book cut at an as-of and a mark.

        Raises:
            BadValue: the mark is negative or beyond the book.
        """
        manifest = self.mirror.catch_up(self.progress)
        self.engine.progress = self.progress
        if not 0 <= when.mark <= manifest.upto:
            raise BadValue(
                f"mark {when.mark} is beyond the book, which goes to {manifest.upto}",
                code="mark.range",
                remedy="leave the mark out for the newest",
            )
        return View(self.engine, when, self.zone)

    def about(self, subject: str) -> list[Fact]:
        """Every fact about a subject or naming it, replaced ones included, by seq."""
        return [fact_of(row) for row in self.store.about(subject)]

    def facts(self, after: int, until: int, batch: int = 10_000) -> Iterator[Fact]:
        """Facts with after < seq ≤ until, by seq, streamed."""
        while rows := self.store.rows(after, until, batch):
            yield from map(fact_of, rows)
            after = rows[-1].seq

    # --- heads, logged outside the database ---

    @property
    def head_log(self) -> Path:
        """Where heads are logged: one JSON object a line."""
        return self.folder / "heads.jsonl"

    def log_head(self, *, force: bool = False) -> None:
        """Log the tree's head beside the database, at most once a second unless forced."""
        if not force and time.monotonic() < self._head_due:
            return
        edge = self.store.edge()
        head = {
            "size": edge.size,
            "root": Frontier(edge.size, edge.peaks).root().hex(),
            "recorded": edge.recorded,
        }
        line = json.dumps(head) + "\n"
        # What was accepted is accepted: a disk too full for the log makes no append fail. The next
        # head covers this one.
        with suppress(OSError):
            private_folder(self.folder)
            handle = os.open(self.head_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)
            self._head_due = time.monotonic() + _HEAD_EVERY

    def heads(self) -> Iterator[tuple[int, bytes]]:
        """(size, root) as logged; a line cut off by a crash is passed over."""
        yield from read_heads(self.head_log)

    def verify(self, progress: Callable[[int, int], None] | None = None) -> Verdict:
        """Recompute the tree and compare it with the book and the logged heads."""
        return verify(self.store, self.heads(), progress)

    def close(self) -> None:
        """Let go of files and connections."""
        self.engine.close()
        self.store.close()


def _engine(name: str, mirror: Mirror, landed: Landed | None) -> Engine:
    """The engine of this name.

    Raises:
        BadValue: there is none.
    """
    if name == DUCKDB:
        return Engine(mirror, landed)
    from driveaway.book.spark.engine import SparkEngine

    return SparkEngine(mirror, landed, name)
