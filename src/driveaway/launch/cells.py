"""Text cells that a spreadsheet would run as a formula: refused on the way in, disarmed on the way out.

The first characters are OWASP's list for CSV injection, with their full-width forms, which some
spreadsheets read alike. A leading ``-`` is fine where the whole cell is a number or a lone dash.
"""

from __future__ import annotations

import re
from typing import Final

from driveaway.values.errors import BadValue

_FORMULA: Final = re.compile(r"[=+@\t\r＝＋－＠]|-(?!(?:\d+(?:[.,]\d+)?)?\Z)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_RISKY: Final = re.compile(f"(?:{_FORMULA.pattern})|.*?{_CONTROL.pattern}", re.DOTALL)


def is_risky(text: str) -> bool:
    """Whether a text would be refused by ``check_text``."""
    return _RISKY.match(text) is not None


def check_text(text: str) -> None:
    """Refuse a text that could be run as a formula, or that holds control characters.

    Raises:
        BadValue: it is such a text.
    """
    if _FORMULA.match(text):
        raise BadValue(
            f"a text must not start with {text[0]!r}: a spreadsheet would run it as a formula",
            code="text.formula",
            remedy="write it without the sign",
        )
    if _CONTROL.search(text):
        raise BadValue(
            "a text holds a control character",
            code="text.control",
            remedy="remove it; a line break is one too",
        )


def disarmed(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it."""
    return "'" + text if _FORMULA.match(text) else text
