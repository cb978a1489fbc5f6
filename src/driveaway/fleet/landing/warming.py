"""Compile the loops of landing ahead of their first use: ``python -m driveaway.fleet.landing.warming``.

The first batch would otherwise wait some fifteen seconds for it. What is compiled is kept on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from driveaway.facts import Draft
from driveaway.facts.base import Fact
from driveaway.facts.fleet import Fleet
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.landing import Landing, as_fact
from driveaway.fleet.landing.runs import Held, merged
from driveaway.values.clock import HOUR, zone
from driveaway.values.errors import DriveawayError
from driveaway.values.ids import make_vin

_START = 1_712_000_000_000_000
_CARS = 30


@dataclass(frozen=True)
class _Said:
    seq: int | None
    error: DriveawayError | None = None


class _Book:
    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def append(self, drafts: Sequence[Draft]) -> list[_Said]:
        said = []
        for draft in drafts:
            self.facts.append(as_fact(draft, len(self.facts) + 1))
            said.append(_Said(len(self.facts)))
        return said

    def about(self, subject: str) -> list[Fact]:
        return []

    def since(self, seq: int) -> tuple[int, list[Fact]]:
        return len(self.facts), self.facts[seq:]

    def erased(self) -> list[str]:
        return []

    def leaf(self, seq: int) -> str:
        return f"{seq}"


class _Delivered:
    def changed(self, version: object, *, at_once: bool) -> tuple[object, pa.Array, pa.Array] | None:
        if version is not None:
            return None
        vins = [make_vin("LZZ", "WARMS", 2024, "A", number) for number in range(_CARS)]
        return 1, pa.array(vins), pa.array(np.full(_CARS, _START))


def warm() -> None:
    """Land a few made-up trips, in a folder that goes away, in ways that run every loop."""
    book = _Book()
    with TemporaryDirectory(prefix="driveaway-warming-") as folder:
        place = FleetFolder(Path(folder))
        landing = Landing(
            place, book.append, _Delivered(), Fleet(), zone("Asia/Shanghai"), lambda: _START + 900 * HOUR,
            book=book,
        )  # fmt: skip
        landing.land(Batch("one", "file", _trips(24, 48)))
        landing.close()
        # Again, late, and beside what was landed; places jump and odometers fall.
        landing.land(Batch("two", "file", _trips(20, 30)))
        landing.land(Batch("three", "file", _trips(0, 60, shift=HOUR // 3, jumping=True)))
    few = Held.of(np.arange(3, dtype=np.uint64), np.arange(3, dtype=np.uint64))
    merged(few, few)


def _trips(first: int, last: int, *, shift: int = 0, jumping: bool = False) -> pa.Table:
    rows = []
    for number in range(_CARS):
        vin = make_vin("LZZ", "WARMS", 2024, "A", number)
        for trip in range(first, last):
            start = _START + 24 * HOUR + trip * HOUR + shift
            odd = jumping and trip % 2
            rows.append({
                "vin": vin, "trip": trip * (3 if shift else 1), "start": start, "end": start + HOUR // 2,
                "distance_m": 20_000, "assisted_m": 0, "odometer_m": (90_000_000 if odd else 20_000 * trip),
                "function": None, "energy_wh": 3_000, "cell": "18.2,109.5" if odd else "39.9,116.4",
            })  # fmt: skip
    return pa.Table.from_pylist(rows)


if __name__ == "__main__":
    warm()
