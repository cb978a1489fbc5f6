"""Conditional requests (RFC 9110 §13): ETags, dates, what holds and what follows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum
from typing import Final

from driveaway.web.http.scope import Headers

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_READ: Final = frozenset({"GET", "HEAD"})


class Outcome(Enum):
    """What a request's conditions say of it."""

    PERFORM = "perform"
    NOT_MODIFIED = "not modified"
    FAILED = "failed"


def http_date(microseconds: int) -> str:
    """A time as HTTP writes it, whole seconds (§5.6.7)."""
    return format_datetime(datetime.fromtimestamp(microseconds // 1_000_000, UTC), usegmt=True)


def parse_date(text: str) -> int | None:
    """Microseconds UTC of an HTTP date; None where it is none, which counts as if it did not stand."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    try:
        return int(found.timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None


def _tags(header: str) -> list[tuple[bool, str]]:
    """(weak, opaque) of a list of tags."""
    return [(weak != "", opaque) for weak, opaque in _TAG.findall(header)]


def _matches(header: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of tags names the strong ``etag`` (in quotes); weak tags count only ``weakly``."""
    if header.strip() == "*":
        return True
    return any(f'"{opaque}"' == etag and (weakly or not weak) for weak, opaque in _tags(header))


def evaluate(method: str, headers: Headers, etag: str, modified: int | None = None) -> Outcome:
    """The conditions of a request for what exists with a strong ``etag``, in the order of §13.2.2.

    ``modified`` is in microseconds UTC, None where no date is given out.
    """
    second = None if modified is None else modified // 1_000_000 * 1_000_000
    match = headers.get(b"if-match")
    if match is not None:
        if not _matches(match, etag, weakly=False):
            return Outcome.FAILED
    elif second is not None:
        since = parse_date(headers.get(b"if-unmodified-since") or "")
        if since is not None and second > since:
            return Outcome.FAILED
    none_match = headers.get(b"if-none-match")
    if none_match is not None:
        if _matches(none_match, etag, weakly=True):
            return Outcome.NOT_MODIFIED if method in _READ else Outcome.FAILED
    elif second is not None and method in _READ:
        since = parse_date(headers.get(b"if-modified-since") or "")
        if since is not None and second <= since:
            return Outcome.NOT_MODIFIED
    return Outcome.PERFORM


def range_holds(header: str | None, etag: str, modified: int | None) -> bool:
    """Whether a Range counts by the request's If-Range (§13.1.5): a strong tag, or the very date.

    The date counts as a strong validator: what is served under it never changes.
    """
    if header is None:
        return True
    if '"' in header:
        found = _TAG.fullmatch(header.strip())
        return found is not None and not found[1] and f'"{found[2]}"' == etag
    said = parse_date(header)
    return said is not None and modified is not None and said == modified // 1_000_000 * 1_000_000
