"""Erasing: what is personal about a subject is shredded, and that it was is a fact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from driveaway.book.store import Store, WriteTransaction
from driveaway.facts import Draft
from driveaway.facts.launches import SubjectErased
from driveaway.values.clock import now
from driveaway.values.errors import NotFound


def erase(
    store: Store,
    subjects: Iterable[str],
    reason: str,
    append: Callable[[WriteTransaction, Sequence[Draft]], Sequence[int]],
    *,
    anyway: Collection[str] = (),
) -> tuple[int, int]:
    """Shred salts, personal fields and personal keys of every fact about these subjects.

    Args:
        store: where.
        subjects: whom or what it is about.
        reason: why; part of the fact.
        append: appends facts inside a transaction, all or nothing; their seq. It may add to the one that it
            is given, and give back that one's seq alone.
        anyway: subjects whose erasure is recorded although no fact about them is left to shred.

    Returns:
        (facts shredded, seq of the last erasure fact, 0 where there was nothing to shred). The facts'
        public part and the tree stay.

    Raises:
        NotFound: no fact speaks of one of the subjects.
    """
    with store.write() as transaction:
        shredded, last = 0, 0
        for subject in subjects:
            rows = transaction.of_subject(subject)
            if not rows and subject not in anyway:
                raise NotFound(
                    f"nothing is known of {subject!r}", code="subject.missing", remedy="compare the name"
                )
            if all(row.kind == "subject.erased" for row in rows) and subject not in anyway:
                # An earlier erasure shredded all there was.
                continue
            draft = Draft("subject.erased", subject, now(), SubjectErased(reason=reason))
            (last,) = append(transaction, [draft])
            # An earlier erasure stands: nothing in it is personal, and its salt proves it.
            shredded += transaction.shred([row.seq for row in rows if row.kind != draft.kind])
    store.scrub()
    return shredded, last
