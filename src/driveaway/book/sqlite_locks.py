"""The locks that writers queue on, and SQLite's errors in our words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driveaway.values.errors import Conflict, Unavailable


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: what can be tried again says so."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Conflict(str(error), code="book.conflict", place=str(path)) from error
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "full" in text:
            remedy = "free some space and try again; nothing that was accepted is lost"
            raise Unavailable("the disk is full", code="disk.full", place=str(path), remedy=remedy) from error
        if "malformed" in text or "not a database" in text:
            remedy = "restore the last backup: driveaway restore FILE"
            raise Unavailable(text, code="book.damaged", place=str(path), remedy=remedy) from error
        raise Unavailable(text, code="store.unreachable", place=str(path), remedy="try again") from error


@contextmanager
def locked(path: Path, waiting: Path | None = None) -> Iterator[None]:
    """Hold an advisory lock that the kernel lets go of when the process dies.

    While it has to wait it holds ``waiting`` shared, which tells a long import to step aside.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Unavailable(str(error), code="store.unreachable", place=str(path)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            else:
                sign = os.open(waiting, os.O_RDWR | os.O_CREAT, 0o644)
                try:
                    fcntl.flock(sign, fcntl.LOCK_SH)
                    fcntl.flock(handle, fcntl.LOCK_EX)
                finally:
                    os.close(sign)
        yield
    finally:
        os.close(handle)


def is_locked(handle: int) -> bool:
    """Whether somebody else holds a lock on this open file, shared or not."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
