"""The arithmetic of a claim: what a qualifier asks of the number measured.

*Exactly* on a count must be met exactly. A number said in percent or with decimals, or about a
measure that is not a count, is met within its own rounding: 28% means [27.5%, 28.5%).
*More than* is strict, *at least* is not. *About* is shown with the difference and never fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from driveaway.briefing.numbers import exact

Verdict = Literal["agrees", "disagrees", "approximate", "cannot be checked"]


@dataclass(frozen=True)
class Judgement:
    """A verdict with its difference: measured minus said, in the unit of what was said."""

    verdict: Verdict
    measured: Decimal
    said: Decimal
    difference: Decimal

    @property
    def relative(self) -> Decimal | None:
        """The difference as a share of what was said, None where that was nothing."""
        return self.difference / abs(self.said) if self.said else None


def judge(measured: int | float, said: str, qualifier: str, *, percent: bool = False) -> Judgement:
    """Set a measured number beside a said one.

    Args:
        measured: the figure's value; a share 0–1 where ``percent``.
        said: the decimal number as written; its digits carry the rounding.
        qualifier: ``exactly``, ``more than``, ``at least`` or ``about``.
        percent: it was said in percent.

    Raises:
        ValueError: a number is not finite, or the qualifier is another word.
    """
    number = exact(measured) * 100 if percent else exact(measured)
    target = exact(said)
    return Judgement(_verdict(number, target, qualifier, measured, percent), number, target, number - target)


def _verdict(
    number: Decimal, target: Decimal, qualifier: str, measured: int | float, percent: bool
) -> Verdict:
    if qualifier == "about":
        return "approximate"
    if qualifier == "more than":
        met = number > target
    elif qualifier == "at least":
        met = number >= target
    elif qualifier == "exactly":
        as_written = Decimal(1).scaleb(_exponent(target))
        is_count = isinstance(measured, int) and not percent and _exponent(target) == 0
        met = number == target if is_count else number.quantize(as_written, ROUND_HALF_UP) == target
    else:
        raise ValueError(f"{qualifier!r} is not a qualifier of a claim")
    return "agrees" if met else "disagrees"


def _exponent(number: Decimal) -> int:
    """The exponent of the last digit written: 0 for 28, −1 for 51.9."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return min(exponent, 0)
