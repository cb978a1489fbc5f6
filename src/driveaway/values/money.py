"""Money: integer minor units (fen, cents) with a currency of ISO 4217."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from driveaway.values.errors import BadValue

# Digits after the point, ISO 4217 table A.1. Every currency not listed here has two.
_MINOR_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}

_MOST_DIGITS: Final = 18


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of a currency.

    Raises:
        BadValue: not three capital letters.
    """
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise BadValue(
            f"{currency!r} is not a currency", code="money.currency", remedy="use ISO 4217, such as CNY"
        )
    return _MINOR_DIGITS.get(currency, 2)


def parse_money(text: str, currency: str) -> int:
    """Read an amount in major units ("5,000.00") as integer minor units (500000).

    Raises:
        BadValue: not a number, negative, or finer than the currency's minor unit.
    """
    try:
        amount = Decimal(text.replace(",", "").strip())
        if amount.is_finite() and amount and amount.adjusted() > _MOST_DIGITS:
            raise OverflowError("more digits than any amount has")
        scaled = amount.scaleb(minor_digits(currency))
        whole = int(scaled.to_integral_exact())
        exact = whole == scaled
    except (ArithmeticError, ValueError) as error:
        raise BadValue(
            f"{text!r} is not an amount", code="money.shape", remedy="write digits, such as 5000.00"
        ) from error
    if not exact:
        raise BadValue(f"{text!r} is finer than the smallest unit of {currency}", code="money.precision")
    if whole < 0:
        raise BadValue(
            f"{text!r} is negative",
            code="money.negative",
            remedy="a repayment is a fact of its own (deposit.refunded), with a positive amount",
        )
    return whole


def show_money(minor: int, currency: str) -> str:
    """An amount as people read it: ``CNY 5,000.00``."""
    digits = minor_digits(currency)
    return f"{currency} {Decimal(minor).scaleb(-digits):,.{digits}f}"
