"""Files and folders for their owner alone: tokens of cars and passwords' digests stand in a book."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from stat import S_IROTH, S_IRWXG, S_IRWXO, S_IXOTH
from typing import Final

_CLASSES: Final = (3, 0)
"""Shifts of the permissions of a group and of others."""


def private_folder(path: Path) -> None:
    """Make a folder that its owner alone may enter; one that is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def private_file(path: Path) -> None:
    """Make an empty file that its owner alone may read and write; one that is there stays as it is."""
    # Made only where there is none: to open and close one of SQLite's files would drop its locks. Where it
    # cannot be made, whoever opens it next says why.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def open_to_others(file: Path) -> bool:
    """Whether another user of this machine may enter a file's folder and read the file."""
    inside, folder = file.stat().st_mode, file.parent.stat().st_mode
    return any(inside >> shift & S_IROTH and folder >> shift & S_IXOTH for shift in _CLASSES)


def is_private(folder: Path) -> bool:
    """Whether its owner alone may enter a folder."""
    return not folder.stat().st_mode & (S_IRWXG | S_IRWXO)
