"""From files to a release that cars may be given: who must sign, what is refused, what a crash leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.launch.accounts import Accounts
from driveaway.launch.updates import adding, composing, holding, releasing, rolling
from driveaway.launch.updates.functions import close_function, open_function
from driveaway.launch.updates.opening import DEMO_MARKER
from driveaway.launch.updates.resigning import resign_due
from driveaway.launch.updates.worker import Worker
from driveaway.updates import assigning, registry, releases, sets, software
from driveaway.updates.actions import acting
from driveaway.updates.assigning import Terms as AssignmentTerms
from driveaway.updates.configuration import configure
from driveaway.updates.ddi.shelf import Shelf
from driveaway.updates.fitting import unfit
from driveaway.updates.gates.policy import decode_policy
from driveaway.updates.releases import Need, Stage, Terms, record_of
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import RolloutPlan, RolloutStatus
from driveaway.updates.signing.entries import entry_of
from driveaway.updates.signing.verifying import Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused, Unavailable
from tests.stores.garage import VINS
from tests.unit.updates.maker import Maker, maker


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def m(tmp_path: Path) -> Iterator[Maker]:
    with maker(tmp_path / "launch") as made:
        made.found()
        yield made


def stage(m: Maker, slug: str) -> Stage:
    return record_of(releases.find(m.updates.state, slug)).stage


def facts(m: Maker, slug: str) -> list[str]:
    return [fact.kind for fact in m.launch.book.about(slug)]


def assign(m: Maker, slug: str, *cars: str) -> list[int]:
    found = releases.find(m.updates.state, slug)
    with m.updates.state.change() as change:
        made = assigning.assign(change, found.id, cars, AssignmentTerms(), m.at)
    return [made.actions[car] for car in cars]


def test_a_release_is_given_to_cars_once_it_is_signed_and_published(m: Maker) -> None:
    with m.updates.state.change() as change:
        registry.create(change, VINS[0], m.at)
    slug = m.create("2024.5.1", terms=Terms(functions=("parking",), minimum_version="2024.4"))
    assert (slug, stage(m, slug)) == ("su7-2024.5.1", Stage.DRAFT)
    with pytest.raises(Refused, match=r"set\.unpublished"):
        assign(m, slug, VINS[0])
    releasing.propose(m.updates, slug, by="dora", at=m.at)
    assert stage(m, slug) is Stage.PROPOSED
    standings = releasing.sign(m.updates, slug, "dora")
    assert [(each.missing, each.four_eyes) for each in standings] == [(1, False)]
    with pytest.raises(Refused, match=r"updates\.unsigned"):
        releasing.publish(m.updates, slug, by="emil", at=m.at)
    releasing.sign(m.updates, slug, "emil")
    with pytest.raises(Refused, match=r"updates\.four_eyes"):
        releasing.publish(m.updates, slug, by="dora", at=m.at)
    assert facts(m, slug) == []
    with pytest.raises(Refused, match=r"set\.unpublished"):
        assign(m, slug, VINS[0])
    assert releasing.publish(m.updates, slug, by="emil", at=m.at) is not None
    assert stage(m, slug) is Stage.PUBLISHED
    (fact,) = m.launch.book.about(slug)
    assert (fact.kind, fact.body.approved_by, fact.body.published_by) == ("release.published", "emil", "dora")
    assert fact.body.functions == ("parking",)
    (action,) = assign(m, slug, VINS[0])
    assert acting.find(m.updates.state, action)[1].active


def test_what_is_signed_about_a_file(m: Maker) -> None:
    needs = (Need("radio", "3", ("3.1",)), Need("tuner", conflicts=True))
    terms = Terms("2024.4", ("2024.4.3",), needs, ("parking",))
    slug = m.publish(m.create("2024.5.1", terms=terms, files=("a.swu", "b.swu")))
    state = m.updates.repository().state()
    first, second = (
        entry_of(target) for _, target in sorted(state.targets["targets"].signed.targets.items())
    )
    assert (first.path, second.path) == ("su7/2024.5.1/os/a.swu", "su7/2024.5.1/os/b.swu")
    custom = first.custom
    assert (custom.module, custom.version, custom.module_type, custom.hardware) == (
        "os",
        "2024.5.1",
        "os",
        ("hpc",),
    )
    assert (custom.minimum_version, custom.excluded_versions) == ("2024.4", ("2024.4.3",))
    assert [(each.module, each.conflicts) for each in custom.dependencies] == [
        ("radio", False),
        ("tuner", True),
    ]
    assert custom.release is not None
    assert set(custom.release.targets) == {first.path, second.path}
    assert decode_policy(custom.functions[0].gate.encode()).function == "parking"
    assert second.custom.functions == ()  # said once
    assert record_of(releases.find(m.updates.state, slug)).targets == custom.release.targets


def test_cars_are_told_where_the_signed_metadata_is(m: Maker) -> None:
    slug = m.create("1")
    found = releases.find(m.updates.state, slug)
    assert Shelf(m.updates.state).pieces(found.id)[0].metadata == ()
    m.publish(slug)
    assert Shelf(m.updates.state).pieces(found.id)[0].metadata == (
        ("tuf.metadata", "../../../../tuf/metadata/"),
        ("tuf.path", "su7/1/os"),
    )


def test_counters_grow_by_themselves_and_never_fall(m: Maker) -> None:
    for version in ("1", "2"):
        m.publish(m.create(version))
    state = m.updates.repository().state()
    counters = {
        entry.custom.version: entry.custom.counter
        for entry in map(entry_of, state.targets["targets"].signed.targets.values())
    }
    assert counters == {"1": 1, "2": 2}
    kept = {
        each.version: releases.about(m.updates.state, each.id).counter for each in adding.modules(m.updates)
    }
    assert kept == counters
    low = m.create("3", counter=1)
    with pytest.raises(Refused, match=r"updates\.counter"):
        releasing.propose(m.updates, low, by="dora", at=m.at)
    # The same module in a further release keeps its counter.
    module = adding.find_module(m.updates, "os", "2")
    again = adding.create_release(m.updates, "china", "2", [module], m.at)
    m.publish(releases.slug_of(again))
    entry = entry_of(m.updates.repository().state().targets["targets"].signed.targets["china/2/os/os.swu"])
    assert entry.custom.counter == 2


def test_a_mended_build_with_a_lower_version_is_no_step_back(m: Maker) -> None:
    with m.updates.state.change() as change:
        registry.create(change, VINS[0], m.at)
        registry.put_attributes(change, VINS[0], {"os.version": "2024.6.0"}, registry.Mode.MERGE, m.at)
        car = registry.target_named(change, VINS[0]).id
    m.publish(m.create("2024.6.0"))
    mended = m.create("2024.5.9")
    found = releases.find(m.updates.state, mended)
    m.publish(mended)
    assert unfit(m.updates.state, found.id, [car]) == {}
    older = releases.find(m.updates.state, "su7-2024.6.0")
    with m.updates.state.change() as change:
        registry.put_attributes(change, VINS[0], {"os.version": "2024.5.9"}, registry.Mode.MERGE, m.at)
    assert "step back" in unfit(m.updates.state, older.id, [car])[car]


def test_what_was_proposed_does_not_change(m: Maker, tmp_path: Path) -> None:
    slug = m.create("1")
    releasing.propose(m.updates, slug, by="dora", at=m.at)
    with pytest.raises(Refused, match=r"module\.locked"):
        adding.add_software(m.updates, "os", "1", [m.file("more.swu", "more")], m.at, hardware=["hpc"])
    with pytest.raises(Conflict, match=r"updates\.proposal_exists"):
        releasing.propose(m.updates, slug, by="dora", at=m.at)
    for person in ("dora", "emil"):
        releasing.sign(m.updates, slug, person)
    # Whoever can write the database still cannot have other bytes published.
    with m.updates.state.change() as change:
        change.run("UPDATE artifacts SET sha256 = :other", other="0" * 64)
    with pytest.raises(Conflict, match=r"release\.changed"):
        releasing.publish(m.updates, slug, by="emil", at=m.at)


def test_a_damaged_content_is_not_proposed(m: Maker) -> None:
    slug = m.create("1")
    (artifact,) = software.artifacts(m.updates.state, adding.find_module(m.updates, "os", "1").id)
    m.updates.artifacts.path(artifact.sha256).write_text("something else")
    with pytest.raises(Refused, match=r"artifact\.damaged"):
        releasing.propose(m.updates, slug, by="dora", at=m.at)
    assert stage(m, slug) is Stage.DRAFT


def test_a_dropped_proposal_is_proposed_again(m: Maker) -> None:
    one, two = m.create("1"), m.create("2")
    for slug in (one, two):
        releasing.propose(m.updates, slug, by="dora", at=m.at)
    m.agree(one, "dora", "emil")
    for person in ("dora", "emil"):
        releasing.sign(m.updates, two, person)
    with pytest.raises(Conflict, match=r"updates\.overtaken"):
        releasing.publish(m.updates, two, by="emil", at=m.at)
    assert stage(m, two) is Stage.PROPOSED
    releasing.drop(m.updates, two, at=m.at)
    assert stage(m, two) is Stage.DRAFT
    m.publish(two)
    assert stage(m, two) is Stage.PUBLISHED


@pytest.mark.parametrize("by_worker", [True, False])
def test_a_publication_that_broke_off_is_completed(
    by_worker: bool, m: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = m.create("1")
    releasing.propose(m.updates, slug, by="dora", at=m.at)
    for person in ("dora", "emil"):
        releasing.sign(m.updates, slug, person)
    with monkeypatch.context() as patched:
        patched.setattr(
            releasing, "complete", lambda *_: (_ for _ in ()).throw(Unavailable("the power failed"))
        )
        with pytest.raises(Unavailable):
            releasing.publish(m.updates, slug, by="emil", at=m.at)
    # The metadata is out, the fact is not: nothing is offered yet.
    assert list(composing.signed_targets(m.updates.repository())) == ["su7/1/os/os.swu"]
    assert (stage(m, slug), facts(m, slug)) == (Stage.PROPOSED, [])
    for _ in range(2):
        if by_worker:
            resign_due(m.updates, m.at)
        else:
            releasing.publish(m.updates, slug, by="emil", at=m.at)
        assert (stage(m, slug), facts(m, slug)) == (Stage.PUBLISHED, ["release.published"])
    (fact,) = m.launch.book.about(slug)
    assert fact.body.approved_by == "emil"


def test_a_withdrawn_release_is_offered_to_nobody(m: Maker) -> None:
    slug = m.publish(m.create("1"))
    cars = VINS[:3]
    with m.updates.state.change() as change:
        for car in cars:
            registry.create(change, car, m.at)
    actions = assign(m, slug, *cars[:2])
    with m.updates.state.change() as change:
        change.run("UPDATE actions SET heard = :at WHERE id = :id", at=m.at, id=actions[0])
    done = releasing.withdraw(m.updates, slug, "it lists to the left", by="dora", at=m.at)
    assert (list(done.cancelled), done.begun) == ([actions[1]], 1)
    assert [acting.find(m.updates.state, action)[1].status for action in actions] == ["running", "canceling"]
    assert facts(m, slug) == ["release.published", "release.withdrawn"]
    with pytest.raises(Refused, match=r"set\.invalid"):
        assign(m, slug, cars[2])
    with pytest.raises(Refused, match=r"release\.stage"):
        releasing.withdraw(m.updates, slug, "again", by="dora", at=m.at)
    with pytest.raises(Refused, match=r"release\.stage"):
        releasing.propose(m.updates, slug, by="dora", at=m.at)
    with pytest.raises(Refused, match=r"release\.stage"):
        releasing.publish(m.updates, slug, by="emil", at=m.at)
    # Cars that verify refuse it from when the persons have signed that too.
    targets = m.updates.tuf / "targets" / "su7" / "1" / "os"
    assert len(list(targets.iterdir())) == 1
    m.agree(done.proposal, "dora", "emil")
    assert composing.signed_targets(m.updates.repository()) == {}
    assert list(targets.iterdir()) == []


def test_rollouts_of_a_withdrawn_release_pause_for_good(m: Maker) -> None:
    slug, other = (m.publish(m.create(version)) for version in ("1", "2"))
    for name, release in (("goes", slug), ("waits", slug), ("another", other)):
        rolling.plan_rollout(m.launch, name, release, "controllerid==*", RolloutPlan(), m.at, by="dora")
    for name in ("goes", "another"):
        rolling.start(m.launch, name, m.at, by="dora")
    releasing.withdraw(m.updates, slug, "it lists to the left", by="dora", at=m.at)
    stands = {each.name: (each.status, each.reason) for each in keeping.all_rollouts(m.updates.state)}
    assert stands["goes"] == (RolloutStatus.PAUSED, f"{slug} was withdrawn: it lists to the left")
    assert stands["another"] == (RolloutStatus.RUNNING, "")
    for refused in (
        lambda: rolling.resume(m.launch, "goes", m.at, by="dora", reason="all the same"),
        lambda: rolling.start(m.launch, "waits", m.at, by="dora"),
    ):
        with pytest.raises(Refused, match=r"set\.invalid"):
            refused()
    rolling.abort(m.launch, "goes", m.at, by="dora", reason="withdrawn")


def test_tools_of_hawkbit_may_be_allowed_unsigned_sets(m: Maker) -> None:
    found = releases.find(m.updates.state, m.create("1"))
    with pytest.raises(Refused, match=r"set\.unpublished"):
        sets.check_assignable(m.updates.state, found.id)
    with m.updates.state.change() as change:
        configure(change, releases.UNSIGNED, True, m.at)
    assert sets.check_assignable(m.updates.state, found.id).id == found.id


def test_what_clients_of_the_framework_fetch_is_there(m: Maker, tmp_path: Path) -> None:
    m.publish(m.create("1"))
    (entry,) = map(entry_of, m.updates.repository().state().targets["targets"].signed.targets.values())
    assert (m.updates.tuf / "targets" / entry.served).read_text() == "su7 1 os.swu"
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    bundle = (m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes()
    assert Trust(tmp_path / "car", root).bundled(bundle, m.at).entry(entry.path) == entry


def test_the_worker_signs_what_is_due_and_renews_the_bundle(m: Maker) -> None:
    assert resign_due(m.updates, m.at) == ()
    later = m.at + 5 * DAY
    assert set(resign_due(m.updates, later)) == {"snapshot", "timestamp"}
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    bundle = (m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes()
    Trust(m.files / "car", root).bundled(bundle, later)
    assert resign_due(m.updates, later) == ()


def test_the_worker_uses_keys_in_files_where_it_is_forced(m: Maker) -> None:
    (m.launch.folder / DEMO_MARKER).unlink()
    timestamps = m.updates.tuf / "metadata" / "timestamp.json"
    before = timestamps.read_bytes()
    at = m.at + 3 * DAY
    assert Worker(m.launch, lambda: at).tick()
    assert timestamps.read_bytes() == before
    assert Worker(m.launch, lambda: at + DAY, file_keys=True).tick()
    assert timestamps.read_bytes() != before


def test_nothing_is_signed_where_there_is_no_repository(tmp_path: Path) -> None:
    with maker(tmp_path / "launch") as m:
        assert resign_due(m.updates, m.at) == ()
        slug = m.create("1")
        with pytest.raises(NotFound, match=r"updates\.repository"):
            releasing.propose(m.updates, slug, by="dora", at=m.at)
        assert not releases.find(m.updates.state, slug).locked


def test_keys_in_files_are_for_demonstrations(tmp_path: Path) -> None:
    with maker(tmp_path / "launch", demo=False) as m:
        with pytest.raises(Refused, match=r"updates\.file_key"):
            holding.new_key(m.updates, "anna", "anna")
        holding.new_key(m.updates, "anna", "anna", force=True)
        pem = (
            b"-----BEGIN PUBLIC KEY-----\n"
            b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
            b"-----END PUBLIC KEY-----\n"
        )
        with pytest.raises(Refused, match=r"updates\.file_key"):
            holding.add_key(m.updates, "ben", "ben", "file2:/nowhere/ben.pem", pem)
        with pytest.raises(BadValue, match=r"updates\.key_uri"):
            holding.add_key(m.updates, "ben", "ben", "https://keys.example/secret", pem)
        with pytest.raises(BadValue, match=r"updates\.public_key"):
            holding.add_key(m.updates, "ben", "ben", "hsm:2?label=ben", b"no key")
        holding.add_key(m.updates, "ben", "ben", "hsm:2?label=ben", pem)
        assert m.updates.keys.holder("ben") == "ben"


def test_roles_hold_wherever_an_account_is_named(m: Maker) -> None:
    accounts = Accounts(m.updates.state)
    accounts.add("dora", "correct horse battery", ["viewer"])
    slug = m.create("1")
    with pytest.raises(Refused, match=r"account\.forbidden"):
        releasing.propose(m.updates, slug, by="dora", at=m.at)
    with pytest.raises(Refused, match=r"account\.unknown"):
        releasing.propose(m.updates, slug, by="dorra", at=m.at)
    with pytest.raises(Refused, match=r"account\.forbidden"):
        open_function(m.launch, "parking", by="dora", at=m.at)
    open_function(m.launch, "parking", at=m.at)
    with pytest.raises(Refused, match=r"account\.forbidden"):
        close_function(m.launch, "parking", "looked into", by="dora", at=m.at + 1)
    accounts.change("dora", roles=["publisher"])
    releasing.propose(m.updates, slug, by="dora", at=m.at)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("updates.path", {"name": "../os"}),
        ("version.scheme", {"scheme": "mood"}),
        ("version.shape", {"version": "../../2"}),
        ("version.shape", {"version": "2/../3"}),
        ("version.shape", {"version": "latest"}),
        ("software.hardware", {"hardware": []}),
        ("software.counter", {"counter": -1}),
        ("artifact.file", {"files": ["nowhere.swu"]}),
    ],
)
def test_software_that_cannot_be_signed(code: str, what: dict[str, object], m: Maker) -> None:
    given: dict[str, object] = {"name": "os", "files": [m.file("os.swu", "os")], "hardware": ["hpc"], **what}
    name, files = given.pop("name"), [Path(str(file)) for file in given.pop("files")]
    version = str(given.pop("version", "1"))
    with pytest.raises((BadValue, NotFound)) as caught:
        adding.add_software(m.updates, str(name), version, files, m.at, **given)
    assert caught.value.code == code
    assert adding.modules(m.updates) == []


def test_a_release_that_contradicts_itself(m: Maker) -> None:
    made = [
        adding.add_software(
            m.updates, name, "2", [m.file(f"{name}.swu", name)], m.at, hardware=["hpc"], type=type
        )
        for name, type in (("os", "os"), ("parking", "application"))
    ]
    for need in (Need("os", "3"), Need("os", excluded_versions=("2",)), Need("os", conflicts=True)):
        with pytest.raises(Refused, match=r"release\.contradiction"):
            adding.create_release(m.updates, "su7", "2", made, m.at, terms={"parking": Terms(needs=(need,))})
    for term in (Terms("soon"), Terms(excluded_versions=("old",)), Terms(needs=(Need("radio", "new"),))):
        with pytest.raises(BadValue, match=r"version\.shape"):
            adding.create_release(m.updates, "su7", "2", made, m.at, terms={"os": term})
    with pytest.raises(NotFound, match=r"function\.unknown"):
        adding.create_release(m.updates, "su7", "2", made, m.at, terms={"os": Terms(functions=("flying",))})
    with pytest.raises(BadValue, match=r"release\.terms"):
        adding.create_release(m.updates, "su7", "2", made, m.at, terms={"radio": Terms()})
    good = adding.create_release(
        m.updates, "su7", "2", made, m.at, terms={"parking": Terms(needs=(Need("os", "2"),))}
    )
    assert good.type == "os_app"
    with pytest.raises(Conflict, match=r"set\.exists"):
        adding.create_release(m.updates, "su7", "2", made, m.at)
