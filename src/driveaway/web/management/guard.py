"""Who asks: name and password (RFC 7617), checked by the accounts; who fails often is slowed down."""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict
from hashlib import blake2b
from math import ceil
from secrets import token_bytes
from typing import Final
from urllib.parse import urlsplit

from driveaway.launch.accounts import MOST_PASSWORD, Account, Accounts
from driveaway.values.errors import Refused
from driveaway.web.device.asking import Room
from driveaway.web.http.errors import HttpError
from driveaway.web.http.limits import Buckets
from driveaway.web.http.scope import Headers
from driveaway.web.management.options import Limits

_TENANT: Final = "default\\"
_MOST: Final = 1_000


class Guard:
    """Authentication.

    An address whose logins fail is slowed down; credentials that were right in this process pass
    nevertheless, so that nobody locks out others behind one address.
    """

    def __init__(self, accounts: Accounts, limits: Limits) -> None:
        self._accounts = accounts
        # Two at a time: checking a password takes memory and a core for itself.
        self._room = Room(2, limits.logins)
        self._failures = Buckets(limits.failures)
        self._key = token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()

    def close(self) -> None:
        """Let the threads end."""
        self._room.close()

    async def account(self, headers: Headers, address: str) -> Account:
        """Whose name and password were sent.

        Raises:
            HttpError: none that are right (401), or too many that were wrong (429).
        """
        shown = _shown(headers)
        if shown is None:
            raise _challenge()
        name, password = shown
        proof = blake2b(f"{name}\0{password}".encode(), digest_size=16, key=self._key).digest()
        now = time.monotonic()
        if proof not in self._right:
            wait = self._failures.empty(address, now)
            if wait:
                raise _too_many(wait)
        found = await self._room.ask(self._accounts.verify, name, password)
        if found is None:
            self._right.pop(proof, None)
            wait = self._failures.take(address, time.monotonic())
            raise _too_many(wait) if wait else _challenge()
        self._right[proof] = None
        self._right.move_to_end(proof)
        if len(self._right) > _MOST:
            self._right.popitem(last=False)
        return found


def _shown(headers: Headers) -> tuple[str, str] | None:
    if b"authorization" in headers.doubled:
        raise HttpError("credentials were shown twice", code="http.bad_request", remedy="show them once")
    scheme, _, encoded = (headers.get(b"authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(":")
    # Tools of hawkBit may name the tenant before the account.
    if name.lower().startswith(_TENANT):
        name = name[len(_TENANT) :]
    return (name, password) if colon and len(password) <= MOST_PASSWORD and len(name) <= 64 else None


def check_origin(headers: Headers, base: str) -> None:
    """Refuse what a page of another site makes a browser send, with the password that it remembers.

    Raises:
        Refused: it comes from elsewhere.
    """
    site = headers.get(b"sec-fetch-site")
    origin = headers.get(b"origin")
    foreign = site in ("cross-site", "same-site")
    if origin is not None:
        foreign = foreign or urlsplit(origin).netloc.lower() != urlsplit(base).netloc.lower()
    if foreign:
        raise Refused(
            "another site's page asks this", code="management.origin", remedy="ask without a browser"
        )


def _challenge() -> HttpError:
    return HttpError(
        "no valid name and password",
        code="http.unauthenticated",
        remedy="send those of an account; see driveaway account",
        headers=((b"www-authenticate", b'Basic realm="driveaway", charset="UTF-8"'),),
    )


def _too_many(wait: float) -> HttpError:
    return HttpError(
        "too many logins failed",
        code="http.too_many",
        remedy="wait, and look at the name and password",
        headers=((b"retry-after", b"%d" % max(1, ceil(wait))),),
    )
