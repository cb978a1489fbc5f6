"""Recompute the tree from the facts, and say where the book was changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from driveaway.book.canonical import canonical, leaf
from driveaway.book.store import Row, Store
from driveaway.book.tree import Frontier

_BATCH = 20_000
_LEAF = 32


@dataclass(frozen=True)
class Difference:
    """A place where the book does not agree with itself. ``seq`` is the first fact concerned."""

    seq: int
    what: str


@dataclass
class Verdict:
    """What a verification found.

    Attributes:
        size: facts in the book.
        root: head of the tree over all leaves, as recomputed.
        erased: facts whose salt was shredded (their leaf is taken as stored).
        differences: empty when the book is whole; the first is the first fact that differs.
        heads: how many logged heads were compared.
    """

    size: int
    root: bytes
    erased: int = 0
    differences: list[Difference] = field(default_factory=list)
    heads: int = 0


def read_heads(log: Path) -> list[tuple[int, bytes]]:
    """(size, root) of the heads logged in a file; a line cut off by a crash is passed over."""
    heads: list[tuple[int, bytes]] = []
    if log.exists():
        for line in log.read_bytes().splitlines():
            try:
                head = json.loads(line)
                heads.append((int(head["size"]), bytes.fromhex(head["root"])))
            except (ValueError, KeyError, TypeError):
                continue
    return heads


def verify(
    store: Store,
    heads: Iterable[tuple[int, bytes]] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Recompute every leaf and the tree, and compare with what is stored and logged.

    Args:
        store: the book.
        heads: (size, root) as logged outside the database.
        progress: called with (facts done, facts in all).
    """
    edge = store.edge()
    logged = dict(heads)
    erased = store.erased()
    verdict = Verdict(edge.size, b"")
    frontier = Frontier()
    good_head = 0
    recorded = 0
    # One more than the edge says: facts beyond it are a difference too.
    for batch in _batches(store, edge.size + 1):
        for row in batch:
            if not _is_leaf(row.leaf):
                verdict.differences.append(Difference(row.seq, f"the leaf of fact {row.seq} is not one"))
                verdict.root = frontier.root()
                return verdict
            if row.seq != frontier.size + 1:
                gone = f"facts {frontier.size + 1} to {row.seq - 1} are missing"
                verdict.differences.append(Difference(frontier.size + 1, gone))
                verdict.root = frontier.root()
                return verdict
            problem = _problem(row, erased, recorded)
            if problem is not None and len(verdict.differences) < 100:
                verdict.differences.append(Difference(row.seq, problem))
            verdict.erased += row.salt is None
            recorded = max(recorded, row.recorded) if _is_time(row.recorded) else recorded
            frontier.extend([row.leaf])
            expected = logged.get(frontier.size)
            if expected is not None:
                verdict.heads += 1
                if frontier.root() == expected:
                    good_head = frontier.size
                else:
                    what = (
                        f"the head logged at {frontier.size} facts differs: a fact from here on was rewritten"
                    )
                    verdict.differences.append(Difference(good_head + 1, what))
                    logged = {}
        if progress is not None:
            progress(min(frontier.size, edge.size), edge.size)
    verdict.root = frontier.root()
    if frontier.size != edge.size:
        where = min(frontier.size, edge.size) + 1
        what = f"the book's edge says {edge.size} facts, {frontier.size} are there"
        verdict.differences.append(Difference(where, what))
    elif frontier.packed() != edge.peaks and not verdict.differences:
        verdict.differences.append(Difference(1, "the tree's stored edge differs from its leaves"))
    beyond = [size for size in logged if size > edge.size]
    if beyond:
        what = f"a head was logged at {max(beyond)} facts; the facts after {edge.size} are missing"
        verdict.differences.append(Difference(edge.size + 1, what))
    verdict.differences.sort(key=lambda d: d.seq)
    return verdict


def _is_leaf(value: object) -> bool:
    """Whether it is a digest: a database that was changed may hold anything."""
    return isinstance(value, bytes) and len(value) == _LEAF


def _is_time(value: object) -> bool:
    return isinstance(value, int)


def _batches(store: Store, until: int) -> Iterator[Sequence[Row]]:
    after = 0
    while rows := store.rows(after, until, _BATCH):
        yield rows
        after = rows[-1].seq


def _problem(row: Row, erased: set[str], recorded: int) -> str | None:
    if row.salt is None:
        if row.subject in erased and row.kind != "subject.erased":
            return None
        return f"the salt of fact {row.seq} is gone, though {row.subject} was never erased"
    try:
        content = _content(row)
        same = leaf(row.salt, content) == row.leaf
    except (TypeError, ValueError, OverflowError, AttributeError, msgspec.MsgspecError):
        # A column that holds what it cannot have held when it was recorded.
        same = False
    if not same:
        return f"fact {row.seq} ({row.kind} of {row.subject}) is not what was recorded"
    if row.recorded < recorded:
        return f"fact {row.seq} was recorded before the one before it"
    return None


def _content(row: Row) -> bytes:
    return canonical(
        row.kind,
        row.version,
        row.subject,
        row.happened,
        row.recorded,
        row.source,
        row.replaces,
        bool(row.simulated),
        row.body,
        row.personal or "{}",
    )
