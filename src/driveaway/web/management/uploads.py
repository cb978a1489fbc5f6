"""Files that come as multipart/form-data (RFC 7578): parsed as they arrive, straight into the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from driveaway.updates.artifacts import ArtifactStore, Stored, Upload, check_filename
from driveaway.values.errors import BadValue
from driveaway.web.http.bodies import Disconnected
from driveaway.web.http.errors import HttpError
from driveaway.web.http.scope import Headers, Receive

_AT_ONCE: Final = 1 << 20
"""Bytes that are parsed, hashed and written in one go, on a thread."""
_STALLED: Final = 60.0
"""Seconds within which a sender must send something."""
_PARTS: Final = 16
_FIELD: Final = 1024
_AROUND: Final = 64 * 1024
"""Bytes of boundaries, heads and fields around a file, at the most."""
_PARAMETERS: Final = frozenset({"filename", "md5sum", "sha1sum", "sha256sum"})


@dataclass(slots=True)
class _Part:
    """A part that is being read."""

    headers: dict[str, bytearray] = field(default_factory=dict)
    name: str = ""
    is_file: bool = False
    text: bytearray = field(default_factory=bytearray)


class Form:
    """What a body says as far as it was read: one file, and short texts."""

    def __init__(self, boundary: bytes, upload: Upload) -> None:
        self.filename = ""
        self.fields: dict[str, str] = {}
        self.found = False
        self.ended = False
        self._upload = upload
        self._part = _Part()
        self._parts = 0
        self._name, self._value = bytearray(), bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headed,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            BadValue: this is no form, or has more than a file and its hashes.
            Refused: the file is larger than it may be.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _wrong(str(error)) from error

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise _wrong(f"more than {_PARTS} parts")
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._part.headers[self._name.decode("latin-1").lower()] = self._value
        self._name, self._value = bytearray(), bytearray()

    def _headed(self) -> None:
        name, filename = _disposition(bytes(self._part.headers.get("content-disposition", b"")))
        self._part.name = name
        if name == "file":
            if self.found:
                raise _wrong("two files")
            self.found = self._part.is_file = True
            self.filename = filename

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.is_file:
            self._upload.write(memoryview(data)[start:end])
            return
        part.text += data[start:end]
        if len(part.text) > _FIELD:
            raise _wrong(f"the part {part.name[:40]!r} is too long")

    def _end(self) -> None:
        part = self._part
        if not part.is_file and part.name in _PARAMETERS:
            try:
                self.fields[part.name] = part.text.decode().strip()
            except UnicodeDecodeError as error:
                raise _wrong(f"the part {part.name} is not UTF-8") from error

    def _finish(self) -> None:
        self.ended = True


def _disposition(value: bytes) -> tuple[str, str]:
    """Name and file name of a part; the latter also as RFC 8187 writes it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    message = Message()
    message["content-disposition"] = "".join(text.splitlines())
    name = message.get_param("name", "", header="content-disposition")
    return name if isinstance(name, str) else "", message.get_filename("") or ""


def _wrong(what: str) -> BadValue:
    return BadValue(
        f"this is no form with a file: {what}"[:300],
        code="artifact.upload",
        remedy="send multipart/form-data with one part named file",
    )


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is in the store, under the name that it is to have."""

    filename: str
    stored: Stored


async def receive_file(
    store: ArtifactStore,
    limit: int,
    headers: Headers,
    receive: Receive,
    query: dict[str, str],
    threads: Executor,
) -> Received:
    """Take a file into the store.

    Args:
        store: where it goes.
        limit: bytes of it at the most.
        headers: of the request.
        receive: gives the request's body.
        query: may name it and its hashes, as parts of the form may.
        threads: on which it is hashed and written.

    Raises:
        HttpError: no form (415), too large (413), or stalled (408).
        BadValue: no form that can be read, a name that cannot be, or another hash than was said.
        Disconnected: the sender went away; nothing is kept.
    """
    boundary = _boundary(headers)
    length = headers.get(b"content-length")
    if length is not None and length.isdecimal() and int(length) > limit + _AROUND:
        raise HttpError("the file is too large", code="http.too_large", remedy=f"send at most {limit} bytes")
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as opened:
        upload = opened.enter_context(await loop.run_in_executor(threads, _begun, store, limit))
        form = Form(boundary, upload)
        async for chunk in _chunks(receive, limit + _AROUND):
            await loop.run_in_executor(threads, form.write, chunk)
        if not form.ended:
            raise _wrong("it ends before its last boundary")
        if not form.found:
            raise _wrong("it has no part named file")
        said = {**query, **form.fields}
        name = check_filename(said.get("filename") or form.filename)
        return Received(name, await loop.run_in_executor(threads, _finished, upload, said))


def _finished(upload: Upload, said: dict[str, str]) -> Stored:
    return upload.finish(
        sha1=said.get("sha1sum", ""), md5=said.get("md5sum", ""), sha256=said.get("sha256sum", "")
    )


def _begun(store: ArtifactStore, limit: int) -> Upload:
    return store.upload(limit=limit)


def _boundary(headers: Headers) -> bytes:
    kind, options = parse_options_header(headers.get(b"content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise HttpError(
            "a file is sent as a form",
            code="http.media_type",
            remedy="send multipart/form-data with a boundary",
        )
    return boundary


async def _chunks(receive: Receive, limit: int) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread."""
    parts: list[bytes] = []
    waiting = size = 0
    more = True
    while more:
        try:
            async with asyncio.timeout(_STALLED):
                message = await receive()
        except TimeoutError as error:
            raise HttpError("nothing more was sent", code="http.timeout") from error
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size, waiting = size + len(part), waiting + len(part)
        if size > limit:
            raise HttpError(
                "the body is too large", code="http.too_large", remedy=f"send at most {limit} bytes"
            )
        parts.append(part)
        if waiting >= _AT_ONCE or not more:
            yield b"".join(parts)
            parts, waiting = [], 0
