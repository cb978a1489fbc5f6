"""Keeping house in the folder of trips: what the worker does, and what a command does once.

What lands trips is loaded when there is something to do: a worker without trips stays as light as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driveaway.fleet.folder import FleetFolder

if TYPE_CHECKING:
    from driveaway.fleet.landing.compaction import Compacted
    from driveaway.fleet.landing.landing import Landing
    from driveaway.fleet.landing.quarantine import Quarantine, Settled
    from driveaway.launch.launch import Launch


class FleetKeeper:
    """What a worker does for trips, again and again."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._folder = FleetFolder(launch.data / "fleet")
        self._opened: tuple[Landing, Quarantine] | None = None

    def _open(self) -> tuple[Landing, Quarantine]:
        if self._opened is None:
            from driveaway.fleet.landing.quarantine import Quarantine
            from driveaway.launch.fleet.opening import open_landing

            landing = open_landing(self._launch)
            self._opened = landing, Quarantine(landing)
        return self._opened

    def release(self, at: int) -> Settled | None:
        """Land what waited for a handover that was recorded since."""
        if not any(self._folder.quarantine.glob("*.parquet")):
            return None
        return self._open()[1].release_delivered()

    def compact(self, at: int) -> list[Compacted]:
        """Make one file of many small ones, and delete what nobody names any more."""
        if not self._folder.trips.exists():
            return []
        from driveaway.fleet.landing.compaction import compact, sweep

        landing, _ = self._open()
        done = compact(landing)
        sweep(landing)
        landing.close()
        return done


def compact_now(launch: Launch, *, day: str | None = None) -> tuple[list[Compacted], int]:
    """Compact every small file of a launch's trips.

    Args:
        day: this local day alone.

    Returns:
        (what was compacted, files deleted).
    """
    from driveaway.fleet.landing.compaction import compact, sweep
    from driveaway.launch.fleet.opening import open_landing

    launch.book.edge()
    landing = open_landing(launch)
    try:
        done = compact(landing, many=2, day=day, whole=True)
        return done, sweep(landing)
    finally:
        landing.close()
