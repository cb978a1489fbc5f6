"""What a row store must do. Two do it: SQLite (embedded) and PostgreSQL (by URL)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

SCHEMA_REVISION = "0005"


class Row(NamedTuple):
    """A stored fact, with its secret columns where they still exist.

    ``body`` and ``personal`` are canonical JSON; ``salt`` and ``personal`` are None once shredded.
    """

    seq: int
    kind: str
    version: int
    subject: str
    happened: int
    recorded: int
    source: str
    replaces: int | None
    simulated: bool
    body: str
    leaf: bytes
    salt: bytes | None
    personal: str | None


class Edge(NamedTuple):
    """The right edge of the book: its last seq, when that was recorded, and the tree's peaks."""

    size: int
    recorded: int
    peaks: bytes


class WriteTransaction(Protocol):
    """What can be done while holding the book's one write lock."""

    def edge(self) -> Edge:
        """The right edge as of now."""
        ...

    def live(self, subjects: Sequence[str], keys: Sequence[str]) -> list[Row]:
        """Facts that are not replaced, about any of these subjects or found under any of these keys."""
        ...

    def of_subject(self, subject: str) -> list[Row]:
        """Every fact about exactly this subject, replaced ones included, that still has its secret."""
        ...

    def open_under(self, keys: Sequence[str], closing: Sequence[str]) -> list[tuple[str, str]]:
        """(key, subject) of the live facts under these keys whose subject no live closing kind closed."""
        ...

    def any_of(self, kind: str, after: int) -> bool:
        """Whether there is a fact of this kind after that seq; no index helps, all of them are read."""
        ...

    def by_source(self, sources: Sequence[str]) -> dict[str, Row]:
        """Facts recorded under these sources."""
        ...

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        ...

    def replacement_of(self, seq: int) -> int | None:
        """The seq of the fact that replaced this one, if any."""
        ...

    def insert(self, rows: Sequence[Row], keys: Sequence[tuple[str, int]], edge: Edge) -> None:
        """Add facts with their secrets and keys, and move the edge."""
        ...

    def shred(self, seqs: Sequence[int]) -> int:
        """Delete the secrets and personal keys of these facts; how many had any."""
        ...

    def rows(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement over operational tables, with named parameters, ``:name``."""
        ...

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement over operational tables; how many rows it changed."""
        ...

    def run_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each set of named parameters."""
        ...

    def step(self) -> AbstractContextManager[None]:
        """A part of the transaction that is taken back alone when it fails."""
        ...


class Store(Protocol):
    """A row store. Reading methods see committed facts only."""

    url: str

    def create(self) -> None:
        """Make the tables, or bring older ones up to date."""
        ...

    def write(self, *, patient: bool = False) -> AbstractContextManager[WriteTransaction]:
        """Hold the one write lock; commit on a clean exit, else roll back.

        ``patient`` True lets others go first (an import does).
        """
        ...

    def others_wait(self) -> bool:
        """Whether another process waits for the write lock now."""
        ...

    def edge(self) -> Edge:
        """The right edge as last committed."""
        ...

    def rows(self, after: int, until: int, limit: int) -> list[Row]:
        """Facts with after < seq ≤ until, by seq, at most ``limit``."""
        ...

    def by_seq(self, seqs: Sequence[int]) -> list[Row]:
        """Facts by their seq."""
        ...

    def about(self, subject: str) -> list[Row]:
        """Every fact about a subject or found under it as a key, replaced ones included, by seq."""
        ...

    def source_keys(self, after: int, until: int) -> list[tuple[int, int]]:
        """(seq, stored key of its source) of the facts with after < seq ≤ until."""
        ...

    def keys(self) -> Generator[tuple[int, str]]:
        """(seq, key) of every key that facts are found under, by seq, streamed."""
        ...

    def replacements(self, after: int, until: int) -> list[tuple[int, int]]:
        """(replaced seq, replacing seq) of the facts with after < seq ≤ until."""
        ...

    def mark_at(self, recorded: int) -> int:
        """The last seq recorded at or before this time, 0 if none."""
        ...

    def erased(self) -> set[str]:
        """Subjects that an erasure fact names."""
        ...

    def operational(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement over operational tables, as last committed; safe from any thread."""
        ...

    def scrub(self) -> None:
        """Overwrite what was shredded wherever the store may still keep a copy of its own."""
        ...

    def copy_to(self, path: str) -> None:
        """Write a consistent copy as an SQLite file."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...

    def describe(self) -> dict[str, Any]:
        """Facts about the store for people: engine, version, size in bytes.

        ``unguarded`` names the triggers that should refuse changes and do not.
        """
        ...
