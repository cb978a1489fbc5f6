"""The door for staff tools as an ASGI application."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import parse_qsl

from driveaway.book.state.state import State
from driveaway.launch.accounts import Account, Accounts
from driveaway.updates.artifacts import ArtifactStore
from driveaway.values.errors import BadValue, DriveawayError, Unavailable
from driveaway.web.device.asking import Room
from driveaway.web.device.requests import segments
from driveaway.web.http.answers import Response, document
from driveaway.web.http.bodies import Body, Disconnected
from driveaway.web.http.clients import Client, TrustedProxies
from driveaway.web.http.files import send_file
from driveaway.web.http.limits import Rate, admitted
from driveaway.web.http.media import Media, negotiated
from driveaway.web.http.scope import Headers, Receive, Scope, Send
from driveaway.web.management import bodies, modules
from driveaway.web.management.calls import Call, Desk, Said
from driveaway.web.management.errors import failure, known
from driveaway.web.management.guard import Guard, check_origin
from driveaway.web.management.options import ManagementOptions
from driveaway.web.management.routes import find
from driveaway.web.management.routing import Route
from driveaway.web.management.uploads import receive_file

_log = logging.getLogger(__name__)
_LOGGED: Final = Rate(20, 200)
_OFFERED: Final = (Media.HAL, Media.JSON)
_FIELDS: Final = 50
_NO_STORE: Final = (b"cache-control", b"no-store")


def create_app(
    state: State,
    artifacts: ArtifactStore,
    accounts: Accounts,
    options: ManagementOptions | None = None,
    *,
    clock: Callable[[], int] | None = None,
    simulated: bool = False,
) -> ManagementDoor:
    """The door before one room.

    Args:
        state: the operational tables; facts must be appendable for rollouts to be started.
        artifacts: where contents of files are.
        accounts: who may ask.
        options: how requests are answered.
        clock: now, microseconds UTC; the machine's where left out.
        simulated: what is done belongs to a simulation.
    """
    desk = Desk(state, artifacts, simulated=simulated)
    if clock is not None:
        desk = Desk(state, artifacts, clock, simulated=simulated)
    return ManagementDoor(desk, accounts, options or ManagementOptions())


class ManagementDoor:
    """Answers staff tools; ``close`` is called when the server has stopped."""

    def __init__(
        self,
        desk: Desk,
        accounts: Accounts,
        options: ManagementOptions,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._desk = desk
        self._options = options
        self._limits = options.limits
        self._close = close
        self._proxies = TrustedProxies(options.trusted_proxies)
        self._guard = Guard(accounts, options.limits)
        self._room = Room(options.threads, options.limits.waiting)
        self._files = ThreadPoolExecutor(options.limits.uploads, "upload")
        self._uploading = 0
        self._logged, self._unlogged = 0.0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI 3.0 application."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response | None = None
        headers = Headers(scope["headers"])
        body = Body(receive, headers)
        try:
            response = await self._handled(scope, receive, body, send, headers)
        except Disconnected:
            return
        except DriveawayError as error:
            response = self._failed(scope, error)
        except Exception as error:  # noqa: BLE001 - a defect must be answered and told, not end the server
            _log.error("defect: %s %r", scope["method"], scope["path"][:300], exc_info=error)
            response = failure(DriveawayError("", code="web.defect"))
        if response is not None:
            if not body.ended:
                # The body was not read: what follows on this connection could not be told from it.
                response = response._replace(headers=(*response.headers, (b"connection", b"close")))
            await response.send(scope["method"], send)

    async def _handled(
        self, scope: Scope, receive: Receive, body: Body, send: Send, headers: Headers
    ) -> Response | None:
        parts = segments(scope["raw_path"])
        if parts in (("health",), ("health", "live"), ("health", "ready")):
            return document({"live": True, "ready": True}, Media.JSON, headers=(_NO_STORE,))
        client = self._proxies.client(scope, headers, self._options.public)
        account = await self._guard.account(headers, client.address)
        route, names = find(scope["method"], parts)
        if route.method != "GET":
            check_origin(headers, client.base)
        account.require(route.permission)
        media = negotiated(headers.get(b"accept"), _OFFERED) if route.streamed != "download" else Media.JSON
        call = self._call(scope, client, account, names, await self._read(route, body, headers))
        if route.streamed == "upload":
            said = await self._upload(call, receive, headers)
            body.ended = True
        elif route.streamed == "download":
            await send_file(scope, headers, send, await self._room.ask(modules.served, call))
            return None
        else:
            said = await self._room.ask(route.handler, call)
        return _response(said, media)

    async def _read(self, route: Route, body: Body, headers: Headers) -> Any:
        if route.streamed == "upload":
            return None
        raw = await body.read(self._limits.body, self._limits.body_seconds)
        if route.body is None:
            return None
        if not raw.strip() and route.optional:
            return route.body()
        return bodies.read(raw, headers.get(b"content-type"), route.body)

    def _call(
        self, scope: Scope, client: Client, account: Account, names: dict[str, str], content: Any
    ) -> Call:
        query = _query(scope["query_string"])
        return Call(self._desk, account, client.base, names, query, content, self._desk.clock())

    async def _upload(self, call: Call, receive: Receive, headers: Headers) -> Said:
        await self._room.ask(modules.check_open, call)
        if self._uploading >= self._limits.uploads:
            raise Unavailable("too many files at once", code="web.busy", remedy="try again")
        self._uploading += 1
        try:
            query = dict(call.query)
            received = await receive_file(
                self._desk.artifacts, self._desk.largest, headers, receive, query, self._files
            )
        finally:
            self._uploading -= 1
        return await self._room.ask(modules.add_artifact, call, received.filename, received.stored)

    def _failed(self, scope: Scope, error: DriveawayError) -> Response:
        status, _ = known(error)
        # No header, no query and no words of the error, which may quote what was sent: secrets are there.
        peer = scope.get("client") or ("",)
        told = (
            f"status={status} code={error.code} method={scope['method']} path={scope['path'][:300]!r}"
            f" peer={peer[0]}"
        )
        if status >= 500:
            _log.error("failed: %s message=%r", told, error.message, exc_info=error.__cause__)
        else:
            self._logged, wait = admitted(self._logged, time.monotonic(), _LOGGED)
            if wait:
                self._unlogged += 1
            else:
                _log.warning("refused: %s unlogged=%d", told, self._unlogged)
                self._unlogged = 0
        return failure(error)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def close(self) -> None:
        """Let the threads end, and what was opened for the door."""
        self._guard.close()
        self._room.close()
        self._files.shutdown(wait=True)
        if self._close is not None:
            self._close()


def _query(raw: bytes) -> dict[str, str]:
    """Names and values of a query; of a name that stands twice the last value.

    Raises:
        BadValue: too long, or not UTF-8.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"
        )
    except (ValueError, UnicodeError) as error:
        raise BadValue(
            "the query cannot be read", code="management.query", remedy="encode it as UTF-8"
        ) from error
    if any("\x00" in value for _, value in pairs):
        raise BadValue("the query has control characters", code="management.query", remedy="leave them out")
    return dict(pairs)


def _response(said: Said, media: Media) -> Response:
    if said.content is None:
        return Response(said.status, (*said.headers, _NO_STORE))
    return document(said.content, media, said.status, (*said.headers, _NO_STORE))
