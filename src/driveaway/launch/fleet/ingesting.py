"""Taking in files of trips."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from driveaway.fleet.ahead import ahead
from driveaway.fleet.landing import sources
from driveaway.fleet.landing.batch import SHOWN, Batch, Landed, Reject
from driveaway.fleet.landing.quarantine import Quarantine
from driveaway.fleet.landing.streaming import land_stream
from driveaway.launch.fleet.following import Following
from driveaway.launch.fleet.opening import open_landing
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, DriveawayError, NotFound

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch

Progress = Callable[[str, int], None]
"""(file, rows done)."""
_LARGE: Final = 1 << 24
"""Bytes of files from which many rows are to be expected."""


@dataclass
class FileTaken:
    """What became of a file.

    Attributes:
        path: the file.
        rows: accepted.
        repeated: known already.
        quarantined: put aside, by code.
        reasons: of the first rows that were put aside.
        batches: its batches that were landed.
        duplicates: its batches that had been landed before.
        error: why it was refused, or from where on; None: it was taken in.
    """

    path: Path
    rows: int = 0
    repeated: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    reasons: list[Reject] = field(default_factory=list)
    batches: int = 0
    duplicates: int = 0
    error: DriveawayError | None = None

    def add(self, landed: Landed) -> None:
        """Count a batch."""
        self.batches += 1
        if landed.duplicate:
            self.duplicates += 1
            return
        self.rows += landed.rows
        self.repeated += landed.repeated
        self.quarantined.update(landed.quarantined)
        self.reasons += landed.reasons[: SHOWN - len(self.reasons)]


def ingest(
    launch: Launch,
    files: Sequence[Path],
    *,
    simulated: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], int] = now,
) -> list[FileTaken]:
    """Take in files of trips; one that cannot be read stops no other.

    Of many rows the ledger of drives is brought up beside: once this returns they can be asked.

    Args:
        launch: where to.
        files: in this order.
        simulated: every trip was made up by a simulation.
        progress: called after each batch.

    Raises:
        Unavailable: the disk is full or the book cannot be reached; sending all again is safe.
    """
    launch.book.edge()
    landing = open_landing(launch, clock)
    out = [FileTaken(path) for path in files]
    waiting: deque[FileTaken] = deque()

    def batches() -> Iterator[Batch]:
        for taken in out:
            try:
                for batch in sources.batches(sources.open_source(taken.path), simulated=simulated):
                    waiting.append(taken)
                    yield batch
            except (BadValue, NotFound) as error:
                taken.error = error.at(str(taken.path))

    with Following(launch) as ledger:
        if sum(path.stat().st_size for path in files if path.is_file()) >= _LARGE:
            ledger.begin()
        try:
            Quarantine(landing).release_delivered()
            with ahead(batches()) as found:
                for done in land_stream(landing, found):
                    taken = waiting.popleft()
                    if isinstance(done, Landed):
                        taken.add(done)
                        ledger.landed(done.rows)
                    elif taken.error is None:
                        taken.error = done.at(str(taken.path))
                    if progress is not None:
                        progress(taken.path.name, taken.rows + taken.repeated)
        finally:
            landing.close()
    return out
