"""Recompute the tree and the look-up keys from the facts, and say where the book was changed."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from driveaway.book.canonical import canonical, leaf
from driveaway.book.reading import body_of
from driveaway.book.sqlite_insert import source_key
from driveaway.book.store import Edge, Row, Store
from driveaway.book.tree import Frontier
from driveaway.facts import KINDS
from driveaway.facts.keys import KEYED, keys_of
from driveaway.values.errors import BadValue

_BATCH = 20_000
_LEAF = 32
_MOST = 100
_NONE: Set[str] = frozenset()
_KEYED = frozenset(name for name, kind in KINDS.items() if kind.body in KEYED)


@dataclass(frozen=True)
class Difference:
    """A place where the book does not agree with itself.

    Attributes:
        seq: the first fact concerned.
        what: what differs.
        follows: whether it may be but a trace of facts that are missing or were rewritten: salts without
            an erasure, keys and an edge that no longer fit.
    """

    seq: int
    what: str
    follows: bool = False


@dataclass
class Verdict:
    """What a verification found.

    Attributes:
        size: facts in the book.
        root: head of the tree over all leaves, as recomputed.
        erased: facts whose salt was shredded (their leaf is taken as stored).
        differences: empty when the book is whole; the first is the first fact that differs, is missing or
            was rewritten since a head was logged. What may be but a trace of that comes last.
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
    """Recompute every leaf, every look-up key and the tree, and compare with what is stored and logged.

    Args:
        store: the book.
        heads: (size, root) as logged outside the database.
        progress: called with (facts done, facts in all).
    """
    edge = store.edge()
    tracing = gc.isenabled()
    # As in appending: many small objects and no cycles.
    gc.disable()
    try:
        with closing(store.keys()) as keys:
            return _verify(store, edge, _Keys(keys), dict(heads), progress)
    finally:
        if tracing:
            gc.enable()


def _verify(
    store: Store,
    edge: Edge,
    keys: _Keys,
    logged: dict[int, bytes],
    progress: Callable[[int, int], None] | None,
) -> Verdict:
    shredded = _Shredded(store.erased())
    verdict = Verdict(edge.size, b"")
    frontier = Frontier()
    good_head = 0
    recorded = 0
    # One more than the edge says: facts beyond it are a difference too.
    for batch in _batches(store, edge.size + 1):
        sources = dict(store.source_keys(batch[0].seq - 1, batch[-1].seq))
        for row in batch:
            if row.seq > edge.size and row.seq <= store.edge().size:
                continue  # recorded meanwhile
            if not _is_leaf(row.leaf):
                verdict.differences.append(Difference(row.seq, f"the leaf of fact {row.seq} is not one"))
                verdict.root = frontier.root()
                return verdict
            if row.seq != frontier.size + 1:
                gone = f"facts {frontier.size + 1} to {row.seq - 1} are missing"
                verdict.differences.append(Difference(frontier.size + 1, gone))
                verdict.root = frontier.root()
                return verdict
            problem = _problem(row, shredded, recorded)
            found = keys.of(row.seq)
            # Of a fact without a salt nothing but that is known, and its erasure may be what is missing.
            follows = problem is not None and row.salt is None
            if problem is None:
                problem = _key_problem(row, sources.get(row.seq), found)
            if problem is not None and len(verdict.differences) < _MOST:
                verdict.differences.append(Difference(row.seq, problem, follows))
            verdict.erased += row.salt is None
            recorded = max(recorded, row.recorded) if _is_whole(row.recorded) else recorded
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
    verdict.differences += shredded.alone()
    verdict.root = frontier.root()
    if frontier.size != edge.size:
        where = min(frontier.size, edge.size) + 1
        what = f"the book's edge says {edge.size} facts, {frontier.size} are there"
        verdict.differences.append(Difference(where, what))
    elif frontier.packed() != edge.peaks and not verdict.differences:
        what = "the tree's stored edge differs from its leaves"
        verdict.differences.append(Difference(edge.size + 1, what, follows=True))
    if keys.beyond(store):
        what = "there are keys of facts that are not there"
        verdict.differences.append(Difference(edge.size + 1, what, follows=True))
    beyond = [size for size in logged if size > edge.size]
    if beyond:
        what = f"a head was logged at {max(beyond)} facts; the facts after {edge.size} are missing"
        verdict.differences.append(Difference(edge.size + 1, what))
    verdict.differences.sort(key=lambda d: (d.follows, d.seq))
    return verdict


def _is_leaf(value: object) -> bool:
    """Whether it is a digest: a database that was changed may hold anything."""
    return isinstance(value, bytes) and len(value) == _LEAF


def _is_whole(value: object) -> bool:
    return isinstance(value, int)


def _batches(store: Store, until: int) -> Iterator[Sequence[Row]]:
    after = 0
    while rows := store.rows(after, until, _BATCH):
        yield rows
        after = rows[-1].seq


class _Shredded:
    """Facts without a salt: an erasure shreds every earlier fact of its subject, or none of them.

    None, where it was recorded in another book and came here by import.
    """

    def __init__(self, erased: set[str]) -> None:
        self._erased = erased
        self._whole: set[str] = set()
        self._waiting: dict[str, list[int]] = {}

    def problem(self, row: Row) -> str | None:
        """What is wrong with a fact's salt; of one that waits for its erasure, ``alone`` says it."""
        subject = row.subject
        if subject not in self._erased:
            if row.salt is None:
                return f"the salt of fact {row.seq} is gone, though {subject} was never erased"
        elif row.kind == "subject.erased":
            if row.salt is None:
                return f"the salt of fact {row.seq} is gone, and an erasure keeps its own"
            if subject not in self._whole:
                self._waiting.pop(subject, None)
        elif row.salt is not None:
            self._whole.add(subject)
        elif subject in self._whole:
            return _alone(row.seq, subject)
        else:
            self._waiting.setdefault(subject, []).append(row.seq)
        return None

    def alone(self) -> list[Difference]:
        """Facts that no erasure can have shredded."""
        return [
            Difference(seq, _alone(seq, subject), follows=True)
            for subject, seqs in self._waiting.items()
            for seq in seqs
        ]


def _alone(seq: int, subject: str) -> str:
    return f"the salt of fact {seq} is gone, and no erasure of {subject} shredded it with all before it"


def _problem(row: Row, shredded: _Shredded, recorded: int) -> str | None:
    gone = shredded.problem(row)
    if row.salt is None:
        return gone
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


class _Keys:
    """Stored keys, which come by seq, fact by fact."""

    def __init__(self, stored: Iterator[tuple[int, str]]) -> None:
        self._stored = stored
        self._next = next(stored, None)

    def of(self, seq: int) -> Set[str]:
        """The keys of this fact, and any left over of earlier ones."""
        if self._next is None or not _is_whole(self._next[0]) or self._next[0] > seq:
            return _NONE
        found: set[str] = set()
        while self._next is not None and _is_whole(self._next[0]) and self._next[0] <= seq:
            found.add(self._next[1])
            self._next = next(self._stored, None)
        return found

    def beyond(self, store: Store) -> bool:
        """Whether any key is left of a fact that is not there, not even by now."""
        self.of(store.edge().size)
        return self._next is not None


def _key_problem(row: Row, source: int | None, found: Set[str]) -> str | None:
    """What is wrong with the keys that a fact is found by; they are made of what its leaf proves."""
    try:
        if source != source_key(row.source):
            return f"the key of the source of fact {row.seq} is not that of its source"
        if row.kind in _KEYED:
            wanted = set(keys_of(body_of(row.kind, row.version, row.body, row.personal)))
        elif row.kind in KINDS:
            wanted = set()
        else:
            return None
    except BadValue:
        # A newer program wrote it, and knows its keys.
        return None
    except (TypeError, ValueError, AttributeError, msgspec.MsgspecError):
        return f"fact {row.seq} ({row.kind} of {row.subject}) is not what was recorded"
    if found == wanted:
        return None
    if missing := sorted(wanted - found):
        return f"fact {row.seq} is no longer found under {missing[0]}"
    return f"fact {row.seq} is found under a key that is not its own"


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
