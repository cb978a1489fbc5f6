"""Landing: a batch is checked, its new rows become files, and one fact says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from driveaway.fleet.landing.checking import Checks, DeliveredCars
from driveaway.fleet.landing.columns import Sorted, rows_of
from driveaway.fleet.landing.entering import Entering
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.known import fingerprints
from driveaway.fleet.landing.locking import PATIENCE, landing_lock
from driveaway.fleet.landing.loops.cars import absorb
from driveaway.fleet.landing.normal import Places, normalise
from driveaway.fleet.landing.part import Part, check, put_aside, write_accepted
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
        """The book's last seq, and facts after a seq, by seq.

        Those of the kinds ``trips.landed`` and ``trips.compacted``, and those that replace a batch.
        """
        ...

    def erased(self) -> Iterable[str]:
        """Cars that were erased since this was asked last, at first all."""
        ...

    def leaf(self, seq: int) -> str:
        """Leaf of a fact, hexadecimal; "" where there is none."""
        ...


@dataclass(frozen=True)
class Written:
    """Batches whose files are written.

    Attributes:
        drafts: the fact of each.
        asides: the rows of each that were put aside; None where there are none.
    """

    drafts: Sequence[Draft]
    asides: Sequence[pa.Table | None]


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
        self.append = append
        self._places = places
        self.checks = Checks(rules, zone, delivered, clock)
        self.clock = clock
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
        with self.hold():
            return self._land(batches)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the folder's lock with an index that is up to date.

        Raises:
            Unavailable: somebody else holds it all the time.
        """
        with landing_lock(self.folder, self.patience):
            self.catch_up()
            try:
                yield
            except BaseException:
                # How far it came is not known: what the facts say is read again.
                self.index.forget()
                raise

    def check(self, batches: Sequence[Batch], *, waived: int = 0) -> Part:
        """Check batches of one schema. The folder's lock is held.

        Raises:
            BadValue: nobody can read them.
        """
        return check(batches, self.index, self.checks, self._places, waived=waived)

    def close(self) -> None:
        """Write down what the index holds, so that the next process need not read it again."""
        if self.index.is_ahead:
            with self.hold():
                self.publish()

    def publish(self) -> None:
        """Write the index, if it is ahead of what was written. The folder's lock is held."""
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
        self.checks.erase(self.book.erased())
        edge, facts = self.book.since(index.upto)
        if any(fact.replaces is not None and index.holds(fact.replaces) for fact in facts):
            # A batch was taken back: who holds its rows for known would refuse them for ever.
            index.drop()
            edge, facts = self.book.since(0)
        entering = Entering(self.folder, index.upto, facts)
        for fact in facts:
            for rows in entering.rows_of(fact):
                self._enter_rows(rows)
            index.enter([fact])
            if index.is_due:
                index.publish(self.book.leaf(index.upto))
        index.upto = max(index.upto, edge)

    def _enter_rows(self, table: pa.Table) -> None:
        """Enter rows that somebody else landed, or that were forgotten."""
        normal = normalise(table, simulated=False, places=None)
        rows = rows_of(normal)
        car = self.index.cars.numbers(rows.high, rows.low, normal.code)
        day = self.checks.days(rows.start, normal.code)
        of = Sorted(np.arange(normal.rows), normal, rows, car, day)
        self.remember(of, np.flatnonzero(normal.code == 0))

    def remember(self, of: Sorted, which: NDArray[np.int64]) -> None:
        """Enter rows that were landed into the index. The folder's lock is held."""
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
                known = self.known(batch)
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

    def known(self, batch: Batch) -> Landed | None:
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
            part = self.check(batches)
        except BadValue as error:
            return [error for _ in batches]
        done = self.record(part, self.write(part))
        if any(isinstance(each, DriveawayError) for each in done):
            # Its rows lie in a file that others share: what is known is read again from what the facts name.
            self.index.forget()
            self.catch_up()
            return done
        self.remember(part.sorted, part.accepted)
        if self.index.is_due:
            self.publish()
        return done

    def write(self, part: Part) -> Written:
        """Write what is accepted and what is put aside. Only files are touched: any thread may do it."""
        return Written(*self._drafts(part, write_accepted(part, self.folder)))

    def record(self, part: Part, written: Written) -> list[Landed | DriveawayError]:
        """Record the facts of batches whose files are written; only then they are landed.

        Returns:
            for each batch what became of it, or why the book refused it.
        """
        outcomes = self.append(written.drafts)
        done: list[Landed | DriveawayError] = []
        each = zip(part.batches, written.drafts, written.asides, outcomes, strict=True)
        for batch, draft, aside, outcome in each:
            if outcome.error is not None or outcome.seq is None:
                why = outcome.error or Conflict(f"{batch.id} was not accepted", code="trips.refused")
                done.append(_conflict(batch, 0) if why.code == "source.conflict" else why)
                continue
            body = draft.body
            assert isinstance(body, TripsLanded)
            counted = {each.code: each.rows for each in body.quarantined}
            told = putting_aside.told(aside) if aside is not None else ()
            done.append(Landed(batch.id, outcome.seq, body.rows, body.repeated, counted, told))
            self.index.enter([as_fact(draft, outcome.seq)])
        return done

    def _drafts(self, part: Part, files: list[list[TripFile]]) -> tuple[list[Draft], list[pa.Table | None]]:
        """The fact of each batch, and the rows put aside, which are in their files by then."""
        rows, code = part.sorted.rows, part.code
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
        at = self.clock()
        for number, batch in enumerate(part.batches):
            which = bad[bad_of == number] if len(bad) else bad
            aside = put_aside(part, number, which, self.folder, at)
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


def as_fact(draft: Draft, seq: int) -> Fact:
    """A draft as it stands in the book."""
    return Fact(
        seq, draft.kind, 1, draft.subject, draft.happened, 0, draft.source, None, draft.simulated, draft.body
    )
