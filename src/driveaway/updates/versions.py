"""The order of software versions as cars report them.

One total order serves SemVer, dotted numbers of any length and dates. A version is read so:

- around it, spaces; before it, a ``v``; from the first ``+`` on, build metadata: none of it counts;
- then the release: numbers, compared as numbers however long, between separators (``.``, ``_``, space).
  What is missing counts as 0, so ``1.2`` equals ``1.2.0``. A date in ISO form (``2024-05-31``, also
  ``2024-05-31-2``) is the same as with dots;
- text inside a release (``1.0.3.0.UNCC``, ``1.0.2a``) is a later revision: above 0, below 1 at its place;
- after ``-`` or ``~``, or from a word that says so (``rc``, ``alpha``, ``beta``, ``pre``, ``preview``,
  ``dev``, ``snapshot``), the pre-release, by the rules of SemVer 2.0.0, section 11: it comes before its
  release; identifiers between dots or spaces, numbers below text, text by code point, fewer before more.

What does not begin with a number is no version; it comes before every version, by code point, and
no comparison of a filter finds it.

Source: Semantic Versioning 2.0.0, https://semver.org/spec/v2.0.0.html, section 11.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from driveaway.values.errors import BadValue

SCHEMES: Final = ("semver", "dotted", "date")
"""Schemes that a module may declare; the one order serves them all."""
FIRST_KEY: Final = "v"
"""The key of every version is at least this; the key of what is no version lies below."""

_BEGIN = re.compile(r"[vV]?(?=[0-9])")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[0-9]+)*(?![0-9A-Za-z-])")
_PRE_WORDS = frozenset(("alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"))
# A run of digits, a run of letters and the like; what ends the release; or one separator.
_PIECE = re.compile(r"(?P<number>[0-9]+)|(?P<pre>[-~])|(?P<gap>[\x00-\x20._])|(?P<text>[^0-9\x00-\x20._~-]+)")
_DOTS = re.compile(r"[\x00-\x20.]+")
_LETTERS = re.compile(r"[A-Za-z]*")

# The alphabet of keys. A character ends what could go on, and sorts below all that may follow it.
_END_OF_TEXT = _END_OF_PRE = " "
_END_OF_RELEASE = "!"
_ZERO, _TEXT, _ONE_DIGIT = "0", "1", 0x32
_PRE, _FINAL = "a", "z"
_LONGEST = 8


def compare(one: str, other: str) -> int:
    """-1, 0 or 1: whether ``one`` comes before ``other``, is the same version, or comes after."""
    first, second = sort_key(one), sort_key(other)
    return (first > second) - (first < second)


def compare_in(scheme: str, one: str, other: str) -> int:
    """The same, by the scheme that a module declares (``SCHEMES``).

    Raises:
        BadValue: the scheme is not known.
    """
    if scheme not in SCHEMES:
        raise BadValue(
            f"versions of scheme {scheme!r} cannot be ordered",
            code="version.scheme",
            remedy=f"one of {', '.join(SCHEMES)}",
        )
    return compare(one, other)


def is_version(text: str) -> bool:
    """Whether it begins, after spaces and a ``v``, with a number."""
    return _BEGIN.match(text.strip()) is not None


@lru_cache(maxsize=8192)
def sort_key(version: str) -> str:
    """A text whose order by code point (binary order in a store) is the order of versions.

    Equal versions have equal keys. Any text has a key; that of no version is below ``FIRST_KEY``.
    """
    text = version.strip()
    begin = _BEGIN.match(text)
    if begin is None:
        return "t" + text
    text = text[begin.end() :].partition("+")[0]
    dated = _ISO_DATE.match(text)
    if dated is not None:
        text = dated.group().replace("-", ".") + text[dated.end() :]
    release, pre = _split(text)
    while release and release[-1] == _ZERO:
        release.pop()
    key = FIRST_KEY + "".join(release) + _END_OF_RELEASE
    identifiers = [part for part in _DOTS.split(pre) if part]
    if not identifiers:
        return key + _FINAL
    return key + _PRE + "".join(map(_identifier, identifiers)) + _END_OF_PRE


def _split(text: str) -> tuple[list[str], str]:
    """The components of the release, as keys, and the text of the pre-release."""
    release: list[str] = []
    for piece in _PIECE.finditer(text):
        kind, found = piece.lastgroup, piece.group()
        if kind == "number":
            release.append(_number(found))
        elif kind == "pre":
            return release, text[piece.end() :]
        elif kind == "text":
            letters = _LETTERS.match(found)
            if letters is not None and letters.group().lower() in _PRE_WORDS:
                return release, text[piece.start() :]
            release.append(_TEXT + found + _END_OF_TEXT)
    return release, ""


def _number(digits: str) -> str:
    """A number of any length: how many digits it has, then the digits."""
    digits = digits.lstrip("0")
    return _length(len(digits)) + digits if digits else _ZERO


def _length(length: int) -> str:
    if length < _LONGEST:
        return chr(_ONE_DIGIT + length - 1)
    # 8 or more digits: the highest sign, and how many more as a number of its own.
    return chr(_ONE_DIGIT + _LONGEST - 1) + _number(str(length - _LONGEST + 1))


def _identifier(text: str) -> str:
    if text.isascii() and text.isdigit():
        return _ZERO + _number(text)
    return _TEXT + text + _END_OF_TEXT
