"""Canonical bytes of a fact, and its salted leaf.

Canonical bytes are JSON with sorted keys and no white space (the form of RFC 8785 for the
types used here), over everything that was recorded except ``seq``, which is the leaf's place in
the tree. The body is encoded once, on the way in; what is stored is what was hashed.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from driveaway.facts.base import Body

_encoder = msgspec.json.Encoder(order="sorted")
NOTHING = "{}"


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """Alphabetical by design: msgspec writes fields in the order of their definition."""

    body: msgspec.Raw
    happened: int
    kind: str
    personal: msgspec.Raw
    recorded: int
    replaces: int | None
    simulated: bool
    source: str
    subject: str
    version: int


def encode_body(body: Body) -> tuple[str, str]:
    """A body as (public, personal) canonical JSON; ``{}`` where there is nothing personal."""
    names = body.personal
    if not names:
        return _encoder.encode(body).decode(), NOTHING
    personal = {name: value for name in names if (value := getattr(body, name)) is not None}
    if not personal:
        return _encoder.encode(body).decode(), NOTHING
    public = msgspec.structs.replace(body, **dict.fromkeys(names))
    return _encoder.encode(public).decode(), _encoder.encode(personal).decode()


def canonical(
    kind: str,
    version: int,
    subject: str,
    happened: int,
    recorded: int,
    source: str,
    replaces: int | None,
    simulated: bool,
    body: str,
    personal: str,
) -> bytes:
    """The bytes that the leaf commits to."""
    return _encoder.encode(
        _Envelope(
            msgspec.Raw(body),
            happened,
            kind,
            msgspec.Raw(personal),
            recorded,
            replaces,
            simulated,
            source,
            subject,
            version,
        )
    )


def leaf(salt: bytes, content: bytes) -> bytes:
    """SHA-256(0x00 ‖ SHA-256(salt ‖ content)): a leaf of RFC 9162, section 2.1.1.

    The inner hash hides the content of an erased fact: without its 16-byte salt
    nobody can test a guess.
    """
    return sha256(b"\x00" + sha256(salt + content).digest()).digest()
