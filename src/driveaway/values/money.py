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

# ISO 4217 list one, funds, metals and codes for testing left out; and what was withdrawn since 2010,
# which older orders may be priced in.
CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
    XCG XOF XPF YER ZAR ZMW ZWG
    BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL
    """.split()  # noqa: SIM905 - 160 quoted codes are read by nobody
)

_MOST_DIGITS: Final = 18


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of a currency.

    Raises:
        BadValue: not a code of ISO 4217.
    """
    check_currency(currency)
    return _MINOR_DIGITS.get(currency, 2)


def check_currency(currency: str) -> None:
    """Refuse what is no currency.

    Raises:
        BadValue: not a code of ISO 4217.
    """
    if currency not in CURRENCIES:
        raise BadValue(
            f"{currency!r} is not a currency",
            code="money.currency",
            remedy="use a code of ISO 4217, such as CNY",
            field="currency",
        )


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
        raise BadValue(
            f"{text!r} is finer than the smallest unit of {currency}",
            code="money.precision",
            remedy=f"at most {minor_digits(currency)} digits after the point",
        )
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
