"""Answers: documents in memory, and what an error is answered with."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from driveaway.values.errors import DriveawayError
from driveaway.web.http.errors import HttpError, document_of, status_of
from driveaway.web.http.media import Media, encoded
from driveaway.web.http.scope import Header, Send


class Response(NamedTuple):
    """An answer that is in memory as a whole."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    async def send(self, method: str, send: Send) -> None:
        """Send it; of a HEAD only what would come before the body."""
        headers = list(self.headers)
        if self.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else self.body})


def document(content: Any, media: Media, status: int = 200, headers: Iterable[Header] = ()) -> Response:
    """A document in a media type."""
    return Response(
        status,
        ((b"content-type", media.value.encode()), (b"vary", b"accept"), *headers),
        encoded(content, media),
    )


def text(content: str) -> Response:
    """Plain text."""
    return Response(200, ((b"content-type", b"text/plain; charset=utf-8"),), content.encode())


def failure(error: DriveawayError, media: Media = Media.JSON) -> Response:
    """What an error is answered with; CBOR only to who asked for it."""
    status = status_of(error)
    headers = error.headers if isinstance(error, HttpError) else ()
    if status == 503 and not any(name == b"retry-after" for name, _ in headers):
        headers = (*headers, (b"retry-after", b"5"))
    kind = media if media is Media.CBOR else Media.JSON
    return document(document_of(error, status), kind, status, ((b"cache-control", b"no-store"), *headers))
