"""Asking the room from the event loop: on threads, bounded; and hearing of what changed in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from driveaway.values.errors import Unavailable
from driveaway.web.device.cars import Cars
from driveaway.web.device.desk import Desk

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Room:
    """The room's methods, awaited."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "room")
        self._most = waiting
        self._waiting = 0

    async def ask(self, method: Callable[..., Result], *arguments: Any) -> Result:
        """What a method returns.

        Raises:
            Unavailable: too many wait already.
        """
        if self._waiting >= self._most:
            raise Unavailable("too many requests at once", code="web.busy", remedy="try again")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, method, *arguments)
        finally:
            self._waiting -= 1

    async def change(self, method: Callable[..., Future[Result]], *arguments: Any) -> Result:
        """What a change results in, once it is committed."""
        return await asyncio.wrap_future(await self.ask(method, *arguments))

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=True)


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
