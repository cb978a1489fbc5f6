"""The files of a TUF repository: metadata and targets, to whoever asks; they carry their own proof."""

from __future__ import annotations

import os
import re
from pathlib import Path
from stat import S_ISREG
from typing import Final

from driveaway.values.errors import NotFound
from driveaway.web.http.files import Served

_IMMUTABLE: Final = "public, max-age=31536000, immutable, no-transform"
_CURRENT: Final = "public, no-cache, no-transform"
# VERSION.ROLE.json; HASH.NAME with the hash in hexadecimal, 128 bits at the least (TUF 1.0 §6.2).
_VERSIONED: Final = re.compile(r"[1-9][0-9]{0,9}\..+\.json")
_ROOT: Final = re.compile(r".*/tuf/metadata/[1-9][0-9]{0,9}\.root\.json")
_HASHED: Final = re.compile(r"[0-9a-f]{32,128}\..+")


def find(folder: Path, parts: tuple[str, ...]) -> Served:
    """The file at a path below ``metadata`` or ``targets``.

    Names under which content never changes may be kept for ever; all others must be asked for anew.

    Raises:
        NotFound: there is no such file, or its path leads elsewhere.
    """
    kind, *names = parts
    unsafe = any(not name or name.startswith(".") or "/" in name or "\\" in name for name in names)
    if kind not in ("metadata", "targets") or not names or unsafe or (kind == "metadata" and len(names) > 1):
        raise _unknown()
    root = (folder / kind).resolve()
    path = root.joinpath(*names)
    try:
        # A link to somewhere else is not followed, wherever in the path it stands.
        inside = path.resolve(strict=True) == path
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise _unknown() from error
    if not inside or not S_ISREG(found.st_mode):
        raise _unknown()
    fixed = _VERSIONED if kind == "metadata" else _HASHED
    return Served(
        path,
        f'"{found.st_mtime_ns:x}-{found.st_ino:x}-{found.st_size:x}"',
        found.st_mtime_ns // 1000,
        content_type="application/json" if kind == "metadata" else "application/octet-stream",
        cache_control=_IMMUTABLE if fixed.fullmatch(names[-1]) else _CURRENT,
    )


def asks_for_root(path: str) -> bool:
    """Whether a path names a root: clients ask for the next one until there is none (TUF 1.0, 5.3.3)."""
    return _ROOT.fullmatch(path) is not None


def _unknown() -> NotFound:
    return NotFound("the repository has no such file", code="tuf.unknown", remedy="begin at timestamp.json")
