"""When cars were last seen: kept at hand and written in batches, never one write a poll."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from threading import Event, Lock, Thread
from typing import Final

import msgspec

from driveaway.book.state.state import Change
from driveaway.book.state.together import Together
from driveaway.updates.model import TargetStatus

SECONDS: Final = 10.0
MOST: Final = 2_000
_LISTED: Final = {
    "sqlite": "SELECT json_extract(value, '$[0]') AS controller_id, json_extract(value, '$[1]') AS at,"
    " json_extract(value, '$[2]') AS address FROM json_each(:seen)",
    "postgresql": "SELECT value ->> 0 AS controller_id, CAST(value ->> 1 AS bigint) AS at,"
    " value ->> 2 AS address FROM json_array_elements(CAST(:seen AS json))",
}


def note(change: Change, seen: Mapping[str, tuple[int, str]]) -> None:
    """Write when cars were last seen, and from where, by controller id.

    One statement for all: the store works through it while other threads of Python answer cars.
    """
    listed = msgspec.json.encode([(controller_id, *rest) for controller_id, rest in list(seen.items())])
    change.run(
        "UPDATE targets SET polled = seen.at, address = seen.address,"
        f" status = CASE WHEN status = '{TargetStatus.UNKNOWN}' THEN '{TargetStatus.REGISTERED}'"
        f" ELSE status END FROM ({_LISTED[change.dialect]}) AS seen"
        " WHERE targets.controller_id = seen.controller_id AND (polled IS NULL OR polled < seen.at)",
        seen=listed.decode(),
    )


class LastSeen:
    """A queue of last polls, written each 10 seconds or when it holds 10,000 cars."""

    def __init__(self, together: Together, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._together = together
        self._seconds = seconds
        self._most = most
        self._seen: dict[str, tuple[int, str]] = {}
        self._lock = Lock()
        self._closing = Event()
        self._thread = Thread(target=self._run, name="last-seen", daemon=True)
        self._thread.start()

    def add(self, controller_id: str, address: str, at: int) -> None:
        """Note that a car was seen; safe from any thread."""
        self._seen[controller_id] = (at, address)
        if len(self._seen) >= self._most:
            self.flush()

    def flush(self) -> Future[None] | None:
        """Hand what is noted to be written; None where there is nothing."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return None
        return self._together.submit(lambda change: note(change, seen))

    def close(self) -> None:
        """Write what is noted and stop."""
        self._closing.set()
        self._thread.join()
        last = self.flush()
        if last is not None:
            last.result()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            self.flush()
