"""Where the fleet's data lies below a launch's folder of data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FleetFolder:
    """The folder ``data/fleet`` of a launch.

    Attributes:
        root: the folder itself.
    """

    root: Path

    @property
    def trips(self) -> Path:
        """Landed trips: ``DAY/BATCH-DIGEST.parquet``; what no fact names does not exist."""
        return self.root / "trips"

    @property
    def quarantine(self) -> Path:
        """Rows put aside: ``BATCH.parquet``."""
        return self.root / "quarantine"

    @property
    def index(self) -> Path:
        """A cache by which rows that were landed before are known. Deleted, it comes back."""
        return self.root / "index"

    @property
    def ledger(self) -> Path:
        """A cache of what figures read. Deleted, it comes back."""
        return self.root / "ledger"

    @property
    def staging(self) -> Path:
        """Files that are being written; on the same disk as the trips."""
        return self.root / "staging"

    @property
    def lock(self) -> Path:
        """Held by whoever lands, releases or compacts."""
        return self.root / "landing.lock"
