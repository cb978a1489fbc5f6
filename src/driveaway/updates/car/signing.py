"""The car's own key: what it runs it says signed, with a counter that never falls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from driveaway.updates.signed_report import Report, Signed
from driveaway.values.errors import BadValue
from driveaway.values.files import write_whole

_KEY: Final = "report.key"
_COUNTER: Final = "report.counter"
_BYTES: Final = 32


def make_key(folder: Path) -> str:
    """Give a car a fresh key; the public half in hexadecimal digits.

    The private half stands in a file that its owner alone can read, as in a demonstration; a car on the
    road keeps it where software cannot read it.
    """
    key = Ed25519PrivateKey.generate()
    write_whole(folder / _KEY, key.private_bytes_raw(), mode=0o600)
    return key.public_key().public_bytes_raw().hex()


class Reporter:
    """Signs reports with the key in a car's folder.

    Raises:
        BadValue: the file of the key is damaged.
    """

    def __init__(self, folder: Path, controller_id: str) -> None:
        raw = (folder / _KEY).read_bytes()
        if len(raw) != _BYTES:
            raise BadValue(
                "this is no key", code="car.report_key", place=str(folder / _KEY), remedy="make the car anew"
            )
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self._counter = folder / _COUNTER
        self._id = controller_id

    @staticmethod
    def of(folder: Path, controller_id: str) -> Reporter | None:
        """The reporter of a car; None: it has no key and says unsigned what it runs."""
        return Reporter(folder, controller_id) if (folder / _KEY).exists() else None

    def signed(self, attributes: Mapping[str, str]) -> Signed:
        """A report with the next counter, which is on disk before the report leaves the car."""
        counter = self._next()
        report = Report(
            controller_id=self._id,
            counter=counter,
            time=time.time_ns() // 1_000_000,
            attributes=dict(attributes),
        )
        text = msgspec.json.encode(report, order="sorted")
        return Signed(report=text.decode(), signature=self._key.sign(text).hex())

    def _next(self) -> int:
        try:
            last = int(self._counter.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            last = 0
        write_whole(self._counter, str(last + 1).encode("ascii"))
        return last + 1
