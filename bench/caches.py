"""Making the operating system forget files, so that a first answer is read from the disk."""

from __future__ import annotations

import os
from pathlib import Path


def forget(folder: str | Path) -> None:
    """Drop the files below a folder from the page cache, as far as the system lets us."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in Path(folder).rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
