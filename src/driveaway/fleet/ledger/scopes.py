"""Scopes of activity: in which sense a car was active on a day."""

from __future__ import annotations

from typing import Final

DRIVEN: Final = "driven"
ASSISTED: Final = "assisted"


def scope_of(function: str) -> str:
    """The scope of a driving function: its name, unless that is one of the other scopes."""
    return f"function {function}" if function in (DRIVEN, ASSISTED) else function
