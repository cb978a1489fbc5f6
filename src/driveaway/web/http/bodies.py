"""Bodies of requests: bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from driveaway.web.http.errors import HttpError, too_large
from driveaway.web.http.scope import Headers, Receive


class Disconnected(Exception):
    """Who asked is gone; nobody waits for an answer."""


class Body:
    """The body of a request, not read yet.

    Attributes:
        ended: nothing of it can be still to come on the connection.
    """

    __slots__ = ("_headers", "_receive", "ended")

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        self._headers = headers
        length = headers.get(b"content-length") or "0"
        self.ended = length == "0" and headers.get(b"transfer-encoding") is None

    async def read(self, limit: int, timeout: float, hold: Callable[[int], None] | None = None) -> bytes:
        """The whole body.

        A body that says itself that it is too large is not read at all, so who asked for ``100-continue``
        need not send it. ``hold`` is told the size of each part that comes, and may refuse it.

        Raises:
            HttpError: larger than ``limit`` bytes (413), or not there within ``timeout`` seconds (408).
            Disconnected: the connection ended before the body did.
        """
        said = self._headers.get(b"content-length")
        if said is not None and said.isdecimal() and int(said) > limit:
            raise too_large(limit)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(timeout):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Disconnected
                    part = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise too_large(limit)
                    if hold is not None and part:
                        hold(len(part))
                    parts.append(part)
                    if not message.get("more_body", False):
                        self.ended = True
                        return b"".join(parts)
        except TimeoutError as error:
            raise HttpError("the body did not arrive in time", code="http.timeout") from error
