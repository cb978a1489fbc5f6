"""Erasing persons and cars: facts, files of trips, and operational tables, in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from driveaway.book.book import Book
from driveaway.book.erasing import erase
from driveaway.book.state.state import Change, State
from driveaway.book.store import WriteTransaction
from driveaway.facts import Draft, Fact
from driveaway.facts.launches import SubjectErased
from driveaway.fleet.erasing import CarFiles, Intent, Prepared
from driveaway.fleet.shares import shares_of
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, DriveawayError
from driveaway.values.ids import parse_vin

Append = Callable[[WriteTransaction, Sequence[Draft]], Sequence[int]]
_OF_TARGET: Final = (
    "actions", "target_attributes", "target_metadata", "target_places", "target_tags", "rollout_members",
)  # fmt: skip


def is_vin(subject: str) -> bool:
    """Whether a subject is a car."""
    try:
        return parse_vin(subject) == subject
    except BadValue:
        return False


def erase_subjects(
    book: Book, state: State, append: Append, fleet: Path, subjects: Sequence[str], reason: str
) -> int:
    """Shred what is personal about orders, or about a car, and take the car out of all files.

    Args:
        book: where the facts are.
        state: operational tables.
        append: appends facts inside a transaction, by the rules.
        fleet: the folder of the fleet's data.
        subjects: orders and cars.
        reason: part of the fact.

    Returns:
        How many facts were shredded.

    Raises:
        NotFound: nothing is known of one of them.
        Refused: it is held.
        Unavailable: the store or a file cannot be read or written; trying again is safe.
    """
    cars = [subject for subject in subjects if is_vin(subject)]
    others = [subject for subject in subjects if subject not in cars]
    shredded = erase(book.store, others, reason, append)[0] if others else 0
    for vin in cars:
        files = CarFiles(fleet)
        with files.locked():
            shredded += _Erasing(book, state, append, files).erase(vin, reason)
    return shredded


def finish_begun(book: Book, state: State, append: Append, fleet: Path) -> str | None:
    """Finish the erasure that was stopped on the way, if there is one; its car."""
    files = CarFiles(fleet)
    begun = files.begun()
    if begun is None:
        return None
    with files.locked():
        _Erasing(book, state, append, files).resume()
    return begun.vin


class _Erasing:
    """Erasing cars while the lock on their files is held."""

    def __init__(self, book: Book, state: State, append: Append, files: CarFiles) -> None:
        self.book, self.state, self.append, self.files = book, state, append, files

    def erase(self, vin: str, reason: str) -> int:
        """One car; what another process was stopped in the middle of is finished first."""
        self.resume()
        return self._erase(vin, reason)

    def resume(self) -> None:
        """Finish what was begun; a car that is held by now stays, as whoever asks again is told.

        Where the fact was recorded before the stop, none is recorded again: only files are left to delete.
        """
        begun = self.files.begun()
        if begun is None:
            return
        facts = self.book.about(begun.vin)
        if any(fact.kind == "subject.erased" and fact.seq > begun.after for fact in facts):
            prepared = self.files.prepare(begun.vin, shares_of(trip_facts(self.book)))
            if not prepared.trips:
                self.files.finish(prepared, resumed=True)
                self._forget_open(begun.vin)
                self.files.done()
                return
            # More of its trips have landed since.
            self.files.discard(prepared)
        try:
            self._erase(begun.vin, begun.reason)
        except DriveawayError as error:
            if error.code != "erase.held":
                raise

    def _erase(self, vin: str, reason: str) -> int:
        prepared = self.files.prepare(vin, shares_of(trip_facts(self.book)))
        left = prepared.trips or prepared.quarantined or _count(self.state, vin)
        self.files.begin(Intent(vin, reason, self.book.edge().size))

        def append(transaction: WriteTransaction, drafts: Sequence[Draft]) -> Sequence[int]:
            return self._append(transaction, drafts, vin, prepared)

        try:
            shredded, _ = erase(self.book.store, [vin], reason, append, anyway=[vin] if left else ())
        except DriveawayError as error:
            if error.code in ("erase.held", "subject.missing"):
                self.files.discard(prepared)
                self.files.done()
            if error.code == "subject.missing":
                self._forget_open(vin)
            raise
        self.files.finish(prepared)
        self._forget_open(vin)
        self.files.done()
        return shredded

    def _forget_open(self, vin: str) -> None:
        """What telemetry has of a trip that is not over."""
        from driveaway.fleet.doors.kept import forget_car
        from driveaway.fleet.folder import FleetFolder

        forget_car(FleetFolder(self.files.root), vin)

    def _append(
        self, transaction: WriteTransaction, drafts: Sequence[Draft], vin: str, prepared: Prepared
    ) -> Sequence[int]:
        (erasure,) = drafts
        body = erasure.body
        assert isinstance(body, SubjectErased)
        removed = _forget(Change(transaction, None, self.state.dialect), vin)
        body = msgspec.structs.replace(
            body, trips=prepared.trips, quarantined=prepared.quarantined, operational=removed
        )
        compacted = [
            Draft("trips.compacted", f"erasure.{body_.local_day}", erasure.happened, body_)
            for body_ in prepared.compacted
        ]
        return self.append(transaction, [msgspec.structs.replace(erasure, body=body), *compacted])[:1]


def trip_facts(book: Book) -> list[Fact]:
    """Every fact about files of trips, those that were taken back among them."""
    book.mirror.catch_up()
    facts: list[Fact] = []
    for kind in ("trips.landed", "trips.compacted"):
        if book.mirror.paths(kind):
            table = book.engine.table(kind).select("seq")
            facts += book.engine.facts(book.engine.fetch(table)[0].column("seq").to_pylist())
    return facts


def _count(state: State, vin: str) -> int:
    """Rows about a car in the operational tables, health and the car itself alone."""
    rows = state.rows(
        "SELECT (SELECT count(*) FROM car_health WHERE vin = :vin)"
        " + (SELECT count(*) FROM targets WHERE controller_id = :vin)",
        vin=vin,
    )
    return int(rows[0][0])


def _forget(change: Change, vin: str) -> int:
    """Take a car out of the operational tables; how many rows that were."""
    from driveaway.updates import registry

    removed = change.run("DELETE FROM car_health WHERE vin = :vin", vin=vin)
    found: list[tuple[Any, ...]] = change.rows("SELECT id FROM targets WHERE controller_id = :vin", vin=vin)
    for (target,) in found:
        removed += 1
        for table in _OF_TARGET:
            removed += change.rows(f"SELECT count(*) FROM {table} WHERE target = :id", id=target)[0][0]
        removed += change.rows(
            "SELECT count(*) FROM action_statuses WHERE action IN"
            " (SELECT id FROM actions WHERE target = :id)",
            id=target,
        )[0][0]
        change.run("DELETE FROM target_places WHERE target = :id", id=target)
        registry.delete(change, vin, now())
    return removed
