"""The availability policy of one function, as it travels in signed metadata."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from driveaway.updates.gates.expression import Gate, checked, decode_as, places_of
from driveaway.updates.gates.position import Limits
from driveaway.updates.places.place import SCALE, Place
from driveaway.values.errors import BadValue

FUNCTION: Final = r"^[a-z][a-z0-9_]{0,63}$"
LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a policy that a car reads; ten cities take 30 kB."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where, for which cars and since when a function may be switched on.

    Attributes:
        function: its slug.
        gate: what must hold.
        places: polygons of all places that the gate names, sorted by code.
        limits: how positions are believed and leaving is announced.
        form: of this structure.
    """

    function: Annotated[str, Meta(pattern=FUNCTION)]
    gate: Gate
    places: tuple[Place, ...] = ()
    limits: Limits = Limits()
    form: Literal[1] = 1


def encode_policy(policy: Policy) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. These are the bytes to sign."""
    return msgspec.json.encode(policy, order="sorted")


def decode_policy(text: bytes) -> Policy:
    """Read a policy whose signature was verified.

    Raises:
        BadValue: not a policy, too large, or without a polygon that its gate needs.
    """
    if len(text) > LARGEST:
        raise BadValue(
            f"a policy of {len(text):,} bytes", code="gate.policy", remedy=f"at most {LARGEST:,} are read"
        )
    policy: Policy = decode_as(text, Policy)
    checked(policy.gate)
    if tuple(place.code for place in policy.places) != places_of(policy.gate):
        raise BadValue(
            "the polygons are not those of the places that the gate names",
            code="gate.policy",
            remedy="make the policy anew",
        )
    for place in policy.places:
        for polygon in place.polygons:
            for ring in polygon:
                if len(ring) < 3 or any(abs(x) > 180 * SCALE or abs(y) > 90 * SCALE for x, y in ring):
                    raise BadValue(
                        f"{place.code} has a ring that is none",
                        code="gate.policy",
                        remedy="make the policy anew",
                    )
    return policy
