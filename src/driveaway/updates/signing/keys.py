"""The keys that sign: where each private key is, who holds it, and how to reach it.

A ring is a file ``keys.json`` of public keys and of the URIs by which securesystemslib reaches
the private ones: ``hsm:`` (PKCS#11), ``awskms:``, ``gcpkms:``, ``azurekms:``, ``hv:`` (Vault) and more.
A private key in a file (``file2:``) is for demonstrations and tests, and refused unless it is forced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Key, Signer

from driveaway.updates.signing.folder import write_whole
from driveaway.updates.signing.roles import held
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable

RING: Final = "keys.json"
FILES: Final = "file2"
Secret = Callable[[str], str]
"""Asks for the secret of this name, such as a PIN; what it returns is never kept, shown or logged."""
_GENERATORS: Final[Mapping[str, Callable[[], CryptoSigner]]] = {
    "ed25519": CryptoSigner.generate_ed25519,
    "ecdsa": CryptoSigner.generate_ecdsa,
    "rsa": CryptoSigner.generate_rsa,
}


class _Kept(msgspec.Struct, frozen=True):
    holder: str
    keyid: str
    public: dict[str, Any]
    uri: str


class KeyRing:
    """Keys by name. It holds public keys and the way to private ones, never a secret.

    Raises:
        BadValue: the ring's file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / RING
        self._keys: dict[str, _Kept] = {}
        if self._file.exists():
            try:
                self._keys = msgspec.json.decode(self._file.read_bytes(), type=dict[str, _Kept])
            except msgspec.DecodeError as error:
                raise BadValue(str(error), code="updates.keys", place=str(self._file)) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def holder(self, name: str) -> str:
        """Account name of who holds a key; "" for a worker's."""
        return self._kept(name).holder

    def place(self, name: str) -> str:
        """Scheme of the URI by which the private half is reached, such as ``hsm``; "": it is not here."""
        return self._kept(name).uri.partition(":")[0]

    def public(self, name: str) -> Key:
        """The public key, with its holder."""
        kept = self._kept(name)
        try:
            key = Key.from_dict(kept.keyid, dict(kept.public))
        except (ValueError, KeyError, TypeError) as error:
            raise BadValue(
                f"key {name} cannot be read: {error}", code="updates.keys", place=str(self._file)
            ) from error
        return held(key, kept.holder) if kept.holder else key

    def add(self, name: str, holder: str, uri: str, public: Key) -> None:
        """Register a key whose private half exists already: in a security module, a key service, elsewhere.

        Args:
            name: of the key.
            holder: account name of its holder; "" for a worker's.
            uri: by which the private half is reached; "": only its holder has it.
            public: the public half.

        Raises:
            BadValue: the name is taken.
        """
        if name in self._keys:
            raise BadValue(f"there is a key {name} already", code="updates.keys", remedy="take another name")
        self._keys[name] = _Kept(holder, public.keyid, public.to_dict(), uri)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, msgspec.json.format(msgspec.json.encode(self._keys, order="sorted")))

    def generate(self, name: str, holder: str, *, kind: str = "ed25519", passphrase: str = "") -> None:
        """Make a key in a file beside the ring: for demonstrations and tests.

        Args:
            name: of the key.
            holder: account name of its holder; "" for a worker's.
            kind: ``ed25519``, ``ecdsa`` (P-256) or ``rsa`` (3072 bits, PSS).
            passphrase: encrypts the file; "": it is not encrypted.
        """
        if kind not in _GENERATORS:
            raise BadValue(
                f"{kind!r} is no kind of key", code="updates.keys", remedy=f"one of {', '.join(_GENERATORS)}"
            )
        path = (self._file.parent / f"{name}.pem").resolve()
        if name in self._keys or path.exists():
            raise BadValue(f"there is a key {name} already", code="updates.keys", remedy="take another name")
        signer = _GENERATORS[kind]()
        protection: KeySerializationEncryption = NoEncryption()
        if passphrase:
            protection = BestAvailableEncryption(passphrase.encode())
        private = load_pem_private_key(signer.private_bytes, None)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made for its owner alone before anything is in it.
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(pem)
        self.add(name, holder, f"{FILES}:{path}", signer.public_key)

    def signer(self, name: str, secret: Secret | None = None, *, files: bool = False) -> Signer:
        """What signs with a key.

        Args:
            name: of the key.
            secret: asks for a PIN or passphrase where one is needed.
            files: forces the use of private keys that lie in files.

        Raises:
            NotFound: no key has this name.
            Refused: it lies in a file and is not forced, or others may read that file.
            Unavailable: it cannot be reached.
        """
        kept, key = self._kept(name), self.public(name)
        if not kept.uri:
            raise Unavailable(
                f"of key {name} only the public half is here",
                code="updates.key_unavailable",
                remedy="sign where its holder has it: driveaway release export, sign-file, take",
            )
        try:
            if kept.uri.partition(":")[0] == FILES:
                return _from_file(name, Path(kept.uri.partition(":")[2]), key, secret, files)
            return Signer.from_priv_key_uri(kept.uri, key, secret)
        except (Refused, BadValue):
            raise
        except Exception as error:  # noqa: BLE001 - drivers of keys raise what they like
            # Not what the driver says: it may repeat a secret.
            raise Unavailable(
                f"key {name} cannot be reached: {type(error).__name__}",
                code="updates.key_unavailable",
                remedy="check its URI, its driver and the secret given",
            ) from None

    def _kept(self, name: str) -> _Kept:
        if name not in self._keys:
            raise NotFound(
                f"there is no key {name!r}",
                code="updates.key_unknown",
                place=str(self._file),
                remedy=f"known: {', '.join(self._keys) or 'none'}",
            )
        return self._keys[name]


def _from_file(name: str, path: Path, key: Key, secret: Secret | None, forced: bool) -> Signer:
    if not forced:
        raise Refused(
            f"key {name} lies in a file",
            code="updates.file_key",
            place=str(path),
            remedy="use a security module or a key service; files are for demonstrations and must be forced",
        )
    if path.stat().st_mode & (S_IRWXG | S_IRWXO):
        raise Refused(
            f"others may read key {name}", code="updates.file_key", place=str(path), remedy="chmod 600"
        )
    pem = path.read_bytes()
    passphrase = None
    if b"ENCRYPTED" in pem.partition(b"\n")[0]:
        if secret is None:
            raise Refused(f"key {name} is encrypted", code="updates.key_secret", remedy="give its passphrase")
        passphrase = secret(f"passphrase of {name}").encode()
    return CryptoSigner(load_pem_private_key(pem, passphrase), key)  # type: ignore[arg-type]
