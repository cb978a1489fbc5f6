"""Public keys as others write them, and where private ones may be."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, Key, SSlibKey

from driveaway.values.errors import BadValue


def public_key(pem: bytes) -> Key:
    """A public key (ed25519, ECDSA P-256 or P-384, RSA-PSS) from PEM, as ``openssl pkey -pubout`` writes it.

    Raises:
        BadValue: it is no such key.
    """
    try:
        key: Key = SSlibKey.from_crypto(load_pem_public_key(pem))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadValue(
            "this is no public key that can verify",
            code="updates.public_key",
            remedy="give the public half in PEM: ed25519, ECDSA P-256 or P-384, or RSA",
        ) from error
    return key


def check_uri(uri: str) -> None:
    """Refuse a URI by which no private key can be reached.

    Raises:
        BadValue: its scheme is not known.
    """
    scheme, colon, _ = uri.partition(":")
    if not colon or scheme not in SIGNER_FOR_URI_SCHEME:
        # Not the URI itself: it may hold a secret.
        raise BadValue(
            "no private key can be reached by this URI",
            code="updates.key_uri",
            remedy=f"it begins with one of {', '.join(f'{known}:' for known in SIGNER_FOR_URI_SCHEME)}",
        )
