"""Media types: which one is answered with (RFC 9110 §12.5.1), and JSON and CBOR in and out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import cbor2
import msgspec

from driveaway.values.errors import BadValue
from driveaway.web.http.errors import HttpError

Content = TypeVar("Content")
_DEPTH: Final = 32
"""Containers within containers that a body may have: messages have 5."""
# Every tag that the library gives a meaning, but the one that only says "this is CBOR" (RFC 8949 §3.4.6).
_TAGS: Final = (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)


class Media(StrEnum):
    """What documents can be written in, the preferred one first."""

    HAL = "application/hal+json"
    JSON = "application/json"
    CBOR = "application/cbor"


_ALL: Final = tuple(Media)


def negotiated(accept: str | None, offered: Sequence[Media] = _ALL) -> Media:
    """The media type of the answer: the highest quality, among equals the first offered.

    Raises:
        HttpError: nothing that is offered is acceptable (406).
    """
    if not accept:
        return offered[0]
    ranges = [_media_range(part) for part in accept.split(",") if part.strip()]
    best: Media | None = None
    highest = 0.0
    for media in offered:
        quality = _quality(media, ranges)
        if quality > highest:
            best, highest = media, quality
    if best is None:
        raise HttpError(
            "none of the media types asked for is offered",
            code="http.not_acceptable",
            remedy=f"accept {', '.join(offered)}",
        )
    return best


def _media_range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
            if not 0.0 <= quality <= 1.0:
                quality = 0.0
    return name.lower(), quality


def _quality(media: Media, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that names the media type; 0 where none does."""
    for name in (media.value, media.value.partition("/")[0] + "/*", "*/*"):
        found = [quality for given, quality in ranges if given == name]
        if found:
            return max(found)
    return 0.0


def encoded(content: Any, media: Media) -> bytes:
    """A document, as bytes."""
    if media is Media.CBOR:
        return cbor2.dumps(msgspec.to_builtins(content))
    return msgspec.json.encode(content)


def decoded(body: bytes, content_type: str | None, kind: type[Content]) -> Content:
    """A body, read as the message that is expected. Without a content type it is taken for JSON.

    Raises:
        HttpError: a media type that is not known (415).
        BadValue: not readable, or of a wrong type.
    """
    name = (content_type or "application/json").partition(";")[0].strip().lower()
    try:
        if name == "application/cbor":
            found = cbor2.loads(
                body,
                semantic_decoders=_REFUSED,
                max_depth=_DEPTH,
                strict_hashable_types=True,
                allow_duplicate_keys=False,
                tag_hook=_refuse,
            )
            return msgspec.convert(found, kind)
        if name in ("application/json", "application/hal+json", "text/json"):
            return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadValue(str(error), code="http.body", remedy="see the DDI's reference") from error
    except (
        msgspec.DecodeError,
        cbor2.CBORError,
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
        RecursionError,
    ) as error:
        raise BadValue(
            "the body is not readable", code="http.body", remedy=f"send well-formed {name}"
        ) from error
    raise HttpError(
        "the body's media type is not known",
        code="http.media_type",
        remedy=f"send {Media.JSON} or {Media.CBOR}",
    )


def _refuse(*tagged: Any) -> Any:
    raise ValueError("no message has a tag")


_REFUSED: Final = dict.fromkeys(_TAGS, _refuse)
