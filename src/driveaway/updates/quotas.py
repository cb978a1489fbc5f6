"""How much of a thing there may be: hawkBit's defaults, so that what it accepts is accepted here."""

from __future__ import annotations

from typing import Final, NoReturn

from driveaway.values.errors import Refused

STATUSES_PER_ACTION: Final = 1000
MESSAGES_PER_STATUS: Final = 50
ATTRIBUTES_PER_TARGET: Final = 100
ACTIONS_PER_TARGET: Final = 2000
MANUAL_ASSIGNMENTS: Final = 5000
ARTIFACT_BYTES: Final = 1024**3
STORE_BYTES: Final = 20 * 1024**3
KEY_LENGTH: Final = 128
"""Characters of an attribute's or metadata's key, and of an attribute's value."""
METADATA_LENGTH: Final = 4000
MESSAGE_LENGTH: Final = 4096
"""Characters of one message about an action; the rest of a longer one is cut."""


def exceeded(code: str, what: str, limit: int, remedy: str) -> NoReturn:
    """Refuse what goes beyond a quota; the code begins with ``quota.``."""
    raise Refused(f"{what}: {limit} is the limit", code=f"quota.{code}", remedy=remedy)
