"""Who may pass: credentials are asked about once and remembered; who fails often is slowed down."""

from __future__ import annotations

import time
from hmac import compare_digest
from math import ceil

from driveaway.updates.ddi.credentials import NOTHING, Credential
from driveaway.web.device.asking import Room
from driveaway.web.device.cars import Car, Cars
from driveaway.web.device.credentials import Credentials
from driveaway.web.device.desk import Desk
from driveaway.web.device.options import Limits
from driveaway.web.device.requests import Request
from driveaway.web.http.clients import subscriber
from driveaway.web.http.errors import HttpError
from driveaway.web.http.limits import Buckets, admitted


def too_many(wait: float) -> HttpError:
    """Asked too often; in ``wait`` seconds it may be asked again."""
    return HttpError(
        "too many requests",
        code="http.too_many",
        remedy="slow down",
        headers=((b"retry-after", b"%d" % max(1, ceil(wait))),),
    )


class Guard:
    """Authentication and rate limits.

    A car that has shown who it is has a bucket of its own, so cars behind one carrier's address do not slow
    each other down. An address has one for its failures; when that is empty, cars that this process knows
    still pass, and others are looked up at a limited rate.
    """

    def __init__(self, desk: Desk, room: Room, cars: Cars, credentials: Credentials, limits: Limits) -> None:
        self._desk = desk
        self._room = room
        self._cars = cars
        self._credentials = credentials
        self._limits = limits
        self._failures = Buckets(limits.failures)
        self._checks = Buckets(limits.checks)
        self._downloads = Buckets(limits.downloads)
        self._gateways = Buckets(limits.gateway)

    async def admit(self, request: Request, *, download: bool) -> None:
        """Let the request pass, with its car filled in; a ``download`` perhaps without one.

        Raises:
            HttpError: nothing valid was shown (401), or too often (429).
        """
        cars = self._cars
        proof, shown = self._credentials.shown(request.scope, request.headers, request.client.through_proxy)
        car = cars.get(request.controller_id)
        known = car is not None and compare_digest(car.proof, proof)
        if car is None or not known or car.epoch != cars.epoch:
            if not known:
                self._slow_down(subscriber(request.client.address))
            car = await self._asked(request, proof, shown, download=download)
        request.car = car

    async def _asked(
        self, request: Request, proof: bytes, shown: list[Credential], *, download: bool
    ) -> Car | None:
        ticket = self._cars.ask(request.controller_id)
        try:
            for credential in shown:
                if await self._room.read(self._desk.authenticate, request.controller_id, credential):
                    return self._cars.keep_proof(ticket, proof)
            if download and await self._room.read(self._anonymous, request.controller_id):
                return None
        finally:
            self._cars.done(ticket)
        wait = self._failures.take(subscriber(request.client.address), time.monotonic())
        raise too_many(wait) if wait else self._credentials.challenge()

    def _anonymous(self, controller_id: str) -> bool:
        return self._desk.authenticate(controller_id, NOTHING, download=True)

    def _slow_down(self, address: str) -> None:
        now = time.monotonic()
        if self._failures.empty(address, now):
            wait = self._checks.take(address, now)
            if wait:
                raise too_many(wait)

    def count(self, request: Request, *, download: bool) -> None:
        """One more request of a car, or of a gateway, which names no car.

        Raises:
            HttpError: too many (429).
        """
        now = time.monotonic()
        if request.car is None or download:
            key = (
                request.controller_id if request.car is not None else f"@{subscriber(request.client.address)}"
            )
            wait = self._downloads.take(key, now)
        elif not request.controller_id:
            wait = self._gateways.take(subscriber(request.client.address), now)
        else:
            request.car.due, wait = admitted(request.car.due, now, self._limits.car)
        if wait:
            raise too_many(wait)
