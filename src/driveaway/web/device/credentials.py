"""What a car shows for itself: tokens, a certificate through a trusted proxy or over TLS itself."""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b
from typing import Final, Literal

from driveaway.updates.ddi.credentials import NOTHING, Credential
from driveaway.web.device.options import DoorOptions
from driveaway.web.http.certificates import identity
from driveaway.web.http.errors import HttpError
from driveaway.web.http.protocol import TLS
from driveaway.web.http.scope import Headers, Scope

_TOKENS: Final[dict[str, Literal["target-token", "gateway-token"]]] = {
    "targettoken": "target-token",
    "gatewaytoken": "gateway-token",
}
_MOST_AUTHORITIES: Final = 32


class Credentials:
    """Reads what is shown; digests it, so that nothing secret is remembered."""

    def __init__(self, options: DoorOptions) -> None:
        self._tenant = options.tenant
        self._controller = options.controller_header.lower().encode()
        self._authority = options.authority_header.lower().encode()
        # -0, -1, … as hawkBit has them.
        self._authorities = re.compile(re.escape(self._authority) + rb"(?:-[0-9]{1,3})?")
        self._secret = secrets.token_bytes(32)

    def proof(self, parts: bytes) -> bytes:
        """A digest of what was shown, of use in this process alone."""
        return blake2b(parts, digest_size=16, key=self._secret).digest()

    def shown(self, scope: Scope, headers: Headers, through_proxy: bool) -> tuple[bytes, list[Credential]]:
        """All that is shown: its digest, and what the room is asked about, one after the other.

        Headers about a certificate count only ``through_proxy``, a trusted one; else they are not there.

        Raises:
            HttpError: a header that may stand once stands twice.
        """
        if b"authorization" in headers.doubled or self._controller in headers.doubled:
            raise HttpError("credentials were shown twice", code="http.bad_request", remedy="show them once")
        found: list[Credential] = []
        parts = [headers.get(b"authorization") or ""]
        tls = (scope.get("extensions") or {}).get(TLS)
        if tls is not None:
            try:
                name, issuer = identity(tls["client_cert"])
            except ValueError:
                name = issuer = ""
            if name:
                found.append(Credential("certificate", name, (issuer,)))
                parts += ["tls", name, issuer]
        named = headers.get(self._controller) if through_proxy else None
        if named:
            hashes = tuple(
                part.strip().lower()
                for header in sorted(headers.names())
                if self._authorities.fullmatch(header)
                for part in (headers.get(header) or "").split(",")
                if part.strip()
            )[:_MOST_AUTHORITIES]
            found.append(Credential("certificate", named, hashes))
            parts += ["proxy", named, *hashes]
        scheme, _, token = parts[0].partition(" ")
        kind = _TOKENS.get(scheme.lower())
        if kind is not None and token.strip():
            found.append(Credential(kind, token.strip()))
        if not found:
            found.append(NOTHING)
        return self.proof("\0".join(parts).encode("utf-8", "surrogatepass")), found

    def challenge(self) -> HttpError:
        """What who showed nothing valid is told."""
        schemes = b'TargetToken realm="%s"' % self._tenant.encode()
        return HttpError(
            "no valid credential for this car",
            code="http.unauthenticated",
            remedy="send the car's own token, or a certificate that names it",
            headers=((b"www-authenticate", schemes),),
        )
