"""One message to one address: bounded in time and size, and no further than the address itself."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from importlib.metadata import version
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from driveaway.launch.exports.events import CONTENT_TYPE
from driveaway.launch.hooks.keeping import Hook
from driveaway.launch.hooks.signing import headers_of
from driveaway.values.clock import SECOND

MOST_REPLY: Final = 64 << 10
"""Bytes of a reply that are read."""
_SHOWN: Final = 200
_LONGEST_WISH: Final = 24 * 3600
_AGENT: Final = f"driveaway/{version('driveaway')}"


@dataclass(frozen=True)
class Patience:
    """How long a receiver may take, in seconds: to be reached, and to answer."""

    connect: float = 5.0
    answer: float = 15.0


@dataclass(frozen=True)
class Reply:
    """What came of a message.

    Attributes:
        status: of HTTP; None: no answer came.
        said: why it was not taken, in words.
        wait: microseconds after which the receiver asks to be tried again; 0: it does not say.
    """

    status: int | None
    said: str = ""
    wait: int = 0

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more of it."""
        return self.status == HTTPStatus.GONE


class _Bounded:
    """A connection that is cut when the head of an answer does not come in time, however it trickles.

    The library takes a head that breaks off for a whole one, so that what was cut must be told apart here.
    """

    sock: socket.socket | None
    timeout: float | None

    def getresponse(self) -> Any:
        late = threading.Event()

        def cut() -> None:
            late.set()
            with suppress(OSError):
                if self.sock is not None:
                    self.sock.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(self.timeout or Patience.answer, cut)
        watch.daemon = True
        watch.start()
        try:
            response = super().getresponse()  # type: ignore[misc]
        except (HTTPException, OSError) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
        if late.is_set():
            response.close()
            raise TimeoutError
        return response


class _Http(_Bounded, HTTPConnection):
    pass


class _Https(_Bounded, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class Sender:
    """The way to one address; a connection is kept open from one message to the next."""

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        found = urllib3.util.parse_url(url)
        self._place = found.request_uri
        pool = _HttpsPool if found.scheme == "https" else _HttpPool
        host = (found.host or "").strip("[]")
        self._pool = pool(
            host,
            found.port,
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(connect=self._patience.connect, read=self._patience.answer),
        )

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def send(self, hook: Hook, source: str, body: bytes, at: int) -> Reply:
        """Send a message, signed; whatever goes wrong is in the reply.

        Args:
            hook: whose secret signs it.
            source: of the fact: the message's id.
            body: a CloudEvent.
            at: now, microseconds since 1970 UTC.
        """
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": _AGENT,
            "Accept-Encoding": "identity",
            **headers_of(hook.secret, source, at, body),
        }
        try:
            with closing(
                self._pool.urlopen(
                    "POST",
                    self._place,
                    body=body,
                    headers=headers,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
            ) as reply:
                said = _words(reply, time.monotonic() + self._patience.answer)
                return Reply(reply.status, said, _wish(reply.headers.get("Retry-After", "")))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Reply(None, _why(error))


def _words(reply: urllib3.BaseHTTPResponse, until: float) -> str:
    """The beginning of an answer's body, in words; what has no end is left there."""
    content, ended = b"", False
    with suppress(urllib3.exceptions.HTTPError, OSError):
        while len(content) < MOST_REPLY and time.monotonic() < until:
            block = reply.read1(4096)
            if not block:
                ended = True
                break
            content += block
    if ended:
        reply.release_conn()
    text = content[:_SHOWN].decode(errors="replace")
    shown = "".join(each if each.isprintable() else " " for each in text).strip()
    reason = f"status {reply.status}"
    if 300 <= reply.status < 400:
        reason += ", and redirects are not followed"
    return f"{reason}: {shown}" if shown else reason


def _wish(text: str) -> int:
    """Microseconds that Retry-After asks for; its other form, a date, is passed over."""
    return (
        min(int(text), _LONGEST_WISH) * SECOND if text.isascii() and text.isdigit() and len(text) < 10 else 0
    )


def _why(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    # What the library says begins with the connection object, which tells people nothing.
    return str(error).rpartition(">: ")[2] or type(error).__name__
