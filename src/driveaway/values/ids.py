"""Identifiers: order ids, vehicle identification numbers, battery codes, slugs.

Each is parsed once at a door and is a plain ``str`` inside; the ``NewType`` says
that it has been checked.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final, NewType

from driveaway.values.errors import BadValue

OrderId = NewType("OrderId", str)
Vin = NewType("Vin", str)
Slug = NewType("Slug", str)

# Crockford's base 32: no I, L, O or U, so an id survives being read out over the telephone.
BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE32_VALUE: Final = {c: i for i, c in enumerate(BASE32)}
_BASE32_VALUE.update({"I": 1, "L": 1, "O": 0})
_DATA_CHARACTERS: Final = 9
ORDER_NUMBERS: Final = 32**_DATA_CHARACTERS

_SLUG = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


def _check_character(values: list[int]) -> str:
    """Luhn's algorithm modulo 32: catches every single wrong character and most swaps."""
    total = 0
    for position, value in enumerate(reversed(values)):
        weighted = value * (2 if position % 2 == 0 else 1)
        total += weighted // 32 + weighted % 32
    return BASE32[-total % 32]


def order_id(number: int) -> OrderId:
    """The order id of an integer below 32⁹ (about 3.5 × 10¹³)."""
    if not 0 <= number < ORDER_NUMBERS:
        raise BadValue(f"order number {number} is out of range", code="order_id.range", remedy="0 to 32⁹ - 1")
    values = [(number >> (5 * (_DATA_CHARACTERS - 1 - i))) & 31 for i in range(_DATA_CHARACTERS)]
    return OrderId("O-" + "".join(BASE32[v] for v in values) + _check_character(values))


def new_order_id() -> OrderId:
    """A fresh random order id."""
    return order_id(secrets.randbelow(ORDER_NUMBERS))


def order_id_of_foreign(namespace: str, foreign_id: str) -> OrderId:
    """The id an imported order gets: derived from the other system's id, so a re-import agrees."""
    digest = hashlib.sha256(f"{namespace}\x1f{foreign_id}".encode()).digest()
    return order_id(int.from_bytes(digest[:8], "big") % ORDER_NUMBERS)


def parse_order_id(text: str) -> OrderId:
    """Read an order id as a person may type it (any case; I, L and O forgiven).

    Raises:
        BadValue: it has another shape, or its check character is wrong.
    """
    body = text.strip().upper().removeprefix("O-")
    values = [_BASE32_VALUE.get(c, -1) for c in body]
    if len(body) != _DATA_CHARACTERS + 1 or min(values, default=-1) < 0:
        raise BadValue(
            f"{text!r} is not an order id",
            code="order_id.shape",
            remedy="an order id is O- and ten letters or digits, such as O-000000001Y",
        )
    if BASE32[values[-1]] != _check_character(values[:-1]):
        raise BadValue(
            f"the check character of {text!r} does not fit",
            code="order_id.check",
            remedy="compare it with the order confirmation; one character is wrong or two are swapped",
        )
    return OrderId("O-" + "".join(BASE32[v] for v in values))


def parse_slug(text: str) -> Slug:
    """Read a lower-case slug (outlets, releases, targets, claims, events).

    Raises:
        BadValue: it has other characters than a–z, 0–9, ``-`` and ``.``.
    """
    if not _SLUG.fullmatch(text) or len(text) > 80:
        raise BadValue(
            f"{text!r} is not a slug",
            code="slug.shape",
            remedy="use lower-case letters, digits and single hyphens, at most 80 characters",
        )
    return Slug(text)


# --- VIN: ISO 3779 with the check digit of 49 CFR 565.15(c), which GB 16735 shares ---
_VIN_VALUE: Final = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHT: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
VIN_YEARS: Final = "ABCDEFGHJKLMNPRSTVWXY123456789"
# First character of the VIN → the market's rule asks for the check digit:
# 1–5 North America (49 CFR 565.15), L China (GB 16735), K Korea, 6–7 Oceania do not.
CHECK_DIGIT_REGIONS: Final = frozenset("12345L")


def vin_check_digit(vin: str) -> str:
    """The ninth character that 49 CFR 565.15(c) gives to these 17 characters."""
    total = sum(_VIN_VALUE[c] * w for c, w in zip(vin, _VIN_WEIGHT, strict=True))
    return "0123456789X"[total % 11]


def parse_vin(text: str) -> Vin:
    """Read a vehicle identification number (ISO 3779), with its check digit where it applies.

    Raises:
        BadValue: not 17 characters of the VIN alphabet, or a wrong check digit.
    """
    vin = text.strip().upper()
    if len(vin) != 17 or any(c not in _VIN_VALUE for c in vin):
        raise BadValue(
            f"{text!r} is not a VIN",
            code="vin.shape",
            remedy="a VIN has 17 characters, digits and capitals without I, O and Q (ISO 3779)",
        )
    if vin[0] in CHECK_DIGIT_REGIONS and vin_check_digit(vin) != vin[8]:
        raise BadValue(
            f"the check digit of {vin} should be {vin_check_digit(vin)}, not {vin[8]}",
            code="vin.check_digit",
            remedy="read the VIN again from the car (GB 16735, 49 CFR 565.15)",
        )
    return Vin(vin)


def make_vin(world_manufacturer: str, descriptor: str, year: int, plant: str, serial: int) -> Vin:
    """Compose a VIN: 3 characters of manufacturer, 5 of descriptor, model year, plant, serial."""
    letter = VIN_YEARS[(year - 2010) % 30]
    draft = f"{world_manufacturer}{descriptor}0{letter}{plant}{serial:06d}"
    return Vin(draft[:8] + vin_check_digit(draft) + draft[9:])


# --- Battery pack code, GB/T 34014-2017: 24 characters, no I, O or Q ---
_BATTERY = re.compile(r"[0-9A-HJ-NPR-Z]{24}")


def parse_battery_code(text: str) -> str:
    """Read a power battery code (GB/T 34014): 24 digits and capitals without I, O and Q.

    Raises:
        BadValue: it has another shape.
    """
    code = text.strip().upper()
    if not _BATTERY.fullmatch(code):
        raise BadValue(
            f"{text!r} is not a battery code",
            code="battery.shape",
            remedy="a GB/T 34014 code has 24 characters without I, O and Q",
        )
    return code
