"""Many identifiers at once: what is well-formed passes without a look at each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from driveaway.values.ids import (
    BASE32,
    CHECK_DIGIT_REGIONS,
    order_id_of_foreign,
    parse_order_id,
    parse_slug,
    parse_vin,
)

_ORDER_LENGTH: Final = 12
_VIN_LENGTH: Final = 17
_BAD: Final = 255

_base32 = np.full(256, _BAD, np.uint8)
for _value, _character in enumerate(BASE32):
    _base32[ord(_character)] = _value
# Luhn modulo 32 from the right, the check character (weight 1) included: the sum is a multiple of 32.
_doubled = np.array([(2 * v) // 32 + (2 * v) % 32 for v in range(32)], np.uint16)

_vin_value = np.full(256, _BAD, np.uint8)
for _letters, _from in (("0123456789", 0), ("ABCDEFGH", 1), ("JKLMN", 1), ("STUVWXYZ", 2)):
    for _offset, _character in enumerate(_letters):
        _vin_value[ord(_character)] = _from + _offset
_vin_value[ord("P")], _vin_value[ord("R")] = 7, 9
_vin_weights = np.array((8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), np.uint16)
_check = np.frombuffer(b"0123456789X", np.uint8)
_checked = np.zeros(256, bool)
for _character in CHECK_DIGIT_REGIONS:
    _checked[ord(_character)] = True


def _matrix(texts: Sequence[Any], length: int) -> np.ndarray[Any, Any] | None:
    """The texts as a matrix of bytes, or None where they are not all ASCII of that length."""
    try:
        if set(map(len, texts)) != {length}:
            return None
        joined = "".join(texts).encode("ascii")
    except (TypeError, UnicodeEncodeError):
        return None
    return np.frombuffer(joined, np.uint8).reshape(len(texts), length)


def well_formed_orders(texts: Sequence[Any]) -> list[bool] | None:
    """Which texts are order ids in their canonical form; None where they must be looked at one by one."""
    matrix = _matrix(texts, _ORDER_LENGTH)
    if matrix is None:
        return None
    values = _base32[matrix[:, 2:]]
    known = (values != _BAD).all(axis=1) & (matrix[:, 0] == ord("O")) & (matrix[:, 1] == ord("-"))
    values = np.where(values == _BAD, 0, values)
    total = values[:, 1::2].sum(axis=1, dtype=np.uint16) + _doubled[values[:, 0::2]].sum(
        axis=1, dtype=np.uint16
    )
    return list((known & (total % 32 == 0)).tolist())


def well_formed_vins(texts: Sequence[Any]) -> list[bool] | None:
    """Which texts are VINs, check digit included; None where they must be looked at one by one."""
    matrix = _matrix(texts, _VIN_LENGTH)
    if matrix is None:
        return None
    values = _vin_value[matrix]
    known = (values != _BAD).all(axis=1)
    total = (np.where(values == _BAD, 0, values).astype(np.uint16) * _vin_weights).sum(axis=1) % 11
    right = (_check[total] == matrix[:, 8]) | ~_checked[matrix[:, 0]]
    return list((known & right).tolist())


class Subjects:
    """Reads subjects of facts: order ids of ours or of another system, VINs, slugs."""

    def __init__(self, namespace: str) -> None:
        """``namespace`` stands for the system whose order ids are foreign."""
        self.namespace = namespace

    def order(self, text: str) -> tuple[str, str | None]:
        """(order id, the foreign id that it stands for, if any).

        Raises:
            BadValue: an id of ours with a wrong check character.
        """
        text = text.strip()
        if text[:2] in ("O-", "o-"):
            return parse_order_id(text), None
        return order_id_of_foreign(self.namespace, text), text

    def read(self, role: str, text: str) -> tuple[str, str | None]:
        """(subject, foreign id) by the role that its kind gives it.

        Raises:
            BadValue: not such an identifier.
        """
        if role == "order":
            return self.order(text)
        if role == "vin":
            return parse_vin(text), None
        if role == "slug":
            return parse_slug(text.strip()), None
        return text.strip(), None

    def column(self, role: str, texts: Sequence[Any]) -> list[bool] | None:
        """Which texts are subjects just as they stand; None: look at each."""
        if role == "order":
            return well_formed_orders(texts)
        if role == "vin":
            return well_formed_vins(texts)
        return None
