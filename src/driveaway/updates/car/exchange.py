"""HTTP as a car speaks it: JSON, downloads that go on where they broke off, and clear failures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import urllib3

from driveaway.values.errors import BadValue, Conflict, NotFound, Refused, Unavailable

MOST_DOCUMENT: Final = 4 << 20
_BLOCK: Final = 256 << 10
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=60)
_GONE: Final = 410


class _Reply(NamedTuple):
    status: int
    tag: str
    content: bytes


class Exchange:
    """One car's connection to its server."""

    def __init__(self, credential: str, *, certificates: str | None = None) -> None:
        """``credential`` is the Authorization header's value; ``certificates`` a file of trusted ones."""
        headers = {"Authorization": credential, "Accept": "application/hal+json, application/json"}
        trust = {"cert_reqs": "CERT_REQUIRED", "ca_certs": certificates} if certificates else {}
        self._pool = urllib3.PoolManager(
            num_pools=4, headers=headers, timeout=_TIMEOUT, retries=urllib3.Retry(connect=3, read=0), **trust
        )
        self._tags: dict[str, tuple[str, Any]] = {}

    def get(self, url: str) -> Any:
        """A JSON document; one that has not changed since it was last got is not sent again.

        Raises:
            NotFound, Refused, Unavailable: what the server, or the way to it, says.
        """
        tag, known = self._tags.get(url, ("", None))
        reply = self._ask("GET", url, headers={"If-None-Match": tag} if tag else {})
        if reply.status == HTTPStatus.NOT_MODIFIED:
            return known
        try:
            document = msgspec.json.decode(reply.content)
        except msgspec.DecodeError as error:
            raise Refused(f"not JSON: {error}", code="car.document", place=url) from error
        if reply.tag:
            self._tags = {url: (reply.tag, document)}
        return document

    def send(self, method: str, url: str, content: Mapping[str, Any]) -> None:
        """Send a JSON document.

        Raises:
            NotFound, Refused, BadValue, Unavailable: what the server, or the way to it, says.
        """
        self._ask(
            method, url, body=msgspec.json.encode(content), headers={"Content-Type": "application/json"}
        )

    def _ask(self, method: str, url: str, **more: Any) -> _Reply:
        more["headers"] = {**self._pool.headers, **more.get("headers", {})}
        try:
            reply = self._pool.request(method, url, preload_content=False, **more)
            try:
                content = reply.read(MOST_DOCUMENT + 1, decode_content=True)
            finally:
                reply.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(str(error), code="car.offline", place=url, remedy="try again later") from error
        if len(content) > MOST_DOCUMENT:
            raise Refused("the answer has no end", code="car.endless", place=url)
        _raise(reply.status, url, content)
        return _Reply(reply.status, reply.headers.get("ETag", ""), content)

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
        if place.exists() and _digest(place) == sha256:
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".part")
        have = part.stat().st_size if part.exists() else 0
        if have > size:
            part.unlink()
            have = 0
        if have < size:
            self._append(url, part, have, size, progress)
        if part.stat().st_size != size or _digest(part) != sha256:
            part.unlink()
            raise Refused("what came is not what was announced", code="car.content", place=url)
        part.replace(place)
        return place

    def _append(
        self, url: str, part: Path, have: int, size: int, progress: Callable[[int], None] | None
    ) -> None:
        headers = {**self._pool.headers, **({"Range": f"bytes={have}-"} if have else {})}
        try:
            reply = self._pool.request("GET", url, headers=headers, preload_content=False)
            try:
                _raise(reply.status, url, b"")
                whole = reply.status == HTTPStatus.OK
                have = 0 if whole else have
                with part.open("wb" if whole else "ab") as file:
                    while block := reply.read(min(_BLOCK, size - have + 1)):
                        have += len(block)
                        if have > size:
                            break
                        file.write(block)
                        if progress is not None:
                            progress(have)
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                reply.release_conn() if have >= size else reply.close()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(str(error), code="car.offline", place=url, remedy="try again later") from error
        if have > size:
            part.unlink()
            raise Refused(f"more than the {size} bytes announced", code="car.endless", place=url)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _raise(status: int, url: str, content: bytes) -> None:
    if status < HTTPStatus.BAD_REQUEST:
        return
    said = content[:500].decode(errors="replace") or f"status {status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Refused(said, code="car.credential", place=url, remedy="give the car its token")
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(said, code="car.missing", place=url)
    if status in (HTTPStatus.CONFLICT, HTTPStatus.GONE):
        raise Conflict(said, code="car.closed", place=url)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(said, code="car.busy", place=url, remedy="try again later")
    raise BadValue(said, code="car.refused", place=url)
