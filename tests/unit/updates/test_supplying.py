"""Suppliers who sign their own software: delegated to, taken over, held by releases, and refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Targets

from driveaway.launch.updates import adding, holding, releasing, supplying
from driveaway.launch.updates.holding import RoleKeys
from driveaway.launch.updates.opening import open_updates
from driveaway.updates import releases
from driveaway.updates.model import SoftwareModule
from driveaway.updates.releases import Need, Terms, slug_of
from driveaway.updates.signing.proposals import Proposal
from driveaway.updates.signing.supplying import supplied
from driveaway.values.clock import DAY
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused, Unavailable
from tests.unit.updates.maker import Maker, maker
from tests.unit.updates.test_verifying import Offered, refuses


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def m(tmp_path: Path) -> Iterator[Maker]:
    with maker(tmp_path / "launch") as made:
        made.found()
        for name in ("gus", "hu", "ida", "jan"):
            holding.new_key(made.updates, name, name)
        yield made


def add(m: Maker, name: str = "lidar", keys: tuple[str, str] = ("gus", "hu"), **how: object) -> None:
    """Delegate, signed by all; the threshold is two unless it is said."""
    threshold = int(str(how.pop("threshold", 2)))
    supplying.delegate(m.updates, name, RoleKeys(keys, threshold), by="dora", at=m.at, **how)  # type: ignore[arg-type]
    m.agree(f"supplier-{name}", "dora", "emil", *keys)


def file(m: Maker, name: str = "lidar-2.bin") -> Path:
    return m.file(name, f"software in {name}")


def offer(
    m: Maker, version: str = "2.0", name: str = "lidar-2.bin", *, keys: tuple[str, ...] = ("gus", "hu"),
    supplier: str = "lidar", terms: Terms | None = None, counter: int | None = None,
) -> Proposal:  # fmt: skip
    """What a supplier makes from the maker's public metadata alone."""
    entries = supplying.entries_of(
        supplier, [file(m, name)], module="lidar", version=version, hardware=["adas"], counter=counter,
        terms=terms,
    )  # fmt: skip
    proposal = supplied(
        f"{supplier}-{version}", supplier, entries, by=keys[0], at=m.at,
        bundle=(m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes(),
        root=(m.updates.tuf / "metadata" / "1.root.json").read_bytes(),
    )  # fmt: skip
    for key in keys:
        proposal = proposal.signed_by(m.updates.keys.signer(key, files=True))
    return proposal


def take(m: Maker, proposal: Proposal, *files: Path) -> SoftwareModule:
    (module,) = supplying.take(m.updates, proposal.encode(), files or (file(m),), m.at, by="dora")
    return module


def supply(m: Maker, **how: object) -> SoftwareModule:
    proposal = offer(m, **how)  # type: ignore[arg-type]
    module = take(m, proposal, file(m, str(how.get("name", "lidar-2.bin"))))
    releasing.publish(m.updates, proposal.name, by="dora", at=m.at)
    return module


def compose(m: Maker, *modules: SoftwareModule, version: str = "5") -> str:
    own = adding.add_software(
        m.updates, "os", version, [m.file("os.swu", f"os {version}")], m.at, hardware=["hpc"]
    )
    return slug_of(adding.create_release(m.updates, "su7", version, [own, *modules], m.at))


def test_a_release_holds_what_a_supplier_signed(m: Maker, tmp_path: Path) -> None:
    add(m)
    module = supply(m, terms=Terms("1.0", ("1.5",), (Need("os", "5"),)))
    slug = m.publish(compose(m, module))
    found = releases.find(m.updates.state, slug)
    record = releases.record_of(found)
    assert sorted(record.targets) == ["su7/5/os/os.swu", "suppliers/lidar/lidar-2.bin"]
    assert record.terms["lidar"] == Terms("1.0", ("1.5",), (Need("os", "5"),))
    # The maker's targets name it by its hash; nobody but the supplier has signed its path.
    assert list(m.updates.repository().state().targets["targets"].signed.targets) == ["su7/5/os/os.swu"]
    manifest = Offered(m, tmp_path / "car", ("hpc", "adas"))(slug)
    assert {each.name: (each.version, each.counter) for each in manifest.modules} == {
        "os": ("5", 1),
        "lidar": ("2.0", 1),
    }
    served = m.updates.tuf / "targets" / "suppliers" / "lidar"
    assert [path.name.partition(".")[2] for path in served.iterdir()] == ["lidar-2.bin"]
    (told,) = supplying.told_suppliers(m.updates)
    assert (told["supplier"], told["threshold"], told["signed_by"]) == ("lidar", 2, "gus, hu")
    assert (told["paths"], told["terminating"], told["releases"]) == ("suppliers/lidar/*", True, slug)


def test_a_withdrawn_release_leaves_the_supplier_its_own(m: Maker) -> None:
    add(m)
    slug = m.publish(compose(m, supply(m)))
    done = releasing.withdraw(m.updates, slug, "it rattles", by="dora", at=m.at)
    m.agree(done.proposal, "dora", "emil")
    assert m.updates.repository().state().targets["targets"].signed.targets == {}
    assert len(m.updates.repository().state().targets["supplier.lidar"].signed.targets) == 1


def test_counters_of_a_supplier_grow_by_themselves(m: Maker) -> None:
    add(m)
    supply(m)
    second = supply(m, version="3.0", name="lidar-3.bin")
    assert releases.about(m.updates.state, second.id).counter == 2
    with pytest.raises(Refused, match=r"updates\.counter"):
        offer(m, "4.0", "lidar-4.bin", counter=1)
    with pytest.raises(Conflict, match=r"updates\.name_taken"):
        offer(m, "4.0", "lidar-2.bin")


def test_what_cars_refuse_once_the_supplier_is_gone(m: Maker, tmp_path: Path) -> None:
    add(m)
    module = supply(m)
    slug, car = m.publish(compose(m, module)), Offered(m, tmp_path / "car", ("hpc", "adas"))
    car(slug)
    supplying.undelegate(m.updates, "lidar", by="dora", at=m.at)
    assert supplying.releases_with(m.updates, "lidar") == [slug]
    m.agree("supplier-lidar-removed", "dora", "emil")
    car.refuses("updates.unsigned_target", slug)
    assert supplying.told_suppliers(m.updates) == []
    with pytest.raises(Refused, match=r"release\.supplier_unsigned"):
        compose(m, module, version="6")
    with pytest.raises(NotFound, match=r"updates\.supplier_unknown"):
        offer(m, "3.0", "lidar-3.bin")


def test_a_release_waits_for_the_supplier_and_for_the_maker(m: Maker) -> None:
    add(m)
    proposal = offer(m)
    module = take(m, proposal)
    with pytest.raises(Refused, match=r"release\.supplier_unsigned"):
        compose(m, module)
    releasing.publish(m.updates, proposal.name, by="dora", at=m.at)
    alone = slug_of(adding.create_release(m.updates, "lidar", "2", [module], m.at))
    with pytest.raises(Refused, match=r"release\.supplier_only"):
        releasing.propose(m.updates, alone, by="dora", at=m.at)
    with pytest.raises(BadValue, match=r"release\.supplier_terms"):
        adding.create_release(m.updates, "x", "1", [module], m.at, terms={"lidar": Terms("1")})


def test_what_is_taken_over_is_verified(m: Maker) -> None:
    add(m)
    whole = offer(m)
    with pytest.raises(NotFound, match=r"artifact\.file"):
        supplying.take(m.updates, whole.encode(), [], m.at, by="dora")
    forged = m.files / "other" / "lidar-2.bin"
    forged.parent.mkdir()
    forged.write_text("other bytes")
    with pytest.raises(BadValue, match="sha256"):
        take(m, whole, forged)
    # Changed after it was signed.
    document: Metadata[Targets] = whole.metadata()["supplier.lidar"]
    document.signed.targets["suppliers/lidar/lidar-2.bin"].length += 1
    changed = Proposal.of(whole.name, {"supplier.lidar": document}, whole.signers)
    with pytest.raises(Refused, match=r"updates\.signature"):
        take(m, changed)
    # Nothing of these is left behind.
    assert m.updates.repository().proposals() == ()
    first = take(m, whole)
    releasing.drop(m.updates, whole.name, at=m.at)
    assert take(m, whole) == first


def test_the_threshold_counts_and_further_holders_may_sign_at_the_makers(m: Maker) -> None:
    add(m)
    proposal = offer(m, keys=("gus",))
    take(m, proposal)
    with pytest.raises(Refused, match=r"updates\.unsigned"):
        releasing.publish(m.updates, proposal.name, by="dora", at=m.at)
    releasing.sign(m.updates, proposal.name, "hu")
    releasing.publish(m.updates, proposal.name, by="dora", at=m.at)


def test_a_supplier_signs_nothing_but_its_own_names(m: Maker) -> None:
    add(m, prefix="front-")
    add(m, "maps", ("ida", "jan"), threshold=1, terminating=False)
    with pytest.raises(Refused, match=r"updates\.path_owner"):
        offer(m)
    supply(m, name="front-lidar.bin")
    told = {
        each["supplier"]: (each["paths"], each["terminating"]) for each in supplying.told_suppliers(m.updates)
    }
    assert told == {"lidar": ("suppliers/lidar/front-*", True), "maps": ("suppliers/maps/*", False)}
    with pytest.raises(BadValue, match=r"updates\.path"):
        supplying.delegate(m.updates, "x", RoleKeys(("gus", "hu"), 1), prefix="../", by="dora", at=m.at)
    # Another supplier's path in its own metadata, signed with its own keys.
    entries = supplying.entries_of(
        "maps", [file(m, "china.bin")], module="maps", version="1.0", hardware=["hpc"], counter=1
    )
    bundle = (m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes()
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    with pytest.raises(Refused, match=r"updates\.path_owner"):
        supplied("x", "lidar", entries, bundle=bundle, root=root, by="gus", at=m.at)
    mine = offer(m, "3.0", "front-3.bin")
    document = mine.metadata()["supplier.lidar"]
    named = document.signed.targets
    named["suppliers/maps/china.bin"] = named.pop("suppliers/lidar/front-3.bin")
    document.signatures.clear()
    for key in ("gus", "hu"):
        document.sign(m.updates.keys.signer(key, files=True), append=True)
    forged = Proposal.of(mine.name, {"supplier.lidar": document}, mine.signers)
    with pytest.raises(Refused, match=r"updates\.path_owner"):
        take(m, forged, file(m, "china.bin"))


def test_a_supplier_cannot_propose_for_the_maker(m: Maker) -> None:
    add(m)
    slug = m.create("1")
    proposal = releasing.propose(m.updates, slug, by="dora", at=m.at)
    releasing.drop(m.updates, slug, at=m.at)
    with pytest.raises(Refused, match=r"updates\.supplier_proposal"):
        m.updates.repository().take(proposal)


def test_a_supplier_builds_upon_nothing_that_does_not_verify(m: Maker, tmp_path: Path) -> None:
    add(m)
    with maker(tmp_path / "evil") as evil:
        evil.found()
        for name in ("gus", "hu"):
            holding.new_key(evil.updates, name, name)
        add(evil)
        entries = supplying.entries_of("lidar", [file(m)], module="l", version="1", hardware=["adas"])
        bundle = (evil.updates.tuf / "targets" / "tuf-metadata.json").read_bytes()
    root = (m.updates.tuf / "metadata" / "1.root.json").read_bytes()
    with pytest.raises(Refused):
        supplied("x", "lidar", entries, bundle=bundle, root=root, by="gus", at=m.at)
    own = (m.updates.tuf / "targets" / "tuf-metadata.json").read_bytes()
    with pytest.raises(Refused, match=r"updates\.expired"):
        supplied("x", "lidar", entries, bundle=own, root=root, by="gus", at=m.at + 30 * DAY)


def test_a_key_whose_private_half_is_elsewhere(m: Maker) -> None:
    public = m.updates.keys.public("gus")
    m.updates.keys.add("far", "kim", "", public)
    assert open_updates(m.launch).keys.place("far") == ""
    with pytest.raises(Unavailable, match=r"updates\.key_unavailable"):
        m.updates.keys.signer("far", files=True)


def test_a_car_refuses_a_document_that_moves_a_suppliers_file(m: Maker, tmp_path: Path) -> None:
    add(m)
    slug = m.publish(compose(m, supply(m)))
    car = Offered(m, tmp_path / "car", ("hpc", "adas"))
    deployment = car.deployment(slug)
    (lidar,) = (chunk for chunk in deployment["chunks"] if chunk["name"] == "lidar")
    lidar["metadata"][1]["value"] = "su7/5/lidar"
    refuses("updates.unsigned_target", lambda: car.of(deployment))
