"""Where private keys may lie, and that nothing of them shows."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, Signature, Signer

from driveaway.updates.signing.keys import KeyRing
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.roles import Roles, Rule, holder_of
from driveaway.updates.signing.verifying import Trust
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable
from tests.conformance.tuf.maker import AT

SECRET = "open sesame"


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys")


def test_a_key_in_a_file_is_refused_unless_forced(ring: KeyRing) -> None:
    ring.generate("anna-root", "anna")
    with pytest.raises(Refused, match=r"updates\.file_key"):
        ring.signer("anna-root")
    signer = ring.signer("anna-root", files=True)
    assert signer.public_key.keyid == ring.public("anna-root").keyid
    assert holder_of(signer.public_key) == "anna"


def test_others_may_not_read_the_file(ring: KeyRing, tmp_path: Path) -> None:
    ring.generate("anna-root", "anna")
    file = tmp_path / "keys" / "anna-root.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    with pytest.raises(Refused, match="others may read"):
        ring.signer("anna-root", files=True)


def test_an_encrypted_key_asks_for_its_passphrase(
    ring: KeyRing, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    ring.generate("anna-root", "anna", passphrase=SECRET)
    asked = []

    def right(name: str) -> str:
        asked.append(name)
        return SECRET

    with pytest.raises(Refused, match=r"updates\.key_secret"):
        ring.signer("anna-root", files=True)
    assert ring.signer("anna-root", right, files=True)
    assert asked == ["passphrase of anna-root"]
    with pytest.raises(Unavailable) as caught:
        ring.signer("anna-root", lambda name: SECRET + "!", files=True)
    said = str(caught.value) + repr(caught.value.__cause__) + caplog.text + "".join(capsys.readouterr())
    said += "".join(path.read_text() for path in (tmp_path / "keys").iterdir())
    assert SECRET not in said


def test_the_ring_holds_no_private_key(ring: KeyRing, tmp_path: Path) -> None:
    ring.generate("anna-root", "anna")
    assert "PRIVATE" in (tmp_path / "keys" / "anna-root.pem").read_text()
    assert "PRIVATE" not in (tmp_path / "keys" / "keys.json").read_text()


def test_other_uris_are_handed_to_their_drivers(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A security module gets the URI, the public key and the way to ask for its PIN."""
    inner = CryptoSigner.generate_ecdsa()

    class Module(Signer):
        def __init__(self, uri: str, pin: str) -> None:
            self.seen = (uri, pin)

        @classmethod
        def from_priv_key_uri(
            cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None
        ) -> Module:
            assert callable(secrets_handler)
            return cls(priv_key_uri, secrets_handler("pin"))

        @property
        def public_key(self) -> Key:
            return inner.public_key

        def sign(self, payload: bytes) -> Signature:
            return inner.sign(payload)

    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "hsm", Module)
    ring.add("anna-root", "anna", "hsm:2?label=token", inner.public_key)
    signer = ring.signer("anna-root", lambda name: f"<{name}>")
    assert isinstance(signer, Module)
    assert signer.seen == ("hsm:2?label=token", "<pin>")


@pytest.mark.parametrize("uri", ["hsm:2?label=none", "unknown:1", "awskms:arn"])
def test_a_key_that_cannot_be_reached_says_so(ring: KeyRing, uri: str) -> None:
    ring.add("anna-root", "anna", uri, CryptoSigner.generate_ecdsa().public_key)
    with pytest.raises(Unavailable, match=r"updates\.key_unavailable"):
        ring.signer("anna-root", lambda name: SECRET)


def test_names_are_taken_once(ring: KeyRing, tmp_path: Path) -> None:
    ring.generate("anna-root", "anna")
    with pytest.raises(BadValue):
        ring.generate("anna-root", "anna")
    with pytest.raises(BadValue):
        ring.add("anna-root", "anna", "hsm:", CryptoSigner.generate_ecdsa().public_key)
    with pytest.raises(BadValue):
        ring.generate("ben-root", "ben", kind="dsa")
    with pytest.raises(NotFound):
        ring.signer("ben-root")
    (tmp_path / "keys" / "keys.json").write_text("{")
    with pytest.raises(BadValue):
        KeyRing(tmp_path / "keys")


def test_every_kind_of_key_signs_a_repository_that_a_car_believes(ring: KeyRing, tmp_path: Path) -> None:
    kinds = {"anna-root": "rsa", "ben-root": "ecdsa", "carl-targets": "ecdsa", "dora-targets": "ed25519"}
    for name, kind in kinds.items():
        ring.generate(name, name.partition("-")[0], kind=kind)
    for name in ("snapshot", "timestamp"):
        ring.generate(name, "")
    again = KeyRing(tmp_path / "keys")  # as read from its file

    def rule(threshold: int, *names: str) -> Rule:
        return Rule(tuple(again.public(name) for name in names), threshold)

    roles = Roles(
        rule(2, "anna-root", "ben-root"), rule(2, "carl-targets", "dora-targets"),
        rule(1, "snapshot"), rule(1, "timestamp"),
    )  # fmt: skip
    signers = [again.signer(name, files=True) for name in again]
    repository = Repository.create(tmp_path / "repository", roles, signers, AT)
    root = (repository.metadata / "1.root.json").read_bytes()
    assert Trust(tmp_path / "car", root).bundled(repository.bundle(), AT)
