"""Reading ahead: the next batch is read while one is landed."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same in the same order, each made by another thread while the one before is worked on.

    What making one raises is raised where it would have come.
    """
    with ThreadPoolExecutor(1, "reading trips") as reader:

        def made() -> Generator[T, None, None]:
            next_one = reader.submit(next, source, None)
            while (found := next_one.result()) is not None:
                next_one = reader.submit(next, source, None)
                yield found

        with closing(made()) as items:
            yield items
