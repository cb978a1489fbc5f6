"""Byte ranges (RFC 9110 §14): which bytes are asked for, and what is sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST: Final = 150
"""Ranges in one request: what SWUpdate's delta handler sends at the most."""

_SPEC: Final = re.compile(r"([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19})")


class Span(NamedTuple):
    """Bytes ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.last - self.first + 1


class Part(NamedTuple):
    """A span as it is sent: the bytes that go before it, and where it is in the file."""

    head: bytes
    span: Span


class Multipart(NamedTuple):
    """An answer of several spans (multipart/byteranges, RFC 9110 §14.6)."""

    content_type: str
    parts: tuple[Part, ...]
    tail: bytes

    @property
    def size(self) -> int:
        """Bytes of the whole body."""
        return sum(len(part.head) + part.span.size for part in self.parts) + len(self.tail)


class Unsatisfiable(Exception):
    """None of the ranges touches the file, or there are too many: 416."""


def spans(header: str, size: int, most: int = MOST) -> list[Span] | None:
    """The spans that a Range header asks of a file of ``size`` bytes, in the order of the request.

    Those outside the file are left out; those that overlap are made one, at the place of the first (§15.3.7.2
    allows it), so that no request makes more be sent than the file has. Spans that only touch stay apart:
    clients tell parts by the ranges they asked for.

    Returns:
        None when the header is to be ignored: another unit, or not well-formed (§14.2).

    Raises:
        Unsatisfiable: no range touches the file, or there are more than ``most``.
    """
    unit, equals, listed = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    # A list may have empty members (§5.6.1.2).
    texts = [text for part in listed.split(",") if (text := part.strip(" \t"))]
    if not texts:
        return None
    if len(texts) > most:
        raise Unsatisfiable
    found: list[Span] = []
    for text in texts:
        match = _SPEC.fullmatch(text)
        if match is None:
            return None
        start, end, suffix = match.groups()
        if suffix is not None:
            length = min(int(suffix), size)
            span = Span(size - length, size - 1)
        else:
            if end and int(end) < int(start):
                return None
            span = Span(int(start), min(int(end), size - 1) if end else size - 1)
        if span.first <= span.last:
            found.append(span)
    if not found:
        raise Unsatisfiable
    return _joined(found)


def _joined(asked: Sequence[Span]) -> list[Span]:
    """Overlapping spans made one, each at the place of the one that was asked for first."""
    by_start = sorted(range(len(asked)), key=lambda index: asked[index])
    groups: list[tuple[int, Span]] = []
    for index in by_start:
        span = asked[index]
        if groups and span.first <= groups[-1][1].last:
            place, whole = groups[-1]
            groups[-1] = (min(place, index), Span(whole.first, max(whole.last, span.last)))
        else:
            groups.append((index, span))
    return [span for _, span in sorted(groups)]


def content_range(span: Span, size: int) -> str:
    """The value of Content-Range (§14.4)."""
    return f"bytes {span.first}-{span.last}/{size}"


def unsatisfied(size: int) -> str:
    """The value of Content-Range in an answer of 416."""
    return f"bytes */{size}"


def multipart(asked: Sequence[Span], size: int, content_type: str) -> Multipart:
    """How several spans of a file are sent; the boundary is new in every answer."""
    boundary = secrets.token_hex(16)
    parts: list[Part] = []
    for number, span in enumerate(asked):
        lines = (
            f"{'' if number == 0 else chr(13) + chr(10)}--{boundary}",
            f"Content-Type: {content_type}",
            f"Content-Range: {content_range(span, size)}",
            "",
            "",
        )
        parts.append(Part("\r\n".join(lines).encode("latin-1"), span))
    return Multipart(
        f"multipart/byteranges; boundary={boundary}",
        tuple(parts),
        f"\r\n--{boundary}--\r\n".encode("latin-1"),
    )
