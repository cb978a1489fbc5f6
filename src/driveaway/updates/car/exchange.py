"""HTTP as a car speaks it: JSON, downloads that go on where they broke off, and clear failures."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import urllib3

from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Refused, Unavailable

MOST_DOCUMENT: Final = 4 << 20
_BLOCK: Final = 256 << 10
_GONE: Final = 410
_FROM: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


@dataclass(frozen=True)
class Patience:
    """How long a car waits, in seconds.

    Attributes:
        connect: for a connection.
        silence: for the next byte.
        document: for a whole document.
        pace: bytes a second that a download must reach on the mean, beyond ``document`` seconds: a server
            that sends a byte now and then would else hold the car up for ever (TUF 1.0, section 1.5.2).
    """

    connect: float = 10.0
    silence: float = 60.0
    document: float = 60.0
    pace: float = 1024.0


class _Reply(NamedTuple):
    status: int
    tag: str
    content: bytes


class Exchange:
    """One car's connection to its server.

    The credential goes to the car's own server alone, not to wherever a link leads.
    """

    def __init__(
        self,
        server: str,
        credential: str,
        *,
        certificates: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``credential`` is the Authorization header's value; ``certificates`` a file of trusted ones."""
        self._patience = patience or Patience()
        self._own = _origin(server)
        self._credential = {"Authorization": credential} if credential else {}
        trust: dict[str, Any] = {}
        if certificates:
            trust = {"cert_reqs": "CERT_REQUIRED", "ca_certs": certificates}
        self._pool = urllib3.PoolManager(
            num_pools=4,
            timeout=urllib3.Timeout(connect=self._patience.connect, read=self._patience.silence),
            retries=False,
            **trust,
        )
        self._known: tuple[str, str, Any] = ("", "", None)

    def close(self) -> None:
        """Hang up."""
        self._pool.clear()

    def get(self, url: str) -> Any:
        """A JSON document; one that has not changed since it was last got is not sent again.

        Raises:
            NotFound, Conflict, Refused, BadValue, Unavailable: what the server, or the way to it, says.
        """
        place, tag, known = self._known
        kept = tag if place == url else ""
        headers = {"Accept": "application/hal+json, application/json"}
        reply = self._ask("GET", url, headers | ({"If-None-Match": kept} if kept else {}))
        if reply.status == HTTPStatus.NOT_MODIFIED and kept:
            return known
        try:
            document = msgspec.json.decode(reply.content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Refused(f"not JSON: {error}", code="car.document", place=url) from error
        if reply.tag:
            self._known = (url, reply.tag, document)
        return document

    def send(self, method: str, url: str, content: Mapping[str, Any]) -> None:
        """Send a JSON document.

        Raises:
            NotFound, Conflict, Refused, BadValue, Unavailable: what the server, or the way to it, says.
        """
        self._ask(method, url, {"Content-Type": "application/json"}, msgspec.json.encode(content))

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> _Reply:
        begun, content = time.monotonic(), b""
        try:
            with closing(self._request(method, url, headers, body)) as reply:
                while block := reply.read1(_BLOCK, decode_content=True):
                    content += block
                    if len(content) > MOST_DOCUMENT:
                        raise Refused("the answer has no end", code="car.endless", place=url)
                    if time.monotonic() - begun > self._patience.document:
                        raise _offline("the answer does not come to an end", url)
                _raise(reply.status, url, content)
                tag = reply.headers.get("ETag", "")
                # What was read to its end leaves a connection that can be used again.
                reply.release_conn()
                return _Reply(reply.status, tag, content)
        except urllib3.exceptions.HTTPError as error:
            raise _offline(str(error), url) from error

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        known = self._credential if _origin(url) == self._own else {}
        return self._pool.request(
            method, url, body=body, headers={**known, **headers}, preload_content=False, redirect=False
        )

    def download(
        self, url: str, place: Path, size: int, sha256: str, progress: Callable[[int], None] | None = None
    ) -> Path:
        """Get a file of known size and digest; what is there of it already is not sent again.

        Args:
            url: where it is.
            place: where it goes; ``place`` + ``.part`` while it is not whole.
            size: in bytes; not one more is read.
            sha256: in hex.
            progress: told of the bytes so far.

        Raises:
            Refused: what came is not what was announced; it is thrown away.
            Unavailable: the line broke; what came is kept.
        """
        if place.exists() and place.stat().st_size == size and _digest(place) == sha256:
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".part")
        have = part.stat().st_size if part.exists() else 0
        if have > size:
            part.unlink()
            have = 0
        if have < size or not part.exists():
            self._append(url, part, have, size, progress)
        if part.stat().st_size < size:
            raise _offline(f"{part.stat().st_size} of {size} bytes came", url)
        if _digest(part) != sha256:
            part.unlink()
            if have:
                # Its beginning may be what a loss of power left of an earlier try.
                return self.download(url, place, size, sha256, progress)
            raise Refused("what came is not what was announced", code="car.content", place=url)
        part.replace(place)
        return place

    def _append(
        self, url: str, part: Path, have: int, size: int, progress: Callable[[int], None] | None
    ) -> None:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        begun, patience, came = time.monotonic(), self._patience, 0
        try:
            with closing(self._request("GET", url, headers)) as reply:
                if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                    part.unlink()
                    raise _offline("the server has no more of it; it is begun anew", url)
                _raise(reply.status, url, b"")
                have = _beginning(reply, have, url)
                with part.open("ab") as file:
                    file.truncate(have)
                    while block := reply.read1(min(_BLOCK, size - have + 1), decode_content=False):
                        have, came = have + len(block), came + len(block)
                        if have > size:
                            break
                        file.write(block)
                        if progress is not None:
                            progress(have)
                        if time.monotonic() - begun > patience.document + came / patience.pace:
                            raise _offline("it comes too slowly", url)
                    file.flush()
                    os.fsync(file.fileno())
        except urllib3.exceptions.HTTPError as error:
            raise _offline(str(error), url) from error
        if have > size:
            part.unlink()
            raise Refused(f"more than the {size} bytes announced", code="car.endless", place=url)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None


def _beginning(reply: urllib3.BaseHTTPResponse, asked: int, url: str) -> int:
    """Where the bytes that come begin."""
    if reply.status != HTTPStatus.PARTIAL_CONTENT:
        return 0
    found = _FROM.fullmatch(reply.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != asked:
        raise Refused("other bytes than those asked for", code="car.content", place=url)
    return asked


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _offline(what: str, url: str) -> Unavailable:
    return Unavailable(what, code="car.offline", place=url, remedy="it goes on at the next poll")


def _raise(status: int, url: str, content: bytes) -> None:
    error = _error(status, content[:500].decode(errors="replace") or f"status {status}")
    if error is not None:
        raise error.at(url)


def _error(status: int, said: str) -> DriveawayError | None:
    if status == HTTPStatus.NOT_MODIFIED or HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Refused(said, code="car.credential", remedy="give the car its token")
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(said, code="car.missing")
    if status in (HTTPStatus.CONFLICT, _GONE):
        return Conflict(said, code="car.closed")
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or status >= 500:
        return Unavailable(said, code="car.busy", remedy="it goes on at the next poll")
    return BadValue(said, code="car.refused")
