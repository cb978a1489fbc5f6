"""The attacks that TUF 1.0 (section 1.5.2) names, and those on its delegations, each with its defence.

An attack acts as the holder of a mirror, with the keys that it says, and returns when it worked. It
raises when it was withstood. Each knows how its defence is taken away: then it must work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
from securesystemslib.signer import Signer
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.ngclient import Updater
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from driveaway.updates.signing import admitting, verifying
from driveaway.updates.signing.entries import Release, target_of
from driveaway.updates.signing.roles import Period, Periods
from driveaway.updates.signing.verifying import Limits, Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import DriveawayError
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import LIDAR, MAPS, custom, entry, rule, signers
from tests.conformance.tuf.scene import FIRST, SECOND, Rules, Scene

EVIL = b"not what the maker built"
Sabotage = Callable[[pytest.MonkeyPatch], None]


class Withstood(Exception):
    """The car noticed, or went on unharmed, where no error of its own says so."""

    code = "withstood"


@dataclass(frozen=True)
class Attack:
    """An attack and its defence.

    Attributes:
        name: of the attack.
        run: carries it out.
        code: of the error that withstands it.
        without: takes the defence out of the code, and
        rules: takes it out of what maker and car choose; one of the two, or both.
        given: what is broken elsewhere, in both runs.
    """

    name: str
    run: Callable[[Scene], None]
    code: str
    without: Sabotage = lambda patch: None
    rules: Callable[[Rules], Rules] = lambda rules: rules
    given: Sabotage = lambda patch: None


ATTACKS: list[Attack] = []


def attack(code: str, **how: Any) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    def note(run: Callable[[Scene], None]) -> Callable[[Scene], None]:
        ATTACKS.append(Attack(run.__name__, run, code, **how))
        return run

    return note


# --- what an attacker does ------------------------------------------------------------------------


def forged(scene: Scene, name: str, keys: Iterable[Signer], change: Callable[[Any], None]) -> bytes:
    """A file of the repository, changed and signed by these keys alone."""
    document: Metadata[Any] = Metadata.from_bytes(scene.mirror.files[name])
    change(document.signed)
    document.signatures.clear()
    for signer in keys:
        document.sign(signer, append=True)
    return document.to_bytes()


def lead_to(
    scene: Scene,
    changed: dict[str, bytes],
    step: int = 1,
    *,
    online: Iterable[str] = ("snapshot", "timestamp"),
) -> None:
    """With stolen online keys: a snapshot and a timestamp, newer than all, that lead to these targets."""
    files, keys = scene.mirror.files, signers(*online)
    timestamp: Metadata[Timestamp] = Metadata.from_bytes(files["timestamp.json"])
    number = timestamp.signed.snapshot_meta.version

    def list_all(snapshot: Snapshot) -> None:
        snapshot.version += step
        for role, content in changed.items():
            version = Metadata.from_bytes(content).signed.version
            snapshot.meta[f"{role}.json"] = MetaFile.from_data(version, content, ["sha256"])
            files[f"{version}.{role}.json"] = content

    snapshot = forged(scene, f"{number}.snapshot.json", keys[:1], list_all)
    files[f"{number + step}.snapshot.json"] = snapshot

    def lead(signed: Timestamp) -> None:
        signed.version += step
        signed.snapshot_meta = MetaFile.from_data(number + step, snapshot, ["sha256"])

    files["timestamp.json"] = forged(scene, "timestamp.json", keys[1:], lead)


def evil_release(counter: int = 9) -> tuple[str, TargetFile]:
    """A release of one's own making."""
    path = "su7/9/os.swu"
    about = custom("os", counter, Release("su7", "9.0", {path: sha256(EVIL).hexdigest()}))
    return path, target_of(entry(path, EVIL, about))


def forge_targets(scene: Scene, *keys: str) -> str:
    """Targets with an own release, signed by these keys; gives its path."""
    path, target = evil_release()
    version = scene.repository.state().targets["targets"].signed.version

    def add(targets: Targets) -> None:
        targets.version += 1
        targets.targets[path] = target

    scene.mirror.payloads[path] = EVIL
    lead_to(scene, {"targets": forged(scene, f"{version}.targets.json", signers(*keys), add)})
    return path


# --- what takes a defence away --------------------------------------------------------------------


def never(*names: tuple[type, str]) -> Sabotage:
    """Methods that check nothing any more."""

    def do(patch: pytest.MonkeyPatch) -> None:
        for owner, name in names:
            patch.setattr(owner, name, lambda *args, **kwargs: None)

    return do


def forgets(patch: pytest.MonkeyPatch) -> None:
    """The car remembers nothing that it verified."""

    def nothing(self: Updater, role: str) -> bytes:
        raise OSError(role)

    patch.setattr(Updater, "_load_local_metadata", nothing)


def signed_only(self: TrustedMetadataSet, data: bytes, role: str, delegator: str) -> Targets:
    """Takes any version that is signed."""
    parent = self._trusted_set[delegator]
    assert isinstance(parent, (Root, Targets))
    targets, _, _ = self._load_data(Targets, data, parent, role)
    self._add(role, targets, delegator)
    return targets


def no_admission(patch: pytest.MonkeyPatch) -> None:
    """Installs what is signed, whatever belongs together."""
    patch.setattr(
        "tests.conformance.tuf.scene.admitted",
        lambda signed, paths, car, order: tuple(map(signed.entry, paths)),
    )


SIGNATURES = never((Root, "verify_delegate"), (Targets, "verify_delegate"))
HASHES = never((TargetFile, "verify_length_and_hashes"))


# --- software that nobody signed ------------------------------------------------------------------


@attack("updates.content", without=HASHES)
def arbitrary_software(scene: Scene) -> None:
    """A malicious mirror gives other bytes under a signed name."""
    for path in scene.first:
        scene.mirror.payloads[path] = EVIL
    scene.install(scene.first, FIRST)
    assert scene.disk["os"] == EVIL


@attack("updates.signature", without=SIGNATURES)
def arbitrary_metadata(scene: Scene) -> None:
    """The same, with metadata that the attacker signs with keys of its own."""
    path = forge_targets(scene, "ida", "jan")
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


@attack(
    "updates.unsigned_target",
    without=lambda patch: patch.setattr(DelegatedRole, "is_delegated_path", lambda *a: True),
)
def supplier_beyond_its_path(scene: Scene) -> None:
    """A supplier signs what is not under its own path."""
    path, target = evil_release()
    scene.mirror.payloads[path] = EVIL

    def add(targets: Targets) -> None:
        targets.version += 1
        targets.targets[path] = target

    lead_to(scene, {"supplier.lidar": forged(scene, "2.supplier.lidar.json", signers("gus", "hu"), add)})
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


# --- old software ---------------------------------------------------------------------------------


@attack("updates.rolled_back", without=forgets)
def rollback_of_the_timestamp(scene: Scene) -> None:
    old = dict(scene.mirror.files)
    scene.go_on()
    scene.install(scene.second, SECOND)
    scene.mirror.files = old
    scene.verify(SECOND)


@attack("updates.rolled_back", without=forgets)
def rollback_of_the_snapshot(scene: Scene) -> None:
    """With a stolen timestamp key: a new timestamp leads to an old snapshot."""
    old = dict(scene.mirror.files)
    scene.go_on()
    scene.install(scene.second, SECOND)
    version = Metadata[Timestamp].from_bytes(old["timestamp.json"]).signed.snapshot_meta

    def lead(timestamp: Timestamp) -> None:
        timestamp.version += 1
        timestamp.snapshot_meta = version

    scene.mirror.files["timestamp.json"] = forged(scene, "timestamp.json", signers("timestamp"), lead)
    scene.verify(SECOND)


@attack("updates.rolled_back", without=forgets)
def rollback_of_targets(scene: Scene) -> None:
    """With both online keys stolen: a new snapshot lists old targets."""
    version = scene.repository.state().targets["targets"].signed.version
    old = scene.mirror.files[f"{version}.targets.json"]
    scene.go_on()
    scene.install(scene.second, SECOND)
    lead_to(scene, {"targets": old})
    scene.verify(SECOND)


@attack("updates.rolled_back", without=lambda patch: patch.setattr(admitting, "_check_step", lambda *a: None))
def rollback_of_a_module(scene: Scene) -> None:
    """The server offers an older release, which is still signed."""
    scene.go_on()
    scene.install(scene.second, SECOND)
    scene.install(scene.first, SECOND)
    assert scene.disk["os"] == maker.payload("su7/1/os.swu")


@attack("updates.expired", without=lambda patch: patch.setattr(Signed, "is_expired", lambda *a: False))
def freeze(scene: Scene) -> None:
    """The mirror stands still, and the second release never comes."""
    scene.install(scene.first, FIRST)
    scene.verify(FIRST + 30 * DAY)


@attack(
    "withstood",
    rules=lambda rules: replace(rules, periods=Periods(*(Period(99 * 365 * 86_400, 86_400),) * 4)),
)
def drop_requests(scene: Scene) -> None:
    """Nothing is answered any more. The car cannot prevent that; it knows when it was kept back."""
    scene.install(scene.first, FIRST)
    scene.mirror.drops = True
    with pytest.raises(DriveawayError, match=r"updates\.unreachable"):
        scene.verify(SECOND)
    until = scene.trust.until
    assert until is not None
    if until < FIRST + 30 * DAY:
        raise Withstood


def _fast_forward_code(scene: Scene) -> None:
    if scene.rules.rotate:
        scene.repository.rotate(
            "recover", maker.roles(snapshot="snapshot2", timestamp="timestamp2"), by="ann", at=FIRST
        )
        maker.agree(scene.repository, "recover", FIRST, "ann", "ben")
    else:
        scene.repository.resign(FIRST)


@attack("withstood", rules=lambda rules: replace(rules, rotate=False))
def fast_forward(scene: Scene) -> None:
    """With stolen online keys: versions so high that nothing the maker publishes is ever newer again."""
    lead_to(scene, {}, step=2**31)
    scene.verify(FIRST)
    _fast_forward_code(scene)
    scene.go_on()
    with suppress(DriveawayError):
        scene.install(scene.second, SECOND)
        raise Withstood


# --- what does not belong together ----------------------------------------------------------------


def any_version(patch: pytest.MonkeyPatch) -> None:
    never((MetaFile, "verify_length_and_hashes"))(patch)
    patch.setattr(TrustedMetadataSet, "update_delegated_targets", signed_only)


@attack("updates.content", without=any_version)
def mix_and_match_of_metadata(scene: Scene) -> None:
    """Old targets under the new name: each signed, never together."""
    version = scene.repository.state().targets["targets"].signed.version
    old = scene.mirror.files[f"{version}.targets.json"]
    scene.go_on()
    scene.mirror.files[f"{version + 1}.targets.json"] = old
    scene.install(scene.first, SECOND)
    assert scene.disk["os"] == maker.payload("su7/1/os.swu")


@attack("updates.extraneous", without=no_admission)
def mix_and_match_of_releases(scene: Scene) -> None:
    """A lidar of the first release with everything else of the second."""
    scene.go_on()
    scene.install([*scene.second[:2], scene.first[2]], SECOND)
    assert scene.disk["lidar"] == maker.payload(scene.first[2])


@attack("updates.partial", without=no_admission)
def partial_bundle(scene: Scene) -> None:
    """A part of a release: the application without the operating system that it needs."""
    scene.install([scene.first[1]], FIRST)
    assert "os" not in scene.disk


@attack("updates.extraneous", without=no_admission)
def extraneous_dependency(scene: Scene) -> None:
    """Something more, signed once for another purpose."""
    scene.go_on(extra=("tools/radio.swu",))
    scene.install([*scene.second, "tools/radio.swu"], SECOND)
    assert "radio" in scene.disk


@attack(
    "updates.dependency", without=lambda patch: patch.setattr(admitting, "_check_dependency", lambda *a: None)
)
def wrong_dependency(scene: Scene) -> None:
    """A release whose application does not go with the operating system that the car has."""
    path = "su7/1.1/parking.swu"
    needs = (maker.Dependency("os", "2.0"),)
    whole = Release("su7", "1.1", {path: sha256(maker.payload(path)).hexdigest()})
    new = entry(path, maker.payload(path), custom("parking", 2, whole, dependencies=needs))
    scene.install(scene.first, FIRST)
    scene.repository.propose("parking", [new], by="dana", at=FIRST)
    maker.agree(scene.repository, "parking", FIRST, "dana", "eli")
    scene.sync()
    scene.install([path], SECOND)
    assert scene.car.modules["parking"].counter == 2


# --- too much, too slow ---------------------------------------------------------------------------


@attack(
    "updates.too_long", rules=lambda rules: replace(rules, limits=Limits(timestamp=1 << 26, bundle=1 << 26))
)
def endless_metadata(scene: Scene) -> None:
    """Blanks behind valid metadata: the signature still holds."""
    scene.mirror.padding = 17 << 20
    scene.verify(FIRST)


def any_length(patch: pytest.MonkeyPatch) -> None:
    """Writes whatever comes."""
    patch.setattr(verifying, "check_length", lambda received, entry: None)
    HASHES(patch)


@attack("updates.too_long", without=any_length)
def endless_payload(scene: Scene) -> None:
    verify = scene.verify

    def and_then_pad(at: int) -> verifying.Verified:
        verified = verify(at)
        scene.mirror.padding = 1 << 20
        return verified

    scene.verify = and_then_pad  # type: ignore[method-assign]
    scene.install(scene.first, FIRST)
    assert len(scene.disk["os"]) > 1 << 20


@attack("updates.slow", rules=lambda rules: replace(rules, patience=replace(rules.patience, start=1e9)))
def slow_retrieval(scene: Scene) -> None:
    """A few bytes at a time: never silent, never done."""
    scene.mirror.drips = True
    scene.verify(FIRST)


# --- stolen keys ----------------------------------------------------------------------------------


@attack("updates.signature", without=SIGNATURES)
def one_repository_compromised(scene: Scene) -> None:
    """All that stands online: the server, its files, and both of its keys, which sign targets as well."""
    path = forge_targets(scene, "snapshot", "timestamp")
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


@attack(
    "updates.signature",
    rules=lambda rules: replace(rules, roles=lambda: maker.roles(targets=rule(1, "dana", "eli", "fay"))),
)
def keys_below_the_threshold(scene: Scene) -> None:
    """The server with its online keys, and one of two keys of targets."""
    path = forge_targets(scene, "dana")
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


@attack("updates.signature", rules=lambda rules: replace(rules, rotate=False))
def revoked_keys(scene: Scene) -> None:
    """All keys of targets were stolen, and were rotated away since."""
    if scene.rules.rotate:
        scene.repository.rotate(
            "revoke", maker.roles(targets=rule(2, "gus", "hu", "jan")), by="ann", at=FIRST
        )
        maker.agree(scene.repository, "revoke", FIRST, "ann", "ben", "gus", "hu")
    else:
        scene.repository.rotate("revoke", None, by="ann", at=FIRST)
        maker.agree(scene.repository, "revoke", FIRST, "ann", "ben")
    scene.sync()
    scene.verify(FIRST)
    path = forge_targets(scene, "dana", "eli")
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


def _swap_root(scene: Scene, *keys: str) -> None:
    """A root of one's own making, in which the attacker's keys are those of targets."""

    def replace_keys(root: Root) -> None:
        root.version += 1
        for name in ("ida", "jan"):
            root.add_key(maker.key(name), "targets")
        root.roles["targets"].keyids = [maker.key(name).keyid for name in ("ida", "jan")]

    scene.mirror.files["2.root.json"] = forged(scene, "1.root.json", signers(*keys), replace_keys)


@attack(
    "updates.signature",
    rules=lambda rules: replace(rules, roles=lambda: maker.roles(root=rule(1, "ann", "ben", "cem"))),
)
def root_below_the_threshold(scene: Scene) -> None:
    """One of two root keys names other keys for everything."""
    _swap_root(scene, "ann")
    path = forge_targets(scene, "ida", "jan")
    scene.install([path], FIRST)
    assert scene.disk["os"] == EVIL


# --- delegations ----------------------------------------------------------------------------------


def trusts_by_name(patch: pytest.MonkeyPatch) -> None:
    """A client that verifies a role once, whoever delegates to it later."""
    patch.setattr(TrustedMetadataSet, "contains", lambda self, role, delegator: role in self._trusted_set)


@attack(
    "updates.unsigned_target",
    without=lambda patch: patch.setattr(DelegatedRole, "is_delegated_path", lambda *a: True),
)
def supplier_for_another_suppliers_path(scene: Scene) -> None:
    """A supplier, with its own valid keys, signs what is under another one's path."""
    path = "suppliers/maps/china.bin"

    def add(targets: Targets) -> None:
        targets.version += 1
        targets.targets[path] = target_of(entry(path, EVIL, custom("maps", 1)))

    lead_to(scene, {LIDAR.role: forged(scene, "2.supplier.lidar.json", signers("gus", "hu"), add)})
    assert scene.verify(FIRST).entry(path).sha256 == sha256(EVIL).hexdigest()


@attack("updates.signature", rules=lambda rules: replace(rules, rotate=False))
def revoked_keys_of_a_supplier(scene: Scene) -> None:
    """All keys of a supplier were stolen, and the maker has delegated to other ones since."""
    path = "suppliers/lidar/evil.bin"
    other = replace(LIDAR, rule=rule(2, "cem", "fay")) if scene.rules.rotate else LIDAR
    holders = ("cem", "fay") if scene.rules.rotate else ("gus", "hu")
    scene.repository.delegate("revoke", other, by="dana", at=FIRST)
    maker.agree(scene.repository, "revoke", FIRST, "dana", "eli", *holders)
    scene.sync()
    scene.verify(FIRST)
    version = scene.repository.state().targets[LIDAR.role].signed.version

    def add(targets: Targets) -> None:
        targets.version += 1
        targets.targets[path] = target_of(entry(path, EVIL, custom("lidar", 9)))

    stolen = forged(scene, f"{version}.supplier.lidar.json", signers("gus", "hu"), add)
    lead_to(scene, {LIDAR.role: stolen})
    assert scene.verify(FIRST).entry(path).sha256 == sha256(EVIL).hexdigest()


@attack("updates.rolled_back", without=forgets)
def rollback_of_a_suppliers_targets(scene: Scene) -> None:
    """With both online keys stolen: a new snapshot lists what a supplier signed before."""
    version = scene.repository.state().targets[LIDAR.role].signed.version
    old = scene.mirror.files[f"{version}.supplier.lidar.json"]
    scene.go_on()
    scene.install(scene.second, SECOND)
    lead_to(scene, {LIDAR.role: old})
    assert scene.verify(SECOND).entry(scene.first[2]).custom.counter == 1


def _forge_maps(scene: Scene, path: str, *keys: str) -> bytes:
    about = custom("maps", 1)

    def add(targets: Targets) -> None:
        targets.version += 1
        targets.targets[path] = target_of(entry(path, EVIL, about))

    return forged(scene, "1.supplier.maps.json", signers(*keys), add)


@attack("updates.signature", given=trusts_by_name, without=lambda patch: patch.setattr(verifying, "STEPS", 8))
def role_of_another_supplier(scene: Scene) -> None:
    """A supplier, with the online keys, delegates to another one's role with its own keys.

    A client that has verified the role for one delegator must not take it for the other.
    """
    path = "suppliers/maps/china.bin"
    wanted = scene.first[2]

    def delegate(targets: Targets) -> None:
        targets.version += 1
        del targets.targets[wanted]
        keys = {maker.key("gus").keyid: maker.key("gus")}
        role = DelegatedRole(MAPS.role, list(keys), 1, True, [LIDAR.path])
        targets.delegations = Delegations(keys, {MAPS.role: role})

    lidar = forged(scene, "2.supplier.lidar.json", signers("gus", "hu"), delegate)
    lead_to(scene, {LIDAR.role: lidar, MAPS.role: _forge_maps(scene, path, "gus")})
    verified = scene.verify(FIRST)
    with suppress(DriveawayError):
        verified.entry(wanted)
    assert verified.entry(path).sha256 == sha256(EVIL).hexdigest()


def trusts_its_cache(patch: pytest.MonkeyPatch) -> None:
    """A client that does not verify again what it kept, whoever delegates to it by now."""
    whole = TrustedMetadataSet.update_delegated_targets
    local = Updater._load_local_metadata
    kept: set[bytes] = set()

    def remember(self: Updater, role: str) -> bytes:
        data = local(self, role)
        kept.add(data)
        return data

    def update(self: TrustedMetadataSet, data: bytes, role: str, delegator: str) -> Targets:
        if data in kept and role.startswith("supplier."):
            return signed_only_by_anyone(self, data, role, delegator)
        return whole(self, data, role, delegator)

    patch.setattr(Updater, "_load_local_metadata", remember)
    patch.setattr(TrustedMetadataSet, "update_delegated_targets", update)


def signed_only_by_anyone(self: TrustedMetadataSet, data: bytes, role: str, delegator: str) -> Targets:
    targets: Targets = Metadata[Targets].from_bytes(data).signed
    self._add(role, targets, delegator)
    return targets


@attack(
    "updates.signature",
    given=trusts_its_cache,
    without=lambda patch: patch.setattr(Trust, "_forget_changed", lambda *a: None),
)
def cached_role_of_a_changed_delegation(scene: Scene) -> None:
    """A supplier's stolen keys are replaced; what they signed lies in the car's cache."""
    path = "suppliers/maps/china.bin"
    lead_to(scene, {MAPS.role: _forge_maps(scene, path, "ida")})
    assert scene.verify(FIRST).entry(path).sha256 == sha256(EVIL).hexdigest()
    forged_maps = scene.mirror.files["2.supplier.maps.json"]
    # The maker replaces the keys; the attacker, with the online keys, goes on naming what it forged.
    other = replace(MAPS, rule=rule(1, "cem", "fay"))
    scene.repository.delegate("replace", other, by="dana", at=FIRST)
    maker.agree(scene.repository, "replace", FIRST, "dana", "eli", "cem")
    before = Metadata[Timestamp].from_bytes(scene.mirror.files["timestamp.json"]).signed.version
    scene.sync()
    lead_to(scene, {MAPS.role: forged_maps}, step=before)
    assert scene.verify(FIRST).entry(path).sha256 == sha256(EVIL).hexdigest()
