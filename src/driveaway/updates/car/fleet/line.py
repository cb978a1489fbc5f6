"""One connection to the server that many simulated cars share, one request at a time."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, NamedTuple, cast
from urllib.parse import urlsplit

from driveaway.values.errors import BadValue

SECONDS: Final = 60.0
"""So long an answer may take."""
_LENGTH: Final = b"content-length:"
_NO_BODY: Final = frozenset({204, 304})


class Reply(NamedTuple):
    """What the server answered."""

    status: int
    body: bytes


class Place(NamedTuple):
    """Where a server listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    name: str


def place_of(url: str, certificates: str | None = None) -> Place:
    """Where a URL leads. ``certificates`` is a file of those that are trusted.

    Raises:
        BadValue: it is none of a server.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        parts, port = urlsplit(""), 0
    if not parts.hostname:
        raise BadValue(
            f"{url!r} is no server's URL", code="car.server", remedy="such as http://127.0.0.1:8080"
        )
    tls = ssl.create_default_context(cafile=certificates) if parts.scheme == "https" else None
    return Place(parts.hostname, port, tls, parts.netloc)


class Line(asyncio.Protocol):
    """HTTP/1.1 as far as this server speaks it: every answer says its length."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._received = b""
        self._head = False
        self._late: asyncio.TimerHandle | None = None

    async def ask(self, method: str, path: str, credential: str, body: bytes = b"", more: str = "") -> Reply:
        """Ask, and wait for the answer.

        Args:
            method: of the request.
            path: of the request.
            credential: value of the Authorization header.
            body: JSON.
            more: further header lines, each ended.

        Raises:
            ConnectionError: the line is broken or stays silent; whether the server heard of it is not known.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(
                lambda: self, self._place.host, self._place.port, ssl=self._place.tls
            )
        self._reply = loop.create_future()
        self._received, self._head = b"", method == "HEAD"
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._place.name}\r\n"
            f"Authorization: {credential}\r\n{length}{more}\r\n"
        )
        cast(asyncio.Transport, self._transport).write(head.encode() + body)
        self._late = loop.call_later(SECONDS, self._broken, "no answer")
        try:
            return await self._reply
        finally:
            self._late.cancel()
            self._reply = None

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is broken."""
        self._transport = None
        self._broken("the line broke")

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._received = data if not self._received else self._received + data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._reply is None or self._reply.done():
            return
        head = self._received[:end].lower()
        status = int(head[9:12])
        length = 0
        if not self._head and status not in _NO_BODY:
            place = head.find(_LENGTH)
            if place < 0:
                self._broken("an answer without its length")
                return
            length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._received) < end + 4 + length:
            return
        if b"connection: close" in head:
            cast(asyncio.Transport, self._transport).close()
        self._reply.set_result(Reply(status, self._received[end + 4 :]))

    def _broken(self, why: str) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionError(why))
        self.close()
