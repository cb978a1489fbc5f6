"""What the door remembers of cars: what they showed and what they were answered, until it changes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from driveaway.updates.changes import EVERYONE
from driveaway.updates.model import Artifact
from driveaway.web.http.media import Media

_NEVER: Final = -1


class Variant:
    """One way to write a car's document: under which URL, in which media type."""

    __slots__ = ("base", "headers", "media")

    def __init__(self, base: str, media: Media) -> None:
        self.base = base
        self.media = media
        self.headers = (
            (b"content-type", media.value.encode()),
            (b"cache-control", b"private, no-cache"),
            (b"vary", b"accept"),
        )


class Car(msgspec.Struct, gc=False):
    """A car that has shown who it is.

    No cycle can go through it, so the collector of cycles is kept from walking over all cars.

    Attributes:
        proof: digest of what it showed.
        epoch: in which the room said what is remembered; what was said in an earlier one does not hold.
        due: its bucket for the rate limit (``limits.admitted``).
        variant, body, etag, valid_until: the last document of a poll, if ``variant`` is not None.
        files: artifacts that it may have, by module and name.
    """

    proof: bytes
    epoch: int
    due: float = 0.0
    variant: Variant | None = None
    body: bytes = b""
    etag: bytes = b""
    valid_until: int | None = None
    files: dict[tuple[int, str], tuple[Artifact, Path]] | None = None


class Ticket:
    """Something about a car is being asked of the room; ``holds`` until the car changes meanwhile."""

    __slots__ = ("controller_id", "holds")

    def __init__(self, controller_id: str) -> None:
        self.controller_id = controller_id
        self.holds = True


class Cars:
    """Cars by controller id, at most ``most``; only what the room said while it still held is kept.

    What is asked of the room before a change is heard of and answered after it may be older than the
    change. So whoever asks takes a ticket first, a change voids the tickets of its cars, and what comes with
    a void ticket is not kept. Used from the event loop alone.
    """

    def __init__(self, most: int = 2_000_000) -> None:
        self._most = most
        self._cars: dict[str, Car] = {}
        self._asked: dict[str, set[Ticket]] = {}
        self.epoch = 0
        self.get = self._cars.get

    def __len__(self) -> int:
        return len(self._cars)

    def ask(self, controller_id: str) -> Ticket:
        """Take a ticket; give it back with ``done``."""
        ticket = Ticket(controller_id)
        self._asked.setdefault(controller_id, set()).add(ticket)
        return ticket

    def done(self, ticket: Ticket) -> None:
        """Give a ticket back."""
        tickets = self._asked.get(ticket.controller_id)
        if tickets is not None:
            tickets.discard(ticket)
            if not tickets:
                del self._asked[ticket.controller_id]

    def keep_proof(self, ticket: Ticket, proof: bytes) -> Car:
        """The car has shown who it is; without a holding ticket it is not remembered."""
        car = self._cars.get(ticket.controller_id)
        if not ticket.holds:
            return car if car is not None and car.proof == proof else Car(proof, _NEVER)
        if car is None or car.proof != proof:
            due = 0.0 if car is None else car.due
            car = Car(proof, self.epoch)
            car.due = due
            self._cars[ticket.controller_id] = car
            if len(self._cars) > self._most:
                del self._cars[next(iter(self._cars))]
        elif car.epoch != self.epoch:
            _forget(car)
            car.epoch = self.epoch
        return car

    def keep_document(
        self, ticket: Ticket, variant: Variant, body: bytes, etag: bytes, valid_until: int | None
    ) -> bool:
        """Keep what a poll is answered with; whether it was kept."""
        car = self._cars.get(ticket.controller_id)
        if car is None or not ticket.holds or car.epoch != self.epoch:
            return False
        car.variant, car.body, car.etag, car.valid_until = variant, body, etag, valid_until
        return True

    def keep_file(self, ticket: Ticket, key: tuple[int, str], found: tuple[Artifact, Path]) -> None:
        """Keep that a car may have an artifact."""
        car = self._cars.get(ticket.controller_id)
        if car is not None and ticket.holds and car.epoch == self.epoch:
            if car.files is None:
                car.files = {}
            car.files[key] = found

    def changed(self, controller_ids: Iterable[str]) -> None:
        """Cars changed: nothing that was said of them holds any longer."""
        for controller_id in controller_ids:
            if controller_id == EVERYONE:
                self.all_changed()
                return
            for ticket in self._asked.get(controller_id, ()):
                ticket.holds = False
            car = self._cars.get(controller_id)
            if car is not None:
                car.epoch = _NEVER
                _forget(car)

    def all_changed(self) -> None:
        """Nothing that was said of any car holds any longer."""
        self.epoch += 1
        for tickets in self._asked.values():
            for ticket in tickets:
                ticket.holds = False


def _forget(car: Car) -> None:
    # What it showed is remembered: who showed the same before is not held back when it is asked about anew.
    car.variant, car.body, car.etag, car.files = None, b"", b"", None
