"""The situations that the public conformance suite for clients of TUF names, with the car's own client.

The suite (theupdateframework/tuf-conformance) sorts them into the basic workflow, expiry, keys, rotations,
rollbacks, delegations and downloads; so do these tests, in their own words and over their own repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, MetaFile, Targets

from driveaway.updates.signing.verifying import Trust, Verified
from driveaway.values.clock import DAY, moment
from driveaway.values.errors import DriveawayError
from tests.conformance.tuf.maker import AT
from tests.conformance.tuf.shelf import KEYS, ROLES, Shelf

URL = "http://maker.example"


class Car:
    """A car with what it keeps."""

    def __init__(self, folder: Path, shelf: Shelf, root: bytes | None = None) -> None:
        self.folder, self.shelf = folder / "car", shelf
        self.trust = Trust(self.folder, root or shelf.first)

    def look(self, at: int = AT) -> Verified:
        self.shelf.asked.clear()
        return self.trust.online(URL, at, self.shelf)

    def refuses(self, code: str, at: int = AT) -> None:
        with pytest.raises(DriveawayError) as caught:
            self.look(at)
        assert caught.value.code == code

    def has(self) -> dict[str, int]:
        """Versions of what it keeps."""
        kept = {role: self.folder / f"{role}.json" for role in ROLES}
        return {
            role: Metadata[Any].from_bytes(path.read_bytes()).signed.version
            for role, path in kept.items()
            if path.exists()
        }


def on(root: int, timestamp: int, snapshot: int, targets: int) -> dict[str, int]:
    return dict(zip(ROLES, (root, timestamp, snapshot, targets), strict=True))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def car(shelf: Shelf, tmp_path: Path) -> Car:
    return Car(tmp_path, shelf)


# --- the basic workflow ---------------------------------------------------------------------------


def test_the_first_look(car: Car) -> None:
    car.look()
    assert car.shelf.asked == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
    assert car.has() == on(1, 1, 1, 1)


def test_what_nobody_signed_is_not_found_once_all_is_fresh(car: Car) -> None:
    with pytest.raises(DriveawayError, match="nobody signed") as caught:
        car.look().entry("none.swu")
    assert caught.value.code == "updates.unsigned_target"
    assert car.has() == on(1, 1, 1, 1)


@pytest.mark.parametrize("spoilt", ["no version", "another's signature", "no JSON"])
def test_a_pinned_root_that_is_none(spoilt: str, shelf: Shelf, tmp_path: Path) -> None:
    document = Metadata[Any].from_bytes(shelf.first)
    if spoilt == "no version":
        root = document.to_bytes().replace(b'"version"', b'"vision"')
    elif spoilt == "no JSON":
        root = b"{"
    else:
        document.sign(KEYS[9])
        root = document.to_bytes()
    car = Car(tmp_path, shelf, root)
    with pytest.raises(DriveawayError):
        car.look()
    assert shelf.asked == []


def test_another_timestamp_of_the_same_version_changes_nothing(car: Car) -> None:
    car.look()
    car.shelf.timestamp.snapshot_meta = MetaFile(100)
    car.shelf.publish("timestamp")
    car.look()
    kept = Metadata[Any].from_bytes((car.folder / "timestamp.json").read_bytes())
    assert kept.signed.snapshot_meta.version == 1


def test_fields_that_it_does_not_know_are_signed_with_the_rest(car: Car) -> None:
    car.look()
    root = car.shelf.root
    root.unrecognized_fields["another"] = "value"
    root.roles["root"].unrecognized_fields["more"] = {"a": 1}
    root.keys[root.roles["root"].keyids[0]].unrecognized_fields["keyid_hash_algorithms"] = ["md5"]
    car.shelf.next_root()
    car.look()
    assert car.has()["root"] == 2


@pytest.mark.parametrize("spoilt", ["snapshot", "targets"])
@pytest.mark.parametrize("by", ["version", "hash"])
def test_what_leads_and_what_is_led_to_do_not_agree(spoilt: str, by: str, car: Car) -> None:
    car.look()
    shelf = car.shelf
    if spoilt == "targets":
        meta = MetaFile(7) if by == "version" else MetaFile(2, 1, {"sha256": "0" * 64})
        shelf.snapshot.version, shelf.snapshot.meta["targets.json"] = 2, meta
        shelf.files["7.targets.json"] = shelf.files["2.targets.json"] = shelf.files["1.targets.json"]
        shelf.lead()
    else:
        shelf.timestamp.version = 2
        shelf.timestamp.snapshot_meta = (
            MetaFile(7) if by == "version" else MetaFile(2, 1, {"sha256": "0" * 64})
        )
        shelf.files["7.snapshot.json"] = shelf.files["2.snapshot.json"] = shelf.files["1.snapshot.json"]
        shelf.publish("timestamp")
    with pytest.raises(DriveawayError) as caught:
        car.look()
    assert caught.value.code in ("updates.rolled_back", "updates.content", "updates.too_long")
    assert car.has()["targets"] == 1


# --- expiry ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_what_is_newer_and_has_expired(role: str, car: Car) -> None:
    car.look()
    getattr(car.shelf, role).expires = moment(AT - DAY)
    if role == "root":
        car.shelf.next_root()
    car.shelf.go_on()
    car.refuses("updates.expired")
    has = car.has()
    # A root that has expired is followed, for the next one may not have (section 5.3.10); nothing else is.
    assert has["root"] == (2 if role == "root" else 1)
    assert has[role] == (2 if role == "root" else 1)
    assert has["targets"] == 1


def test_a_root_on_the_way_may_have_expired(car: Car) -> None:
    car.shelf.root.expires = moment(AT - DAY)
    car.shelf.next_root()
    car.shelf.root.expires = moment(AT + 30 * DAY)
    car.shelf.next_root()
    car.look()
    assert car.has()["root"] == 3


def test_what_it_keeps_may_expire_before_something_newer_comes(car: Car) -> None:
    shelf = car.shelf
    shelf.timestamp.expires = moment(AT) + timedelta(days=7)
    shelf.go_on()
    car.look()
    shelf.timestamp.expires = moment(AT) + timedelta(days=21)
    shelf.go_on()
    car.look(AT + 18 * DAY)
    assert car.has() == on(1, 3, 3, 3)


# --- keys and rotations ---------------------------------------------------------------------------

Rotation = tuple[Sequence[int], int, Sequence[int]]
"""Keys of a root, its threshold, and who signed it."""
FIVE = (0, 1, 2, 3, 4)
ONE_NEW = (0, 1, 3, 4, 5)


@pytest.mark.parametrize(
    ("roots", "follows"),
    [
        ([((1,), 1, (1,)), ((2,), 1, (2, 1)), ((2,), 1, (2,))], 3),
        ([((1,), 1, (3, 1, 4)), ((2,), 1, (3, 2, 1, 4)), ((2,), 1, (3, 2, 4))], 3),
        ([(FIVE, 3, (0, 2, 4)), (FIVE, 3, (0, 4, 1)), (FIVE, 3, (0, 1, 3))], 3),
        ([(FIVE, 3, (0, 2, 4)), (ONE_NEW, 3, (0, 4, 1))], 2),
        (
            [(FIVE, 3, (0, 2, 4)), ((5, 6, 7, 8, 9), 3, (0, 2, 4, 5, 6, 7)), ((5, 6, 7, 8, 9), 3, (5, 6, 7))],
            3,
        ),
        ([((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (1, 2))], 2),
        ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1, 2)), ((1, 2, 3), 1, (1,))], 3),
        ([((1,), 1, (1,)), ((2,), 1, (2, 3, 4))], 1),
        ([((1,), 1, (1,)), ((2,), 1, (1, 3, 4))], 1),
        ([(FIVE, 3, (0, 2, 4)), (ONE_NEW, 3, (0, 2, 4))], 1),
        ([(FIVE, 3, (0, 2, 4)), (ONE_NEW, 3, (0, 4, 5))], 1),
        ([((1, 2, 3), 1, (1,)), ((1, 2, 3), 2, (2,))], 1),
        ([((1, 2, 3), 2, (1, 2)), ((1, 2, 3), 1, (1,))], 1),
        ([((1,), 1, (1,)), ((1, 2), 2, (1, 1))], 1),
    ],
)
def test_roots_that_follow_each_other(roots: list[Rotation], follows: int, tmp_path: Path) -> None:
    shelf = Shelf(*roots[0])
    for keys, threshold, by in roots[1:]:
        shelf.trust("root", keys, threshold, by)
        shelf.next_root()
    car = Car(tmp_path, shelf)
    if follows == len(roots):
        car.look()
    else:
        car.refuses("updates.signature")
    assert car.has()["root"] == follows


@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize(
    ("keys", "threshold", "by", "fits"),
    [
        ((5,), 1, (5,), True),
        ((1,), 1, (8, 1, 9), True),
        (FIVE, 3, (0, 2, 4), True),
        (FIVE, 3, (1, 2, 3), True),
        ((5,), 1, (1, 8, 9), False),
        (ONE_NEW, 3, (0, 2, 4), False),
        (ONE_NEW, 3, (0, 4), False),
        ((0, 1), 3, (0, 1), False),
    ],
)
def test_the_keys_of_another_role(
    role: str, keys: Sequence[int], threshold: int, by: Sequence[int], fits: bool, car: Car
) -> None:
    car.look()
    car.shelf.trust(role, keys, threshold, by)
    car.shelf.next_root()
    car.shelf.go_on()
    if fits:
        car.look()
        assert car.has() == on(2, 2, 2, 2)
    else:
        car.refuses("updates.signature")
        assert car.has()[role] == 1


def test_one_key_under_many_names_is_one_key(car: Car) -> None:
    car.look()
    shelf = car.shelf
    shelf.trust("snapshot", (2,), 2, (2,))
    whole = KEYS[2].public_key.to_dict()
    for number in range(3):
        name = f"{number}" * 64
        shelf.root.keys[name] = type(KEYS[2].public_key).from_dict(name, dict(whole))
        shelf.root.roles["snapshot"].keyids.append(name)
    shelf.next_root()
    shelf.go_on()
    car.refuses("updates.signature")
    assert car.has()["snapshot"] == 1


# --- rollbacks ------------------------------------------------------------------------------------


def back(role: str) -> Callable[[Shelf], None]:
    def do(shelf: Shelf) -> None:
        getattr(shelf, role).version = 1
        if role == "targets":
            content = shelf.publish("targets")
            shelf.snapshot.version += 1
            shelf.snapshot.meta["targets.json"] = MetaFile.from_data(1, content, ["sha256"])
        if role == "timestamp":
            shelf.publish("timestamp")
        else:
            shelf.lead()

    return do


@pytest.mark.parametrize("role", ROLES[1:])
def test_rolled_back(role: str, car: Car) -> None:
    car.shelf.go_on()
    car.look()
    assert car.has() == on(1, 2, 2, 2)
    back(role)(car.shelf)
    car.refuses("updates.rolled_back")
    assert car.has()[role] == 2


@pytest.mark.parametrize(
    ("role", "rotated"),
    [("timestamp", ("timestamp",)), ("snapshot", ("snapshot", "timestamp")), ("targets", ("snapshot",))],
)
def test_new_keys_undo_versions_that_were_driven_up(role: str, rotated: Sequence[str], car: Car) -> None:
    shelf = car.shelf
    getattr(shelf, role).version = 99
    shelf.go_on()
    car.look()
    assert car.has()[role] == 100
    for number, each in enumerate(rotated, 6):
        shelf.trust(each, (number,), 1, (number,))
    shelf.next_root()
    if role == "timestamp":
        shelf.timestamp.version = 1
        shelf.go_on()
    elif role == "snapshot":
        shelf.snapshot.version = 1
        shelf.go_on()
    else:
        shelf.targets.version = 1
        shelf.go_on()
    car.look()
    assert car.has()[role] == 2


# --- delegations ----------------------------------------------------------------------------------


def delegate(shelf: Shelf, by: str, roles: Sequence[tuple[str, str]], made: dict[str, Targets]) -> None:
    """A role delegates paths to others, in this order, all signed with the same key."""
    public = KEYS[5].public_key
    names = {name: DelegatedRole(name, [public.keyid], 1, False, [pattern]) for name, pattern in roles}
    signed = shelf.targets if by == "targets" else made[by]
    signed.delegations = Delegations({public.keyid: public}, names)
    for name in names:
        made.setdefault(name, Targets(1, expires=moment(AT + 30 * DAY)))


def publish_all(shelf: Shelf, made: dict[str, Targets]) -> None:
    for name, signed in made.items():
        document = Metadata(signed)
        document.sign(KEYS[5])
        content = document.to_bytes()
        shelf.files[f"{signed.version}.{name}.json"] = content
        shelf.snapshot.meta[f"{name}.json"] = MetaFile.from_data(signed.version, content, ["sha256"])
    shelf.go_on()


def test_the_first_supplier_of_a_path_is_asked_and_nobody_else(car: Car) -> None:
    made: dict[str, Targets] = {}
    everything = "suppliers/*/*"
    roles = [("supplier.a", "suppliers/a/*"), ("supplier.b", everything), ("supplier.c", everything)]
    delegate(car.shelf, "targets", roles, made)
    publish_all(car.shelf, made)
    verified = car.look()
    car.shelf.asked.clear()
    with pytest.raises(DriveawayError):
        verified.entry("suppliers/b/none.bin")
    assert car.shelf.asked == ["1.supplier.b.json"]


def test_who_was_delegated_to_cannot_delegate_on(car: Car) -> None:
    made: dict[str, Targets] = {}
    delegate(car.shelf, "targets", [("supplier.a", "suppliers/*/*")], made)
    delegate(car.shelf, "supplier.a", [("supplier.b", "suppliers/*/*")], made)
    delegate(car.shelf, "supplier.b", [("supplier.a", "suppliers/*/*")], made)
    publish_all(car.shelf, made)
    verified = car.look()
    car.shelf.asked.clear()
    with pytest.raises(DriveawayError) as caught:
        verified.entry("suppliers/b/none.bin")
    assert caught.value.code == "updates.unsigned_target"
    assert car.shelf.asked == ["1.supplier.a.json"]


# --- downloads ------------------------------------------------------------------------------------


def test_files_that_are_changed_again_and_again(car: Car, tmp_path: Path) -> None:
    file = tmp_path / "os.swu"
    for number in range(1, 6):
        content = b"version %d" % number
        car.shelf.add("path/to/os.swu", content, number)
        car.shelf.go_on()
        verified = car.look()
        entry = verified.entry("path/to/os.swu")
        verified.fetch(entry, f"{URL}/path/to/os.swu", file, car.shelf)
        assert file.read_bytes() == content
        # Of the same length, so that only the hash can tell.
        car.shelf.files["path/to/os.swu"] = b"another %d" % number
        with pytest.raises(DriveawayError) as caught:
            verified.fetch(entry, f"{URL}/path/to/os.swu", file, car.shelf)
        assert caught.value.code == "updates.content"
        assert file.read_bytes() == content
