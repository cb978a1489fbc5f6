"""Signed reports of what a car runs: where a car can sign, only these count as truth.

The maker enters the public half of the car's key as its note ``report.key`` (64 hexadecimal digits,
ed25519, RFC 8032). From then on what the car says unsigned about its release, versions and hardware is
passed over, so that neither a stolen token nor a server in between can make an update look installed.
What is signed is the vehicle's version manifest of the Uptane Standard (2.1.0, 5.4.2.1), of one primary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from driveaway.book.state.state import Change
from driveaway.updates import labels, registry
from driveaway.updates.registry import Mode
from driveaway.updates.signed_report import Report, Signed
from driveaway.values.errors import BadValue, Refused

KEY: Final = "report.key"
"""Note on a car: the public key by which it signs."""
COUNTER: Final = "report.counter"
"""Note on a car: the counter of the last report that was taken."""
_CLAIMS: Final = frozenset({"release", "version", "hardware"})


def is_claim(key: str, version_attribute: str) -> bool:
    """Whether an attribute says what a car runs, or which control units it has."""
    return key in _CLAIMS or key == version_attribute or key.endswith(".version")


def admitted(
    change: Change,
    controller_id: str,
    given: Mapping[str, str | None],
    mode: Mode,
    signed: Signed | None,
    version_attribute: str,
    at: int,
) -> Mapping[str, str | None]:
    """Of the attributes that a car sends those that may be taken; all of them where it has no key.

    Args:
        change: where the report's counter is kept.
        controller_id: the car.
        given: what it sends unsigned.
        mode: what they do to those that are known.
        signed: its signed report; one that was taken already adds nothing.
        version_attribute: the key under which cars say their version.
        at: now.

    Raises:
        NotFound: there is no such car.
        Refused: the signature is not that of the car's key (``report.signature``), the report is about
            another car (``report.other_car``), or older than one that was taken (``report.replayed``).
        BadValue: it is signed and yet no report.
    """
    target = registry.target_named(change, controller_id)
    notes = labels.metadata(change, target.id)
    if KEY not in notes:
        return given
    open_: dict[str, str | None] = {
        key: value for key, value in given.items() if not is_claim(key, version_attribute)
    }
    known = registry.attributes(change, target.id)
    if mode is Mode.REPLACE:
        open_ |= {key: value for key, value in known.items() if is_claim(key, version_attribute)}
    if signed is None or mode is Mode.REMOVE:
        return open_
    report = _verified(signed, notes[KEY], controller_id)
    last = int(notes.get(COUNTER, "0"))
    if report.counter < last:
        raise Refused(
            f"a report of {controller_id} with counter {report.counter} comes after one with {last}",
            code="report.replayed",
            remedy="send the newest; a car that lost its counter needs a new key",
        )
    if report.counter > last:
        labels.set_metadata(change, controller_id, {COUNTER: str(report.counter)}, at)
        said = {key: value for key, value in report.attributes.items() if is_claim(key, version_attribute)}
        open_ |= said
    return open_


def check_unsigned(change: Change, controller_id: str) -> None:
    """Refuse an unsigned word on what a car runs where it can sign.

    Raises:
        Refused: the car has a key.
    """
    target = registry.target_named(change, controller_id)
    if KEY in labels.metadata(change, target.id):
        raise Refused(
            f"{controller_id} signs what it runs",
            code="report.unsigned",
            remedy="send a signed report with configData",
        )


def _verified(signed: Signed, key: str, controller_id: str) -> Report:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signed.signature), signed.report.encode())
    except (InvalidSignature, ValueError):
        raise Refused(
            f"the report is not signed by the key of {controller_id}",
            code="report.signature",
            remedy=f"compare the car's public key with its note {KEY}",
        ) from None
    try:
        report = msgspec.json.decode(signed.report, type=Report)
    except msgspec.DecodeError as error:
        raise BadValue(
            f"what is signed is no report: {error}"[:400],
            code="report.form",
            remedy="controller_id, counter, time and attributes",
        ) from None
    if report.controller_id != controller_id:
        raise Refused(
            f"the report is about {report.controller_id[:80]!r}",
            code="report.other_car",
            remedy="a car reports about itself",
        )
    return report
