"""Compressed bodies, unpacked within bounds."""

from __future__ import annotations

import zlib
from typing import Final

from driveaway.web.http.errors import HttpError, too_large

CODINGS: Final = ("identity", "gzip", "x-gzip", "zstd")
"""What a body may be packed with; ``identity`` is not at all."""
_WINDOW: Final = 8 << 20
"""Bytes of history that a zstd body may need: what RFC 9659 §3 allows its content coding."""

_GZIP_PIECE: Final = 1 << 12
_ZSTD_PIECE: Final = 1 << 7
"""Bytes given to a decoder at once: of many small members not the whole rest is copied each time. Zstandard's
has no bound of its own: a block takes 4 bytes and becomes 128 KiB at the most (RFC 8878 §3.1.1)."""


def unpacked(body: bytes, encoding: str | None, limit: int) -> bytes:
    """What a body of a content coding says (RFC 9110 §8.4.1).

    Little more than ``limit`` bytes are ever unpacked, whatever the body would become.

    Raises:
        HttpError: larger than ``limit`` bytes (413); a coding, or a chain of them, that is not known here
            (415); no whole stream of that coding (400).
    """
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name in ("gzip", "x-gzip"):
        return _gunzipped(body, limit)
    if name == "zstd":
        return _unzstd(body, limit)
    raise _unknown(name)


def _gunzipped(body: bytes, limit: int) -> bytes:
    said: list[bytes] = []
    room = limit + 1
    at = 0
    try:
        # Members follow each other (RFC 1952 §2.2).
        while at < len(body):
            stream = zlib.decompressobj(31)
            while not stream.eof:
                piece = body[at : at + _GZIP_PIECE]
                if not piece:
                    raise _broken("gzip")
                said.append(stream.decompress(piece, room))
                room -= len(said[-1])
                if room <= 0:
                    raise too_large(limit)
                at += len(piece) - len(stream.unused_data)
    except zlib.error as error:
        raise _broken("gzip") from error
    return b"".join(said)


def _unzstd(body: bytes, limit: int) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise _unknown("zstd") from error
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    said: list[bytes] = []
    room = limit
    at = 0
    try:
        # Frames follow each other (RFC 8878 §3.1).
        while at < len(body):
            stream = decoder.decompressobj()
            while not stream.eof:
                piece = body[at : at + _ZSTD_PIECE]
                if not piece:
                    raise _broken("zstd")
                said.append(stream.decompress(piece))
                room -= len(said[-1])
                if room < 0:
                    raise too_large(limit)
                at += len(piece) - len(stream.unused_data)
    except zstandard.ZstdError as error:
        raise _broken("zstd") from error
    return b"".join(said)


def _broken(name: str) -> HttpError:
    return HttpError(
        f"the body is no whole {name} stream", code="http.encoding", remedy=f"send all of it, as {name}"
    )


def _unknown(name: str) -> HttpError:
    return HttpError(
        f"the body's content coding {name[:40]!r} is not known",
        code="http.media_type",
        remedy="send it plain, or with gzip or zstd",
        headers=((b"accept-encoding", b"gzip, zstd"),),
    )
