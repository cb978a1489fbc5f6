"""What the fleet's figures take: windows, functions, and one of several choices."""

from __future__ import annotations

import re
from typing import Annotated, Final

import ibis
import ibis.expr.types as ir
from msgspec import Meta

from driveaway.book.view import View
from driveaway.values.errors import BadValue, NotFound

EPOCH: Final = "1970-01-01"
ANY: Final = "any"
_WINDOW: Final = re.compile(r"([0-9]{1,4})d")
_MOST: Final = 3660
Metres = Annotated[int, Meta(ge=1, le=10_000_000)]
"""So many metres: one at least."""


def window_days(text: str) -> int | None:
    """Days of a window such as ``28d``; None for ``ever``.

    Raises:
        BadValue: it is neither, or longer than ten years.
    """
    if text == "ever":
        return None
    found = _WINDOW.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= _MOST:
        raise BadValue(
            f"{text!r} is not a window",
            code="argument.window",
            remedy=f"1d to {_MOST}d, such as 28d, or ever",
        )
    return int(found[1])


def single(name: str, text: str) -> str:
    """One choice where alternatives make no sense.

    Raises:
        BadValue: several are given.
    """
    if "|" in text:
        raise BadValue(
            f"{name} takes one choice, not {text!r}", code="argument.single", remedy="ask once for each"
        )
    return text


def functions_of(view: View, text: str) -> tuple[str, ...] | None:
    """The driving functions that an argument names; None for any.

    Raises:
        BadValue: launch.toml lists functions, and this is none of them.
    """
    if text == ANY:
        return None
    names = tuple(dict.fromkeys(text.split("|")))
    try:
        known = [function.name for function in view.description.fleet.functions]
    except NotFound:
        known = []
    for name in names:
        if known and name not in known:
            raise BadValue(
                f"there is no driving function {name!r}",
                code="argument.function",
                remedy=f"one of {', '.join(known)}, or {ANY}",
            )
    return names


def day_number(day: ir.DateValue) -> ir.IntegerValue:
    """Days since 1970 of a date."""
    return day.delta(ibis.date(EPOCH), unit="day").cast("int32")
