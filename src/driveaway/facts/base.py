"""What every fact has in common: body, draft (asked for), fact (recorded)."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=200)]
"""A short text: a trim, a colour, a city, a reason."""
PlainName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
"""A short text from outside, without the one character that PostgreSQL cannot hold (U+0000)."""
Text = Annotated[str, Meta(max_length=4000)]
"""A longer text, such as what was said."""
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""Whole things, metres, watt-hours, seconds: never negative."""
Money = Annotated[int, Meta(ge=0, le=2**53)]
"""Integer minor units (fen, cents); a repayment is a fact of its own."""
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
"""ISO 4217."""
Province = Annotated[str, Meta(pattern="^[0-9]{6}$")]
"""GB/T 2260 six-digit code of a province, or of a foreign region as the launch lists it."""
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""A calendar day in the launch's zone."""


class Body(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False
):
    """What one kind of fact says. Fields left at their default are not written.

    Facts never form cycles, so that the garbage collector need not walk them.

    Attributes of the class (not of the fact):
        personal: fields that are kept apart and shredded when the subject is erased.
    """

    personal: ClassVar[frozenset[str]] = frozenset()


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A body and its canonical JSON, made beside where the body was read.

    Attributes:
        body: the body that was encoded; the texts hold for this very object and no other.
        public: what is not personal.
        personal: what is personal, ``{}`` where nothing is.
    """

    body: Body
    public: str
    personal: str


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A fact that somebody asks to record.

    Attributes:
        kind: name of the kind, such as ``order.locked``.
        subject: what it is about: order id, VIN, or slug.
        happened: valid time, microseconds since 1970 UTC.
        body: what it says.
        source: where it comes from (CloudEvents source and id, unique); "" makes a fresh one.
        replaces: ``seq`` of the fact that this one corrects, if any.
        simulated: True when it was made up by the demo.
        place: where it stands in an import, for error reports only.
        encoded: the body's canonical JSON, where the reader of a file made it already.
    """

    kind: str
    subject: str
    happened: int
    body: Body
    source: str = ""
    replaces: int | None = None
    simulated: bool = False
    place: str = ""
    encoded: Encoded | None = None


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A recorded fact.

    Attributes:
        seq: order of recording, 1, 2, 3 … without a gap.
        recorded: transaction time, microseconds since 1970 UTC, never falling.
        version: version of the kind under which it was written.
        body: what it says, lifted to the kind's newest version; None once erased
            when nothing but personal fields were in it.
        (the others as in Draft)
    """

    seq: int
    kind: str
    version: int
    subject: str
    happened: int
    recorded: int
    source: str
    replaces: int | None
    simulated: bool
    body: Body
    erased: bool = False
