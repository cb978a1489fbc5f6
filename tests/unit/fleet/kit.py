"""A book of trips in memory, delivered cars, and rows that can stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from driveaway.facts import Draft, Fact
from driveaway.facts.fleet import DrivingFunction, Fleet, Plausible
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.landing import Landing
from driveaway.fleet.landing.reading import read_rows
from driveaway.values.clock import HOUR, SECOND, parse_instant, zone
from driveaway.values.errors import Conflict, DriveawayError
from driveaway.values.ids import make_vin

ZONE = zone("Asia/Shanghai")
MIDNIGHT = parse_instant("2024-04-03T00:00:00+08:00", None)
DAY = 24 * HOUR
NOW = MIDNIGHT + 20 * DAY
KM = 1_000


def vin(number: int) -> str:
    return make_vin("LDA", "SU7EA", 2024, "A", number)


@dataclass(frozen=True)
class Said:
    seq: int | None
    error: DriveawayError | None


@dataclass
class MemoryBook:
    """Facts as the book would keep them; ``fail`` is raised by the next append."""

    facts: list[Fact] = field(default_factory=list)
    fail: Exception | None = None
    written: bool = False

    def append(self, drafts: Sequence[Draft]) -> list[Said]:
        if self.fail is not None and not self.written:
            error, self.fail = self.fail, None
            raise error
        out = []
        for draft in drafts:
            same = [fact for fact in self.facts if fact.source == draft.source]
            if same and same[0].body != draft.body:
                out.append(Said(None, Conflict("known", code="source.conflict")))
                continue
            if not same:
                self.facts.append(
                    Fact(
                        len(self.facts) + 1,
                        draft.kind,
                        1,
                        draft.subject,
                        draft.happened,
                        0,
                        draft.source,
                        None,
                        draft.simulated,
                        draft.body,
                    )
                )
            out.append(Said(same[0].seq if same else len(self.facts), None))
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
        return out

    def about(self, subject: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.subject == subject]

    def since(self, seq: int) -> tuple[int, list[Fact]]:
        kinds = ("trips.landed", "trips.compacted")
        wanted = (fact for fact in self.facts[seq:] if fact.kind in kinds or fact.replaces)
        return len(self.facts), list(wanted)

    def erased(self) -> list[str]:
        return [fact.subject for fact in self.facts if fact.kind == "subject.erased"]

    def leaf(self, seq: int) -> str:
        return f"{id(self):x}-{seq}" if 0 < seq <= len(self.facts) else ""


@dataclass
class Delivered:
    """Cars that were handed over."""

    at: dict[str, int] = field(default_factory=dict)

    def changed(self, version: object, *, at_once: bool) -> tuple[object, pa.Array, pa.Array] | None:
        now = tuple(sorted(self.at.items()))
        if now == version:
            return None
        return now, pa.array(list(self.at), pa.string()), pa.array(list(self.at.values()), pa.int64())


RULES = Fleet(
    functions=(
        DrivingFunction(name="highway_pilot", level=2),
        DrivingFunction(name="parking"),
    ),
    plausible=Plausible(late_days=60),
)


@dataclass
class Kit:
    folder: FleetFolder
    book: MemoryBook = field(default_factory=MemoryBook)
    delivered: Delivered = field(default_factory=lambda: Delivered({vin(n): MIDNIGHT for n in range(50)}))
    now: int = NOW
    rules: Fleet = RULES

    def landing(self, **more: Any) -> Landing:
        return Landing(
            self.folder, self.book.append, self.delivered, self.rules, ZONE, lambda: self.now,
            book=self.book, **more,
        )  # fmt: skip

    def stored(self) -> list[dict[str, Any]]:
        """Every row that the facts name, in a fixed order."""
        from driveaway.facts.trips import TripsCompacted, TripsLanded

        gone: set[str] = set()
        files = []
        for fact in self.book.facts:
            if isinstance(fact.body, TripsCompacted):
                gone |= set(fact.body.replaced)
            if isinstance(fact.body, TripsCompacted | TripsLanded):
                files += list(fact.body.files)
        rows = [
            row for file in files if file.file not in gone for row in read_rows(self.folder, file).to_pylist()
        ]
        return sorted(rows, key=lambda row: (row["vin"], row["start"], row["trip"], row["segment"]))


def kit(tmp_path: Path, **more: Any) -> Kit:
    return Kit(FleetFolder(tmp_path / "fleet"), **more)


def row(car: int = 1, trip: int = 1, **more: Any) -> dict[str, Any]:
    """A row that can stand: one hour after another for each trip, 30 minutes and 20 km each."""
    start = more.pop("start", MIDNIGHT + trip * HOUR)
    out = {
        "vin": vin(car), "trip": trip, "segment": 0, "start": start, "end": start + 1800 * SECOND,
        "distance_m": 20 * KM, "assisted_m": 0, "function": None, "level": None, "driver_overrides": 0,
        "system_deactivations": 0, "energy_wh": 3_000, "odometer_m": 1000 * KM + trip * 20 * KM,
        "software": "1.0", "city": "Beijing", "cell": None, "simulated": False,
    }  # fmt: skip
    return out | more


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def batch(name: str, *rows: dict[str, Any], **more: Any) -> Batch:
    return Batch(name, "http", table(*rows), **more)
