"""What an opened launch has for the fleet. No query engine is loaded: a device server lands trips too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.book.mirror import Mirror
from driveaway.book.reading import fact_of
from driveaway.book.store import Row, Store
from driveaway.facts import Draft, Fact
from driveaway.facts.description import Description
from driveaway.facts.fleet import Fleet
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.landing import Landing, Outcome
from driveaway.fleet.residency import check_residency
from driveaway.launch.fleet.places import Cities
from driveaway.values.clock import now

_KINDS: Final = ("trips.landed", "trips.compacted")
_ERASED: Final = "subject.erased"
_VIN: Final = 17
_FEW: Final = 20_000
"""Facts that are looked through one by one; of more, those of a kind are found by the mirror."""
_BATCH: Final = 5_000
_PAUSE: Final = 2.0


class _Book(Protocol):
    @property
    def store(self) -> Store:
        """Its rows."""
        ...

    @property
    def mirror(self) -> Mirror:
        """Its columns."""
        ...


class Opened(Protocol):
    """What is needed of an opened launch. Not the launch itself, which loads a query engine."""

    @property
    def folder(self) -> Path:
        """The launch folder."""
        ...

    @property
    def data(self) -> Path:
        """Its folder of data."""
        ...

    @property
    def book(self) -> _Book:
        """Its book."""
        ...

    @property
    def description(self) -> Description:
        """What ``launch.toml`` says."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        ...

    def append(
        self, drafts: Sequence[Draft], *, atomic: bool = True, checked: bool = False
    ) -> Sequence[Outcome]:
        """Decide and append."""
        ...


class BookOfTrips:
    """What landing reads of the book."""

    def __init__(self, store: Store, mirror: Mirror) -> None:
        self._store = store
        self._mirror = mirror
        self._erased_upto = 0

    def about(self, subject: str) -> Sequence[Fact]:
        """Facts about a batch."""
        return [fact_of(row) for row in self._store.about(subject)]

    def since(self, seq: int) -> tuple[int, Sequence[Fact]]:
        """See ``TripBook``."""
        edge = self._store.edge().size
        if edge - seq <= _FEW:
            return edge, self._looked_through(seq, edge)
        upto = self._mirror.catch_up().upto
        wanted: list[int] = []
        for kind in (*_KINDS, "fact.withdrawn"):
            for path in self._mirror.paths(kind):
                found = pq.read_table(path, columns=["seq"])["seq"]
                wanted += pc.filter(found, pc.greater(found, seq)).to_pylist()
        wanted.sort()
        facts: list[Fact] = []
        for at in range(0, len(wanted), _BATCH):
            facts += self._about_files(self._store.by_seq(wanted[at : at + _BATCH]))
        return edge, [*sorted(facts, key=lambda fact: fact.seq), *self._looked_through(upto, edge)]

    def _looked_through(self, after: int, until: int) -> list[Fact]:
        facts: list[Fact] = []
        while after < until:
            rows = self._store.rows(after, until, _BATCH)
            if not rows:
                break
            facts += self._about_files(rows)
            after = rows[-1].seq
        return facts

    def _about_files(self, rows: Sequence[Row]) -> list[Fact]:
        """Facts about files of trips, and those that take a batch back."""
        back = [row.replaces for row in rows if row.replaces is not None]
        batches = (
            {row.seq for row in self._store.by_seq(back) if row.kind == "trips.landed"} if back else set()
        )
        return [fact_of(row) for row in rows if row.kind in _KINDS or row.replaces in batches]

    def erased(self) -> Iterable[str]:
        """Cars that were erased since this was asked last, at first all."""
        edge, after = self._store.edge().size, self._erased_upto
        self._erased_upto = edge
        if edge - after <= _FEW:
            rows = self._store.rows(after, edge, _FEW) if edge > after else []
            subjects = [row.subject for row in rows if row.kind == _ERASED]
        else:
            self._mirror.catch_up()
            tables = [pq.read_table(path, columns=["subject"]) for path in self._mirror.paths(_ERASED)]
            subjects = [subject for table in tables for subject in table["subject"].to_pylist()]
        return [subject for subject in subjects if len(subject) == _VIN]

    def leaf(self, seq: int) -> str:
        """Leaf of a fact, hexadecimal; "" where there is none."""
        found = self._store.by_seq([seq])
        return found[0].leaf.hex() if found else ""


class Deliveries:
    """The cars that were handed over, read from the mirror's files."""

    def __init__(self, store: Store, mirror: Mirror) -> None:
        self._store = store
        self._mirror = mirror
        self._looked = (-1, 0.0)

    def changed(self, version: object, *, at_once: bool) -> tuple[object, pa.Array, pa.Array] | None:
        """See ``DeliveredCars``; unless asked at once, the book is looked at every two seconds at most."""
        edge, at = self._looked
        size = self._store.edge().size
        if version is not None and (size == edge or (not at_once and time.monotonic() < at + _PAUSE)):
            return None
        manifest = self._mirror.catch_up()
        self._looked = (size, time.monotonic())
        paths = tuple(self._mirror.paths("order.handed_over"))
        found = (manifest.generation if not paths else 0, paths)
        if found == version:
            return None
        columns = ["vin", "happened", "superseded_at"]
        tables = [pq.read_table(path, columns=columns) for path in paths]
        if not tables:
            return found, pa.array([], pa.string()), pa.array([], pa.int64())
        table = pa.concat_tables(tables)
        live = pc.and_(table["superseded_at"].is_null(), table["vin"].is_valid())
        table = table.filter(live).combine_chunks()
        return found, _one(table["vin"]), _one(table["happened"])


def _one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def fleet_folder(data: Path) -> FleetFolder:
    """The fleet's folder below a launch's folder of data."""
    return FleetFolder(data / "fleet")


def make_landing(
    data: Path,
    store: Store,
    mirror: Mirror,
    append: Callable[[Sequence[Draft]], Sequence[Outcome]],
    rules: Fleet,
    zone: ZoneInfo,
    clock: Callable[[], int] = now,
    **more: Any,
) -> Landing:
    """A landing over a book's row store; the mirror is a cache of the same book.

    Raises:
        Refused: the folder's trips belong to another region than ``rules`` say.
    """
    folder = fleet_folder(data)
    folder.root.mkdir(parents=True, exist_ok=True)
    check_residency(folder.root, rules.residency)
    return Landing(
        folder,
        append,
        Deliveries(store, mirror),
        rules,
        zone,
        clock,
        book=BookOfTrips(store, mirror),
        **more,
    )


def open_landing(launch: Opened, clock: Callable[[], int] = now, **more: Any) -> Landing:
    """What takes trips into an opened launch. Close it at the end: its index is written down then."""

    def append(drafts: Sequence[Draft]) -> Sequence[Outcome]:
        return launch.append(drafts, atomic=False, checked=True)

    return make_landing(
        launch.data, launch.book.store, launch.book.mirror, append, launch.description.fleet, launch.zone,
        clock, **({"places": Cities(launch.folder)} | more),
    )  # fmt: skip
