"""Many simulated cars over few connections, each car when it is due."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Sequence
from typing import Final

from driveaway.updates.car.fleet.behaviour import Behaviour
from driveaway.updates.car.fleet.counts import Counts
from driveaway.updates.car.fleet.line import Line, Place
from driveaway.updates.car.fleet.member import Acknowledged, Member
from driveaway.values.errors import DriveawayError, Unavailable

LONGEST_WAIT: Final = 10.0
"""Seconds between two tries over a line that broke."""
_TICK: Final = 0.02


class Fleet:
    """Cars that poll, and what they came to.

    Cars share connections, as they do behind a proxy or a carrier's gateway: each request shows the
    credential of its own car.

    Args of the constructor: the cars; where their server is; how they behave; connections; seconds over which
    first polls are spread; who is told of each message that the server took.
    """

    def __init__(
        self,
        members: Sequence[Member],
        place: Place,
        behaviour: Behaviour,
        *,
        connections: int = 200,
        ramp: float = 10.0,
        acknowledged: Acknowledged = lambda *_: None,
    ) -> None:
        self.members = members
        self.behaviour = behaviour
        self.counts = Counts()
        self.failed = ""
        self._place = place
        self._connections = max(1, min(connections, len(members)))
        self._ramp = ramp
        self._acknowledged = acknowledged
        self._due: list[tuple[float, int]] = []
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self.late = 0
        """Cars that are due and wait for a connection."""

    async def run(
        self,
        seconds: float | None,
        told: Callable[[Fleet], None] = lambda _: None,
        every: float = 2.0,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let the cars poll for so long, or until ``stop`` says so; ``told`` now and then.

        Raises:
            DriveawayError: the server does not speak as one.
        """
        start = time.monotonic()
        self._due = [
            (start + self._ramp * self.behaviour.dice(member.controller_id, "first"), number)
            for number, member in enumerate(self.members)
        ]
        heapq.heapify(self._due)
        lines = [asyncio.create_task(self._work()) for _ in range(self._connections)]
        telling = start + every
        try:
            while not stop() and not self.failed:
                now = time.monotonic()
                if seconds is not None and now >= start + seconds:
                    break
                while self._due and self._due[0][0] <= now:
                    self._ready.put_nowait(heapq.heappop(self._due)[1])
                self.late = self._ready.qsize()
                if now >= telling:
                    telling = now + every
                    told(self)
                await asyncio.sleep(_TICK)
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)
        if self.failed:
            raise Unavailable(self.failed, code="fleet.server", remedy="see the server's log")

    async def _work(self) -> None:
        line, failures = Line(self._place), 0
        dice = self.behaviour.dice
        try:
            while True:
                number = await self._ready.get()
                member = self.members[number]
                try:
                    wait = await member.step(line, self.behaviour, self.counts, self._acknowledged)
                    failures = 0
                except (OSError, Unavailable):
                    failures += 1
                    heapq.heappush(self._due, (time.monotonic() + 1.0, number))
                    share = dice(member.controller_id, f"wait/{self.counts.lost}")
                    await asyncio.sleep(share * min(LONGEST_WAIT, 0.1 * 2.0 ** min(failures, 10)))
                    continue
                except DriveawayError as error:
                    if error.code in ("car.credential", "car.document"):
                        self.failed = str(error)
                        return
                    # What was offered is not there any longer: the next poll tells.
                    wait = 1.0
                heapq.heappush(self._due, (time.monotonic() + wait, number))
        finally:
            line.close()
