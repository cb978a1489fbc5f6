"""What makes a message the receiver's to trust: its id, and a signature over id, time and body.

By the specification of Standard Webhooks 1.0.0 (github.com/standard-webhooks), symmetric scheme ``v1``:
HMAC-SHA256 of ``id.timestamp.body`` in Base64, with a secret of 24 to 64 bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
# All of visible ASCII but the percent sign, which escapes, and the full stop, which parts what is signed.
_PLAIN: Final = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}"


def new_secret() -> str:
    """A fresh secret, as receivers are given it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def message_id(source: str) -> str:
    """A fact's source as a header's value: full stops and whatever is no visible ASCII percent-encoded.

    Two sources never have the same id.
    """
    return quote(source, safe=_PLAIN).replace(".", "%2E")


def headers_of(secret: str, source: str, at: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message.

    Args:
        secret: as ``new_secret`` made it.
        source: of the fact.
        at: when it is sent, microseconds since 1970 UTC; in whole seconds in the header.
        body: what is sent.
    """
    message, seconds = message_id(source), str(at // 1_000_000)
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = hmac.digest(key, b".".join((message.encode(), seconds.encode(), body)), hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
