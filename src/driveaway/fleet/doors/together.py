"""Batches of many requests, landed together: one synced write and one commit for all that wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Final

from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.values.errors import DriveawayError

LandAll = Callable[[Sequence[Batch]], Sequence[Landed | DriveawayError]]
_BATCHES: Final = 200
_ROWS: Final = 100_000
"""Batches and rows that are landed at once at the most, so that nobody waits for long."""


class _Job:
    __slots__ = ("batch", "result")

    def __init__(self, batch: Batch, result: Future[Landed]) -> None:
        self.batch = batch
        self.result = result


class TogetherLanding:
    """Lands batches on a thread of its own; those that wait meanwhile are landed as one.

    A batch's result is known only once its rows are on disk and its fact is in the book (group commit, as in
    ``book.state.together``). One that is refused is refused alone.
    """

    def __init__(self, land_all: LandAll) -> None:
        self._land_all = land_all
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="landing", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> Future[Landed]:
        """Queue a batch; the future's result is there once nothing of it can be lost.

        It fails with what ``Landing.land_all`` raises for all that were landed together, or says of the
        batch alone.
        """
        result: Future[Landed] = Future()
        self._queue.put(_Job(batch, result))
        return result

    def close(self) -> None:
        """Land what is queued and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        left: _Job | None = None
        closing = False
        while not closing:
            job = self._queue.get() if left is None else left
            left = None
            jobs: list[_Job] = []
            rows = 0
            while True:
                if job is None:
                    closing = True
                    break
                rows += job.batch.table.num_rows
                if jobs and rows > _ROWS:
                    left = job
                    break
                jobs.append(job)
                if len(jobs) >= _BATCHES or self._queue.empty():
                    break
                job = self._queue.get()
            if jobs:
                self._land(jobs)

    def _land(self, jobs: Sequence[_Job]) -> None:
        try:
            landed = self._land_all([job.batch for job in jobs])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for job in jobs:
                job.result.set_exception(error)
            return
        for job, each in zip(jobs, landed, strict=True):
            if isinstance(each, DriveawayError):
                job.result.set_exception(each)
            else:
                job.result.set_result(each)
