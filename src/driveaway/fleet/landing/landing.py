"""Landing: a batch is checked, its new rows become files, and one fact says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from driveaway.facts import Draft
from driveaway.facts.base import Fact
from driveaway.facts.fleet import Fleet
from driveaway.facts.trips import Quarantined, TripFile, TripsLanded
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing import putting_aside
from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.fleet.landing.checking import EPOCH, Checked, Checks, DeliveredCars
from driveaway.fleet.landing.columns import Prepared, Sorted, in_order, rows_of
from driveaway.fleet.landing.files import encode, sync_folder, writable, write, write_synced
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.known import fingerprints, known_rows
from driveaway.fleet.landing.locking import PATIENCE, landing_lock
from driveaway.fleet.landing.loops.cars import absorb
from driveaway.fleet.landing.loops.order import order_rows
from driveaway.fleet.landing.neighbours import check_neighbours
from driveaway.fleet.landing.normal import Places, normalise
from driveaway.fleet.landing.reading import read_rows
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Conflict, DriveawayError

KIND: Final = "trips.landed"
SOURCE: Final = "urn:driveaway:trips/"


class Outcome(Protocol):
    """What became of a draft."""

    @property
    def seq(self) -> int | None:
        """Of the fact."""
        ...

    @property
    def error(self) -> DriveawayError | None:
        """Why it was not accepted."""
        ...


class TripBook(Protocol):
    """What landing reads of the book."""

    def about(self, subject: str) -> Sequence[Fact]:
        """Facts about a batch."""
        ...

    def since(self, seq: int) -> tuple[int, Sequence[Fact]]:
        """The book's last seq, and the facts ``trips.landed`` and ``trips.compacted`` after a seq, by seq."""
        ...

    def leaf(self, seq: int) -> str:
        """Leaf of a fact, hexadecimal; "" where there is none."""
        ...


@dataclass
class _Part:
    """Batches of one schema, checked.

    Attributes:
        batches: which.
        prepared: their rows as they arrived, with a code where one was found.
        batch_of: number of each row's batch.
        first: row with which each batch begins.
        sorted: the rows that can stand by themselves.
        accepted: rows of ``sorted`` that are new and can stand beside others.
        repeated: rows as they arrived that were landed before.
    """

    batches: list[Batch]
    prepared: Prepared
    batch_of: NDArray[np.int32]
    first: NDArray[np.int64]
    sorted: Sorted
    accepted: NDArray[np.int64]
    repeated: NDArray[np.int64]


class Landing:
    """Takes batches of trips into a launch's folder.

    Safe between processes: one lands at a time, whoever comes second waits.

    Args:
        folder: where to.
        append: appends facts and says what became of each; a fact that is not accepted does not stop others.
        delivered: which cars were handed over.
        rules: the launch's.
        zone: of local days.
        clock: microseconds since 1970 UTC.
        book: what the book holds of trips.
        places: city of a position; None: positions become cells alone.
        patience: seconds for which it waits for another lander.
    """

    def __init__(
        self,
        folder: FleetFolder,
        append: Callable[[Sequence[Draft]], Sequence[Outcome]],
        delivered: DeliveredCars,
        rules: Fleet,
        zone: ZoneInfo,
        clock: Callable[[], int] = now,
        *,
        book: TripBook,
        places: Places | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.folder = folder
        self.rules = rules
        self.index = Index(folder)
        self.book = book
        self.patience = patience
        self._append = append
        self._places = places
        self._checks = Checks(rules, zone, delivered, clock)
        self._clock = clock
        self._trusted = ""

    def land(self, batch: Batch) -> Landed:
        """Take in one batch: all of it or nothing.

        Raises:
            BadValue: it lacks a column that every trip needs.
            Conflict: the id was landed before with other content (``trips.batch_conflict``).
            Unavailable: the disk is full or the book cannot be reached; nothing was taken in.
        """
        (done,) = self.land_all([batch])
        if isinstance(done, DriveawayError):
            raise done
        return done

    def land_all(self, batches: Sequence[Batch]) -> list[Landed | DriveawayError]:
        """Take in many batches, each all or nothing, with one commit.

        Returns:
            for each batch what became of it, or why it was refused whole.

        Raises:
            Unavailable: as ``land``; none of them was taken in, or some: sending all again is safe.
        """
        with landing_lock(self.folder, self.patience):
            self.catch_up()
            try:
                return self._land(batches)
            except BaseException:
                self.index.forget()
                raise

    def close(self) -> None:
        """Write down what the index holds, so that the next process need not read it again."""
        if self.index.is_ahead:
            with landing_lock(self.folder, self.patience):
                self.catch_up()
                if self.index.is_ahead:
                    self.index.publish(self.book.leaf(self.index.upto))

    # --- steps ---

    def catch_up(self) -> None:
        """Bring the index to the book's last fact about trips. The folder's lock is held."""
        index = self.index
        index.refresh()
        if index.published and self._trusted != index.leaf:
            if self.book.leaf(index.published) != index.leaf:
                # The book was restored or made anew.
                index.drop()
            self._trusted = index.leaf
        _, facts = self.book.since(index.upto)
        for fact in facts:
            if isinstance(fact.body, TripsLanded):
                for file in fact.body.files:
                    self._enter_file(file)
            index.enter([fact])
            if index.is_due:
                index.publish(self.book.leaf(index.upto))

    def _enter_file(self, file: TripFile) -> None:
        """Enter the rows of a file that somebody else landed, or that were forgotten."""
        normal = normalise(read_rows(self.folder, file), simulated=False, places=None)
        prepared = Prepared(normal, rows_of(normal))
        car = self.index.cars.numbers(prepared.rows.high, prepared.rows.low, normal.code)
        day = self._checks.days(prepared.rows.start, normal.code)
        of = Sorted(np.arange(normal.rows), normal, prepared.rows, car, day)
        self._remember(of, np.flatnonzero(normal.code == 0))

    def _remember(self, of: Sorted, which: NDArray[np.int64]) -> None:
        if len(which):
            self.index.add(*fingerprints(of, which, self.index))
            absorb(which, of.car, of.rows, *of.places, self.index.cars.records)

    def _land(self, batches: Sequence[Batch]) -> list[Landed | DriveawayError]:
        out: dict[int, Landed | DriveawayError] = {}
        groups: dict[Any, list[int]] = {}
        first_of: dict[str, int] = {}
        again: dict[int, int] = {}
        for number, batch in enumerate(batches):
            try:
                known = self._known(batch)
            except DriveawayError as error:
                out[number] = error
                continue
            if known is not None:
                out[number] = known
            elif batch.subject in first_of:
                again[number] = first_of[batch.subject]
            else:
                first_of[batch.subject] = number
                groups.setdefault((batch.table.schema, batch.simulated), []).append(number)
        for numbers in groups.values():
            done = self._land_group([batches[number] for number in numbers])
            out.update(zip(numbers, done, strict=True))
        for number, earlier in again.items():
            out[number] = _twice(batches[number], batches[earlier], out[earlier])
        return [out[number] for number in range(len(batches))]

    def _known(self, batch: Batch) -> Landed | None:
        """What became of a batch that was landed before.

        Raises:
            Conflict: it had other content.
        """
        for fact in self.book.about(batch.subject):
            body = fact.body
            if isinstance(body, TripsLanded) and fact.source == SOURCE + batch.subject:
                if body.sha256 != digest_of(batch):
                    raise _conflict(batch, fact.seq)
                counted = {each.code: each.rows for each in body.quarantined}
                return Landed(batch.id, fact.seq, body.rows, body.repeated, counted, (), True)
        return None

    def _land_group(self, batches: list[Batch]) -> list[Landed | DriveawayError]:
        """Batches of one schema, none of them known."""
        try:
            part = self._checked(batches)
        except BadValue as error:
            return [error for _ in batches]
        files = self._write(part)
        drafts, asides = self._drafts(part, files)
        outcomes = self._append(drafts)
        done: list[Landed | DriveawayError] = []
        refused = False
        for batch, draft, aside, outcome in zip(batches, drafts, asides, outcomes, strict=True):
            if outcome.error is not None or outcome.seq is None:
                refused = True
                why = outcome.error or Conflict(f"{batch.id} was not accepted", code="trips.refused")
                done.append(_conflict(batch, 0) if why.code == "source.conflict" else why)
                continue
            body = draft.body
            assert isinstance(body, TripsLanded)
            counted = {each.code: each.rows for each in body.quarantined}
            told = putting_aside.told(aside) if aside is not None else ()
            done.append(Landed(batch.id, outcome.seq, body.rows, body.repeated, counted, told))
            self.index.enter([_as_fact(draft, outcome.seq)])
        if refused:
            # Its rows lie in a file that others share: what is known is read again from what the facts name.
            self.index.forget()
        else:
            self._remember(part.sorted, part.accepted)
            if self.index.is_due:
                self.index.publish(self.book.leaf(self.index.upto))
        return done

    def _checked(self, batches: list[Batch]) -> _Part:
        """Read and check batches: which rows are accepted, in the order in which they are written."""
        sizes = np.array([len(batch.table) for batch in batches], np.int64)
        table = batches[0].table if len(batches) == 1 else pa.concat_tables([each.table for each in batches])
        normal = normalise(table, simulated=batches[0].simulated, places=self._places)
        prepared = Prepared(normal, rows_of(normal))
        checked = self._checks.check(prepared, self.index.cars)
        of = self._sorted(prepared, checked)
        code = of.normal.code
        repeated = known_rows(of, self.index, self.folder)
        new = np.flatnonzero((code == 0) & ~repeated)
        check_neighbours(of, new, self.index, self.folder, self._checks.limits())
        normal.code[of.origin] = code
        return _Part(
            batches=batches,
            prepared=prepared,
            batch_of=np.repeat(np.arange(len(batches), dtype=np.int32), sizes),
            first=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
            sorted=of,
            accepted=new[code[new] == 0],
            repeated=of.origin[repeated],
        )

    def _sorted(self, prepared: Prepared, checked: Checked) -> Sorted:
        """Rows without a code, by car and time."""
        rows = prepared.rows
        sound = np.flatnonzero(prepared.normal.code == 0)
        ranks, count = self.index.cars.ranks_of(checked.car[sound])
        rank = ranks
        if len(sound) != prepared.normal.rows:
            rank = np.full(prepared.normal.rows, -1, np.int32)
            rank[sound] = ranks
        order = order_rows(sound, rank, count, rows.start, rows.trip, rows.segment)
        return in_order(prepared, order, checked.car, checked.day, checked.level)

    def _write(self, part: _Part) -> list[list[TripFile]]:
        """Write the accepted rows; for each batch where its rows are."""
        out: list[list[TripFile]] = [[] for _ in part.batches]
        rows, of = part.accepted, part.sorted
        if not len(rows):
            return out
        many = len(part.batches)
        place = of.day[rows].astype(np.int64) * many + part.batch_of[of.origin[rows]]
        if (place[1:] < place[:-1]).any():
            by_place = np.argsort(place, kind="stable")
            rows, place = rows[by_place], place[by_place]
        edges = np.flatnonzero(np.diff(place)) + 1
        begins, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(rows)]])
        shares = list(zip(place[begins].tolist(), begins.tolist(), ends.tolist(), strict=True))
        stem = part.batches[0].subject[:80]
        for number in sorted({where // many for where, _, _ in shares}):
            here = [share for share in shares if share[0] // many == number]
            low, high = here[0][1], here[-1][2]
            day = (EPOCH + timedelta(days=number)).isoformat()
            content = encode(of.table(rows[low:high]))
            written = write(self.folder.trips / day, self.folder.staging, stem, content, high - low)
            for where, begin, end in here:
                named = {"day": day, "file": written.name, "sha256": written.sha256}
                out[where % many].append(TripFile(**named, rows=end - begin, first=begin - low))
        return out

    def _drafts(self, part: _Part, files: list[list[TripFile]]) -> tuple[list[Draft], list[pa.Table | None]]:
        """The fact of each batch, and the rows put aside, which are in their files by then."""
        rows, code = part.sorted.rows, part.prepared.normal.code
        many = len(part.batches)
        batch_of = part.batch_of[part.sorted.origin[part.accepted]]
        accepted = np.bincount(batch_of, minlength=many)
        repeated = np.bincount(part.batch_of[part.repeated], minlength=many)
        made_up = np.bincount(batch_of, weights=rows.simulated[part.accepted], minlength=many)
        earliest = np.full(many, 2**62, np.int64)
        if many == 1:
            earliest[:] = rows.start[part.accepted].min(initial=2**62)
        else:
            np.minimum.at(earliest, batch_of, rows.start[part.accepted])
        bad = np.flatnonzero(code != 0)
        bad_of = part.batch_of[bad]
        drafts: list[Draft] = []
        asides: list[pa.Table | None] = []
        at = self._clock()
        for number, batch in enumerate(part.batches):
            which = bad[bad_of == number] if len(bad) else bad
            aside = self._put_aside(part, number, which, at)
            counted = {} if aside is None else putting_aside.counted(aside)
            body = TripsLanded(
                door=batch.door,
                origin=batch.origin[:200] if batch.origin else None,
                sha256=digest_of(batch),
                files=tuple(files[number]),
                rows=int(accepted[number]),
                repeated=int(repeated[number]),
                quarantined=tuple(Quarantined(code=name, rows=count) for name, count in counted.items()),
                residency=self.rules.residency,
            )
            happened = int(earliest[number]) if accepted[number] else at
            simulated = batch.simulated or bool(made_up[number])
            source = SOURCE + batch.subject
            drafts.append(Draft(KIND, batch.subject, happened, body, source, simulated=simulated))
            asides.append(aside)
        return drafts, asides

    def _put_aside(self, part: _Part, number: int, which: NDArray[np.int64], at: int) -> pa.Table | None:
        batch = part.batches[number]
        if not len(which) and not batch.rejects:
            return None
        numbers = which - part.first[number]
        if batch.rows is not None:
            numbers = np.asarray(batch.rows, np.int64)[numbers]
        tables = [putting_aside.of_rows(part.prepared.normal, which, numbers, at)] if len(which) else []
        if batch.rejects:
            tables.append(putting_aside.of_rejects(batch.rejects, at))
        table = pa.concat_tables(tables).sort_by("row")
        folder = self.folder.quarantine
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.folder.staging.mkdir(parents=True, exist_ok=True)
            temporary = self.folder.staging / f"aside-{batch.subject}"
            try:
                write_synced(temporary, putting_aside.encode(table))
                temporary.replace(folder / f"{batch.subject}.parquet")
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(folder)
        return table


def digest_of(batch: Batch) -> str:
    """SHA-256 of what was sent; of the columns, where the door names none."""
    if batch.sha256 is not None:
        return batch.sha256
    digest = sha256()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.table.schema) as stream:
        stream.write_table(batch.table.combine_chunks())
    digest.update(sink.getvalue())
    for each in batch.rejects:
        digest.update(f"{each.row}\x1f{each.content}\x1e".encode(errors="replace"))
    return digest.hexdigest()


def _conflict(batch: Batch, seq: int) -> Conflict:
    stood = f" as fact {seq}" if seq else ""
    return Conflict(
        f"batch {batch.id!r} was landed before{stood}, with other content",
        code="trips.batch_conflict",
        remedy="an id means one content for ever: send other rows under another id",
    )


def _twice(batch: Batch, earlier: Batch, done: Landed | DriveawayError) -> Landed | DriveawayError:
    """A batch whose id stood earlier in the same call."""
    if isinstance(done, DriveawayError):
        return done
    if digest_of(batch) != digest_of(earlier):
        return _conflict(batch, done.seq)
    return Landed(batch.id, done.seq, done.rows, done.repeated, done.quarantined, (), True)


def _as_fact(draft: Draft, seq: int) -> Fact:
    return Fact(
        seq, draft.kind, 1, draft.subject, draft.happened, 0, draft.source, None, draft.simulated, draft.body
    )
