"""Whether a car is who it says: tokens, gateways and certificates, as the launch allows them."""

from __future__ import annotations

import hmac
from threading import Lock
from typing import Final, Literal

import msgspec

from driveaway.book.state.state import Reading
from driveaway.updates.configuration import Configuration

_MOST: Final = 1_000_000


class Credential(msgspec.Struct, frozen=True):
    """What a car showed.

    Attributes:
        kind: its own token, a gateway's, a certificate that was verified before us, or nothing.
        value: the token; of a certificate the controller id that it was issued to.
        authorities: hashes of the certificate's issuers (``openssl x509 -issuer_hash``).
    """

    kind: Literal["target-token", "gateway-token", "certificate", "none"]
    value: str = ""
    authorities: tuple[str, ...] = ()


NOTHING: Final = Credential("none")


class Gate:
    """Judges credentials; the tokens of cars are read once and kept until they change."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._tokens: dict[str, str] = {}
        self._lock = Lock()
        self._forgotten = 0

    def forget(self, controller_id: str) -> None:
        """A car's token may have changed."""
        with self._lock:
            self._forgotten += 1
            self._tokens.pop(controller_id, None)

    def forget_all(self) -> None:
        """Every token may have changed."""
        with self._lock:
            self._forgotten += 1
            self._tokens.clear()

    def admits(
        self, configuration: Configuration, controller_id: str, credential: Credential, *, download: bool
    ) -> bool:
        """Whether who shows this may speak for the car; ``download``: only fetch an artifact for it."""
        if configuration.enabled("authentication.anonymous.enabled"):
            return True
        if download and configuration.enabled("anonymous.download.enabled"):
            return True
        match credential.kind:
            case "target-token":
                return configuration.enabled("authentication.targettoken.enabled") and _same(
                    credential.value, self._token(controller_id)
                )
            case "gateway-token":
                return configuration.enabled("authentication.gatewaytoken.enabled") and _same(
                    credential.value, configuration.text("authentication.gatewaytoken.key")
                )
            case "certificate":
                return (
                    configuration.enabled("authentication.header.enabled")
                    and _same(credential.value, controller_id)
                    and _known(credential.authorities, configuration.text("authentication.header.authority"))
                )
            case "none":
                return False

    def _token(self, controller_id: str) -> str:
        found = self._tokens.get(controller_id)
        if found is None:
            forgotten = self._forgotten
            rows = self._reading.rows(
                "SELECT security_token FROM targets WHERE controller_id = :controller_id",
                controller_id=controller_id,
            )
            if not rows:
                return ""
            found = str(rows[0][0])
            with self._lock:
                # What was read before something was forgotten may be old.
                if forgotten == self._forgotten and len(self._tokens) < _MOST:
                    self._tokens[controller_id] = found
        return found


def _same(given: str, wanted: str) -> bool:
    """Compared in constant time; nothing equals what is not there."""
    return bool(wanted) and hmac.compare_digest(
        given.encode(errors="surrogatepass"), wanted.encode(errors="surrogatepass")
    )


def _known(authorities: tuple[str, ...], configured: str) -> bool:
    trusted = {one.strip().lower() for one in configured.replace(";", ",").split(",")} - {""}
    return any(authority.strip().lower() in trusted for authority in authorities)
