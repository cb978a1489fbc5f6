"""Catching up: events of the book in order, folded into new files of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driveaway.book.mirror import Mirror
from driveaway.book.segments import subject_keys
from driveaway.fleet.ahead import Behind, ahead
from driveaway.fleet.ledger.activity import Scope, load
from driveaway.fleet.ledger.counting import RowCounts
from driveaway.fleet.ledger.folding import MEASURES, Folded, fold_rows, over_cars
from driveaway.fleet.ledger.loops.days import NONE
from driveaway.fleet.ledger.manifest import Manifest, Part
from driveaway.fleet.ledger.numbers import Numbers
from driveaway.fleet.ledger.parts import FULL, write
from driveaway.fleet.ledger.scopes import ASSISTED, DRIVEN, scope_of
from driveaway.fleet.ledger.sources import Event, chunks, compactions, events, pieces, read, stand_together
from driveaway.fleet.ledger.withdrawing import remaining

_ROWS: Final = 500_000
"""Segments that are folded at a time."""
_PUBLISH: Final = 16
"""So many times, before a generation is published."""

Rows = tuple[np.ndarray, ...]
"""Columns of ACTIVITY but its scope: seq, car, day, previous day or NONE, weight, simulated."""


class Catching:
    """The state between two generations: numbers of the cars, and their active days."""

    def __init__(self, folder: Path, trips: Path, mirror: Mirror, manifest: Manifest) -> None:
        self.folder, self.trips, self.mirror = folder, trips, mirror
        self.manifest = manifest
        self.scopes = load(folder, manifest.days)
        self.counts = RowCounts(folder, manifest.counts)
        self.numbers = Numbers(_vins(folder, manifest))
        self._behind: Behind
        self._changed: dict[str, list[Rows]] = {}

    def run(self, upto: int, progress: Callable[[int, int], None] | None) -> Iterator[Manifest]:
        """Fold what came after the manifest's seq; a manifest to be published each time that some is done.

        The caller may set ``manifest`` to one with the same rows in other files before it goes on.
        """
        start = self.manifest
        found = events(self.mirror.paths("trips.landed"), start.upto, upto)
        if not found and start.upto == upto:
            return
        total, done, waiting = sum(event.rows for event in found), 0, 0
        parts: list[Future[Part]] = []
        with Behind() as behind, ahead(self._read(found)) as ready:
            self._behind = behind
            for together, rows, sorted_files in ready:
                if rows is not None:
                    stem = f"g{self.manifest.generation + 1}-{len(parts)}"
                    parts += self._fold(rows, together, stem, parts, sorted_files=sorted_files)
                    done += rows.num_rows
                    waiting += 1
                    if progress is not None:
                        progress(done, total)
                    continue
                last = together[-1]
                if waiting >= _PUBLISH and last is not found[-1] and _next(found, last).seq > last.seq:
                    yield self._publish(parts, last.seq, done)
                    parts, done, total, waiting = [], 0, total - done, 0
            yield self._publish(parts, upto, done)

    def _read(self, found: Sequence[Event]) -> Iterator[tuple[Sequence[Event], pa.Table | None, bool]]:
        """Events folded together, their rows, and whether each car's are sorted; None at their end."""
        replaced = compactions(self.mirror.paths("trips.compacted")) if found else {}
        for together in chunks(found, _ROWS):
            for some in pieces(self.trips, together, replaced, _ROWS):
                yield together, read(self.trips, some, together), stand_together(some)
            yield together, None, True

    def _publish(self, parts: Sequence[Future[Part]], upto: int, trips: int) -> Manifest:
        before = self.manifest
        generation = before.generation + 1
        rest = [self._flush(name, f"g{generation}-rest") for name in sorted(self._changed)]
        days = []
        for number, (name, scope) in enumerate(sorted(self.scopes.items())):
            kept = (file for file in before.days if file.scope == name)
            stem = f"bits-g{generation}-{number}"
            days += scope.save(self.folder, name, stem, len(self.numbers), kept)
        (row,) = self.mirror.store.by_seq([upto])
        self.manifest = msgspec.structs.replace(
            before,
            upto=upto,
            leaf=row.leaf.hex(),
            generation=generation,
            cars=len(self.numbers),
            trips=before.trips + trips,
            parts=(*before.parts, *(part.result() for part in (*parts, *rest))),
            days=tuple(days),
            counts=self.counts.save(f"rows-g{generation}", len(self.numbers)),
        )
        return self.manifest

    def _fold(
        self,
        rows: pa.Table,
        together: Sequence[Event],
        stem: str,
        pending: Sequence[Future[Part]],
        *,
        sorted_files: bool,
    ) -> list[Future[Part]]:
        if not rows.num_rows:
            return []
        event = rows.column("event").to_numpy()
        seqs = np.array([e.seq for e in together], np.int64)
        car, added, first = self.numbers.take_in(rows.column("vin").chunk(0), event)
        out: list[Future[Part]] = []
        if len(added):
            out.append(self._number(added, seqs[first], stem))
        folded = fold_rows(rows, car, self.zone, together=sorted_files)
        if not len(folded.car):
            return out
        sign = together[0].sign
        out.append(self._write("ledger", folded, seqs, sign, stem))
        out.append(self._write("daily", over_cars(folded), seqs, sign, stem))
        if sign > 0:
            days, before = self.counts.count(folded, len(self.numbers))
            days["seq"] = seqs[days.pop("event")]
            out.append(self._written("days", "", f"days-{stem}", days))
        else:
            before = self.counts.take_back(folded, len(self.numbers))
        if (before >= 0).any():
            out.append(self._long(folded, before, seqs, sign, stem))
        if sign > 0:
            states = _states(folded)
        else:
            whole = [*self.manifest.parts, *(part.result() for part in (*pending, *out))]
            ledger = [self.folder / part.file for part in whole if part.table == "ledger"]
            states = remaining(ledger, folded)
        for name, (index, state) in sorted(states.items()):
            scope = self.scopes.setdefault(name, Scope())
            picked = (folded.event[index], folded.car[index], folded.day[index])
            changes = scope.mark(*picked, state, len(self.numbers))
            if len(changes[0]):
                self._changed.setdefault(name, []).append((seqs[changes[0]], *changes[1:]))
            if sum(len(rows[0]) for rows in self._changed.get(name, ())) >= FULL:
                out.append(self._flush(name, stem))
        return out

    def _written(self, table: str, scope: str, stem: str, columns: dict[str, Any]) -> Future[Part]:
        return self._behind.do(write, self.folder, table, scope, stem, columns)

    @property
    def zone(self) -> Any:
        """The zone whose midnights cut days."""
        return self.mirror.zone

    def _number(self, vins: pa.Array, seq: np.ndarray, stem: str) -> Future[Part]:
        numbers = np.arange(len(self.numbers) - len(vins), len(self.numbers), dtype=np.int32)
        columns = {"car": numbers, "vin": vins, "vin_key": subject_keys(vins), "seq": seq}
        return self._written("cars", "", f"cars-{stem}", columns)

    def _write(self, table: str, folded: Folded, seqs: np.ndarray, sign: int, stem: str) -> Future[Part]:
        by_day = _order(folded.day)
        columns: dict[str, Any] = {
            "seq": seqs[folded.event[by_day]],
            "car": folded.car[by_day],
            "day": folded.day[by_day],
            "level": _nullable(folded.level[by_day], pa.int8()),
            "simulated": folded.simulated[by_day],
        }
        for name in ("function", "software", "city"):
            columns[name] = _text(folded, name, by_day)
        for name, measure in zip(MEASURES, folded.measures, strict=True):
            columns[name] = measure[by_day] if sign > 0 else -measure[by_day]
        return self._written(table, "", f"{table}-{stem}", columns)

    def _long(
        self, folded: Folded, before: np.ndarray, seqs: np.ndarray, sign: int, stem: str
    ) -> Future[Part]:
        long = np.flatnonzero(before >= 0)
        long = long[_order(folded.day[long])]
        columns: dict[str, Any] = {
            "seq": seqs[folded.event[long]],
            "car": folded.car[long],
            "day": folded.day[long],
            "function": _text(folded, "function", long),
            "simulated": folded.simulated[long],
            "distance_m": sign * folded.measures[1][long],
            "assisted_m": sign * folded.measures[2][long],
            "before": before[long],
        }
        return self._written("long", "", f"long-{stem}", columns)

    def _flush(self, name: str, stem: str) -> Future[Part]:
        """Write the rows of ACTIVITY that were kept back until they fill a file, or are published."""
        kept = zip(*self._changed.pop(name), strict=True)
        seq, car, day, previous, weight, simulated = (np.concatenate(column) for column in kept)
        by_day = _order(day)
        previous = previous[by_day]
        columns = {
            "seq": seq[by_day],
            "scope": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(day), np.int32)), pa.array([name])),
            "car": car[by_day],
            "day": day[by_day],
            "previous": pa.array(previous, pa.int32(), mask=previous == NONE).cast(pa.date32()),
            "weight": weight[by_day],
            "simulated": simulated[by_day],
        }
        number = sorted(self.scopes).index(name)
        return self._written("activity", name, f"activity-{stem}-{number}", columns)


def _states(folded: Folded) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Scope → which rows make a car active, and how (see ``loops.mark_days``)."""
    state = np.where(folded.simulated, 2, 1).astype(np.int64)
    driven = np.flatnonzero(folded.measures[1] > 0)
    assisted = np.flatnonzero(folded.measures[2] > 0)
    out = {DRIVEN: (driven, state[driven]), ASSISTED: (assisted, state[assisted])}
    functions = folded.function[assisted]
    for code in np.unique(functions[functions >= 0]).tolist():
        index = assisted[functions == code]
        out[scope_of(folded.texts["function"][code].as_py())] = (index, state[index])
    return {name: picked for name, picked in out.items() if len(picked[0])}


def _order(day: np.ndarray) -> Any:
    """What sorts rows by day; all of them as they are where they are sorted."""
    first, last = int(day.min()), int(day.max())
    if first == last or (day[1:] >= day[:-1]).all():
        return slice(None)
    # Numbers of 16 bits are sorted by radix, several times as fast.
    offset = day - first
    return np.argsort(offset.astype(np.uint16) if last - first < 1 << 16 else offset, kind="stable")


def _text(folded: Folded, name: str, rows: Any) -> pa.Array:
    codes = getattr(folded, name)[rows]
    texts = folded.texts[name].cast(pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), texts)


def _nullable(values: np.ndarray, type_: pa.DataType) -> pa.Array:
    return pa.array(values.astype(np.int8), type_, mask=values < 0)


def _next(found: Sequence[Event], event: Event) -> Event:
    return found[next(i for i, e in enumerate(found) if e is event) + 1]


def _vins(folder: Path, manifest: Manifest) -> pa.Array:
    """The VINs by number."""
    tables = [
        pq.read_table(folder / part.file, columns=["car", "vin"])
        for part in manifest.parts
        if part.table == "cars"
    ]
    if not tables:
        return pa.array([], pa.string())
    cars = pa.concat_tables(tables)
    cars = cars.take(pc.sort_indices(cars, [("car", "ascending")]))
    return cars.column("vin").combine_chunks()
