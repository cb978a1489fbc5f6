"""The public checkpoints that the simulation passes through, and what a scale does to them.

``=`` is met exactly, ``>`` strictly, ``>=`` at least. Hours count from the opening of orders
(28 March 2024, 22:00, Asia/Shanghai), so midnight before 29 March is hour 2.

A scale multiplies every count of orders and cars: 88,898 reservations become 889 at 0.01. Each
checkpoint's number is multiplied and rounded half up by itself, and the relation is kept to the
rounded number (more than 10,000 becomes more than 100, not 100). Outlets, prices and the buyers'
shares stay as they are: a smaller launch has fewer buyers, not other ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from driveaway.values.errors import BadValue

SMALLEST: Final = 0.01
LARGEST: Final = 100.0

OPENING_HOUR: Final = 22.0
"""Local hour of day at which orders open; the midnights below rest on it."""
CEREMONY_HOUR: Final = 132.0
"""3 April, 10:00: the first handover; both counts stated that day hold from then on."""
LIVESTREAM_DAY_HOUR: Final = 482.0
"""The midnight before 18 April: orders pick up again from here."""
LOCKS_STATED_HOUR: Final = 554.0
"""The midnight after 20 April."""
END_HOUR: Final = 650.0
"""The midnight after 24 April: the data end just before it."""


@dataclass(frozen=True)
class Checkpoint:
    """One stated number.

    Attributes:
        claim: slug of the claim in the case ``su7``.
        hour: hours since orders opened.
        relation: how the number is met.
        count: the number as stated.
    """

    claim: str
    hour: float
    relation: Literal["=", ">", ">="]
    count: int


RESERVED: Final = (
    Checkpoint("reserved-in-4-minutes", 4 / 60, ">", 10_000),
    Checkpoint("reserved-in-7-minutes", 7 / 60, ">", 20_000),
    Checkpoint("reserved-in-27-minutes", 27 / 60, ">=", 50_000),
    Checkpoint("reserved-in-24-hours", 24.0, "=", 88_898),
    Checkpoint("reserved-2024-04-03", CEREMONY_HOUR, ">", 100_000),
)
LOCKED: Final = (
    Checkpoint("locked-2024-04-03", CEREMONY_HOUR, ">", 40_000),
    Checkpoint("locked-2024-04-20", LOCKS_STATED_HOUR, ">", 70_000),
    Checkpoint("locked-2024-04-24", END_HOUR, "=", 75_723),
)
LOCKED_IN_FOUR_DAYS: Final = Checkpoint("locked-in-four-days", END_HOUR, ">", 5_000)
DELIVERED: Final = Checkpoint("delivered-2024-04-24", END_HOUR, "=", 5_781)

# Nothing public says these: round numbers near what the checkpoints leave open.
AFTER_CEREMONY: Final = 10_300
"""Reservations from the ceremony to 17 April."""
AFTER_LIVESTREAM: Final = 12_200
"""Reservations from 18 to 24 April."""
EDITION_SIZES: Final = {"founder": 5_000, "founder-2": 400}

WOMEN: Final = 0.28
APPLE: Final = 0.519
GERMAN_PREMIUM: Final = 0.29


def scaled(count: int, scale: float) -> int:
    """A count at a scale, rounded half up."""
    return int((Decimal(count) * Decimal(str(scale))).to_integral_value(ROUND_HALF_UP))


def parse_scale(scale: float) -> float:
    """A scale that the demo can be made at.

    Raises:
        BadValue: it is not between 0.01 and 100.
    """
    if not SMALLEST <= scale <= LARGEST:
        raise BadValue(
            f"scale {scale:g} is out of range",
            code="demo.scale",
            remedy=f"choose between {SMALLEST:g} and {LARGEST:g}",
        )
    return scale
