"""The order of version strings for gates: the room's own, for what is written strictly as a version."""

from __future__ import annotations

import re
from collections.abc import Callable

from driveaway.updates import versions
from driveaway.values.errors import BadValue

Compare = Callable[[str, str], int]
"""Below 0, 0 or above 0; raises BadValue for what is not a version."""
_LONGEST = 200
_FORM = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


def compare(one: str, two: str) -> int:
    """Compare two versions, as ``updates.versions`` orders them.

    Raises:
        BadValue: not a version.
    """
    for text in (one, two):
        if len(text) > _LONGEST or not _FORM.fullmatch(text):
            raise BadValue(f"{text!r} is not a version", code="gate.version", remedy="write it such as 1.4.0")
    return versions.compare(one, two)
