"""Which facts an export holds, and in what order: that of their recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from driveaway.facts import Fact, kind_named

if TYPE_CHECKING:
    from driveaway.book.book import Book
    from driveaway.book.store import Store
    from driveaway.book.when import When

_BATCH = 5_000


class Chosen(NamedTuple):
    """A fact to be exported, and the source of the one that it replaces (or "")."""

    fact: Fact
    corrects: str


def chosen(book: Book, kinds: Collection[str] | None, when: When | None) -> Iterator[Chosen]:
    """Facts of the book.

    Args:
        book: the book.
        kinds: only these; None: all.
        when: the cut: what was known at its mark of what had happened by its as-of, without what was
            replaced. None: the whole history, replaced facts and what replaced them included.

    Raises:
        BadValue: no such kind.
    """
    for kind in kinds or ():
        kind_named(kind)
    until = book.edge().size if when is None else when.mark
    gone: set[int] = set()
    if when is not None:
        gone = {old for old, _ in book.store.replacements(0, until)}
    batch: list[Fact] = []
    for fact in book.facts(0, until):
        if kinds and fact.kind not in kinds:
            continue
        if when is not None and (
            fact.seq in gone or fact.happened > when.as_of or fact.kind == "fact.withdrawn"
        ):
            continue
        batch.append(fact)
        if len(batch) >= _BATCH:
            yield from with_sources(book.store, batch, history=when is None)
            batch = []
    yield from with_sources(book.store, batch, history=when is None)


def with_sources(store: Store, batch: Sequence[Fact], *, history: bool) -> Iterator[Chosen]:
    """Facts with the sources of those that they replace.

    In a cut a correction stands for itself: what it replaced is not there.
    """
    wanted = [fact.replaces for fact in batch if history and fact.replaces is not None]
    sources = {row.seq: row.source for row in store.by_seq(wanted)} if wanted else {}
    for fact in batch:
        corrects = sources.get(fact.replaces, "") if fact.replaces is not None else ""
        yield Chosen(fact, corrects)
