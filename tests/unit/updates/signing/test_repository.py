"""What persons propose, sign and publish, and what a worker signs by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tuf.api.metadata import Metadata

from driveaway.updates.signing.entries import Release
from driveaway.updates.signing.proposals import Proposal
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.roles import Period, Periods, Rule, Supplier, held
from driveaway.updates.signing.verifying import Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Refused, Tampered
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import AT, SIGNERS, agree, custom, entry, key, rule


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return maker.founded(tmp_path / "repository")


def some(path: str = "su7/1/os.swu", counter: int = 1, content: bytes = b"software") -> list[maker.Entry]:
    return [entry(path, content, custom("os", counter))]


def refused(code: str, do: Callable[[], object]) -> DriveawayError:
    with pytest.raises(DriveawayError) as caught:
        do()
    assert caught.value.code == code
    return caught.value


def car(repository: Repository, folder: Path, at: int = AT) -> Trust:
    trust = Trust(folder, (repository.metadata / "1.root.json").read_bytes())
    trust.bundled(repository.bundle(), at)
    return trust


# --- four eyes and thresholds ---------------------------------------------------------------------


def test_one_signature_of_two_publishes_nothing(repository: Repository) -> None:
    repository.propose("one", some(), by="dana", at=AT)
    repository.sign("one", SIGNERS["dana"])
    assert "lacks 1 signature" in str(
        refused("updates.unsigned", lambda: repository.publish("one", by="eli", at=AT))
    )
    standing = repository.standing("one")[0]
    assert (standing.signed, standing.missing, standing.four_eyes) == (("dana",), 1, False)
    assert repository.state().version("targets") == 1


def test_the_author_does_not_approve(repository: Repository) -> None:
    repository.propose("one", some(), by="dana", at=AT)
    repository.sign("one", SIGNERS["dana"])
    repository.sign("one", SIGNERS["eli"])
    refused("updates.four_eyes", lambda: repository.publish("one", by="dana", at=AT))
    repository.publish("one", by="eli", at=AT)
    assert repository.state().version("targets") == 2
    assert repository.proposals() == ()


def test_the_author_is_no_second_pair_of_eyes_even_where_one_signature_is_enough(tmp_path: Path) -> None:
    repository = maker.founded(tmp_path, maker.roles(targets=rule(1, "dana", "eli")))
    repository.propose("one", some(), by="dana", at=AT)
    repository.sign("one", SIGNERS["dana"])
    refused("updates.four_eyes", lambda: repository.publish("one", by="eli", at=AT))
    agree(repository, "one", AT, "eli")


def test_the_author_cannot_be_edited_into_another(repository: Repository) -> None:
    """The author is signed: another name in the file is another document, and no signature fits it."""
    staged = repository.propose("one", some(), by="dana", at=AT)
    signed = staged.signed_by(SIGNERS["dana"]).signed_by(SIGNERS["eli"])
    forged = msgspec.structs.replace(
        signed, documents={role: text.replace('"dana"', '"fay"') for role, text in signed.documents.items()}
    )
    assert forged.author == "fay"
    refused("updates.signature", lambda: repository.add(forged))


def test_it_is_signed_far_from_the_repository(repository: Repository) -> None:
    exported = repository.propose("one", some(), by="dana", at=AT, reason="the first release").encode()
    first = Proposal.parse(exported).signed_by(SIGNERS["dana"]).encode()
    second = Proposal.parse(exported).signed_by(SIGNERS["fay"]).encode()
    for carried in (first, second, second):
        repository.add(Proposal.parse(carried))
    assert repository.proposal("one").reason == "the first release"
    repository.publish("one", by="fay", at=AT)
    signatures = repository.state().targets["targets"].signatures
    assert set(signatures) == {key("dana").keyid, key("fay").keyid}


def test_a_signature_that_is_none_is_not_taken(repository: Repository) -> None:
    staged = repository.propose("one", some(), by="dana", at=AT)
    documents = staged.signed_by(SIGNERS["dana"]).metadata()
    next(iter(documents["targets"].signatures.values())).signature = "00" * 64
    refused("updates.signature", lambda: repository.add(Proposal.of("one", documents, staged.signers)))
    assert repository.standing("one")[0].signed == ()


@pytest.mark.parametrize("name", ["ann", "timestamp", "gus"])
def test_keys_of_other_roles_sign_nothing_of_it(repository: Repository, name: str) -> None:
    staged = repository.propose("one", some(), by="dana", at=AT)
    refused("updates.signer", lambda: repository.sign("one", SIGNERS[name]))
    # Not even when the file says that they may.
    named = msgspec.structs.replace(staged, signers={"targets": (SIGNERS[name].public_key.keyid,)})
    refused("updates.signature", lambda: repository.add(named.signed_by(SIGNERS[name])))


def test_two_proposals_upon_one_version_are_not_both_published(repository: Repository) -> None:
    repository.propose("one", some(), by="dana", at=AT)
    repository.propose("two", some("su7/1/radio.swu"), by="dana", at=AT)
    agree(repository, "one", AT, "dana", "eli")
    repository.sign("two", SIGNERS["dana"])
    repository.sign("two", SIGNERS["eli"])
    with pytest.raises(Conflict, match=r"updates\.overtaken"):
        repository.publish("two", by="eli", at=AT)
    repository.drop("two")
    refused("updates.proposal_unknown", lambda: repository.proposal("two"))


def test_who_has_no_online_keys_publishes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    maker.founded(folder).propose("one", some(), by="dana", at=AT)
    office = Repository(folder)
    before = sorted(path.name for path in office.metadata.iterdir())
    office.sign("one", SIGNERS["dana"])
    office.sign("one", SIGNERS["eli"])
    refused("updates.online_keys", lambda: office.publish("one", by="eli", at=AT))
    refused("updates.online_keys", lambda: office.resign(AT + 30 * DAY))
    assert sorted(path.name for path in office.metadata.iterdir()) == before


def test_a_proposal_that_waited_too_long_is_not_published(repository: Repository) -> None:
    repository.propose("one", some(), by="dana", at=AT)
    repository.sign("one", SIGNERS["dana"])
    repository.sign("one", SIGNERS["eli"])
    refused("updates.expired", lambda: repository.publish("one", by="eli", at=AT + 181 * DAY))


# --- what may be signed ---------------------------------------------------------------------------


def test_a_name_never_gets_other_bytes(repository: Repository) -> None:
    repository.propose("one", some(), by="dana", at=AT)
    agree(repository, "one", AT, "dana", "eli")
    other = some(content=b"other")
    refused("updates.name_taken", lambda: repository.propose("two", other, by="dana", at=AT))
    repository.propose("withdraw", by="dana", at=AT, remove=["su7/1/os.swu"])
    agree(repository, "withdraw", AT, "dana", "eli")
    refused("updates.name_taken", lambda: repository.propose("two", other, by="dana", at=AT))
    repository.propose("back", some(), by="dana", at=AT)


def test_nothing_is_withdrawn_without_a_trace(repository: Repository) -> None:
    """A draft made by hand cannot free a name by forgetting it, however many sign."""
    repository.propose("one", some(), by="dana", at=AT)
    agree(repository, "one", AT, "dana", "eli")
    staged = repository.propose("two", by="dana", at=AT)
    documents = staged.metadata()
    documents["targets"].signed.targets.clear()
    by_hand = Proposal.of("two", documents, staged.signers)
    (repository.metadata.parent / "staged" / "two.json").write_bytes(by_hand.encode())
    repository.sign("two", SIGNERS["dana"])
    repository.sign("two", SIGNERS["eli"])
    refused("updates.name_taken", lambda: repository.publish("two", by="eli", at=AT))


def test_release_counters_never_fall(repository: Repository) -> None:
    repository.propose("five", some(counter=5), by="dana", at=AT)
    agree(repository, "five", AT, "dana", "eli")
    repository.propose("withdraw", by="dana", at=AT, remove=["su7/1/os.swu"])
    agree(repository, "withdraw", AT, "dana", "eli")
    refused("updates.counter", lambda: repository.propose("four", some("a/os.swu", 4), by="dana", at=AT))
    repository.propose("six", some("a/os.swu", 6), by="dana", at=AT)


def test_a_release_names_all_of_its_targets(repository: Repository) -> None:
    entries, _ = maker.released(1)
    refused("updates.release", lambda: repository.propose("part", entries, by="dana", at=AT))  # no lidar
    wrong = Release("su7", "1.0", {"su7/1/os.swu": "0" * 64})
    refused(
        "updates.release",
        lambda: repository.propose(
            "wrong", [entry("su7/1/os.swu", b"software", custom("os", 1, wrong))], by="dana", at=AT
        ),
    )


def test_a_supplier_signs_under_its_own_path_alone(repository: Repository) -> None:
    maker.with_suppliers(repository)
    lidar = "supplier.lidar"
    for path in ("su7/1/os.swu", "suppliers/maps/china.bin"):
        refused(
            "updates.path_owner",
            lambda path=path: repository.propose("x", some(path), by="gus", at=AT, role=lidar),
        )
    refused(
        "updates.path_owner", lambda: repository.propose("x", some("suppliers/lidar/a"), by="dana", at=AT)
    )
    refused(
        "updates.path",
        lambda: repository.propose("x", some("suppliers/lidar/a/b"), by="gus", at=AT, role=lidar),
    )
    refused(
        "updates.supplier_unknown", lambda: repository.propose("x", by="gus", at=AT, role="supplier.radar")
    )
    composed = Release("su7", "1.0", {"suppliers/lidar/a": "0" * 64})
    offer = [entry("suppliers/lidar/a", b"", custom("lidar", 1, composed))]
    refused("updates.release_owner", lambda: repository.propose("x", offer, by="gus", at=AT, role=lidar))


def test_a_supplier_who_is_let_go_signs_for_nobody(repository: Repository, tmp_path: Path) -> None:
    maker.with_suppliers(repository)
    maker.release(repository, 1, AT)
    path = "suppliers/lidar/lidar-1.bin"
    trust = car(repository, tmp_path / "car")
    assert trust.bundled(repository.bundle(), AT).entry(path).path == path
    repository.undelegate("let-go", "lidar", by="dana", at=AT)
    agree(repository, "let-go", AT, "dana", "eli")
    with pytest.raises(NotFound):
        trust.bundled(repository.bundle(), AT).entry(path)
    assert "supplier.lidar" not in {role.role for role in repository.status(AT)}


def test_a_supplier_changes_its_keys_with_its_own_signature(repository: Repository, tmp_path: Path) -> None:
    maker.with_suppliers(repository)
    maker.release(repository, 1, AT)
    trust = car(repository, tmp_path / "car")
    repository.delegate("change", Supplier("lidar", rule(1, "ida", "hu")), by="dana", at=AT)
    repository.sign("change", SIGNERS["dana"])
    repository.sign("change", SIGNERS["eli"])
    refused("updates.unsigned", lambda: repository.publish("change", by="eli", at=AT))
    agree(repository, "change", AT, "ida")
    assert trust.bundled(repository.bundle(), AT).entry("suppliers/lidar/lidar-1.bin").length > 0


# --- rotation -------------------------------------------------------------------------------------


def test_a_root_needs_the_old_and_the_new_threshold(repository: Repository, tmp_path: Path) -> None:
    trust = car(repository, tmp_path / "car")
    repository.rotate("root", maker.roles(root=rule(2, "gus", "hu", "ida")), by="gus", at=AT)
    repository.sign("root", SIGNERS["gus"])
    repository.sign("root", SIGNERS["hu"])
    refused("updates.unsigned", lambda: repository.publish("root", by="hu", at=AT))
    repository.sign("root", SIGNERS["ann"])
    refused("updates.unsigned", lambda: repository.publish("root", by="hu", at=AT))
    agree(repository, "root", AT, "ben")
    assert repository.status(AT)[0].holders == ("gus", "hu", "ida")
    trust.bundled(repository.bundle(), AT)


def test_every_key_is_replaced_and_cars_follow(repository: Repository, tmp_path: Path) -> None:
    maker.with_suppliers(repository)
    repository.propose("one", some(), by="dana", at=AT)
    agree(repository, "one", AT, "dana", "eli")
    trust = car(repository, tmp_path / "car")
    everything = maker.roles(
        root=rule(2, "dana", "eli"),
        targets=rule(2, "ann", "ben"),
        snapshot="snapshot2",
        timestamp="timestamp2",
    )
    worker = Repository(
        repository.metadata.parent, maker.signers("snapshot", "timestamp", "snapshot2", "timestamp2")
    )
    worker.rotate("all", everything, by="cem", at=AT)
    agree(worker, "all", AT, "ann", "ben", "dana", "eli", "ann", "ben")
    assert trust.bundled(worker.bundle(), AT).entry("su7/1/os.swu").length == 8
    # From now on the new keys alone.
    alone = Repository(repository.metadata.parent, maker.signers("snapshot2", "timestamp2"))
    assert alone.resign(AT + 6 * DAY) == ("snapshot", "timestamp")
    assert trust.bundled(alone.bundle(), AT + 6 * DAY).entry("su7/1/os.swu").length == 8
    # A car that knows only the first root follows too.
    assert car(alone, tmp_path / "another", AT + 6 * DAY).until is not None


def test_a_root_that_would_strand_what_targets_signed_is_refused(repository: Repository) -> None:
    staged = repository.rotate("root", maker.roles(targets=rule(2, "gus", "hu")), by="ann", at=AT)
    assert set(staged.documents) == {"root", "targets"}
    repository.drop("root")
    alone = {"root": staged.metadata()["root"]}
    cut = Proposal.of("root", alone, staged.signers)
    (repository.metadata.parent / "staged" / "root.json").write_bytes(cut.encode())
    for name in ("ann", "ben"):
        repository.sign("root", SIGNERS[name])
    refused("updates.stranded", lambda: repository.publish("root", by="ben", at=AT))


# --- the worker -----------------------------------------------------------------------------------


def test_what_is_due_is_signed_again_once(repository: Repository, tmp_path: Path) -> None:
    trust = car(repository, tmp_path / "car")
    assert repository.due(AT) == ()
    assert repository.resign(AT) == ()
    at = AT + DAY
    assert repository.due(at) == ("timestamp",)
    assert repository.resign(at) == ("timestamp",)
    assert repository.resign(at) == ()
    at = AT + 4 * DAY
    assert repository.due(at) == ("snapshot", "timestamp")
    assert repository.resign(at) == ("snapshot", "timestamp")
    trust.bundled(repository.bundle(), at)
    until = trust.until
    assert until == at + 2 * DAY


def test_persons_are_told_of_what_they_must_renew(repository: Repository) -> None:
    at = AT + 160 * DAY
    repository.resign(at)
    assert repository.due(at) == ("targets",)
    repository.propose("renew", by="dana", at=at)
    agree(repository, "renew", at, "dana", "eli")
    assert repository.due(at) == ()
    at = AT + 310 * DAY
    assert {role.role: role.expired for role in repository.status(at)} == {
        "root": False, "targets": False, "snapshot": True, "timestamp": True
    }  # fmt: skip
    repository.rotate("root", None, by="ann", at=at)
    agree(repository, "root", at, "ann", "cem")
    assert "root" not in repository.due(at)


def test_a_damaged_repository_says_what_is_damaged(repository: Repository) -> None:
    (repository.metadata / "1.targets.json").unlink()
    with pytest.raises(Tampered, match=r"1\.targets\.json"):
        repository.state()
    (repository.metadata / "1.targets.json").write_bytes((repository.metadata / "1.root.json").read_bytes())
    with pytest.raises(Tampered, match="it is root"):
        repository.state()


def test_a_repository_is_not_founded_twice(repository: Repository) -> None:
    refused("updates.repository_exists", lambda: maker.founded(repository.metadata.parent))
    refused("updates.repository", lambda: Repository(repository.metadata.parent / "nowhere").state())


# --- who may be a role ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("updates.threshold", lambda: rule(3, "ann", "ben")),
        ("updates.threshold", lambda: rule(0, "ann")),
        ("updates.keys", lambda: rule(1, "ann", "ann")),
        ("updates.holders", lambda: maker.roles(root=rule(1, "ann"))),
        ("updates.holders", lambda: maker.roles(targets=rule(1, "dana", "snapshot2"))),
        ("updates.keys", lambda: maker.roles(targets=rule(2, "dana", "eli"), snapshot="dana")),
        ("updates.holders", lambda: Supplier("lidar", rule(1, "gus"))),
        ("slug.shape", lambda: Supplier("../lidar", rule(1, "gus", "hu"))),
        ("updates.period", lambda: Periods(root=Period(10, 10))),
    ],
    ids=map(str, range(9)),
)
def test_roles_that_one_person_could_fill_are_refused(code: str, make: Callable[[], object]) -> None:
    with pytest.raises(BadValue) as caught:
        make()
    assert caught.value.code == code


def test_one_person_with_two_keys_is_one_person() -> None:
    two = (key("ann"), held(SIGNERS["snapshot2"].public_key, "ann"))
    try:
        refused("updates.holders", lambda: maker.roles(root=Rule(two, 2)))
    finally:
        SIGNERS["snapshot2"].public_key.unrecognized_fields.clear()


def test_what_is_no_proposal_is_refused() -> None:
    for content in (b"", b"{}", b'{"name":"a","documents":{"root":"x"},"signers":{}}'):
        with pytest.raises(BadValue):
            Proposal.parse(content)


def test_signers_see_what_they_sign(repository: Repository) -> None:
    staged = repository.propose("one", some(), by="dana", at=AT)
    document = Metadata.from_bytes(staged.documents["targets"].encode())
    assert list(document.signed.targets) == ["su7/1/os.swu"]
    wrong = refused("updates.signer", lambda: staged.signed_by(SIGNERS["ann"]))
    assert isinstance(wrong, Refused)
    assert wrong.message == "the key of ann signs nothing of one"
    assert "key of" not in refused("updates.signer", lambda: staged.signed_by(SIGNERS["timestamp"])).message


def test_holders_are_known_from_what_is_signed(repository: Repository) -> None:
    """Nobody needs a ring of keys to know by name who may sign."""
    staged = repository.propose("one", some(), by="dana", at=AT)
    found = repository.holders("one")
    assert {found[keyid] for keyid in staged.signers["targets"]} >= {"dana", "eli"}
    assert key("timestamp").keyid not in found
