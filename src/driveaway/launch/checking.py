"""Drafts that are built in Python are held to the same forms as those that are read from text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from driveaway.facts import Draft, kind_named
from driveaway.facts.base import Body
from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_order_id, parse_slug, parse_vin

_FIRST: Final = -2_208_988_800_000_000  # 1900-01-01
_LAST: Final = 7_258_118_400_000_000  # 2200-01-01
_LONGEST: Final = 400
_PARSERS: Final = {"order": parse_order_id, "vin": parse_vin, "slug": parse_slug}
_encoder: Final = msgspec.json.Encoder()


@lru_cache(maxsize=256)
def _decoder(body: type[Body]) -> msgspec.json.Decoder[Body]:
    return msgspec.json.Decoder(body)


def check_drafts(drafts: Sequence[Draft]) -> None:
    """See that every draft can be read back, asked about and verified once it is recorded.

    A constructor checks no limits: an amount beyond 2⁵³, a text of ten thousand characters or half a
    surrogate pair would be recorded for ever and break every later answer.

    Raises:
        BadValue: the first draft that cannot.
    """
    for draft in drafts:
        try:
            _check(draft)
        except BadValue as error:
            raise error.at(draft.place) from None


def _check(draft: Draft) -> None:
    kind = kind_named(draft.kind)
    if type(draft.body) is not kind.body:
        raise BadValue(
            f"{draft.kind} was given a {type(draft.body).__name__}",
            code="fact.body",
            remedy=f"give it a {kind.body.__name__}",
        )
    if draft.kind == "subject.erased":
        raise BadValue(
            "an erasure is not recorded by hand", code="fact.reserved", remedy="driveaway erase SUBJECT"
        )
    parser = _PARSERS.get(kind.subject)
    if parser is not None and parser(draft.subject) != draft.subject:
        raise BadValue(
            f"{draft.subject!r} is not written as it is kept",
            code="subject.form",
            remedy=f"write {parser(draft.subject)!r}",
        )
    if not _FIRST <= draft.happened < _LAST:
        raise BadValue(
            "the time is outside the years 1900 to 2199",
            code="time.range",
            remedy="give microseconds since 1970 in UTC",
        )
    if len(draft.source) > _LONGEST or len(draft.subject) > _LONGEST:
        raise BadValue(
            "the source or the subject is too long",
            code="source.long",
            remedy=f"at most {_LONGEST} characters",
        )
    try:
        text = _encoder.encode(draft.body)
        draft.source.encode()
        _decoder(kind.body).decode(text)
    except msgspec.ValidationError as error:
        raise kind.wrong(error) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise BadValue(
            f"{draft.kind}: a text or a number in it cannot be written down",
            code="fact.body",
            remedy="whole characters only, and numbers below 2⁵³",
        ) from error
