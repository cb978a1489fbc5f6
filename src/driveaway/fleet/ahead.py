"""Reading ahead and writing behind: files are read and written by threads beside the one that works."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")
_BEHIND: Final = 4
"""So many writes may wait; what they hold is memory."""


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same in the same order, each made by another thread while the one before is worked on.

    What making one raises is raised where it would have come.
    """
    with ThreadPoolExecutor(1, "reading ahead") as reader:

        def made() -> Generator[T, None, None]:
            next_one = reader.submit(next, source, None)
            while (found := next_one.result()) is not None:
                next_one = reader.submit(next, source, None)
                yield found

        with closing(made()) as items:
            yield items


class Behind:
    """One thread that works off what is handed in, in order; few things wait at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writing behind")
        self._waiting: deque[Future[Any]] = deque()

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def do(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Hand something in; what it raises comes with its result."""
        while len(self._waiting) >= _BEHIND:
            self._waiting.popleft().exception()
        future = self._thread.submit(work, *arguments)
        self._waiting.append(future)
        return future
