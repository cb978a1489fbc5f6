"""The order of version strings, where none is given: SemVer 2.0.0, and dotted numbers of any length."""

from __future__ import annotations

import re
from collections.abc import Callable

from driveaway.values.errors import BadValue

Compare = Callable[[str, str], int]
"""Below 0, 0 or above 0; raises BadValue for what is not a version."""
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def compare(one: str, two: str) -> int:
    """Compare two versions.

    Missing numbers are 0, a pre-release comes before its release, build metadata is not compared.

    Raises:
        BadValue: not a version.
    """
    left, right = _key(one), _key(two)
    return (left > right) - (left < right)


def _key(text: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    found = _FORM.fullmatch(text)
    if not found or len(text) > 200:
        raise BadValue(f"{text!r} is not a version", code="gate.version", remedy="write it such as 1.4.0")
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    parts = found[2].split(".") if found[2] else []
    # Section 11.4: numbers compare as numbers and come before words.
    labels = tuple(
        (not p.isdigit(), int(p) if p.isdigit() else 0, p if not p.isdigit() else "") for p in parts
    )
    return tuple(numbers), not parts, labels
