"""Many small changes, committed together: one synced commit for all that wait."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from driveaway.book.state.state import Change, State
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused

Result = TypeVar("Result")
_AT_ONCE: Final = 500
"""Changes in one commit at the most: some 50 ms of work, so that others get their turn."""


class _Job:
    __slots__ = ("change", "result")

    def __init__(self, change: Callable[[Change], Any], result: Future[Any]) -> None:
        self.change = change
        self.result = result


class Together:
    """Runs changes on a thread of its own, each in its own step, and commits those that wait as one.

    A change's result is known only once its commit is on disk. One that fails is taken back alone. Known
    as group commit (DeWitt et al., "Implementation techniques for main memory database systems", 1984).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="together", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[Change], Result]) -> Future[Result]:
        """Queue a change; the future's result is there once it is committed.

        The change may be run twice, when what others of the same commit append is refused: it must not
        keep anything outside the transaction.
        """
        result: Future[Result] = Future()
        self._queue.put(_Job(change, result))
        return result

    def close(self) -> None:
        """Finish what is queued and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            job = self._queue.get()
            jobs: list[_Job] = []
            while True:
                if job is None:
                    closing = True
                    break
                jobs.append(job)
                if len(jobs) >= _AT_ONCE or self._queue.empty():
                    break
                job = self._queue.get()
            if jobs:
                self._commit(jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            try:
                results = self._tried_together(jobs, one_by_one=False)
            except (Refused, Conflict, BadValue, NotFound):
                # A fact of one of them is refused: each is to hear of its own alone.
                results = self._tried_together(jobs, one_by_one=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            # Nothing of it was committed: each is told so, what it had returned does not hold.
            for job in jobs:
                job.result.set_exception(error)
            return
        for job, value, failure in results:
            if failure is None:
                job.result.set_result(value)
            else:
                job.result.set_exception(failure)

    def _tried_together(
        self, jobs: list[_Job], *, one_by_one: bool
    ) -> list[tuple[_Job, Any, BaseException | None]]:
        with self._state.change(one_by_one=one_by_one) as change:
            return [_tried(job, change) for job in jobs]


def _tried(job: _Job, change: Change) -> tuple[_Job, Any, BaseException | None]:
    try:
        with change.step():
            return job, job.change(change), None
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked for the change
        return job, None, error
