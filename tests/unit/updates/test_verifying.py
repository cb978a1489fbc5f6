"""What a car on DDI installs: what its maker's signers allow, whatever the server says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driveaway.launch.updates import adding, releasing
from driveaway.updates import releases
from driveaway.updates.car.client import parts_of
from driveaway.updates.car.slots import Manifest
from driveaway.updates.car.verifying import SignedVerifier, from_bundle, pin
from driveaway.updates.ddi import documents
from driveaway.updates.ddi.links import Links
from driveaway.updates.ddi.shelf import Shelf
from driveaway.updates.gates.policy import decode_policy
from driveaway.updates.releases import Need, Terms
from driveaway.updates.signing.verifying import Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import Conflict, DriveawayError, NotFound
from tests.unit.updates.maker import Maker, maker


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def m(tmp_path: Path) -> Iterator[Maker]:
    with maker(tmp_path / "launch") as made:
        made.found()
        yield made


class Offered:
    """A car, and what the server offers it."""

    def __init__(self, m: Maker, folder: Path, hardware: tuple[str, ...] = ("hpc",)) -> None:
        self._m = m
        folder.mkdir(exist_ok=True)
        pin(folder, (m.updates.tuf / "metadata" / "1.root.json").read_bytes())
        bundle = from_bundle(m.updates.tuf / "targets" / "tuf-metadata.json")
        self.verify = SignedVerifier(folder, hardware, bundle, clock=lambda: m.at)

    def deployment(self, slug: str) -> dict[str, Any]:
        """The document as the server makes it."""
        found = releases.find(self._m.updates.state, slug)
        pieces = Shelf(self._m.updates.state).pieces(found.id)
        links = Links("https://cars.example", "DEFAULT", "VIN")
        chunks = [documents._chunk(piece, links) for piece in pieces]
        return {"chunks": msgspec.json.decode(msgspec.json.encode(chunks))}

    def __call__(self, slug: str, held: Manifest | None = None, **changed: Any) -> Manifest:
        return self.of(self.deployment(slug), held)

    def of(self, deployment: dict[str, Any], held: Manifest | None = None) -> Manifest:
        return self.verify(deployment, parts_of(deployment), held)

    def refuses(self, code: str, slug: str, held: Manifest | None = None) -> None:
        refuses(code, lambda: self(slug, held))


def refuses(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(DriveawayError) as caught:
        act()
    assert caught.value.code == code, caught.value


def test_what_is_signed_is_allowed_with_its_counters_and_functions(m: Maker, tmp_path: Path) -> None:
    slug = m.publish(m.create("1", terms=Terms(functions=("parking",))))
    manifest = Offered(m, tmp_path / "car")(slug)
    (module,) = manifest.modules
    assert (manifest.name, manifest.version, module.name, module.counter) == ("su7", "1", "os", 1)
    assert module.files[0].path == "os/os.swu"
    assert decode_policy(manifest.functions[0].policy.encode()).function == manifest.functions[0].name


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("updates.unsigned_target", lambda chunk: chunk.pop("metadata")),
        ("updates.unsigned_target", lambda chunk: chunk["metadata"][1].update(value="su7/2/os")),
        ("updates.path", lambda chunk: chunk["metadata"][1].update(value="../../etc")),
        ("updates.content", lambda chunk: chunk["artifacts"][0]["hashes"].update(sha256="0" * 64)),
        ("updates.content", lambda chunk: chunk["artifacts"][0].update(size=10**9)),
        ("updates.content", lambda chunk: chunk.update(version="9")),
        ("updates.content", lambda chunk: chunk.update(name="radio")),
        ("updates.partial", lambda chunk: chunk["artifacts"].pop()),
    ],
    ids=["no-note", "another-release", "climbing", "sha256", "size", "version", "module", "file-missing"],
)
def test_what_a_server_changes_is_refused(
    code: str, change: Callable[[dict[str, Any]], object], m: Maker, tmp_path: Path
) -> None:
    slug = m.publish(m.create("1", files=("a.swu", "b.swu")))
    car = Offered(m, tmp_path / "car")
    deployment = car.deployment(slug)
    car.of(deepcopy(deployment))
    change(deployment["chunks"][0])
    refuses(code, lambda: car.of(deployment))


def test_no_file_is_added_to_a_release(m: Maker, tmp_path: Path) -> None:
    one, other = m.publish(m.create("1")), m.publish(m.create("2"))
    car = Offered(m, tmp_path / "car")
    mixed = car.deployment(one)
    mixed["chunks"] += car.deployment(other)["chunks"]
    refuses("updates.mixed", lambda: car.of(mixed))


def test_no_counter_falls_even_of_a_module_that_was_gone(m: Maker, tmp_path: Path) -> None:
    old, new = m.publish(m.create("1")), m.publish(m.create("2"))
    radio = adding.add_software(
        m.updates, "radio", "1", [m.file("r.swu", "r")], m.at, hardware=["hpc"], type="application"
    )
    only = m.publish(releases.slug_of(adding.create_release(m.updates, "radio", "1", [radio], m.at)))
    car = Offered(m, tmp_path / "car")
    first = car(old)
    second = car(new, first)
    car.refuses("updates.rolled_back", old, second)
    # A release without the operating system came between, and the slot does not hold it any more.
    third = car(only, second)
    car.refuses("updates.rolled_back", old, third)
    assert car(new, third).version == "2"


def test_versions_that_it_may_not_be_installed_over(m: Maker, tmp_path: Path) -> None:
    first, second = m.publish(m.create("1.9")), m.publish(m.create("1.10"))
    needs_ten = m.publish(m.create("2", terms=Terms(minimum_version="1.10")))
    not_ten = m.publish(m.create("3", terms=Terms(excluded_versions=("1.10",))))
    needs_radio = m.publish(m.create("4", terms=Terms(needs=(Need("radio", "2"),))))
    car = Offered(m, tmp_path / "car")
    nine = car(first)
    ten = car(second, nine)
    car.refuses("updates.minimum", needs_ten, nine)
    assert car(needs_ten, ten).version == "2"
    car.refuses("updates.excluded", not_ten, ten)
    assert car(not_ten, nine).version == "3"
    car.refuses("updates.dependency", needs_radio, nine)


def test_files_for_other_hardware_are_left_out(m: Maker, tmp_path: Path) -> None:
    made = [
        adding.add_software(m.updates, name, "1", [m.file(f"{name}.swu", name)], m.at, hardware=[name])
        for name in ("hpc", "lidar")
    ]
    slug = m.publish(releases.slug_of(adding.create_release(m.updates, "su7", "1", made, m.at)))
    for hardware in (("hpc",), ("lidar",), ("hpc", "lidar")):
        manifest = Offered(m, tmp_path / "-".join(hardware), hardware)(slug)
        assert [module.name for module in manifest.modules] == list(hardware)
    Offered(m, tmp_path / "other", ("radio",)).refuses("updates.hardware", slug)


def test_expired_and_older_metadata_is_refused(m: Maker, tmp_path: Path) -> None:
    slug = m.publish(m.create("1"))
    car = Offered(m, tmp_path / "car")
    bundle = m.updates.tuf / "targets" / "tuf-metadata.json"
    before = bundle.read_bytes()
    m.publish(m.create("2"))
    car(slug)
    newest = bundle.read_bytes()
    bundle.write_bytes(before)
    car.refuses("updates.rolled_back", slug)
    bundle.write_bytes(newest)
    car(slug)
    m.at += 5 * DAY
    car.refuses("updates.expired", slug)


def test_what_is_signed_no_longer_is_refused(m: Maker, tmp_path: Path) -> None:
    slug = m.publish(m.create("1"))
    car = Offered(m, tmp_path / "car")
    deployment = car.deployment(slug)
    car.of(deployment)
    done = releasing.withdraw(m.updates, slug, "it lists to the left", by="dora", at=m.at)
    m.agree(done.proposal, "dora", "emil")
    refuses("updates.unsigned_target", lambda: car.of(deployment))


def test_a_car_trusts_the_root_that_was_built_into_it(m: Maker, tmp_path: Path) -> None:
    slug = m.publish(m.create("1"))
    empty = tmp_path / "empty"
    with pytest.raises(NotFound, match=r"car\.root"):
        SignedVerifier(empty, ["hpc"], lambda trust, at: trust.bundled(b"", at))
    with maker(tmp_path / "forger") as other:
        other.found()
        forged = other.publish(other.create("1"))
        car = Offered(m, tmp_path / "car")
        car(slug)
        with pytest.raises(Conflict, match=r"car\.root_pinned"):
            pin(tmp_path / "car", (other.updates.tuf / "metadata" / "1.root.json").read_bytes())
        theirs = from_bundle(other.updates.tuf / "targets" / "tuf-metadata.json")
        car.verify = SignedVerifier(tmp_path / "car", ["hpc"], theirs, clock=lambda: m.at)
        with pytest.raises(DriveawayError) as caught:
            car(forged)
        assert caught.value.code.startswith("updates.")
    assert isinstance(car.verify.trust, Trust)
