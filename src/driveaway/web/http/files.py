"""Files as answers: whole, in one range or in several; conditions first; in constant memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from driveaway.values.errors import Unavailable
from driveaway.web.http.bodies import Disconnected
from driveaway.web.http.conditions import Outcome, evaluate, http_date, range_holds
from driveaway.web.http.errors import HttpError
from driveaway.web.http.ranges import Span, Unsatisfiable, content_range, multipart, spans, unsatisfied
from driveaway.web.http.scope import Header, Headers, Scope, Send

SENDFILE: Final = "driveaway.sendfile"
"""The server's extension that sends from a file by itself: ``await f(send, descriptor, offset, count)``."""
ABORT: Final = "driveaway.abort"
"""The server's extension that drops the connection, with what a reader did not take."""
_CHUNK: Final = 256 * 1024
_SMALL: Final = 128 * 1024
"""Bytes up to which copying them costs less than handing them to the kernel."""
_NOW: Final = getattr(os, "RWF_NOWAIT", 0)
_STALLED: Final = 60.0
"""Seconds within which a reader must take a chunk."""


@dataclass(frozen=True, slots=True)
class Served:
    """A file and what is said of it.

    Attributes:
        etag: strong, in quotes.
        modified: microseconds UTC.
        size: bytes; None: as many as the file has.
        filename: under which it is to be saved; "" says nothing.
    """

    path: Path
    etag: str
    modified: int
    size: int | None = None
    content_type: str = "application/octet-stream"
    filename: str = ""
    cache_control: str = "private, no-transform"


async def send_file(scope: Scope, headers: Headers, send: Send, served: Served) -> int:
    """Answer with a file; the status that was sent.

    Raises:
        Unavailable: the file is not there, or not of the size that it must have.
        HttpError: a condition fails (412), or no range can be satisfied (416).
        Disconnected: the reader went away, or took nothing for a minute.
    """
    method = scope["method"]
    with ExitStack() as opened:
        descriptor = _open(served, opened)
        size = os.fstat(descriptor).st_size
        if served.size is not None and size != served.size:
            raise Unavailable("the file is not as it was stored", code="web.file", remedy="store it again")
        common = _common(served)
        outcome = evaluate(method, headers, served.etag, served.modified)
        if outcome is Outcome.FAILED:
            raise HttpError(
                "the file is another one by now", code="http.precondition", headers=tuple(common[:2])
            )
        if outcome is Outcome.NOT_MODIFIED:
            await send({"type": "http.response.start", "status": 304, "headers": common})
            await send({"type": "http.response.body"})
            return 304
        asked = _asked(method, headers, served, size)
        kind = (b"content-type", served.content_type.encode())
        if asked is None:
            start = [*common, kind, (b"content-length", b"%d" % size)]
            await send({"type": "http.response.start", "status": 200, "headers": start})
            if method != "HEAD":
                await _send_span(scope, send, descriptor, Span(0, size - 1))
        elif len(asked) == 1:
            span = asked[0]
            start = [
                *common,
                kind,
                (b"content-length", b"%d" % span.size),
                (b"content-range", content_range(span, size).encode()),
            ]
            await send({"type": "http.response.start", "status": 206, "headers": start})
            await _send_span(scope, send, descriptor, span)
        else:
            await _send_parts(scope, send, descriptor, asked, size, served, common)
        await send({"type": "http.response.body"})
        return 200 if asked is None else 206


def _open(served: Served, opened: ExitStack) -> int:
    try:
        descriptor = os.open(served.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise Unavailable(
            "the file is not there", code="web.file", remedy="look at the artifact store"
        ) from error
    opened.callback(os.close, descriptor)
    return descriptor


def _common(served: Served) -> list[Header]:
    common: list[Header] = [
        (b"etag", served.etag.encode()),
        (b"last-modified", http_date(served.modified).encode()),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", served.cache_control.encode()),
    ]
    if served.filename:
        common.append((b"content-disposition", disposition(served.filename).encode()))
    return common


def disposition(filename: str) -> str:
    """Content-Disposition of a file to be saved (RFC 6266); other than ASCII as RFC 8187 writes it."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in filename)
    value = f'attachment; filename="{plain}"'
    return value if plain == filename else f"{value}; filename*=UTF-8''{quote(filename, safe='')}"


def _asked(method: str, headers: Headers, served: Served, size: int) -> list[Span] | None:
    """The spans to send, None for the whole file. Only GET has ranges (RFC 9110 §14.2)."""
    header = headers.get(b"range")
    if method != "GET" or header is None or b"range" in headers.doubled:
        return None
    if b"if-range" in headers.doubled or not range_holds(
        headers.get(b"if-range"), served.etag, served.modified
    ):
        return None
    try:
        return spans(header, size)
    except Unsatisfiable as error:
        raise HttpError(
            "the file has none of the bytes asked for, or too many ranges are",
            code="http.range",
            headers=((b"content-range", unsatisfied(size).encode()), (b"accept-ranges", b"bytes")),
        ) from error


async def _send_parts(
    scope: Scope,
    send: Send,
    descriptor: int,
    asked: Sequence[Span],
    size: int,
    served: Served,
    common: list[Header],
) -> None:
    body = multipart(asked, size, served.content_type)
    start = [
        *common,
        (b"content-type", body.content_type.encode()),
        (b"content-length", b"%d" % body.size),
    ]
    await send({"type": "http.response.start", "status": 206, "headers": start})
    for head, span in body.parts:
        await send({"type": "http.response.body", "body": head, "more_body": True})
        await _send_span(scope, send, descriptor, span)
    await send({"type": "http.response.body", "body": body.tail, "more_body": True})


async def _send_span(scope: Scope, send: Send, descriptor: int, span: Span) -> None:
    """Send bytes of the file: many by the kernel where the server offers it, else in chunks."""
    sendfile = (scope.get("extensions") or {}).get(SENDFILE)
    if sendfile is not None and span.size > _SMALL:
        await sendfile(send, descriptor, span.first, span.size)
        return
    offset, left = span.first, span.size
    while left > 0:
        chunk = read_cached(descriptor, min(left, _CHUNK), offset)
        if chunk is None:
            # In a thread: the disk takes its time, and others are waiting for the loop.
            loop = asyncio.get_running_loop()
            chunk = await loop.run_in_executor(None, os.pread, descriptor, min(left, _CHUNK), offset)
        if not chunk:
            _abort(scope)
            raise Unavailable("the file became shorter while it was sent", code="web.file")
        try:
            async with asyncio.timeout(_STALLED):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError as error:
            _abort(scope)
            raise Disconnected from error
        offset, left = offset + len(chunk), left - len(chunk)


def _abort(scope: Scope) -> None:
    abort = (scope.get("extensions") or {}).get(ABORT)
    if abort is not None:
        abort()


def read_cached(descriptor: int, size: int, offset: int) -> bytes | bytearray | None:
    """Bytes of a file as far as they are in memory; None where the disk would have to be asked."""
    buffer = bytearray(size)
    try:
        got = os.preadv(descriptor, [buffer], offset, _NOW)
    except OSError:
        return None
    if got < size:
        del buffer[got:]
    return buffer
