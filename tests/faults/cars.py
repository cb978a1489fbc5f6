"""A car in a process of its own that is killed at a step of its choice, or at any access to its disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from driveaway.updates.car.client import Car
from driveaway.updates.car.driving import settle
from driveaway.updates.car.parts import unsigned


def drive_until(pipe: Connection, folder: str, step: str, comes_up: bool) -> None:
    """Run a car; ``kill -9`` itself at a step."""

    def lap(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    pipe.send(("ready", 0))
    settle(Car(Path(folder), unsigned, lap=lap, comes_up=None if comes_up else lambda slot: False))
    pipe.send(("done", 0))


class PowerCut(BaseException):
    """The power is off."""


class Disk:
    """Counts what changes files in a folder, and cuts the power before a change of a number."""

    def __init__(self) -> None:
        self._folder = ""
        self._cut: int | None = None
        self.changes = 0
        sys.addaudithook(self._heard)

    @contextmanager
    def watched(self, folder: Path, cut: int | None = None) -> Iterator[None]:
        """Watch a folder; cut the power before its change number ``cut``, counted from 0."""
        self._folder, self._cut, self.changes = str(folder), cut, 0
        try:
            yield
        finally:
            self._folder = ""

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._folder or event not in _CHANGING:
            return
        place = arguments[1] if event == "os.symlink" else arguments[0]
        reads = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if reads or not str(place).startswith(self._folder):
            return
        if self.changes == self._cut:
            raise PowerCut
        self.changes += 1


_CHANGING = frozenset(
    {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate", "shutil.rmtree"}
)
