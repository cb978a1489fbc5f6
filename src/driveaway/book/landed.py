"""How tables that landed beside the book, such as the fleet's, are handed to the book's engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pyarrow as pa

from driveaway.book.mirror import Mirror


class Landed(Protocol):
    """Tables in Parquet files that are derived from landed files and the facts about them: a cache.

    Every table has a column ``seq``: the batch (or what took it back) that a row came with.
    """

    def names(self) -> Sequence[str]:
        """The tables that there are."""
        ...

    def schema(self, name: str) -> pa.Schema:
        """The columns of a table."""
        ...

    def paths(self, name: str) -> list[str]:
        """Files that hold a table now; none when nothing has landed."""
        ...

    def catch_up(self, progress: Callable[[int, int], None] | None = None) -> Any:
        """Bring the tables to where the mirror is; a new object whenever the files are others."""
        ...

    def reload(self) -> None:
        """Take up what another process has published, and catch up from there."""
        ...

    def drop(self) -> None:
        """Delete the tables; they come back at the next question."""
        ...

    def pseudonym(self, name: str) -> str:
        """What stands for a car in what is shown: the same each time, and not to be turned back."""
        ...


Landing = Callable[[Mirror], Landed]
"""Makes the landed tables that belong to a mirror."""
