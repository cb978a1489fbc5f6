"""Hot loops compiled to machine code, kept between runs (docs/decisions/0012)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """Compile a function over numpy arrays and numbers when it is first called (numba, no Python objects).

    What was compiled is kept in a folder named after the source of the whole package: a loop that calls one
    of another file is compiled anew when that one changes. The folder is set for this loop alone, so that
    another package's loops stay in theirs.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return cast("Loop", numba.njit(cache=True, nogil=True)(loop))
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(_folder())  # type: ignore[attr-defined]
    try:
        return cast("Loop", numba.njit(cache=True, nogil=True)(loop))
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


@cache
def _folder() -> Path:
    package = Path(__file__).parent
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for source in sorted(package.rglob("*.py")):
        digest.update(source.read_bytes())
    for base in (package / "__pycache__", _users()):
        folder = base / f"loops-{digest.hexdigest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="driveaway-loops-"))


def _users() -> Path:
    """The user's cache folder, by the XDG base directory specification."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "driveaway"
