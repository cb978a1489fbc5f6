"""Many large batches one after the other: while one is written the next is checked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.fleet.landing.landing import Landing, Written
from driveaway.fleet.landing.locking import others_wait
from driveaway.fleet.landing.part import Part
from driveaway.values.errors import BadValue, Conflict, DriveawayError

Done = Landed | DriveawayError
_PAUSE: Final = 0.2
"""Seconds for which others that wait may go first."""


def land_stream(landing: Landing, batches: Iterable[Batch]) -> Iterator[Done]:
    """Land batches in order; for each what became of it, once nothing of it can be lost.

    Others that wait to land are let in between two batches.

    Raises:
        Unavailable: as ``Landing.land``; what was not told yet was not taken in.
    """
    queue = iter(batches)
    batch = next(queue, None)
    with ThreadPoolExecutor(1, "writing trips") as writer:
        while batch is not None:
            with landing.hold():
                stream = _Stream(landing, writer)
                while batch is not None:
                    taken, done = stream.take(batch)
                    yield from done
                    if taken:
                        batch = next(queue, None)
                    if others_wait(landing.folder):
                        break
                yield from stream.drain()[0]
            time.sleep(_PAUSE if batch is not None else 0)


class _Stream:
    """Batches under way while the folder's lock is held: at most one is being written."""

    def __init__(self, landing: Landing, writer: ThreadPoolExecutor) -> None:
        self._landing = landing
        self._writer = writer
        self._pending: tuple[Part, Future[Written]] | None = None

    def take(self, batch: Batch) -> tuple[bool, list[Done]]:
        """Begin with a batch.

        Returns:
            (whether it was taken, else it is to be given again; what became of earlier ones, or of this one).
        """
        landing = self._landing
        out: list[Done] = []
        if landing.index.is_due or self._has(batch):
            # What is published must be in the book.
            out, _ = self.drain()
            if landing.index.is_due:
                landing.publish()
        try:
            known = landing.known(batch)
            part = None if known is not None else landing.check([batch])
        except (BadValue, Conflict) as error:
            return True, [*out, *self.drain()[0], error]
        if part is None or known is not None:
            assert known is not None
            return True, [*out, *self.drain()[0], known]
        earlier, self._pending = self._pending, (part, self._writer.submit(landing.write, part))
        # Before its fact: the next batch is checked against it. Whatever goes wrong, the index is read anew.
        landing.remember(part.sorted, part.accepted)
        if earlier is None:
            return True, out
        done, refused = self._recorded(*earlier)
        if refused:
            # This one was checked against rows that are not there.
            self._pending[1].result()
            self._pending = None
            self._anew()
        return not refused, [*out, *done]

    def drain(self) -> tuple[list[Done], bool]:
        """Wait for what is being written; what became of it, and whether it was refused."""
        if self._pending is None:
            return [], False
        pending, self._pending = self._pending, None
        done, refused = self._recorded(*pending)
        if refused:
            self._anew()
        return done, refused

    def _recorded(self, part: Part, job: Future[Written]) -> tuple[list[Done], bool]:
        done = self._landing.record(part, job.result())
        return done, any(isinstance(each, DriveawayError) for each in done)

    def _anew(self) -> None:
        self._landing.index.forget()
        self._landing.catch_up()

    def _has(self, batch: Batch) -> bool:
        return self._pending is not None and self._pending[0].batches[0].subject == batch.subject
