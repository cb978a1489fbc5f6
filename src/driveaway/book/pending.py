"""What a batch has accepted so far, and reading the book with that on top."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driveaway.book.reading import fact_of, facts_of
from driveaway.book.store import WriteTransaction
from driveaway.facts import KINDS, Draft, Fact
from driveaway.facts.keys import keys_of
from driveaway.values.errors import Conflict, NotFound


class Pending:
    """Drafts that a batch has accepted; found by subject and key only when a late draft asks for them."""

    def __init__(self) -> None:
        self.accepted: list[tuple[int, Draft, int]] = []
        self.replaced: set[int] = set()
        self._places: dict[str, list[int]] = {}
        self._known = 0

    def add(self, seq: int, draft: Draft, recorded: int) -> None:
        """One more."""
        self.accepted.append((seq, draft, recorded))
        if draft.replaces is not None:
            self.replaced.add(draft.replaces)

    def about(self, names: Iterable[str]) -> list[Fact]:
        """Those about any of these subjects or under any of these keys, by seq."""
        for place in range(self._known, len(self.accepted)):
            _, draft, _ = self.accepted[place]
            for name in {draft.subject, *keys_of(draft.body)}:
                self._places.setdefault(name, []).append(place)
        self._known = len(self.accepted)
        found = {place for name in names for place in self._places.get(name, ())}
        return [self._fact(place) for place in sorted(found)]

    def with_seq(self, seq: int) -> Fact | None:
        """The one that was given this seq."""
        places = (i for i in range(len(self.accepted) - 1, -1, -1) if self.accepted[i][0] == seq)
        place = next(places, None)
        return None if place is None else self._fact(place)

    def _fact(self, place: int) -> Fact:
        seq, draft, recorded = self.accepted[place]
        return Fact(
            seq,
            draft.kind,
            KINDS[draft.kind].version,
            draft.subject,
            draft.happened,
            recorded,
            draft.source,
            draft.replaces,
            draft.simulated,
            draft.body,
        )


class BatchReader:
    """Reads the store and, over it, what this batch has accepted so far."""

    def __init__(self, transaction: WriteTransaction, pending: Pending) -> None:
        self._transaction = transaction
        self._pending = pending

    def live(self, subjects: Sequence[str], keys: Sequence[str]) -> list[Fact]:
        """Live facts about the subjects or under the keys, in order of valid time."""
        facts = facts_of(self._transaction.live(subjects, keys))
        if self._pending.accepted:
            there = {fact.seq for fact in facts}
            facts += [fact for fact in self._pending.about({*subjects, *keys}) if fact.seq not in there]
            facts = [fact for fact in facts if fact.seq not in self._pending.replaced]
            facts.sort(key=lambda fact: (fact.happened, fact.seq))
        return facts

    def open_under(self, keys: Sequence[str], closing: Sequence[str]) -> list[tuple[str, str]]:
        """(key, subject) of the live facts under these keys whose subject no closing kind has closed."""
        return self._transaction.open_under(keys, closing)

    def any_of(self, kind: str, after: int) -> bool:
        """Whether the book, as it stood before this batch, holds a fact of this kind after that seq."""
        return self._transaction.any_of(kind, after)

    def recorded(self, seqs: Sequence[int]) -> list[Fact]:
        """Facts by their seq, as the book stood before this batch, in its order."""
        return [fact_of(row) for row in self._transaction.by_seq(seqs)]

    def replaced(self, seq: int) -> Fact:
        """The live fact with this seq.

        Raises:
            NotFound: there is none.
            Conflict: it is replaced already.
        """
        fact = self._pending.with_seq(seq)
        if fact is None:
            rows = self._transaction.by_seq([seq])
            if not rows:
                raise NotFound(
                    f"there is no fact {seq}", code="fact.missing", remedy="see driveaway order ID"
                )
            fact = fact_of(rows[0])
        if seq in self._pending.replaced or self._transaction.replacement_of(seq) is not None:
            raise Conflict(
                f"fact {seq} is replaced already",
                code="fact.replaced",
                remedy="correct the fact that replaced it",
            )
        return fact
