"""A car's signed report of what it runs, as it travels; the server's and the car's word for it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Signed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A report and its signature, as they travel beside a car's attributes.

    ``report`` is the JSON text of a ``Report``, exactly as signed; ``signature`` is ed25519 over its UTF-8
    bytes, in hexadecimal digits.
    """

    report: Annotated[str, Meta(max_length=16_384)]
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """What a car runs.

    ``counter`` rises with every report, ``time`` is the car's clock in milliseconds since 1970 UTC.
    """

    controller_id: str
    counter: Annotated[int, Meta(ge=1, lt=2**53)]
    time: int
    attributes: dict[str, str]
