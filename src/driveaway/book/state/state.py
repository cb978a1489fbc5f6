"""Reading and changing operational tables, with the facts of a change in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from driveaway.book.store import Store, WriteTransaction
from driveaway.facts import Draft
from driveaway.values.errors import Refused

Append = Callable[[WriteTransaction, Sequence[Draft]], Sequence[int]]
"""Appends facts inside a transaction, all or nothing; their seq."""


Dialect = Literal["sqlite", "postgresql"]


class Reading(Protocol):
    """What can be asked of operational tables.

    Statements are SQL that SQLite and PostgreSQL both know, with named parameters, ``:name``.
    """

    @property
    def dialect(self) -> Dialect:
        """Whose SQL it is, for the few things that differ."""
        ...

    def rows(self, sql: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        ...


class Change:
    """What can be done while holding the book's write lock."""

    def __init__(
        self,
        transaction: WriteTransaction,
        append: Append | None,
        dialect: Dialect,
        *,
        one_by_one: bool = False,
    ) -> None:
        """``one_by_one``: what may be appended later is appended at once."""
        self.dialect: Dialect = dialect
        self._transaction = transaction
        self._append = append
        self._one_by_one = one_by_one
        self._later: list[Draft] = []

    def rows(self, sql: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement, those that this change has written among them."""
        return self._transaction.rows(sql, values)

    def run(self, sql: str, /, **values: Any) -> int:
        """Run a statement; how many rows it changed."""
        return self._transaction.run(sql, values)

    def run_many(self, sql: str, values: Sequence[Mapping[str, Any]], /) -> None:
        """Run a statement once for each set of named parameters."""
        if values:
            self._transaction.run_many(sql, values)

    def insert(self, table: str, /, **values: Any) -> int:
        """Insert a row; its id."""
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        sql = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id"
        return int(self._transaction.rows(sql, values)[0][0])

    def append(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """Append facts, in the same transaction, all or nothing; their seq.

        Raises:
            Refused: this door appends no facts, or a rule forbids one of them.
        """
        if self._append is None:
            raise Refused(
                "no facts are appended here", code="state.no_append", remedy="open the launch to write"
            )
        return self._append(self._transaction, drafts) if drafts else ()

    def append_later(self, drafts: Sequence[Draft]) -> None:
        """Append facts with others of this transaction, before it is committed; many cost little.

        A fact that is refused then fails the whole transaction.
        """
        if self._one_by_one:
            self.append(drafts)
        else:
            self._later += drafts

    def finish(self) -> None:
        """Append what was left for later.

        Raises:
            Refused: as in ``append``.
        """
        later, self._later = self._later, []
        if later:
            self.append(later)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part of the change that is taken back alone when it fails."""
        begun = len(self._later)
        try:
            with self._transaction.step():
                yield
        except BaseException:
            del self._later[begun:]
            raise


class State:
    """Operational tables of one book."""

    def __init__(self, store: Store, append: Append | None = None) -> None:
        """``append`` appends facts in a change; without it a change appends none."""
        self.dialect: Dialect = "sqlite" if store.url.startswith("sqlite") else "postgresql"
        self._store = store
        self._append = append

    def rows(self, sql: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement, as last committed; safe from any thread."""
        return self._store.operational(sql, values)

    @contextmanager
    def change(self, *, one_by_one: bool = False) -> Iterator[Change]:
        """Hold the book's write lock; commit on a clean exit, else roll back.

        ``one_by_one``: no fact waits for others, so that each is refused where it is appended.

        Raises:
            Unavailable: the store cannot be written.
        """
        with self._store.write() as transaction:
            change = Change(transaction, self._append, self.dialect, one_by_one=one_by_one)
            yield change
            change.finish()
