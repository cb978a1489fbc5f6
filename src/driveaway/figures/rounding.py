"""The one way in which numbers are rounded for people: half up, from the decimal that is printed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

_CELL_DECIMALS: Final = 6


def exact(value: Any) -> Decimal:
    """A number without the error of its binary form: a float counts as the shortest decimal it prints.

    Raises:
        ValueError: it is not a finite number.
    """
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number


def rounded(value: Any, decimals: int) -> Decimal:
    """Rounded half up to a number of decimals."""
    return exact(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def significant(value: Any, digits: int, decimals: int) -> Decimal:
    """Rounded half up to ``decimals``; a number below 1 keeps that many significant ``digits`` instead."""
    number = exact(value)
    if number and abs(number) < 1:
        decimals = max(decimals, digits - 1 - number.adjusted())
    return rounded(number, decimals)


def cell(value: Any) -> str:
    """A number as a CSV cell has it: at most six decimals, below 1 six digits, no zeros behind."""
    number = exact(value)
    # Beyond 2⁵³ a float is whole, and has more digits than can be quantized.
    whole = number == number.to_integral_value()
    return plain(number if whole else significant(number, _CELL_DECIMALS, _CELL_DECIMALS))


def plain(number: Decimal) -> str:
    """Without an exponent and without zeros behind the decimal point; never ``-0``."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
