"""Asking the room from the event loop: on threads, bounded; and hearing of what changed in it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from driveaway.values.errors import Unavailable
from driveaway.web.device.cars import Cars
from driveaway.web.device.desk import Desk

Result = TypeVar("Result")
_Question = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]
_Answer = tuple[asyncio.Future[Any], Any, BaseException | None]
_PATIENCE: Final = 0.005
"""Seconds that a question waits before another thread helps."""
_TOGETHER: Final = 0.001
"""Seconds after which what was answered is told."""
_log = logging.getLogger(__name__)


class Room:
    """The room's methods, awaited."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "room")
        self._brief = Brief(self._threads, threads)
        self._most = waiting
        self._waiting = 0

    async def ask(self, method: Callable[..., Result], *arguments: Any) -> Result:
        """What a method returns; each on a thread of its own, for what may take its time.

        Raises:
            Unavailable: too many wait already.
        """
        with self._counted():
            return await asyncio.get_running_loop().run_in_executor(self._threads, method, *arguments)

    async def read(self, method: Callable[..., Result], *arguments: Any) -> Result:
        """What a method returns that reads little.

        Raises:
            Unavailable: too many wait already.
        """
        with self._counted():
            return await self._brief.ask(method, arguments)

    async def change(self, method: Callable[..., Future[Result]], *arguments: Any) -> Result:
        """What a change results in, once it is committed; the method only hands it in.

        Raises:
            Unavailable: too many wait already.
        """
        return await asyncio.wrap_future(await self.read(method, *arguments))

    async def take_in(self, method: Callable[..., Future[Result]], *arguments: Any) -> Result:
        """What a change results in, once it is committed; the method takes its time to hand it in.

        Raises:
            Unavailable: too many wait already.
        """
        return await asyncio.wrap_future(await self.ask(method, *arguments))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._waiting >= self._most:
            raise Unavailable("too many requests at once", code="web.busy", remedy="try again")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=True)


class Brief:
    """Brief questions, which one thread answers one after the other, and tells together.

    A thread for each would spend most of its time waiting for the interpreter and waking the event loop.
    When what is asked takes longer, as with a database far away, more threads join.
    """

    def __init__(self, threads: ThreadPoolExecutor, most: int) -> None:
        self._threads = threads
        self._most = most
        self._asked: deque[_Question] = deque()
        self._answering = 0
        self._looking = False

    async def ask(self, method: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
        """What a method returns or raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._asked.append((answer, method, arguments))
        if not self._answering:
            self._start(loop)
        elif not self._looking:
            self._look_again(loop)
        return await answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._answering += 1
        self._threads.submit(self._answer, loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = True
        loop.call_later(_PATIENCE, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = False
        if self._asked:
            if self._answering < self._most:
                self._start(loop)
            self._look_again(loop)

    def _answer(self, loop: asyncio.AbstractEventLoop) -> None:
        """On a thread: answer while there are questions."""
        done: list[_Answer] = []
        began = time.monotonic()
        while True:
            try:
                answer, method, arguments = self._asked.popleft()
            except IndexError:
                loop.call_soon_threadsafe(self._tell, loop, done, True)
                return
            try:
                done.append((answer, method(*arguments), None))
            except BaseException as error:  # noqa: BLE001 - it is raised where the question was asked
                done.append((answer, None, error))
            if time.monotonic() - began >= _TOGETHER:
                loop.call_soon_threadsafe(self._tell, loop, done, False)
                done, began = [], time.monotonic()

    def _tell(self, loop: asyncio.AbstractEventLoop, done: list[_Answer], ended: bool) -> None:
        for answer, result, error in done:
            if answer.done():
                continue
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)
        if ended:
            self._answering -= 1
            # One may have been asked while the thread found that there was none left.
            if self._asked and not self._answering:
                self._start(loop)


class Changes:
    """Looks for changes again and again, and voids what is remembered of the cars that they mean.

    While it cannot look, what is remembered grows old: after ``stale_after`` seconds ``fresh`` is False.
    """

    def __init__(self, desk: Desk, cars: Cars, every: float, stale_after: float) -> None:
        self._desk = desk
        self._cars = cars
        self._every = every
        self._stale_after = stale_after
        self._thread = ThreadPoolExecutor(1, "changes")
        self._seq = 0
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self.fresh = False

    async def start(self) -> None:
        """Find out where the changes stand, then look on by itself."""
        # Nothing is remembered yet, so changes that lie behind mean nobody.
        loop = asyncio.get_running_loop()
        self._seq = await loop.run_in_executor(self._thread, self._desk.last_change)
        self.fresh = True
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while True:
            await asyncio.sleep(self._every)
            try:
                async with asyncio.timeout(self._stale_after):
                    self._seq, changed = await loop.run_in_executor(
                        self._thread, self._desk.changed_since, self._seq
                    )
            except Exception as error:  # noqa: BLE001 - whatever it is, looking must go on
                if not self._failing:
                    _log.error("changes cannot be read: %s", type(error).__name__, exc_info=error)
                self._failing = True
                if loop.time() - looked >= self._stale_after and self.fresh:
                    self.fresh = False
                    self._cars.all_changed()
                continue
            if self._failing:
                _log.warning("changes are read again")
            if changed:
                self._cars.changed(changed)
            looked, self._failing, self.fresh = loop.time(), False, True
