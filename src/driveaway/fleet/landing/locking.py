"""One lander at a time for each folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.files import writable
from driveaway.values.errors import Unavailable

PATIENCE: Final = 120.0
"""Seconds."""
_LOOK: Final = 0.002


@contextmanager
def landing_lock(folder: FleetFolder, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the folder's lock, which the kernel lets go of when the process dies.

    Raises:
        Unavailable: somebody else held it all the time.
    """
    with writable(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(handle):
            _wait(folder, handle, patience)
        yield
    finally:
        os.close(handle)


def _wait(folder: FleetFolder, handle: int, patience: float) -> None:
    """Ask for the lock again and again; meanwhile a sign tells whoever holds it for long."""
    sign = os.open(_sign(folder), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(sign, fcntl.LOCK_SH)
        until, pause = time.monotonic() + patience, _LOOK
        while not _locked(handle):
            if time.monotonic() > until:
                raise Unavailable(
                    "another process lands trips in this folder",
                    code="trips.busy",
                    place=str(folder.root),
                    remedy="try again; nothing of this batch was taken in",
                )
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
    finally:
        os.close(sign)


def others_wait(folder: FleetFolder) -> bool:
    """Whether somebody waits for the lock now."""
    try:
        handle = os.open(_sign(folder), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(folder: FleetFolder) -> Path:
    return folder.root / "landing.waiting"
