"""The worker's couriers: one thread for each webhook, so that a slow receiver holds up nobody but itself.

Each sends what its hook asks for in the order of recording, one message at a time, and goes on with the next
only once it was taken. What was taken is noted within a second; whoever is stopped before that sends it
again, under the same id. Failures are tried again after growing, random pauses (M. Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog 2015: half of each pause is random).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from driveaway.book.opening import open_store
from driveaway.book.reading import fact_of
from driveaway.book.state.state import Change, Reading, State
from driveaway.launch.exports.events import encoded_event
from driveaway.launch.exports.selecting import Chosen, with_sources
from driveaway.launch.hooks import keeping
from driveaway.launch.hooks.keeping import Hook
from driveaway.updates.leases import Lease
from driveaway.values.clock import DAY, HOUR, SECOND, now
from driveaway.values.errors import DriveawayError, NotFound, Unavailable

if TYPE_CHECKING:
    from driveaway.launch.hooks.sending import Patience, Reply, Sender

GIVE_UP_AFTER: Final = 3 * DAY
LEAST_ATTEMPTS: Final = 10
"""A hook is given up when it took nothing for so long, in at least so many tries."""
_FIRST_PAUSE: Final = 5 * SECOND
_LONGEST_PAUSE: Final = HOUR
_LONGEST_WAIT: Final = DAY
_LOOK_EVERY: Final = 1.0
_NOTE_EVERY: Final = 1.0
_NOTE_SKIPPED_EVERY: Final = 60.0
"""Seconds after which facts of other kinds, which need no sending, are noted as passed."""
_AT_ONCE: Final = 200
_ENDS_WITHIN: Final = 25.0
_log = logging.getLogger(__name__)


def pause(attempts: int, chance: float) -> int:
    """Microseconds from a failure to the next try.

    Args:
        attempts: how often it failed, 1 at first.
        chance: from 0 to 1, random.
    """
    whole = min((_FIRST_PAUSE << min(attempts - 1, 20)), _LONGEST_PAUSE)
    return round(whole * (1 + chance) / 2)


class _Outbox:
    """The book as couriers see it: over a connection of its own, which one of them uses at a time."""

    def __init__(self, url: str) -> None:
        self._store = open_store(url)
        self._state = State(self._store)
        self._lock = threading.Lock()

    def hook(self, number: int) -> Hook | None:
        with self._lock:
            try:
                return keeping.find(self._state, number)
            except NotFound:
                return None

    def after(self, cursor: int, kinds: tuple[str, ...]) -> tuple[list[Chosen], int, bool]:
        """Facts of these kinds among the next ones; seq of the last one looked at; whether there are more."""
        with self._lock:
            rows = self._store.rows(cursor, self._store.edge().size, _AT_ONCE)
            facts = [fact_of(row) for row in rows if row.kind in kinds]
            chosen = list(with_sources(self._store, facts, history=True))
        return chosen, rows[-1].seq if rows else cursor, len(rows) == _AT_ONCE

    @contextmanager
    def change(self) -> Iterator[Change]:
        with self._lock, self._state.change() as change:
            yield change

    def close(self) -> None:
        self._store.close()


class _Courier(threading.Thread):
    """Serves one hook until it is removed or given up, another process leads, or the worker stops."""

    def __init__(
        self, number: int, outbox: _Outbox, lease: Lease, clock: Callable[[], int], patience: Patience | None
    ) -> None:
        super().__init__(name=f"webhook-{number}", daemon=True)
        self._number = number
        self._outbox, self._lease, self._clock, self._patience = outbox, lease, clock, patience
        self.stopping = threading.Event()
        self._hook: Hook | None = None
        self._sender: Sender | None = None
        self._cursor = self._noted = self._delivered = 0
        self._noted_at = 0.0
        self._said = ""

    def run(self) -> None:
        wait: float | None = 0.0
        while wait is not None and not self.stopping.wait(wait):
            wait = self._tried(self._turn)
        if self._hook is not None and self._lease.held:
            self._tried(self._note)
        if self._sender is not None:
            self._sender.close()

    def _tried(self, work: Callable[[], float | None]) -> float | None:
        """Do it; an error is logged once, until it ends or becomes another, and what is known read anew."""
        try:
            done = work()
        except DriveawayError as error:
            self._fails(str(error), None)
        except Exception as error:  # noqa: BLE001 - a defect must not end the courier without a word
            self._fails(repr(error), error)
        else:
            self._said = ""
            return done
        self._hook = None
        return _LOOK_EVERY

    def _fails(self, said: str, defect: BaseException | None) -> None:
        if said != self._said:
            self._said = said
            _log.error("%s: %s", self.name, said, exc_info=defect)

    def _turn(self) -> float | None:
        """Send what there is; seconds until it looks again, None: the hook is not served any more."""
        if not self._lease.held:
            self._hook = None
            return _LOOK_EVERY
        hook = self._outbox.hook(self._number)
        if hook is None or not hook.enabled:
            self._hook = None
            return None
        if self._hook is None or hook.revision != self._hook.revision:
            self._cursor = self._noted = hook.cursor
            self._delivered, self._noted_at = 0, time.monotonic()
        self._hook = hook
        # A clock that was set back must not stop it for long.
        if hook.next_try is not None and 0 < hook.next_try - self._clock() <= _LONGEST_WAIT:
            return _LOOK_EVERY
        chosen, last, more = self._outbox.after(self._cursor, hook.kinds)
        for each in chosen:
            if self.stopping.is_set() or not self._lease.held:
                return 0.0
            reply = self._send(hook, each)
            if not reply.taken:
                return self._failed(hook, reply)
            self._cursor, self._delivered = each.fact.seq, self._delivered + 1
            noted = time.monotonic() - self._noted_at < _NOTE_EVERY and not hook.attempts
            if not noted:
                self._note()
                return 0.0
        self._cursor = last
        if more:
            return 0.0
        if self._delivered or time.monotonic() - self._noted_at > _NOTE_SKIPPED_EVERY:
            self._note()
        return _LOOK_EVERY

    def _send(self, hook: Hook, chosen: Chosen) -> Reply:
        if self._sender is None:
            from driveaway.launch.hooks.sending import Sender

            self._sender = Sender(hook.url, self._patience)
        body = encoded_event(chosen, personal=False)
        return self._sender.send(hook, chosen.fact.source, body, self._clock())

    def _note(self) -> None:
        """Note what was taken; where somebody changed the hook meanwhile, it is read anew."""
        hook = self._hook
        if hook is None or self._cursor == self._noted:
            return
        with self._outbox.change() as change:
            self._lease.fence(change)
            stands = keeping.note_taken(change, hook, self._cursor, self._delivered, self._clock())
        if hook.attempts and self._delivered:
            _log.info("webhook %s: works again", hook.name)
        self._noted, self._delivered, self._noted_at = self._cursor, 0, time.monotonic()
        if not stands:
            self._hook = None

    def _failed(self, hook: Hook, reply: Reply) -> float:
        if self._delivered:
            # What was taken before is noted first: from then on this failure is the first one.
            self._note()
            return 0.0 if self._hook is None else self._failed_again(hook, reply, 0, None)
        return self._failed_again(hook, reply, hook.attempts, hook.failing_since)

    def _failed_again(self, hook: Hook, reply: Reply, before: int, since: int | None) -> float:
        at, attempts = self._clock(), before + 1
        lasted = at - (at if since is None else since)
        given_up = ""
        if reply.gone:
            given_up = "its receiver wants no more of it (status 410)"
        elif lasted >= GIVE_UP_AFTER and attempts >= LEAST_ATTEMPTS:
            given_up = f"nothing was taken in {attempts} tries over {lasted // HOUR} hours: {reply.said}"
        next_try = at + max(pause(attempts, random.random()), reply.wait)
        with self._outbox.change() as change:
            self._lease.fence(change)
            keeping.note_failed(change, hook, at, next_try, reply.said, given_up)
        if given_up:
            _log.error("webhook %s is given up: %s", hook.name, given_up)
        elif attempts == 1:
            _log.warning("webhook %s: not taken, it is tried again: %s", hook.name, reply.said)
        return _LOOK_EVERY


class Couriers:
    """All couriers of one worker.

    Attributes of the constructor: the store's URL, the worker's lease, its clock, and how long receivers
    may take.
    """

    def __init__(
        self, url: str, lease: Lease, clock: Callable[[], int] = now, patience: Patience | None = None
    ) -> None:
        self._url, self._lease, self._clock, self._patience = url, lease, clock, patience
        self._outbox: _Outbox | None = None
        self._couriers: dict[int, _Courier] = {}

    def tend(self, reading: Reading) -> None:
        """See that every hook that is not given up has its courier; none waits for a receiver.

        Raises:
            Unavailable: there are hooks, and what sends them is not installed.
        """
        wanted = [hook.id for hook in keeping.all_hooks(reading) if hook.enabled]
        if not wanted and not self._couriers:
            return
        self._couriers = {key: each for key, each in self._couriers.items() if each.is_alive()}
        for number in wanted:
            if number not in self._couriers:
                self._begin(number)

    def _begin(self, number: int) -> None:
        try:
            import urllib3  # noqa: F401
        except ImportError as error:
            raise Unavailable(
                "webhooks need an HTTP client",
                code="webhook.client",
                remedy="pip install 'driveaway[updates]'",
            ) from error
        if self._outbox is None:
            self._outbox = _Outbox(self._url)
        courier = _Courier(number, self._outbox, self._lease, self._clock, self._patience)
        self._couriers[number] = courier
        courier.start()

    def close(self) -> None:
        """Stop: what is under way ends within a receiver's time, and what was taken is noted."""
        for courier in self._couriers.values():
            courier.stopping.set()
        until = time.monotonic() + _ENDS_WITHIN
        for courier in self._couriers.values():
            courier.join(max(0.0, until - time.monotonic()))
        ended = not any(courier.is_alive() for courier in self._couriers.values())
        self._couriers.clear()
        if ended and self._outbox is not None:
            self._outbox.close()
            self._outbox = None
