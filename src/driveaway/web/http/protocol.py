"""The server's side of a connection: what uvicorn's does, with limits, sendfile and client certificates.

Rests on attributes of uvicorn's protocol class that are not documented: its version is pinned to one minor
release, and the conformance tests run over it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from driveaway.values.errors import Unavailable
from driveaway.web.http.bodies import Disconnected
from driveaway.web.http.files import ABORT, SENDFILE, read_cached
from driveaway.web.http.scope import Send

TLS: Final = "tls"
"""The extension with the client's certificate: DER, where the handshake verified one."""
HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers."""
HEAD_SECONDS: Final = 20.0
"""Within which a request's head must be there."""
STALLED_SECONDS: Final = 60.0
"""Within which a reader must take at least one byte."""
_AT_ONCE: Final = 1 << 20
"""Bytes for one call of sendfile."""


class DoorProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = False
        self._head_size = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._extensions: dict[str, Any] = {ABORT: self.abort}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: what its transport can do is the same for all its requests."""
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        if secured is None:
            self._extensions[SENDFILE] = self.sendfile
        else:
            certificate = secured.getpeercert(binary_form=True)
            if certificate is not None:
                self._extensions[TLS] = {"client_cert": certificate}
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        super().data_received(data)
        # A head that arrived as a whole, as nearly all do, costs nothing here.
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > HEAD_LIMIT:
                self._refuse(b"431 Request Header Fields Too Large")
            elif self._head_timer is None:
                self._await_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._in_head, self._head_size = True, 0

    def on_headers_complete(self) -> None:
        """A request's head is there."""
        self._in_head = False
        if self._head_timer is not None:
            self._stop_waiting()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse, b"408 Request Timeout")

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: bytes) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()

    def abort(self) -> None:
        """Drop the connection and what was not sent yet."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.abort()

    async def sendfile(self, send: Send, descriptor: int, offset: int, count: int) -> None:
        """Send bytes of a file from the page cache to the socket, without copying them through Python.

        ``send`` is the one that the application was called with.

        Raises:
            Disconnected: the client is gone, or has taken nothing for a minute.
            Unavailable: the file ended early.
        """
        cycle = send.__self__  # type: ignore[attr-defined]
        if cycle.disconnected:
            raise Disconnected
        await self._drained(cycle)
        cycle.expected_content_length -= count
        # A descriptor of its own: the loop does not let others watch the transport's.
        out = os.dup(self.transport.get_extra_info("socket").fileno())
        try:
            while count:
                at_once = min(count, _AT_ONCE)
                if read_cached(descriptor, 1, offset + at_once - 1) is None:
                    # The disk is asked in a thread: others are waiting for the loop.
                    await self.loop.run_in_executor(None, os.pread, descriptor, at_once, offset)
                try:
                    sent = os.sendfile(out, descriptor, offset, at_once)
                except BlockingIOError:
                    await self._writable(out)
                    continue
                except OSError as error:
                    raise Disconnected from error
                if sent == 0:
                    self.abort()
                    raise Unavailable("the file became shorter while it was sent", code="web.file")
                offset, count = offset + sent, count - sent
                # The others get their turn, however fast this one reads.
                await asyncio.sleep(0)
                if cycle.disconnected:
                    raise Disconnected
        finally:
            os.close(out)

    async def _drained(self, cycle: Any) -> None:
        """Wait until what was written before is with the kernel."""
        if self.transport.get_write_buffer_size() == 0:
            return
        self.transport.set_write_buffer_limits(high=0)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                while self.transport.get_write_buffer_size():
                    await asyncio.sleep(0)
                    await self.flow.drain()
                    if cycle.disconnected:
                        raise Disconnected
        except TimeoutError as error:
            self.abort()
            raise Disconnected from error
        finally:
            self.transport.set_write_buffer_limits()

    async def _writable(self, descriptor: int) -> None:
        ready: asyncio.Future[None] = self.loop.create_future()
        self.loop.add_writer(descriptor, _resolve, ready)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await ready
        except TimeoutError as error:
            self.abort()
            raise Disconnected from error
        finally:
            self.loop.remove_writer(descriptor)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
