"""The door as an ASGI application. A poll whose answer is remembered takes the short way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, Final

from driveaway.updates.ddi.links import Links
from driveaway.values.errors import DriveawayError, NotFound
from driveaway.web.device.asking import Changes, Room
from driveaway.web.device.cars import Cars
from driveaway.web.device.credentials import Credentials
from driveaway.web.device.ddi import Resources
from driveaway.web.device.desk import Desk, Reports
from driveaway.web.device.guard import Guard
from driveaway.web.device.options import DoorOptions
from driveaway.web.device.reports import ReportResources
from driveaway.web.device.repository import asks_for_root, find
from driveaway.web.device.requests import Request, controller_id, segments
from driveaway.web.device.routes import methods
from driveaway.web.device.variants import Variants
from driveaway.web.http.answers import Response, document, failure
from driveaway.web.http.bodies import Body, Disconnected
from driveaway.web.http.clients import TrustedProxies
from driveaway.web.http.errors import HttpError, status_of
from driveaway.web.http.files import send_file
from driveaway.web.http.limits import Rate, admitted
from driveaway.web.http.media import Media
from driveaway.web.http.protocol import TLS
from driveaway.web.http.scope import Headers, Receive, Scope, Send

_log = logging.getLogger(__name__)
_LOGGED: Final = Rate(20, 200)
"""Lines about failed requests: a flood of them says no more than these do."""


class DeviceDoor:
    """Answers cars.

    ``desk`` is the room and ``reports`` takes in what cars report; ``close`` is called when the server has
    stopped.
    """

    def __init__(
        self,
        desk: Desk,
        options: DoorOptions,
        close: Callable[[], None] | None = None,
        reports: Reports | None = None,
    ) -> None:
        self._close = close
        limits = options.limits
        self._desk = desk
        self._seen = desk.seen
        self._options = options
        self._rate = limits.car
        self._proxies = TrustedProxies(options.trusted_proxies)
        self._credentials = Credentials(options)
        self._cars = Cars()
        self._variants = Variants(options.public)
        self._room = Room(options.threads, limits.waiting)
        self._changes = Changes(desk, self._cars, options.changes_every, options.stale_after)
        self._guard = Guard(desk, self._room, self._cars, self._credentials, limits)
        self._resources = Resources(desk, self._room, self._cars, limits)
        self._reports = None if reports is None else ReportResources(reports, self._room, self._guard, limits)
        self._prefix = f"/{options.tenant}/controller/v1/".encode()
        self._logged, self._unlogged = 0.0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI 3.0 application."""
        if scope["type"] == "http":
            if scope["method"] == "GET" and scope["raw_path"].startswith(self._prefix):
                start = self._remembered(scope)
                if start is not None:
                    await send(start[0])
                    await send(start[1])
                    return
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    # --- the short way ---

    def _remembered(self, scope: Scope) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The answer to a poll, if nothing has changed since the last; None: the long way decides.

        Whatever is unusual is left to the long way, so that this one needs to know little.
        """
        name = scope["raw_path"][len(self._prefix) :]
        car = self._cars.get(name.decode("latin-1"))
        if car is None or car.variant is None or car.epoch != self._cars.epoch or not self._changes.fresh:
            return None
        raw = scope["headers"]
        headers: dict[bytes, bytes] = dict(raw)
        if len(headers) != len(raw) or b"if-match" in headers or b"if-none-match" in headers:
            return None
        now = time.time_ns() // 1000
        if car.valid_until is not None and now >= car.valid_until:
            return None
        if self._proxies or TLS in (scope.get("extensions") or ()):
            full = Headers(raw)
            try:
                client = self._proxies.client(scope, full, self._options.public)
                proof, _ = self._credentials.shown(scope, full, client.through_proxy)
            except DriveawayError:
                return None
            address, variant = client.address, self._variants.of(client.base, headers.get(b"accept"))
        else:
            proof = self._credentials.proof(headers.get(b"authorization", b""))
            peer = scope["client"]
            address = peer[0] if peer else ""
            variant = self._variants.direct(scope["scheme"], headers.get(b"host"), headers.get(b"accept"))
        if variant is not car.variant or not compare_digest(proof, car.proof):
            return None
        due, wait = admitted(car.due, time.monotonic(), self._rate)
        if wait:
            return None
        car.due = due
        self._seen(name.decode("latin-1"), address, now)
        body = car.body
        return (
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*variant.headers, (b"etag", car.etag), (b"content-length", b"%d" % len(body))],
            },
            {"type": "http.response.body", "body": body},
        )

    # --- the long way ---

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response | None = None
        method = scope["method"]
        headers = Headers(scope["headers"])
        body = Body(receive, headers)
        try:
            response = await self._handled(scope, body, send, headers)
        except Disconnected:
            return
        except DriveawayError as error:
            response = self._failed(scope, error, headers)
        except Exception as error:  # noqa: BLE001 - a defect must be answered and told, not end the server
            _log.error("defect: %s %r", method, scope["path"][:300], exc_info=error)
            response = failure(DriveawayError("", code="http.defect"), _media(headers))
        if response is not None:
            if not body.ended:
                # The body was not read: what follows on this connection could not be told from it.
                response = response._replace(headers=(*response.headers, (b"connection", b"close")))
            await response.send(method, send)

    async def _handled(self, scope: Scope, body: Body, send: Send, headers: Headers) -> Response | None:
        parts = segments(scope["raw_path"])
        if parts and parts[0] == "health" and len(parts) <= 2:
            return self._health(parts[1:])
        if len(parts) < 2 or parts[0] != self._options.tenant:
            raise _nowhere()
        client = self._proxies.client(scope, headers, self._options.public)
        request = Request(scope, body, send, headers, client)
        if parts[1] == "tuf" and self._options.tuf is not None:
            return await self._tuf(request, parts[2:])
        if parts[1:3] == ("fleet", "v1") and self._reports is not None:
            return await self._reports.answer(request, parts[3:])
        if parts[1:3] != ("controller", "v1") or len(parts) < 4:
            raise _nowhere()
        return await self._ddi(request, parts[3], parts[4:])

    async def _ddi(self, request: Request, car: str, parts: tuple[str, ...]) -> Response | None:
        found = methods(parts)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in found:
            allowed = ", ".join(["GET, HEAD" if name == "GET" else name for name in found])
            raise HttpError(
                "the resource has no such method",
                code="http.method",
                remedy=f"use {allowed}",
                headers=((b"allow", allowed.encode()),),
            )
        request.controller_id, request.parts = controller_id(car), parts
        request.links = Links(request.client.base, self._options.tenant, car)
        download = found[method].download
        await self._guard.admit(request, download=download)
        self._guard.count(request, download=download)
        if not parts:
            request.variant = self._variants.of(request.client.base, request.headers.get(b"accept"))
        return await found[method].handler(self._resources, request)

    async def _tuf(self, request: Request, parts: tuple[str, ...]) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            raise HttpError("files are only read", code="http.method", headers=((b"allow", b"GET, HEAD"),))
        if len(parts) < 2 or self._options.tuf is None:
            raise _nowhere()
        served = find(self._options.tuf, parts)
        await send_file(request.scope, request.headers, request.send, served)
        return None

    def _health(self, parts: tuple[str, ...]) -> Response:
        """``/health`` and ``/health/ready``: may cars be sent here; ``/health/live``: does it run at all."""
        if parts not in ((), ("live",), ("ready",)):
            raise _nowhere()
        ready = self._changes.fresh
        status = 200 if ready or parts == ("live",) else 503
        said = {"live": True, "ready": ready}
        return document(said, Media.JSON, status, ((b"cache-control", b"no-store"),))

    def _failed(self, scope: Scope, error: DriveawayError, headers: Headers) -> Response:
        status = status_of(error)
        if status >= 500:
            _log.error("failed: %s", _told(scope, status, error), exc_info=error.__cause__)
        elif error.code != "tuf.unknown" or not asks_for_root(scope["path"]):
            self._logged, wait = admitted(self._logged, time.monotonic(), _LOGGED)
            if wait:
                self._unlogged += 1
            else:
                _log.warning("refused: %s unlogged=%d", _told(scope, status, error), self._unlogged)
                self._unlogged = 0
        return failure(error, _media(headers))

    # --- life ---

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._changes.start()
                except DriveawayError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._changes.stop()
                self._room.close()
                if self._close is not None:
                    self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _told(scope: Scope, status: int, error: DriveawayError) -> str:
    """A failed request in one line: no header and no query, which may hold secrets."""
    peer = scope.get("client") or ("",)
    return (
        f"status={status} code={error.code} method={scope['method']} path={scope['path'][:300]!r}"
        f" peer={peer[0]} message={error.message!r}"
    )


def _media(headers: Headers) -> Media:
    return Media.CBOR if Media.CBOR in (headers.get(b"accept") or "") else Media.JSON


def _nowhere() -> NotFound:
    return NotFound(
        "there is nothing at this path", code="http.unknown_path", remedy="see the DDI's reference"
    )
