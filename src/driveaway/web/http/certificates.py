"""Client certificates: whom they name, and the hash by which their issuer is known."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

# The string types whose content is compared without regard to case and runs of blanks (RFC 5280 §7.1).
_FOLDED: Final = frozenset({12, 19, 20, 22, 26, 28, 30})
_UTF8: Final = 12


class Identity(NamedTuple):
    """Whom a certificate names (its common name, "" without exactly one), and its issuer's hash."""

    name: str
    issuer_hash: str


@lru_cache(maxsize=4096)
def identity(der: bytes) -> Identity:
    """What a verified certificate says.

    Raises:
        ValueError: not a certificate.
    """
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = names[0].value if len(names) == 1 else ""
    return Identity(name if isinstance(name, str) else "", issuer_hash(certificate.issuer))


def issuer_hash(name: x509.Name) -> str:
    """The hash of a name that ``openssl x509 -issuer_hash`` prints (OpenSSL's X509_NAME_hash_ex).

    SHA-1 over the name's relative parts in DER, each text in UTF-8, folded; its first four bytes, the least
    significant one first.
    """
    parts: list[bytes] = []
    for relative in name.rdns:
        attributes = sorted(_attribute(attribute) for attribute in relative)
        parts.append(_tagged(0x31, b"".join(attributes)))
    digest = sha1(b"".join(parts), usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _attribute(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    kind = attribute._type.value
    value = attribute.value
    if isinstance(value, str) and kind in _FOLDED:
        text = _tagged(_UTF8, _folded(value).encode())
    else:
        content = value.encode() if isinstance(value, str) else value
        text = _tagged(kind, content)
    return _tagged(0x30, _oid(attribute.oid.dotted_string) + text)


def _folded(text: str) -> str:
    """Without blanks around it, runs of blanks as one, ASCII letters in lower case."""
    blanks = " \t\n\v\f\r"
    words = "".join(" " if letter in blanks else letter for letter in text).split(" ")
    return "".join(c.lower() if c.isascii() else c for c in " ".join(word for word in words if word))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = b"".join(_base128(number) for number in (40 * first + second, *rest))
    return _tagged(0x06, content)


def _base128(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
