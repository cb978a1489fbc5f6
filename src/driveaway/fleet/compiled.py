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

    The loop runs without Python's lock and is typed as it was written. What was compiled is kept in a
    folder named after the source of the loop's whole package: one that calls a loop of another file is
    compiled anew when that one changes, which numba by itself does not notice. The folder is set for this
    loop alone, so that another package's loops stay in theirs.
    """
    config: Any = numba.config
    before = config.CACHE_DIR
    if not os.environ.get("NUMBA_CACHE_DIR"):
        config.CACHE_DIR = _folder(Path(loop.__code__.co_filename).parent)
    try:
        return cast("Loop", numba.njit(cache=True, nogil=True)(loop))
    finally:
        config.CACHE_DIR = before


@cache
def _folder(package: Path) -> str:
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
            return str(folder)
    return tempfile.mkdtemp(prefix="driveaway-loops-")


def _users() -> Path:
    """The user's cache folder, by the XDG base directory specification."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "driveaway"
