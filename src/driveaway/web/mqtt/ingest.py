"""Messages into batches, batches landed, messages acknowledged: in this order and no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from queue import Empty
from threading import Event
from typing import Final, Protocol

from driveaway.fleet.doors.messages import Payload, batches_of, put_aside
from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.values.clock import now
from driveaway.values.errors import DriveawayError, Unavailable
from driveaway.web.mqtt.options import Subscription, car_of
from driveaway.web.mqtt.session import Message, Session

_log = logging.getLogger(__name__)
_LOOK_EVERY: Final = 0.2
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0


class Lands(Protocol):
    """What lands trips."""

    def land_all(self, batches: Sequence[Batch]) -> Sequence[Landed | DriveawayError]:
        """Land batches, each or why it is refused; returns once nothing of them can be lost."""
        ...


class Ingester:
    """Reads a session and lands what comes, until told to stop.

    A message is acknowledged once its rows are on disk and in the book, or in the quarantine. What cannot be
    landed now is tried again while the broker keeps the rest.

    Attributes:
        rows, quarantined: so far.
    """

    def __init__(
        self,
        session: Session,
        landing: Lands,
        subscription: Subscription,
        tolerance: int,
        *,
        simulated: bool = False,
        clock: Callable[[], int] = now,
    ) -> None:
        """``tolerance``: microseconds by which a car's clock may be ahead."""
        self._session = session
        self._landing = landing
        self._subscription = subscription
        self._tolerance = tolerance
        self._simulated = simulated
        self._clock = clock
        self.rows = 0
        self.quarantined = 0

    def run(self, stop: Event) -> None:
        """Go on until ``stop`` is set.

        Raises:
            Refused, Unavailable: the broker lets nobody subscribe so, or another reader took the session.
        """
        while not stop.is_set():
            messages = self._gathered(stop)
            if messages:
                self._take(messages, stop)
            if self._session.failure is not None:
                raise self._session.failure

    def _gathered(self, stop: Event) -> list[Message]:
        """Messages that land together: those that are there, and those that follow at once."""
        queue, terms = self._session.messages, self._subscription
        first = None
        while first is None:
            if stop.is_set() or self._session.failure is not None:
                return []
            try:
                first = queue.get(timeout=_LOOK_EVERY)
            except Empty:
                continue
        found, size = [first], len(first.payload)
        until = time.monotonic() + terms.flush_seconds
        while len(found) < terms.flush_messages and size < terms.flush_bytes:
            left = min(terms.idle_seconds, until - time.monotonic())
            try:
                message = queue.get_nowait() if left <= 0 else queue.get(timeout=left)
            except Empty:
                break
            if message is None:
                break
            found.append(message)
            size += len(message.payload)
        # What came by a connection that is gone comes again.
        return [message for message in found if self._session.holds(message)]

    def _take(self, messages: Sequence[Message], stop: Event) -> None:
        try:
            landed = self._landed(self._batches(messages), messages, stop)
        except Exception as error:  # noqa: BLE001 - one message must not hold up all others
            if len(messages) > 1:
                for message in messages:
                    self._take([message], stop)
                return
            _log.error("a message of %s cannot be taken in", messages[0].topic, exc_info=error)
            batch = put_aside(self._payload(messages[0]), f"{type(error).__name__}: {error}"[:300])
            landed = self._landed([batch], messages, stop)
        if landed:
            self._session.acknowledge(messages)

    def _landed(self, batches: Sequence[Batch], messages: Sequence[Message], stop: Event) -> bool:
        """Land them, however long it takes; False where it is of no use any more."""
        wait = _FIRST_WAIT
        while True:
            try:
                landed = self._landing.land_all(batches)
            except Unavailable as error:
                _log.warning("trips cannot be landed, and wait: %s", error)
                if stop.wait(wait) or not any(self._session.holds(each) for each in messages):
                    return False
                wait = min(2 * wait, _LONGEST_WAIT)
                continue
            for each in landed:
                if isinstance(each, DriveawayError):
                    raise each
                self.rows += each.rows
                self.quarantined += sum(each.quarantined.values())
            return True

    def _batches(self, messages: Sequence[Message]) -> list[Batch]:
        return batches_of(
            [self._payload(message) for message in messages],
            received=self._clock(),
            tolerance=self._tolerance,
            names=self._subscription.names,
            largest=self._subscription.largest,
            origin=self._subscription.topics[0],
            simulated=self._simulated,
        )

    def _payload(self, message: Message) -> Payload:
        return Payload(message.topic, message.payload, car_of(message.topic, self._subscription.topics))
