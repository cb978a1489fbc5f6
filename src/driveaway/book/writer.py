"""Appending: decide under the write lock, hash, insert, move the edge. Only ``launch`` calls this."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Protocol

import msgspec

from driveaway.book.canonical import canonical, encode_body, leaf
from driveaway.book.pending import BatchReader, Pending
from driveaway.book.reading import fact_of
from driveaway.book.store import Edge, Row, Store, WriteTransaction
from driveaway.book.tree import Frontier
from driveaway.facts import KINDS, Draft, Fact
from driveaway.facts.keys import keys_of
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Conflict, DriveawayError, Unavailable

SALT = 16
_SINGLE_LOOKUPS = 20
_REPEATED = "book.conflict"
# So many facts are handed to the store at a time; SQLite inserts them while the next are decided.
_CHUNK = 4_000
# An import that meets another writer commits so few facts at a time (about 1 ms), for so long.
_COURTEOUS = 8
_UNBOUND = 1 << 30
# So often a batch under way looks whether somebody waits. Each look lets go of Python's lock for a
# moment too short for the inserting thread to take it, and long enough to stop its clock: looking
# every millisecond kept that thread from ever starting (measured: half the speed).
_LOOK_EVERY = 1_000
_COURTESY_SECONDS = 60.0
_COURTESY_LOOKS = 50


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one draft.

    ``seq`` of its fact, or of the one it repeats; ``added`` False when it repeats one;
    ``error`` why it was not accepted (then ``seq`` is None).
    """

    draft: Draft
    seq: int | None
    added: bool
    error: DriveawayError | None


class Reader(Protocol):
    """What a decider may read while it holds the lock, pending facts of the batch included."""

    def live(self, subjects: Sequence[str], keys: Sequence[str]) -> list[Fact]:
        """Live facts about the subjects or under the keys, in order of valid time."""
        ...

    def open_under(self, keys: Sequence[str], closing: Sequence[str]) -> list[tuple[str, str]]:
        """(key, subject) of the live facts under these keys whose subject no closing kind has closed."""
        ...

    def any_of(self, kind: str, after: int) -> bool:
        """Whether the book, as it stood before this batch, holds a fact of this kind after that seq."""
        ...

    def recorded(self, seqs: Sequence[int]) -> list[Fact]:
        """Facts by their seq, as the book stood before this batch."""
        ...

    def replaced(self, seq: int) -> Fact:
        """The live fact with this seq."""
        ...


class Decider(Protocol):
    """The rules of a launch, with the states that one batch needs."""

    seen: int
    """Size of the book that its states stand for; the writer sets it once a batch is in."""

    def prepare(self, drafts: Sequence[Draft], reader: Reader, size: int) -> None:
        """Load the states that these drafts touch, in a book of this size."""
        ...

    def decide(self, draft: Draft) -> Sequence[Draft]:
        """The facts that the draft becomes; a Refused leaves the states as they were."""
        ...


def append(
    store: Store,
    drafts: Sequence[Draft],
    decider: Decider,
    *,
    atomic: bool = False,
    patient: bool = False,
    clock: Callable[[Draft], int] | None = None,
    salts: Callable[[int], bytes] = secrets.token_bytes,
) -> list[Outcome]:
    """Append what the rules allow, in one transaction; an outcome for every draft, in order.

    Args:
        store: where to.
        drafts: what somebody asks to record.
        decider: the rules, fresh for this batch.
        atomic: all or nothing; the first error is raised and nothing is added.
        patient: an import: let others take the lock first.
        clock: transaction time of a draft; the machine's clock by default.
        salts: that many random bytes.

    Raises:
        Unavailable: the store cannot be written; nothing of the batch was accepted.
        DriveawayError: with ``atomic``, the first draft's error.
    """
    if not drafts:
        return []
    tracing = gc.isenabled()
    # A batch makes many small objects and no cycles: the collector would only walk them.
    gc.disable()
    try:
        if not patient:
            return _append_batch(store, drafts, decider, atomic, False, clock, salts)
        outcomes: list[Outcome] = []
        while len(outcomes) < len(drafts):
            left = drafts[len(outcomes) :]
            if not atomic:
                left = left[: _patient_size(store)]
            done = _append_batch(store, left, decider, atomic, True, clock, salts)
            outcomes += done
            _let_pass(store, gave_way=len(done) < len(left))
        return outcomes
    finally:
        if tracing:
            gc.enable()


_courteous_until: dict[str, float] = {}
_sizes: dict[str, int] = {}


def is_courteous(store: Store) -> bool:
    """Whether an import of this process met another writer lately, and so commits few facts at once."""
    return monotonic() < _courteous_until.get(store.url, 0.0)


def _patient_size(store: Store) -> int:
    """Facts that an import may commit at once.

    It begins with few, so that whoever writes already is met while little has to be committed, and
    doubles as long as nobody is.
    """
    size = _COURTEOUS if is_courteous(store) else _sizes.get(store.url, 4 * _COURTEOUS)
    _sizes[store.url] = min(2 * size, _UNBOUND)
    return size


def _let_pass(store: Store, *, gave_way: bool) -> None:
    """After an import's commit: whoever waits goes first, and for a while the batches stay small.

    Who waited may have the lock already and be seen no more: ``gave_way`` tells of it.
    """
    waiting = store.others_wait()
    if waiting or gave_way:
        _courteous_until[store.url] = monotonic() + _COURTESY_SECONDS
    if waiting:
        for _ in range(_COURTESY_LOOKS):
            sleep(0.0002)
            if not store.others_wait():
                return


def _append_batch(
    store: Store,
    drafts: Sequence[Draft],
    decider: Decider,
    atomic: bool,
    patient: bool,
    clock: Callable[[Draft], int] | None,
    salts: Callable[[int], bytes],
) -> list[Outcome]:
    """One transaction; when it is an import's and somebody waits, over fewer drafts than given."""
    give_way = store.others_wait if patient and not atomic else None
    try:
        with store.write(patient=patient) as transaction:
            outcomes, size = _append_locked(
                transaction, drafts, decider, atomic, clock, salts, None, give_way
            )
    except (_SourceKnown, Conflict) as repeated:
        if isinstance(repeated, Conflict) and repeated.code != _REPEATED:
            raise
        with store.write(patient=patient) as transaction:
            known = transaction.by_source([draft.source for draft in drafts if draft.source])
            outcomes, size = _append_locked(
                transaction, drafts, decider, atomic, clock, salts, known, give_way
            )
    decider.seen = size
    return outcomes


def append_within(
    transaction: WriteTransaction,
    drafts: Sequence[Draft],
    decider: Decider,
    *,
    clock: Callable[[Draft], int] | None = None,
    salts: Callable[[int], bytes] = secrets.token_bytes,
) -> Sequence[int]:
    """Append facts inside a transaction that the caller holds, all or nothing; their seq, in order.

    ``clock`` and ``salts`` are for simulations, as in ``append``.

    Raises:
        DriveawayError: the first draft's error; the caller's transaction must be rolled back.
    """
    known = transaction.by_source([draft.source for draft in drafts if draft.source])
    outcomes, _ = _append_locked(transaction, drafts, decider, True, clock, salts, known)
    return [outcome.seq for outcome in outcomes if outcome.seq is not None]


class _SourceKnown(Exception):
    """A source of the batch may be recorded already: look them all up and decide again."""


def _append_locked(
    transaction: WriteTransaction,
    drafts: Sequence[Draft],
    decider: Decider,
    atomic: bool,
    clock: Callable[[Draft], int] | None,
    salts: Callable[[int], bytes],
    known: dict[str, Row] | None,
    give_way: Callable[[], bool] | None = None,
) -> tuple[list[Outcome], int]:
    """Decide and insert under the lock; the outcomes and the size of the book after them.

    Most batches are new: their sources are not looked up (``known`` None), the store refuses a repeated
    one. Only when it does, or a rule refuses what is a repetition, is the batch decided again with
    all sources looked up. That spares an index read a fact.

    Raises:
        _SourceKnown: look up the sources and call again.
    """
    edge = transaction.edge()
    pending = Pending()
    decider.prepare(drafts, BatchReader(transaction, pending), edge.size)
    outcomes: list[Outcome] = []
    seq, recorded = edge.size, edge.recorded
    time = now()
    rows: list[Row] = []
    keys: list[tuple[str, int]] = []
    salt_bytes = salts(SALT * len(drafts))
    used = 0
    here: dict[str, Row] = {}
    looked_up = 0
    frontier = Frontier(edge.size, edge.peaks)

    def flush() -> None:
        if rows:
            frontier.extend([row.leaf for row in rows])
            try:
                transaction.insert(rows, keys, Edge(frontier.size, recorded, frontier.packed()))
            except Conflict as error:
                if known is None:
                    raise _SourceKnown from error
                raise
            rows.clear()
            keys.clear()

    for number, draft in enumerate(drafts):
        if give_way is not None and number % _LOOK_EVERY == _LOOK_EVERY - 1 and give_way():
            break
        source = draft.source
        try:
            if source:
                earlier = here.get(source) or (known.get(source) if known else None)
                if earlier is not None:
                    _same(draft, earlier)
                    outcomes.append(Outcome(draft, earlier.seq, False, None))
                    continue
            for accepted in decider.decide(draft):
                seq += 1
                at = time if clock is None else clock(draft)
                if at > recorded:
                    recorded = at
                if used + SALT > len(salt_bytes):
                    salt_bytes, used = salts(SALT * 64), 0
                row = _row(seq, accepted, recorded, salt_bytes[used : used + SALT])
                used += SALT
                rows.append(row)
                here[row.source] = row
                keys += [(key, seq) for key in keys_of(accepted.body)]
                pending.add(seq, accepted, recorded)
            outcomes.append(Outcome(draft, seq, True, None))
        except Unavailable:
            raise
        except DriveawayError as error:
            if known is None and error.code == _REPEATED:
                raise _SourceKnown from error
            if source and known is None and not isinstance(error, BadValue):
                # Refused, or only a repetition of what is recorded?
                looked_up += 1
                if looked_up > _SINGLE_LOOKUPS:
                    raise _SourceKnown from error
                repeated = transaction.by_source([source]).get(source)
                if repeated is not None:
                    raise _SourceKnown from error
            if atomic:
                raise error.at(draft.place) from None
            outcomes.append(Outcome(draft, None, False, error.at(draft.place)))
        if len(rows) >= _CHUNK:
            flush()
    flush()
    return outcomes, seq


def _row(seq: int, draft: Draft, recorded: int, salt: bytes) -> Row:
    version = KINDS[draft.kind].version
    encoded = draft.encoded
    if encoded is not None and encoded.body is draft.body:
        body, personal = encoded.public, encoded.personal
    else:
        body, personal = encode_body(draft.body)
    source = draft.source or f"urn:driveaway:book/{secrets.token_hex(12)}"
    content = canonical(
        draft.kind,
        version,
        draft.subject,
        draft.happened,
        recorded,
        source,
        draft.replaces,
        draft.simulated,
        body,
        personal,
    )
    return Row(
        seq,
        draft.kind,
        version,
        draft.subject,
        draft.happened,
        recorded,
        source,
        draft.replaces,
        draft.simulated,
        body,
        leaf(salt, content),
        salt,
        None if personal == "{}" else personal,
    )


def _same(draft: Draft, row: Row) -> None:
    """Whether a repeated source says the same; what the rules filled in counts as the same.

    Raises:
        Conflict: it says something else.
    """
    fact = fact_of(row)
    mine = (draft.kind, draft.subject, draft.happened, draft.replaces)
    theirs = (fact.kind, fact.subject, fact.happened, fact.replaces)
    agree = mine == theirs and all(
        getattr(fact.body, name) == value
        for name in draft.body.__struct_fields__
        if (value := getattr(draft.body, name)) not in (None, ())
        and not (fact.erased and name in draft.body.personal)
    )
    if not agree:
        raise Conflict(
            f"source {draft.source!r} is fact {fact.seq} already, with other content",
            code="source.conflict",
            remedy=f"a correction is a new fact that replaces {fact.seq}",
        )
