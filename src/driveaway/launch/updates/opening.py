"""What an opened launch has for updates: tables, artifacts, signed metadata, keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo

from driveaway.book.state.state import State
from driveaway.updates.artifacts import ArtifactStore

if TYPE_CHECKING:
    from driveaway.updates.signing.keys import KeyRing
    from driveaway.updates.signing.repository import Repository

DEMO_MARKER: Final = ".made-by-demo"
"""A file in every launch folder that a demo made."""


class Opened(Protocol):
    """What is needed of a launch."""

    @property
    def folder(self) -> Path:
        """The launch folder."""
        ...

    @property
    def data(self) -> Path:
        """Its folder of data."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        ...

    @property
    def state(self) -> State:
        """Operational tables."""
        ...


class Updates:
    """Everything that updates work with. Cheap to make: the signing libraries are loaded when asked for.

    Attributes:
        state: operational tables; a change may append facts.
        artifacts: the contents of software.
        tuf: folder of the signed repository; ``metadata`` and ``targets`` in it are served to cars.
        keys_folder: of the ring of keys.
        functions_file: where functions and their gates are described.
        zone: of days.
        is_trial: whether the launch is a demonstration, where private keys may lie in files.
    """

    def __init__(self, launch: Opened) -> None:
        self.state = launch.state
        self.artifacts = ArtifactStore(launch.data / "artifacts")
        self.tuf = launch.data / "tuf"
        self.functions_file = launch.folder / "functions.toml"
        self.zone = launch.zone
        self.is_trial = (launch.folder / DEMO_MARKER).is_file()
        self.keys_folder = launch.folder / "keys"

    @cached_property
    def keys(self) -> KeyRing:
        """The ring of keys: public halves, holders, and the way to private halves."""
        from driveaway.updates.signing.keys import KeyRing

        return KeyRing(self.keys_folder)

    def repository(self, online: Sequence[Any] = ()) -> Repository:
        """The signed repository; ``online`` are the signers of snapshot and timestamp, in a worker."""
        from driveaway.updates.signing.repository import Repository
        from driveaway.updates.signing.roles import TRIAL_PERIODS

        return Repository(self.tuf, online, TRIAL_PERIODS if self.is_trial else None)


def open_updates(launch: Opened) -> Updates:
    """What an opened launch has for updates."""
    return Updates(launch)
